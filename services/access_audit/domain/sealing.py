"""Entries of a leaf: salted, hashed, and written as they are stored beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

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

    Writes by hand what `ShownEntry.hash` and `encode_disclosure` write, in a fifth of their time;
    a test holds both to the same bytes.

    Args:
        entries: at most 8,192.
        salts: 16 random bytes for each entry, concatenated.
    """
    sha256 = hashlib.sha256
    hashes: list[bytes] = []
    shown: list[bytes] = []
    for position, (entry, text) in enumerate(zip(entries, _texts(salts), strict=True)):
        salt = salts[position * SALT_BYTES : (position + 1) * SALT_BYTES]
        data = entry.data
        hashes.append(sha256(b"\x02" + salt + data).digest())
        shown.append(b'["' + text + b'",' + data[1:])
    return SealedEntries(
        count=len(hashes), root=entries_root(hashes), data=b"[" + b",".join(shown) + b"]"
    )


def _texts(salts: bytes) -> list[bytes]:
    """The base64url of each salt, by one call: 16 bytes and 2 zero bytes make 24 characters."""
    padded = b"".join(
        [salts[start : start + SALT_BYTES] + b"\0\0" for start in range(0, len(salts), SALT_BYTES)]
    )
    text = base64.urlsafe_b64encode(padded)
    return [text[start : start + 22] for start in range(0, len(text), 24)]
