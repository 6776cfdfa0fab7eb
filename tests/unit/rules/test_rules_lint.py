"""Every lint rule finds its fault, with its line, and is silent on a careful rule set."""

from __future__ import annotations

import dataclasses

import pytest
from rules_world import EXAMPLES, RULES, register, text

from emanet.register.values import Level
from emanet.rules.lint import RULES as LINT_RULES
from emanet.rules.lint import lint_rules, render_lint_rules
from emanet.rules.loader import load_rules


def found(source, *, against=None):
    findings = lint_rules(load_rules(source, source="n.yaml"), against or register())
    return {finding.rule: finding for finding in findings}


def test_careful_rule_set_has_no_finding():
    """The rule set of these tests is as the lint wants it."""
    assert found(text(examples=EXAMPLES)) == {}


def with_rule(line):
    return text(RULES + f"  - {line}\n", examples=EXAMPLES)


CASES = [
    ("NTK001", with_rule("{id: D02, deny: support, of: [customer.tckn]}"), "id: D02, deny: support, of: [customer.tckn]}"),
    ("NTK002", with_rule("{id: D09, deny: nurse, of: [customer.*]}"), "nurse"),
    ("NTK002", text(examples=EXAMPLES).replace("opened_by: [customer, support]", "opened_by: [customer, nurse]"), "nurse"),
    ("NTK002", text(examples=EXAMPLES + "  - {who: nurse, may: read, of: customer.name, for: support, then: deny}\n"), "nurse"),
    ("NTK003", with_rule("{id: A70, allow: support, for: support, may: read, of: [customer.tckn], when: {case: open}}"), "A70"),
    ("NTK004", with_rule("{id: A70, allow: support, for: marketing, may: read, of: [customer.name]}"), "A70"),
    ("NTK004", text(examples=EXAMPLES + "  - {who: support, may: read, of: customer.name, for: marketing, then: deny}\n"), "marketing"),
    ("NTK005", with_rule("{id: D09, deny: support, of: [customer.shoe]}"), "D09"),
    ("NTK005", text(examples=EXAMPLES + "  - {who: support, may: read, of: customer.shoe, for: support, then: deny}\n"), "shoe"),
    ("NTK006", "\n".join(line for line in text(examples=EXAMPLES).split("\n") if "  review:" not in line), "A40"),
    ("NTK006", text(examples=EXAMPLES + "  - {who: support, may: read, of: customer.name, for: support, case: {kind: rumour}, then: deny}\n"), "rumour"),
    ("NTK007", with_rule("{id: A70, allow: support, for: support, may: read, of: [letter.text], when: {case: open}}"), "A70"),
    ("NTK007", with_rule("{id: A70, allow: support, for: support, may: read, of: [card.number], when: {case: open}}"), "A70"),
    ("NTK008", with_rule("{id: A70, allow: support, for: support, may: search, of: [customer.name]}"), "A70"),
    ("NTK009", text(examples=EXAMPLES).replace("  robot: ", "  idle: {from: 'group:bos'}\n  robot: "), "idle"),
    ("NTK010", text(RULES.replace("may: [list], of: [customer.email]}", "may: [list], of: [customer.email], when: {own_record: no}}"), examples=EXAMPLES).replace("  review: ", "  rumour: {from: panel}\n  review: "), "rumour"),
    ("NTK011", with_rule("{id: D09, deny: support, for: oversight, of: [customer.*]}"), "D09"),
    ("NTK012", text("\n".join(line for line in RULES.split("\n") if "A60" not in line), examples=EXAMPLES), "rules:"),
    ("NTK013", text(), "rules:"),
    ("NTK014", with_rule("{id: A70, allow: support, for: support, may: search, of: [traffic.*], when: {case: open}}"), "A70"),
    ("NTK015", text(RULES.replace("except: [A50]", "except: [A50, A99]"), examples=EXAMPLES), "A99"),
    ("NTK015", text(RULES.replace("except: [A50]", "except: [A50, D02]"), examples=EXAMPLES), "D02]"),
    ("NTK016", with_rule("{id: A70, allow: support, for: support, may: disclose, of: [customer.name], when: {case: open, approver: other_person}}"), "A70"),
    ("NTK017", text(RULES.replace(", records: 5000/case", ""), examples=EXAMPLES), "A21"),
    ("NTK018", text(RULES.replace(", own_record: no", ""), examples=EXAMPLES), "A40"),
    ("NTK019", text(mode="observe", examples=EXAMPLES), "mode: observe"),
    ("NTK019", text(RULES.replace("may: [read, export]}", "may: [read, export], mode: alert}"), examples=EXAMPLES), "mode: alert"),
    ("NTK020", text(examples=EXAMPLES).replace("organization: kavak", "organization: kestane"), "kestane"),
    ("NTK021", text(RULES.replace("of: [customer.*], when: {own_record: yes}}", "of: [customer.*]}"), examples=EXAMPLES), "A50"),
    ("NTK022", text(RULES.replace(", records: 1000/case", ""), examples=EXAMPLES), "A20"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "source", "mark"), CASES)
def test_fault_is_found_on_its_line(rule, source, mark):
    """The finding names rule, file and the line where the mark stands, in both languages."""
    finding = found(source)[rule]
    assert finding.file == "n.yaml"
    assert mark in source.split("\n")[finding.line - 1]
    assert finding.tr
    assert finding.en
    assert finding.tr != finding.en


def test_every_lint_rule_has_a_fault_that_shows_it():
    """No rule is in the table without a test that finds it."""
    assert {rule for rule, _, _ in CASES} == {rule.id for rule in LINT_RULES}


def test_lint_ids_are_unique_and_rendered():
    """The documentation's table is the table of the code."""
    ids = [rule.id for rule in LINT_RULES]
    assert ids == sorted(set(ids))
    assert all(f"| {one} |" in render_lint_rules() for one in ids)


def test_rule_that_was_fine_is_too_wide_for_a_narrower_register():
    """A register that loses a row makes the rules that relied on it errors."""
    sealed = dataclasses.replace(register().fields["customer.email"], level=Level.SEALED)
    fields = {**register().fields, "customer.email": sealed}
    findings = found(
        text(examples=EXAMPLES), against=dataclasses.replace(register(), fields=fields)
    )
    assert "NTK007" in findings
