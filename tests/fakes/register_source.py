"""A scripted inventory server and a sink in memory: both ends of a register feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc
from grpc import aio

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc, resources_pb2
from emanet.client.register_feed import FetchedVersion
from emanet.core.errors import EmanetError, Reason
from emanet.register.snapshot import Approval, digest, encode_approval, encode_snapshot
from emanet.register.values import Register, empty_register

APPROVED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Made:
    """One version as a server would send it."""

    number: int
    snapshot: bytes
    approval: bytes

    @property
    def digest(self) -> bytes:
        return digest(self.snapshot)


def make_version(
    number: int,
    previous: bytes | None,
    *,
    register: Register | None = None,
    approver: str = "s-002",
    effective: datetime = APPROVED,
) -> Made:
    """A version that verifies, unless the test asks for one that does not."""
    register = register or empty_register("cinar")
    snapshot = encode_snapshot(
        organization=register.organization.id, number=number, previous=previous, register=register
    )
    approval = encode_approval(
        Approval(
            number=number,
            digest=digest(snapshot),
            author="s-001",
            approver="s-000" if approver == "s-001" else approver,
            approved=min(APPROVED, effective),
            effective=effective,
        )
    )
    if approver == "s-001":
        approval = approval.replace(b"s-000", b"s-001")
    return Made(number=number, snapshot=snapshot, approval=approval)


def chain(count: int) -> list[Made]:
    """Versions 1 to `count`, each naming the one before."""
    made: list[Made] = []
    for number in range(1, count + 1):
        made.append(make_version(number, made[-1].digest if made else None))
    return made


class ScriptedInventory(inventory_pb2_grpc.InventoryServiceServicer):
    """Announces and serves what the test puts into it.

    Attributes:
        announced: what the next heartbeat tells.
        served: what GetRegisterVersion answers, by number.
        watches: streams that were opened so far.
        is_failing: streams are refused as UNAVAILABLE.
    """

    def __init__(self, versions: list[Made]) -> None:
        self.served: dict[int, Made] = {made.number: made for made in versions}
        self.announced: list[Made] = versions[-1:]
        self.watches = 0
        self.is_failing = False
        self._changed = asyncio.Event()
        self._cut = asyncio.Event()

    def announce(self, *versions: Made) -> None:
        """Tells these versions now."""
        self.announced = list(versions)
        self._changed.set()

    def cut(self) -> None:
        """Ends every open stream."""
        self._cut.set()
        self._changed.set()

    async def WatchRegister(self, request, context):
        self.watches += 1
        if self.is_failing:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        self._cut.clear()
        while not self._cut.is_set():
            self._changed.clear()
            yield inventory_pb2.WatchRegisterResponse(
                versions=[
                    resources_pb2.RegisterVersion(number=made.number, digest=made.digest)
                    for made in self.announced
                ]
            )
            await self._changed.wait()

    async def GetRegisterVersion(self, request, context):
        number = int(request.name.rpartition("/")[2])
        if number not in self.served:
            await context.abort(grpc.StatusCode.NOT_FOUND, "none")
        made = self.served[number]
        yield inventory_pb2.GetRegisterVersionResponse(approval=made.approval)
        half = len(made.snapshot) // 2
        for part in (made.snapshot[:half], made.snapshot[half:]):
            yield inventory_pb2.GetRegisterVersionResponse(chunk=part)


@asynccontextmanager
async def serving(servicer: ScriptedInventory) -> AsyncIterator[str]:
    """Serves on a free loopback port and yields the target."""
    server = aio.server()
    inventory_pb2_grpc.add_InventoryServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@dataclass
class MemorySink:
    """Keeps what it is given; `wait_for` waits until a condition on it holds."""

    accepted: dict[int, FetchedVersion] = field(default_factory=dict)
    refusals: list[tuple[int, bytes, Reason]] = field(default_factory=list)
    contacts: list[datetime] = field(default_factory=list)
    interruptions: list[EmanetError] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    accept_failure: EmanetError | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def known(self) -> Mapping[int, bytes]:
        return {number: version.digest for number, version in self.accepted.items()}

    async def accept(self, version: FetchedVersion) -> None:
        if self.accept_failure is not None:
            failure, self.accept_failure = self.accept_failure, None
            raise failure
        self.accepted[version.number] = version
        self.order.append(version.number)
        await self._tell()

    async def refused(self, *, number: int, digest: bytes, reason: Reason) -> None:
        self.refusals.append((number, digest, reason))
        await self._tell()

    async def contact(self, at: datetime) -> None:
        self.contacts.append(at)
        await self._tell()

    async def interrupted(self, failure: EmanetError) -> None:
        self.interruptions.append(failure)
        await self._tell()

    async def wait_for(self, condition, within_s: float = 10.0) -> None:
        """Returns once `condition(self)` holds; TimeoutError when it never does."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: condition(self))

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
