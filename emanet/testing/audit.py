"""The access audit of the fake: the services' rules over facts kept in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.clock import Clock
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.ids import parse_uuid7
from emanet.core.leaf_terms import ActorKind, Verdict
from emanet.core.names import is_slug
from emanet.register.values import Register
from emanet.rules.compile import CompiledRules
from emanet.rules.decide import decide
from emanet.rules.needs import needed_counts
from emanet.rules.question import CaseFacts, Decision, Facts
from emanet.testing.access import (
    MAX_ITEMS,
    Access,
    AccessReader,
    Caller,
    invalid,
    read_case,
    read_time,
    require_subjects,
)
from emanet.testing.lapses import lapsed_fields
from emanet.testing.log import UnsignedLog
from emanet.testing.records import RecordedAccess, record_of, tally
from emanet.testing.staff import StaffTokens
from emanet.testing.statuses import status_of

__all__ = ["MemoryAudit"]

_AHEAD = timedelta(minutes=5)
_MAX_SUBJECTS = 100
_PUT_CASES = "emanet.api.access_audit.v1.AccessAuditService/PutCases"
_SERVICE = "access_audit"
_Content: TypeAlias = tuple[bytes, tuple[str, ...]]
_VERDICTS = {
    Verdict.ALLOW: resources_pb2.VERDICT_ALLOW,
    Verdict.DENY: resources_pb2.VERDICT_DENY,
}


class MemoryAudit:
    """Decides, records and stores facts of one organization; needs a lock around its calls.

    Attributes:
        records: every access record, oldest first.
        is_down: it cannot be reached.
    """

    def __init__(
        self,
        *,
        organization: str,
        register: Register,
        rules: CompiledRules,
        staff: StaffTokens,
        clock: Clock,
    ) -> None:
        """Starts with an empty log and without cases."""
        self._organization = organization
        self._register = register
        self._rules = rules
        self._clock = clock
        self._reader = AccessReader(organization=organization, staff=staff)
        self._log = UnsignedLog(organization)
        self._cases: dict[tuple[str, str], CaseFacts] = {}
        self._events: dict[str, dict[str, datetime]] = {}
        self.is_down = False
        self._ids: set[UUID] = set()
        self._received: list[tuple[datetime, RecordedAccess]] = []
        self._answers: dict[str, tuple[_Content, access_audit_pb2.RecordResult]] = {}

    @property
    def records(self) -> tuple[RecordedAccess, ...]:
        """Every access record, oldest first."""
        return tuple(record for _, record in self._received)

    def check(
        self,
        request: access_audit_pb2.CheckAccessRequest,
        caller: Caller,
    ) -> access_audit_pb2.CheckAccessResponse:
        """Decides one access before it happens; allowed or not, it is recorded.

        Raises:
            CallerError: INVALID_FIELD, INVALID_SUBJECT, BATCH_TOO_LARGE, ATTEMPT_REUSED.
            DeniedError: TOKEN_MISSING, TOKEN_INVALID.
            UnavailableError: AUDIT_UNAVAILABLE while it is down.
        """
        if self.is_down:
            raise error(Reason.AUDIT_UNAVAILABLE)
        access = self._reader.read(
            request.context,
            access_id=request.attempt_id,
            action=request.action,
            items=request.items,
            caller=caller,
        )
        if access.id in self._ids:
            raise error(Reason.ATTEMPT_REUSED)
        decision = self._decide(access)
        record, receipt = self._append(access, decision, has_happened=False)
        return access_audit_pb2.CheckAccessResponse(
            verdict=_VERDICTS[decision.verdict],
            reason=decision.why,
            metadata=_metadata(decision),
            record=record.name,
            receipt=receipt,
            waiting_for_review=record.waiting_for_review,
        )

    def record(
        self,
        request: access_audit_pb2.RecordAccessRequest,
        caller: Caller,
    ) -> access_audit_pb2.RecordAccessResponse:
        """Records accesses that have happened; each item has its own answer.

        Raises:
            CallerError: BATCH_TOO_LARGE.
        """
        _require_batch(len(request.items))
        results = []
        for item in request.items:
            try:
                result = self._record(item, caller)
            except EmanetError as refused:
                status = status_of(refused, service=_SERVICE)
                result = access_audit_pb2.RecordResult(status=status)
            results.append(result)
        return access_audit_pb2.RecordAccessResponse(
            results=results, checkpoint=self._log.checkpoint()
        )

    def put_cases(
        self, request: access_audit_pb2.PutCasesRequest, caller: Caller
    ) -> access_audit_pb2.PutCasesResponse:
        """Stores cases of kinds that the rules give this application.

        Raises:
            DeniedError: RPC_NOT_ALLOWED for a kind of another application.
            CallerError: INVALID_FIELD, INVALID_SUBJECT, BATCH_TOO_LARGE.
        """
        _require_batch(len(request.cases))
        kinds = self._rules.kinds
        for case in request.cases:
            kind = kinds.get(case.ref.kind)
            if kind is None or kind.application != caller.application:
                raise error(Reason.RPC_NOT_ALLOWED, rpc=_PUT_CASES)
        cases = {(facts.kind, facts.ref): facts for facts in map(self._case, request.cases)}
        if len(cases) != len(request.cases):
            raise invalid("cases", "a case is named twice")
        receipt = self._log.append(parse_uuid7(request.request_id))
        self._cases.update(cases)
        return access_audit_pb2.PutCasesResponse(receipt=receipt)

    def put_events(
        self,
        request: access_audit_pb2.PutRetentionEventsRequest,
        caller: Caller,  # noqa: ARG002 (every method has the form of an RPC)
    ) -> access_audit_pb2.PutRetentionEventsResponse:
        """Stores starts of retention periods.

        Raises:
            CallerError: INVALID_FIELD, INVALID_SUBJECT, BATCH_TOO_LARGE.
        """
        _require_batch(len(request.events))
        latest = self._clock.now() + _AHEAD
        starts = {rule.start for rule in self._register.retention.values()}
        times = [
            read_time(each.event_time, "events.event_time", latest=latest)
            for each in request.events
        ]
        if any(each.event not in starts for each in request.events):
            raise invalid("events.event", "no retention rule of the register starts with it")
        require_subjects(self._register, [each.subject for each in request.events])
        receipt = self._log.append(parse_uuid7(request.request_id))
        for each, time in zip(request.events, times, strict=True):
            self._events.setdefault(each.subject, {})[each.event] = time
        return access_audit_pb2.PutRetentionEventsResponse(receipt=receipt)

    def _record(
        self, item: access_audit_pb2.RecordItem, caller: Caller
    ) -> access_audit_pb2.RecordResult:
        access = self._reader.read(
            item.context,
            access_id=item.id,
            action=item.action,
            items=item.items,
            caller=caller,
            time=read_time(item.event_time, "event_time", latest=self._clock.now() + _AHEAD),
        )
        content = _content_of(item, access)
        if access.id in self._ids:
            said, answer = self._answers.get(item.id, (None, None))
            if answer is None or said != content:
                raise error(Reason.REQUEST_ID_REUSED)
            return answer
        record, receipt = self._append(access, self._decide(access), has_happened=True)
        answer = access_audit_pb2.RecordResult(
            record=record.name,
            verdict=_VERDICTS[record.verdict],
            index=receipt.index,
            leaf_hash=receipt.leaf_hash,
        )
        self._answers[item.id] = (content, answer)
        return answer

    def _decide(self, access: Access) -> Decision:
        question = access.question(self._clock.now())
        acting = (access.actor_id,) if access.actor is ActorKind.DATA_SUBJECT else ()
        require_subjects(self._register, (*acting, *access.subjects))
        case = access.case
        facts = Facts(
            case=None if case is None else self._cases.get((case.kind, case.ref)),
            counts={
                (need.counted, need.per): tally(self._received, need, access)
                for need in needed_counts(self._rules, question)
            },
            retention_ended=lapsed_fields(
                self._register,
                access.items,
                purpose=access.purpose,
                at=question.time,
                events=self._events,
            ),
        )
        return decide(self._rules, question, facts)

    def _append(
        self, access: Access, decision: Decision, *, has_happened: bool
    ) -> tuple[RecordedAccess, resources_pb2.Receipt]:
        now = self._clock.now()
        record = record_of(self._organization, access, decision, now=now, has_happened=has_happened)
        self._ids.add(access.id)
        self._received.append((now, record))
        return record, self._log.append(access.id)

    def _case(self, case: resources_pb2.Case) -> CaseFacts:
        now = self._clock.now()
        ref = read_case(self._organization, case.ref, path="cases.ref")
        if len(case.subjects) > _MAX_SUBJECTS:
            raise error(Reason.BATCH_TOO_LARGE, limit=f"{_MAX_SUBJECTS} subjects")
        if not is_slug(case.opened_by):
            raise invalid("cases.opened_by", "customer, system or a role")
        opened = read_time(case.open_time, "cases.open_time", latest=now + _AHEAD)
        closed = None
        if case.HasField("close_time"):
            closed = read_time(case.close_time, "cases.close_time", latest=now + _AHEAD)
            if closed < opened:
                raise invalid("cases.close_time", "before it was opened")
        require_subjects(self._register, case.subjects)
        facts = CaseFacts(
            kind=ref.kind,
            ref=ref.ref,
            opened_by=case.opened_by,
            opened_at=opened,
            received_at=now,
            subjects=frozenset(case.subjects),
            assignees=frozenset(case.assignees),
            teams=frozenset(case.teams),
            opener=case.opener or None,
            closed_at=closed,
        )
        known = self._cases.get((ref.kind, ref.ref))
        # Emanet heard of the case when it was pushed first, whatever is pushed of it later.
        return facts if known is None else replace(facts, received_at=known.received_at)


def _content_of(item: access_audit_pb2.RecordItem, access: Access) -> _Content:
    """What makes two records with one id the same: the words and the people, not their tokens."""
    said = access_audit_pb2.RecordItem()
    said.CopyFrom(item)
    said.context.ClearField("approver_token")
    people = (access.application, access.actor_id, access.approver or "")
    return (said.SerializeToString(deterministic=True), people)


def _metadata(decision: Decision) -> dict[str, str]:
    found = dict(decision.metadata)
    if decision.reason is not None and decision.rows:
        found["row"] = decision.rows[0]
    return found


def _require_batch(count: int) -> None:
    if count > MAX_ITEMS:
        raise error(Reason.BATCH_TOO_LARGE, limit=str(MAX_ITEMS))
