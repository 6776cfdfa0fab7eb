"""Judges the case that an access names: whether it counts at all, and what is true of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from emanet.core.reasons import Reason
from emanet.register.period import Period, add_period
from emanet.rules.compile import ASSIGNED, CONCERNS, OPEN, REQUIRED, CompiledRules
from emanet.rules.question import CaseFacts, Question
from emanet.rules.values import PARTIES, CaseKind

__all__ = ["CaseStanding", "case_standing"]

_ALL = REQUIRED | OPEN | CONCERNS | ASSIGNED


@dataclass(frozen=True, slots=True)
class CaseStanding:
    """How the case stands.

    Attributes:
        kind: the kind that the register asks for, "" for none.
        failed: bits of what does not hold; REQUIRED = the case does not count at all.
        reasons: why it does not count, in order; empty when it does.
        problems: what is wrong, each as its bit and a documented word.
    """

    kind: str
    failed: int
    reasons: tuple[Reason, ...] = ()
    problems: tuple[tuple[int, str], ...] = ()

    def problem(self, asked: int) -> str:
        """The first thing that is wrong among the bits asked, "" when nothing is."""
        return next((word for bit, word in self.problems if bit & (asked | REQUIRED)), "")

    def reasons_for(self, failed: int) -> tuple[Reason, ...]:
        """The reasons that follow from some failed bits."""
        reasons = self.reasons if failed & REQUIRED else ()
        if failed & ~REQUIRED and Reason.CASE_REQUIRED not in self.reasons:
            return (*(r for r in reasons if r is not Reason.CASE_UNFIT), Reason.CASE_UNFIT)
        return reasons


def case_standing(
    compiled: CompiledRules, question: Question, facts: CaseFacts | None, *, kind: str
) -> CaseStanding:
    """Judges the named case.

    A case counts when it is known, of the kind asked for and of a kind that the rules declare,
    opened by somebody who may open it and not by the acting person, and when it was opened and
    known here before the access.

    Args:
        compiled: for the kinds of cases.
        question: the access.
        facts: the stored case, None when it is unknown.
        kind: the kind that the register asks for, "" for any.

    Raises:
        ValueError: when the facts are of another case than the one named.
    """
    if question.case is None:
        return CaseStanding(kind, _ALL, (Reason.CASE_REQUIRED,))
    if facts is None:
        return CaseStanding(kind, _ALL, (Reason.CASE_UNFIT,), ((REQUIRED, "unknown"),))
    if (facts.kind, facts.ref) != (question.case.kind, question.case.ref):
        raise ValueError("facts of another case")
    declared = compiled.kinds.get(facts.kind)
    reasons: tuple[Reason, ...] = ()
    if _is_self_opened(compiled, question, facts):
        reasons = (Reason.CASE_SELF_OPENED,)
    problems = _problems(question, facts, declared, kind)
    if problems:
        reasons = (*reasons, Reason.CASE_UNFIT)
    problems += _shortcomings(question, facts, declared)
    if not reasons and not problems:
        return _flawless(kind)
    failed = REQUIRED if reasons else 0
    for bit, _ in problems:
        failed |= bit
    return CaseStanding(kind, failed, reasons, tuple(problems))


@functools.cache
def _flawless(kind: str) -> CaseStanding:
    return CaseStanding(kind, 0)


def _is_self_opened(compiled: CompiledRules, question: Question, facts: CaseFacts) -> bool:
    if facts.opener is not None:
        return facts.opener == question.actor_id
    if facts.opened_by in PARTIES:
        return False
    if facts.opened_by == question.actor_id:
        return True
    # Only a role is known: when the actor holds it, nothing shows that it was somebody else.
    roles = {role for group in question.groups for role in compiled.group_roles.get(group, ())}
    roles.update(compiled.app_roles.get(question.actor_id, ()))
    return facts.opened_by in roles


def _problems(
    question: Question, facts: CaseFacts, declared: CaseKind | None, kind: str
) -> list[tuple[int, str]]:
    found = []
    if declared is None or (kind and facts.kind != kind):
        found.append((REQUIRED, "kind"))
    elif declared.opened_by and facts.opened_by not in declared.opened_by:
        found.append((REQUIRED, "opener"))
    elif declared.needs_number and not any(character.isdigit() for character in facts.ref):
        found.append((REQUIRED, "number"))
    if facts.opened_at > question.time or facts.received_at > question.time:
        found.append((REQUIRED, "late"))
    return found


def _shortcomings(
    question: Question, facts: CaseFacts, declared: CaseKind | None
) -> list[tuple[int, str]]:
    found = []
    if facts.closed_at is not None:
        after_close = declared.after_close if declared else Period()
        if question.time >= add_period(facts.closed_at, after_close):
            found.append((OPEN, "closed"))
    if not question.subjects or not facts.subjects.issuperset(question.subjects):
        found.append((CONCERNS, "other_subject"))
    if question.actor_id not in facts.assignees and facts.teams.isdisjoint(question.groups):
        found.append((ASSIGNED, "not_assigned"))
    return found
