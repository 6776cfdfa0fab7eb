"""The asynchronous facade on the wire: the same identity, deadlines and refusals in one loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from emanet.client import AsyncEmanet, errors
from emanet.core.errors import Reason
from tests.fakes.scripted_services import Scripted, scripted_services


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with scripted_services() as running:
        yield running


@pytest.fixture
async def em(scripted: Scripted) -> AsyncIterator[AsyncEmanet]:
    facade = AsyncEmanet(**scripted.target())
    yield facade
    await facade.close()


async def test_tasks_at_once_read_under_their_own_tokens(scripted, em):
    """Requests that share a facade and a loop never share a person."""

    async def read(number: int) -> None:
        async with em.reading(staff_token=f"token-{number}", purpose="support"):
            await em.decrypt("customer.email", str(number).encode())
            await em.record_read(fields=["customer.fax"], subjects=[])

    await asyncio.gather(*map(read, range(20)))
    decrypts = [call for call in scripted.script.asked if call.rpc == "Decrypt"]
    assert len(decrypts) == 20
    assert all(
        call.metadata["authorization"] == f"Bearer token-{call.request.items[0].envelope.decode()}"
        for call in decrypts
    )


async def test_a_hanging_service_costs_no_more_than_the_deadline(scripted):
    """Cancelled in time, whatever the service does."""
    scripted.script.hangs = True
    em = AsyncEmanet(**scripted.target(), timeout_s=0.2)
    async with em.reading(as_app=True, purpose="support"):
        with pytest.raises(errors.UnavailableError, match="DEADLINE_EXCEEDED"):
            await em.decrypt("customer.email", b"e")
    await em.close()


async def test_reads_are_never_retried_and_writes_are(scripted, em):
    """The same service config as the synchronous facade."""
    scripted.script.unavailable = 1
    async with em.reading(as_app=True, purpose="support"):
        with pytest.raises(errors.UnavailableError):
            await em.decrypt("customer.email", b"e")
    scripted.script.unavailable = 1
    await em.encrypt(subject="customers/7", values={"customer.email": "a"})
    assert [call.rpc for call in scripted.script.asked] == ["Decrypt", "Encrypt", "Encrypt"]


async def test_a_value_that_rests_on_a_restored_log_is_withheld(scripted, em):
    """P3: the memory of the log works in asynchronous code too."""
    scripted.script.log_size = 5
    async with em.reading(as_app=True, purpose="support"):
        assert await em.decrypt("customer.email", b"e") == "opened"
        scripted.script.log_size = 4
        with pytest.raises(errors.EmanetError) as refused:
            await em.decrypt("customer.email", b"e")
    assert refused.value.reason is Reason.LOG_BEHIND


async def test_a_closed_facade_connects_again(em):
    """Closing is for tidiness; it takes nothing away."""
    for _ in range(2):
        await em.encrypt(subject="customers/7", values={"customer.email": "a"})
        await em.close()


def test_each_event_loop_opens_its_own_channel(scripted):
    """A facade made at import serves whatever loop runs: a worker's, a test's, a script's."""
    em = AsyncEmanet(**scripted.target())

    async def write() -> int:
        return len(await em.encrypt(subject="customers/7", values={"customer.email": "a"}))

    async def write_and_close() -> int:
        done = await write()
        await em.close()
        return done

    assert [asyncio.run(write()), asyncio.run(write_and_close())] == [1, 1]
