"""Nothing personal reaches a log line, whatever somebody hands to the logger."""

from __future__ import annotations

import errno
import importlib
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from emanet.core.errors import EmanetError, Reason
from services.runtime.errors import as_emanet_error, status_of
from services.runtime.gate import organization_in
from services.runtime.logs import configure_logging
from services.runtime.required import require_fields
from services.runtime.settings import LogLevel

PLANTED = "planted-Ayşe-Çınar"
IDENTIFIERS = (
    "10000000146",
    "ayse.cinar@example.com",
    "+90 532 123 45 67",
    "TR330006100519786457841326",
    "4111 1111 1111 1111",
    "192.168.10.24",
)
MODULES = [
    f"emanet.api.{service}.v1.{name}_pb2"
    for service, names in {
        "inventory": ("inventory", "resources"),
        "crypto": ("crypto", "keys"),
        "access_audit": ("access_audit", "log", "rules"),
    }.items()
    for name in names
]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """A configured log, put back afterwards."""
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    configure_logging(service="crypto", level=LogLevel.DEBUG, stream=stream)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.getLogger().handlers[:], level = before
    logging.getLogger().setLevel(level)


def filled(descriptor: Descriptor, depth: int = 4) -> Message:
    """A message whose every text and bytes field holds the planted value."""
    message = message_factory.GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if field.message_type is not None:
            if depth and not field.message_type.GetOptions().map_entry:
                inner = filled(field.message_type, depth - 1)
                if field.is_repeated:
                    getattr(message, field.name).append(inner)
                else:
                    getattr(message, field.name).CopyFrom(inner)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            is_bytes = field.type == FieldDescriptor.TYPE_BYTES
            value = PLANTED.encode() if is_bytes else PLANTED
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
    return message


def all_messages() -> Iterator[Message]:
    for module in MODULES:
        for descriptor in importlib.import_module(module).DESCRIPTOR.message_types_by_name.values():
            yield filled(descriptor)


def test_no_message_type_shows_its_values(lines: io.StringIO) -> None:
    """A message, its parts and its bytes are named by type, however deep they are handed over."""
    log = structlog.get_logger()
    count = 0
    for message in all_messages():
        count += 1
        log.info("message.seen", message=message, nested={"list": [message, (message,)]})
        log.info("message.seen", data=message.SerializeToString())
        for field, value in message.ListFields():
            if not isinstance(value, str):
                log.info("field.seen", value=value, name=field.name)
    assert count > 60
    assert PLANTED not in lines.getvalue()
    assert "planted" not in lines.getvalue()


def test_text_of_a_message_in_an_exception_stays_out(lines: io.StringIO) -> None:
    for message in all_messages():
        try:
            raise ValueError(str(message))
        except ValueError as exc:
            failure = as_emanet_error(exc)
        assert failure.reason is Reason.INTERNAL_ERROR
        assert "planted" not in f"{failure} {dict(failure.metadata)}"
    assert "planted" not in lines.getvalue()
    assert "builtins.ValueError" in lines.getvalue()


def test_refusals_of_any_message_hold_none_of_its_values() -> None:
    """What the gate says about a request names fields, never what was in them."""
    count = 0
    for message in all_messages():
        second = message.DESCRIPTOR.fields_by_number.get(2)
        if second is not None:
            message.ClearField(second.name)
        failures = []
        for look in (require_fields, lambda it: organization_in(it, "a.B/C")):
            try:
                look(message)
            except EmanetError as exc:
                failures.append(exc)
        for failure in failures:
            count += 1
            for language in ("tr-TR", "en"):
                status = status_of(failure, service="crypto", language=language)
                assert b"planted" not in status.SerializeToString()
            assert "planted" not in f"{failure} {failure!r}"
    assert count > 40


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_identifiers_are_scrubbed_wherever_they_stand(lines: io.StringIO, identifier: str) -> None:
    """Values, keys, event names, numbers, paths and bound context all pass the redactor."""
    structlog.contextvars.bind_contextvars(note=f"seen {identifier} here")
    log = structlog.get_logger()
    log.info(f"value.seen {identifier}", value=identifier, deep=[{identifier: (identifier,)}])
    log.info("path.seen", path=Path("/var") / f"{identifier.replace('/', '')}.txt")
    if identifier.isdecimal():
        log.info("number.seen", number=int(identifier))
    assert identifier not in lines.getvalue()
    assert len(lines.getvalue().splitlines()) >= 2


def test_records_of_libraries_lose_their_text(lines: io.StringIO) -> None:
    """A driver that prints a statement with its values gives logger and place only."""
    try:
        raise RuntimeError(PLANTED)
    except RuntimeError:
        logging.getLogger("psycopg").exception("statement failed: %s", PLANTED)
    (line,) = lines.getvalue().splitlines()
    event = json.loads(line)
    assert event["event"] == "library.logged"
    assert event["logger"] == "psycopg"
    assert event["types"] == ["RuntimeError"]
    assert "planted" not in line


def test_lines_are_json_with_time_level_service_and_context(lines: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(rpc="a.B/C", request_id="r")
    structlog.get_logger().warning("key.rotated", count=3, duration_ms=1.5, flag=True, nothing=None)
    event = json.loads(lines.getvalue())
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "key.rotated",
        "level": "warning",
        "service": "crypto",
        "rpc": "a.B/C",
        "request_id": "r",
        "count": 3,
        "duration_ms": 1.5,
        "flag": True,
        "nothing": None,
    }


def test_level_is_respected() -> None:
    stream = io.StringIO()
    configure_logging(service="crypto", level=LogLevel.WARNING, stream=stream)
    structlog.get_logger().info("state.changed")
    assert stream.getvalue() == ""
    structlog.reset_defaults()


class Full(io.StringIO):
    """A stream on a disk that is full for a while."""

    is_full = True

    def flush(self) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "no space left on device")


def test_a_line_that_cannot_be_written_is_lost_and_ends_nothing() -> None:
    """The thread that commits records logs too: a full disk must not end it."""
    stream = Full()
    configure_logging(service="crypto", level=LogLevel.DEBUG, stream=stream)
    structlog.get_logger().warning("disk.full")
    logging.getLogger("library").warning("full")
    stream.is_full = False
    structlog.get_logger().warning("disk.back")
    assert "disk.back" in stream.getvalue()
    structlog.reset_defaults()
