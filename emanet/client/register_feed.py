"""Follows one organization's register: hears of versions, fetches, verifies and hands them on.

The consumer keeps what it accepted in its own database, starts from there, and serves while this
task works or fails. Nothing is accepted on the inventory service's word: the bytes must have the
digest that was announced, name the digest of the version before, and be approved by a person other
than the author. A number once accepted keeps its digest for ever; another one is refused and told.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import grpc
from grpc import aio

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from emanet.api.inventory.v1.resources_pb2 import RegisterVersion
from emanet.client.status import error_from_rpc
from emanet.core.clock import Clock
from emanet.core.errors import EmanetError, IntegrityError, Reason, error
from emanet.core.names import Collection, format_name
from emanet.register.snapshot import verify_version

__all__ = ["FeedTimes", "FetchedVersion", "RegisterFeed", "RegisterSink"]

_SERVICE = "inventory"
_MAX_SNAPSHOT_BYTES = 8 * 1024 * 1024
"""A draft holds at most 3 MiB of register; what is larger was not made by the service."""


@dataclass(frozen=True, slots=True)
class FetchedVersion:
    """A version whose digest, predecessor and two persons were verified.

    Attributes:
        number: from 1 without gaps.
        digest: SHA-256 of `snapshot`, 32 bytes.
        effective: from when it holds, as the approval says.
        snapshot: canonical JSON, to be stored as it is.
        approval: canonical JSON, to be stored as it is.
    """

    number: int
    digest: bytes
    effective: datetime
    snapshot: bytes = field(repr=False)
    approval: bytes = field(repr=False)


class RegisterSink(Protocol):
    """What a consumer does with the feed; each call may raise EmanetError and is then repeated."""

    async def known(self) -> Mapping[int, bytes]:
        """The digest of every version accepted before, by number; from the consumer's own store."""

    async def accept(self, version: FetchedVersion) -> None:
        """Keeps a verified version durably. Called in the order of numbers, once for each."""

    async def refused(self, *, number: int, digest: bytes, reason: Reason) -> None:
        """Hears of a version that was not accepted: forged, changed, or out of order."""

    async def contact(self, at: datetime) -> None:
        """Hears that everything announced at this time (the consumer's clock) is accepted."""

    async def interrupted(self, failure: EmanetError) -> None:
        """Hears that the stream broke; the feed connects again by itself."""


@dataclass(frozen=True, slots=True)
class FeedTimes:
    """Waiting times in seconds.

    Attributes:
        silence_s: without a heartbeat for so long, the stream is given up (three heartbeats).
        fetch_s: limit for one version's bytes.
        first_delay_s, longest_delay_s: before connecting again; doubles each time, with jitter.
    """

    silence_s: float = 90.0
    fetch_s: float = 30.0
    first_delay_s: float = 0.2
    longest_delay_s: float = 10.0


class RegisterFeed:
    """One organization's feed. `run` is a task that ends only when it is cancelled."""

    def __init__(
        self,
        *,
        organization: str,
        channel: Callable[[], aio.Channel],
        sink: RegisterSink,
        clock: Clock,
        times: FeedTimes | None = None,
    ) -> None:
        """Keeps the parts; nothing is called yet.

        Args:
            organization: the organization's slug.
            channel: gives the channel to the inventory service, asked anew for each connection so
                that a renewed certificate is used.
            sink: the consumer.
            clock: the consumer's clock.
            times: waiting times.
        """
        self._organization = organization
        self._channel = channel
        self._sink = sink
        self._clock = clock
        self._times = times or FeedTimes()
        self._delay_s = self._times.first_delay_s

    async def run(self) -> None:
        """Follows the register until the task is cancelled; connection errors never end it."""
        while True:
            try:
                await self._follow()
                failure = error(Reason.SERVICE_UNAVAILABLE, service=_SERVICE)
            except grpc.RpcError as broken:
                failure = error_from_rpc(broken, service=_SERVICE)
            except TimeoutError:
                failure = error(Reason.DEADLINE_EXCEEDED)
            except (asyncio.CancelledError, aio.UsageError):
                # A channel that is closed under its calls cancels them; this task lives on.
                if _is_cancelled():
                    raise
                failure = error(Reason.SERVICE_UNAVAILABLE, service=_SERVICE)
            except EmanetError as refused:
                failure = refused
            await self._sink.interrupted(failure)
            await asyncio.sleep(self._delay_s * random.uniform(0.5, 1.0))  # noqa: S311 (spreads reconnects, guards nothing)
            self._delay_s = min(self._delay_s * 2, self._times.longest_delay_s)

    async def _follow(self) -> None:
        stub = inventory_pb2_grpc.InventoryServiceStub(self._channel())
        request = inventory_pb2.WatchRegisterRequest(parent=f"organizations/{self._organization}")
        call = stub.WatchRegister(request)
        try:
            async for heartbeat in _until_silent(call, self._times.silence_s):
                self._delay_s = self._times.first_delay_s
                if await self._catch_up(stub, heartbeat.versions):
                    await self._sink.contact(self._clock.now())
        finally:
            call.cancel()

    async def _catch_up(
        self,
        stub: inventory_pb2_grpc.InventoryServiceAsyncStub,
        announced: Sequence[RegisterVersion],
    ) -> bool:
        """Accepts what is missing, in order; false when something announced was refused."""
        digests = dict(await self._sink.known())
        expected = {version.number: version.digest for version in announced}
        newest, newest_known = max(expected, default=0), max(digests, default=0)
        for number, wanted in sorted(expected.items()):
            if digests.get(number, wanted) != wanted:
                return await self._refuse(number, wanted)
        if newest < newest_known:
            # The service lost a version that it had shown: restored from an old copy, or forged.
            return await self._refuse(newest, expected.get(newest, b""))
        for number in range(newest_known + 1, newest + 1):
            try:
                version = await self._fetch(stub, number, digests.get(number - 1))
            except IntegrityError:
                return await self._refuse(number, expected.get(number, b""))
            except grpc.RpcError as failure:
                # The service found by itself that its bytes were changed.
                if isinstance(error_from_rpc(failure, service=_SERVICE), IntegrityError):
                    return await self._refuse(number, expected.get(number, b""))
                raise
            if expected.get(number, version.digest) != version.digest:
                return await self._refuse(number, expected[number])
            await self._sink.accept(version)
            digests[number] = version.digest
        return True

    async def _refuse(self, number: int, digest_named: bytes) -> bool:
        await self._sink.refused(number=number, digest=digest_named, reason=Reason.REGISTER_CORRUPT)
        return False

    async def _fetch(
        self,
        stub: inventory_pb2_grpc.InventoryServiceAsyncStub,
        number: int,
        previous: bytes | None,
    ) -> FetchedVersion:
        name = format_name(self._organization, Collection.REGISTER_VERSIONS.value, str(number))
        request = inventory_pb2.GetRegisterVersionRequest(name=name)
        snapshot, approval = bytearray(), b""
        async for part in stub.GetRegisterVersion(request, timeout=self._times.fetch_s):
            approval = approval or part.approval
            snapshot += part.chunk
            if len(snapshot) > _MAX_SNAPSHOT_BYTES:
                raise error(Reason.REGISTER_CORRUPT)
        verified = await asyncio.to_thread(
            verify_version,
            bytes(snapshot),
            approval,
            organization=self._organization,
            previous=previous,
        )
        if verified.snapshot.number != number:
            raise error(Reason.REGISTER_CORRUPT)
        return FetchedVersion(
            number=number,
            digest=verified.digest,
            effective=verified.approval.effective,
            snapshot=bytes(snapshot),
            approval=approval,
        )


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _until_silent(
    call: AsyncIterable[inventory_pb2.WatchRegisterResponse], silence_s: float
) -> AsyncIterator[inventory_pb2.WatchRegisterResponse]:
    """Yields heartbeats; TimeoutError when none came for `silence_s`, ends with the stream."""
    stream = aiter(call)
    while True:
        try:
            async with asyncio.timeout(silence_s):
                heartbeat = await anext(stream)
        except StopAsyncIteration:
            return
        yield heartbeat
