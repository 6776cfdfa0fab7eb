"""CheckAccess on both databases: what is decided, what is recorded, what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emanet.api.access_audit.v1 import resources_pb2
from tests.fakes.access_audit_world import AuditReplica, AuditWorld


@pytest.fixture
async def audit(database_url: str, tmp_path: Path) -> AsyncIterator[AuditReplica]:
    world = AuditWorld(database_url, tmp_path)
    await world.set_up()
    async with world.replica() as replica:
        await replica.prepare()
        yield replica


async def test_open_case_of_this_person_allows_the_read(audit: AuditReplica) -> None:
    await audit.put_case()
    answer = await audit.check()
    assert answer.verdict == resources_pb2.VERDICT_ALLOW, answer
    assert answer.reason == "CASE"
