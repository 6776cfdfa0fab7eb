"""What runs beside the RPCs: register feeds, durable memory of logs, proofs of consistency."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from emanet.client.register_feed import RegisterFeed
from emanet.core.clock import Clock
from services.crypto.channels import ServiceChannel
from services.crypto.logs import LogKeeper
from services.crypto.registers import OrganizationSink, Registers
from services.crypto.tenants import Tenant, Tenants
from services.runtime.database import Database
from services.runtime.errors import as_emanet_error
from services.runtime.health import Latch

__all__ = ["Background"]

_FLUSH_S = 0.5
"""The memory of logs reaches the database within a second (FORMATS, "Log")."""

_FEED_PAUSE_S = 1.0
_REACH_PAUSE_S = 1.0
_REACH_TIMEOUT_S = 10.0
_PROOF_TIMEOUT_S = 10.0
_log = structlog.get_logger(__name__)


class Background:
    """The tasks of one server process; all end with `stop`."""

    def __init__(
        self,
        *,
        tenants: Tenants,
        registers: Registers,
        database: Database,
        keeper: LogKeeper,
        inventory: ServiceChannel,
        audit: ServiceChannel,
        clock: Clock,
        reached: Latch,
        proof_interval_s: float,
    ) -> None:
        self._tenants = tenants
        self._registers = registers
        self._database = database
        self._keeper = keeper
        self._inventory = inventory
        self._audit = audit
        self._clock = clock
        self._reached = reached
        self._is_reached = False
        self._proof_interval_s = proof_interval_s
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Starts the tasks; a feed for each organization, also for those found later."""
        self._tenants.on_found = self._follow
        for tenant in self._tenants.all():
            self._follow(tenant)
        self.run_every(_REACH_PAUSE_S, self._reach)
        self.run_every(_FLUSH_S, self._flush)
        self.run_every(self._proof_interval_s, self._prove)

    def run_every(self, interval_s: float, work: Callable[[], Awaitable[None]]) -> None:
        """Repeats work until `stop`; a failure is logged and the work tried again."""
        self._keep(_repeat(interval_s, work))

    async def stop(self) -> None:
        """Ends every task, then writes what is not yet durable."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._flush()

    def _follow(self, tenant: Tenant) -> None:
        feed = RegisterFeed(
            organization=tenant.organization,
            channel=self._inventory.current,
            sink=OrganizationSink(
                organization=tenant.organization,
                registers=self._registers,
                database=self._database,
            ),
            clock=self._clock,
        )
        self.run_every(_FEED_PAUSE_S, feed.run)

    async def _reach(self) -> None:
        """Health waits until access_audit was reached once under mutual TLS."""
        if self._is_reached:
            return
        async with asyncio.timeout(_REACH_TIMEOUT_S):
            await self._audit.current().channel_ready()
        self._is_reached = True
        self._reached.meet()

    async def _flush(self) -> None:
        tenants = self._tenants.all()
        await self._keeper.flush({tenant.organization: tenant.log for tenant in tenants})
        for tenant in tenants:
            size = tenant.log.flushed.size
            await asyncio.to_thread(tenant.counters.remember, counter=0, log_size=size)

    async def _prove(self) -> None:
        await self._keeper.prove(
            {tenant.organization: tenant.log for tenant in self._tenants.all()},
            timeout_s=_PROOF_TIMEOUT_S,
        )

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _repeat(interval_s: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception as exc:  # noqa: BLE001 (the edge of a task: logged, and tried again)
            _log.warning("background.failed", reason=as_emanet_error(exc).reason.value)
        await asyncio.sleep(interval_s)
