"""Records what crypto reports: failures after an allowance, and steps in the life of keys."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import (
    AccessLeaf,
    KeyLeaf,
    KeyOperation,
    OutcomeLeaf,
    Verdict,
    encode_leaf,
)
from services.access_audit import storage
from services.access_audit.domain.claim import invalid
from services.access_audit.domain.party import staff_party
from services.access_audit.jobs.put import answer_repeat
from services.access_audit.transaction import Appended, LogTransaction, RequestKey

__all__ = ["HeadJob", "KeyEventJob", "OutcomeJob"]


@dataclass(frozen=True, slots=True)
class HeadJob:
    """Appends nothing: asks for the newest head, verified under the lock."""

    organization: str

    @property
    def weight(self) -> int:
        """No leaf."""
        return 0

    def run(self, transaction: LogTransaction) -> int:
        """The number of leaves, those of this batch before it included."""
        return transaction.control.frontier.size


@dataclass(frozen=True, slots=True)
class OutcomeJob:
    """Records that an allowed access failed afterwards.

    Attributes:
        access: id of the access leaf.
        item: the first item that failed, from 0.
        why: reason code.
    """

    organization: str
    access: UUID
    item: int
    why: str
    request: RequestKey

    @property
    def weight(self) -> int:
        """One leaf."""
        return 1

    def run(self, transaction: LogTransaction) -> Appended:
        """Appends the outcome.

        Raises:
            EmanetError: REQUEST_ID_REUSED; RESOURCE_NOT_FOUND, there is no allowed access of that
                id.
        """
        repeated = answer_repeat(transaction, self.request)
        if repeated is not None:
            return repeated
        known = transaction.find_leaf(self.access)
        if not isinstance(known, AccessLeaf) or known.decision.verdict is not Verdict.ALLOW:
            raise _not_found(transaction.organization, f"accessRecords/{self.access}")
        leaf = OutcomeLeaf(
            id=self.request.id,
            organization=self.organization,
            event_us=transaction.now_us,
            receive_us=transaction.now_us,
            access=self.access,
            item=self.item,
            why=self.why,
        )
        return transaction.append(leaf, request=self.request)


@dataclass(frozen=True, slots=True)
class KeyEventJob:
    """Records a step in the life of keys.

    Attributes:
        ids: key ids, or epoch numbers, as the leaf writes them.
        person: person id of who ordered it; empty when nobody's token came. The end of an epoch is
            the service's own act.
        service: the service that reports it, the author when there is no person.
        intent: id of the intent's leaf, whose author a finished destruction inherits.
    """

    organization: str
    operation: KeyOperation
    retention_class: str
    ids: tuple[str, ...]
    service: str
    request: RequestKey
    person: str = ""
    intent: UUID | None = None

    @property
    def weight(self) -> int:
        """One leaf."""
        return 1

    def run(self, transaction: LogTransaction) -> Appended:
        """Appends the step.

        Raises:
            EmanetError: REQUEST_ID_REUSED; INVALID_FIELD for a finished destruction without its
                intent, of another class, of keys that the intent did not name, or before an epoch
                ended after the intent, and for epochs that are not above all that the log names.
        """
        repeated = answer_repeat(transaction, self.request)
        if repeated is not None:
            leaf = transaction.find_leaf(self.request.id)
            data = b"" if leaf is None else encode_leaf(leaf)
            return Appended(index=repeated.index, leaf_hash=repeated.leaf_hash, data=data)
        leaf = KeyLeaf(
            id=self.request.id,
            organization=self.organization,
            event_us=transaction.now_us,
            receive_us=transaction.now_us,
            operation=self.operation,
            ids=self.ids,
            by=self._author(transaction),
            retention_class=self.retention_class,
        )
        if self.operation is not KeyOperation.EPOCH:
            return transaction.append(leaf, request=self.request)
        return self._append_epochs(transaction, leaf)

    def _append_epochs(self, transaction: LogTransaction, leaf: KeyLeaf) -> Appended:
        last = storage.epochs.find_last(transaction.connection, transaction.log)
        if last is not None and int(self.ids[0]) <= last.number:
            raise invalid("epochs", f"not above {last.number}, which the log names")
        with transaction.savepoint() as connection:
            appended = transaction.append(leaf, request=self.request)
            row = storage.epochs.EpochRow(number=int(self.ids[-1]), idx=appended.index)
            storage.epochs.insert_epoch(connection, transaction.log, row)
        return appended

    def _author(self, transaction: LogTransaction) -> str:
        if self.operation is KeyOperation.DESTROYED:
            known = None if self.intent is None else transaction.find_leaf(self.intent)
            if (
                not isinstance(known, KeyLeaf)
                or known.operation is not KeyOperation.DESTROY_INTENT
                or known.retention_class != self.retention_class
                or not set(known.ids).issuperset(self.ids)
            ):
                raise invalid("intent_id", "not the intent of this destruction")
            self._require_epoch(transaction, known)
            return known.by
        if self.operation is KeyOperation.EPOCH or not self.person:
            return self.service
        party = staff_party(self.person)
        return transaction.tokens([party])[party]

    def _require_epoch(self, transaction: LogTransaction, intent: KeyLeaf) -> None:
        """What had wrapped the keys must be gone before their end is recorded."""
        last = storage.epochs.find_last(transaction.connection, transaction.log)
        if last is None or last.idx < transaction.seen([intent.id])[intent.id].idx:
            raise invalid("intent_id", "no epoch ended after it")


def _not_found(organization: str, resource: str) -> EmanetError:
    return error(Reason.RESOURCE_NOT_FOUND, resource=f"organizations/{organization}/{resource}")
