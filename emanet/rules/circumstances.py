"""What holds in one question: whose record it is, who approved, the hour, the limits, the case."""

from __future__ import annotations

from emanet.core.leaf_terms import ActorKind
from emanet.core.reasons import Reason
from emanet.rules.case import case_standing
from emanet.rules.compile import CompiledRule, CompiledRules
from emanet.rules.needs import case_needed
from emanet.rules.question import Facts, Question
from emanet.rules.values import Counted, Limit, Per

__all__ = ["Circumstances"]

_NO_REASONS: tuple[Reason, ...] = ()


class Circumstances:
    """The facts of one question, as conditions ask for them; not shared between threads.

    Attributes:
        case: how the named case stands.
        approved: whether another person, not concerned by the record, approved.
        own_any, own_all: whether some, and whether all, of the subjects are the actor. With no
            subject neither holds.
    """

    __slots__ = (
        "_compiled",
        "_different",
        "_failures",
        "_working",
        "approved",
        "case",
        "facts",
        "own_all",
        "own_any",
        "question",
    )

    def __init__(self, compiled: CompiledRules, question: Question, facts: Facts) -> None:
        if not question.fields or question.records < 1:
            raise ValueError("a question asks for at least one value")
        self._compiled = compiled
        self._failures: dict[CompiledRule, tuple[Reason, ...]] = {}
        self._different: int | None = None
        self._working: bool | None = None
        self.question = question
        self.facts = facts
        subjects = question.subjects
        own = _own_name(question)
        linked = facts.own_subjects
        self.own_any = own in subjects or bool(linked and not linked.isdisjoint(subjects))
        self.own_all = self.own_any and (linked | {own}).issuperset(subjects)
        self.approved = _is_approved(question)
        self.case = case_standing(
            compiled, question, facts.case, kind=case_needed(compiled, question)
        )

    def fits_owner(self, rule: CompiledRule) -> bool:
        """Whether an allow rule is for such a record: all own, or none own."""
        if rule.own_record is None:
            return True
        return self.own_all if rule.own_record else not self.own_any

    def is_struck_by(self, rule: CompiledRule) -> bool:
        """Whether a deny rule applies: one record of its kind is enough."""
        if rule.unless_approver and self.approved:
            return False
        if rule.own_record is None:
            return True
        return self.own_any if rule.own_record else not self.own_all

    def failures_of(self, rule: CompiledRule) -> tuple[Reason, ...]:
        """Why an allow rule's conditions do not hold; empty when they do.

        Raises:
            KeyError: when a tally is missing.
            ValueError: when a rule asks for working hours and the set has no calendar.
        """
        known = self._failures.get(rule)
        if known is not None:
            return known
        failed = rule.case_bits & self.case.failed
        if failed or rule.approver or rule.limits or rule.work_hours:
            found = self._find_failures(rule, failed)
        else:
            found = _NO_REASONS
        self._failures[rule] = found
        return found

    def _find_failures(self, rule: CompiledRule, failed: int) -> tuple[Reason, ...]:
        found = list(self.case.reasons_for(failed)) if failed else []
        if rule.approver and not self.approved:
            found.append(Reason.APPROVER_REQUIRED)
        passed = [self._is_passed(limit) for limit in rule.limits]  # every tally must be there
        if True in passed:
            found.append(Reason.LIMIT_EXCEEDED)
        if rule.work_hours and not self._is_working():
            found.append(Reason.OUTSIDE_HOURS)
        return tuple(found)

    def _is_passed(self, limit: Limit) -> bool:
        if limit.per is Per.CASE and self.question.case is None:
            return False  # such a rule asks for a case, which is what fails here
        tally = self.facts.counts[limit.counted, limit.per]
        if limit.counted is Counted.SUBJECTS:
            return tally.total + self._persons() - tally.overlap > limit.most
        return tally.total + self.question.records > limit.most

    def _persons(self) -> int:
        if self._different is None:
            self._different = len(set(self.question.subjects))
        return self._different

    def _is_working(self) -> bool:
        if self._working is None:
            calendar = self._compiled.ruleset.calendar
            if calendar is None:
                raise ValueError("hours without a calendar")
            self._working = calendar.is_working(self.question.time)
        return self._working


def _own_name(question: Question) -> str:
    if question.actor is ActorKind.DATA_SUBJECT:
        return question.actor_id
    return f"staff/{question.actor_id}"


def _is_approved(question: Question) -> bool:
    approver = question.approver
    return (
        bool(approver)
        and approver != question.actor_id
        and f"staff/{approver}" not in question.subjects
    )
