"""What must be known before a decision: the actor's roles, the case kind, the counters."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType

from emanet.core.leaf_terms import Act, ActorKind
from emanet.register.period import ISTANBUL
from emanet.rules.compile import CompiledRules, FieldRules, ruled_act
from emanet.rules.question import CountNeed, Question
from emanet.rules.values import Counted, Per

__all__ = ["case_needed", "needed_counts", "roles_of"]

_MAX_ROLES = 4_096
_NO_RULES: FieldRules = MappingProxyType({})


def roles_of(compiled: CompiledRules, question: Question) -> tuple[str, ...]:
    """The need-to-know roles of the actor, sorted."""
    if question.actor is ActorKind.HUMAN:
        return _group_roles(compiled, question.groups)
    if question.actor is ActorKind.APP:
        return compiled.app_roles.get(question.actor_id, ())
    return compiled.subject_roles


def _group_roles(compiled: CompiledRules, groups: frozenset[str]) -> tuple[str, ...]:
    roles = compiled.roles.get(groups)
    if roles is None:
        known = compiled.group_roles
        roles = tuple(sorted({role for group in groups for role in known.get(group, ())}))
        if len(compiled.roles) >= _MAX_ROLES:
            compiled.roles.clear()
        compiled.roles[groups] = roles
    return roles


def case_needed(compiled: CompiledRules, question: Question) -> str:
    """The case kind that the register asks for, "" where it asks for none.

    A disclosure brings the kind that its recipient's `each_needs` names, where it names one;
    everything else the kind of the purpose's `read_needs`. A data subject needs no case.
    """
    if question.actor is ActorKind.DATA_SUBJECT:
        return ""
    if question.act is Act.DISCLOSE:
        kind = compiled.scope.each_needs.get(question.recipient or "", "")
        if kind:
            return kind
    return compiled.scope.purposes.get(question.purpose, "")


def needed_counts(compiled: CompiledRules, question: Question) -> tuple[CountNeed, ...]:
    """The counters that must be loaded before `decide`, without repeats.

    Counters under a case are left out where the question names none.
    """
    act = ruled_act(question.act)
    wanted: dict[tuple[Counted, Per], None] = {}
    for role in roles_of(compiled, question):
        table = compiled.allow.get((role, question.purpose, act), _NO_RULES)
        for slug in question.fields:
            for rule in table.get(slug, ()):
                for limit in rule.limits:
                    wanted[limit.counted, limit.per] = None
    if not wanted:
        return ()
    calendar = compiled.ruleset.calendar
    local = question.time.astimezone(calendar.zone if calendar else ISTANBUL)
    return tuple(
        CountNeed(counted, per, _since(local, per))
        for counted, per in wanted
        if per is not Per.CASE or question.case is not None
    )


def _since(local: datetime, per: Per) -> datetime | None:
    if per is Per.CASE:
        return None
    hour = local.hour if per is Per.HOUR else 0
    return local.replace(hour=hour, minute=0, second=0, microsecond=0).astimezone(UTC)
