"""Accepts a verified register version and binds it by a leaf."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from emanet.core.encoding import micros
from emanet.core.errors import Reason, error
from emanet.core.leaf import RegisterLeaf
from emanet.register.snapshot import verify_version
from services.access_audit import storage
from services.access_audit.storage.registers import CopyRow
from services.access_audit.transaction import LogTransaction

__all__ = ["AcceptRegisterJob"]


@dataclass(frozen=True, slots=True)
class AcceptRegisterJob:
    """Stores a version once; another digest under its number is refused for ever.

    Attributes:
        id: UUIDv7 of the register leaf.
        snapshot, approval: the bytes as the inventory made them.
    """

    organization: str
    id: UUID
    number: int
    snapshot: bytes = field(repr=False)
    approval: bytes = field(repr=False)

    @property
    def weight(self) -> int:
        """One leaf."""
        return 1

    def run(self, transaction: LogTransaction) -> bool:
        """Appends the register leaf; False when the version is here already.

        Raises:
            IntegrityError: REGISTER_CORRUPT, the version does not follow the one before, is not
                what two persons agreed on, or has another digest than the one that is here.
        """
        connection = transaction.connection
        digests = storage.registers.list_digests(connection, self.organization)
        version = verify_version(
            self.snapshot,
            self.approval,
            organization=self.organization,
            previous=digests.get(self.number - 1),
        )
        known = digests.get(self.number)
        if known is not None:
            if known != version.digest:
                raise error(Reason.REGISTER_CORRUPT)
            return False
        if version.snapshot.number != self.number or self.number != len(digests) + 1:
            raise error(Reason.REGISTER_CORRUPT)
        with transaction.savepoint():
            leaf = RegisterLeaf(
                id=self.id,
                organization=self.organization,
                event_us=micros(version.approval.approved),
                receive_us=transaction.now_us,
                number=self.number,
                digest=version.digest,
                approval=version.approval_digest,
            )
            appended = transaction.append(leaf)
            storage.registers.insert_copy(
                connection,
                self.organization,
                CopyRow(
                    number=self.number,
                    digest=version.digest,
                    snapshot=self.snapshot,
                    approval=self.approval,
                    effective_us=micros(version.approval.effective),
                    accept_us=transaction.now_us,
                    idx=appended.index,
                ),
            )
        transaction.count_register(self.number)
        return True
