"""The database of crypto: migrations from empty, drift, and what the schema itself refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from services.crypto.tables import key_counters, key_rows, metadata, register_versions
from services.runtime.migrate import find_drift, has_pending
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
