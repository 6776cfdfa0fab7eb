"""Properties that hold for every rule set, question and case."""

from __future__ import annotations

import dataclasses
import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from rules_world import NOON, ask, question, register, ruleset, ticket

from emanet.core.leaf_terms import Act, ActorKind, Mode, Verdict
from emanet.core.reasons import Reason
from emanet.register.declared import rows_for
from emanet.rules.compile import compile_rules
from emanet.rules.decide import REASON_ORDER
from emanet.rules.needs import case_needed
from emanet.rules.values import (
    CaseCondition,
    Conditions,
    Counted,
    Effect,
    Limit,
    Per,
    RoleSource,
    Rule,
)

BASE = ruleset()
KINDS = {
    RoleSource.GROUP: ActorKind.HUMAN,
    RoleSource.APP: ActorKind.APP,
    RoleSource.DATA_SUBJECT: ActorKind.DATA_SUBJECT,
}
ROLES = [role.slug for role in BASE.roles]
PURPOSES = list(register().purposes)
FIELDS = list(register().fields)
PATTERNS = [*FIELDS, "*", "customer.*", "traffic.*"]
ACTS = [act for act in Act if act is not Act.DECRYPT]
GROUPS = ["destek", "muhasebe", "mali", "hukuk", "denetim", "yabanci"]
SUBJECTS = ["customers/7", "customers/8", "staff/s-044"]

conditions = st.builds(
    Conditions,
    case=st.frozensets(st.sampled_from(CaseCondition), max_size=2),
    limits=st.lists(
        st.sampled_from([Limit(Counted.SUBJECTS, 2, Per.DAY), Limit(Counted.RECORDS, 3, Per.CASE)]),
        max_size=1,
    ).map(tuple),
    work_hours=st.booleans(),
    own_record=st.sampled_from([None, None, True, False]),
    approver=st.booleans(),
)
modes = st.sampled_from([None, *Mode])


def several(values):
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)


def allow_rules(number):
    return st.builds(
        Rule,
        id=st.just(f"A{number}"),
        effect=st.just(Effect.ALLOW),
        roles=several(ROLES),
        patterns=several(PATTERNS),
        purposes=several(PURPOSES),
        acts=st.frozensets(st.sampled_from(ACTS), min_size=1, max_size=3),
        when=conditions,
        mode=modes,
    )


def deny_rules(number):
    return st.builds(
        Rule,
        id=st.just(f"D{number}"),
        effect=st.just(Effect.DENY),
        roles=st.one_of(several(ROLES), st.just(("*",))),
        patterns=several(PATTERNS),
        purposes=st.one_of(st.just(()), several(PURPOSES)),
        acts=st.frozensets(st.sampled_from(ACTS), max_size=2),
        when=st.sampled_from([Conditions(), Conditions(own_record=True)]),
        excepted=st.sampled_from([(), ("A0",), ("A1", "A2")]),
        unless_approver=st.booleans(),
        mode=modes,
    )


@st.composite
def rule_sets(draw):
    rules = [draw(allow_rules(number)) for number in range(draw(st.integers(0, 5)))]
    rules += [draw(deny_rules(number)) for number in range(draw(st.integers(0, 2)))]
    return dataclasses.replace(BASE, rules=tuple(rules), mode=draw(st.sampled_from(Mode)))


cases = st.none() | st.builds(
    ticket,
    kind=st.sampled_from([kind.slug for kind in BASE.cases]),
    opened_by=st.sampled_from(["customer", "system", "support", "legal"]),
    opener=st.sampled_from([None, "s-044", "s-070"]),
    closed_at=st.sampled_from([None, NOON - timedelta(hours=1), NOON - timedelta(days=9)]),
    received_at=st.sampled_from([NOON - timedelta(hours=1), NOON + timedelta(hours=1)]),
    subjects=st.frozensets(st.sampled_from(SUBJECTS), max_size=3),
    assignees=st.frozensets(st.sampled_from(["s-044", "s-045"]), max_size=1),
    teams=st.frozensets(st.sampled_from(GROUPS), max_size=2),
)


@st.composite
def questions(draw, case):
    kind = draw(st.sampled_from(ActorKind))
    ids = {ActorKind.HUMAN: "s-044", ActorKind.APP: "invoice-run"}
    return question(
        case,
        actor=kind,
        actor_id=ids.get(kind, "customers/7"),
        groups=draw(st.frozensets(st.sampled_from(GROUPS), max_size=3)),
        purpose=draw(st.sampled_from([*PURPOSES, "nothing"])),
        act=draw(st.sampled_from(Act)),
        fields=draw(several(FIELDS)),
        subjects=draw(st.lists(st.sampled_from(SUBJECTS), max_size=3).map(tuple)),
        records=draw(st.integers(1, 5)),
        approver=draw(st.sampled_from([None, "s-044", "s-001"])),
        recipient=draw(st.sampled_from([None, "court", "tax", "post"])),
        time=NOON + draw(st.sampled_from([timedelta(0), timedelta(hours=12)])),
    )


@st.composite
def situations(draw):
    case = draw(cases)
    asked = draw(questions(case))
    return case, asked, draw(circumstances)


circumstances = st.fixed_dictionaries(
    {
        "total": st.integers(0, 3),
        "retention_ended": st.frozensets(st.sampled_from(FIELDS), max_size=1),
        "own_subjects": st.frozensets(st.sampled_from(SUBJECTS), max_size=1),
    }
)
QUIET = {"total": 0, "retention_ended": frozenset(), "own_subjects": frozenset()}


@st.composite
def fitting_situations(draw, rules):
    """A question that one of the allow rules is meant for, with the best case there can be."""
    scope = compile_rules(rules, register()).scope
    chances = [
        (rule, role, purpose, sorted(fields))
        for rule in rules.rules
        if rule.effect is Effect.ALLOW
        for role in rule.roles
        for purpose in rule.purposes
        if (fields := set().union(*(scope.match(p, purpose) for p in rule.patterns)))
    ]
    if not chances:
        return draw(situations())
    rule, role, purpose, fields = draw(st.sampled_from(chances))
    source = BASE.role(role)
    actor = KINDS[source.source]
    ids = {ActorKind.HUMAN: "s-044", ActorKind.APP: "invoice-run"}
    own = "staff/s-044" if actor is ActorKind.HUMAN else "customers/7"
    is_own = rule.when.own_record or actor is ActorKind.DATA_SUBJECT
    subjects = (own if is_own else "customers/8",)
    kind = BASE.case_kind(scope.purposes[purpose] or "ticket")
    case = ticket(
        kind=kind.slug,
        opened_by=kind.opened_by[0] if kind.opened_by else "system",
        opener="s-070" if kind.opened_by == ("legal",) else None,
        subjects=frozenset(subjects),
        assignees=frozenset({"s-044", "invoice-run", "customers/7"}),
    )
    act = draw(st.sampled_from(sorted(rule.acts)))
    wanted = draw(several(fields))
    asked = question(
        case,
        actor=actor,
        actor_id=ids.get(actor, "customers/7"),
        groups=frozenset(source.names[:1]) if actor is ActorKind.HUMAN else frozenset(),
        purpose=purpose,
        act=act,
        fields=wanted,
        subjects=subjects,
        approver="s-001",
        recipient=min(scope.recipients_of(wanted, purpose), default=None),
    )
    return case, asked, QUIET


@st.composite
def worlds(draw):
    """A rule set with a question: meant for it, meant for it but for one thing, or any."""
    rules = draw(rule_sets())
    case, asked, facts = draw(fitting_situations(rules))
    other_case, other, other_facts = draw(situations())
    match draw(st.integers(0, 3)):
        case 0:
            return rules, (case, asked, facts)
        case 1:
            return rules, (case, asked, other_facts)
        case 2:
            name = draw(
                st.sampled_from(["groups", "act", "fields", "subjects", "approver", "time"])
            )
            return rules, (case, dataclasses.replace(asked, **{name: getattr(other, name)}), facts)
        case _:
            return rules, (other_case, other, other_facts)


def answer(rules, situation):
    case, asked, facts = situation
    return ask(compile_rules(rules, register()), asked, case, **facts)


@given(worlds())
@settings(max_examples=60)
def test_rules_can_only_narrow_the_register(world):
    """Whatever the rules say: an access that passes is declared, in time, with its case."""
    rules, situation = world
    decision = answer(rules, situation)
    case, asked, facts = situation
    if decision.verdict is Verdict.ALLOW:
        for field in asked.fields:
            assert rows_for(register(), field=field, purpose=asked.purpose)
            assert field not in {"letter.text", "card.number"} or decision.reason is not None
        assert not facts["retention_ended"] & set(asked.fields)
        needed = case_needed(compile_rules(rules, register()), asked)
        assert not needed or (case is not None and case.kind == needed)
        if needed:
            assert case.opener != asked.actor_id
            assert case.received_at <= asked.time
        if asked.actor is ActorKind.DATA_SUBJECT:
            assert asked.subjects
            assert set(asked.subjects) <= {"customers/7"} | facts["own_subjects"]


@given(worlds(), st.data())
@settings(max_examples=60)
def test_further_deny_rule_never_turns_a_denial_into_an_allowance(world, data):
    """Deny overrides: adding one can only take."""
    rules, situation = world
    before = answer(rules, situation)
    more = dataclasses.replace(rules, rules=(*rules.rules, data.draw(deny_rules(9))))
    after = answer(more, situation)
    assert before.verdict is Verdict.ALLOW or after.verdict is Verdict.DENY
    assert before.ruled is Verdict.ALLOW or after.ruled is Verdict.DENY
    assert set(before.reasons) - {Reason.DENY_RULE} <= set(after.reasons) or (
        before.mode is not after.mode
    )


@given(worlds())
@settings(max_examples=60)
def test_nothing_is_allowed_where_no_rule_gives_it(world):
    """Default deny: without allow rules everything is refused, and nothing is ever ruled in."""
    rules, situation = world
    denies = tuple(rule for rule in rules.rules if rule.effect is Effect.DENY)
    decision = answer(dataclasses.replace(rules, rules=denies, mode=Mode.ENFORCE), situation)
    assert decision.verdict is Verdict.DENY
    assert decision.reason is not None


@given(st.data())
@settings(max_examples=60)
def test_taking_the_case_away_leaves_only_case_required(data):
    """An allowance that rests on a case turns into CASE_REQUIRED without it."""
    rules = data.draw(rule_sets())
    _, asked, facts = situation = data.draw(fitting_situations(rules))
    clean = answer(rules, situation)
    bare = dataclasses.replace(asked, case=None)
    without = answer(rules, (None, bare, facts))
    if clean.ruled is Verdict.DENY:
        assert without.ruled is Verdict.DENY
        return
    assert without.ruled is Verdict.ALLOW or without.reason is Reason.CASE_REQUIRED
    if case_needed(compile_rules(rules, register()), asked):
        assert without.reason is Reason.CASE_REQUIRED
        assert without.verdict is Verdict.DENY


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_order_of_rules_roles_and_fields_does_not_matter(world, chance):
    """The same question gets the same answer however the file is sorted, and every time."""
    rules, situation = world
    first = answer(rules, situation)
    shuffled = dataclasses.replace(
        rules, rules=_shuffled(rules.rules, chance), roles=_shuffled(rules.roles, chance)
    )
    case, asked, facts = situation
    mixed = dataclasses.replace(asked, subjects=_shuffled(asked.subjects, chance))
    again = answer(shuffled, (case, mixed, facts))
    assert again == first
    turned = dataclasses.replace(asked, fields=tuple(reversed(asked.fields)))
    other = answer(rules, (case, turned, facts))
    assert (other.verdict, other.reasons, other.mode) == (first.verdict, first.reasons, first.mode)


@given(worlds())
@settings(max_examples=60)
def test_enforce_is_the_strictest_mode(world):
    """What passes under enforce passes under every mode; the verdict of the rules is the same."""
    rules, situation = world
    plain = tuple(dataclasses.replace(rule, mode=None) for rule in rules.rules)
    answers = {
        mode: answer(dataclasses.replace(rules, rules=plain, mode=mode), situation) for mode in Mode
    }
    assert len({decision.reasons for decision in answers.values()}) == 1
    if answers[Mode.ENFORCE].verdict is Verdict.ALLOW:
        assert {decision.verdict for decision in answers.values()} == {Verdict.ALLOW}


@given(worlds())
@settings(max_examples=60)
def test_answer_is_always_complete(world):
    """Reasons are ordered and without repeats; an allowance is explained, a denial has a reason."""
    rules, situation = world
    decision = answer(rules, situation)
    ranks = [REASON_ORDER.index(reason) for reason in decision.reasons]
    assert ranks == sorted(set(ranks))
    assert (decision.reason is None) is (decision.explanation is not None)
    assert decision.reason is (decision.reasons[0] if decision.reasons else None)
    assert decision.reason is not Reason.EVALUATION_FAILED
    assert decision.why
    assert len(decision.rules) <= 64
    if decision.verdict is Verdict.DENY:
        assert decision.mode is Mode.ENFORCE


def _shuffled(values, chance: random.Random):
    return tuple(chance.sample(values, len(values)))
