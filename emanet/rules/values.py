"""The values of a need-to-know rule set: roles, cases, rules, typed conditions and examples.

A rule set is what one `need_to_know.yaml` says, checked; `docs/need-to-know.md` is its reference.
Conditions are a closed set of typed values. There is no expression language, so that a person who
signs the page has read everything that the machine will do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from emanet.core.leaf_terms import Act, Mode, Verdict
from emanet.register.period import Period
from emanet.rules.hours import WorkCalendar

__all__ = [
    "ANY_ROLE",
    "PARTIES",
    "CaseCondition",
    "CaseKind",
    "Conditions",
    "Counted",
    "Effect",
    "Example",
    "ExampleCase",
    "Limit",
    "Per",
    "Role",
    "RoleSource",
    "Rule",
    "RuleSet",
]

# Stands for every role in a deny rule.
ANY_ROLE = "*"
# Those who open a case and are no role: the customer, and a system by itself.
PARTIES = frozenset({"customer", "system"})

_PATTERN = re.compile(r"\*|[a-z][a-z0-9._-]{0,62}(?:\.\*)?")
_RULE_ID = re.compile(r"[A-Z][A-Z0-9_-]{0,15}")


class Effect(StrEnum):
    """Whether a rule gives or takes."""

    ALLOW = "allow"
    DENY = "deny"


class CaseCondition(StrEnum):
    """What a rule asks of the case; each includes `required`."""

    REQUIRED = "required"
    OPEN = "open"
    CONCERNS_SUBJECT = "concerns_subject"
    ASSIGNED = "assigned_to_me_or_team"


class Counted(StrEnum):
    """What a limit counts: different subjects, or values read."""

    SUBJECTS = "subjects"
    RECORDS = "records"


class Per(StrEnum):
    """Over what a limit counts: a clock hour, a calendar day, or the whole life of a case."""

    HOUR = "h"
    DAY = "day"
    CASE = "case"


class RoleSource(Enum):
    """Where a role comes from."""

    GROUP = "group"
    APP = "app"
    DATA_SUBJECT = "data_subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A need-to-know role.

    Attributes:
        slug: its name in rules and records.
        source: from the token's groups claim, an application, or built in.
        names: the groups or applications that carry it; empty for the built-in one.
        outside: the holders work for a processor, not for the controller.
        tr, en: label; `en` may be empty.
        line: line in the file.
    """

    slug: str
    source: RoleSource
    names: tuple[str, ...] = ()
    outside: bool = False
    tr: str = ""
    en: str = ""
    line: int = 0

    def __post_init__(self) -> None:
        if bool(self.names) is (self.source is RoleSource.DATA_SUBJECT):
            raise ValueError("a role has names exactly when it comes from groups or applications")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseKind:
    """A kind of case that applications push.

    Attributes:
        slug: its name, as `read_needs` in the register names it.
        application: the one application that pushes it; `emanet` for Emanet's own reviews.
        opened_by: parties and roles that may open it; empty = whoever.
        after_close: how long a closed case still counts as open.
        secret: reads under it are withheld from the subject's report (KVKK art. 28/2-a).
        needs_number: its reference must carry a number (an official letter's).
    """

    slug: str
    application: str
    opened_by: tuple[str, ...] = ()
    after_close: Period = field(default_factory=Period)
    secret: bool = False
    needs_number: bool = False
    tr: str = ""
    en: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` of something over a span; `40/day`."""

    counted: Counted
    most: int
    per: Per

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ValueError("a limit is at least 1")
        if self.counted is Counted.SUBJECTS and self.per is Per.CASE:
            raise ValueError("subjects are limited per hour or day")

    def __str__(self) -> str:
        return f"{self.most}/{self.per.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What must hold for a rule.

    Attributes:
        case: what is asked of the case; empty = no case by this rule.
        limits: counts that must not be passed.
        work_hours: only within the organization's working hours.
        own_record: True = only the actor's own record, False = never it, None = no matter.
        approver: another person approves this very access.
    """

    case: frozenset[CaseCondition] = frozenset()
    limits: tuple[Limit, ...] = ()
    work_hours: bool = False
    own_record: bool | None = None
    approver: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One allow or deny rule.

    Attributes:
        id: goes into every record; never reused for another rule.
        roles: role slugs; `("*",)` in a deny rule for everybody.
        purposes: access purposes; empty in a deny rule = all.
        acts: acts as rules speak of them (`read` covers decrypt); empty in a deny rule = all.
        patterns: field slugs, `prefix.*` or `*`; among the fields declared for the purpose.
        when: conditions; a deny rule strikes only where they hold, and takes `own_record` alone.
        excepted: allow rules that a deny rule leaves alone.
        unless_approver: another person's approval lifts the deny rule.
        mode: overrides the set's mode.
    """

    id: str
    effect: Effect
    roles: tuple[str, ...]
    patterns: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    acts: frozenset[Act] = frozenset()
    when: Conditions = field(default_factory=Conditions)
    excepted: tuple[str, ...] = ()
    unless_approver: bool = False
    mode: Mode | None = None
    tr: str = ""
    en: str = ""
    line: int = 0

    def __post_init__(self) -> None:
        if not _RULE_ID.fullmatch(self.id):
            raise ValueError("a rule id is a capital letter and up to 15 of A-Z, 0-9, _ and -")
        if not self.roles or not self.patterns:
            raise ValueError("a rule names roles and fields")
        if any(not _PATTERN.fullmatch(pattern) for pattern in self.patterns):
            raise ValueError("a pattern is a field, a prefix ending in .*, or *")
        if Act.DECRYPT in self.acts:
            raise ValueError("rules speak of read, which covers decrypt")
        if self.effect is Effect.ALLOW:
            self._require_whole()
        elif self.when != Conditions(own_record=self.when.own_record):
            raise ValueError("a deny rule takes no condition but own_record")

    def _require_whole(self) -> None:
        if ANY_ROLE in self.roles:
            raise ValueError("an allow rule names its roles")
        if not self.purposes or not self.acts:
            raise ValueError("an allow rule names purposes and actions")
        if self.excepted or self.unless_approver:
            raise ValueError("except and unless belong to deny rules")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleCase:
    """The case that an example brings.

    Attributes:
        kind: the case's kind.
        holds: what is true of it.
        same_actor: the acting person opened it.
    """

    kind: str
    holds: frozenset[CaseCondition] = frozenset()
    same_actor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question with the answer that the rules must give, whatever the mode.

    Attributes:
        role: who asks.
        then: the verdict of the rules.
        by: a rule that must be among those used; empty = any.
        says: the reason that must be told, a member of the catalogue; empty = any.
        own_record: the record is the asking person's own; None = as is usual for the role (own
            for a data subject, somebody else's for all others).
        recipient: None = the first that the register allows, "" = none.
        off_hours: asked outside working hours.
        records: number of values; `subjects` number of different persons.
    """

    role: str
    act: Act
    fields: tuple[str, ...]
    purpose: str
    then: Verdict
    case: ExampleCase | None = None
    approver: bool = False
    own_record: bool | None = None
    recipient: str | None = None
    off_hours: bool = False
    records: int = 1
    subjects: int = 1
    by: str = ""
    says: str = ""
    line: int = 0

    def __post_init__(self) -> None:
        if not self.fields or self.records < 1 or self.subjects < 1:
            raise ValueError("an example reads at least one value of one person")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Everything that one `need_to_know.yaml` says.

    Attributes:
        organization: slug; the register's must be the same.
        mode: what happens where the rules say no and the rule itself does not say otherwise.
        digest: SHA-256 of the file's UTF-8 bytes, 32 bytes; the file is stored verbatim.
        source: the file's name, for messages.
        lines: line of each top-level key.
    """

    organization: str
    mode: Mode
    roles: tuple[Role, ...]
    cases: tuple[CaseKind, ...]
    rules: tuple[Rule, ...]
    calendar: WorkCalendar | None = None
    examples: tuple[Example, ...] = ()
    digest: bytes = b""
    source: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, key: str) -> int:
        """The line of a top-level key; 1 where the set was not read from a file."""
        return self.lines.get(key, 1)

    def role(self, slug: str) -> Role | None:
        """The role of that name, or None."""
        return next((role for role in self.roles if role.slug == slug), None)

    def case_kind(self, slug: str) -> CaseKind | None:
        """The case kind of that name, or None."""
        return next((kind for kind in self.cases if kind.slug == slug), None)

    def mode_of(self, rule: Rule) -> Mode:
        """The mode under which a rule says no: its own, else the set's."""
        return self.mode if rule.mode is None else rule.mode
