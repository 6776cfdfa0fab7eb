"""CheckAccess and RecordAccess: decided and recorded inside one transaction of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from emanet.api.access_audit.v1 import access_audit_pb2
from emanet.core.clock import Clock
from emanet.core.encoding import micros
from emanet.core.errors import EmanetError, IntegrityError, Reason, error
from emanet.core.names import Collection, format_name
from emanet.rules.question import Decision
from services.access_audit.committer import Committer
from services.access_audit.domain.claim import MAX_ITEMS, Claim
from services.access_audit.domain.recording import Outcome
from services.access_audit.jobs.access import (
    AccessDesk,
    CheckJob,
    Recorded,
    RecordJob,
    RecordOrder,
)
from services.access_audit.messages import to_receipt, to_verdict
from services.access_audit.reading import ClaimReader, Stated
from services.access_audit.requestkeys import RequestKeys
from services.access_audit.warnings import WarningCode, Warnings
from services.runtime.errors import status_of
from services.runtime.request import CallerKind, Request

__all__ = ["Accesses"]

_AHEAD = timedelta(minutes=5)
_SERVICE = "access_audit"
_CORRUPT: Mapping[Reason, WarningCode] = MappingProxyType(
    {
        Reason.REGISTER_CORRUPT: WarningCode.REGISTER_CORRUPT,
        Reason.RULES_CORRUPT: WarningCode.RULES_CORRUPT,
    }
)


@dataclass(frozen=True, slots=True)
class Accesses:
    """Decides and records accesses."""

    committer: Committer
    reader: ClaimReader
    keys: RequestKeys
    desk: AccessDesk
    clock: Clock
    warnings: Warnings

    async def check(
        self, request: Request, message: access_audit_pb2.CheckAccessRequest
    ) -> access_audit_pb2.CheckAccessResponse:
        """Decides one access before it happens; allowed or not, it is recorded.

        Raises:
            EmanetError: nothing was decided: see `CheckJob.run` and `Committer.submit`.
        """
        claim = self.reader.check(request, message)
        job = CheckJob(
            organization=request.organization,
            claim=claim,
            register_number=message.register_number,
            desk=self.desk,
        )
        try:
            committed = await self.committer.submit(job)
        except IntegrityError as refused:
            self._warn_of(request.organization, refused.reason)
            raise
        outcome, appended = committed.result.outcome, committed.result.appended
        self._warn(request.organization, outcome)
        decision = outcome.decision
        return access_audit_pb2.CheckAccessResponse(
            verdict=to_verdict(decision.verdict),
            reason=decision.why,
            metadata=_metadata(decision),
            record=_record_name(request.organization, claim),
            receipt=to_receipt(appended, committed.head),
            leaf=appended.data if request.caller.kind is CallerKind.SERVICE else b"",
            waiting_for_review=outcome.waiting,
        )

    async def record(
        self, request: Request, message: access_audit_pb2.RecordAccessRequest
    ) -> access_audit_pb2.RecordAccessResponse:
        """Records accesses that have happened; each item has its own answer.

        Raises:
            EmanetError: nothing was recorded: see `Committer.submit`; BATCH_TOO_LARGE.
        """
        if len(message.items) > MAX_ITEMS:
            raise error(Reason.BATCH_TOO_LARGE, limit=str(MAX_ITEMS))
        latest_us = micros(self.clock.now() + _AHEAD)
        known: dict[bytes, Stated] = {}
        read = [
            self._order(request, item, latest_us=latest_us, known=known) for item in message.items
        ]
        orders = tuple(each for each in read if isinstance(each, RecordOrder))
        committed = await self.committer.submit(
            RecordJob(organization=request.organization, orders=orders, desk=self.desk)
        )
        answers = iter(committed.result)
        results = [
            self._result(request, each.claim, next(answers))
            if isinstance(each, RecordOrder)
            else _refusal(request, each)
            for each in read
        ]
        return access_audit_pb2.RecordAccessResponse(
            results=results, checkpoint=committed.head.note
        )

    def _order(
        self,
        request: Request,
        item: access_audit_pb2.RecordItem,
        *,
        latest_us: int,
        known: dict[bytes, Stated],
    ) -> RecordOrder | EmanetError:
        try:
            claim, people = self.reader.record(request, item, latest_us=latest_us, known=known)
            key = self.keys.request(
                _without_token(item),
                request_id=item.id,
                organization=request.organization,
                caller=request.caller.spiffe_id,
                person=people,
            )
        except EmanetError as refused:
            return refused
        return RecordOrder(claim=claim, request=key)

    def _result(
        self, request: Request, claim: Claim, answer: Recorded | EmanetError
    ) -> access_audit_pb2.RecordResult:
        if isinstance(answer, EmanetError):
            self._warn_of(request.organization, answer.reason)
            return _refusal(request, answer)
        self._warn(request.organization, answer.outcome)
        return access_audit_pb2.RecordResult(
            record=_record_name(request.organization, claim),
            verdict=to_verdict(answer.verdict),
            index=answer.index,
            leaf_hash=answer.leaf_hash,
        )

    def _warn_of(self, organization: str, reason: Reason) -> None:
        code = _CORRUPT.get(reason)
        if code is not None:
            self.warnings.add(organization, code)

    def _warn(self, organization: str, outcome: Outcome | None) -> None:
        if outcome is not None and outcome.decision.reason is Reason.EVALUATION_FAILED:
            self.warnings.add(organization, WarningCode.RULE_EVALUATION_FAILED)


def _without_token(item: access_audit_pb2.RecordItem) -> access_audit_pb2.RecordItem:
    """The item as it is recognised again: a token is another one at every try."""
    if not item.context.approver_token:
        return item
    content = access_audit_pb2.RecordItem()
    content.CopyFrom(item)
    content.context.ClearField("approver_token")
    return content


def _metadata(decision: Decision) -> dict[str, str]:
    found = dict(decision.metadata)
    if decision.reason is not None and decision.rows:
        found["row"] = decision.rows[0]
    return found


def _record_name(organization: str, claim: Claim) -> str:
    return format_name(organization, Collection.ACCESS_RECORDS.value, str(claim.id))


def _refusal(request: Request, refused: EmanetError) -> access_audit_pb2.RecordResult:
    status = status_of(refused, service=_SERVICE, language=request.language)
    return access_audit_pb2.RecordResult(status=status)
