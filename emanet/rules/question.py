"""What is asked of the rules, what they are told, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from emanet.core.leaf_terms import Act, ActorKind, Mode, Verdict
from emanet.core.reasons import Reason
from emanet.rules.values import Counted, Per

__all__ = [
    "CaseFacts",
    "CaseRef",
    "CountNeed",
    "Decision",
    "Explanation",
    "Facts",
    "Question",
    "Tally",
]

_GROUP_PREFIX = "group:"


class Explanation(StrEnum):
    """Why an allowed access was allowed; written as `why` of its record.

    CASE and OWN_RECORD close by themselves; RULE means that a rule gives the right without asking
    for a case, so that somebody has to look at it.
    """

    CASE = "CASE"
    OWN_RECORD = "OWN_RECORD"
    RULE = "RULE"


@dataclass(frozen=True, slots=True)
class CaseRef:
    """A case as the reader names it."""

    kind: str
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One access that somebody wants, all or nothing.

    Attributes:
        actor: kind of actor.
        actor_id: person id, application name, or the subject (`customers/7`) who acts.
        groups: groups of the staff token, without the prefix `group:`; empty for others.
        application: the application through which the access happens.
        purpose: the access purpose stated.
        act: nature of the access.
        fields: fields wanted, without repeats; at least one.
        subjects: subjects concerned, repeats allowed; empty for values without a subject.
        records: number of values; at least 1.
        time: when the access happens, aware.
        case: the case named.
        approver: person id of the approver, from a token of their own.
        recipient: slug of the recipient, for `disclose`.
    """

    actor: ActorKind
    actor_id: str
    application: str
    purpose: str
    act: Act
    fields: tuple[str, ...]
    time: datetime
    subjects: tuple[str, ...] = ()
    records: int = 1
    groups: frozenset[str] = frozenset()
    case: CaseRef | None = None
    approver: str | None = None
    recipient: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What is known of a case.

    Attributes:
        subjects: whom it is about; empty = nobody in particular.
        assignees: person ids (or application names) that it is assigned to.
        teams: groups that it is assigned to; the prefix `group:` is dropped.
        opened_by: `customer`, `system` or a role, as its application says.
        opener: person id of the member of staff who opened it, when one did.
        opened_at, closed_at: aware; `closed_at` is None while it is open.
        received_at: when Emanet first heard of it.
    """

    kind: str
    ref: str
    opened_by: str
    opened_at: datetime
    received_at: datetime
    subjects: frozenset[str] = frozenset()
    assignees: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    opener: str | None = None
    closed_at: datetime | None = None

    def __post_init__(self) -> None:
        bare = frozenset(team.removeprefix(_GROUP_PREFIX) for team in self.teams)
        object.__setattr__(self, "teams", bare)


@dataclass(frozen=True, slots=True)
class CountNeed:
    """A counter that must be loaded before a decision.

    Attributes:
        counted: different subjects, or values.
        per: HOUR and DAY count what this actor was allowed for this purpose since `since`; CASE
            counts what anybody was allowed under the named case.
        since: aware UTC start of the clock hour or calendar day; None for CASE.
    """

    counted: Counted
    per: Per
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """A counter's value before this access.

    Attributes:
        total: what is counted already.
        overlap: for subjects, how many of this question's different subjects are in `total`.
    """

    total: int
    overlap: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What storage gathered before the decision.

    Attributes:
        case: the named case, or None when it is unknown or none was named.
        counts: one tally for each need of `needed_counts`, by (counted, per).
        retention_ended: fields of the question whose period for this purpose has ended.
        own_subjects: subjects that are the actor's own besides the obvious ones (`staff/{person}`
            and a data subject's own reference), for example an employee who is a customer too.
    """

    case: CaseFacts | None = None
    counts: Mapping[tuple[Counted, Per], Tally] = field(default_factory=dict)
    retention_ended: frozenset[str] = frozenset()
    own_subjects: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, and everything of it that the record keeps.

    Attributes:
        mode: how the answer was given: ENFORCE for every refusal; for an access that passes
            although the rules say no, ALERT or OBSERVE; else the mode of the rules that gave it.
        reason: the first reason against it; None when the rules allow it.
        reasons: all reasons against it, in order.
        explanation: why it was allowed; None when the rules do not allow it.
        rules: ids of the rules that decided, sorted.
        role: the role that matched; "" when none did.
        rows: the register rows that declare the fields for the purpose
            (`activities/account/rows/2`); where none does, rows that hold them for other purposes.
        metadata: values for the reason's text: field, kind, problem. No personal data.
    """

    mode: Mode
    reason: Reason | None
    reasons: tuple[Reason, ...] = ()
    explanation: Explanation | None = None
    rules: tuple[str, ...] = ()
    role: str = ""
    rows: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """The answer to the caller."""
        passes = self.reason is None or self.mode is not Mode.ENFORCE
        return Verdict.ALLOW if passes else Verdict.DENY

    @property
    def recorded(self) -> Verdict:
        """The verdict that the record shows: under OBSERVE what the rules say, else the answer."""
        if self.mode is Mode.OBSERVE:
            return self.ruled
        return self.verdict

    @property
    def ruled(self) -> Verdict:
        """What register and rules say, whatever the mode."""
        return Verdict.ALLOW if self.reason is None else Verdict.DENY

    @property
    def why(self) -> str:
        """The record's `why`: the first reason, else what explains the allowance."""
        if self.reason is not None:
            return self.reason.value
        return self.explanation.value if self.explanation is not None else ""

    @property
    def explained(self) -> bool:
        """Whether the allowance closes by itself."""
        return self.explanation in _CLOSING

    @property
    def waits_for_review(self) -> bool:
        """Whether the record belongs into the review queue: allowed, and nothing explains it."""
        return self.recorded is Verdict.ALLOW and not self.explained


_CLOSING = frozenset({Explanation.CASE, Explanation.OWN_RECORD})
