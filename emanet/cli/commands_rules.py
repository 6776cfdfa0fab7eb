"""`emanet rules …`: need-to-know rules from a file to the active set."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emanet.cli.arguments import iso_time, local_time, parse_digest, read_file
from emanet.cli.binding import Command
from emanet.cli.commands_inventory import FindingsFormat, show_findings
from emanet.cli.session import Session
from emanet.core.errors import Reason, error

if TYPE_CHECKING:
    from emanet.api.access_audit.v1.resources_pb2 import RuleSet as RuleSetMessage
    from emanet.register.values import Register
    from emanet.rules.values import RuleSet

__all__ = ["COMMANDS"]

_STATE_PREFIX = "RULE_SET_STATE_"

FileArgument = Annotated[Path, typer.Argument()]
RegisterOption = Annotated[Path, typer.Option("--register")]


def lint(
    session: Session,
    file: FileArgument,
    register: RegisterOption,
    output: Annotated[FindingsFormat, typer.Option("--format")] = FindingsFormat.TEXT,
) -> int:
    """Checks rules against the register that they narrow, without a server."""
    from emanet import __version__
    from emanet.register.findings import render_sarif
    from emanet.rules.lint import RULES, lint_rules

    ruleset, inventory = _load(file, register)
    findings = lint_rules(ruleset, inventory)
    if output is FindingsFormat.SARIF:
        text = render_sarif(findings, rules=RULES, version=__version__, lang=session.lang.value)
        typer.echo(text, nl=False)
        return 1 if any(finding.severity.value == "error" for finding in findings) else 0
    return show_findings(session, findings, as_json=output is FindingsFormat.JSON)


def test(session: Session, file: FileArgument, register: RegisterOption) -> int:
    """Asks the rules their own examples; 1 when one does not come out as written."""
    from emanet.rules.compile import compile_rules
    from emanet.rules.examples import try_examples

    ruleset, inventory = _load(file, register)
    results = try_examples(ruleset, compile_rules(ruleset, inventory))
    failed = [result for result in results if not result.holds]
    session.answer(
        {
            "examples": len(results),
            "failed": [
                {
                    "file": str(file),
                    "line": result.example.line,
                    "en": result.problem,
                    "tr": result.problem_tr,
                }
                for result in failed
            ],
        }
    )
    for result in failed:
        problem = result.problem_tr if session.lang.value == "tr" else result.problem
        session.print(f"{file}:{result.example.line}  {problem}")
    session.print(session.say("rules.tested", held=len(results) - len(failed), all=len(results)))
    return 1 if failed else 0


def matrix(
    session: Session,
    file: FileArgument,
    register: RegisterOption,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
) -> int:
    """Writes the rules as the authorisation matrix that a manager can sign."""
    from emanet.rules.matrix import Language, authorisation_matrix, format_matrix

    ruleset, inventory = _load(file, register)
    table = authorisation_matrix(ruleset, inventory, lang=Language(session.lang.value))
    session.answer([dict(zip(table.header, row, strict=True)) for row in table.rows])
    if as_csv:
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
        writer.writerows([table.header, *([_safe(cell) for cell in row] for row in table.rows)])
        session.print(f"\ufeff{buffer.getvalue()}".removesuffix("\n"))
    else:
        session.print(format_matrix(table).rstrip("\n"))
    return 0


def apply(session: Session, file: FileArgument) -> int:
    """Stores a rule set after lint and its examples passed; another person activates it."""
    source = read_file(file)
    with session.admin() as admin:
        stored = session.patiently(lambda: admin.rules.apply(source))
    digest = stored.digest.hex()
    session.answer(_as_json(stored))
    session.print(
        session.say("rules.applied", number=stored.number),
        f"  emanet rules activate {stored.number} \\",
        f"    --digest {digest}",
    )
    return 0


def activate(
    session: Session,
    number: Annotated[int, typer.Argument(min=1)],
    digest: Annotated[str, typer.Option("--digest")] = "",
) -> int:
    """Shows a rule set and, given its digest, activates it."""
    import hashlib

    with session.admin() as admin:
        stored = admin.rules.get(number)
        found = hashlib.sha256(stored.source.encode()).digest()
        if found != stored.digest:
            raise error(Reason.RULES_CORRUPT)
        if not digest:
            session.answer({**_as_json(stored), "source": stored.source})
            session.print(
                stored.source.rstrip("\n"),
                "",
                session.say("rules.ask", number=number),
                f"  emanet rules activate {number} \\",
                f"    --digest {found.hex()}",
            )
            return 2
        if parse_digest(digest) != found:
            raise error(Reason.DIGEST_MISMATCH, resource=f"ruleSets/{number}")
        activated = admin.rules.activate(number, digest_read=found)
    session.answer({**_as_json(activated.rule_set), "log_index": activated.receipt.index})
    session.print(session.say("rules.activated", number=number, index=activated.receipt.index))
    return 0


def versions(session: Session) -> int:
    """Lists rule sets, newest first."""
    with session.admin() as admin:
        found = list(admin.rules.list_all())
    session.answer([_as_json(each) for each in found])
    if not found:
        session.print(session.say("rules.none"))
        return 0
    session.table(
        session.say("rules.header").split("|"),
        [
            (
                str(each.number),
                session.say(f"state.{_state_of(each).lower()}"),
                local_time(each.apply_time.ToDatetime(tzinfo=dt.UTC)),
                local_time(each.activate_time.ToDatetime(tzinfo=dt.UTC)),
                each.digest.hex()[:16],
            )
            for each in found
        ],
    )
    return 0


def _load(file: Path, register: Path) -> tuple[RuleSet, Register]:
    from emanet.cli.manifests import load_file
    from emanet.rules.loader import load_rules

    return load_rules(read_file(file), source=str(file)), load_file(register).register


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (CWE-1236)."""
    return f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell


def _state_of(stored: RuleSetMessage) -> str:
    from emanet.api.access_audit.v1.resources_pb2 import RuleSetState

    return RuleSetState.Name(stored.state).removeprefix(_STATE_PREFIX)


def _as_json(stored: RuleSetMessage) -> dict[str, object]:
    return {
        "number": stored.number,
        "state": _state_of(stored),
        "digest": stored.digest.hex(),
        "applied": iso_time(stored.apply_time.ToDatetime(tzinfo=dt.UTC)),
        "activated": iso_time(stored.activate_time.ToDatetime(tzinfo=dt.UTC)),
    }


COMMANDS = (
    Command("lint", lint),
    Command("test", test),
    Command("matrix", matrix),
    Command("apply", apply, remote=True),
    Command("activate", activate, remote=True),
    Command("versions", versions, remote=True),
)
