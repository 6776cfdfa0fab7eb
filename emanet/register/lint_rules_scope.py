"""What the lint rules work on, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from dataclasses import field as member
from datetime import date

from emanet.register.findings import Severity
from emanet.register.period import Period
from emanet.register.reference import Item, LegalBasis, LegalRule, Reference
from emanet.register.values import Duty, Field, Register, RetentionRule, Role, RowRef

__all__ = ["Check", "Problem", "Rule", "Scope", "quoted"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule found at one place.

    Attributes:
        path: the place in the register.
        tr, en: what is wrong and what to do.
        article: a narrower article than the rule's own, None = the rule's.
    """

    path: str
    tr: str
    en: str
    article: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """A register under test, with what many rules look up.

    Attributes:
        today: the day of the test.
        controller_rows: the rows of activities that are not a processor's; an activity that does
            not state its role is taken for a controller's.
        purposes_in_use: purposes that some row names.
    """

    register: Register
    today: date
    reference: Reference
    controller_rows: tuple[RowRef, ...] = member(init=False)
    purposes_in_use: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        activities = self.register.activities
        rows = self.register.rows
        object.__setattr__(
            self,
            "controller_rows",
            tuple(ref for ref in rows if activities[ref.activity].role is not Role.PROCESSOR),
        )
        object.__setattr__(
            self, "purposes_in_use", frozenset(slug for ref in rows for slug in ref.row.purposes)
        )

    def verbis_of(self, purpose: str) -> str | None:
        """The VERBİS code of a purpose; None when it is unknown or not mapped."""
        known = self.register.purposes.get(purpose)
        return None if known is None else known.verbis

    def basis_of(self, ref: RowRef) -> LegalBasis | None:
        """The legal basis of a row; None when there is none or only words."""
        basis = ref.row.basis
        return self.reference.bases_by_article.get(basis) if isinstance(basis, str) else None

    def is_special(self, field: str) -> bool:
        """Whether a field holds special-category data (KVKK art. 6/1); unknown fields do not."""
        known = self.register.fields.get(field)
        return known is not None and (known.special or self.category_of(known).flag("special"))

    def category_of(self, field: Field) -> Item:
        """The VERBİS category of a field."""
        return self.reference.category_of(field.type, field.category)

    def rule_of(self, ref: RowRef) -> RetentionRule | None:
        """The retention rule of a row; None when it names none that exists."""
        keep = ref.row.keep
        return self.register.retention.get(keep) if isinstance(keep, str) else None

    def laws_of(self, rule: RetentionRule) -> tuple[LegalRule, ...]:
        """What the laws that a retention rule names ask for."""
        return tuple(self.reference.retention_rules[code] for code in rule.rules)

    @property
    def is_exempt(self) -> bool:
        """Whether the organization is exempt from the registry (KVKK art. 16/2)."""
        registry = self.register.registry
        return registry is not None and registry.duty is Duty.EXEMPT

    @property
    def longest_interval(self) -> Period:
        """The longest interval between two destructions that the regulation allows.

        Six months with a destruction policy (destruction regulation art. 11/2); three months for
        those who have no policy duty, which are the ones exempt from the registry (art. 11/3).
        """
        destruction = self.register.destruction
        has_policy = destruction is not None and destruction.policy is not None
        return Period(months=6 if has_policy and not self.is_exempt else 3)


Check = Callable[[Scope], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A lint rule.

    Attributes:
        id: never changes and is never used again.
        article: the article that it rests on; "Emanet" where it is our own demand.
        tr, en: what it asks for, one sentence.
    """

    id: str
    severity: Severity
    article: str
    tr: str
    en: str
    check: Check


def quoted(words: Iterable[str]) -> str:
    """Names in a sentence: 'a', 'b'."""
    return ", ".join(f"'{word}'" for word in words)
