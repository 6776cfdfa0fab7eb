"""Asks a rule set its own examples, at every load.

A page that says one thing and does another never becomes active.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from emanet.core.errors import Reason, error
from emanet.core.leaf_terms import Act, ActorKind
from emanet.rules.compile import CompiledRules
from emanet.rules.decide import decide
from emanet.rules.needs import needed_counts
from emanet.rules.question import CaseFacts, CaseRef, Decision, Facts, Question, Tally
from emanet.rules.values import (
    PARTIES,
    CaseCondition,
    Example,
    ExampleCase,
    Role,
    RoleSource,
    RuleSet,
)

__all__ = ["ExampleResult", "run_examples", "try_examples"]

# A Monday morning in Türkiye, for rule sets without a calendar.
_WEEKDAY = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
# Before every window that a case kind can have.
_LONG_AGO = datetime(1800, 1, 1, tzinfo=UTC)
_ME, _COLLEAGUE, _APPROVER = "example-me", "example-colleague", "example-approver"
_ACTORS = MappingProxyType(
    {
        RoleSource.GROUP: ActorKind.HUMAN,
        RoleSource.APP: ActorKind.APP,
        RoleSource.DATA_SUBJECT: ActorKind.DATA_SUBJECT,
    }
)


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What came of an example.

    Attributes:
        problem, problem_tr: what did not come out as written; "" when all did.
    """

    example: Example
    decision: Decision | None
    problem: str = ""
    problem_tr: str = ""

    @property
    def holds(self) -> bool:
        """Whether the answer is the one written."""
        return not self.problem


def run_examples(ruleset: RuleSet, compiled: CompiledRules) -> None:
    """Refuses a rule set one of whose examples does not come out as written.

    Args:
        ruleset: the rules.
        compiled: their index over the register.

    Raises:
        EmanetError: MANIFEST_INVALID with the line of the first example that fails.
    """
    for result in try_examples(ruleset, compiled):
        if not result.holds:
            raise error(
                Reason.MANIFEST_INVALID,
                source=ruleset.source,
                line=str(result.example.line),
                problem=result.problem,
                problem_tr=result.problem_tr,
            )


def try_examples(ruleset: RuleSet, compiled: CompiledRules) -> tuple[ExampleResult, ...]:
    """Asks every example and compares; whatever the mode, it is the rules' own verdict."""
    return tuple(_try(example, ruleset, compiled) for example in ruleset.examples)


def _try(example: Example, ruleset: RuleSet, compiled: CompiledRules) -> ExampleResult:
    role = ruleset.role(example.role)
    if role is None:
        return ExampleResult(
            example,
            None,
            f"the example's role {example.role!r} is not defined",
            f"örnekteki {example.role!r} rolü tanımlı değil",
        )
    question = _question(example, role, ruleset, compiled)
    case = _case_facts(example.case, question, ruleset) if example.case else None
    counts = {(need.counted, need.per): Tally(0) for need in needed_counts(compiled, question)}
    decision = decide(compiled, question, Facts(case=case, counts=counts))
    found = _differences(example, decision)
    if found is None:
        return ExampleResult(example, decision)
    wanted, got = found
    return ExampleResult(
        example,
        decision,
        f"the example says {wanted}, the rules say {got}",
        f"örnek {wanted} diyor, kurallar {got} diyor",
    )


def _differences(example: Example, decision: Decision) -> tuple[str, str] | None:
    used = ", ".join(decision.rules)
    reason = decision.reason
    answer = "allow" if reason is None else f"deny ({reason.value})"
    got = f"{answer} by {used}" if used else answer
    if decision.ruled is not example.then or (
        reason is Reason.EVALUATION_FAILED and example.says != reason.value
    ):
        return example.then.value, got
    if example.says and (reason is None or reason.value != example.says):
        return example.says, got
    if example.by and example.by not in decision.rules:
        return f"{example.then.value} by {example.by}", got
    return None


def _question(example: Example, role: Role, ruleset: RuleSet, compiled: CompiledRules) -> Question:
    actor = _ACTORS[role.source]
    actor_id = {
        ActorKind.HUMAN: _ME,
        ActorKind.APP: role.names[0] if role.names else "",
        ActorKind.DATA_SUBJECT: f"example/{_ME}",
    }[actor]
    is_own = example.own_record
    if is_own is None:
        is_own = actor is ActorKind.DATA_SUBJECT
    own = actor_id if actor is ActorKind.DATA_SUBJECT else f"staff/{actor_id}"
    others = tuple(f"example/{number}" for number in range(example.subjects))
    return Question(
        actor=actor,
        actor_id=actor_id,
        application=role.names[0] if actor is ActorKind.APP else "example",
        purpose=example.purpose,
        act=example.act,
        fields=example.fields,
        time=_time(example, ruleset),
        subjects=(own, *others[1:]) if is_own else others,
        records=example.records,
        groups=frozenset(role.names[:1]) if actor is ActorKind.HUMAN else frozenset(),
        case=CaseRef(example.case.kind, "EX-1") if example.case else None,
        approver=_APPROVER if example.approver else None,
        recipient=_recipient(example, compiled),
    )


def _time(example: Example, ruleset: RuleSet) -> datetime:
    if ruleset.calendar is None:
        return _WEEKDAY
    return ruleset.calendar.sample(working=not example.off_hours)


def _recipient(example: Example, compiled: CompiledRules) -> str | None:
    if example.act is not Act.DISCLOSE:
        return None
    if example.recipient is not None:
        return example.recipient or None
    scope = compiled.scope
    agreed = sorted(scope.recipients_of(example.fields, example.purpose))
    kind = example.case.kind if example.case else ""
    fitting = [name for name in agreed if scope.each_needs.get(name, "") in {"", kind}]
    return next(iter(fitting or agreed), None)


def _case_facts(case: ExampleCase, question: Question, ruleset: RuleSet) -> CaseFacts:
    kind = ruleset.case_kind(case.kind)
    opened_by = kind.opened_by[0] if kind and kind.opened_by else "system"
    opener = None if opened_by in PARTIES else _COLLEAGUE
    concerns = CaseCondition.CONCERNS_SUBJECT in case.holds
    is_mine = CaseCondition.ASSIGNED in case.holds
    return CaseFacts(
        kind=case.kind,
        ref="EX-1",
        opened_by=opened_by,
        opener=question.actor_id if case.same_actor else opener,
        opened_at=_LONG_AGO,
        received_at=_LONG_AGO,
        closed_at=None if CaseCondition.OPEN in case.holds else _LONG_AGO,
        subjects=frozenset(question.subjects) if concerns else frozenset(),
        assignees=frozenset({question.actor_id}) if is_mine else frozenset(),
    )
