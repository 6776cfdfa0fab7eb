"""What applications and crypto push: cases, retention events, outcomes, steps of keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.clock import Clock
from emanet.core.encoding import b64url_encode, micros, require_nfc
from emanet.core.errors import Reason, error
from emanet.core.ids import parse_uuid7
from emanet.core.leaf import KeyOperation
from emanet.core.names import is_slug
from emanet.core.reasons import CATALOGUE
from services.access_audit.committer import Committer
from services.access_audit.domain.claim import MAX_ITEMS, invalid
from services.access_audit.domain.party import parse_party
from services.access_audit.jobs.keys import KeyEventJob, OutcomeJob
from services.access_audit.jobs.put import CaseOrder, EventOrder, PutCasesJob, PutEventsJob
from services.access_audit.messages import to_receipt
from services.access_audit.reading import read_case_ref, to_micros
from services.access_audit.requestkeys import RequestKeys
from services.access_audit.shelf import Shelf
from services.access_audit.storage.cases import CaseKey
from services.access_audit.transaction import RequestKey
from services.runtime.request import CallerKind, Request

__all__ = ["Facts"]

_AHEAD = timedelta(minutes=5)
_KEY_ID_BYTES = 16
_MAX_KEY_IDS = 500
_MAX_SUBJECTS = 100
_MAX_NAME_CHARACTERS = 128

_OPERATIONS: Mapping[int, KeyOperation] = MappingProxyType(
    {
        access_audit_pb2.KEY_OPERATION_DESTROY_INTENT: KeyOperation.DESTROY_INTENT,
        access_audit_pb2.KEY_OPERATION_DESTROYED: KeyOperation.DESTROYED,
        access_audit_pb2.KEY_OPERATION_EPOCH: KeyOperation.EPOCH,
    }
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Stores what decisions and destruction rest on."""

    committer: Committer
    keys: RequestKeys
    shelf: Shelf
    clock: Clock

    async def put_cases(
        self, request: Request, message: access_audit_pb2.PutCasesRequest
    ) -> access_audit_pb2.PutCasesResponse:
        """Stores cases of kinds that the calling application owns.

        Raises:
            EmanetError: RPC_NOT_ALLOWED for a kind of another application; INVALID_FIELD; see
                `PutCasesJob.run`.
        """
        _require_batch(len(message.cases))
        application = request.caller.application
        if application is None:
            raise error(Reason.RPC_NOT_ALLOWED, rpc=request.rpc)
        if any(case.ref.kind not in application.owns_cases for case in message.cases):
            raise error(Reason.RPC_NOT_ALLOWED, rpc=request.rpc)
        orders = tuple(self._case(request.organization, case) for case in message.cases)
        if len({order.key for order in orders}) != len(orders):
            raise invalid("cases", "a case is named twice")
        job = PutCasesJob(
            organization=request.organization,
            application=application.name,
            orders=orders,
            request=self._key(request, message, message.request_id),
            shelf=self.shelf,
        )
        committed = await self.committer.submit(job)
        return access_audit_pb2.PutCasesResponse(
            receipt=to_receipt(committed.result, committed.head)
        )

    async def put_events(
        self, request: Request, message: access_audit_pb2.PutRetentionEventsRequest
    ) -> access_audit_pb2.PutRetentionEventsResponse:
        """Stores starts of retention periods, of events that the calling application owns.

        Raises:
            EmanetError: RPC_NOT_ALLOWED for an event of another application; INVALID_FIELD; see
                `PutEventsJob.run`.
        """
        _require_batch(len(message.events))
        application = request.caller.application
        if application is None:
            raise error(Reason.RPC_NOT_ALLOWED, rpc=request.rpc)
        if any(event.event not in application.owns_events for event in message.events):
            raise error(Reason.RPC_NOT_ALLOWED, rpc=request.rpc)
        latest_us = micros(self.clock.now() + _AHEAD)
        orders = tuple(_event(event, latest_us) for event in message.events)
        job = PutEventsJob(
            organization=request.organization,
            application=application.name,
            orders=orders,
            request=self._key(request, message, message.request_id),
            shelf=self.shelf,
        )
        committed = await self.committer.submit(job)
        return access_audit_pb2.PutRetentionEventsResponse(
            receipt=to_receipt(committed.result, committed.head)
        )

    async def record_outcome(
        self, request: Request, message: access_audit_pb2.RecordOutcomeRequest
    ) -> access_audit_pb2.RecordOutcomeResponse:
        """Records that an allowed access failed afterwards.

        Raises:
            EmanetError: INVALID_FIELD for a reason that is not in the catalogue; see
                `OutcomeJob.run`.
        """
        if message.reason not in CATALOGUE:
            raise invalid("reason", "not a documented reason")
        job = OutcomeJob(
            organization=request.organization,
            access=parse_uuid7(message.record_id),
            item=message.item,
            why=message.reason,
            request=self._key(request, message, message.id),
        )
        committed = await self.committer.submit(job)
        return access_audit_pb2.RecordOutcomeResponse(
            receipt=to_receipt(committed.result, committed.head)
        )

    async def record_key_event(
        self, request: Request, message: access_audit_pb2.RecordKeyEventRequest
    ) -> access_audit_pb2.RecordKeyEventResponse:
        """Records a step in the life of keys.

        Raises:
            EmanetError: INVALID_FIELD; see `KeyEventJob.run`.
        """
        if max(len(message.key_ids), len(message.epochs)) > _MAX_KEY_IDS:
            raise error(Reason.BATCH_TOO_LARGE, limit=str(_MAX_KEY_IDS))
        operation = _operation(message)
        job = KeyEventJob(
            organization=request.organization,
            operation=operation,
            retention_class=message.retention_class,
            ids=_epochs(message) if operation is KeyOperation.EPOCH else _key_ids(message),
            service=request.caller.name,
            request=self._key(request, message, message.id),
            person="" if request.staff is None else request.staff.person_id,
            intent=parse_uuid7(message.intent_id) if message.intent_id else None,
        )
        committed = await self.committer.submit(job)
        return access_audit_pb2.RecordKeyEventResponse(
            receipt=to_receipt(committed.result, committed.head), leaf=committed.result.data
        )

    def _key(
        self,
        request: Request,
        message: access_audit_pb2.PutCasesRequest
        | access_audit_pb2.PutRetentionEventsRequest
        | access_audit_pb2.RecordOutcomeRequest
        | access_audit_pb2.RecordKeyEventRequest,
        request_id: str,
    ) -> RequestKey:
        """The key of a request; crypto goes on with a step without the person who began it."""
        person = request.staff if request.caller.kind is CallerKind.APPLICATION else None
        return self.keys.request(
            message,
            request_id=request_id,
            organization=request.organization,
            caller=request.caller.spiffe_id,
            person="" if person is None else person.person_id,
        )

    def _case(self, organization: str, case: resources_pb2.Case) -> CaseOrder:
        ref = read_case_ref(organization, case.ref, path="cases.ref")
        if len(case.subjects) > _MAX_SUBJECTS:
            raise error(Reason.BATCH_TOO_LARGE, limit=f"{_MAX_SUBJECTS} subjects")
        if not is_slug(case.opened_by):
            raise invalid("cases.opened_by", "customer, system or a role")
        latest_us = micros(self.clock.now() + _AHEAD)
        open_us = to_micros(case.open_time, "cases.open_time", latest_us=latest_us)
        close_us = None
        if case.HasField("close_time"):
            close_us = to_micros(case.close_time, "cases.close_time", latest_us=latest_us)
            if close_us < open_us:
                raise invalid("cases.close_time", "before it was opened")
        subjects = dict(map(parse_party, case.subjects))
        return CaseOrder(
            key=CaseKey(kind=ref.kind, ref=ref.ref),
            opened_by=case.opened_by,
            open_us=open_us,
            close_us=close_us,
            subjects=tuple(subjects),
            identities=frozenset(party.namespace for party, found in subjects.items() if found),
            assignees=_names(case.assignees, "cases.assignees"),
            teams=tuple(team.removeprefix("group:") for team in _names(case.teams, "cases.teams")),
            opener=next(iter(_names([case.opener] if case.opener else [], "cases.opener")), ""),
        )


def _event(event: resources_pb2.RetentionEvent, latest_us: int) -> EventOrder:
    subject, is_identity = parse_party(event.subject)
    return EventOrder(
        subject=subject,
        is_identity=is_identity,
        event=event.event,
        event_us=to_micros(event.event_time, "events.event_time", latest_us=latest_us),
    )


def _names(names: Iterable[str], path: str) -> tuple[str, ...]:
    for name in names:
        if not 0 < len(require_nfc(name)) <= _MAX_NAME_CHARACTERS or not name.isprintable():
            raise invalid(path, "not a name")
    return tuple(dict.fromkeys(names))


def _require_batch(count: int) -> None:
    if count > MAX_ITEMS:
        raise error(Reason.BATCH_TOO_LARGE, limit=str(MAX_ITEMS))


def _operation(message: access_audit_pb2.RecordKeyEventRequest) -> KeyOperation:
    operation = _OPERATIONS.get(message.operation)
    if operation is None:
        raise invalid("operation", "not stated, or not known here")
    return operation


def _key_ids(message: access_audit_pb2.RecordKeyEventRequest) -> tuple[str, ...]:
    if not message.key_ids or message.epochs:
        raise invalid("key_ids", "at least one key, and no epochs")
    if any(len(key_id) != _KEY_ID_BYTES for key_id in message.key_ids):
        raise invalid("key_ids", "a key id has 16 bytes")
    return tuple(map(b64url_encode, message.key_ids))


def _epochs(message: access_audit_pb2.RecordKeyEventRequest) -> tuple[str, ...]:
    if message.key_ids or message.retention_class or message.intent_id:
        raise invalid("epochs", "an epoch has no class, keys or intent")
    numbers = list(message.epochs)
    if not numbers or numbers[0] < 1 or numbers != sorted(set(numbers)):
        raise invalid("epochs", "at least one number from 1, ascending")
    return tuple(map(str, numbers))
