"""What runs beside the RPCs: the committer, and one register feed for each organization."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from grpc import aio

from emanet.client.register_feed import RegisterFeed
from emanet.core.clock import Clock
from emanet.core.errors import EmanetError
from services.access_audit import storage
from services.access_audit.committer import Committer
from services.access_audit.ground import Contacts
from services.access_audit.jobs.keys import HeadJob
from services.access_audit.register_sink import RegisterIntake
from services.access_audit.signer import CheckpointFiles
from services.access_audit.warnings import WarningCode, Warnings
from services.runtime.database import Database
from services.runtime.health import Latch
from services.runtime.keyring import KeyProvider

__all__ = ["Background"]

_LOOK_S = 5.0
"""How often organizations that were added while the service runs are looked for."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Background:
    """Starts and stops the service's own work."""

    database: Database
    committer: Committer
    contacts: Contacts
    keyring: KeyProvider
    warnings: Warnings
    clock: Clock
    inventory: Latch
    files: CheckpointFiles
    channel: Callable[[], aio.Channel]
    _feeds: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _refused: dict[str, EmanetError] = field(default_factory=dict, init=False)
    _look: asyncio.Task[None] | None = field(default=None, init=False)

    async def start(self) -> None:
        """Checks secrets and every log, then follows the registers.

        A log that does not verify, and an epoch file that is missing or does not open, are
        refused for their organization; the others are served.

        Raises:
            StateError: SECRET_UNUSABLE, no organization's epoch file opens.
        """
        times = await self.database.read(storage.registers.read_contacts)
        self.contacts.load(times)
        if times:
            self.inventory.meet()
        self.committer.start()
        await self._add_new()
        if self._refused and not self._feeds:
            raise next(iter(self._refused.values()))
        self._look = asyncio.get_running_loop().create_task(self._look_for_new(), name="look")

    async def stop(self) -> None:
        """Ends the feeds, then commits what waits."""
        tasks = [*self._feeds.values(), *([self._look] if self._look is not None else [])]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(self.committer.stop)
        self.files.close()

    async def _look_for_new(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await self._add_new()
            except EmanetError as failure:
                _log.warning("organizations.unread", reason=failure.reason.value)

    async def _add_new(self) -> None:
        for organization in await self.database.read(storage.log.list_organizations):
            if organization in self._feeds or not await self._opens(organization):
                continue
            with suppress(EmanetError):
                await self.committer.submit(HeadJob(organization))
            self._feeds[organization] = asyncio.get_running_loop().create_task(
                self._feed(organization).run(), name=f"register {organization}"
            )

    async def _opens(self, organization: str) -> bool:
        """Whether the epoch file opens; if not, that is told once, and tried again later."""
        try:
            await asyncio.to_thread(self.keyring.active_epoch, organization)
        except EmanetError as failure:
            if organization not in self._refused:
                self._refused[organization] = failure
                self.warnings.add(organization, WarningCode.SECRET_REFUSED)
            return False
        self._refused.pop(organization, None)
        return True

    def _feed(self, organization: str) -> RegisterFeed:
        intake = RegisterIntake(
            organization=organization,
            database=self.database,
            committer=self.committer,
            contacts=self.contacts,
            clock=self.clock,
            warnings=self.warnings,
            reached=self.inventory.meet,
        )
        return RegisterFeed(
            organization=organization, channel=self.channel, sink=intake, clock=self.clock
        )
