"""Recomputes a log's tree from its records, file by file, and compares it with every tile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from emanet.core.merkle import EMPTY_ROOT, HASH_BYTES
from emanet.core.tiles import ENTRIES, WIDTH, Tile
from emanet.verify.directory import LogDirectory, UnreadableFileError
from emanet.verify.faults import Fault, FaultKind

__all__ = ["MalformedBundleError", "TreeCheck", "read_bundles"]

_LENGTH_BYTES = 2


class MalformedBundleError(Exception):
    """A file of records cannot be read to its end; nothing behind it can be placed."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.path)


class TreeCheck:
    """The tree so far. Memory: one row of at most 256 hashes for each level."""

    def __init__(self, directory: LogDirectory) -> None:
        self._directory = directory
        self._rows: list[list[bytes]] = [[]]
        self._counts: list[int] = [0]
        self.mismatches: list[tuple[Tile, list[int]]] = []
        """Tiles that differ from the records, with the positions in them, lowest level first."""
        self.faults: list[Fault] = []

    def add(self, hashes: Sequence[bytes]) -> None:
        """Adds the leaf hashes of one file of records: 256, or fewer in the last one."""
        self._rows[0] = list(hashes)
        if len(hashes) == WIDTH:
            self._close_rows()

    def finish(self) -> bytes:
        """Compares the partial tiles and returns the root over every leaf hash added."""
        carry: bytes | None = None
        for level, row in enumerate(self._rows):
            if row:
                self._compare(level, row)
            items = row if carry is None else [*row, carry]
            carry = _root(items) if items else None
        return EMPTY_ROOT if carry is None else carry

    def _close_rows(self) -> None:
        """Passes the root of each full row on to the row above."""
        level = 0
        while level < len(self._rows) and len(self._rows[level]) == WIDTH:
            row = self._rows[level]
            self._compare(level, row)
            self._rows[level] = []
            self._counts[level] += 1
            if level + 1 == len(self._rows):
                self._rows.append([])
                self._counts.append(0)
            self._rows[level + 1].append(_root(row))
            level += 1

    def _compare(self, level: int, row: Sequence[bytes]) -> None:
        tile = Tile(level=level, index=self._counts[level], width=len(row))
        computed = b"".join(row)
        try:
            stored = self._directory.read_tile(tile)
        except UnreadableFileError as cause:
            kind = FaultKind.FILE_MISSING if cause.is_missing else FaultKind.FILE_MALFORMED
            self.faults.append(Fault(kind=kind, path=tile.path, detail="the tile cannot be read"))
            return
        if stored == computed:
            return
        if len(stored) != len(computed):
            self.faults.append(
                Fault(
                    kind=FaultKind.FILE_MALFORMED,
                    path=tile.path,
                    detail=f"{len(stored)} bytes instead of {len(computed)}",
                )
            )
            return
        size = HASH_BYTES
        positions = [i for i in range(len(row)) if stored[i * size : (i + 1) * size] != row[i]]
        self.mismatches.append((tile, positions))


def read_bundles(
    directory: LogDirectory, size: int
) -> Iterator[tuple[int, list[bytes], list[bytes]]]:
    """Reads the records file by file.

    Yields:
        (index of the first record, records, their leaf hashes), for up to 256 records.

    Raises:
        MalformedBundleError: a file is missing or does not hold exactly its records.
    """
    sha256 = hashlib.sha256
    for first in range(0, size, WIDTH):
        width = min(WIDTH, size - first)
        tile = Tile(level=ENTRIES, index=first // WIDTH, width=width)
        try:
            data = directory.read_tile(tile)
        except UnreadableFileError as cause:
            kind = FaultKind.FILE_MISSING if cause.is_missing else FaultKind.FILE_MALFORMED
            fault = Fault(kind=kind, record=first, path=tile.path, detail="records are not there")
            raise MalformedBundleError(fault) from cause
        leaves, is_whole = _split(data)
        if not is_whole or len(leaves) != width:
            raise MalformedBundleError(_malformed(directory, tile, leaves, first=first))
        yield first, leaves, [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def _split(data: bytes) -> tuple[list[bytes], bool]:
    leaves: list[bytes] = []
    append = leaves.append
    start, end = 0, len(data)
    while start < end:
        body = start + _LENGTH_BYTES
        stop = body + int.from_bytes(data[start:body], "big")
        if stop > end or body > end:
            return leaves, False
        append(data[body:stop])
        start = stop
    return leaves, True


def _malformed(
    directory: LogDirectory, tile: Tile, leaves: Sequence[bytes], *, first: int
) -> Fault:
    """Where the file stops being what was logged, as far as the hashes beside it tell."""
    try:
        level_zero = Tile(level=0, index=tile.index, width=tile.width)
        hashes = directory.read_tile(level_zero)
    except UnreadableFileError:
        hashes = b""
    place = min(len(leaves), tile.width - 1)
    for position, leaf in enumerate(leaves[: tile.width]):
        stored = hashes[position * HASH_BYTES : (position + 1) * HASH_BYTES]
        if stored and stored != hashlib.sha256(b"\x00" + leaf).digest():
            place = position
            break
    return Fault(
        kind=FaultKind.FILE_MALFORMED,
        record=first + place,
        path=tile.path,
        detail=f"{len(leaves)} whole records instead of {tile.width}, or bytes left over",
    )


def _root(hashes: Sequence[bytes]) -> bytes:
    """The RFC 6962 root over subtrees of one size of which the last may be smaller."""
    sha256 = hashlib.sha256
    level = list(hashes)
    while len(level) > 1:
        paired = [
            sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)
        ]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]
