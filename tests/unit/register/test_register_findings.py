"""Findings as text, JSON and SARIF."""

from __future__ import annotations

import json

import pytest

from emanet.register.findings import (
    Finding,
    Severity,
    count_findings,
    findings_to_json,
    format_findings,
    render_sarif,
)
from emanet.register.lint import RULES

ERROR = Finding(
    rule="INV004",
    severity=Severity.ERROR,
    path="retention/contract/keep",
    file="hosting/register.yaml",
    line=43,
    article="KVKK 4/2-d",
    tr="'süresiz' bir süre değil; ISO 8601 süresi ve başlangıcı yazılmalı (örneğin P10Y)",
    en="'süresiz' is not a period; state an ISO 8601 period and its start (for example P10Y)",
)
WARNING = Finding(
    rule="INV024",
    severity=Severity.WARNING,
    path="retention/staff/rules",
    file=None,
    line=None,
    article="6698 m.12",
    tr="doğrulanmadı",
    en="not verified",
)


def test_text_names_file_line_and_rule_in_80_columns() -> None:
    """A person finds the line at once, and no line is wider than a terminal."""
    text = format_findings([ERROR, WARNING])
    assert text.startswith("hosting/register.yaml:43  INV004 error  KVKK 4/2-d\n")
    assert "\nretention/staff/rules  INV024 warning  6698 m.12\n" in text
    assert text.endswith("1 error, 1 warning\n")
    assert max(map(len, text.splitlines())) <= 80


def test_turkish_text_is_turkish() -> None:
    """The Turkish text has Turkish words for severity and counts."""
    text = format_findings([ERROR, WARNING], lang="tr")
    assert "INV004 hata" in text
    assert "INV024 uyarı" in text
    assert text.endswith("1 hata, 1 uyarı\n")


def test_no_finding_is_said_so() -> None:
    """An empty result still has its closing line."""
    assert format_findings([]) == "0 errors, 0 warnings\n"
    assert count_findings([]) == (0, 0)


def test_json_leaves_out_a_missing_place() -> None:
    """JSON has both languages; file and line only where there is a file."""
    first, second = findings_to_json([ERROR, WARNING])
    assert first["line"] == 43
    assert first["tr"] == ERROR.tr
    assert "file" not in second
    json.dumps([first, second])


@pytest.mark.parametrize("lang", ["tr", "en"])
def test_sarif_has_what_the_standard_requires(lang: str) -> None:
    """SARIF 2.1.0: version, driver name, rules, results that point into them, locations."""
    log = json.loads(render_sarif([ERROR, WARNING], rules=RULES, version="0.1", lang=lang))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(rules) == len(RULES)
    first, second = run["results"]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "INV004"
    assert first["level"] == "error"
    assert first["message"]["text"] == (ERROR.tr if lang == "tr" else ERROR.en)
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "hosting/register.yaml"
    assert place["region"]["startLine"] == 43
    assert "physicalLocation" not in second["locations"][0]
    assert second["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == WARNING.path


def test_sarif_is_the_same_twice() -> None:
    """The same findings give the same bytes."""
    assert render_sarif([ERROR], rules=RULES, version="1") == render_sarif(
        [ERROR], rules=RULES, version="1"
    )
