"""Decides one access by register, retention, rules, case, recipient, approver and limits.

What the register demands is never softened by a mode: the declared purpose, a running retention
period, a case that counts where the purpose's `read_needs` asks for one, an agreed recipient, and
that a data subject reads nothing but the own record. What the rules add follows the mode of the
rule that says no. Anything that cannot be evaluated is a refusal.

Pure and thread-safe. The cost is a few microseconds and does not grow with the number of rules.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from types import MappingProxyType

from emanet.core.leaf_schema import MAX_RULES
from emanet.core.leaf_terms import Act, ActorKind, Mode
from emanet.core.reasons import Reason
from emanet.rules.circumstances import Circumstances
from emanet.rules.compile import CONCERNS, OPEN, REQUIRED, STRICTNESS, CompiledRule, CompiledRules
from emanet.rules.needs import roles_of
from emanet.rules.question import Decision, Explanation, Facts, Question
from emanet.rules.ways import Way, best_way, clean_way

__all__ = ["REASON_ORDER", "decide"]

# The first that applies is told, all are recorded.
REASON_ORDER: tuple[Reason, ...] = (
    Reason.EVALUATION_FAILED,
    Reason.PURPOSE_NOT_DECLARED,
    Reason.RETENTION_ENDED,
    Reason.DENY_RULE,
    Reason.ROLE_NOT_ALLOWED,
    Reason.CASE_REQUIRED,
    Reason.CASE_SELF_OPENED,
    Reason.CASE_UNFIT,
    Reason.RECIPIENT_REQUIRED,
    Reason.APPROVER_REQUIRED,
    Reason.LIMIT_EXCEEDED,
    Reason.OUTSIDE_HOURS,
)

_RANK = MappingProxyType({reason: rank for rank, reason in enumerate(REASON_ORDER)})
_MODES = MappingProxyType({strictness: mode for mode, strictness in STRICTNESS.items()})
_FAILED = Decision(
    mode=Mode.ENFORCE, reason=Reason.EVALUATION_FAILED, reasons=(Reason.EVALUATION_FAILED,)
)
# Equal questions get the same answer object; the memory is emptied when it grows past this.
_MAX_ALLOWANCES = 4_096
_ROWLESS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def decide(compiled: CompiledRules, question: Question, facts: Facts) -> Decision:
    """Answers a question.

    Args:
        compiled: the index of the active rule set over the register in effect.
        question: the access wanted.
        facts: gathered beforehand, with one tally for each of `needed_counts`.

    Returns:
        The decision. A missing tally, a case row other than the one named, an empty field list or
        any other failure gives a refusal with EVALUATION_FAILED.
    """
    try:
        return _decision(compiled, Circumstances(compiled, question, facts))
    except Exception:  # noqa: BLE001 - fail closed: whatever went wrong, nothing is released
        return _FAILED


def _decision(compiled: CompiledRules, circumstances: Circumstances) -> Decision:
    question = circumstances.question
    declared = compiled.scope.declared.get(question.purpose, _ROWLESS)
    fields = [slug for slug in question.fields if slug in declared]
    rigid = _register_reasons(compiled, circumstances, fields)
    roles = roles_of(compiled, question)
    if not rigid:
        clean = clean_way(compiled, circumstances, roles=roles, fields=fields)
        if clean is not None:
            return _allowance(compiled, circumstances, *clean)
    way = best_way(compiled, circumstances, roles=roles, fields=fields)
    reasons = tuple(sorted(rigid | way.reasons, key=_RANK.__getitem__))
    return Decision(
        mode=Mode.ENFORCE if rigid else _MODES[way.strictness],
        reason=reasons[0],
        reasons=reasons,
        rules=tuple(sorted(way.ids)[:MAX_RULES]),
        role=way.role,
        rows=_rows(compiled, question),
        metadata=_metadata(circumstances, way, reasons[0], declared),
    )


def _allowance(
    compiled: CompiledRules, circumstances: Circumstances, role: str, rules: list[CompiledRule]
) -> Decision:
    question = circumstances.question
    explanation = _explanation(circumstances, rules)
    key = (role, question.purpose, question.fields, tuple(rules), explanation)
    known = compiled.allowances.get(key)
    if known is None:
        known = Decision(
            mode=_MODES[max(rule.strictness for rule in rules)],
            reason=None,
            explanation=explanation,
            rules=tuple(sorted({rule.id for rule in rules})),
            role=role,
            rows=_rows(compiled, question),
        )
        if len(compiled.allowances) >= _MAX_ALLOWANCES:
            compiled.allowances.clear()
        compiled.allowances[key] = known
    return known


def _register_reasons(
    compiled: CompiledRules, circumstances: Circumstances, declared_fields: list[str]
) -> set[Reason]:
    """What speaks against it by the register alone, whatever the mode."""
    question, case = circumstances.question, circumstances.case
    ended = circumstances.facts.retention_ended
    reasons: set[Reason] = set()
    if len(declared_fields) < len(question.fields):
        reasons.add(Reason.PURPOSE_NOT_DECLARED)
    if ended and not ended.isdisjoint(question.fields):
        reasons.add(Reason.RETENTION_ENDED)
    if question.actor is ActorKind.DATA_SUBJECT and not circumstances.own_all:
        reasons.add(Reason.ROLE_NOT_ALLOWED)
    if case.kind and case.failed & REQUIRED:
        reasons.update(case.reasons)
    if question.act is Act.DISCLOSE:
        agreed = compiled.scope.recipients_of(question.fields, question.purpose)
        if question.recipient not in agreed:
            reasons.add(Reason.RECIPIENT_REQUIRED)
    return reasons


def _explanation(circumstances: Circumstances, rules: list[CompiledRule]) -> Explanation:
    if circumstances.question.actor is ActorKind.DATA_SUBJECT:
        return Explanation.OWN_RECORD
    is_about_this = not circumstances.case.failed & (REQUIRED | OPEN | CONCERNS)
    if is_about_this or all(rule.case_bits for rule in rules):
        return Explanation.CASE
    return Explanation.RULE


def _rows(compiled: CompiledRules, question: Question) -> tuple[str, ...]:
    fields = question.fields
    declared = compiled.scope.declared.get(question.purpose, _ROWLESS)
    missing = [slug for slug in fields if slug not in declared]
    if missing:
        holders = compiled.scope.holders
        return tuple(sorted({row for slug in missing for row in holders.get(slug, ())}))
    return tuple(sorted({row for slug in fields for row in declared[slug]}))


def _metadata(
    circumstances: Circumstances,
    way: Way,
    reason: Reason,
    declared: Mapping[str, tuple[str, ...]],
) -> Mapping[str, str]:
    fields = circumstances.question.fields
    if reason is Reason.PURPOSE_NOT_DECLARED:
        return {"field": next(slug for slug in fields if slug not in declared)}
    if reason is Reason.RETENTION_ENDED:
        ended = circumstances.facts.retention_ended
        return {"field": next(slug for slug in fields if slug in ended)}
    if reason is Reason.CASE_REQUIRED and circumstances.case.kind:
        return {"kind": circumstances.case.kind}
    if reason is Reason.CASE_UNFIT:
        asked = functools.reduce(operator.or_, (rule.case_bits for rule in way.rules), REQUIRED)
        return {"problem": circumstances.case.problem(asked)}
    return {}
