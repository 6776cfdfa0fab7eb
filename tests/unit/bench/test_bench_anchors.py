"""The record bench's anchors write the rows of a service, each time as new ones."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bench.anchors import BATCH, TABLES
from bench.anchors_sqlite import sqlite_anchors


@pytest.fixture
def service_database(tmp_path: Path) -> Path:
    """A database with the four tables of a record, 1001 of them."""
    path = tmp_path / "access_audit.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in TABLES:
            connection.execute(
                f"CREATE TABLE {table} (organization TEXT, idx INTEGER, data BLOB, "
                "PRIMARY KEY (organization, idx))"
            )
            connection.executemany(
                f"INSERT INTO {table} VALUES ('terazi', ?, ?)",
                [(index, bytes(100)) for index in range(BATCH + 1)],
            )
        connection.execute("CREATE INDEX leaves_data ON leaves (data)")
    return path


def test_sqlite_anchor_writes_the_same_rows_as_new_ones(service_database: Path):
    """Each batch holds 1000 rows of every table, under keys that were not there before."""
    with sqlite_anchors(service_database) as anchors:
        anchors.bulk(seconds=0.001)
        anchors.bulk(seconds=0.001)
        assert anchors.single(seconds=0.001) > 0
        assert anchors.single_ms(count=1) > 0
    with closing(sqlite3.connect(service_database.with_name("anchor.db"))) as connection:
        for table in TABLES:
            (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            (names,) = connection.execute(
                f"SELECT count(DISTINCT organization) FROM {table}"
            ).fetchone()
            assert rows == names * BATCH
            assert names >= 2
        assert connection.execute("PRAGMA index_list(leaves)").fetchall()


def test_too_few_records_are_refused(tmp_path: Path):
    """An anchor over a handful of rows would compare nothing."""
    path = tmp_path / "access_audit.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE leaves (organization TEXT, idx INTEGER, data BLOB)")
    with pytest.raises(ValueError, match="enough"), sqlite_anchors(path):
        pass
