"""PostgreSQL without Emanet: copies of the service's tables in the service's own database."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from bench.anchors import BATCH, TABLES, Copied, rate_now, time_now_ms
from tests.postgres import PostgresServer, running_postgres

__all__ = ["PostgresAnchors", "durable_postgres", "postgres_anchors", "server_version"]

_CLIENTS = 32
_THREADS = 2
_DURABLE = ("shared_buffers=256MB", "max_wal_size=4GB")
_RATE = re.compile(r"^tps = ([0-9.]+) \(without initial", re.MULTILINE)


class PostgresAnchors:
    """`Anchors` of PostgreSQL: pgbench for single rows, COPY for many."""

    single_name = f"PostgreSQL alone: pgbench, one-row INSERTs from {_CLIENTS} connections"
    bulk_name = "PostgreSQL alone: COPY of the same rows, a commit for 1000 records"

    def __init__(
        self, url: str, connection: psycopg.Connection, *, pgbench: str, script: Path
    ) -> None:
        """Takes an autocommit connection to a database that has the copies, and its URL."""
        self._url = url
        self._connection = connection
        self._pgbench = pgbench
        self._script = script
        self._copied = Copied(self._read)
        self._insert_text = _insert(self._copied.leaf_bytes)
        script.write_text(self._insert_text + ";\n", encoding="ascii")

    def single(self, *, seconds: float) -> float:
        """Rows per second, a commit each; whole seconds, because pgbench counts in them."""
        command = [
            self._pgbench,
            *("--no-vacuum", "--protocol=prepared", f"--client={_CLIENTS}", f"--jobs={_THREADS}"),
            *(f"--time={max(round(seconds), 1)}", f"--file={self._script}"),
            self._url,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = _RATE.search(done.stdout)
        if found is None:
            raise RuntimeError(f"pgbench did not tell its rate: {done.stdout}")
        return float(found[1])

    def bulk(self, *, seconds: float) -> float:
        """Records per second, one commit for 1000."""
        return rate_now(self._copy_batch, seconds=seconds) * BATCH

    def single_ms(self, *, count: int) -> float:
        """p50 of one row with its commit."""
        return time_now_ms(
            lambda: self._connection.execute(self._insert_text, prepare=True), count=count
        )

    def _copy_batch(self) -> None:
        with self._connection.transaction():
            for table, rows in self._copied.next_rows().items():
                names = ", ".join(f'"{each}"' for each in self._copied.columns[table])
                with (
                    self._connection.cursor() as cursor,
                    cursor.copy(f"COPY bench_{table} ({names}) FROM STDIN") as copy,
                ):
                    for row in rows:
                        copy.write_row(row)

    def _read(self, query: str) -> tuple[Sequence[str], list[tuple[object, ...]]]:
        cursor = self._connection.execute(query)
        return [each.name for each in cursor.description or ()], cursor.fetchall()


@contextmanager
def durable_postgres() -> Iterator[PostgresServer]:
    """Runs a server that waits for the disk, or lends the given one if it does.

    Raises:
        PostgresMissingError: there is none to run.
        ValueError: the given one does not wait for the disk.
    """
    with running_postgres(_DURABLE) as server, _connected(_plain(server.url)) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if connection.execute(f"SHOW {setting}").fetchone() != ("on",):
                raise ValueError(f"{setting} is off: its numbers would mean nothing")
        yield server


def server_version(server: PostgresServer) -> str:
    """The version as the server tells it."""
    with _connected(_plain(server.url)) as connection:
        return str(connection.info.parameter_status("server_version"))


@contextmanager
def postgres_anchors(
    server: PostgresServer, *, database: str, folder: Path
) -> Iterator[PostgresAnchors]:
    """Makes the copies; they go with the database.

    Args:
        server: with the database.
        database: URL of the service's database.
        folder: for the script of pgbench.
    """
    url = _plain(database)
    with _connected(url) as connection:
        for table in TABLES:
            connection.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
        connection.execute("CREATE TABLE bench_single (idx bigserial PRIMARY KEY, data bytea)")
        yield PostgresAnchors(
            url, connection, pgbench=_pgbench(server), script=folder / "insert.sql"
        )


def _insert(size: int) -> str:
    return f"INSERT INTO bench_single (data) VALUES ('\\x{'61' * size}')"


def _pgbench(server: PostgresServer) -> str:
    beside = [
        Path(part).with_name("pgbench") for part in server.command if part.endswith("/postgres")
    ]
    for program in beside:
        if program.exists():
            return str(program)
    found = shutil.which("pgbench")
    if found is None:
        raise FileNotFoundError("pgbench is not on the path; it comes with PostgreSQL")
    return found


def _plain(url: object) -> str:
    """The URL as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)  # type: ignore[arg-type]


def _connected(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True)
