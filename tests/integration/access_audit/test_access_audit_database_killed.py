"""kill -9 of PostgreSQL itself under load: the service answers UNAVAILABLE and comes back alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from emanet.api.access_audit.v1 import access_audit_pb2
from emanet.core.errors import EmanetError, Reason, UnavailableError
from emanet.core.merkle import CompactRange, leaf_hash
from tests.fakes.access_audit_world import AuditReplica, AuditWorld
from tests.postgres import PostgresMissingError, PostgresServer, running_postgres, start_cluster

ROUNDS = 2


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A cluster of its own, since it is going to be killed."""
    try:
        with running_postgres() as server:
            if server.process is None:
                pytest.skip("a given server is not killed")
            yield server
    except PostgresMissingError as missing:
        pytest.skip(str(missing))


async def _caller(
    audit: AuditReplica, answered: dict[str, access_audit_pb2.CheckAccessResponse]
) -> EmanetError:
    """Reads until the database is gone; tells how that showed."""
    while True:
        attempt = audit.new_id()
        try:
            answered[attempt] = await audit.check(attempt_id=attempt)
        except UnavailableError as gone:
            return gone


def _restarted(server: PostgresServer) -> None:
    """Starts the cluster again; its orphans need a moment to let the data folder go."""
    for _ in range(50):
        try:
            server.process = start_cluster(server.command, server.url)
        except psycopg.OperationalError:
            continue
        return
    pytest.fail("PostgreSQL did not come back")


@pytest.mark.slow
@pytest.mark.postgres
async def test_a_killed_database_loses_nothing_and_needs_no_restart(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    """Every answer is stored once, in one order, under the root that is signed afterwards."""
    answered: dict[str, access_audit_pb2.CheckAccessResponse] = {}
    with own_server.database() as url:
        world = AuditWorld(url, tmp_path)
        await world.set_up()
        async with world.replica() as audit:
            await audit.prepare()
            for _ in range(ROUNDS):
                before = len(answered)
                callers = [asyncio.create_task(_caller(audit, answered)) for _ in range(8)]
                async with asyncio.timeout(60):
                    while len(answered) < before + 40:  # noqa: ASYNC110 (callers only add)
                        await asyncio.sleep(0.01)
                own_server.process.kill()
                async with asyncio.timeout(60):
                    failures = await asyncio.gather(*callers)
                assert {each.reason for each in failures} == {Reason.DATABASE_UNAVAILABLE}
                own_server.process.wait()
                await asyncio.to_thread(_restarted, own_server)
                await audit.check()
            checkpoint = await audit.checkpoint()
            rows = audit.rows()
    assert [row.idx for row in rows] == list(range(len(rows)))
    assert len({row.id for row in rows}) == len(rows)
    by_id = {row.id.hex(): row for row in rows}
    for attempt, answer in answered.items():
        row = by_id[attempt.replace("-", "")]
        assert (row.idx, row.hash) == (answer.receipt.index, answer.receipt.leaf_hash)
    frontier = CompactRange().extend(leaf_hash(row.data) for row in rows)
    assert (checkpoint.size, checkpoint.root) == (frontier.size, frontier.root())
