"""The authorisation matrix says what the rules do, in Turkish and English."""

from __future__ import annotations

from rules_world import register, ruleset

from emanet.rules.matrix import Language, authorisation_matrix, format_matrix


def rows(lang=Language.TR):
    matrix = authorisation_matrix(ruleset(), register(), lang=lang)
    return {
        (row[5], row[0].partition(" (")[0]): dict(zip(matrix.header, row, strict=True))
        for row in matrix.rows
    }


def test_row_names_role_purpose_fields_acts_and_conditions_in_turkish():
    """A manager reads who may do what to which data, for what and when."""
    row = rows()["A11", "Destek uzmanı"]
    assert row["Erişim amacı"] == "Destek talebini çözmek (support)"
    assert row["Alanlar"] == "E-posta adresi (customer.email); Ad soyad (customer.name)"
    assert row["İşlemler"] == "okuma"
    assert row["Koşullar"] == (
        "dosya: Destek talebi (ticket); dosya açık; dosya bu kişiyle ilgili; "
        "dosya kendisine ya da ekibine atanmış; günde en çok 3 kişi"
    )
    assert row["Kip"] == "zorunlu"


def test_row_in_english():
    """The same table for readers of English."""
    row = rows(Language.EN)["A20", "Muhasebe uzmanı"]
    assert row["Role"] == "Muhasebe uzmanı (billing), processor"
    assert row["Acts"] == "read, export"
    assert row["Conditions"].endswith("case is open; at most 1000 records a case; in working hours")


def test_patterns_stand_as_the_fields_that_they_mean_and_never_as_sealed_ones():
    """customer.* for support is what the register declares for support."""
    row = rows()["A10", "Destek uzmanı"]
    assert "customer.tckn" not in row["Alanlar"]
    assert "letter.text" not in row["Alanlar"]


def test_deny_rules_stand_last_with_their_exceptions():
    """A deny rule for everybody and every purpose is shown as such."""
    matrix = authorisation_matrix(ruleset(), register())
    assert [row[5] for row in matrix.rows][-2:] == ["D01", "D02"]
    row = rows()["D01", "herkes"]
    assert row["Erişim amacı"] == "bütün amaçlar"
    assert row["İşlemler"] == "YASAK: her işlem"
    assert row["Koşullar"] == "yalnız kendi kaydı; A50 kuralı dışında"


def test_data_subject_needs_no_case_in_the_matrix():
    """A person's own page is shown without the case that staff would need."""
    assert rows()["A50", "Müşteri"]["Koşullar"] == "yalnız kendi kaydı"


def test_markdown_has_one_line_for_each_row():
    """The text form is a table that renders as one."""
    matrix = authorisation_matrix(ruleset(), register())
    lines = format_matrix(matrix).splitlines()
    assert len(lines) == len(matrix.rows) + 2
    assert {line.count(" | ") for line in lines} == {len(matrix.header) - 1}
