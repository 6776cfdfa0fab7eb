"""Decrypt: opens values after access_audit has allowed it and holds a durable record of it.

The order is DESIGN §7: parse without keys, find keys, ask and record under a fresh attempt, verify
the receipt, open in memory, record what failed, answer. Whatever goes wrong before the last step,
no plaintext leaves this module.

A value that cannot be opened is counted too, so that the record's count is that of the request.
Where its S still tells whose it was (a destroyed month), it stands under that subject. Otherwise
(malformed, unknown, a destroyed S) no subject can be trusted: it is counted with the first value of
the same field that has one, and when there is none the field stands in the question alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import structlog

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.clock import Clock
from emanet.core.envelope import KEY_IDS
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.ids import new_uuid7
from emanet.core.leaf import MAX_FIELDS, Act
from emanet.core.names import Collection, format_name, is_slug
from emanet.register.protection import RegisterView
from emanet.register.values import Level
from services.crypto.audit import AccessQuestion, Audit, core_receipt
from services.crypto.domain.keys import OpenedPair, Pair, PairIds
from services.crypto.domain.proof import KnownLog, Question, verify_allowed
from services.crypto.keys import FoundPairs, KeyFinder, LostPair, unknown_pair
from services.crypto.opening import (
    OpenedValue,
    Opener,
    SealedItem,
    asked_items,
    read_envelope,
)
from services.crypto.tenants import Tenant, Tenants

__all__ = ["DecryptOperation", "Decrypted", "ReadRequest"]

_Action = resources_pb2.Action
_ACTS: Mapping[int, Act] = {
    _Action.ACTION_READ_MASKED: Act.READ_MASKED,
    _Action.ACTION_DECRYPT: Act.DECRYPT,
    _Action.ACTION_EXPORT: Act.EXPORT,
    _Action.ACTION_DISCLOSE: Act.DISCLOSE,
}
_CLOSED_LEVELS = {
    Level.SEALED: Reason.FIELD_SEALED,
    Level.FORBIDDEN: Reason.FIELD_FORBIDDEN,
}
_MIN_TIMEOUT_S = 0.01
_ANSWER_S = 0.25
"""Kept of the caller's deadline for the answer: a caller whose own clock runs out first is told
DEADLINE_EXCEEDED, from which it could not know that nothing was opened."""
_NO_IDS = b""
"""What `KEY_IDS` cuts out of no envelope."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A batch of one organization, actor, purpose and case.

    Attributes:
        organization: the slug.
        context: who reads, for what, from where, as the application sent it.
        action: the nature of the access.
        items: the values.
        application: the calling application's name.
        staff_token: forwarded unchanged; empty for none.
        timeout_s: what is left of the caller's deadline.
    """

    organization: str
    context: resources_pb2.AccessContext = field(repr=False)
    action: resources_pb2.Action.ValueType
    items: Sequence[SealedItem] = field(repr=False)
    application: str
    staff_token: str = field(repr=False)
    timeout_s: float


class _Batch(NamedTuple):
    """The envelopes of a batch, raw (empty for what is none), and the keys found for them."""

    envelopes: Sequence[bytes]
    found: FoundPairs
    keys: Sequence[Pair | OpenedPair | LostPair]
    unknown: LostPair

    def __repr__(self) -> str:
        return "_Batch(...)"


@dataclass(frozen=True, slots=True)
class Decrypted:
    """The answer to a batch.

    Attributes:
        results: for each item its value, or why it was not opened.
        record: name of the access record.
        receipt: the proof that the record is in the log.
        waiting_for_review: whether nobody's case explains the access.
    """

    results: list[OpenedValue | EmanetError] = field(repr=False)
    record: str
    receipt: resources_pb2.Receipt
    waiting_for_review: bool


class DecryptOperation:
    """Opens batches; safe to run concurrently in one event loop."""

    def __init__(
        self,
        *,
        tenants: Tenants,
        finder: KeyFinder,
        audit: Audit,
        clock: Clock,
        audit_timeout_s: float,
    ) -> None:
        self._tenants = tenants
        self._finder = finder
        self._audit = audit
        self._clock = clock
        self._audit_timeout_s = audit_timeout_s

    async def run(self, request: ReadRequest) -> Decrypted:
        """Opens a batch.

        Raises:
            CallerError: INVALID_FIELD, another action than Decrypt knows or a malformed field;
                BATCH_TOO_LARGE, more than 64 fields; FIELD_SEALED, FIELD_FORBIDDEN (recorded).
            DeniedError: the denial's reason, with the record's name.
            StateError: ORGANIZATION_MISSING, REGISTER_MISSING, KEYS_BEHIND, SECRET_UNUSABLE.
            UnavailableError: AUDIT_UNAVAILABLE, REGISTER_SKEW, LOG_BEHIND and others of
                access_audit; DATABASE_UNAVAILABLE.
            IntegrityError: RECEIPT_INVALID, LOG_FORK.
        """
        deadline = asyncio.get_running_loop().time() + request.timeout_s
        act = _ACTS.get(request.action)
        if act is None:
            raise _invalid("action", "Decrypt masks, decrypts, exports or discloses")
        fields = _fields_of(request.items)
        tenant = await self._tenants.require(request.organization)
        view = self._tenants.register(request.organization).in_effect(self._clock.now())
        batch = await self._find_keys(tenant, request.items)
        attempt = new_uuid7(self._clock)
        known = tenant.log.seen
        asked = AccessQuestion(
            organization=request.organization,
            attempt=attempt,
            context=request.context,
            action=request.action,
            items=asked_items(request.items, batch.keys),
            register=view.number,
            application=request.application,
            staff_token=request.staff_token,
        )
        answer, pairs = await self._ask(asked, batch.found, self._timeout_s(deadline))
        record = format_name(request.organization, Collection.ACCESS_RECORDS.value, str(attempt))
        _refuse_closed(view, fields, record, answer)
        question = Question(
            attempt=attempt,
            organization=request.organization,
            application=request.application,
            purpose=request.context.purpose,
            act=act,
            fields=fields,
            values=len(request.items),
            register=view.number,
        )
        _verify_answer(tenant, answer, question, known)
        opener = Opener(organization=request.organization, view=view, act=act)
        results = [
            opener.open(item, envelope, pairs.get(envelope[KEY_IDS], batch.unknown))
            for item, envelope in zip(request.items, batch.envelopes, strict=True)
        ]
        await self._record_failure(request.organization, attempt, results, deadline)
        return Decrypted(
            results=results,
            record=record,
            receipt=answer.receipt,
            waiting_for_review=answer.waiting_for_review,
        )

    async def _find_keys(self, tenant: Tenant, items: Sequence[SealedItem]) -> _Batch:
        envelopes = [read_envelope(item.envelope) for item in items]
        ids = [envelope[KEY_IDS] for envelope in envelopes]
        found = await self._finder.find_by_ids(tenant, set(ids) - {_NO_IDS})
        unknown = unknown_pair()
        keys = [found.by_ids.get(each, unknown) for each in ids]
        return _Batch(envelopes, found, keys, unknown)

    async def _ask(
        self, question: AccessQuestion, found: FoundPairs, timeout_s: float
    ) -> tuple[access_audit_pb2.CheckAccessResponse, Mapping[PairIds, Pair | LostPair]]:
        asked = asyncio.ensure_future(self._audit.check_access(question, timeout_s=timeout_s))
        try:
            # The request is on its way while this process derives what an allow will need.
            await asyncio.sleep(0)
            pairs = self._finder.derive_all(question.organization, found)
            return await asked, pairs
        finally:
            asked.cancel()

    async def _record_failure(
        self,
        organization: str,
        attempt: UUID,
        results: Sequence[OpenedValue | EmanetError],
        deadline: float,
    ) -> None:
        """Records the first value that did not open; without that record nothing is answered."""
        for index, result in enumerate(results):
            if isinstance(result, EmanetError):
                await self._audit.record_outcome(
                    organization=organization,
                    access=attempt,
                    outcome=new_uuid7(self._clock),
                    item=index,
                    why=result.reason.value,
                    timeout_s=self._timeout_s(deadline),
                )
                _log.warning(
                    "value.not_opened",
                    organization=organization,
                    record=str(attempt),
                    item=index,
                    reason=result.reason.value,
                )
                return

    def _timeout_s(self, deadline: float) -> float:
        left = deadline - asyncio.get_running_loop().time()
        if left <= _MIN_TIMEOUT_S:
            raise error(Reason.AUDIT_UNAVAILABLE)
        return min(max(left - _ANSWER_S, left / 2), self._audit_timeout_s)


def _fields_of(items: Sequence[SealedItem]) -> frozenset[str]:
    fields = frozenset(item.field for item in items)
    if len(fields) > MAX_FIELDS:
        raise error(Reason.BATCH_TOO_LARGE, limit=str(MAX_FIELDS))
    if not all(map(is_slug, fields)):
        raise _invalid("items.field", "a field is a slug")
    return fields


def _refuse_closed(
    view: RegisterView,
    fields: frozenset[str],
    record: str,
    answer: access_audit_pb2.CheckAccessResponse,
) -> None:
    """Raises for a field that must not be opened here at all, and for a denial."""
    for name in sorted(fields):
        rule = view.fields.get(name)
        closed = None if rule is None or rule.level is None else _CLOSED_LEVELS.get(rule.level)
        if closed is not None:
            raise error(closed, field=name, row=f"fields/{name}", record=record)
    if answer.verdict != resources_pb2.Verdict.VERDICT_ALLOW:
        raise _denial(answer, record)


def _denial(answer: access_audit_pb2.CheckAccessResponse, record: str) -> EmanetError:
    try:
        reason = Reason(answer.reason)
    except ValueError:
        reason = Reason.EVALUATION_FAILED
    metadata: dict[str, str] = {**answer.metadata, "record": record}
    return error(reason, violations=(), **metadata)


def _verify_answer(
    tenant: Tenant,
    answer: access_audit_pb2.CheckAccessResponse,
    question: Question,
    known: KnownLog,
) -> None:
    try:
        leaf = tenant.log.believe(core_receipt(answer.receipt), answer.leaf, known=known)
        verify_allowed(leaf, question)
    except EmanetError as failure:
        _log.error(
            "receipt.refused",
            organization=question.organization,
            record=str(question.attempt),
            reason=failure.reason.value,
        )
        raise


def _invalid(field: str, problem: str) -> EmanetError:
    return error(Reason.INVALID_FIELD, violations=((field, problem),))
