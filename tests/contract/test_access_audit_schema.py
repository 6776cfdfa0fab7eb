"""The schema: migrations and tables agree, from empty, and init refuses over data."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from emanet.core.checkpoint import Checkpoint
from emanet.core.errors import EmanetError, Reason
from services.access_audit.server import DEFINITION
from services.access_audit.signer import CheckpointFiles, LogKeys
from services.runtime.command import initialise, open_host
from services.runtime.database import Database
from services.runtime.migrate import find_drift, has_pending, upgrade
from tests.fakes.access_audit_world import ORGANIZATION, AuditWorld


def test_migrations_from_empty_give_the_tables(database_url: str) -> None:
    """No drift between alembic and the tables of the code, and running again changes nothing."""
    database = Database.open(database_url, pool_size=2)
    try:
        upgrade(database, DEFINITION.migrations)
        upgrade(database, DEFINITION.migrations)
        assert not has_pending(database, DEFINITION.migrations)
        assert find_drift(database, DEFINITION.metadata) == ()
    finally:
        database.close()


async def test_adding_an_organization_twice_is_refused(database_url: str, tmp_path: Path) -> None:
    """And init over data too; what is there stays as it is."""
    world = AuditWorld(database_url, tmp_path)
    await world.set_up()
    host = open_host(DEFINITION, world.settings(), clock=world.clock)
    try:
        with pytest.raises(EmanetError) as refused:
            await DEFINITION.add_organization(host, ORGANIZATION)
        assert refused.value.reason is Reason.ALREADY_INITIALISED
    finally:
        host.database.close()
    with pytest.raises(EmanetError) as refused:
        await asyncio.to_thread(initialise, DEFINITION, world.settings())
    assert refused.value.reason is Reason.ALREADY_INITIALISED


async def test_adding_resumes_where_it_was_interrupted(database_url: str, tmp_path: Path) -> None:
    """The control row comes last: what was made before it is taken as it is."""
    world = AuditWorld(database_url, tmp_path)
    await world.set_up(())
    host = open_host(DEFINITION, world.settings(), clock=world.clock)
    try:
        host.open_keyring().create_organization(ORGANIZATION)
        await DEFINITION.add_organization(host, ORGANIZATION)
    finally:
        host.database.close()
    async with world.replica() as audit:
        assert (await audit.checkpoint()).size == 0


async def test_a_log_that_was_acknowledged_is_never_begun_again(
    database_url: str, tmp_path: Path
) -> None:
    """A lost database does not become a second history under the same key."""
    world = AuditWorld(database_url, tmp_path)
    await world.set_up(())
    host = open_host(DEFINITION, world.settings(), clock=world.clock)
    try:
        keys = LogKeys(host.read_key("log_seed"))
        files = CheckpointFiles(world.service_dir / "state", keys)
        origin = f"emanet-dev/test/{ORGANIZATION}/1"
        files.write(ORGANIZATION, keys.sign(Checkpoint(origin, 5, b"\x01" * 32)))
        files.close()
        with pytest.raises(EmanetError) as refused:
            await DEFINITION.add_organization(host, ORGANIZATION)
        assert refused.value.reason is Reason.LOG_BEHIND
    finally:
        host.database.close()


async def test_a_second_process_cannot_open_the_sqlite_file(tmp_path: Path) -> None:
    """The exclusive lock is taken at start."""
    world = AuditWorld(f"sqlite:///{tmp_path / 'db' / 'x.db'}", tmp_path)
    await world.set_up()
    async with world.replica():
        with pytest.raises(EmanetError) as refused:
            open_host(DEFINITION, world.settings(), clock=world.clock)
        assert refused.value.reason is Reason.DATABASE_IN_USE
