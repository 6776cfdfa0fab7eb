"""REQUIRED fields, read from the descriptors as the services do (google.api.field_behavior)."""

from __future__ import annotations

from collections.abc import Iterator

from google.api import field_behavior_pb2
from google.protobuf.message import Message

from emanet.core.errors import Reason, error

__all__ = ["require_fields"]


def require_fields(message: Message) -> None:
    """Raises unless every REQUIRED field of the message and of those within it is filled.

    Raises:
        CallerError: REQUIRED_FIELD_MISSING with the paths of the missing fields.
    """
    missing = tuple(_missing(message, ""))
    if missing:
        raise error(
            Reason.REQUIRED_FIELD_MISSING,
            violations=tuple((path, "required") for path in missing),
        )


def _missing(message: Message, prefix: str) -> Iterator[str]:
    filled = {field.name for field, _ in message.ListFields()}
    for field in message.DESCRIPTOR.fields:
        behaviors = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
        if field.name not in filled and field_behavior_pb2.REQUIRED in behaviors:
            yield f"{prefix}{field.name}"
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        if isinstance(value, Message):
            yield from _missing(value, f"{prefix}{field.name}.")
        else:
            for index, item in enumerate(value):
                yield from _missing(item, f"{prefix}{field.name}[{index}].")
