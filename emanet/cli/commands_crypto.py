"""`emanet crypto encrypt|decrypt`: one value from standard input."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from emanet.cli.arguments import parse_case, parse_time
from emanet.cli.binding import Command
from emanet.cli.problems import CommandError
from emanet.cli.session import Session

__all__ = ["COMMANDS"]

FieldOption = Annotated[str, typer.Option("--field")]
SubjectOption = Annotated[str, typer.Option("--subject")]
RecordOption = Annotated[str, typer.Option("--record")]


def encrypt(
    session: Session,
    data_field: FieldOption,
    subject: SubjectOption = "",
    record: RecordOption = "",
    start: Annotated[str, typer.Option("--start")] = "",
    keep_newline: Annotated[bool, typer.Option("--keep-newline")] = False,
) -> int:
    """Encrypts the text on standard input and prints its envelope."""
    from emanet.core.envelope import to_text

    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as cause:
        raise CommandError("stdin") from cause
    if not keep_newline:
        text = text.removesuffix("\n")
    moment = parse_time(start, name="start")
    em = session.facade()
    sealed = session.patiently(
        lambda: em.encrypt(subject=subject, values={data_field: text}, record=record, start=moment)
    )
    em.close()
    envelope = to_text(sealed[data_field].envelope)
    session.answer({"field": data_field, "envelope": envelope})
    session.print(envelope)
    return 0


def decrypt(
    session: Session,
    data_field: FieldOption,
    purpose: Annotated[str, typer.Option("--purpose")],
    case: Annotated[str, typer.Option("--case")] = "",
    subject: SubjectOption = "",
    record: RecordOption = "",
    masked: Annotated[bool, typer.Option("--masked")] = False,
) -> int:
    """Opens the envelope on standard input, after the access was allowed and recorded."""
    from emanet.client.reading import Case

    try:
        envelope = sys.stdin.buffer.read().decode("ascii").strip()
    except UnicodeDecodeError as cause:
        raise CommandError("stdin") from cause
    parsed = parse_case(case)
    token = session.staff_token()
    em = session.facade()
    with em.reading(
        purpose=purpose,
        staff_token=token,
        as_app=not token,
        case=Case(*parsed) if parsed else None,
    ):
        value = em.decrypt(
            data_field,
            envelope,
            subject=subject,
            record=record,
            action="read_masked" if masked else "decrypt",
        )
    em.close()
    if isinstance(value, bytes):
        sys.stdout.buffer.write(value)
        return 0
    session.answer({"field": data_field, "value": value})
    session.print(value)
    return 0


COMMANDS = (
    Command("encrypt", encrypt, remote=True),
    Command("decrypt", decrypt, remote=True),
)
