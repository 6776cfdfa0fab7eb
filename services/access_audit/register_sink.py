"""Takes register versions from the feed into the log, and remembers contact with the inventory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from emanet.client.register_feed import FetchedVersion
from emanet.core.clock import Clock
from emanet.core.encoding import micros
from emanet.core.errors import EmanetError, IntegrityError, Reason
from emanet.core.ids import new_uuid7
from services.access_audit import storage
from services.access_audit.committer import Committer
from services.access_audit.ground import Contacts
from services.access_audit.jobs.register import AcceptRegisterJob
from services.access_audit.warnings import WarningCode, Warnings
from services.runtime.database import Database

__all__ = ["RegisterIntake"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RegisterIntake:
    """One organization's end of the feed (`emanet.client.register_feed.RegisterSink`)."""

    organization: str
    database: Database
    committer: Committer
    contacts: Contacts
    clock: Clock
    warnings: Warnings
    reached: Callable[[], None]

    async def known(self) -> Mapping[int, bytes]:
        """The digest of every version that the log has accepted."""
        return await self.database.read(
            lambda connection: storage.registers.list_digests(connection, self.organization)
        )

    async def accept(self, version: FetchedVersion) -> None:
        """Appends a register leaf and keeps the bytes.

        Raises:
            EmanetError: it could not be written, or another digest is here under its number.
        """
        job = AcceptRegisterJob(
            organization=self.organization,
            id=new_uuid7(self.clock),
            number=version.number,
            snapshot=version.snapshot,
            approval=version.approval,
        )
        try:
            await self.committer.submit(job)
        except EmanetError as refused:
            if refused.reason is Reason.REGISTER_CORRUPT:
                self.warnings.add(self.organization, WarningCode.REGISTER_REFUSED)
            raise
        _log.info("register.accepted", organization=self.organization, number=version.number)

    async def refused(self, *, number: int, digest: bytes, reason: Reason) -> None:
        """Raises the finding of a version that was not accepted."""
        self.warnings.add(self.organization, WarningCode.REGISTER_REFUSED)
        _log.error(
            "register.refused",
            organization=self.organization,
            number=number,
            digest=digest.hex(),
            reason=reason.value,
        )

    async def contact(self, at: datetime) -> None:
        """Remembers that the register was confirmed, here and in the database."""
        at_us = micros(at)
        self.contacts.note(self.organization, at_us)
        self.reached()
        await self.database.write(
            lambda connection: storage.registers.write_contact(connection, self.organization, at_us)
        )

    async def interrupted(self, failure: EmanetError) -> None:
        """Logs that the stream broke; age of the last contact decides what follows.

        The inventory telling that its own copy is corrupt is no outage: that is a finding.
        """
        if isinstance(failure, IntegrityError):
            self.warnings.add(self.organization, WarningCode.REGISTER_REFUSED)
        _log.warning(
            "register.interrupted", organization=self.organization, reason=failure.reason.value
        )
