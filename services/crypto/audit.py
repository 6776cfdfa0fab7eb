"""What crypto asks of access_audit: decisions, outcomes, key events and proofs of the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

import grpc
from grpc import aio

from emanet.api.access_audit.v1 import (
    access_audit_pb2,
    access_audit_pb2_grpc,
    log_pb2,
    log_pb2_grpc,
    resources_pb2,
)
from emanet.client.status import error_from_rpc
from emanet.core.encoding import b64url_encode
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import KeyOperation, Receipt

__all__ = ["AccessQuestion", "AskedItem", "Audit", "AuditGateway", "KeyEvent", "core_receipt"]

_T = TypeVar("_T")

# What says no more than that access_audit cannot answer now; other reasons are told as they are.
_NOT_NOW = frozenset(
    {
        Reason.DATABASE_UNAVAILABLE,
        Reason.DEADLINE_EXCEEDED,
        Reason.INTERNAL_ERROR,
        Reason.NOT_READY,
        Reason.SERVICE_UNAVAILABLE,
    }
)
_LIST_PAGE = 1_000
_OPERATIONS = {
    KeyOperation.DESTROY_INTENT: access_audit_pb2.KEY_OPERATION_DESTROY_INTENT,
    KeyOperation.DESTROYED: access_audit_pb2.KEY_OPERATION_DESTROYED,
    KeyOperation.EPOCH: access_audit_pb2.KEY_OPERATION_EPOCH,
}


class AskedItem(NamedTuple):
    """Values of one field, subject (from the key row) and bucket, and how many they are."""

    field: str
    subject: str
    bucket: str
    values: int

    def __repr__(self) -> str:
        return f"AskedItem({self.field!r}, ...)"


@dataclass(frozen=True, slots=True)
class AccessQuestion:
    """One CheckAccess.

    Attributes:
        organization: the slug.
        attempt: fresh UUIDv7.
        context: who reads, for what, as the application sent it.
        action: the nature of the access.
        items: what is to be read.
        register: number of the register version in effect here.
        application: name of the application that asked.
        staff_token: forwarded unchanged; empty for none.
    """

    organization: str
    attempt: UUID
    context: resources_pb2.AccessContext = field(repr=False)
    action: resources_pb2.Action.ValueType
    items: Sequence[AskedItem] = field(repr=False)
    register: int
    application: str
    staff_token: str = field(repr=False)


class KeyEvent(NamedTuple):
    """One RecordKeyEvent.

    Attributes:
        leaf_id: UUIDv7.
        retention_class: empty for EPOCH.
        key_ids: empty for EPOCH.
        epochs: the numbers of epochs, for EPOCH alone.
        intent: id of the intent's leaf, for DESTROYED alone.
    """

    organization: str
    leaf_id: str
    operation: KeyOperation
    retention_class: str = ""
    key_ids: tuple[bytes, ...] = ()
    epochs: tuple[int, ...] = ()
    intent: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """What the leaf names, as it writes it."""
        return (*map(b64url_encode, self.key_ids), *map(str, self.epochs))


class Audit(Protocol):
    """The part of access_audit that crypto rests on."""

    async def check_access(
        self, question: AccessQuestion, *, timeout_s: float
    ) -> access_audit_pb2.CheckAccessResponse:
        """Decides and records one access; the record is durable when it returns."""

    async def record_outcome(
        self,
        *,
        organization: str,
        access: UUID,
        outcome: UUID,
        item: int,
        why: str,
        timeout_s: float,
    ) -> resources_pb2.Receipt:
        """Records that an allowed access failed afterwards."""

    async def record_key_event(
        self, event: KeyEvent, *, staff_token: str, timeout_s: float
    ) -> access_audit_pb2.RecordKeyEventResponse:
        """Records a step in the life of keys; the same id again gives the first answer."""

    async def consistency_proof(
        self, organization: str, *, old_size: int, new_size: int, timeout_s: float
    ) -> tuple[bytes, ...]:
        """Hashes that prove one tree to begin with another."""

    async def inclusion_proof(
        self, organization: str, *, index: int, size: int, timeout_s: float
    ) -> tuple[bytes, ...]:
        """Hashes that prove a leaf to be in a tree."""

    async def is_due(
        self, organization: str, *, subject: str, retention_class: str, timeout_s: float
    ) -> bool:
        """Whether the subject's values of the class have lapsed by their pushed events."""


class _Stubs(NamedTuple):
    """The stubs of one channel."""

    channel: aio.Channel
    access: access_audit_pb2_grpc.AccessAuditServiceAsyncStub
    log: log_pb2_grpc.LogServiceAsyncStub


class AuditGateway:
    """`Audit` over gRPC. Every failure to get an answer is AUDIT_UNAVAILABLE."""

    def __init__(self, channel: Callable[[], aio.Channel]) -> None:
        self._channel = channel
        self._stubs: _Stubs | None = None

    async def check_access(
        self, question: AccessQuestion, *, timeout_s: float
    ) -> access_audit_pb2.CheckAccessResponse:
        """Decides and records one access.

        Raises:
            UnavailableError: AUDIT_UNAVAILABLE, or what access_audit tells (REGISTER_SKEW,
                OVERLOADED).
            EmanetError: other refusals of access_audit, as they are.
        """
        request = access_audit_pb2.CheckAccessRequest(
            organization=question.organization,
            attempt_id=str(question.attempt),
            context=question.context,
            action=question.action,
            register_number=question.register,
            application=question.application,
        )
        add = request.items.add
        for name, subject, bucket, values in question.items:
            add(field=name, subject=subject, bucket=bucket, count=values)
        return await self._call(
            lambda: self._open().access.CheckAccess(
                request, timeout=timeout_s, metadata=_bearer(question.staff_token)
            )
        )

    async def record_outcome(
        self,
        *,
        organization: str,
        access: UUID,
        outcome: UUID,
        item: int,
        why: str,
        timeout_s: float,
    ) -> resources_pb2.Receipt:
        """Records that an allowed access failed afterwards; raises like `check_access`."""
        request = access_audit_pb2.RecordOutcomeRequest(
            organization=organization,
            id=str(outcome),
            record_id=str(access),
            item=item,
            reason=why,
        )
        answer = await self._call(
            lambda: self._open().access.RecordOutcome(request, timeout=timeout_s)
        )
        return answer.receipt

    async def record_key_event(
        self, event: KeyEvent, *, staff_token: str, timeout_s: float
    ) -> access_audit_pb2.RecordKeyEventResponse:
        """Records a step in the life of keys; raises like `check_access`."""
        request = access_audit_pb2.RecordKeyEventRequest(
            organization=event.organization,
            id=event.leaf_id,
            operation=_OPERATIONS[event.operation],
            retention_class=event.retention_class,
            key_ids=event.key_ids,
            intent_id=event.intent,
            epochs=event.epochs,
        )
        return await self._call(
            lambda: self._open().access.RecordKeyEvent(
                request, timeout=timeout_s, metadata=_bearer(staff_token)
            )
        )

    async def consistency_proof(
        self, organization: str, *, old_size: int, new_size: int, timeout_s: float
    ) -> tuple[bytes, ...]:
        """Hashes as in RFC 6962 section 2.1.2; raises like `check_access`."""
        request = log_pb2.GetConsistencyProofRequest(
            parent=f"organizations/{organization}", from_size=old_size, to_size=new_size
        )
        answer = await self._call(
            lambda: self._open().log.GetConsistencyProof(request, timeout=timeout_s)
        )
        return tuple(answer.hashes)

    async def inclusion_proof(
        self, organization: str, *, index: int, size: int, timeout_s: float
    ) -> tuple[bytes, ...]:
        """Hashes as in RFC 6962 section 2.1.1; raises like `check_access`."""
        request = log_pb2.GetInclusionProofRequest(
            parent=f"organizations/{organization}", index=index, tree_size=size
        )
        answer = await self._call(
            lambda: self._open().log.GetInclusionProof(request, timeout=timeout_s)
        )
        return tuple(answer.hashes)

    async def is_due(
        self, organization: str, *, subject: str, retention_class: str, timeout_s: float
    ) -> bool:
        """Looks through ListDueSubjects; raises like `check_access`."""
        page_token = ""
        while True:
            request = access_audit_pb2.ListDueSubjectsRequest(
                parent=f"organizations/{organization}",
                page_size=_LIST_PAGE,
                page_token=page_token,
            )
            page = await self._list_due(request, timeout_s)
            if any(
                (due.subject, due.retention_class) == (subject, retention_class)
                for due in page.subjects
            ):
                return True
            page_token = page.next_page_token
            if not page_token:
                return False

    async def _list_due(
        self, request: access_audit_pb2.ListDueSubjectsRequest, timeout_s: float
    ) -> access_audit_pb2.ListDueSubjectsResponse:
        return await self._call(
            lambda: self._open().access.ListDueSubjects(request, timeout=timeout_s)
        )

    def _open(self) -> _Stubs:
        channel = self._channel()
        if self._stubs is None or self._stubs.channel is not channel:
            self._stubs = _Stubs(
                channel,
                access_audit_pb2_grpc.AccessAuditServiceStub(channel),
                log_pb2_grpc.LogServiceStub(channel),
            )
        return self._stubs

    async def _call(self, call: Callable[[], Awaitable[_T]]) -> _T:
        try:
            return await call()
        except grpc.RpcError as failure:
            raise _told(failure) from failure


def core_receipt(receipt: resources_pb2.Receipt) -> Receipt:
    """The receipt as a value.

    Raises:
        IntegrityError: RECEIPT_INVALID when it is malformed.
    """
    return Receipt(checkpoint=receipt.checkpoint, index=receipt.index, leaf_hash=receipt.leaf_hash)


def _told(failure: grpc.RpcError) -> EmanetError:
    told = error_from_rpc(failure, service="access_audit")
    if told.reason in _NOT_NOW:
        return error(Reason.AUDIT_UNAVAILABLE)
    return told


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),) if token else ()
