"""Tells consumers what is in effect and what is coming: at once, after an approval, and regularly.

An approval of this process wakes its watchers directly; one of another replica is found by asking
the database every `poll_s` seconds, once for all watchers. A version that takes effect by its time
is told when that time comes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

import structlog
from sqlalchemy import Connection

from emanet.api.inventory.v1 import inventory_pb2
from emanet.core.clock import Clock
from emanet.core.errors import EmanetError, Reason, error
from services.inventory import storage
from services.inventory.domain.versions import Version, announced, version_at
from services.inventory.messages import timestamp, to_version
from services.runtime.database import Database

__all__ = ["RegisterWatch"]

_SHORTEST_WAIT_S = 0.01
_log = structlog.get_logger(__name__)


class RegisterWatch:
    """The watchers of one process; belongs to one event loop."""

    def __init__(
        self, *, database: Database, clock: Clock, heartbeat_s: float, poll_s: float
    ) -> None:
        """Keeps the parts.

        Args:
            database: of the inventory.
            clock: decides what is in effect.
            heartbeat_s: longest silence of a stream.
            poll_s: how often the database is asked.
        """
        self._database = database
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._poll_s = poll_s
        self._bells: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._numbers: Mapping[str, int] = {}
        self._is_closed = False

    async def run(self) -> None:
        """Asks the database for new numbers until it is cancelled."""
        while True:
            await asyncio.sleep(self._poll_s)
            if self._bells:
                await self.poll()

    async def poll(self) -> None:
        """Asks once and wakes the watchers of organizations whose last number changed."""
        organizations = tuple(self._bells)
        try:
            numbers = await self._database.read(
                lambda connection: storage.last_numbers(connection, organizations)
            )
        except EmanetError as failure:
            _log.warning("watch.poll_failed", reason=failure.reason.value)
            return
        for organization in organizations:
            if numbers.get(organization) != self._numbers.get(organization):
                self.wake(organization)
        self._numbers = numbers

    def wake(self, organization: str) -> None:
        """Makes the organization's streams tell again now."""
        for bell in self._bells.get(organization, ()):
            bell.set()

    def close(self) -> None:
        """Ends every stream, so that a stopping server does not wait for them."""
        self._is_closed = True
        for organization in tuple(self._bells):
            self.wake(organization)

    async def watch(
        self, organization: str
    ) -> AsyncGenerator[inventory_pb2.WatchRegisterResponse, None]:
        """Yields heartbeats until the server stops or the caller goes away.

        Raises:
            StateError: ORGANIZATION_MISSING.
            UnavailableError: DATABASE_UNAVAILABLE; the caller connects again.
        """
        with self._listening(organization) as bell:
            while not self._is_closed:
                bell.clear()
                approved = await self._database.read(lambda c: _approved(c, organization))
                now = self._clock.now()
                told = announced(approved, now)
                current = version_at(told, now)
                yield inventory_pb2.WatchRegisterResponse(
                    versions=[to_version(version, in_effect=current) for version in told],
                    server_time=timestamp(now),
                )
                with suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), self._wait_s(told, now))

    def _wait_s(self, told: Sequence[Version], at: datetime) -> float:
        """Until the next heartbeat, or until what was told at a time as coming takes effect."""
        now = self._clock.now()
        waits = [
            (version.approval.effective - now).total_seconds()
            for version in told
            if version.approval is not None and version.approval.effective > at
        ]
        return max(min([self._heartbeat_s, *waits]), _SHORTEST_WAIT_S)

    @contextmanager
    def _listening(self, organization: str) -> Iterator[asyncio.Event]:
        bell = asyncio.Event()
        self._bells[organization].add(bell)
        try:
            yield bell
        finally:
            self._bells[organization].discard(bell)
            if not self._bells[organization]:
                del self._bells[organization]


def _approved(connection: Connection, organization: str) -> tuple[Version, ...]:
    if not storage.has_organization(connection, organization):
        raise error(Reason.ORGANIZATION_MISSING, organization=organization)
    return storage.list_approved(connection, organization)
