"""A rule set answers its own examples, or is refused."""

from __future__ import annotations

import pytest
from rules_world import EXAMPLES, HEAD, RULES, register, ruleset

from emanet.core.errors import EmanetError
from emanet.core.reasons import Reason
from emanet.rules.compile import compile_rules
from emanet.rules.examples import run_examples, try_examples


def compiled_with(examples, *, rules=RULES, mode="enforce"):
    loaded = ruleset(rules, mode=mode, examples=examples)
    return loaded, compile_rules(loaded, register())


@pytest.mark.parametrize("mode", ["enforce", "alert", "observe"])
def test_examples_hold_whatever_the_mode(mode):
    """Examples say what the rules mean; turning the mode does not break them."""
    loaded, compiled = compiled_with(EXAMPLES, mode=mode)
    run_examples(loaded, compiled)
    results = try_examples(loaded, compiled)
    assert [result.problem for result in results] == [""] * len(loaded.examples)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("then: allow, by: A11", "then: deny", "says deny, the rules say allow by A11"),
        ("says: CASE_REQUIRED", "says: CASE_UNFIT", "says CASE_UNFIT, the rules say deny (CASE_REQUIRED)"),
        ("then: allow, by: A11", "then: allow, by: A10", "says allow by A10, the rules say allow by A11"),
        ("who: robot", "who: stranger", "role 'stranger' is not defined"),
    ],
)  # fmt: skip
def test_failing_example_refuses_the_file_with_its_line(old, new, problem):
    """The refusal names the example's line and what came out instead."""
    changed = EXAMPLES.replace(old, new, 1)
    loaded, compiled = compiled_with(changed)
    with pytest.raises(EmanetError) as caught:
        run_examples(loaded, compiled)
    assert caught.value.reason is Reason.MANIFEST_INVALID
    assert problem in caught.value.metadata["problem"]
    line = (HEAD + RULES + EXAMPLES[: EXAMPLES.index(old)]).count("\n") + 1
    assert caught.value.metadata["line"] == str(line)
    assert caught.value.metadata["source"] == "need_to_know.yaml"


def test_weakened_rule_is_caught_by_the_examples():
    """Taking a condition away is noticed by the example that shows it."""
    weak = RULES.replace(", approver: other_person", "")
    loaded, compiled = compiled_with(EXAMPLES, rules=weak)
    failed = [result for result in try_examples(loaded, compiled) if not result.holds]
    assert [result.example.says for result in failed] == ["APPROVER_REQUIRED"]


def test_question_that_cannot_be_evaluated_never_counts_as_a_wanted_denial():
    """A denial by failure is no denial that an example asked for."""
    examples = (
        "examples:\n  - {who: support, may: list, of: nothing.here, for: nothing, then: deny}\n"
    )
    loaded, compiled = compiled_with(examples)
    (result,) = try_examples(loaded, compiled)
    assert result.holds
    assert result.decision.reason is Reason.PURPOSE_NOT_DECLARED
