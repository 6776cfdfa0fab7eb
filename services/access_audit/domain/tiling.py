"""Which tiles become full when hashes are appended (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emanet.core.merkle import CompactRange
from emanet.core.tiles import WIDTH

__all__ = ["FullTile", "close_tiles"]


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that has its 256 hashes.

    Attributes:
        level: 0 for leaf hashes.
        n: position in its level.
        hashes: 256 times 32 bytes.
        root: of those hashes; one hash of the level above.
    """

    level: int
    n: int
    hashes: bytes
    root: bytes


def close_tiles(
    *, size: int, added: Sequence[bytes], tail: Callable[[int, int, int], Sequence[bytes]]
) -> tuple[FullTile, ...]:
    """The tiles that are full after leaf hashes were appended.

    Args:
        size: number of leaves before.
        added: the new leaf hashes, in order.
        tail: `tail(level, start, count)` returns hashes of a level that are stored already; called
            only where a tile becomes full.
    """
    closed: list[FullTile] = []
    level, hashes = 0, list(added)
    while hashes:
        first, present = divmod(size, WIDTH)
        if present + len(hashes) < WIDTH:
            break
        row = [*tail(level, size - present, present), *hashes] if present else hashes
        full = [
            _tile(level, first + offset, row[offset * WIDTH : (offset + 1) * WIDTH])
            for offset in range(len(row) // WIDTH)
        ]
        closed.extend(full)
        hashes = [tile.root for tile in full]
        level, size = level + 1, size // WIDTH
    return tuple(closed)


def _tile(level: int, n: int, hashes: Sequence[bytes]) -> FullTile:
    root = CompactRange().extend(hashes).root()
    return FullTile(level=level, n=n, hashes=b"".join(hashes), root=root)
