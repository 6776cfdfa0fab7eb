"""SQLite without Emanet: a file beside the service's own, with the same settings and tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from bench.anchors import BATCH, TABLES, Copied, rate_now, time_now_ms

__all__ = ["SqliteAnchors", "sqlite_anchors"]


class SqliteAnchors:
    """`Anchors` of SQLite: one connection, because it has one writer."""

    single_name = "SQLite alone: one-row INSERTs, a commit each"
    bulk_name = "SQLite alone: INSERT of the same rows, a commit for 1000 records"

    def __init__(self, connection: sqlite3.Connection, copied: Copied) -> None:
        """Takes a connection to a database that has the tables."""
        self._connection = connection
        self._copied = copied
        self._payload = bytes(copied.leaf_bytes)
        self._inserts = {table: _insert(table, names) for table, names in copied.columns.items()}

    def single(self, *, seconds: float) -> float:
        """Rows per second, a commit each."""
        return rate_now(self._insert, seconds=seconds)

    def bulk(self, *, seconds: float) -> float:
        """Records per second, one commit for 1000."""
        return rate_now(self._insert_batch, seconds=seconds) * BATCH

    def single_ms(self, *, count: int) -> float:
        """p50 of one row with its commit."""
        return time_now_ms(self._insert, count=count)

    def _insert(self) -> None:
        self._connection.execute("INSERT INTO single (data) VALUES (?)", (self._payload,))

    def _insert_batch(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for table, rows in self._copied.next_rows().items():
            self._connection.executemany(self._inserts[table], rows)
        self._connection.execute("COMMIT")


def _insert(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"


@contextmanager
def sqlite_anchors(database: Path) -> Iterator[SqliteAnchors]:
    """Opens a second file in the folder of the service's database."""
    with (
        closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
        closing(
            sqlite3.connect(database.with_name("anchor.db"), isolation_level=None)
        ) as connection,
    ):

        def read(query: str) -> tuple[Sequence[str], list[tuple[object, ...]]]:
            cursor = source.execute(query)
            return [each[0] for each in cursor.description], cursor.fetchall()

        for setting in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {setting}")
        _, statements = read(
            "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL "
            f"AND tbl_name IN {TABLES} ORDER BY type DESC"
        )
        for (statement,) in statements:
            connection.execute(str(statement))
        connection.execute("CREATE TABLE single (idx INTEGER PRIMARY KEY, data BLOB NOT NULL)")
        yield SqliteAnchors(connection, Copied(read))
