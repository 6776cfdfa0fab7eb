"""`emanet inventory approve|versions|diff|export`: what two persons agreed on, and its sheets."""

from __future__ import annotations

import datetime as dt
import sys
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from emanet.cli.arguments import iso_time, local_time, parse_digest, parse_time, write_whole
from emanet.cli.binding import Command
from emanet.cli.problems import CommandError
from emanet.cli.session import Session
from emanet.core.errors import Reason, error

if TYPE_CHECKING:
    from emanet.api.inventory.v1.resources_pb2 import RegisterVersion
    from emanet.client.admin import FetchedRegister
    from emanet.register.notice import ChangeNotice

__all__ = ["COMMANDS"]

_STATE_PREFIX = "VERSION_STATE_"


class View(StrEnum):
    """Which sheet is exported."""

    INVENTORY = "inventory"
    VERBIS = "verbis"


class SheetFormat(StrEnum):
    """Which file is exported."""

    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


def approve(
    session: Session,
    number: Annotated[int, typer.Argument(show_default=False)] = 0,
    digest: Annotated[str, typer.Option("--digest")] = "",
    effective: Annotated[str, typer.Option("--effective")] = "",
) -> int:
    """Shows what would be approved and, given its digest, approves it."""
    from emanet.cli.manifests import approved_before, submitted
    from emanet.register.notice import change_notice

    moment = parse_time(effective, name="effective")
    with session.admin() as admin:
        found = submitted(admin, number)
        if found is None:
            raise CommandError("nothing_submitted", status=1)
        before = approved_before(admin, found.snapshot.number)
        notice = change_notice(
            before, found.snapshot.register, effective=moment or dt.datetime.now(dt.UTC)
        )
        if not digest:
            _ask_for_digest(session, found, notice)
            return 2
        if parse_digest(digest) != found.digest:
            raise error(
                Reason.DIGEST_MISMATCH, resource=f"registerVersions/{found.snapshot.number}"
            )
        version = admin.inventory.approve(
            found.snapshot.number, digest_read=found.digest, effective=moment
        )
    session.answer(_version_as_json(version))
    session.print(
        _text_of(session, notice),
        session.say(
            "approve.done",
            number=version.number,
            effective=local_time(version.effective_time.ToDatetime(tzinfo=dt.UTC)),
        ),
    )
    return 0


def versions(session: Session) -> int:
    """Lists versions, newest first."""
    with session.admin() as admin:
        found = list(admin.inventory.versions())
    session.answer([_version_as_json(version) for version in found])
    if not found:
        session.print(session.say("versions.none"))
        return 0
    session.table(
        session.say("versions.header").split("|"),
        [
            (
                str(version.number),
                session.say(f"state.{_state_of(version).lower()}"),
                local_time(version.submit_time.ToDatetime(tzinfo=dt.UTC)),
                local_time(version.effective_time.ToDatetime(tzinfo=dt.UTC)),
                f"{version.author}, {version.approver or '-'}",
                version.digest.hex()[:8],
            )
            for version in found
        ],
    )
    return 0


def diff(
    session: Session,
    first: Annotated[str, typer.Argument(metavar="A")],
    second: Annotated[str, typer.Argument(metavar="B")],
    effective: Annotated[str, typer.Option("--effective")] = "",
) -> int:
    """Writes the notice of the change from one register to another."""
    from emanet.cli.manifests import DRAFT, read_register
    from emanet.register.notice import change_notice

    moment = parse_time(effective, name="effective") or dt.datetime.now(dt.UTC)
    is_remote = any(name == DRAFT or name.isdecimal() for name in (first, second))
    if is_remote:
        with session.admin() as admin:
            before, after = read_register(admin, first), read_register(admin, second)
    else:
        before, after = read_register(None, first), read_register(None, second)
    notice = change_notice(before, after, effective=moment)
    session.answer(_notice_as_json(notice))
    session.print(_text_of(session, notice))
    return 0


def export(
    session: Session,
    view: Annotated[View, typer.Option("--view")] = View.INVENTORY,
    sheet: Annotated[SheetFormat, typer.Option("--format")] = SheetFormat.XLSX,
    as_of: Annotated[str, typer.Option("--as-of")] = "",
    output: Annotated[str, typer.Option("--output")] = "",
) -> int:
    """Writes the Authority's inventory workbook or the VERBİS view of the register in effect."""
    from emanet.api.inventory.v1 import inventory_pb2

    moment = parse_time(as_of, name="as-of")
    if output == "-" and session.as_json:
        raise CommandError("two_answers")
    with session.admin() as admin:
        file = admin.inventory.export(
            view=inventory_pb2.ExportView.Value(f"EXPORT_VIEW_{view.name}"),
            file_format=inventory_pb2.ExportFormat.Value(f"EXPORT_FORMAT_{sheet.name}"),
            as_of=moment,
        )
    if output == "-":
        sys.stdout.buffer.write(file.content)
        return 0
    # The service suggests a name, never a place.
    target = Path(output or PurePosixPath(file.name).name)
    write_whole(target, file.content)
    session.answer({"file": str(target), "number": file.number, "sha256": file.digest.hex()})
    session.print(session.say("export.done", file=target, number=file.number))
    return 0


def show(session: Session, version: Annotated[str, typer.Argument()] = "") -> int:
    """Prints a register as a manifest: the one in effect, a version's, or the draft."""
    from emanet.cli.manifests import in_effect, read_register
    from emanet.register.manifest import dump_manifest
    from emanet.register.values import to_json

    with session.admin() as admin:
        if version:
            register = read_register(admin, version)
        else:
            found = in_effect(admin)
            if found is None:
                raise error(Reason.REGISTER_MISSING)
            register = found.snapshot.register
    session.answer(to_json(register))
    session.print(dump_manifest(register).rstrip("\n"))
    return 0


def _ask_for_digest(session: Session, found: FetchedRegister, notice: ChangeNotice) -> None:
    number, digest = found.snapshot.number, found.digest.hex()
    session.answer({"number": number, "digest": digest, "notice": _notice_as_json(notice)})
    session.print(
        _text_of(session, notice),
        session.say("approve.ask", number=number, author=found.version.author),
        f"  emanet inventory approve {number} \\",
        f"    --digest {digest}",
    )


def _text_of(session: Session, notice: ChangeNotice) -> str:
    return notice.tr if session.lang.value == "tr" else notice.en


def _notice_as_json(notice: ChangeNotice) -> dict[str, object]:
    deadline = notice.verbis_deadline
    return {
        "organization": notice.organization,
        "effective": iso_time(notice.effective),
        "changes": [
            {
                "act": change.act.value,
                "path": change.path,
                "old": change.old,
                "new": change.new,
                "concerns": list(change.concerns),
            }
            for change in notice.changes
        ],
        "verbis_changes": len(notice.verbis_changes),
        "verbis_deadline": deadline.isoformat() if deadline else "",
        "tr": notice.tr,
        "en": notice.en,
    }


def _state_of(version: RegisterVersion) -> str:
    from emanet.api.inventory.v1.resources_pb2 import VersionState

    return VersionState.Name(version.state).removeprefix(_STATE_PREFIX)


def _version_as_json(version: RegisterVersion) -> dict[str, object]:
    return {
        "number": version.number,
        "state": _state_of(version),
        "digest": version.digest.hex(),
        "submitted": iso_time(version.submit_time.ToDatetime(tzinfo=dt.UTC)),
        "approved": iso_time(version.approve_time.ToDatetime(tzinfo=dt.UTC)),
        "effective": iso_time(version.effective_time.ToDatetime(tzinfo=dt.UTC)),
        "author": version.author,
        "approver": version.approver,
    }


COMMANDS = (
    Command("approve", approve, remote=True),
    Command("versions", versions, remote=True),
    Command("diff", diff, remote=True),
    Command("export", export, remote=True),
    Command("show", show, remote=True),
)
