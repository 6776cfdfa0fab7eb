"""Decides accesses and records them: before the read, and after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from emanet.core.encoding import from_micros
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import AccessLeaf, Mode, Verdict
from emanet.register.values import BUILT_IN_SYSTEM
from emanet.rules.decide import decide
from emanet.rules.question import Decision
from services.access_audit.domain.claim import Claim
from services.access_audit.domain.recording import (
    Outcome,
    RestsOn,
    access_entries,
    access_leaf,
    after_the_fact,
    before_the_fact,
    system_of,
)
from services.access_audit.facts import FactSheet, actor_token, case_key
from services.access_audit.ground import Contacts
from services.access_audit.shelf import Shelf
from services.access_audit.storage.access import AccessRow
from services.access_audit.transaction import Appended, LogTransaction, RequestKey

__all__ = ["AccessDesk", "CheckJob", "Checked", "RecordJob", "RecordOrder", "Recorded"]

_Judge: TypeAlias = Callable[[Decision], Outcome]

_UNDECIDED = Decision(
    mode=Mode.ENFORCE, reason=Reason.EVALUATION_FAILED, reasons=(Reason.EVALUATION_FAILED,)
)


@dataclass(frozen=True, slots=True)
class AccessDesk:
    """What every access job needs besides its claims."""

    shelf: Shelf
    contacts: Contacts


@dataclass(frozen=True, slots=True)
class Checked:
    """A decision before the read, and where its record is."""

    outcome: Outcome
    appended: Appended


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record after the read.

    Attributes:
        verdict: the record's.
        outcome: None when the answer repeats an earlier one.
    """

    index: int
    leaf_hash: bytes
    verdict: Verdict
    outcome: Outcome | None


class RecordOrder(NamedTuple):
    """One read that has happened, with the key of its idempotency."""

    claim: Claim
    request: RequestKey


@dataclass(frozen=True, slots=True)
class CheckJob:
    """Decides one access before it happens; an attempt id is never answered twice.

    Attributes:
        register_number: the version that the caller works with; 0 = any.
        observed: the duty alone permits it; the rules' verdict is recorded, not enforced, and it
            is recorded even where there are no rules.
    """

    organization: str
    claim: Claim
    desk: AccessDesk
    register_number: int = 0
    observed: bool = False

    @property
    def weight(self) -> int:
        """One leaf."""
        return 1

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claim, for facts that are loaded together."""
        return (self.claim,)

    def run(self, transaction: LogTransaction) -> Checked:
        """Decides and appends.

        Raises:
            EmanetError: ATTEMPT_REUSED, REGISTER_SKEW, INVALID_SUBJECT, and what `find_ground`
                raises.
        """
        sheet = _sheet(self, transaction)
        if sheet.seen(self.claim.id) is not None:
            raise error(Reason.ATTEMPT_REUSED)
        if self.observed and sheet.missing is not None:
            outcome, appended = _note_undecided(sheet, transaction, self.claim)
            return Checked(outcome=outcome, appended=appended)
        if self.register_number not in (0, sheet.ground.register_number):
            raise error(Reason.REGISTER_SKEW)
        judge = after_the_fact if self.observed else before_the_fact
        outcome, appended = _decide(sheet, transaction, self.claim, judge=judge)
        return Checked(outcome=outcome, appended=appended)


@dataclass(frozen=True, slots=True)
class RecordJob:
    """Records reads that have happened; each order is idempotent by its own id."""

    organization: str
    orders: tuple[RecordOrder, ...]
    desk: AccessDesk

    @property
    def weight(self) -> int:
        """One leaf for each order."""
        return len(self.orders)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims, for facts that are loaded together."""
        return tuple(order.claim for order in self.orders)

    def run(self, transaction: LogTransaction) -> tuple[Recorded | EmanetError, ...]:
        """Evaluates and appends; what refuses one order does not touch the others."""
        sheet = _sheet(self, transaction)
        results: list[Recorded | EmanetError] = []
        for order in self.orders:
            try:
                results.append(_record(sheet, transaction, order))
            except EmanetError as refused:
                results.append(refused)
        return tuple(results)


_AccessJob: TypeAlias = CheckJob | RecordJob


def _record(sheet: FactSheet, transaction: LogTransaction, order: RecordOrder) -> Recorded:
    seen = sheet.seen(order.claim.id)
    if seen is not None:
        if (seen.caller, seen.digest) != (order.request.caller, order.request.digest):
            raise error(Reason.REQUEST_ID_REUSED)
        leaf = transaction.find_leaf(order.claim.id)
        if not isinstance(leaf, AccessLeaf):
            raise error(Reason.REQUEST_ID_REUSED)
        return Recorded(
            index=seen.idx, leaf_hash=seen.hash, verdict=leaf.decision.verdict, outcome=None
        )
    outcome, appended = _decide(
        sheet, transaction, order.claim, judge=after_the_fact, request=order.request
    )
    return Recorded(
        index=appended.index,
        leaf_hash=appended.leaf_hash,
        verdict=outcome.verdict,
        outcome=outcome,
    )


def _sheet(job: _AccessJob, transaction: LogTransaction) -> FactSheet:
    """The facts for this job; loaded with those of the access jobs that follow at once."""
    sheet = transaction.sheet
    if isinstance(sheet, FactSheet) and sheet.claims.issuperset(each.id for each in job.claims):
        return sheet
    claims = list(job.claims)
    for other in transaction.upcoming:
        if not isinstance(other, CheckJob | RecordJob):
            break
        claims.extend(other.claims)
    fresh = FactSheet(transaction, claims, shelf=job.desk.shelf, contacts=job.desk.contacts)
    transaction.sheet = fresh
    return fresh


def _decide(
    sheet: FactSheet,
    transaction: LogTransaction,
    claim: Claim,
    *,
    judge: _Judge,
    request: RequestKey | None = None,
) -> tuple[Outcome, Appended]:
    ground = sheet.ground
    at_us = transaction.now_us if claim.event_us is None else claim.event_us
    question = claim.question(from_micros(at_us))
    outcome = judge(decide(ground.compiled, question, sheet.facts(claim, question)))
    rests_on = RestsOn(
        system=system_of(ground.register, claim.fields),
        register=ground.register_number,
        rule_set=ground.rule_set,
    )
    return outcome, _append(sheet, transaction, claim, outcome, rests_on, request)


def _note_undecided(
    sheet: FactSheet, transaction: LogTransaction, claim: Claim
) -> tuple[Outcome, Appended]:
    outcome = after_the_fact(_UNDECIDED)
    rests_on = RestsOn(system=BUILT_IN_SYSTEM, register=0, rule_set=0)
    return outcome, _append(sheet, transaction, claim, outcome, rests_on, None)


def _append(
    sheet: FactSheet,
    transaction: LogTransaction,
    claim: Claim,
    outcome: Outcome,
    rests_on: RestsOn,
    request: RequestKey | None,
) -> Appended:
    tokens = sheet.tokens(claim)
    sealed = transaction.seal(access_entries(claim, tokens))
    actor = actor_token(claim, tokens)
    leaf = access_leaf(
        claim,
        outcome,
        organization=transaction.organization,
        receive_us=transaction.now_us,
        actor_token=actor,
        sealed=sealed,
        rests_on=rests_on,
    )
    appended = transaction.append(leaf, entries=sealed, request=request)
    row = AccessRow(
        idx=appended.index,
        receive_us=transaction.now_us,
        actor=actor,
        application=claim.application,
        purpose=claim.purpose,
        verdict=outcome.verdict.value,
        counted=outcome.released,
        waiting=outcome.waiting,
        values=claim.values,
        case_key=case_key(claim),
        subjects=tuple(dict.fromkeys(tokens[party] for party in claim.subjects)),
        fields=claim.fields,
    )
    transaction.accesses.append(row)
    sheet.note(row)
    return appended
