"""`emanet audit …` and `emanet cases put`: the record of accesses and what explains them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emanet.cli.arguments import parse_case, parse_time, read_file, write_whole
from emanet.cli.binding import Command
from emanet.cli.problems import CommandError
from emanet.cli.records import record_as_json, show_records
from emanet.cli.session import Session

if TYPE_CHECKING:
    from emanet.client.reading import Reading
    from emanet.client.values import CaseState

__all__ = ["CASE_COMMANDS", "COMMANDS"]

PurposeOption = Annotated[str, typer.Option("--purpose")]
CaseOption = Annotated[str, typer.Option("--case")]


class Verdict(StrEnum):
    """Which answers are wanted."""

    ALLOW = "allow"
    DENY = "deny"


def list_records(
    session: Session,
    purpose: PurposeOption,
    case: CaseOption = "",
    since: Annotated[str, typer.Option("--since")] = "",
    until: Annotated[str, typer.Option("--until")] = "",
    person: Annotated[str, typer.Option("--person")] = "",
    subject: Annotated[str, typer.Option("--subject")] = "",
    data_field: Annotated[str, typer.Option("--field")] = "",
    for_purpose: Annotated[str, typer.Option("--for")] = "",
    through: Annotated[str, typer.Option("--through")] = "",
    verdict: Annotated[Verdict | None, typer.Option("--verdict")] = None,
    waiting: Annotated[bool, typer.Option("--waiting")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1)] = 50,
) -> int:
    """Lists access records, newest first; the listing is itself recorded."""
    from emanet.api.access_audit.v1.resources_pb2 import Verdict as VerdictNumber
    from emanet.client.admin_audit import RecordFilter

    wanted = RecordFilter(
        start=parse_time(since, name="since"),
        end=parse_time(until, name="until"),
        person=person,
        subject=subject,
        data_field=data_field,
        purpose=for_purpose,
        verdict=VerdictNumber.Value(f"VERDICT_{verdict.name if verdict else 'UNSPECIFIED'}"),
        waiting_for_review=waiting,
        application=through,
    )
    reading = _reading(session, purpose=purpose, case=case)
    with session.admin() as admin:
        records = list(admin.audit.records(reading, wanted=wanted, limit=limit))
    session.answer([record_as_json(record) for record in records])
    if records:
        show_records(session, records)
    else:
        session.print(session.say("audit.none"))
    return 0


def checkpoint(
    session: Session, output: Annotated[Path | None, typer.Option("--output")] = None
) -> int:
    """Prints the log's signed checkpoint: keep it outside, and no later change goes unnoticed."""
    with session.admin() as admin:
        found = admin.audit.checkpoint()
    if output is not None:
        write_whole(output, found.checkpoint.encode())
    session.answer({"checkpoint": found.checkpoint, "vkey": found.vkey})
    session.print(found.checkpoint.rstrip("\n"), "", found.vkey)
    return 0


def export_log(
    session: Session,
    directory: Annotated[Path, typer.Argument()],
    purpose: PurposeOption,
    vkey_out: Annotated[Path | None, typer.Option("--vkey-out")] = None,
    replace: Annotated[bool, typer.Option("--replace")] = False,
) -> int:
    """Writes the log as a C2SP tlog-tiles directory that `emanet verify log` reads."""
    from emanet.cli.exporting import write_export

    with session.admin() as admin, session.progress(session.say("export_log.progress")) as advance:
        exported = write_export(
            admin.audit.export_log(purpose=purpose),
            directory,
            replaces=replace,
            progress=advance,
        )
    vkey_file = vkey_out or directory.with_name(f"{directory.name}.vkey")
    write_whole(vkey_file, f"{exported.vkey}\n".encode())
    session.answer(
        {"directory": str(directory), "size": exported.size, "vkey_file": str(vkey_file)}
    )
    session.print(
        session.say("export_log.done", size=f"{exported.size:,}", directory=directory),
        f"  emanet verify log {directory} --vkey {vkey_file}",
    )
    return 0


def record(
    session: Session,
    data_field: Annotated[list[str], typer.Option("--field")],
    subject: Annotated[list[str], typer.Option("--subject")],
    purpose: PurposeOption,
    case: CaseOption = "",
    action: Annotated[str, typer.Option("--action")] = "read",
    time: Annotated[str, typer.Option("--time")] = "",
    count: Annotated[int, typer.Option("--count", min=1)] = 1,
    text: Annotated[str, typer.Option("--text")] = "",
) -> int:
    """Records a read that has happened outside: a paper file, a report, a telephone call."""
    from emanet.api.access_audit.v1.resources_pb2 import VERDICT_DENY
    from emanet.client.reading import ReadingScope
    from emanet.client.status import error_from_status
    from emanet.client.values import AccessToRecord

    access = AccessToRecord(
        fields=tuple(data_field),
        subjects=tuple(subject),
        time=parse_time(time, name="time") or dt.datetime.now(dt.UTC),
        action=action,
        count=count,
    )
    em = session.facade()
    with ReadingScope(_reading(session, purpose=purpose, case=case, justification=text)):
        (result,) = em.record_accesses([access])
    em.close()
    if result.status.code:
        raise error_from_status(result.status)
    answer = "deny" if result.verdict == VERDICT_DENY else "allow"
    session.answer({"record": result.record, "index": result.index, "verdict": answer})
    session.print(
        session.say("record.done", record=result.record, index=result.index),
        session.say(f"record.{answer}"),
    )
    return 0


def put_cases(
    session: Session,
    file: Annotated[Path | None, typer.Argument()] = None,
    kind: Annotated[str, typer.Option("--kind")] = "",
    ref: Annotated[str, typer.Option("--ref")] = "",
    subject: Annotated[list[str], typer.Option("--subject")] = [],  # noqa: B006 (read only)
    assignee: Annotated[list[str], typer.Option("--assignee")] = [],  # noqa: B006 (read only)
    team: Annotated[list[str], typer.Option("--team")] = [],  # noqa: B006 (read only)
    opened_by: Annotated[str, typer.Option("--opened-by")] = "system",
    opener: Annotated[str, typer.Option("--opener")] = "",
    opened: Annotated[str, typer.Option("--opened")] = "",
    closed: Annotated[str, typer.Option("--closed")] = "",
) -> int:
    """Pushes cases, from a JSON file or from the options, as the application of `--app`."""
    if (file is None) != bool(kind and ref):
        raise CommandError("file_or_options")
    if file is not None:
        cases = list(_cases_of(file))
    else:
        entry = {
            "kind": kind,
            "ref": ref,
            "subjects": subject,
            "assignees": assignee,
            "teams": team,
            "opened_by": opened_by,
            "opener": opener,
            "opened": opened or dt.datetime.now(dt.UTC).isoformat(),
            "closed": closed,
        }
        cases = [_case(entry)]
    em = session.facade()
    em.put_cases(cases)
    em.close()
    session.answer({"cases": len(cases)})
    session.print(session.say("cases.done", count=len(cases)))
    return 0


def _reading(session: Session, *, purpose: str, case: str, justification: str = "") -> Reading:
    from emanet.client.reading import Case, make_reading

    parsed = parse_case(case)
    token = session.staff_token()
    return make_reading(
        purpose=purpose,
        staff_token=token,
        as_app=not token,
        case=Case(*parsed) if parsed else None,
        justification=justification,
    )


_CASE_KEYS = frozenset(
    {"kind", "ref", "subjects", "assignees", "teams", "opened_by", "opener", "opened", "closed"}
)


def _cases_of(file: Path) -> Iterator[CaseState]:
    """The cases of a JSON file: one object or a list of them."""
    try:
        content = json.loads(read_file(file))
    except ValueError as cause:
        line = getattr(cause, "lineno", 1)
        raise CommandError("not_json", file=f"{file}:{line}") from cause
    for entry in content if isinstance(content, list) else [content]:
        if not isinstance(entry, dict) or not set(entry) <= _CASE_KEYS:
            raise CommandError("not_cases", file=file, keys=", ".join(sorted(_CASE_KEYS)))
        yield _case(entry)


def _case(entry: dict[str, Any]) -> CaseState:
    from emanet.client.values import CaseState

    opened = parse_time(_text(entry, "opened"), name="opened")
    if opened is None or not _text(entry, "kind") or not _text(entry, "ref"):
        raise CommandError("case_incomplete")
    return CaseState(
        kind=_text(entry, "kind"),
        ref=_text(entry, "ref"),
        opened_by=_text(entry, "opened_by") or "system",
        opened=opened,
        subjects=_texts(entry, "subjects"),
        assignees=_texts(entry, "assignees"),
        teams=_texts(entry, "teams"),
        opener=_text(entry, "opener"),
        closed=parse_time(_text(entry, "closed"), name="closed"),
    )


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str):
        raise CommandError("case_incomplete")
    return value


def _texts(entry: dict[str, Any], key: str) -> tuple[str, ...]:
    values: Sequence[object] = entry.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise CommandError("case_incomplete")
    return tuple(values)


COMMANDS = (
    Command("list", list_records, remote=True),
    Command("checkpoint", checkpoint, remote=True),
    Command("export-log", export_log, remote=True),
    Command("record", record, remote=True),
)
CASE_COMMANDS = (Command("put", put_cases, remote=True),)
