"""docs/need-to-know.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rules_world import register

from emanet.core.leaf_terms import Act, Mode
from emanet.rules.compile import compile_rules
from emanet.rules.decide import REASON_ORDER
from emanet.rules.examples import run_examples
from emanet.rules.lint import Severity, lint_rules, render_lint_rules
from emanet.rules.loader import load_rules
from emanet.rules.reading import NOT_SUPPORTED
from emanet.rules.values import CaseCondition

PAGE = Path(__file__).parents[3] / "docs" / "need-to-know.md"


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


def test_example_of_the_page_loads_lints_and_holds(page):
    """The reader can copy the example: no error, and its examples come out as written."""
    (block,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    loaded = load_rules(block, source="need-to-know.md")
    findings = lint_rules(loaded, register())
    assert [one for one in findings if one.severity is Severity.ERROR] == []
    run_examples(loaded, compile_rules(loaded, register()))


def test_page_carries_the_lint_table_of_the_code(page):
    """The table is rendered, not written."""
    assert render_lint_rules() in page


def test_page_tells_reasons_in_their_order(page):
    """Every reason has its line, in the order in which they are told."""
    section = page.partition("### Reasons of a denial")[2].partition("###")[0]
    assert re.findall(r"^\| ([A-Z_]+) \|", section, flags=re.MULTILINE) == list(REASON_ORDER)


def test_page_names_every_word_of_the_closed_sets(page):
    """Acts, modes, case conditions and planned keys all stand on the page."""
    for word in (*Act, *Mode, *CaseCondition, *NOT_SUPPORTED):
        assert re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", page), word
