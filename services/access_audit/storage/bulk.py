"""Many rows at once, into one table or out of it: what every commit does, apart from the rest.

PostgreSQL takes many rows by COPY, which measured several times faster than INSERT; SQLite and
small batches take a prepared INSERT. Many keys are looked up by statements that go to the driver
as they are. Values do so too: text, bytes, integers, booleans and None.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, cast

import psycopg
from sqlalchemy import Column, Connection, Table

__all__ = ["Row", "find_many", "insert_many"]

Row = tuple[str | bytes | int | bool | None, ...]

_COPY_FROM = 20
"""Below so many rows the round trips of COPY cost more than they save."""

_MOST_KEYS = 2_000
"""Keys in one statement: well below the limit of either database."""


def insert_many(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Inserts rows whose values stand in the order of the table's columns."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _insert_postgresql(connection, table, rows)
    else:
        connection.exec_driver_sql(_insert_text(table, "?"), list(rows))


def find_many(
    connection: Connection,
    columns: Sequence[Column[Any]],
    *,
    organization: str,
    key: Column[Any],
    wanted: Sequence[bytes],
) -> Iterator[Sequence[Any]]:
    """An organization's rows whose key is among those wanted, in no particular order.

    Args:
        connection: to either database.
        columns: of one table; the values of a row, in their order.
        organization: whose rows.
        key: the column that is compared.
        wanted: any number of keys.
    """
    table, names = key.table.name, ", ".join(column.name for column in columns)
    query = f"SELECT {names} FROM {table} WHERE organization = "  # noqa: S608 (names of our own tables)
    for start in range(0, len(wanted), _MOST_KEYS):
        part = wanted[start : start + _MOST_KEYS]
        if connection.dialect.name == "postgresql":
            text, values = f"{query}%s AND {key.name} = ANY(%s)", (organization, list(part))
            yield from connection.exec_driver_sql(text, values)
        else:
            marks = ",".join("?" * len(part))
            text = f"{query}? AND {key.name} IN ({marks})"
            yield from connection.exec_driver_sql(text, (organization, *part))


def _insert_postgresql(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    raw = cast("psycopg.Connection[object]", connection.connection.driver_connection)
    with raw.cursor() as cursor:
        if len(rows) < _COPY_FROM:
            cursor.executemany(_insert_text(table, "%s").encode(), rows)
            return
        with cursor.copy(_copy_text(table).encode()) as copy:
            for row in rows:
                copy.write_row(row)


@cache
def _insert_text(table: Table, mark: str) -> str:
    marks = ", ".join(mark for _ in table.columns)
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks})"  # noqa: S608 (names of our own tables)


@cache
def _copy_text(table: Table) -> str:
    return f"COPY {table.name} ({_names(table)}) FROM STDIN"


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)
