"""Reads what people write on the command line: times, cases, digests, files."""

from __future__ import annotations

import datetime as dt
import errno
from pathlib import Path
from zoneinfo import ZoneInfo

from emanet.cli.problems import CommandError

__all__ = [
    "ISTANBUL",
    "error_name",
    "iso_time",
    "local_time",
    "parse_case",
    "parse_digest",
    "parse_time",
    "read_file",
    "write_whole",
]

ISTANBUL = ZoneInfo("Europe/Istanbul")
_DIGEST_CHARACTERS = 64


def parse_time(text: str, *, name: str) -> dt.datetime | None:
    """Reads an ISO 8601 date or time; without a zone it is the time of Türkiye. Empty = None.

    Raises:
        CommandError: another form.
    """
    if not text:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as cause:
        forms = "2026-12-01, 2026-12-01T09:00, 2026-12-01T09:00+03:00"
        raise CommandError("value", name=f"--{name}", form=forms) from cause
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=ISTANBUL)


def parse_case(text: str) -> tuple[str, str] | None:
    """Reads `kind/ref`; empty = None.

    Raises:
        CommandError: another form.
    """
    if not text:
        return None
    kind, separator, ref = text.partition("/")
    if not separator or not kind or not ref:
        raise CommandError("value", name="--case", form="ticket/T-118")
    return kind, ref


def parse_digest(text: str) -> bytes:
    """Reads 64 hexadecimal digits.

    Raises:
        CommandError: another form.
    """
    problem = CommandError("value", name="--digest", form=f"{_DIGEST_CHARACTERS} × 0-9a-f")
    try:
        value = bytes.fromhex(text)
    except ValueError as cause:
        raise problem from cause
    if len(text) != _DIGEST_CHARACTERS:
        raise problem
    return value


def read_file(path: Path) -> str:
    """The text of a file.

    Raises:
        CommandError: it cannot be read, or is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as cause:
        raise CommandError("unread", file=path, why=error_name(cause)) from cause
    except UnicodeDecodeError as cause:
        raise CommandError("unread", file=path, why="UTF-8") from cause


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that nobody ever sees half of it.

    Raises:
        CommandError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as cause:
        raise CommandError("unwritten", file=path, why=error_name(cause)) from cause


def error_name(failure: OSError) -> str:
    """The system's short name of an error (`ENOENT`), which has words in both languages."""
    return errno.errorcode.get(failure.errno or 0, type(failure).__name__)


def local_time(moment: dt.datetime) -> str:
    """A time as people in Türkiye read it; empty for the zero time of an unset message."""
    if moment.timestamp() == 0:
        return ""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return f"{aware.astimezone(ISTANBUL):%Y-%m-%d %H:%M}"


def iso_time(moment: dt.datetime) -> str:
    """A time as programs read it: ISO 8601 in UTC; empty for the zero time."""
    if moment.timestamp() == 0:
        return ""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return aware.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
