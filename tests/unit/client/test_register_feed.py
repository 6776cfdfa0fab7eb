"""The register feed believes bytes and two persons, never the server's word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from grpc import aio

from emanet.client.register_feed import FeedTimes, RegisterFeed
from emanet.core.clock import FixedClock
from emanet.core.errors import Reason, error
from emanet.register.values import empty_register
from tests.fakes.register_source import (
    Made,
    MemorySink,
    ScriptedInventory,
    chain,
    make_version,
    serving,
)

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
QUICK = FeedTimes(silence_s=5.0, fetch_s=5.0, first_delay_s=0.01, longest_delay_s=0.02)


@asynccontextmanager
async def following(
    servicer: ScriptedInventory, sink: MemorySink, times: FeedTimes = QUICK
) -> AsyncIterator[None]:
    """Runs a feed against a scripted server while the block runs."""
    async with serving(servicer) as target, aio.insecure_channel(target) as channel:
        feed = RegisterFeed(
            organization="cinar",
            channel=lambda: channel,
            sink=sink,
            clock=FixedClock(NOW),
            times=times,
        )
        task = asyncio.create_task(feed.run())
        try:
            yield
        finally:
            assert not task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_missing_versions_are_fetched_in_order_and_verified() -> None:
    """Hearing of number 3 alone brings 1, 2 and 3, each with its bytes."""
    versions, sink = chain(3), MemorySink()
    async with following(ScriptedInventory(versions), sink):
        await sink.wait_for(lambda it: it.contacts)
    assert sink.order == [1, 2, 3]
    assert [sink.accepted[made.number].snapshot for made in versions] == [
        made.snapshot for made in versions
    ]
    assert sink.contacts == [NOW]
    assert not sink.refusals


async def test_before_the_first_approval_there_is_contact_and_nothing_else() -> None:
    """An empty heartbeat is news too: the service is there and has no version."""
    sink = MemorySink()
    async with following(ScriptedInventory([]), sink):
        await sink.wait_for(lambda it: it.contacts)
    assert not sink.accepted


async def test_what_is_known_is_not_fetched_again() -> None:
    """A restarted consumer starts from its own copies."""
    versions, sink = chain(2), MemorySink()
    async with following(ScriptedInventory(versions), sink):
        await sink.wait_for(lambda it: it.contacts)
    later = ScriptedInventory([*versions, make_version(3, versions[-1].digest)])
    del later.served[1], later.served[2]
    async with following(later, sink):
        await sink.wait_for(lambda it: 3 in it.accepted)
    assert sink.order == [1, 2, 3]


async def test_the_feed_survives_a_server_that_goes_and_comes_back() -> None:
    """A cut stream, then refused ones, then a new version: no restart is needed."""
    versions, sink = chain(1), MemorySink()
    servicer = ScriptedInventory(versions)
    async with following(servicer, sink):
        await sink.wait_for(lambda it: it.contacts)
        servicer.is_failing = True
        servicer.cut()
        await sink.wait_for(lambda it: len(it.interruptions) >= 3)
        second = make_version(2, versions[0].digest)
        servicer.served[2] = second
        servicer.announced = [second]
        servicer.is_failing = False
        await sink.wait_for(lambda it: 2 in it.accepted)
    assert {failure.reason for failure in sink.interruptions} == {Reason.SERVICE_UNAVAILABLE}


async def test_a_channel_closed_under_the_feed_does_not_end_it() -> None:
    """A renewed certificate retires the old channel; the feed goes on with the new one."""
    versions, sink = chain(1), MemorySink()
    servicer = ScriptedInventory(versions)
    async with serving(servicer) as target:
        channels = [aio.insecure_channel(target)]
        feed = RegisterFeed(
            organization="cinar",
            channel=lambda: channels[-1],
            sink=sink,
            clock=FixedClock(NOW),
            times=QUICK,
        )
        task = asyncio.create_task(feed.run())
        await sink.wait_for(lambda it: it.contacts)
        await channels[0].close()
        await sink.wait_for(lambda it: len(it.interruptions) >= 2)
        channels.append(aio.insecure_channel(target))
        await sink.wait_for(lambda it: len(it.contacts) >= 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await channels[1].close()


async def test_a_silent_stream_is_given_up() -> None:
    """A connection that hangs without a heartbeat is opened anew."""
    servicer, sink = ScriptedInventory(chain(1)), MemorySink()
    times = FeedTimes(silence_s=0.05, fetch_s=5.0, first_delay_s=0.01, longest_delay_s=0.02)
    async with following(servicer, sink, times):
        await sink.wait_for(lambda it: it.interruptions and servicer.watches >= 2)
    assert sink.interruptions[0].reason is Reason.DEADLINE_EXCEEDED


async def test_a_sink_that_cannot_write_is_asked_again() -> None:
    """A version whose storing failed is fetched and stored at the next try."""
    sink = MemorySink(accept_failure=error(Reason.DATABASE_UNAVAILABLE))
    async with following(ScriptedInventory(chain(1)), sink):
        await sink.wait_for(lambda it: it.contacts)
    assert sink.order == [1]
    assert [failure.reason for failure in sink.interruptions] == [Reason.DATABASE_UNAVAILABLE]


async def test_a_second_digest_for_a_known_number_is_refused_and_told() -> None:
    """A server that rewrites history is found; its heartbeat is no contact."""
    versions, sink = chain(2), MemorySink()
    servicer = ScriptedInventory(versions)
    async with following(servicer, sink):
        await sink.wait_for(lambda it: it.contacts)
        forged = make_version(2, versions[0].digest, approver="s-009", register=_other())
        servicer.served[2] = forged
        servicer.announce(forged)
        await sink.wait_for(lambda it: it.refusals)
    assert sink.refusals == [(2, forged.digest, Reason.REGISTER_CORRUPT)]
    assert sink.accepted[2].digest == versions[1].digest
    assert len(sink.contacts) == 1


async def test_a_server_that_lost_a_version_is_refused() -> None:
    """An inventory restored from an old copy cannot take back what was in effect."""
    versions, sink = chain(3), MemorySink()
    servicer = ScriptedInventory(versions)
    async with following(servicer, sink):
        await sink.wait_for(lambda it: it.contacts)
        servicer.announce(versions[1])
        await sink.wait_for(lambda it: it.refusals)
    assert len(sink.contacts) == 1


def _other():
    register = empty_register("cinar")
    return type(register)(organization=register.organization, measures=("sifreleme",))


def _flipped(made: Made) -> Made:
    return Made(made.number, made.snapshot[:-9] + b"x" + made.snapshot[-8:], made.approval)


def _foreign() -> Made:
    return make_version(1, None, register=empty_register("mese"))


FIRST = make_version(1, None)
FORGERIES = {
    "flipped byte": [_flipped(FIRST)],
    "author approves": [make_version(1, None, approver="s-001")],
    "another organization": [_foreign()],
    "approval of another version": [
        Made(1, FIRST.snapshot, make_version(1, None, register=_other()).approval)
    ],
    "no approval": [Made(1, FIRST.snapshot, b"")],
    "number of another version": [Made(1, *(lambda m: (m.snapshot, m.approval))(chain(2)[1]))],
    "no snapshot": [Made(1, b"", FIRST.approval)],
}


@pytest.mark.parametrize("name", sorted(FORGERIES))
async def test_forged_first_versions_are_refused(name: str) -> None:
    """Whatever does not verify is not accepted, and the consumer hears of it."""
    (forged,) = FORGERIES[name]
    sink = MemorySink()
    async with following(ScriptedInventory([forged]), sink):
        await sink.wait_for(lambda it: it.refusals)
    assert (sink.accepted, sink.contacts) == ({}, [])
    assert sink.refusals[0][0] == 1


async def test_a_version_that_does_not_follow_the_one_before_is_refused() -> None:
    """Number 3 that names another number 2 stops the chain after what was good."""
    one, two = chain(2)
    three = make_version(3, make_version(2, one.digest, register=_other()).digest)
    sink = MemorySink()
    async with following(ScriptedInventory([one, two, three]), sink):
        await sink.wait_for(lambda it: it.refusals)
    assert sink.order == [1, 2]
    assert [number for number, _, _ in sink.refusals] == [3]


async def test_bytes_that_are_not_those_announced_are_refused() -> None:
    """Announcing one digest and serving another valid version is a forgery too."""
    servicer, sink = ScriptedInventory([FIRST]), MemorySink()
    servicer.served[1] = make_version(1, None, register=_other())
    async with following(servicer, sink):
        await sink.wait_for(lambda it: it.refusals)
    assert sink.accepted == {}
    assert sink.refusals == [(1, FIRST.digest, Reason.REGISTER_CORRUPT)]
