"""Operational log: JSON lines on stderr, `event` = noun.verb, everything through the redactor.

Not the audit record. Personal data, keys, tokens and messages never enter it: the redactor
refuses what it cannot read as plain data and scrubs what looks like an identity number, card,
phone, e-mail, IBAN or IP address (KVKK art. 12).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from typing import TextIO, cast
from uuid import UUID

import structlog

from emanet.core.redact import scrub
from services.runtime.settings import LogLevel

__all__ = ["configure_logging", "redact_event"]

_LEVELS = {
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFO: logging.INFO,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
}
_MAX_DEPTH = 4
_MAX_TEXT_CHARS = 2_000
_VERBATIM = frozenset({"timestamp", "level", "error_id", "request_id", "rpc", "service"})
"""Written by the runtime itself; scrubbing would take digits out of ids and times."""


def configure_logging(*, service: str, level: LogLevel, stream: TextIO | None = None) -> None:
    """Sets up structlog and the standard library's logging for one process.

    Records of other libraries pass the same redactor, from level warning.

    Args:
        service: short name, in every line.
        level: the least level that is written.
        stream: where the lines go; standard error when omitted.
    """
    target = cast("TextIO", _Lossy(sys.stderr if stream is None else stream))
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_service(service),
    ]
    structlog.configure(
        processors=[*shared, redact_event, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _without_arguments],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact_event,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


class _Lossy:
    """A stream that loses lines rather than whoever writes them.

    A full disk, or a reader of the pipe that is gone, must not end a thread that holds records.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def redact_event(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Makes an event safe to write: plain data only, texts scrubbed, the rest named by type."""
    for key, value in event.items():
        if key not in _VERBATIM:
            event[key] = _plain(value, _MAX_DEPTH)
    return event


def _plain(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, Enum):
        return _plain(value.value, depth)
    if isinstance(value, int):
        text = str(value)
        return value if scrub(text) == text else "<redacted>"
    if isinstance(value, str):
        return scrub(value[:_MAX_TEXT_CHARS])
    if isinstance(value, UUID | datetime | date):
        return str(value)
    if isinstance(value, PurePath):
        return scrub(str(value))
    if depth and isinstance(value, Mapping):
        return {scrub(str(key)): _plain(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth - 1) for item in value]
    return f"<{type(value).__qualname__}>"


def _with_service(service: str) -> structlog.typing.Processor:
    def add(
        _logger: object, _method: str, event: MutableMapping[str, object]
    ) -> MutableMapping[str, object]:
        event["service"] = service
        return event

    return add


def _without_arguments(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Keeps a foreign record's logger and place, never its text: it may hold values."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["event"] = "library.logged"
        event["logger"] = record.name
        event["place"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[0] is not None:
            event["types"] = [record.exc_info[0].__qualname__]
    event.pop("exc_info", None)
    return event
