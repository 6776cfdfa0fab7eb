"""The database of crypto: migrations from empty, drift, and what the schema itself refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from emanet.core.ids import parse_uuid7
from services.crypto.tables import (
    key_counters,
    key_rows,
    metadata,
    organizations,
    register_versions,
    rotations,
)
from services.runtime.database import Database
from services.runtime.migrate import find_drift, has_pending, upgrade
from tests.fakes.crypto_world import MIGRATIONS, World


async def test_the_migrations_build_exactly_the_tables_of_the_code(
    database_url: str, tmp_path: Path
) -> None:
    """From an empty database, no difference is left."""
    async with World(database_url, tmp_path).replica(()) as replica:
        assert find_drift(replica.database, metadata) == ()
        assert not has_pending(replica.database, MIGRATIONS)


async def test_the_schema_refuses_what_may_never_happen(database_url: str, tmp_path: Path) -> None:
    """Rows, counters and register copies are never deleted; tombstones and copies are final."""
    async with World(database_url, tmp_path).replica() as replica:
        forbidden = (
            delete(key_rows),
            delete(key_counters),
            update(key_counters).values(counter=key_counters.c.counter - 1),
            update(register_versions).values(effective=0),
            delete(register_versions),
            update(key_rows).values(state="destroyed"),
            update(key_rows).values(wrapped=None),
        )
        for statement in forbidden:
            with pytest.raises(DBAPIError):
                replica.database.write_now(lambda c, s=statement: c.execute(s))


def test_rotations_from_before_their_leaves_get_one_each(database_url: str, tmp_path: Path) -> None:
    """The migration draws the ids; nothing else of the rotation changes."""
    older = tmp_path / "older" / "versions"
    older.mkdir(parents=True)
    shutil.copy(MIGRATIONS / "versions" / "0001_keys.py", older)
    before = {"new_epoch": 2, "started": 1, "finished": 2, "evidence": b"e" * 32}
    database = Database.open(database_url, pool_size=2)
    try:
        upgrade(database, older.parent)
        owner = {"organization": "cinar", "vkey": "v", "created": 1, "canary": b"c"}
        database.write_now(lambda c: c.execute(insert(organizations).values(owner)))
        for epoch in (1, 2):
            row = {"organization": "cinar", "old_epoch": epoch, **before}
            database.write_now(lambda c, row=row: c.execute(insert(rotations).values(row)))
        upgrade(database, MIGRATIONS)
        found = database.read_now(lambda c: c.execute(select(rotations)).mappings().all())
    finally:
        database.close()
    assert len({parse_uuid7(row["leaf"]) for row in found}) == 2
    for row in found:
        assert {**before, "receipt": None}.items() <= row.items()
