"""The five need_to_know.yaml files: clean beside their registers, and kept by their own examples."""

from __future__ import annotations

import pytest

from emanet.core.leaf_terms import Mode
from emanet.rules.compile import compile_rules
from emanet.rules.examples import run_examples
from emanet.rules.lint import Severity, lint_rules
from emanet.rules.loader import load_rules
from emanet.rules.values import CaseCondition, RoleSource
from examples.demo.habits import HABITS, How
from examples.demo.houses import HOUSES, House

pytestmark = pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.folder)


def load(house: House):
    return load_rules(house.rules, source=f"{house.folder}/need_to_know.yaml")


def test_rules_lint_without_errors_and_their_examples_hold(house: House) -> None:
    """Only what a manager chose on purpose is warned of: one rule in mode alert, sealed delivery."""
    rules = load(house)
    findings = lint_rules(rules, house.register)
    assert not [found for found in findings if found.severity is Severity.ERROR]
    alert = [rule for rule in rules.rules if rule.mode is Mode.ALERT]
    sealed = ["NTK012"] if house.folder == "chat-bot" else []
    assert [found.rule for found in findings] == sealed + ["NTK019"] * len(alert)
    assert len(rules.examples) >= 10
    run_examples(rules, compile_rules(rules, house.register))


def test_rules_fit_on_one_page(house: House) -> None:
    """A manager can sign it: at most 70 lines and 25 rules."""
    assert len(house.rules.splitlines()) <= 70
    assert len(load(house).rules) <= 25


def test_every_condition_of_this_version_is_used(house: House) -> None:
    """Cases, hours, limits, own records and approvers appear in each file."""
    conditions = [rule.when for rule in load(house).rules]
    assert {CaseCondition.OPEN, CaseCondition.CONCERNS_SUBJECT} <= frozenset().union(
        *(when.case for when in conditions)
    )
    assert any(when.work_hours for when in conditions)
    assert any(when.limits for when in conditions)
    assert any(when.approver for when in conditions)
    assert {True, False} <= {when.own_record for when in conditions}


def test_no_read_of_the_day_depends_on_the_hour(house: House) -> None:
    """Verdicts are the same on a Sunday night: no rule that asks for hours can decide one."""
    rules = load(house)
    timed = [rule for rule in rules.rules if rule.when.work_hours]
    for habit in HABITS[house.folder]:
        roles = {
            role.slug
            for role in rules.roles
            if role.source is RoleSource.GROUP and habit.group in role.names
        }
        act = "read" if habit.how is How.DECRYPT else habit.how.value
        for rule in timed:
            decides = (
                roles & set(rule.roles)
                and habit.purpose in rule.purposes
                and act in {each.value for each in rule.acts}
            )
            assert not decides, (habit, rule.id)
