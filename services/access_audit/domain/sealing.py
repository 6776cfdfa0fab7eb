"""Entries of a leaf: salted, hashed, and written as they are stored beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring

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
    shown: list[str] = []
    for position, (entry, salt_text) in enumerate(zip(entries, _texts(salts), strict=True)):
        salt = salts[position * SALT_BYTES : (position + 1) * SALT_BYTES]
        pair = f'"{entry.key}",{encode_basestring(entry.value)}]'
        hashes.append(sha256(b"\x02" + salt + f"[{pair}".encode()).digest())
        shown.append(f'["{salt_text}",{pair}')
    return SealedEntries(
        count=len(hashes), root=entries_root(hashes), data=f"[{','.join(shown)}]".encode()
    )


def _texts(salts: bytes) -> list[str]:
    """The base64url of each salt, by one call: 16 bytes and 2 zero bytes make 24 characters."""
    padded = b"".join(
        [salts[start : start + SALT_BYTES] + b"\0\0" for start in range(0, len(salts), SALT_BYTES)]
    )
    text = base64.urlsafe_b64encode(padded).decode()
    return [text[start : start + 22] for start in range(0, len(text), 24)]
