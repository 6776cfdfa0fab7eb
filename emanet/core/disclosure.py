"""A leaf's entries as they are stored and shown to an auditor (docs/formats/leaf.md, "Disclosure").

Canonical JSON: a list in the order of the entries, in which a shown entry is `[salt, key, value]`
(salt as base64url) and a withheld or erased one is its 32-byte hash (base64url). The list proves
what it shows against count and root in the leaf; it cannot prove that an entry was withheld rather
than erased.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from emanet.core import canonical
from emanet.core.encoding import b64url_decode, b64url_encode
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import MAX_ENTRIES, Entry, EntryKey
from emanet.core.merkle import HASH_BYTES, SALT_BYTES, entries_root

__all__ = [
    "DisclosedEntry",
    "ShownEntry",
    "WithheldEntry",
    "decode_disclosure",
    "encode_disclosure",
    "verify_disclosure",
]


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry in clear with its own 16 random bytes of salt."""

    salt: bytes
    entry: Entry

    def __post_init__(self) -> None:
        """Refuses a salt of another length with INVALID_FIELD."""
        if len(self.salt) != SALT_BYTES:
            raise error(Reason.INVALID_FIELD, violations=(("salt", "a salt is 16 bytes"),))

    @property
    def hash(self) -> bytes:
        """The entry hash."""
        return self.entry.hash(self.salt)


@dataclass(frozen=True, slots=True)
class WithheldEntry:
    """An entry of which only the hash is left or shown."""

    hash: bytes

    def __post_init__(self) -> None:
        """Refuses a hash of another length with INVALID_FIELD."""
        if len(self.hash) != HASH_BYTES:
            raise error(Reason.INVALID_FIELD, violations=(("hash", "a hash is 32 bytes"),))


DisclosedEntry = ShownEntry | WithheldEntry


def encode_disclosure(items: Sequence[DisclosedEntry]) -> bytes:
    """Writes the list; values checked themselves when they were built."""
    return canonical.write([_json_of(item) for item in items])


def decode_disclosure(data: bytes) -> tuple[DisclosedEntry, ...]:
    """Reads `encode_disclosure`; nothing is verified against a leaf yet.

    Raises:
        IntegrityError: LOG_CORRUPT for any other bytes or more than 8,192 entries.
    """
    try:
        value = canonical.decode(data)
        if not isinstance(value, list) or len(value) > MAX_ENTRIES:
            raise _corrupt()
        return tuple(_item_of(item) for item in value)
    except (EmanetError, ValueError) as cause:
        raise _corrupt() from cause


def verify_disclosure(
    items: Sequence[DisclosedEntry], *, entries: int, entries_root: bytes
) -> None:
    """Raises unless the list is the leaf's: its number of entries and their root.

    Raises:
        IntegrityError: LOG_CORRUPT when count or root differ.
    """
    if len(items) != entries or not hmac.compare_digest(_root(items), entries_root):
        raise _corrupt()


def _root(items: Sequence[DisclosedEntry]) -> bytes:
    return entries_root([item.hash for item in items])


def _json_of(item: DisclosedEntry) -> canonical.JsonValue:
    if isinstance(item, WithheldEntry):
        return b64url_encode(item.hash)
    return (b64url_encode(item.salt), item.entry.key.value, item.entry.value)


def _item_of(value: canonical.JsonValue) -> DisclosedEntry:
    if isinstance(value, str):
        return WithheldEntry(hash=b64url_decode(value))
    if not isinstance(value, list) or len(value) != 3:
        raise _corrupt()
    salt, key, text = value
    if not isinstance(salt, str) or not isinstance(key, str) or not isinstance(text, str):
        raise _corrupt()
    return ShownEntry(salt=b64url_decode(salt), entry=Entry(key=EntryKey(key), value=text))


def _corrupt() -> EmanetError:
    return error(Reason.LOG_CORRUPT, problem="entries do not fit their leaf")
