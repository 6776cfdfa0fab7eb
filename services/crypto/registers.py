"""The register in effect of each organization, from this service's own verified copies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy.exc import IntegrityError as ConflictError

from emanet.client.register_feed import FetchedVersion
from emanet.core.encoding import micros
from emanet.core.errors import EmanetError, Reason, error
from emanet.register.protection import RegisterView
from emanet.register.snapshot import Version, verify_version
from services.crypto import storage
from services.crypto.storage.register import VersionRow
from services.runtime.database import Database

__all__ = ["OrganizationRegister", "OrganizationSink", "Registers"]

_log = structlog.get_logger(__name__)


class OrganizationRegister:
    """The verified versions of one organization, oldest first; used from the loop's thread."""

    def __init__(self) -> None:
        self.contact: datetime | None = None
        self.is_corrupt = False
        self._versions: list[Version] = []
        self._view: RegisterView | None = None

    def add(self, version: Version) -> None:
        """Adds the next version."""
        self._versions.append(version)

    def digests(self) -> dict[int, bytes]:
        """The digest of every version, by number."""
        return {version.snapshot.number: version.digest for version in self._versions}

    def last_digest(self) -> bytes | None:
        """The digest of the newest version, None before the first."""
        return self._versions[-1].digest if self._versions else None

    def in_effect(self, at: datetime) -> RegisterView:
        """The version in effect: the highest number with effective ≤ `at`.

        Raises:
            StateError: REGISTER_MISSING, none is.
            IntegrityError: REGISTER_CORRUPT, the copies in the database do not verify.
        """
        if self.is_corrupt:
            raise error(Reason.REGISTER_CORRUPT)
        for version in reversed(self._versions):
            if version.approval.effective <= at:
                return self._view_of(version)
        raise error(Reason.REGISTER_MISSING)

    def number_in_effect(self, at: datetime) -> int:
        """The number of the version in effect; 0 when none is or the copies do not verify."""
        if self.is_corrupt:
            return 0
        return max(
            (
                version.snapshot.number
                for version in self._versions
                if version.approval.effective <= at
            ),
            default=0,
        )

    def views(self, at: datetime) -> list[RegisterView]:
        """Every version that is or was in effect, newest first."""
        return [
            self._view_of(version)
            for version in reversed(self._versions)
            if version.approval.effective <= at
        ]

    def _view_of(self, version: Version) -> RegisterView:
        number = version.snapshot.number
        if self._view is not None and self._view.number == number:
            return self._view
        view = RegisterView.of(number, version.snapshot.register)
        if self._view is None or number > self._view.number:
            self._view = view
        return view


class Registers:
    """The registers of all organizations."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_organization: dict[str, OrganizationRegister] = {}

    def of(self, organization: str) -> OrganizationRegister:
        """The organization's versions; empty for one that is not set up."""
        register = self._by_organization.get(organization)
        return OrganizationRegister() if register is None else register

    async def load(self, organization: str) -> OrganizationRegister:
        """Reads and verifies the organization's copies again.

        A copy that does not verify is told as an error and stops what needs a register; keys,
        rows and envelopes are not touched.
        """
        register = OrganizationRegister()
        rows = await self._database.read(
            lambda connection: storage.register.list_versions(connection, organization)
        )
        register.contact = await self._database.read(
            lambda connection: storage.register.read_contact(connection, organization)
        )
        try:
            for row in rows:
                register.add(_verified(organization, row, register.last_digest()))
        except EmanetError:
            register.is_corrupt = True
            _log.error("register.corrupt", organization=organization)
        self._by_organization[organization] = register
        return register


class OrganizationSink:
    """What the register feed of one organization hands its versions to."""

    def __init__(self, *, organization: str, registers: Registers, database: Database) -> None:
        self._organization = organization
        self._registers = registers
        self._database = database

    async def known(self) -> Mapping[int, bytes]:
        """The digest of every version accepted before."""
        register = self._registers.of(self._organization)
        if register.is_corrupt:
            raise error(Reason.REGISTER_CORRUPT)
        return register.digests()

    async def accept(self, version: FetchedVersion) -> None:
        """Keeps a verified version, then puts it in use."""
        row = VersionRow(
            number=version.number,
            digest=version.digest,
            effective=micros(version.effective),
            snapshot=version.snapshot,
            approval=version.approval,
        )
        try:
            await self._database.write(
                lambda connection: storage.register.insert_version(
                    connection, self._organization, row
                )
            )
        except ConflictError:
            # Another replica kept the same number at the same moment; load tells what it kept.
            _log.info("register.kept_elsewhere", organization=self._organization)
        await self._registers.load(self._organization)
        _log.info("register.accepted", organization=self._organization, number=version.number)

    async def refused(self, *, number: int, digest: bytes, reason: Reason) -> None:
        """Tells of a version that was not accepted."""
        _log.error(
            "register.refused",
            organization=self._organization,
            number=number,
            digest=digest.hex(),
            reason=reason.value,
        )

    async def contact(self, at: datetime) -> None:
        """Remembers that everything announced is accepted."""
        await self._database.write(
            lambda connection: storage.register.put_contact(connection, self._organization, at)
        )
        register = self._registers.of(self._organization)
        register.contact = at

    async def interrupted(self, failure: EmanetError) -> None:
        """Tells that the stream broke."""
        _log.warning(
            "register.interrupted",
            organization=self._organization,
            reason=failure.reason.value,
        )


def _verified(organization: str, row: VersionRow, previous: bytes | None) -> Version:
    version = verify_version(
        row.snapshot, row.approval, organization=organization, previous=previous
    )
    if version.digest != row.digest or version.snapshot.number != row.number:
        raise error(Reason.REGISTER_CORRUPT)
    return version
