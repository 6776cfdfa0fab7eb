"""The database contract, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from emanet.core.errors import EmanetError, Reason, StateError, UnavailableError, error
from services.runtime.database import Database
from tests.postgres import PostgresServer, connect, running_postgres, start_cluster

_metadata = MetaData()
_items = Table(
    "items",
    _metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", String, nullable=False),
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database.open(database_url, pool_size=4)
    opened.write_now(_metadata.create_all)
    yield opened
    opened.close()


def _put(connection: Connection, number: int, value: str = "a") -> None:
    connection.execute(insert(_items).values(id=number, value=value))


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(_items)).scalar_one()


def test_read_sees_what_write_committed(database: Database) -> None:
    database.write_now(lambda c: _put(c, 1))
    assert database.read_now(_count) == 1


def test_exception_in_work_rolls_everything_back(database: Database) -> None:
    def work(connection: Connection) -> None:
        _put(connection, 1)
        raise error(Reason.ETAG_MISMATCH)

    with pytest.raises(StateError):
        database.write_now(work)
    assert database.read_now(_count) == 0


def test_reader_cannot_write(database: Database) -> None:
    with pytest.raises((DBAPIError, UnavailableError)):
        database.read_now(lambda c: _put(c, 1))
    assert database.read_now(_count) == 0


def test_read_keeps_one_snapshot_while_a_write_commits(database: Database) -> None:
    def work(connection: Connection) -> tuple[int, int]:
        before = _count(connection)
        thread = threading.Thread(target=lambda: database.write_now(lambda c: _put(c, 1)))
        thread.start()
        thread.join()
        return before, _count(connection)

    assert database.read_now(work) == (0, 0)
    assert database.read_now(_count) == 1


def test_reader_does_not_wait_for_an_open_write(database: Database) -> None:
    def work(connection: Connection) -> int:
        _put(connection, 1)
        return database.read_now(_count)

    assert database.write_now(work) == 0


def test_concurrent_increments_lose_nothing(database: Database) -> None:
    """Read-modify-write under a row lock is serial on both engines."""
    database.write_now(lambda c: _put(c, 1, "0"))

    def increment(connection: Connection) -> None:
        query = select(_items.c.value).where(_items.c.id == 1).with_for_update()
        value = int(connection.execute(query).scalar_one())
        connection.execute(update(_items).where(_items.c.id == 1).values(value=str(value + 1)))

    async def run() -> None:
        await asyncio.gather(*(database.write(increment) for _ in range(40)))

    asyncio.run(run())
    stored = database.read_now(lambda c: c.execute(select(_items.c.value)).scalar_one())
    assert stored == "40"


def test_violated_constraint_is_not_hidden_as_unavailable(database: Database) -> None:
    database.write_now(lambda c: _put(c, 1))
    with pytest.raises(IntegrityError):
        database.write_now(lambda c: _put(c, 1))


def test_parameters_are_not_in_the_exception_text(database: Database) -> None:
    database.write_now(lambda c: _put(c, 1))
    with pytest.raises(IntegrityError) as raised:
        database.write_now(lambda c: _put(c, 1, "planted-10000000146"))
    assert "planted" not in str(raised.value)


def test_lent_connection_commits_in_its_own_transaction(database: Database) -> None:
    with database.connection() as connection, connection.begin():
        _put(connection, 7)
    assert database.read_now(_count) == 1


def test_wrong_statement_is_not_unavailable(database: Database) -> None:
    with pytest.raises(DBAPIError):
        database.read_now(lambda c: c.execute(text("SELECT * FROM no_such_table")))


def test_second_process_is_refused(tmp_path) -> None:
    """One process holds an SQLite database; another one gets DATABASE_IN_USE, then the file."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    program = (
        "from services.runtime.database import Database\n"
        "from emanet.core.errors import EmanetError\n"
        f"try: Database.open({url!r}).close()\n"
        "except EmanetError as exc: print(exc.reason.value)\n"
        "else: print('opened')\n"
    )

    def other_process() -> str:
        return subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()

    held = Database.open(url)
    assert other_process() == Reason.DATABASE_IN_USE.value
    held.close()
    assert other_process() == "opened"


def test_deleted_bytes_are_in_no_file_after_truncation(tmp_path) -> None:
    """secure_delete and a truncating checkpoint leave no copy of a deleted value on disk."""
    database = Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    database.write_now(_metadata.create_all)
    planted = "planted-value-" * 50
    database.write_now(lambda c: _put(c, 1, planted))
    database.truncate_wal()
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert any(planted.encode() in path.read_bytes() for path in files)
    database.write_now(lambda c: c.execute(_items.delete()))
    database.truncate_wal()
    for path in tmp_path.iterdir():
        assert b"planted-value" not in path.read_bytes()
    database.close()


def test_closed_database_serves_nothing(database_url: str) -> None:
    """After close the lock is gone: a late caller must not open the file again."""
    database = Database.open(database_url)
    database.close()
    with pytest.raises(UnavailableError):
        database.read_now(_count)
    with pytest.raises(UnavailableError):
        asyncio.run(database.write(lambda c: _put(c, 1)))


def test_truncation_that_a_reader_prevents_is_told(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are still in the write-ahead log are never taken for gone."""
    monkeypatch.setattr("services.runtime.database._BUSY_TIMEOUT_MS", 20)
    database = Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    database.write_now(_metadata.create_all)
    database.write_now(lambda c: _put(c, 1))

    def work(connection: Connection) -> Reason:
        _count(connection)
        database.write_now(lambda c: c.execute(_items.delete()))
        with pytest.raises(UnavailableError) as raised:
            database.truncate_wal()
        return raised.value.reason

    assert database.read_now(work) is Reason.DATABASE_UNAVAILABLE
    database.truncate_wal()
    database.close()


@pytest.mark.parametrize("url", ["mysql+pymysql://localhost/x", "sqlite://"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(EmanetError) as raised:
        Database.open(url)
    assert raised.value.reason is Reason.CONFIG_INVALID


@pytest.mark.postgres
def test_lost_connections_are_replaced_without_an_error(postgres_server: PostgresServer) -> None:
    """Idle connections that the server dropped cost a repetition, not a failure."""
    with postgres_server.database() as url:
        database = Database.open(url, pool_size=2)
        database.write_now(_metadata.create_all)
        _drop_connections(postgres_server, url)
        database.write_now(lambda c: _put(c, 1))
        _drop_connections(postgres_server, url)
        assert database.read_now(_count) == 1
        database.close()


@pytest.mark.postgres
def test_connection_lost_twice_is_unavailable(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url:
        database = Database.open(url, pool_size=2)
        database.write_now(_metadata.create_all)

        def work(connection: Connection) -> None:
            _drop_connections(postgres_server, url)
            _put(connection, 1)

        with pytest.raises(UnavailableError) as raised:
            database.write_now(work)
        assert raised.value.reason is Reason.DATABASE_UNAVAILABLE
        assert database.read_now(_count) == 0
        database.close()


@pytest.mark.postgres
def test_unreachable_server_is_unavailable() -> None:
    database = Database.open("postgresql+psycopg://postgres@/x?host=/nonexistent", pool_size=1)
    with pytest.raises(UnavailableError):
        database.read_now(_count)
    database.close()


@pytest.mark.postgres
def test_connection_lost_at_commit_is_not_run_again(postgres_server: PostgresServer) -> None:
    """When COMMIT had been sent nobody knows: the caller's idempotency key decides, not we."""
    with postgres_server.database() as url:
        database = Database.open(url, pool_size=2)
        database.write_now(_metadata.create_all)
        runs = []

        def work(connection: Connection) -> None:
            runs.append(1)
            _put(connection, len(runs))

        def drop(_: Connection) -> None:
            _drop_connections(postgres_server, url)

        event.listen(database.engine, "commit", drop, once=True)
        with pytest.raises(UnavailableError):
            database.write_now(work)
        assert len(runs) == 1
        database.close()


@pytest.mark.postgres
def test_killed_server_loses_nothing_acknowledged() -> None:
    """kill -9 of PostgreSQL under load: unavailable at once, complete after its restart."""
    with running_postgres() as server:
        if server.process is None:
            pytest.skip("a given server is not ours to kill")
        database = Database.open(server.url.render_as_string(hide_password=False), pool_size=2)
        database.write_now(_metadata.create_all)
        acknowledged: list[int] = []
        reached = threading.Event()

        def write_on() -> None:
            with suppress(UnavailableError):
                for number in range(1_000_000):
                    database.write_now(lambda c, number=number: _put(c, number))
                    acknowledged.append(number)
                    if number == 50:
                        reached.set()

        writer = threading.Thread(target=write_on)
        writer.start()
        reached.wait(timeout=30)
        server.process.kill()
        server.process.wait()
        writer.join(timeout=60)
        assert not writer.is_alive()
        with pytest.raises(UnavailableError):
            database.read_now(_count)
        server.process = start_cluster(server.command, server.url)
        ids = database.read_now(lambda c: c.execute(select(_items.c.id)).scalars().all())
        assert set(acknowledged) <= set(ids)
        assert len(ids) <= len(acknowledged) + 1
        database.close()


@pytest.mark.postgres
def test_deadlock_runs_the_work_again(postgres_server: PostgresServer) -> None:
    """Two transactions that lock two rows in opposite order both commit in the end."""
    with postgres_server.database() as url:
        database = Database.open(url, pool_size=2)
        database.write_now(_metadata.create_all)
        database.write_now(lambda c: (_put(c, 1, "0"), _put(c, 2, "0")))
        barrier = threading.Barrier(2, timeout=10)
        waited = threading.local()

        def swap(order: tuple[int, int]) -> None:
            def work(connection: Connection) -> None:
                for number in order:
                    connection.execute(
                        update(_items)
                        .where(_items.c.id == number)
                        .values(value=_items.c.value + "x")
                    )
                    if not getattr(waited, "done", False):
                        waited.done = True
                        barrier.wait()

            database.write_now(work)

        threads = [threading.Thread(target=swap, args=(order,)) for order in ((1, 2), (2, 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        values = database.read_now(lambda c: c.execute(select(_items.c.value)).scalars().all())
        assert list(values) == ["0xx", "0xx"]
        database.close()


def _drop_connections(server: PostgresServer, url: str) -> None:
    name = url.rpartition("/")[2].partition("?")[0]
    with connect(server.url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
