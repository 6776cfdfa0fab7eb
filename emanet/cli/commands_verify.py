"""`emanet verify log|receipt`: offline, with the verifier key alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emanet.cli.arguments import error_name, read_file
from emanet.cli.binding import Command
from emanet.cli.problems import CommandError
from emanet.cli.session import Session

if TYPE_CHECKING:
    from emanet.core.checkpoint import Vkey
    from emanet.verify import Fault

__all__ = ["COMMANDS"]

_FAULTS_SHOWN = 10

VkeyOption = Annotated[Path, typer.Option("--vkey")]


def log(
    session: Session,
    directory: Annotated[Path, typer.Argument()],
    vkey: VkeyOption,
    quick: Annotated[bool, typer.Option("--quick")] = False,
) -> int:
    """Verifies an exported log: signature, every tile, every record; 1 when it does not hold."""
    from emanet.verify import examine_log

    key = _read_vkey(vkey)
    if not directory.is_dir():
        why = "NOT_A_DIRECTORY" if directory.exists() else "ENOENT"
        raise CommandError("unread", file=directory, why=why)
    with session.progress(session.say("verify.progress")) as advance:
        report = examine_log(directory, key, quick=quick, progress=advance)
    checkpoint = report.checkpoint
    session.answer(
        {
            "holds": report.holds,
            "origin": key.name,
            "size": checkpoint.size if checkpoint else 0,
            "root": checkpoint.root.hex() if checkpoint else "",
            "records": dict(report.counts),
            "quick": quick,
            "faults": [_fault_as_json(fault) for fault in report.faults],
        }
    )
    session.print(key.name)
    if checkpoint is not None:
        session.print(session.say("verify.size", size=f"{checkpoint.size:,}"))
    if report.counts:
        session.print("  " + " · ".join(f"{name} {n:,}" for name, n in report.counts.items()))
    for fault in report.faults[:_FAULTS_SHOWN]:
        session.print(f"  {_describe(session, fault)}")
    if len(report.faults) > _FAULTS_SHOWN:
        more = len(report.faults) - _FAULTS_SHOWN
        session.print(f"  {session.say('verify.more', count=more)}")
    key_text = "verify.quick" if quick else "verify.holds"
    session.print(session.say(key_text if report.holds else "verify.broken"))
    return 0 if report.holds else 1


def receipt(
    session: Session,
    file: Annotated[Path, typer.Argument()],
    vkey: VkeyOption,
    leaf: Annotated[Path | None, typer.Option("--leaf")] = None,
    log: Annotated[Path | None, typer.Option("--log")] = None,
) -> int:
    """Verifies a receipt against its record, or against the log that holds it."""
    from emanet.core.leaf import Receipt
    from emanet.verify import verify_receipt
    from emanet.verify.destruction import is_destruction_receipt

    data, key = _read_bytes(file), _read_vkey(vkey)
    if is_destruction_receipt(data):
        return _destruction(session, data, key, log=log)
    if not _is_json(data):
        raise CommandError("not_receipt", file=file)
    if leaf is None and log is None:
        raise CommandError("leaf_or_log")
    evidence = verify_receipt(
        Receipt.from_bytes(data),
        key,
        leaf=None if leaf is None else _read_bytes(leaf),
        directory=log,
    )
    found = evidence.leaf
    kind = found.TYPE.value if found else ""
    session.answer(
        {
            "holds": True,
            "origin": evidence.checkpoint.origin,
            "index": evidence.index,
            "size": evidence.checkpoint.size,
            "in_log": evidence.is_in_log,
            "type": kind,
            "id": str(found.id) if found else "",
        }
    )
    session.print(
        evidence.checkpoint.origin,
        session.say("receipt.record", index=f"{evidence.index:,}", kind=kind),
        session.say("receipt.in_log" if evidence.is_in_log else "receipt.signed_only"),
    )
    return 0


def _destruction(session: Session, data: bytes, vkey: Vkey, *, log: Path | None) -> int:
    from emanet.verify import verify_destruction

    if log is None:
        raise CommandError("log_needed")
    found = verify_destruction(data, vkey, directory=log)
    session.answer(
        {
            "holds": True,
            "origin": vkey.name,
            "destruction": found.destruction,
            "classes": list(found.classes),
            "epoch": found.epoch,
            "epoch_record": found.epoch_log.index,
            "records": [each.index for each in found.log],
            "evidence": found.evidence,
        }
    )
    session.print(found.destruction)
    for name, each in zip(found.classes, found.log, strict=True):
        session.print(f"  {name}: {session.say('receipt.record', index=each.index, kind='key')}")
    session.print(
        session.say("receipt.epoch", epoch=found.epoch, index=f"{found.epoch_log.index:,}"),
        session.say("receipt.destroyed"),
        session.say(f"receipt.{found.evidence}"),
    )
    return 0


def _read_vkey(path: Path) -> Vkey:
    from emanet.core.checkpoint import parse_vkey
    from emanet.core.errors import EmanetError

    try:
        return parse_vkey(read_file(path))
    except EmanetError as cause:
        raise CommandError("not_vkey", file=path) from cause


def _is_json(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise CommandError("unread", file=path, why=error_name(cause)) from cause


def _describe(session: Session, fault: Fault) -> str:
    text = session.say(f"fault.{fault.kind.value}")
    record = "" if fault.record is None else f"{fault.record:,}"
    if fault.last is not None:
        return session.say("fault.in_records", first=record, last=f"{fault.last:,}", what=text)
    if fault.record is not None:
        return session.say("fault.in_record", record=record, what=text)
    return session.say("fault.in_file", path=fault.path, what=text) if fault.path else text


def _fault_as_json(fault: Fault) -> dict[str, object]:
    document: dict[str, object] = {"fault": fault.kind.value, "detail": fault.detail}
    if fault.record is not None:
        document["record"] = fault.record
    if fault.last is not None:
        document["last_record"] = fault.last
    if fault.path:
        document["path"] = fault.path
    return document


COMMANDS = (Command("log", log), Command("receipt", receipt))
