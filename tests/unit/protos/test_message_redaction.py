"""Promise P7 for every message type of the contract: a rendered message shows no personal data."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

import emanet.api
from emanet.core.redact import summary

PLANTED_TEXT = "10000000146"
PLANTED_BYTES = b"ay\xc5\x9fe@example.invalid"


def message_classes() -> Iterator[type[Message]]:
    for module in pkgutil.walk_packages(emanet.api.__path__, "emanet.api."):
        if not module.name.endswith("_pb2"):
            continue
        loaded = importlib.import_module(module.name)
        for name in loaded.DESCRIPTOR.message_types_by_name:
            yield getattr(loaded, name)


CLASSES = sorted(message_classes(), key=lambda cls: cls.DESCRIPTOR.full_name)


def plant(message: Message, depth: int = 0) -> int:
    """Fills every redacted field, at any depth, and returns how many."""
    planted = 0
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None:
            if field.message_type.GetOptions().map_entry or depth > 4:
                continue
            child = getattr(message, field.name)
            planted += plant(child.add() if field.is_repeated else child, depth + 1)
            if not field.is_repeated:
                child.SetInParent()
        elif field.GetOptions().debug_redact:
            value = PLANTED_BYTES if field.type == FieldDescriptor.TYPE_BYTES else PLANTED_TEXT
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
            planted += 1
    return planted


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.DESCRIPTOR.full_name)
def test_summary_never_shows_a_redacted_field(cls):
    """The one renderer honours debug_redact at every depth, which str() does not."""
    message = cls()
    plant(message)
    shown = summary(message)
    assert PLANTED_TEXT not in shown
    assert PLANTED_BYTES.decode() not in shown


def test_protobuf_itself_would_leak():
    """The reason for the rule that messages are never logged: str() prints redacted fields."""
    leaking = [cls for cls in CLASSES if plant(message := cls()) and PLANTED_TEXT in str(message)]
    assert leaking


PERSONAL = {
    "subject", "subjects", "data_subject", "person", "author", "approver", "assignees", "opener",
    "session", "host", "connection", "justification", "approver_token", "text", "data",
}  # fmt: skip


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.DESCRIPTOR.full_name)
def test_fields_with_personal_names_are_marked(cls):
    """A field whose name says that it holds personal data carries debug_redact."""
    unmarked = [
        field.full_name
        for field in cls.DESCRIPTOR.fields
        if field.name in PERSONAL
        and field.message_type is None
        and not field.GetOptions().debug_redact
    ]
    assert unmarked == []


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.DESCRIPTOR.full_name)
def test_server_log_never_shows_a_redacted_field(cls, capfd):
    """Even a message handed to the logger by mistake does not reach the log."""
    import structlog

    from services.runtime.logs import configure_logging
    from services.runtime.settings import LogLevel

    message = cls()
    plant(message)
    configure_logging(service="test", level=LogLevel.DEBUG)
    try:
        structlog.get_logger("test").info("message.received", request=message, again=str(message))
    finally:
        logging.getLogger().handlers.clear()
        structlog.reset_defaults()
    shown = "".join(capfd.readouterr())
    assert PLANTED_TEXT not in shown
    assert PLANTED_BYTES.decode() not in shown
