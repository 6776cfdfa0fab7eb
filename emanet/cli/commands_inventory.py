"""`emanet inventory lint|plan|apply|submit|show`: from a manifest to a submitted version."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emanet.cli.binding import Command
from emanet.cli.session import Session

if TYPE_CHECKING:
    from emanet.register.edits import Edit
    from emanet.register.findings import Finding
    from emanet.register.values import Register

__all__ = ["COMMANDS", "FindingsFormat", "show_findings"]


class FindingsFormat(StrEnum):
    """How findings are shown."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def lint(
    session: Session,
    file: Annotated[Path, typer.Argument()],
    output: Annotated[FindingsFormat, typer.Option("--format")] = FindingsFormat.TEXT,
) -> int:
    """Checks a manifest against every lint rule, without a server; 1 when there is an error."""
    from emanet import __version__
    from emanet.cli.manifests import load_file, today
    from emanet.register.findings import render_sarif
    from emanet.register.lint import RULES, lint

    manifest = load_file(file)
    findings = lint(manifest.register, today=today(), marks=manifest.marks)
    if output is FindingsFormat.SARIF:
        text = render_sarif(findings, rules=RULES, version=__version__, lang=session.lang.value)
        typer.echo(text, nl=False)
        return _status_of(findings)
    return show_findings(session, findings, as_json=output is FindingsFormat.JSON)


def plan(session: Session, file: Annotated[Path, typer.Argument()]) -> int:
    """Shows the edits that would turn the draft into the manifest."""
    from emanet.cli.manifests import load_file
    from emanet.register.edits import plan as plan_edits

    manifest = load_file(file)
    with session.admin() as admin:
        draft = admin.inventory.draft()
    edits = plan_edits(draft.register, manifest.register)
    session.answer({"etag": draft.etag, "edits": [_edit_as_json(edit) for edit in edits]})
    _show_edits(session, draft.register, edits)
    return 0


def apply(session: Session, file: Annotated[Path, typer.Argument()]) -> int:
    """Turns the draft into the manifest; nothing is half-applied within a call."""
    from emanet.cli.manifests import load_file, today
    from emanet.client.admin_inventory import MAX_EDITS
    from emanet.register.edits import plan as plan_edits
    from emanet.register.findings import count_findings
    from emanet.register.lint import lint

    manifest = load_file(file)
    with session.admin() as admin:
        draft = admin.inventory.draft()
        before = draft.register
        edits = plan_edits(before, manifest.register)
        with session.progress(session.say("apply.progress")) as advance:
            for start in range(0, len(edits), MAX_EDITS):
                draft = admin.inventory.edit_draft(
                    edits[start : start + MAX_EDITS], etag=draft.etag
                )
                advance(min(start + MAX_EDITS, len(edits)), len(edits))
    errors, warnings = count_findings(lint(manifest.register, today=today(), marks=manifest.marks))
    session.answer(
        {"etag": draft.etag, "edits": len(edits), "errors": errors, "warnings": warnings}
    )
    _show_edits(session, before, edits)
    session.print(session.say("apply.done", count=len(edits), errors=errors, warnings=warnings))
    if errors:
        session.print(session.say("apply.has_errors", file=file))
    return 0


def submit(session: Session) -> int:
    """Freezes the draft as the next version; another person approves it."""
    with session.admin() as admin:
        version = admin.inventory.submit(etag=admin.inventory.draft().etag)
    digest = version.digest.hex()
    session.answer({"number": version.number, "digest": digest, "state": "SUBMITTED"})
    session.print(
        session.say("submit.done", number=version.number),
        f"  emanet inventory approve {version.number} \\",
        f"    --digest {digest}",
    )
    return 0


def show_findings(session: Session, findings: Sequence[Finding], *, as_json: bool = False) -> int:
    """Shows findings of any lint; the exit status is 1 when one is an error."""
    import json

    from emanet.register.findings import count_findings, findings_to_json, format_findings

    errors, warnings = count_findings(findings)
    if as_json or session.as_json:
        document = {
            "errors": errors,
            "warnings": warnings,
            "findings": findings_to_json(findings),
        }
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        typer.echo(format_findings(findings, lang=session.lang.value), nl=False)
    return _status_of(findings)


def _status_of(findings: Sequence[Finding]) -> int:
    from emanet.register.findings import Severity

    return 1 if any(finding.severity is Severity.ERROR for finding in findings) else 0


def _edit_as_json(edit: Edit) -> dict[str, object]:
    shown: dict[str, object] = {"kind": edit.kind.value, "slug": edit.slug}
    if edit.value is None:
        return {**shown, "act": "remove"}
    return {**shown, "act": "put", "value": edit.value}


def _show_edits(session: Session, before: Register, edits: Sequence[Edit]) -> None:
    from emanet.register.values import to_json

    if not edits:
        session.print(session.say("plan.nothing"))
        return
    sections = to_json(before)
    for edit in edits:
        section = sections.get(edit.kind.value)
        is_known = edit.kind.is_single and section is not None
        if isinstance(section, dict | list | tuple) and not edit.kind.is_single:
            is_known = edit.slug in section
        sign = "-" if edit.value is None else "~" if is_known else "+"
        name = edit.kind.value if edit.kind.is_single else f"{edit.kind.value}/{edit.slug}"
        session.print(f"  {sign} {name}")
    session.print(session.say("plan.count", count=len(edits)))


COMMANDS = (
    Command("lint", lint),
    Command("plan", plan, remote=True),
    Command("apply", apply, remote=True),
    Command("submit", submit, remote=True),
)
