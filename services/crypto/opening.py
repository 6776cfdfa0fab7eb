"""Opens single values: from envelope and keys to plaintext or mask, in memory, without any I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from emanet.api.access_audit.v1 import resources_pb2
from emanet.core.envelope import TEXT_PREFIX, Envelope, ValueType, parse_envelope
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import Act
from emanet.core.mask import HIDDEN, mask
from emanet.register.protection import RegisterView
from services.crypto.domain.binding import Binder
from services.crypto.keys import FoundPair, LostPair
from services.runtime.primitives import SealBrokenError, is_equal

__all__ = ["OpenedValue", "SealedItem", "Slot", "access_items", "open_slot", "parse_item"]

_TEXT_PREFIX = TEXT_PREFIX.encode()


class SealedItem(NamedTuple):
    """One value to open.

    Attributes:
        field: the field's slug.
        envelope: raw bytes, or the ASCII bytes of its text.
        record: the record's reference; empty = the subject.
        subject: only compared with the key's; empty = not compared.
    """

    field: str
    envelope: bytes
    record: str
    subject: str

    def __repr__(self) -> str:
        return f"SealedItem({self.field!r}, ...)"


class OpenedValue(NamedTuple):
    """A plaintext or its mask."""

    value_type: ValueType
    value: bytes

    def __repr__(self) -> str:
        return "OpenedValue(...)"


class Slot(NamedTuple):
    """One item after its keys were looked for."""

    item: SealedItem
    envelope: Envelope | None
    keys: FoundPair | LostPair


def parse_item(data: bytes) -> Envelope | None:
    """The envelope of raw bytes or of the ASCII bytes of its text; None when it is none."""
    try:
        if data.startswith(_TEXT_PREFIX):
            return parse_envelope(data.decode("ascii"))
        return parse_envelope(data)
    except (EmanetError, UnicodeDecodeError):
        return None


def access_items(slots: Sequence[Slot]) -> list[resources_pb2.AccessItem]:
    """What access_audit is asked about: fields, subjects and buckets with their counts, in order.

    The counts add up to the number of slots; see the operation's module for lost values.
    """
    counts: dict[tuple[str, str, str], int] = {}
    first: dict[str, tuple[str, str, str]] = {}
    unopened: list[str] = []
    for item, _, keys in slots:
        if isinstance(keys, FoundPair):
            key = (item.field, keys.name.subject, keys.name.bucket)
        elif keys.subject:
            key = (item.field, keys.subject, "")
        else:
            unopened.append(item.field)
            continue
        first.setdefault(item.field, key)
        counts[key] = counts.get(key, 0) + 1
    for field in unopened:
        key = first.get(field, (field, "", ""))
        counts[key] = counts.get(key, 0) + 1
    return [
        resources_pb2.AccessItem(field=field, subject=subject, bucket=bucket, count=count)
        for (field, subject, bucket), count in counts.items()
    ]


def open_slot(
    slot: Slot, binder: Binder, view: RegisterView, act: Act
) -> OpenedValue | EmanetError:
    """The value or its mask; else why not, the same error whatever is wrong inside an envelope."""
    item, envelope, keys = slot
    if isinstance(keys, LostPair):
        return keys.problem
    rule = view.fields.get(item.field)
    opened = None
    if envelope is not None and (not item.subject or item.subject == keys.name.subject):
        is_subject_bound = rule is not None and rule.binds_subject
        record = "" if is_subject_bound else item.record or keys.name.subject
        opened = _opened(envelope, keys, binder=binder, item=item, record=record)
    if opened is None:
        return error(Reason.ENVELOPE_INVALID)
    if act is not Act.READ_MASKED:
        return opened
    return _masked(opened, "" if rule is None else rule.data_type)


def _opened(
    envelope: Envelope, keys: FoundPair, *, binder: Binder, item: SealedItem, record: str
) -> OpenedValue | None:
    pair = keys.pair()
    if not is_equal(envelope.commitment, pair.commitment):
        return None
    head = envelope.header
    for value_type in (ValueType.TEXT, ValueType.BYTES):
        bound = binder.bind(head, field=item.field, record=record, value_type=value_type)
        try:
            return OpenedValue(value_type, pair.cipher.open(envelope.nonce, envelope.sealed, bound))
        except SealBrokenError:
            continue
    return None


def _masked(opened: OpenedValue, data_type: str) -> OpenedValue:
    text = HIDDEN
    if opened.value_type is ValueType.TEXT:
        text = mask(data_type, opened.value.decode())
    return OpenedValue(ValueType.TEXT, text.encode())
