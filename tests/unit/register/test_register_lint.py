"""Every lint rule finds its own fault, at its line, and a clean register has no finding."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from lint_faults import FAULTS
from register_strategies import registers, whole_registers

from emanet.register.lint import RULES, Severity, lint, render_rules
from emanet.register.manifest import load_manifest
from emanet.register.values import empty_register

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CLEAN = (HERE / "clean.register.yaml").read_text("utf-8")
TODAY = date(2026, 11, 21)


def mutated(old: str, new: str) -> str:
    assert old in CLEAN, old
    return CLEAN.replace(old, new, 1)


def findings(text: str, *, today: date = TODAY):
    manifest = load_manifest(text, "deneme.yaml")
    return lint(manifest.register, today=today, marks=manifest.marks)


def test_clean_register_has_no_finding() -> None:
    """No rule complains about a register in which nothing is wrong, not even a warning."""
    assert findings(CLEAN) == ()


@pytest.mark.parametrize(("rule", "old", "new", "line_holds"), FAULTS)
def test_rule_finds_its_fault_at_its_line(rule: str, old: str, new: str, line_holds: str) -> None:
    """One fault in a clean register is found by its rule, at the file's line, in two languages."""
    text = mutated(old, new)
    found = [finding for finding in findings(text) if finding.rule == rule]
    assert found, f"{rule} found nothing"
    finding = next((each for each in found if line_holds in line_of(text, each)), None)
    assert finding is not None, [line_of(text, each) for each in found]
    assert finding.file == "deneme.yaml"
    assert finding.tr
    assert finding.en
    assert finding.tr != finding.en
    assert finding.article


def line_of(text: str, finding) -> str:
    return text.splitlines()[finding.line - 1]


def test_every_rule_has_a_fault_here() -> None:
    """No rule exists without its negative test."""
    assert {fault[0] for fault in FAULTS} == {rule.id for rule in RULES}


def test_rule_ids_are_unique_and_sorted() -> None:
    """An id names one rule."""
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert len(ids) >= 25


def test_empty_draft_is_linted() -> None:
    """The draft of a new organization has findings, and none needs a manifest."""
    found = lint(empty_register("deneme"), today=TODAY)
    assert {"INV027", "INV030", "INV035", "INV036"} <= {finding.rule for finding in found}
    assert all(finding.file is None and finding.line is None for finding in found)


@whole_registers
@given(registers())
def test_any_draft_is_linted(draft) -> None:
    """A draft may hold anything that the schema lets in; lint answers, the same twice."""
    found = lint(draft, today=TODAY)
    assert found == lint(draft, today=TODAY)
    assert all(finding.tr and finding.en and finding.article for finding in found)


@pytest.mark.parametrize(
    ("signed", "latest", "too_late"),
    [
        ("2026-04-20", "2026-04-28", "2026-04-29"),  # a week-end and 23 April
        ("2026-05-25", "2026-06-04", "2026-06-05"),  # Kurban Bayramı, Wednesday to Saturday
        ("2025-03-27", "2025-04-07", "2025-04-08"),  # Ramazan Bayramı, Sunday to Tuesday
    ],
)
def test_standard_contract_waits_over_holidays(signed: str, latest: str, too_late: str) -> None:
    """Five business days are not five days: week-ends and public holidays do not count."""
    stated = "signed: 2026-01-12, notified: 2026-01-19"
    in_time = CLEAN.replace(stated, f"signed: {signed}, notified: {latest}")
    late = CLEAN.replace(stated, f"signed: {signed}, notified: {too_late}")
    assert not [finding for finding in findings(in_time) if finding.rule == "INV058"]
    assert [finding for finding in findings(late) if finding.rule == "INV058"]


@pytest.mark.parametrize(
    ("words", "written"),
    [("10 yıl", "P10Y"), ("6 AY", "P6M"), ("30 gün", "P30D"), ("2 hafta", "P2W")],
)
def test_a_period_in_words_is_told_how_to_be_written(words: str, written: str) -> None:
    """What a spreadsheet says is refused with the form that passes."""
    found = findings(mutated("keep: P8Y", f"keep: {words}"))
    assert [each.rule for each in found] == ["INV003"]
    assert found[0].tr.endswith(f": {written}")
    assert "INV003" not in {each.rule for each in findings(mutated("P8Y", written))}


def test_review_is_overdue_only_after_its_day() -> None:
    """On the day of review the activity is still in time."""
    assert findings(CLEAN, today=date(2027, 1, 1)) == ()
    assert {each.rule for each in findings(CLEAN, today=date(2027, 1, 2))} == {"INV051"}


def test_recorded_decision_settles_a_conflict_of_laws() -> None:
    """Where one law's minimum excludes another's maximum, the decision lets one of them pass."""
    conflict = "keep: P10Y, from: transaction_date, rules: [y6563_ileti_kaydi, y5809_trafik]"
    text = mutated("keep: P30D, from: consent_ended", conflict)
    decision = 'decided: {by: s-1, on: 2026-01-02, why: "6563 özel hükümdür"}'
    settled = text.replace(conflict, f"{conflict}, {decision}")
    rules = {"INV018", "INV020", "INV021", "INV022"}
    assert {"INV018", "INV021", "INV022"} == rules & {each.rule for each in findings(text)}
    assert not rules & {each.rule for each in findings(settled)}
    neither = settled.replace(
        "keep: P10Y, from: transaction_date", "keep: P5Y, from: transaction_date"
    )
    assert {"INV018", "INV020"} == rules & {each.rule for each in findings(neither)}


@pytest.mark.parametrize(("backups", "fits"), [("P59D", True), ("P60D", False), ("P2M", True)])
def test_maximum_counts_bucket_interval_and_backups(backups: str, fits: bool) -> None:
    """15 months + 1 bucket + 6 interval leave two months of 24, the shortest of which is 59 days."""
    text = CLEAN.replace("backups_gone_after: P30D", f"backups_gone_after: {backups}")
    over = [finding for finding in findings(text) if finding.rule == "INV018"]
    assert (not over) is fits


@pytest.mark.parametrize("keep", ["P150Y", "P36525D"])
def test_the_longest_period_is_linted(keep: str) -> None:
    """The most that may be stated still adds up with bucket, interval and backups."""
    text = mutated("keep: P15M", f"keep: {keep}")
    assert "INV018" in {finding.rule for finding in findings(text)}


def test_processor_row_needs_no_basis_and_no_notice() -> None:
    """A processor acts on its customer's basis: nothing of its own basis or notice is asked."""
    stated = mutated(
        "    role: processor\n    on_behalf_of", "    role: controller\n    on_behalf_of"
    )
    asked = {finding.rule for finding in findings(stated)}
    assert {"INV001", "INV049"} <= asked
    assert findings(CLEAN) == ()


def test_processor_purpose_needs_no_verbis_purpose() -> None:
    """VERBİS is told of no processor's rows, so a purpose of those alone needs no entry there."""
    text = mutated("delivery: {tr: Teslim, verbis: lojistik}", "delivery: {tr: Teslim}")
    assert findings(text) == ()


def test_a_recipient_without_a_role_gets_any_set_of_ours() -> None:
    """The set is judged by the roles that are known."""
    text = mutated("    role: processor\n    may_use_for", "    may_use_for")
    assert "INV062" not in {each.rule for each in findings(text)}
    wrong = text.replace("set: vs_vi", "set: vi_vi")
    assert "INV062" in {each.rule for each in findings(wrong)}


def test_lint_document_is_current() -> None:
    """docs/lint-rules.md is what the table of rules renders to."""
    assert (ROOT / "docs" / "lint-rules.md").read_text("utf-8") == render_rules()


def test_same_register_gives_same_findings() -> None:
    """Findings are ordered by line, rule and path, whatever order the rules ran in."""
    text = mutated("keep: P8Y", "keep: süresiz").replace("basis: 5/2-c, ", "")
    found = findings(text)
    assert found == findings(text)
    assert list(found) == sorted(found, key=lambda each: (each.line, each.rule, each.path))
    assert {finding.severity for finding in found} == {Severity.ERROR}


def test_a_decision_on_something_else_excuses_no_maximum() -> None:
    """Two years at most stay two years, whatever was decided about a limitation period."""
    held = mutated(
        "[customer.name, customer.email], purposes: [service]",
        "[customer.name, traffic.line], purposes: [service]",
    )
    decided = 'decided: {by: s-1, on: 2026-01-02, why: "zamanaşımı"}'
    for rule in ("rules: [tbk_146]", "rules: [y5651_erisim_saglayici_trafik]"):
        held = held.replace(rule, f"{rule}, {decided}")
    assert "INV023" in {each.rule for each in findings(held)}
    longer = held.replace("P8Y, from: contract_ended", "P10Y, from: transaction_date")
    longer = longer.replace("rules: [tbk_146]", "rules: [y6563_eticaret_islem]")
    assert "INV023" not in {each.rule for each in findings(longer)}


@pytest.mark.parametrize(("kind", "found"), [("paper", False), ("database", True)])
def test_paper_is_not_asked_for_encryption(kind: str, found: bool) -> None:
    """What lies on paper alone is locked away, not encrypted."""
    text = mutated("type: ek_belge, level: encrypted", "type: ek_belge, level: none")
    text = text.replace("in: panel.files.scan", "in: folder")
    text = text.replace("systems:\n", f"systems:\n  folder: {{tr: Klasör, kind: {kind}}}\n")
    assert ("INV040" in {each.rule for each in findings(text)}) is found


def test_a_field_in_thousands_of_rows_is_linted_at_once() -> None:
    """Rows of one field are compared by their rules, not with one another."""
    register = load_manifest(CLEAN, "deneme.yaml").register
    account = register.activities["account"]
    held = (account.rows[3], dataclasses.replace(account.rows[3], keep="staff"))
    activities = {**register.activities, "account": dataclasses.replace(account, rows=held * 5_000)}
    found = lint(dataclasses.replace(register, activities=activities), today=TODAY)
    assert sum(finding.rule == "INV023" for finding in found) == 5_000
