"""C2SP tlog-tiles: which tiles a log of a given size has, their paths and their bytes.

A tile of level L ≥ 0 holds up to 256 hashes of complete subtrees of 256^L leaves, 32 bytes each,
from left to right. The entries tile N holds the leaves 256·N and following, each as uint16
big-endian length ‖ bytes. A partial tile (fewer than 256) is written for one size of the log only;
its name ends in `.p/<width>`. The index N is written in groups of three digits, all but the last
with an `x`: 1234067 is `x001/x234/067`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from emanet.core.errors import EmanetError, Reason, error
from emanet.core.merkle import HASH_BYTES, HashAt, node_hash

__all__ = [
    "ENTRIES",
    "HEIGHT",
    "WIDTH",
    "Tile",
    "decode_entries",
    "decode_hashes",
    "encode_entries",
    "encode_hashes",
    "format_index",
    "hash_reader",
    "parse_path",
    "tiles_of",
]

HEIGHT = 8
WIDTH = 256

# The level of entries tiles; tlog-tiles writes it as a word, not as a number.
ENTRIES = -1

_MAX_LEVEL = 63
_MAX_INDEX = 2**63
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?\Z"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """The place of one tile.

    Attributes:
        level: 0 to 63, or `ENTRIES`.
        index: 0-based position in its level.
        width: number of hashes or leaves, 1 to 256.
    """

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        """Refuses places that no log has with LOG_CORRUPT."""
        in_range = ENTRIES <= self.level <= _MAX_LEVEL and 0 <= self.index < _MAX_INDEX
        if not in_range or not 1 <= self.width <= WIDTH:
            raise _corrupt("there is no such tile")

    @property
    def path(self) -> str:
        """The tile's path below the export directory."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{format_index(self.index)}{partial}"


def format_index(index: int) -> str:
    """Writes an index in groups of three digits, every group but the last behind an `x`."""
    text = f"{index % 1000:03d}"
    while index >= 1000:
        index //= 1000
        text = f"x{index % 1000:03d}/{text}"
    return text


def parse_path(path: str) -> Tile:
    """Reads `Tile.path`.

    Raises:
        IntegrityError: LOG_CORRUPT for any text that `Tile.path` does not give.
    """
    match = _PATH.match(path)
    if not match:
        raise _corrupt("not the path of a tile")
    tile = Tile(
        level=ENTRIES if match["level"] == "entries" else int(match["level"]),
        index=int(match["index"].replace("x", "").replace("/", "")),
        width=int(match["width"] or WIDTH),
    )
    if tile.path != path:
        raise _corrupt("not the path of a tile")
    return tile


def tiles_of(size: int) -> Iterator[Tile]:
    """All tiles of a log of `size` leaves: entries tiles, then level 0 upwards, each by index.

    Partial tiles appear with the width that they have at exactly this size.
    """
    yield from _level_tiles(ENTRIES, size)
    level = 0
    while size:
        yield from _level_tiles(level, size)
        level += 1
        size //= WIDTH


def encode_hashes(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a tile of level 0 or above.

    Raises:
        IntegrityError: LOG_CORRUPT unless given 1 to 256 hashes of 32 bytes.
    """
    if not 1 <= len(hashes) <= WIDTH or any(len(each) != HASH_BYTES for each in hashes):
        raise _corrupt("a tile has 1 to 256 hashes of 32 bytes")
    return b"".join(hashes)


def decode_hashes(data: bytes, width: int) -> tuple[bytes, ...]:
    """The hashes of a tile that must hold exactly `width`.

    Raises:
        IntegrityError: LOG_CORRUPT when the length differs.
    """
    if len(data) != width * HASH_BYTES:
        raise _corrupt("a tile has another length")
    return tuple(data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES))


def encode_entries(leaves: Sequence[bytes]) -> bytes:
    """The bytes of an entries tile: uint16 big-endian length ‖ leaf, for each leaf.

    Raises:
        IntegrityError: LOG_CORRUPT unless given 1 to 256 leaves of at most 65,535 bytes.
    """
    if not 1 <= len(leaves) <= WIDTH or any(len(leaf) >= 2**16 for leaf in leaves):
        raise _corrupt("an entries tile has 1 to 256 leaves below 64 KiB")
    return b"".join([len(leaf).to_bytes(2, "big") + leaf for leaf in leaves])


def decode_entries(data: bytes, width: int) -> tuple[bytes, ...]:
    """The leaves of an entries tile that must hold exactly `width`.

    Raises:
        IntegrityError: LOG_CORRUPT when leaves are cut off, missing or too many.
    """
    leaves: list[bytes] = []
    offset = 0
    while offset < len(data):
        start = offset + 2
        offset = start + int.from_bytes(data[offset:start], "big")
        leaves.append(data[start:offset])
    if offset != len(data) or len(leaves) != width:
        raise _corrupt("an entries tile is cut off or has another number of leaves")
    return tuple(leaves)


def hash_reader(size: int, read: Callable[[Tile], bytes]) -> HashAt:
    """A function for `inclusion_proof` and `consistency_proof` that reads tiles.

    Args:
        size: the size of the log whose tiles are read.
        read: the bytes of a tile; called for every hash, so it should remember.

    Returns:
        `hash_at(level, index)` for complete subtrees; raises IntegrityError LOG_CORRUPT for a
        subtree that is not complete at `size` and for a tile of another length.
    """

    def hash_at(level: int, index: int) -> bytes:
        if (index + 1) << level > size:
            raise _corrupt("the log does not hold that subtree")
        tile_level, within = divmod(level, HEIGHT)
        first = index << within
        tile_index, start = divmod(first, WIDTH)
        present = size >> (HEIGHT * tile_level)
        tile = Tile(
            level=tile_level, index=tile_index, width=min(WIDTH, present - tile_index * WIDTH)
        )
        row = decode_hashes(read(tile), tile.width)[start : start + (1 << within)]
        while len(row) > 1:
            row = tuple(node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2))
        return row[0]

    return hash_at


def _level_tiles(level: int, count: int) -> Iterator[Tile]:
    full, rest = divmod(count, WIDTH)
    for index in range(full):
        yield Tile(level=level, index=index)
    if rest:
        yield Tile(level=level, index=full, width=rest)


def _corrupt(problem: str) -> EmanetError:
    return error(Reason.LOG_CORRUPT, problem=problem)
