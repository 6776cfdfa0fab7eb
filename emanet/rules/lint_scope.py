"""What the lint rules of a rule set look at, and how they say what they found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from emanet.register.findings import Severity
from emanet.rules.scope import Scope
from emanet.rules.values import ANY_ROLE, Effect, Rule, RuleSet

__all__ = ["LintRule", "Problem", "Subject", "is_pattern"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One place where a lint rule is not kept.

    Attributes:
        line: line in the file.
        path: `rules/A10`, `roles/support`, `cases/ticket`, `examples/0`; "" for the whole file.
        tr, en: what is wrong and what to do.
    """

    line: int
    path: str
    tr: str
    en: str


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A rule set beside the register that it narrows."""

    ruleset: RuleSet
    scope: Scope

    @property
    def allows(self) -> tuple[Rule, ...]:
        """The allow rules."""
        return tuple(rule for rule in self.ruleset.rules if rule.effect is Effect.ALLOW)

    @property
    def denies(self) -> tuple[Rule, ...]:
        """The deny rules."""
        return tuple(rule for rule in self.ruleset.rules if rule.effect is Effect.DENY)

    def purposes_of(self, rule: Rule) -> tuple[str, ...]:
        """The rule's purposes that the register has; all of them where the rule names none."""
        named = rule.purposes or tuple(self.scope.purposes)
        return tuple(purpose for purpose in named if purpose in self.scope.purposes)

    def roles_of(self, rule: Rule) -> frozenset[str]:
        """The rule's roles that the set defines; all of them for `*`."""
        known = frozenset(role.slug for role in self.ruleset.roles)
        return known if ANY_ROLE in rule.roles else known.intersection(rule.roles)

    def fields_of(self, rule: Rule, purpose: str) -> frozenset[str]:
        """The declared fields that the rule means for a purpose."""
        return frozenset().union(*(self.scope.match(pattern, purpose) for pattern in rule.patterns))


@dataclass(frozen=True, slots=True)
class LintRule:
    """A lint rule.

    Attributes:
        id: `NTK` and three digits, stable for ever.
        article: the article that it rests on.
        tr, en: what it asks for.
        check: yields the places where it is not kept.
    """

    id: str
    severity: Severity
    article: str
    tr: str
    en: str
    check: Callable[[Subject], Iterator[Problem]]


def is_pattern(text: str) -> bool:
    """Whether a field text is a pattern rather than a field named in full."""
    return text == "*" or text.endswith(".*")
