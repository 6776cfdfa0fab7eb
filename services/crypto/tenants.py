"""The organizations that are set up here, each with its register, its log and its counter guard."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from emanet.core import canonical
from emanet.core.checkpoint import parse_vkey
from emanet.core.errors import EmanetError, Reason, UnavailableError, error
from services.crypto import storage
from services.crypto.logs import LogMemory
from services.crypto.registers import OrganizationRegister, Registers
from services.crypto.storage.keys import OrganizationRow
from services.runtime.database import Database
from services.runtime.files import replace_file

__all__ = ["CounterFile", "Tenant", "Tenants"]

_log = structlog.get_logger(__name__)


class CounterFile:
    """The highest key counter and log size of an organization, kept outside the database.

    A database restored from before a destruction holds a lower counter than the file: its keys
    are not used, because some of them are destroyed by promise.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self.counter, self.log_size = self._read()

    def verify(self, *, counter: int, log_size: int) -> None:
        """Raises when the database is older than what this process wrote or saw before.

        Raises:
            StateError: KEYS_BEHIND.
        """
        if counter < self.counter or log_size < self.log_size:
            raise error(Reason.KEYS_BEHIND, file=self._path.name)

    def remember(self, *, counter: int, log_size: int) -> None:
        """Writes higher numbers durably; lower ones change nothing. Safe from any thread."""
        with self._mutex:
            counter, log_size = max(counter, self.counter), max(log_size, self.log_size)
            if (counter, log_size) == (self.counter, self.log_size):
                return
            content: canonical.JsonObject = {"v": 1, "counter": counter, "log_size": log_size}
            replace_file(self._path, canonical.encode(content))
            self.counter, self.log_size = counter, log_size

    def _read(self) -> tuple[int, int]:
        try:
            members = canonical.decode_object(self._path.read_bytes())
        except FileNotFoundError:
            return 0, 0
        except (OSError, EmanetError):
            raise self._unusable() from None
        counter, log_size = members.get("counter"), members.get("log_size")
        if not isinstance(counter, int) or not isinstance(log_size, int):
            raise self._unusable()
        return counter, log_size

    def _unusable(self) -> EmanetError:
        return error(Reason.SECRET_UNUSABLE, secret=self._path.name)


class Tenant:
    """One organization as this process knows it; used from the loop's thread."""

    def __init__(self, organization: str, *, log: LogMemory, counters: CounterFile) -> None:
        self.organization = organization
        self.log = log
        self.counters = counters

    def verify_counter(self, counter: int) -> None:
        """Raises KEYS_BEHIND when the key counter of the database has gone back."""
        if counter < self.counters.counter:
            self.counters.verify(counter=counter, log_size=self.counters.log_size)
        elif counter > self.counters.counter:
            self.counters.remember(counter=counter, log_size=0)


class Tenants:
    """All organizations; one that was added while the service runs is found at its first use."""

    def __init__(
        self,
        *,
        database: Database,
        registers: Registers,
        state_dir: Path,
        verify: Callable[[OrganizationRow], Awaitable[None]],
    ) -> None:
        """Starts empty; `verify` raises unless the secrets open an organization's canary."""
        self._database = database
        self._registers = registers
        self._state_dir = state_dir
        self._verify = verify
        self._tenants: dict[str, Tenant] = {}
        self._mutex = asyncio.Lock()
        self.on_found: Callable[[Tenant], None] = lambda _: None

    def all(self) -> tuple[Tenant, ...]:
        """The organizations that were found so far."""
        return tuple(self._tenants.values())

    async def load(self) -> None:
        """Finds every organization of the database; one that is at fault does not stop others.

        What is refused here is refused again at each use, until it is mended.

        Raises:
            StateError: of the first organization when none can be served: KEYS_BEHIND, the
                database is older than the files beside it; SECRET_UNUSABLE, the passphrase, the
                lookup key or an epoch file is another one's.
            IntegrityError: in the same way KEY_ROW_CORRUPT, ENVELOPE_INVALID.
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        refused: list[EmanetError] = []
        for row in await self._database.read(storage.keys.list_organizations):
            try:
                await self.require(row.organization)
            except UnavailableError:
                raise
            except EmanetError as failure:
                refused.append(failure)
                _log.error(
                    "organization.refused",
                    organization=row.organization,
                    reason=failure.reason.value,
                )
        if refused and not self._tenants:
            raise refused[0]

    async def require(self, organization: str) -> Tenant:
        """The tenant of an organization.

        Raises:
            StateError: ORGANIZATION_MISSING, it is not set up in this service; KEYS_BEHIND,
                SECRET_UNUSABLE.
            IntegrityError: KEY_ROW_CORRUPT, ENVELOPE_INVALID, its canary does not open.
        """
        tenant = self._tenants.get(organization)
        if tenant is not None:
            return tenant
        async with self._mutex:
            tenant = self._tenants.get(organization)
            return await self._find(organization) if tenant is None else tenant

    def register(self, organization: str) -> OrganizationRegister:
        """The organization's register versions."""
        return self._registers.of(organization)

    async def _find(self, organization: str) -> Tenant:
        found = await self._database.read(
            lambda connection: (
                storage.keys.read_organization(connection, organization),
                storage.keys.read_head(connection, organization),
                storage.log.read_log(connection, organization),
            )
        )
        row, head, state = found
        if row is None or head is None or state is None:
            raise error(Reason.ORGANIZATION_MISSING, organization=organization)
        await self._verify(row)
        counters = CounterFile(self._state_dir / f"{organization}.json")
        counters.verify(counter=head.counter, log_size=state.seen.size)
        counters.remember(counter=head.counter, log_size=state.seen.size)
        await self._registers.load(organization)
        tenant = Tenant(
            organization,
            log=LogMemory(vkey=parse_vkey(row.vkey), state=state),
            counters=counters,
        )
        self._tenants[organization] = tenant
        self.on_found(tenant)
        return tenant
