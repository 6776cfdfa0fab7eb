"""WatchRegister: at once, after an approval here or on another replica, and when a time comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from emanet.api.inventory.v1 import resources_pb2
from emanet.core.clock import FixedClock
from emanet.core.errors import Reason, StateError
from tests.fakes.inventory_world import (
    MANIFEST,
    NOW,
    ORGANIZATION,
    InventoryReplica,
    open_replica,
)

APPROVED = resources_pb2.VERSION_STATE_APPROVED
EFFECTIVE = resources_pb2.VERSION_STATE_EFFECTIVE
OTHER = MANIFEST.replace("Müşteri paneli", "Yeni panel")


@pytest.fixture
def replica(database_url: str) -> Iterator[InventoryReplica]:
    with open_replica(database_url) as opened:
        yield opened


@pytest.fixture
async def inventory(replica: InventoryReplica) -> InventoryReplica:
    await replica.drafts.add_organization(ORGANIZATION)
    return replica


async def _next(stream, within_s: float = 5.0) -> list[tuple[int, int]]:
    """Number and state of each version in the next heartbeat."""
    async with asyncio.timeout(within_s):
        heartbeat = await anext(stream)
    return [(version.number, version.state) for version in heartbeat.versions]


async def test_a_watcher_hears_at_once_and_after_an_approval(inventory: InventoryReplica) -> None:
    """The first heartbeat is immediate, also before any version; an approval wakes it."""
    stream = inventory.watch.watch(ORGANIZATION)
    assert await _next(stream) == []
    waiting = asyncio.create_task(_next(stream))
    await inventory.publish()
    assert await waiting == [(1, EFFECTIVE)]
    await stream.aclose()


async def test_an_unknown_organization_cannot_be_watched(inventory: InventoryReplica) -> None:
    """The stream ends with a reason, not with silence."""
    with pytest.raises(StateError) as missing:
        await anext(inventory.watch.watch("mese"))
    assert missing.value.reason is Reason.ORGANIZATION_MISSING


async def test_a_scheduled_version_is_told_and_then_told_as_effective(
    inventory: InventoryReplica,
) -> None:
    """Both versions are told while one waits; when its time comes the stream tells by itself."""
    await inventory.publish()
    inventory.clock.advance(timedelta(seconds=1))
    soon = inventory.clock.now() + timedelta(seconds=1.2)
    await inventory.publish(OTHER, effective=soon)
    stream = inventory.watch.watch(ORGANIZATION)
    assert await _next(stream) == [(1, EFFECTIVE), (2, APPROVED)]
    inventory.clock.set(soon)
    assert await _next(stream) == [(2, EFFECTIVE)]
    await stream.aclose()


async def test_a_higher_number_overtakes_a_later_time(inventory: InventoryReplica) -> None:
    """A version that can never hold is not announced; the highest number always is."""
    await inventory.publish()
    await inventory.publish(OTHER, effective=NOW + timedelta(days=30))
    await inventory.publish(effective=NOW + timedelta(days=2))
    stream = inventory.watch.watch(ORGANIZATION)
    assert await _next(stream) == [(1, EFFECTIVE), (3, APPROVED)]
    inventory.clock.set(NOW + timedelta(days=40))
    inventory.watch.wake(ORGANIZATION)
    assert await _next(stream) == [(3, EFFECTIVE)]
    await stream.aclose()


async def test_closing_ends_every_stream(inventory: InventoryReplica) -> None:
    """A server that stops does not wait for its watchers."""
    stream = inventory.watch.watch(ORGANIZATION)
    await _next(stream)
    waiting = asyncio.create_task(_next(stream))
    await asyncio.sleep(0)
    inventory.watch.close()
    with pytest.raises(StopAsyncIteration):
        await waiting


@pytest.mark.postgres
async def test_a_replica_hears_of_the_others_approval(postgres_server) -> None:
    """Two processes over one database: asking it finds what the other one approved."""
    with (
        postgres_server.database() as url,
        open_replica(url) as here,
        open_replica(url, FixedClock(NOW)) as there,
    ):
        await here.drafts.add_organization(ORGANIZATION)
        stream = there.watch.watch(ORGANIZATION)
        assert await _next(stream) == []
        await there.watch.poll()
        waiting = asyncio.create_task(_next(stream))
        await here.publish()
        there.clock.set(here.clock.now())
        await there.watch.poll()
        assert await waiting == [(1, EFFECTIVE)]
        await stream.aclose()
