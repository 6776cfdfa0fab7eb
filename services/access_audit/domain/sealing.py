"""Entries of a leaf: salted, hashed, and written as they are stored beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emanet.core.disclosure import ShownEntry, encode_disclosure
from emanet.core.leaf import Entry
from emanet.core.merkle import SALT_BYTES, entries_root

__all__ = ["SealedEntries", "seal_entries"]


@dataclass(frozen=True, slots=True)
class SealedEntries:
    """What a leaf says of its entries, and what is stored.

    Attributes:
        count: number of entries.
        root: the root over their hashes.
        data: the list as FORMATS discloses it.
    """

    count: int
    root: bytes
    data: bytes


def seal_entries(entries: Sequence[Entry], *, salts: bytes) -> SealedEntries:
    """Seals entries in the order given.

    Args:
        entries: at most 8,192.
        salts: 16 random bytes for each entry, concatenated.
    """
    shown = [
        ShownEntry(salt=salts[start : start + SALT_BYTES], entry=entry)
        for start, entry in zip(
            range(0, len(entries) * SALT_BYTES, SALT_BYTES), entries, strict=True
        )
    ]
    return SealedEntries(
        count=len(shown),
        root=entries_root([item.hash for item in shown]),
        data=encode_disclosure(shown),
    )
