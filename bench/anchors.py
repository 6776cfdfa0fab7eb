"""Anchors of the record bench: rows written to the same kind of database, without Emanet.

*Bulk* writes the very rows that the service has written (leaf, entries, indexes) into copies of
their tables, 1000 records a transaction. *Single* writes one row of a leaf's size a transaction.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from bench.measures import percentile

__all__ = ["BATCH", "TABLES", "Anchors", "Copied", "rate_now", "time_now_ms"]

BATCH = 1000
TABLES = ("leaves", "entries", "access", "access_subjects")
"""The tables that one record is in."""


class Anchors(Protocol):
    """What a database does without Emanet.

    Attributes:
        single_name, bulk_name: how they are called on the page.
    """

    single_name: str
    bulk_name: str

    def single(self, *, seconds: float) -> float:
        """Rows per second, a commit each."""

    def bulk(self, *, seconds: float) -> float:
        """Records per second, one commit for 1000."""

    def single_ms(self, *, count: int) -> float:
        """p50 of one row with its commit while nothing else happens, in milliseconds."""


class Copied:
    """The newest 1000 records, each time under the name of another organization.

    Attributes:
        columns: names by table.
        leaf_bytes: the mean size of a leaf.
    """

    def __init__(
        self, read: Callable[[str], tuple[Sequence[str], list[tuple[object, ...]]]]
    ) -> None:
        """Reads them; `read` runs a query and returns column names and rows."""
        _, ((last,),) = read("SELECT max(idx) FROM leaves")
        if not isinstance(last, int) or last < BATCH:
            raise ValueError("the service has not written enough records")
        self.columns: dict[str, Sequence[str]] = {}
        self._rows: dict[str, list[tuple[object, ...]]] = {}
        for table in TABLES:
            query = f"SELECT * FROM {table} WHERE idx > {last - BATCH}"
            self.columns[table], self._rows[table] = read(query)
        data = list(self.columns["leaves"]).index("data")
        sizes = [len(row[data]) for row in self._rows["leaves"]]  # type: ignore[arg-type]
        self.leaf_bytes = sum(sizes) // len(sizes)
        self._numbers = itertools.count(1)

    def next_rows(self) -> dict[str, list[tuple[object, ...]]]:
        """The records once more, by table, as nobody has written them before."""
        name = f"anchor-{next(self._numbers)}"
        found = {}
        for table in TABLES:
            place = list(self.columns[table]).index("organization")
            found[table] = [(*row[:place], name, *row[place + 1 :]) for row in self._rows[table]]
        return found


def rate_now(work: Callable[[], object], *, seconds: float) -> float:
    """How often per second `work` is done, one after the other."""
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        work()
        count += 1
    return count / (time.perf_counter() - started)


def time_now_ms(work: Callable[[], object], *, count: int) -> float:
    """p50 of `work` in milliseconds."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return percentile(times, 0.5)
