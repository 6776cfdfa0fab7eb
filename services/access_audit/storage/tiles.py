"""SQL of the log's full tiles (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from services.access_audit.storage.bulk import insert_many
from services.access_audit.storage.log import CHUNK, LogKey, of_log
from services.access_audit.tables import tiles

__all__ = ["TileRow", "insert_tiles", "read_tile", "read_tile_roots", "stream_tiles"]


@dataclass(frozen=True, slots=True)
class TileRow:
    """A full tile: 256 hashes of 32 bytes and their root."""

    level: int
    n: int
    hashes: bytes
    root: bytes


def insert_tiles(connection: Connection, log: LogKey, rows: Sequence[TileRow]) -> None:
    """Stores tiles that became full."""
    insert_many(
        connection,
        tiles,
        [
            (log.organization, log.generation, row.level, row.n, row.hashes, row.root)
            for row in rows
        ],
    )


def read_tile(connection: Connection, log: LogKey, *, level: int, n: int) -> bytes | None:
    """The hashes of a full tile; None while it is not full."""
    value = connection.execute(
        select(tiles.c.hashes).where(of_log(tiles, log), tiles.c.level == level, tiles.c.n == n)
    ).scalar_one_or_none()
    return None if value is None else bytes(value)


def read_tile_roots(
    connection: Connection, log: LogKey, *, level: int, start: int, count: int
) -> tuple[bytes, ...]:
    """The roots of up to `count` full tiles of a level from `start`: hashes of the level above."""
    rows = connection.execute(
        select(tiles.c.root)
        .where(
            of_log(tiles, log),
            tiles.c.level == level,
            tiles.c.n >= start,
            tiles.c.n < start + count,
        )
        .order_by(tiles.c.n)
        .limit(count)
    )
    return tuple(bytes(row.root) for row in rows)


def stream_tiles(connection: Connection, log: LogKey) -> Iterator[TileRow]:
    """Every full tile, by level and number."""
    count = connection.execute(
        select(func.count()).select_from(tiles).where(of_log(tiles, log))
    ).scalar_one()
    for offset in range(0, count, CHUNK):
        rows = connection.execute(
            select(tiles.c.level, tiles.c.n, tiles.c.hashes, tiles.c.root)
            .where(of_log(tiles, log))
            .order_by(tiles.c.level, tiles.c.n)
            .limit(CHUNK)
            .offset(offset)
        )
        for row in rows:
            yield TileRow(level=row.level, n=row.n, hashes=bytes(row.hashes), root=bytes(row.root))
