"""Carries begun destructions to their receipts: at start, on a timer, and after every new one."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import structlog

from emanet.core.clock import Clock
from emanet.core.encoding import micros
from services.crypto.destruction_steps import DestructionSteps
from services.crypto.storage import destruction as stored
from services.crypto.storage.destruction import State
from services.crypto.tenants import Tenant, Tenants
from services.runtime.database import Database
from services.runtime.errors import as_emanet_error

__all__ = ["DestructionWorker"]

_LEASE = timedelta(seconds=15)
"""How long a dead process keeps the others off; steps that overlap would still be safe."""
_log = structlog.get_logger(__name__)


class DestructionWorker:
    """One process's worker; a lease in the database keeps the others off an organization."""

    def __init__(
        self, *, database: Database, tenants: Tenants, steps: DestructionSteps, clock: Clock
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._steps = steps
        self._clock = clock
        self._holder = str(uuid4())

    async def run_once(self) -> None:
        """Carries every organization's destructions on as far as they go now."""
        for tenant in self._tenants.all():
            try:
                await self._work_on(tenant)
            except Exception as exc:  # noqa: BLE001 (one organization's trouble is not another's)
                _log.error(
                    "destruction.waits",
                    organization=tenant.organization,
                    reason=as_emanet_error(exc).reason.value,
                )

    async def _work_on(self, tenant: Tenant) -> None:
        organization = tenant.organization
        pending = await self._database.read(
            lambda connection: stored.has_pending(connection, organization)
        )
        if not pending or not await self._renew(organization):
            return
        try:
            await self.advance(tenant)
        finally:
            await self._database.write(
                lambda connection: stored.release_lease(
                    connection, _lease_name(organization), holder=self._holder
                )
            )

    async def advance(self, tenant: Tenant) -> None:
        """Runs every step of one organization that can be run now."""
        for row in await self._in_state(tenant, State.INTENDED):
            await self._steps.destroy_keys(tenant, row)
        rotation = await self._steps.start_rotation(tenant)
        if rotation is not None:
            while await self._steps.rewrap_batch(tenant, rotation):
                if not await self._renew(tenant.organization):
                    return
            await self._steps.finish_rotation(tenant, rotation)
        await self._steps.record_epochs(tenant)
        for row in await self._in_state(tenant, State.EPOCH_DESTROYED):
            await self._steps.receipt(tenant, row)

    async def _in_state(self, tenant: Tenant, state: State) -> list[stored.DestructionRow]:
        return await self._database.read(
            lambda connection: stored.list_by_state(connection, tenant.organization, state)
        )

    async def _renew(self, organization: str) -> bool:
        if self._database.dialect == "sqlite":
            # One process holds the file; a lease could only be that of its own dead predecessor.
            return True
        now = self._clock.now()
        return await self._database.write(
            lambda connection: stored.take_lease(
                connection,
                _lease_name(organization),
                holder=self._holder,
                now_us=micros(now),
                until_us=micros(now + _LEASE),
            )
        )


def _lease_name(organization: str) -> str:
    return f"destruction/{organization}"
