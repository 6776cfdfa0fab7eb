"""Entries of a leaf: salted, hashed, and written as they are stored beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring

from emanet.core.encoding import b64url_encode
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
    hashes: list[bytes] = []
    shown: list[str] = []
    offset = 0
    for entry in entries:
        salt = salts[offset : offset + SALT_BYTES]
        offset += SALT_BYTES
        pair = f'"{entry.key.value}",{encode_basestring(entry.value)}]'
        hashes.append(hashlib.sha256(b"\x02" + salt + f"[{pair}".encode()).digest())
        shown.append(f'["{b64url_encode(salt)}",{pair}')
    return SealedEntries(
        count=len(hashes), root=entries_root(hashes), data=f"[{','.join(shown)}]".encode()
    )
