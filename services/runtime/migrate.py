"""Schema of one service: alembic run from the program, and the stamp of its database.

A service's `migrations/versions/0001_*.py` define `revision`, `down_revision` and `upgrade()`;
there is no alembic.ini and no env.py. Migrations go forward only. The runtime's own table
`runtime_stamp` remembers mode and installation, so that dev and production data never mix.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    insert,
    inspect,
    select,
    text,
)

from emanet.core.errors import Reason, error
from services.runtime.database import Database
from services.runtime.settings import Mode, configuration_problem

__all__ = [
    "Stamp",
    "find_drift",
    "has_pending",
    "read_stamp",
    "require_stamp",
    "upgrade",
    "write_stamp",
]

_metadata = MetaData()
_stamp = Table(
    "runtime_stamp",
    _metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("mode", String(16), nullable=False),
    Column("installation", String(32), nullable=False),
    CheckConstraint("id = 1", name="runtime_stamp_single"),
)
_OWN_TABLES = frozenset({"runtime_stamp", "alembic_version"})
_LOCK_ID = 0x656D616E
"""Advisory lock of PostgreSQL: two processes that migrate wait for each other."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a database belongs to."""

    mode: Mode
    installation: str


def upgrade(database: Database, migrations: Path) -> None:
    """Brings the schema to the newest revision, in one transaction; nothing if it is there.

    Args:
        database: of the service.
        migrations: the folder that holds `versions/`.

    Raises:
        UnavailableError: DATABASE_UNAVAILABLE.
    """
    script = ScriptDirectory(migrations)

    def work(connection: Connection) -> None:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
        _metadata.create_all(connection)
        with EnvironmentContext(
            Config(),
            script,
            # alembic's own `upgrade` command is this call; it has no public name
            fn=lambda revision, _: script._upgrade_revs("head", revision),
            destination_rev="head",
        ) as environment:
            environment.configure(connection=connection, transactional_ddl=True)
            with environment.begin_transaction():
                environment.run_migrations()

    database.write_now(work)


def has_pending(database: Database, migrations: Path) -> bool:
    """Tells whether the schema is not at the newest revision that this program knows."""
    heads = set(ScriptDirectory(migrations).get_heads())

    def work(connection: Connection) -> bool:
        return set(MigrationContext.configure(connection).get_current_heads()) != heads

    return database.read_now(work)


def find_drift(database: Database, metadata: MetaData) -> tuple[str, ...]:
    """Returns the differences between the live schema and the tables of the code, for tests."""

    def is_ours(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
        return not (kind == "table" and name in _OWN_TABLES)

    def work(connection: Connection) -> tuple[str, ...]:
        context = MigrationContext.configure(
            connection, opts={"include_object": is_ours, "compare_type": True}
        )
        return tuple(str(item) for item in compare_metadata(context, metadata))

    return database.read_now(work)


def read_stamp(database: Database) -> Stamp | None:
    """Returns what the database belongs to; None when `init` has not finished on it."""

    def work(connection: Connection) -> Stamp | None:
        if not inspect(connection).has_table(_stamp.name):
            return None
        row = connection.execute(select(_stamp.c.mode, _stamp.c.installation)).one_or_none()
        return None if row is None else Stamp(mode=Mode(row.mode), installation=row.installation)

    return database.read_now(work)


def write_stamp(database: Database, stamp: Stamp) -> None:
    """Binds a new database to mode and installation for ever; the last step of `init`."""
    database.write_now(
        lambda connection: connection.execute(
            insert(_stamp).values(id=1, mode=stamp.mode.value, installation=stamp.installation)
        )
    )


def require_stamp(database: Database, expected: Stamp) -> None:
    """Verifies that the database belongs to this mode and installation.

    Raises:
        StateError: CONFIG_INVALID, it is not initialised or belongs to another installation;
            MODE_MISMATCH, it belongs to the other mode.
    """
    found = read_stamp(database)
    if found is None:
        raise configuration_problem("the database is not initialised; run init first")
    if found.mode is not expected.mode:
        raise error(Reason.MODE_MISMATCH, mode=found.mode.value)
    if found.installation != expected.installation:
        raise configuration_problem(f"the database belongs to installation {found.installation}")
