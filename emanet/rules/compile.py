"""Turns a rule set and a register into the index that decisions use.

Everything that depends only on the two is worked out here once: which fields a pattern means for a
purpose, which rows declare them, who may receive them. A rule can only narrow the register,
because the index has no place for a field that the register does not declare for the purpose.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from emanet.core.leaf_terms import Act, Mode
from emanet.register.values import Register
from emanet.rules.question import Decision
from emanet.rules.scope import Scope, scope_of
from emanet.rules.values import (
    ANY_ROLE,
    CaseCondition,
    CaseKind,
    Effect,
    Limit,
    Per,
    RoleSource,
    Rule,
    RuleSet,
)

__all__ = [
    "ASSIGNED",
    "CONCERNS",
    "OPEN",
    "REQUIRED",
    "STRICTNESS",
    "CompiledRule",
    "CompiledRules",
    "FieldRules",
    "compile_rules",
    "ruled_act",
]

# Bits of what is asked of a case; REQUIRED is set with every other one.
REQUIRED, OPEN, CONCERNS, ASSIGNED = 1, 2, 4, 8

# What happens where a rule says no, from mildest to strictest; 0 = no rule says no.
STRICTNESS = MappingProxyType({Mode.OBSERVE: 1, Mode.ALERT: 2, Mode.ENFORCE: 3})

_BITS = MappingProxyType(
    {
        CaseCondition.REQUIRED: REQUIRED,
        CaseCondition.OPEN: REQUIRED | OPEN,
        CaseCondition.CONCERNS_SUBJECT: REQUIRED | CONCERNS,
        CaseCondition.ASSIGNED: REQUIRED | ASSIGNED,
    }
)
_RULED_ACTS = tuple(act for act in Act if act is not Act.DECRYPT)


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """One rule as decisions use it; compared by identity."""

    id: str
    strictness: int
    case_bits: int
    limits: tuple[Limit, ...]
    work_hours: bool
    own_record: bool | None
    approver: bool
    excepted: frozenset[str]
    unless_approver: bool


FieldRules = Mapping[str, tuple[CompiledRule, ...]]
_Key = tuple[str, str, Act]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRules:
    """The index of one rule set over one register version, shared between threads.

    Attributes:
        allow: (role, purpose, act) -> field -> allow rules, those that ask for a case first.
        deny: the same for deny rules; under the role `*` those that strike who has no role.
        group_roles, app_roles: group or application -> roles; subject_roles: built-in roles.
        kinds: case kinds by name.
        roles: roles of groups that were asked for before, as `roles_of` keeps them.
        allowances: answers given before, as `decide` keeps them; both follow from the rest.
    """

    ruleset: RuleSet
    scope: Scope
    allow: Mapping[_Key, FieldRules]
    deny: Mapping[_Key, FieldRules]
    group_roles: Mapping[str, tuple[str, ...]]
    app_roles: Mapping[str, tuple[str, ...]]
    subject_roles: tuple[str, ...]
    kinds: Mapping[str, CaseKind]
    roles: dict[frozenset[str], tuple[str, ...]] = field(default_factory=dict)
    allowances: dict[tuple[object, ...], Decision] = field(default_factory=dict)


def compile_rules(ruleset: RuleSet, register: Register) -> CompiledRules:
    """Builds the index. Rules that lint would refuse give nothing rather than more.

    Args:
        ruleset: loaded rules.
        register: the register version in effect.
    """
    scope = scope_of(register)
    return CompiledRules(
        ruleset=ruleset,
        scope=scope,
        allow=_index(ruleset, scope, Effect.ALLOW),
        deny=_index(ruleset, scope, Effect.DENY),
        group_roles=_roles_by_name(ruleset, RoleSource.GROUP),
        app_roles=_roles_by_name(ruleset, RoleSource.APP),
        subject_roles=tuple(
            sorted(r.slug for r in ruleset.roles if r.source is RoleSource.DATA_SUBJECT)
        ),
        kinds={kind.slug: kind for kind in ruleset.cases},
    )


def ruled_act(act: Act) -> Act:
    """The act that rules speak of: opening an encrypted value is a read of it."""
    return Act.READ if act is Act.DECRYPT else act


def _roles_by_name(ruleset: RuleSet, source: RoleSource) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for role in sorted(ruleset.roles, key=lambda role: role.slug):
        if role.source is source:
            for name in role.names:
                found.setdefault(name, []).append(role.slug)
    return {name: tuple(slugs) for name, slugs in found.items()}


def _index(ruleset: RuleSet, scope: Scope, effect: Effect) -> Mapping[_Key, FieldRules]:
    building: dict[_Key, dict[str, list[CompiledRule]]] = {}
    everybody = frozenset({ANY_ROLE, *(role.slug for role in ruleset.roles)})
    for rule in ruleset.rules:
        if rule.effect is not effect:
            continue
        compiled = _compiled(rule, ruleset.mode_of(rule))
        roles = everybody if ANY_ROLE in rule.roles else everybody.intersection(rule.roles)
        for purpose in rule.purposes or tuple(scope.purposes):
            fields = _fields(rule, scope, purpose)
            for key in itertools.product(roles, (purpose,), rule.acts or _RULED_ACTS):
                table = building.setdefault(key, {})
                for slug in fields:
                    table.setdefault(slug, []).append(compiled)
    return {key: _frozen(table) for key, table in building.items() if table}


def _frozen(table: Mapping[str, list[CompiledRule]]) -> FieldRules:
    # A rule that asks for a case comes first, so that the record names the one that explains most.
    return {
        slug: tuple(sorted(rules, key=lambda rule: (not rule.case_bits, rule.id)))
        for slug, rules in table.items()
    }


def _fields(rule: Rule, scope: Scope, purpose: str) -> Iterable[str]:
    matched: set[str] = set()
    for pattern in rule.patterns:
        matched |= scope.match(pattern, purpose)
    return matched - scope.closed if rule.effect is Effect.ALLOW else matched


def _compiled(rule: Rule, mode: Mode) -> CompiledRule:
    bits = 0
    for condition in rule.when.case:
        bits |= _BITS[condition]
    if any(limit.per is Per.CASE for limit in rule.when.limits):
        bits |= REQUIRED
    return CompiledRule(
        id=rule.id,
        strictness=STRICTNESS[mode],
        case_bits=bits,
        limits=rule.when.limits,
        work_hours=rule.when.work_hours,
        own_record=rule.when.own_record,
        approver=rule.when.approver,
        excepted=frozenset(rule.excepted),
        unless_approver=rule.unless_approver,
    )
