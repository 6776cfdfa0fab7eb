"""REQUIRED fields, read from the descriptors (google.api.field_behavior, AIP-203)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from emanet.core.errors import Reason, error

__all__ = ["find_missing", "require_fields"]

_MAX_FOUND = 20


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to look at in one message type."""

    present: tuple[str, ...]
    non_zero: tuple[str, ...]
    single: tuple[str, ...]
    repeated: tuple[str, ...]


def require_fields(message: Message) -> None:
    """Verifies that every REQUIRED field of the message and of those within it is filled.

    Raises:
        CallerError: REQUIRED_FIELD_MISSING, with the paths of the missing fields (at most 20).
    """
    if _are_filled((message,)):
        return
    raise error(
        Reason.REQUIRED_FIELD_MISSING,
        violations=tuple((path, "required") for path in find_missing(message)),
    )


def find_missing(message: Message) -> tuple[str, ...]:
    """Returns the paths of missing REQUIRED fields, `items[3].field`, at most 20.

    A scalar without presence is missing when it has its zero value, a repeated field when it is
    empty. Values of maps are not looked into.
    """
    found: list[str] = []
    for path in _missing_in(message, ""):
        found.append(path)
        if len(found) == _MAX_FOUND:
            break
    return tuple(found)


def _are_filled(messages: Sequence[Message]) -> bool:
    """Tells whether `find_missing` finds nothing in messages of one type.

    It looks at one field of all of them before the next one, so that a batch costs a few passes in
    C instead of a thousand walks, and names nothing.
    """
    if not messages:
        return True
    plan = _plan(messages[0].DESCRIPTOR)
    return (
        all(all(map(read, messages)) for read in map(_reader, plan.non_zero))
        and all(all(each.HasField(name) for each in messages) for name in plan.present)
        and all(_are_filled(_present(messages, name)) for name in plan.single)
        and all(
            _are_filled(list(chain.from_iterable(map(_reader(name), messages))))
            for name in plan.repeated
        )
    )


def _present(messages: Sequence[Message], name: str) -> list[Message]:
    return [getattr(each, name) for each in messages if each.HasField(name)]


def _missing_in(message: Message, prefix: str) -> Iterator[str]:
    plan = _plan(message.DESCRIPTOR)
    for name in plan.non_zero:
        if not getattr(message, name):
            yield f"{prefix}{name}"
    for name in plan.present:
        if not message.HasField(name):
            yield f"{prefix}{name}"
    for name in plan.single:
        if message.HasField(name):
            yield from _missing_in(getattr(message, name), f"{prefix}{name}.")
    for name in plan.repeated:
        for index, item in enumerate(getattr(message, name)):
            yield from _missing_in(item, f"{prefix}{name}[{index}].")


@cache
def _reader(name: str) -> Callable[[Message], Any]:
    return attrgetter(name)


@cache
def _plan(descriptor: Descriptor) -> _Plan:
    present: list[str] = []
    non_zero: list[str] = []
    single: list[str] = []
    repeated: list[str] = []
    for field in descriptor.fields:
        if _is_required(field):
            (present if field.has_presence else non_zero).append(field.name)
        inner = _inner_type(field)
        if inner is not None and _reaches_required(inner, frozenset()):
            (repeated if field.is_repeated else single).append(field.name)
    return _Plan(tuple(present), tuple(non_zero), tuple(single), tuple(repeated))


def _is_required(field: FieldDescriptor) -> bool:
    behaviors = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return field_behavior_pb2.REQUIRED in behaviors


def _inner_type(field: FieldDescriptor) -> Descriptor | None:
    inner = field.message_type
    return None if inner is None or inner.GetOptions().map_entry else inner


def _reaches_required(descriptor: Descriptor, seen: frozenset[str]) -> bool:
    """Tells whether a message type or one within it has a REQUIRED field; types may recur."""
    if descriptor.full_name in seen:
        return False
    below = seen | {descriptor.full_name}
    for field in descriptor.fields:
        inner = _inner_type(field)
        if _is_required(field) or (inner is not None and _reaches_required(inner, below)):
            return True
    return False
