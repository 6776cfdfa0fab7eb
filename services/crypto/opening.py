"""Opens single values: from envelope and keys to plaintext or mask, in memory, without any I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from emanet.core.envelope import (
    COMMITMENT,
    HEADER,
    NONCE,
    SEALED,
    TEXT_PREFIX,
    ValueType,
    is_envelope,
    parse_envelope,
)
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import Act
from emanet.core.mask import HIDDEN, mask
from emanet.register.protection import RegisterView
from services.crypto.audit import AskedItem
from services.crypto.domain.binding import Binder
from services.crypto.domain.keys import OpenedPair, Pair
from services.crypto.keys import LostPair
from services.runtime.primitives import SealBrokenError, is_equal

__all__ = ["OpenedValue", "Opener", "SealedItem", "asked_items", "read_envelope"]

_TEXT_PREFIX = TEXT_PREFIX.encode()
_TEXT_FIRST = (ValueType.TEXT, ValueType.BYTES)
_BYTES_FIRST = (ValueType.BYTES, ValueType.TEXT)


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


def read_envelope(data: bytes) -> bytes:
    """The raw envelope of raw bytes or of the ASCII bytes of its text; empty when it is none."""
    if is_envelope(data):
        return data
    if not data.startswith(_TEXT_PREFIX):
        return b""
    try:
        return b"".join(parse_envelope(data.decode("ascii")))
    except (EmanetError, UnicodeDecodeError):
        return b""


def asked_items(
    items: Iterable[SealedItem], keys: Iterable[Pair | OpenedPair | LostPair]
) -> list[AskedItem]:
    """What access_audit is asked about: fields, subjects and buckets with their counts, in order.

    The counts add up to the number of items; see the operation's module for lost values.
    """
    counts = Counter(
        [
            (item.field, each.name.subject, each.name.bucket)
            for item, each in zip(items, keys, strict=True)
        ]
    )
    for nobody in [key for key in counts if key[1:] == ("", "")]:
        count = counts.pop(nobody)
        counts[next((key for key in counts if key[0] == nobody[0]), nobody)] += count
    return [AskedItem(*key, count) for key, count in counts.items()]


class Opener:
    """Opens the values of one batch that access_audit has allowed."""

    def __init__(self, *, organization: str, view: RegisterView, act: Act) -> None:
        self._binder = Binder(organization)
        self._fields = view.fields
        self._is_masked = act is Act.READ_MASKED
        self._types: dict[str, tuple[ValueType, ValueType]] = {}

    def open(
        self, item: SealedItem, envelope: bytes, pair: Pair | LostPair
    ) -> OpenedValue | EmanetError:
        """The value or its mask; else why not, one error whatever is wrong inside an envelope."""
        if isinstance(pair, LostPair):
            return pair.problem
        owner = pair.name.subject
        if item.subject and item.subject != owner:
            return error(Reason.ENVELOPE_INVALID)
        if not is_equal(envelope[COMMITMENT], pair.commitment):
            return error(Reason.ENVELOPE_INVALID)
        rule = self._fields.get(item.field)
        is_subject_bound = rule is not None and rule.binds_subject
        record = "" if is_subject_bound else item.record or owner
        opened = self._opened(envelope, pair, field=item.field, record=record)
        if opened is None:
            return error(Reason.ENVELOPE_INVALID)
        if self._is_masked:
            return _masked(opened, "" if rule is None else rule.data_type)
        return opened

    def _opened(
        self, envelope: bytes, pair: Pair, *, field: str, record: str
    ) -> OpenedValue | None:
        head, nonce, sealed = envelope[HEADER], envelope[NONCE], envelope[SEALED]
        for value_type in self._types.get(field, _TEXT_FIRST):
            bound = self._binder.bind(head, field=field, record=record, value_type=value_type)
            try:
                value = pair.cipher.open(nonce, sealed, bound)
            except SealBrokenError:
                # The values of a field are mostly of one type: the next one is tried as the other.
                self._types[field] = _BYTES_FIRST if value_type is ValueType.TEXT else _TEXT_FIRST
                continue
            return OpenedValue(value_type, value)
        return None


def _masked(opened: OpenedValue, data_type: str) -> OpenedValue:
    text = HIDDEN
    if opened.value_type is ValueType.TEXT:
        text = mask(data_type, opened.value.decode())
    return OpenedValue(ValueType.TEXT, text.encode())
