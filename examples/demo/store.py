"""The example application's own database: one SQLite file per organization, envelopes as BLOBs.

It has one table per collection of the register, with a column for each field that lies there.
Encrypted fields hold envelopes, fields of level none hold plain text; sealed and forbidden fields
have no column at all.
"""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from emanet.client import Emanet, Sealed, ToEncrypt, ToOpen
from emanet.register.values import BUILT_IN_SYSTEM, Level, Register, SystemKind
from examples.demo.houses import House, UnexpectedError
from examples.demo.people import GENERATORS, Customer, make_customer

__all__ = ["CUSTOMERS", "Column", "Store", "Table", "fill", "tables_of"]

CUSTOMERS = 500
# The breach of Webhosting A.Ş. (27.12.2020): so many records left in one go.
_INVOICES = 3_027
_OLDEST_DAYS = 25


@dataclass(frozen=True, slots=True)
class Column:
    """One field in one table."""

    name: str
    field: str
    data_type: str
    level: Level


@dataclass(frozen=True, slots=True)
class Table:
    """One collection of the register; `namespace` is whose values it holds, empty for nobody's."""

    name: str
    namespace: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, repr=False)
class _Value:
    column: Column
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class _Row:
    id: int
    subject: str
    values: tuple[_Value, ...]


def tables_of(register: Register) -> tuple[Table, ...]:
    """The tables of the databases that the register names, in its order."""
    found: dict[str, list[Column]] = {}
    for slug, field in register.fields.items():
        if field.level not in (Level.ENCRYPTED, Level.NONE):
            continue
        for place in field.locations:
            system = register.systems.get(place.system)
            if place.system == BUILT_IN_SYSTEM or system is None:
                continue
            if system.kind is SystemKind.DATABASE:
                collection, _, name = place.item.partition(".")
                column = Column(name, slug, field.type, field.level)
                found.setdefault(f"{place.system}_{collection}", []).append(column)
    return tuple(
        Table(name, _namespace(register, columns), tuple(columns))
        for name, columns in found.items()
    )


def _namespace(register: Register, columns: Sequence[Column]) -> str:
    if all(column.data_type == "anonim_istatistik" for column in columns):
        return ""
    of_audience = any(column.field.startswith("message.") for column in columns)
    return "audience" if of_audience and "audience" in register.namespaces else "customers"


class Store:
    """One organization's example database; reading is safe from several threads."""

    def __init__(self, path: Path, house: House) -> None:
        self.path = path
        self.house = house
        self.tables = tables_of(house.register)

    @cached_property
    def home(self) -> Mapping[str, tuple[Table, Column]]:
        """Where each field lies."""
        return {c.field: (t, c) for t in reversed(self.tables) for c in t.columns}

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """A connection of the caller's own: committed at the end and closed."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            yield connection

    def create(self) -> None:
        """Makes the tables."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.connect() as connection:
            for table in self.tables:
                own = "row_id INTEGER PRIMARY KEY, row_subject TEXT"
                columns = ", ".join(f'"{column.name}"' for column in table.columns)
                connection.execute(f'CREATE TABLE "{table.name}" ({own}, {columns})')

    def to_open(self, fields: Sequence[str], rows: Sequence[int]) -> list[ToOpen]:
        """The envelopes of some fields in some rows (ids count from 1 in each table)."""
        items = []
        with self.connect() as connection:
            for field in fields:
                table, column = self.home[field]
                marks = ", ".join("?" * len(rows))
                found = connection.execute(
                    f'SELECT row_id, row_subject, "{column.name}" FROM "{table.name}" '
                    f"WHERE row_id IN ({marks}) ORDER BY row_id",
                    list(rows),
                )
                items += [
                    ToOpen(field=field, envelope=data, subject=subject, record=_record(table, id_))
                    for id_, subject, data in found
                ]
        if len(items) != len(fields) * len(rows):
            raise UnexpectedError(f"{self.house.folder}: rows are missing")
        return items

    def subject_of(self, field: str, row: int) -> str:
        """Whose value lies in a row."""
        table, _ = self.home[field]
        return f"{table.namespace}/{(row - 1) % CUSTOMERS + 1}"

    def text_of(self, field: str, row: int) -> str:
        """The generated value of a field in a row, in clear."""
        table, column = self.home[field]
        customer = make_customer(self.house.id, (row - 1) % CUSTOMERS + 1)
        return _value(self.house, table, column, customer, row).text

    def count(self, table: str) -> int:
        """Number of rows in a table."""
        with self.connect() as connection:
            return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])

    def values(self) -> Iterator[tuple[Column, str, str]]:
        """Every generated value again: column, subject, text."""
        for table in self.tables:
            for row in _rows(self.house, table):
                for value in row.values:
                    yield value.column, row.subject, value.text


def fill(store: Store, client: Emanet, *, now: dt.datetime) -> int:
    """Encrypts what the register says and stores it; returns the number of envelopes."""
    store.create()
    envelopes = 0
    with store.connect() as connection:
        for table in store.tables:
            rows = list(_rows(store.house, table))
            items = [
                ToEncrypt(
                    field=value.column.field,
                    value=value.text,
                    subject=row.subject,
                    record=_record(table, row.id),
                    start=_start(store.house, row.id, now),
                )
                for row in rows
                for value in row.values
                if value.column.level is Level.ENCRYPTED
            ]
            sealed = iter(client.encrypt_many(items))
            envelopes += len(items)
            marks = ", ".join("?" * (2 + len(table.columns)))
            connection.executemany(
                f'INSERT INTO "{table.name}" VALUES ({marks})',
                ([row.id, row.subject, *(_stored(v, sealed) for v in row.values)] for row in rows),
            )
    return envelopes


def _stored(value: _Value, sealed: Iterator[Sealed | Exception]) -> bytes | str:
    if value.column.level is Level.NONE:
        return value.text
    result = next(sealed)
    if isinstance(result, Exception):
        raise result
    return result.envelope


def _rows(house: House, table: Table) -> Iterator[_Row]:
    is_invoices = house.folder == "hosting" and table.name == "panel_invoices"
    for id_ in range(1, (_INVOICES if is_invoices else CUSTOMERS) + 1):
        customer = make_customer(house.id, (id_ - 1) % CUSTOMERS + 1)
        yield _Row(
            id=id_,
            subject=f"{table.namespace}/{customer.number}" if table.namespace else "",
            values=tuple(_value(house, table, column, customer, id_) for column in table.columns),
        )


def _value(house: House, table: Table, column: Column, customer: Customer, id_: int) -> _Value:
    dice = random.Random(f"emanet-demo/{house.id}/{table.name}/{column.name}/{id_}")
    return _Value(column, GENERATORS[column.data_type](customer, dice))


def _start(house: House, id_: int, now: dt.datetime) -> dt.datetime:
    dice = random.Random(f"emanet-demo/{house.id}/start/{id_}")
    return now - dt.timedelta(days=dice.randint(0, _OLDEST_DAYS))


def _record(table: Table, id_: int) -> str:
    return f"{table.name}/{id_}"
