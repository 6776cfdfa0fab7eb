"""`emanet destruction due|run|show|list`: what must go, what goes, and the receipt."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emanet.cli.arguments import iso_time, local_time, parse_time, write_whole
from emanet.cli.binding import Command
from emanet.cli.problems import CommandError
from emanet.cli.session import Session

if TYPE_CHECKING:
    from emanet.api.crypto.v1.resources_pb2 import Destruction, DestructionItem

__all__ = ["COMMANDS"]


class Ground(StrEnum):
    """Why keys are destroyed."""

    REQUEST = "request"
    ENDED = "retention-ended"


_GROUNDS = {
    Ground.REQUEST: "DESTRUCTION_GROUND_SUBJECT_REQUEST",
    Ground.ENDED: "DESTRUCTION_GROUND_RETENTION_ENDED",
}


def due(
    session: Session,
    as_of: Annotated[str, typer.Option("--as-of")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1)] = 1000,
) -> int:
    """Lists subjects whose values of a class are to be destroyed, oldest lapse first."""
    moment = parse_time(as_of, name="as-of")
    with session.admin() as admin:
        found = list(admin.audit.due_subjects(as_of=moment, limit=limit))
    session.answer(
        [
            {
                "subject": each.subject,
                "class": each.retention_class,
                "lapsed": iso_time(each.lapse_time.ToDatetime(tzinfo=dt.UTC)),
            }
            for each in found
        ]
    )
    if not found:
        session.print(session.say("due.none"))
        return 0
    session.table(
        session.say("due.header").split("|"),
        [
            (
                each.subject,
                each.retention_class,
                local_time(each.lapse_time.ToDatetime(tzinfo=dt.UTC)),
            )
            for each in found
        ],
    )
    return 0


def run(
    session: Session,
    subject: Annotated[str, typer.Option("--subject")] = "",
    retention_class: Annotated[list[str], typer.Option("--class")] = [],  # noqa: B006 (read only)
    bucket: Annotated[str, typer.Option("--bucket")] = "",
    ground: Annotated[Ground, typer.Option("--ground")] = Ground.REQUEST,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
) -> int:
    """Destroys the keys of one subject, or of one class and month; 1 when nothing is destroyed."""
    from emanet.api.crypto.v1.keys_pb2 import DestructionGround

    if bool(subject) == bool(bucket) or (bucket and len(retention_class) != 1):
        raise CommandError("subject_or_bucket")
    with session.admin() as admin:
        if bucket:
            found = admin.keys.destroy_bucket(retention_class[0], bucket, validate_only=dry_run)
        else:
            found = admin.keys.destroy_subject(
                subject,
                ground=DestructionGround.Value(_GROUNDS[ground]),
                retention_classes=retention_class,
                validate_only=dry_run,
            )
    _show(session, found, is_plan=dry_run)
    is_destroyed = any(_outcome(item) == "destroyed" for item in found.items)
    return 0 if is_destroyed else 1


def show(
    session: Session,
    name: Annotated[str, typer.Argument()],
    receipt: Annotated[Path | None, typer.Option("--receipt")] = None,
) -> int:
    """Shows a destruction and, when it is done, writes its receipt."""
    with session.admin() as admin:
        found = admin.keys.destruction(name.rpartition("/")[2])
    if receipt is not None:
        if not found.receipt:
            raise CommandError("no_receipt", status=1)
        write_whole(receipt, found.receipt)
    _show(session, found, is_plan=False)
    return 0


def list_all(session: Session, limit: Annotated[int, typer.Option("--limit", min=1)] = 50) -> int:
    """Lists destructions, newest first."""
    with session.admin() as admin:
        found = list(admin.keys.destructions(limit=limit))
    session.answer([_as_json(each) for each in found])
    if not found:
        session.print(session.say("destruction.none"))
        return 0
    session.table(
        session.say("destruction.header").split("|"),
        [
            (
                each.name.rpartition("/")[2],
                session.say(f"destruction.{_state(each)}").partition(";")[0],
                local_time(each.request_time.ToDatetime(tzinfo=dt.UTC)),
                str(each.key_count),
            )
            for each in found
        ],
    )
    return 0


def _show(session: Session, found: Destruction, *, is_plan: bool) -> None:
    session.answer(_as_json(found))
    for item in found.items:
        session.print(f"  {_line(session, item)}")
    if any(_outcome(item) == "refused" and item.row for item in found.items):
        session.print(session.say("destruction.refused"))
    if is_plan:
        session.print(session.say("destruction.plan"))
        return
    session.print(session.say(f"destruction.{_state(found)}"))
    if found.HasField("unreadable_from"):
        moment = local_time(found.unreadable_from.ToDatetime(tzinfo=dt.UTC))
        session.print(
            session.say(f"destruction.unreadable.{found.evidence or 'declared'}", moment=moment)
        )
    if found.name:
        session.print(f"  emanet destruction show {found.name.rpartition('/')[2]}")


def _line(session: Session, item: DestructionItem) -> str:
    until = ""
    if item.HasField("until_time"):
        moment = item.until_time.ToDatetime(tzinfo=dt.UTC)
        until = session.say("outcome.until", moment=local_time(moment)[:10])
    why = " · ".join(part for part in (until, item.article, item.row) if part)
    shown = session.say(f"outcome.{_outcome(item)}")
    return f"{item.retention_class}: {shown}" + (f" ({why})" if why else "")


def _outcome(item: DestructionItem) -> str:
    from emanet.api.crypto.v1.resources_pb2 import DestructionOutcome

    return DestructionOutcome.Name(item.outcome).removeprefix("DESTRUCTION_OUTCOME_").lower()


def _state(found: Destruction) -> str:
    from emanet.api.crypto.v1.resources_pb2 import DestructionState

    return DestructionState.Name(found.state).removeprefix("DESTRUCTION_STATE_").lower()


def _as_json(found: Destruction) -> dict[str, object]:
    return {
        "name": found.name,
        "state": _state(found),
        "keys": found.key_count,
        "requested": iso_time(found.request_time.ToDatetime(tzinfo=dt.UTC)),
        "destroyed": iso_time(found.destroy_time.ToDatetime(tzinfo=dt.UTC)),
        "unreadable_from": iso_time(found.unreadable_from.ToDatetime(tzinfo=dt.UTC)),
        "evidence": found.evidence,
        "items": [
            {
                "class": item.retention_class,
                "outcome": _outcome(item),
                "until": iso_time(item.until_time.ToDatetime(tzinfo=dt.UTC)),
                "article": item.article,
                "row": item.row,
                "fields": list(item.fields),
            }
            for item in found.items
        ],
    }


COMMANDS = (
    Command("due", due, remote=True),
    Command("run", run, remote=True),
    Command("show", show, remote=True),
    Command("list", list_all, remote=True),
)
