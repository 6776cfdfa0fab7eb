"""Turns a decided claim into the entries and the leaf that record it (docs/formats/leaf.md)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from emanet.core.leaf import (
    AccessLeaf,
    Actor,
    ActorKind,
    Decision,
    Entry,
    EntryKey,
    Mode,
    Target,
    Verdict,
)
from emanet.register.values import BUILT_IN_SYSTEM, Register
from emanet.rules.question import Decision as RuleDecision
from services.access_audit.domain.claim import Claim
from services.access_audit.domain.party import Party, staff_party
from services.access_audit.domain.sealing import SealedEntries

__all__ = [
    "Outcome",
    "RestsOn",
    "access_entries",
    "access_leaf",
    "after_the_fact",
    "before_the_fact",
    "system_of",
]

_SHARED_PARTS = 1_024


# Parts that many leaves share, checked once: tokens and codes, nothing of the entries.
_actor = lru_cache(maxsize=_SHARED_PARTS)(Actor)
_target = lru_cache(maxsize=_SHARED_PARTS)(Target)
_decision = lru_cache(maxsize=_SHARED_PARTS)(Decision)


class Outcome(NamedTuple):
    """A decision as it is answered and recorded.

    Attributes:
        verdict: the record's.
        mode: the record's.
        waiting: it belongs into the review queue.
        released: the values leave, or have left, so they count against limits.
    """

    decision: RuleDecision
    verdict: Verdict
    mode: Mode
    waiting: bool
    released: bool


class RestsOn(NamedTuple):
    """What a decision rests on.

    Attributes:
        system: slug of the system where the fields lie.
        register: number of the version in effect, 0 for none.
        rule_set: number of the active rule set, 0 for none.
    """

    system: str
    register: int
    rule_set: int


def before_the_fact(decision: RuleDecision) -> Outcome:
    """A decision that was asked for before the read."""
    return Outcome(
        decision=decision,
        verdict=decision.recorded,
        mode=decision.mode,
        waiting=decision.waits_for_review,
        released=decision.verdict is Verdict.ALLOW,
    )


def after_the_fact(decision: RuleDecision) -> Outcome:
    """The verdict on a read that has happened: what the rules would have enforced is observed."""
    enforced = decision.reason is not None and decision.mode is Mode.ENFORCE
    return Outcome(
        decision=decision,
        verdict=decision.recorded,
        mode=Mode.OBSERVE if enforced else decision.mode,
        waiting=decision.waits_for_review,
        released=True,
    )


def access_entries(claim: Claim, tokens: Mapping[Party, str]) -> tuple[Entry, ...]:
    """What stands beside the leaf, in this order: subjects, case, approver, recipient, traces."""
    found = [Entry(EntryKey.SUBJECT, tokens[party]) for party in claim.subjects]
    if claim.case is not None:
        found.append(Entry(EntryKey.CASE, f"{claim.case.kind}/{claim.case.ref}"))
    if claim.approver is not None:
        found.append(Entry(EntryKey.APPROVER, tokens[staff_party(claim.approver)]))
    if claim.recipient:
        found.append(Entry(EntryKey.RECIPIENT, claim.recipient))
    return (*found, *claim.traces.entries)


def access_leaf(
    claim: Claim,
    outcome: Outcome,
    *,
    organization: str,
    receive_us: int,
    actor_token: str,
    sealed: SealedEntries,
    rests_on: RestsOn,
) -> AccessLeaf:
    """The leaf of a decided claim.

    Args:
        claim: what was asked for.
        outcome: what was decided.
        organization: whose log.
        receive_us: when the log received it.
        actor_token: of the person or subject; not used for an application.
        sealed: the entries.
        rests_on: what the decision rests on.
    """
    decision = outcome.decision
    actor_id = claim.actor_id if claim.actor is ActorKind.APP else actor_token
    return AccessLeaf(
        id=claim.id,
        organization=organization,
        event_us=receive_us if claim.event_us is None else claim.event_us,
        receive_us=receive_us,
        actor=_actor(actor_id, claim.actor, claim.auth),
        app=claim.application,
        purpose=claim.purpose,
        act=claim.act,
        target=_target(rests_on.system, claim.fields, claim.values),
        decision=_decision(
            outcome.verdict,
            outcome.mode,
            decision.why,
            decision.rules,
            rests_on.register,
            rests_on.rule_set,
        ),
        entries=sealed.count,
        entries_root=sealed.root,
        role=decision.role,
        reasons=tuple(reason.value for reason in decision.reasons),
    )


def system_of(register: Register, fields: tuple[str, ...]) -> str:
    """The system where the first known field lies; Emanet's own where none is known."""
    for slug in fields:
        known = register.fields.get(slug)
        if known is not None and known.locations:
            return known.locations[0].system
    return BUILT_IN_SYSTEM
