"""Decisions that meet a new register or new rules in one batch of the committer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emanet.core.leaf import AccessLeaf
from services.access_audit.transaction import LogTransaction
from tests.fakes.access_audit_world import ORGANIZATION, AuditReplica, AuditWorld, manifest, rules


@dataclass
class Hold:
    """Occupies the committer until it is let go, so that what comes meanwhile is one batch."""

    organization: str = ORGANIZATION
    weight: int = 1
    started: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def run(self, transaction: LogTransaction) -> None:
        self.started.set()
        self.released.wait(20)


@pytest.fixture
async def audit(database_url: str, tmp_path: Path) -> AsyncIterator[AuditReplica]:
    world = AuditWorld(database_url, tmp_path)
    await world.set_up()
    async with world.replica() as replica:
        await replica.prepare()
        await replica.put_case()
        yield replica


async def _in_one_batch(audit: AuditReplica, *calls):
    """The results of calls that wait together while the committer is busy."""
    hold = Hold()
    holding = asyncio.ensure_future(audit.core.committer.submit(hold))
    await asyncio.to_thread(hold.started.wait, 20)
    waiting = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0)  # each has submitted its job
    hold.released.set()
    await holding
    return await asyncio.gather(*waiting)


def _decided_on(audit: AuditReplica) -> list[tuple[int, int]]:
    decisions = [leaf.decision for leaf in audit.leaves() if isinstance(leaf, AccessLeaf)]
    return [(decision.register, decision.rule_set) for decision in decisions]


async def test_a_read_behind_a_new_register_is_decided_on_it(audit: AuditReplica) -> None:
    """The register's leaf is in the database before anything is decided on it."""
    changed = manifest().replace("tr: Destek", "tr: Yardım")
    await _in_one_batch(audit, audit.check(), audit.accept(changed), audit.check(), audit.check())
    assert _decided_on(audit) == [(1, 1), (2, 1), (2, 1)]


async def test_a_read_behind_new_rules_is_decided_on_them(audit: AuditReplica) -> None:
    """The rules' leaf is in the database before anything is decided on it."""
    applied = await audit.apply(rules() + "\n")
    await _in_one_batch(audit, audit.check(), audit.activate(applied), audit.check())
    assert _decided_on(audit) == [(1, 1), (1, 2)]
