"""Finds the best way in: one role whose rules give every field, and what speaks against it.

The result does not depend on the order of rules, roles or groups, and a further deny rule can
only make it worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from emanet.core.leaf_terms import Act, Mode
from emanet.core.reasons import Reason
from emanet.rules.circumstances import Circumstances
from emanet.rules.compile import STRICTNESS, CompiledRule, CompiledRules, FieldRules, ruled_act
from emanet.rules.values import ANY_ROLE

__all__ = ["CLEAN", "REFUSED", "Way", "best_way", "clean_way"]

CLEAN = 0
REFUSED = STRICTNESS[Mode.ENFORCE]

_NOBODY = STRICTNESS[Mode.OBSERVE]
# By strictness (clean, observe, alert, enforce): of two ways that say no, one that somebody looks
# at is taken before one that is only written down.
_PREFERENCE = (0, 2, 1, 3)


@dataclass(slots=True)
class Way:
    """A way in over all fields.

    Attributes:
        strictness: CLEAN, or that of the strictest rule that says no.
        role: the role; "" when none has a rule for every field.
        rules: the allow rules that give the fields, or would.
        ids: ids of the rules that decide, deny rules included.
        reasons: what speaks against it.
    """

    strictness: int = CLEAN
    role: str = ""
    rules: list[CompiledRule] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    reasons: set[Reason] = field(default_factory=set)


def clean_way(
    compiled: CompiledRules,
    circumstances: Circumstances,
    *,
    roles: Sequence[str],
    fields: Sequence[str],
) -> tuple[str, list[CompiledRule]] | None:
    """The first role with a rule that says yes for every field, and these rules; None without.

    Args:
        compiled: the index.
        circumstances: of the question.
        roles: the actor's roles, sorted.
        fields: the fields that the register declares for the purpose.
    """
    purpose, act = circumstances.question.purpose, ruled_act(circumstances.question.act)
    denies = _denies(compiled, roles, purpose, act)
    for role in roles:
        table = compiled.allow.get((role, purpose, act))
        if table is not None:
            rules = _clean_rules(table, denies, circumstances, fields)
            if rules:
                return role, rules
    return None


def best_way(
    compiled: CompiledRules,
    circumstances: Circumstances,
    *,
    roles: Sequence[str],
    fields: Sequence[str],
) -> Way:
    """The best way where none need be clean, with everything that speaks against it.

    A clean way wins; then one that passes with an alert, then one that passes observed. When all
    are refused, the reasons of all are told together. Arguments as for `clean_way`.
    """
    purpose, act = circumstances.question.purpose, ruled_act(circumstances.question.act)
    denies = _denies(compiled, roles, purpose, act)
    tables = ((role, compiled.allow.get((role, purpose, act))) for role in roles)
    ways = [
        way
        for role, table in tables
        if table and (way := _way(role, table, denies, circumstances, fields)) is not None
    ]
    if not ways:
        return _no_way(compiled, denies, circumstances, fields)
    best = min(ways, key=lambda way: _PREFERENCE[way.strictness])
    if best.strictness == REFUSED:
        for way in ways:
            best.reasons |= way.reasons
            best.ids |= way.ids
    return best


def _denies(
    compiled: CompiledRules, roles: Sequence[str], purpose: str, act: Act
) -> list[FieldRules]:
    found = []
    for role in roles or (ANY_ROLE,):
        table = compiled.deny.get((role, purpose, act))
        if table is not None:
            found.append(table)
    return found


def _clean_rules(
    table: FieldRules,
    denies: Sequence[FieldRules],
    circumstances: Circumstances,
    fields: Sequence[str],
) -> list[CompiledRule]:
    """The first rule that says yes for every field, or nothing when some field has none."""
    found: list[CompiledRule] = []
    for slug in fields:
        struck = _striking(denies, circumstances, slug) if denies else ()
        for rule in table.get(slug, ()):
            if (
                circumstances.fits_owner(rule)
                and not circumstances.failures_of(rule)
                and not (struck and _struck_by(rule, struck))
            ):
                found.append(rule)
                break
        else:
            return []
    return found


def _no_way(
    compiled: CompiledRules,
    denies: Sequence[FieldRules],
    circumstances: Circumstances,
    fields: Sequence[str],
) -> Way:
    struck = {rule for slug in fields for rule in _striking(denies, circumstances, slug)}
    reasons = {Reason.DENY_RULE} if struck else set()
    strictness = max((rule.strictness for rule in struck), default=_NOBODY)
    if fields:
        reasons.add(Reason.ROLE_NOT_ALLOWED)
        strictness = max(strictness, STRICTNESS[compiled.ruleset.mode])
    return Way(strictness=strictness, ids={rule.id for rule in struck}, reasons=reasons)


def _way(
    role: str,
    table: FieldRules,
    denies: Sequence[FieldRules],
    circumstances: Circumstances,
    fields: Sequence[str],
) -> Way | None:
    """The way of a role, or None when it has no rule for some field."""
    way = Way(role=role)
    for slug in fields:
        rules = [rule for rule in table.get(slug, ()) if circumstances.fits_owner(rule)]
        if not rules:
            return None
        _add_field(way, circumstances, rules, _striking(denies, circumstances, slug))
    return way


def _striking(
    denies: Sequence[FieldRules], circumstances: Circumstances, slug: str
) -> list[CompiledRule]:
    return [
        rule for table in denies for rule in table.get(slug, ()) if circumstances.is_struck_by(rule)
    ]


def _struck_by(rule: CompiledRule, denies: Sequence[CompiledRule]) -> list[CompiledRule]:
    return [deny for deny in denies if rule.id not in deny.excepted]


def _add_field(
    way: Way,
    circumstances: Circumstances,
    rules: Sequence[CompiledRule],
    denies: Sequence[CompiledRule],
) -> None:
    """Adds a field to a way by the first clean rule, else by the best of those that say no."""
    best = REFUSED
    tried: list[tuple[int, CompiledRule, tuple[Reason, ...], list[CompiledRule]]] = []
    for rule in rules:
        failures = circumstances.failures_of(rule)
        struck = _struck_by(rule, denies) if denies else []
        if not failures and not struck:
            way.rules.append(rule)
            way.ids.add(rule.id)
            return
        strictness = rule.strictness if failures else CLEAN
        for deny in struck:
            strictness = max(strictness, deny.strictness)
        if _PREFERENCE[strictness] < _PREFERENCE[best]:
            best = strictness
        tried.append((strictness, rule, failures, struck))
    way.strictness = max(way.strictness, best)
    for strictness, rule, failures, struck in tried:
        if strictness == best:
            way.rules.append(rule)
            way.reasons.update(failures)
            if failures:
                way.ids.add(rule.id)
            if struck:
                way.ids.update(deny.id for deny in struck)
                way.reasons.add(Reason.DENY_RULE)
