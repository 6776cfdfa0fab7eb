"""One database per service: SQLite for one process, PostgreSQL for many; the same contract.

Synchronous SQLAlchemy Core on threads. An operation owns its transaction::

    result = await database.write(lambda connection: storage.put(connection, row))

`read` sees one committed snapshot and cannot write. `write` is one serial writer on SQLite
(BEGIN IMMEDIATE) and READ COMMITTED on PostgreSQL, where `SELECT … FOR UPDATE` orders writers;
SQLAlchemy leaves that clause out on SQLite, so one text serves both. Work functions may run more
than once: they must touch nothing but their connection and their return value.
"""

from __future__ import annotations

import asyncio
import contextvars
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from emanet.core.errors import EmanetError, Reason, error

__all__ = ["Database", "Dialect"]

Dialect = Literal["sqlite", "postgresql"]
_T = TypeVar("_T")

_BUSY_TIMEOUT_MS = 10_000
_POOL_TIMEOUT_S = 10.0
_CONFLICT_ATTEMPTS = 5
_RETRYABLE_SQLSTATES = frozenset({"40001", "40P01"})
"""serialization_failure and deadlock_detected (PostgreSQL documentation, appendix A)."""


_UNAVAILABLE_SQLSTATES = ("08", "53", "57P", "58")
"""Connection, insufficient resources, operator intervention and system errors (same appendix)."""

_SQLITE_UNAVAILABLE = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_IOERR",
    "SQLITE_FULL",
    "SQLITE_READONLY",
    "SQLITE_CANTOPEN",
)


class Database:
    """Reader and writer of one service's database; safe for use from several threads."""

    def __init__(
        self,
        *,
        reader: Engine,
        writer: Engine,
        threads: int,
        lock_fd: int | None = None,
        file: Path | None = None,
    ) -> None:
        """Use `open`; this takes parts that are already configured."""
        self._file = file
        self._inode = 0
        self._is_closed = False
        self._reader = reader
        self._writer = writer
        self._lock_fd = lock_fd
        self.dialect: Dialect = "sqlite" if writer.dialect.name == "sqlite" else "postgresql"
        self._read_threads = ThreadPoolExecutor(threads, thread_name_prefix="db-read")
        write_threads = 1 if self.dialect == "sqlite" else threads
        self._write_threads = ThreadPoolExecutor(write_threads, thread_name_prefix="db-write")

    @classmethod
    def open(cls, url: str, *, pool_size: int = 8, prepare_threshold: int | None = 5) -> Database:
        """Opens the database; on SQLite takes the exclusive lock of its file.

        Args:
            url: `sqlite:////absolute/path` or `postgresql+psycopg://…` (libpq's multi-host form
                works: `?host=a:1&host=b:2&target_session_attrs=read-write`).
            pool_size: connections for reading, and for writing on PostgreSQL.
            prepare_threshold: psycopg's; None never prepares (pgbouncer).

        Raises:
            StateError: DATABASE_IN_USE, another process holds the SQLite file; CONFIG_INVALID,
                the URL names another kind of database.
            UnavailableError: DATABASE_UNAVAILABLE, the file cannot be opened.
        """
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            return cls._open_sqlite(parsed, pool_size)
        if backend == "postgresql":
            return cls._open_postgresql(parsed, pool_size, prepare_threshold)
        raise error(Reason.CONFIG_INVALID, problem="the database is neither SQLite nor PostgreSQL")

    @classmethod
    def _open_sqlite(cls, url: URL, pool_size: int) -> Database:
        if not url.database or url.database == ":memory:":
            raise error(Reason.CONFIG_INVALID, problem="SQLite needs a file")
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock_fd = _locked(path.with_name(f"{path.name}.lock"))
        writer = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=_POOL_TIMEOUT_S,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "isolation_level": None},
        )
        reader = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_POOL_TIMEOUT_S,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "isolation_level": None},
        )
        event.listen(writer, "connect", _configure_sqlite_writer)
        event.listen(reader, "connect", _configure_sqlite_reader)
        event.listen(writer, "begin", _begin_immediate)
        event.listen(reader, "begin", _begin_deferred)
        database = cls(reader=reader, writer=writer, threads=pool_size, lock_fd=lock_fd, file=path)
        try:
            database.write_now(lambda _: None)
        except EmanetError:
            database.close()
            raise
        path.chmod(0o600)
        database._inode = path.stat().st_ino
        return database

    @classmethod
    def _open_postgresql(cls, url: URL, pool_size: int, prepare_threshold: int | None) -> Database:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=pool_size * 2,
            max_overflow=0,
            pool_timeout=_POOL_TIMEOUT_S,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args={
                "prepare_threshold": prepare_threshold,
                "connect_timeout": 5,
                "keepalives_idle": 10,
                "tcp_user_timeout": 10_000,
                "application_name": "emanet",
            },
        )
        reader = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        return cls(reader=reader, writer=engine, threads=pool_size)

    async def read(self, work: Callable[[Connection], _T]) -> _T:
        """Runs `read_now` on a reader thread."""
        return await _run(self._read_threads, lambda: self.read_now(work))

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """Runs `write_now` on a writer thread.

        A caller that is cancelled does not undo the transaction: it commits or rolls back alone.
        """
        return await _run(self._write_threads, lambda: self.write_now(work))

    def read_now(self, work: Callable[[Connection], _T]) -> _T:
        """Runs `work` in one read-only transaction over one committed snapshot.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE.
            EmanetError: whatever `work` raises.
        """
        return self._attempt(lambda: self._read_once(work))

    def write_now(self, work: Callable[[Connection], _T]) -> _T:
        """Runs `work` in one transaction and commits it durably; an exception rolls it back.

        Serialization failures and deadlocks run `work` again, up to five times in all; a lost
        connection runs it again once, but only when it broke before COMMIT was sent.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE; when COMMIT had been sent the outcome is not
                known, which is why every write has an idempotency key.
            EmanetError: whatever `work` raises.
        """
        return self._attempt(lambda: self._write_once(work))

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lends one writing connection without a transaction, for a committer's own thread.

        The caller begins and commits (`with connection.begin():`) and maps nothing: foreign
        errors come out as they are.
        """
        with self._writer.connect() as connection:
            yield connection

    def truncate_wal(self) -> None:
        """Folds SQLite's write-ahead log into the file and empties it; nothing on PostgreSQL.

        With `secure_delete` on, deleted bytes are then in neither file (sqlite.org/pragma.html).

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE, a reader kept the log from being emptied.
        """
        if self.dialect == "sqlite":
            self._attempt(self._truncate_once)

    def _truncate_once(self) -> None:
        with self._writer.connect() as connection:
            raw = connection.connection.driver_connection
            if raw is None or raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise error(Reason.DATABASE_UNAVAILABLE)

    def close(self) -> None:
        """Waits for work in flight, closes every connection and lets the lock go, for good."""
        self._is_closed = True
        self._read_threads.shutdown(wait=True)
        self._write_threads.shutdown(wait=True)
        self._reader.dispose()
        self._writer.dispose()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def verify_reachable(self) -> None:
        """Verifies for health that the database answers and that its file was not exchanged.

        SQLite goes on writing into a file that was moved away or replaced by a backup.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        if self._file is not None:
            try:
                inode = self._file.stat().st_ino
            except OSError:
                raise error(Reason.DATABASE_UNAVAILABLE) from None
            if inode != self._inode:
                raise error(Reason.DATABASE_UNAVAILABLE)
        self.read_now(lambda connection: connection.exec_driver_sql("SELECT 1").one())

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations only."""
        return self._writer

    def _read_once(self, work: Callable[[Connection], _T]) -> _T:
        with self._reader.connect() as connection, connection.begin():
            return work(connection)

    def _write_once(self, work: Callable[[Connection], _T]) -> _T:
        with self._writer.connect() as connection:
            transaction = connection.begin()
            try:
                result = work(connection)
            except BaseException:
                transaction.rollback()
                raise
            try:
                transaction.commit()
            except DBAPIError as exc:
                if _is_conflict(exc):
                    raise
                raise error(Reason.DATABASE_UNAVAILABLE) from exc
            return result

    def _attempt(self, once: Callable[[], _T]) -> _T:
        if self._is_closed:
            raise error(Reason.DATABASE_UNAVAILABLE)
        reconnects = 0
        for attempt in range(1, _CONFLICT_ATTEMPTS + 1):
            try:
                return once()
            except PoolTimeoutError as exc:
                raise error(Reason.DATABASE_UNAVAILABLE) from exc
            except DBAPIError as exc:
                if _is_conflict(exc) and attempt < _CONFLICT_ATTEMPTS:
                    continue
                if exc.connection_invalidated and not reconnects:
                    reconnects = 1
                    continue
                if _is_unavailable(exc):
                    raise error(Reason.DATABASE_UNAVAILABLE) from exc
                raise
        raise error(Reason.DATABASE_UNAVAILABLE)


async def _run(threads: ThreadPoolExecutor, work: Callable[[], _T]) -> _T:
    context = contextvars.copy_context()
    try:
        future = asyncio.get_running_loop().run_in_executor(threads, lambda: context.run(work))
    except RuntimeError:
        # the threads are gone: the server has stopped
        raise error(Reason.DATABASE_UNAVAILABLE) from None
    return await future


def _is_conflict(exc: DBAPIError) -> bool:
    return getattr(exc.orig, "sqlstate", None) in _RETRYABLE_SQLSTATES


def _is_unavailable(exc: DBAPIError) -> bool:
    """Tells a database that cannot serve now from a statement that is wrong."""
    if exc.connection_invalidated:
        return True
    name = getattr(exc.orig, "sqlite_errorname", None)
    if name is not None:
        return str(name).startswith(_SQLITE_UNAVAILABLE)
    if not isinstance(exc, OperationalError | InterfaceError):
        return False
    state = getattr(exc.orig, "sqlstate", None)
    return state is None or str(state).startswith(_UNAVAILABLE_SQLSTATES)


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise error(Reason.DATABASE_IN_USE) from None
    return descriptor


def _configure_sqlite_writer(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA foreign_keys=ON")


def _configure_sqlite_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only=ON")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
