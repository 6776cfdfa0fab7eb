"""Findings of the register's lint, and how they are shown: text, JSON, SARIF 2.1.0."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

__all__ = [
    "Finding",
    "RuleText",
    "Severity",
    "count_findings",
    "findings_to_json",
    "format_findings",
    "render_sarif",
]

_WIDTH = 80
_INDENT = "    "
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SEVERITY_TR = {"error": "hata", "warning": "uyarı"}


class Severity(StrEnum):
    """What a finding does: an error refuses submission, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found.

    Attributes:
        rule: the rule's id, stable for ever (`INV004`).
        path: the place in the register (`activities/account/rows/2/keep`), empty for all of it.
        file: the manifest's name, None for a register that came from elsewhere.
        line: line in the manifest, from 1; None together with `file`.
        article: the article that the rule rests on.
        tr, en: what is wrong and what to do.
    """

    rule: str
    severity: Severity
    path: str
    file: str | None
    line: int | None
    article: str
    tr: str
    en: str

    @property
    def place(self) -> str:
        """`file:line`, or the path where there is no file."""
        return f"{self.file}:{self.line}" if self.file is not None else self.path or "/"


class RuleText(Protocol):
    """What SARIF says about a rule."""

    @property
    def id(self) -> str:
        """The rule's id."""

    @property
    def severity(self) -> Severity:
        """Its severity."""

    @property
    def article(self) -> str:
        """Its article."""

    @property
    def tr(self) -> str:
        """What it asks for, in Turkish."""

    @property
    def en(self) -> str:
        """What it asks for, in English."""


def count_findings(findings: Iterable[Finding]) -> tuple[int, int]:
    """The number of errors and of warnings."""
    severities = [finding.severity for finding in findings]
    return severities.count(Severity.ERROR), severities.count(Severity.WARNING)


def format_findings(findings: Sequence[Finding], *, lang: str = "en") -> str:
    """Findings for people, at most 80 columns where words allow it.

    Args:
        findings: in the order in which they are shown.
        lang: `tr` or `en`.

    Returns:
        Per finding a line `file:line  INV004 error  KVKK 4/2-d` and the text below it, then one
        closing line with the counts; every line ends with a newline.
    """
    lines = []
    for finding in findings:
        severity = _SEVERITY_TR[finding.severity] if lang == "tr" else finding.severity.value
        lines.append(f"{finding.place}  {finding.rule} {severity}  {finding.article}")
        text = finding.tr if lang == "tr" else finding.en
        lines += textwrap.wrap(
            text,
            width=_WIDTH,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
    errors, warnings = count_findings(findings)
    if lang == "tr":
        lines.append(f"{errors} hata, {warnings} uyarı")
    else:
        lines.append(f"{errors} error{_s(errors)}, {warnings} warning{_s(warnings)}")
    return "\n".join(lines) + "\n"


def findings_to_json(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Findings as JSON values; `file` and `line` are left out where there is no file."""
    return [_as_json(finding) for finding in findings]


def render_sarif(
    findings: Sequence[Finding], *, rules: Sequence[RuleText], version: str, lang: str = "en"
) -> str:
    """Findings as a SARIF 2.1.0 log, one run (OASIS, 27.03.2020).

    Args:
        findings: what was found.
        rules: every rule of the tool, found or not; results point into this list.
        version: the tool's version.
        lang: language of the messages, `tr` or `en`.

    Returns:
        JSON text with a trailing newline; the same input gives the same bytes.
    """
    index = {rule.id: place for place, rule in enumerate(rules)}
    driver = {
        "name": "emanet inventory lint",
        "version": version,
        "language": lang,
        "rules": [_sarif_rule(rule, lang) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(finding, index[finding.rule], lang) for finding in findings],
    }
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _as_json(finding: Finding) -> dict[str, object]:
    value: dict[str, object] = {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "path": finding.path,
        "article": finding.article,
        "tr": finding.tr,
        "en": finding.en,
    }
    if finding.file is not None and finding.line is not None:
        value["file"] = finding.file
        value["line"] = finding.line
    return value


def _sarif_rule(rule: RuleText, lang: str) -> dict[str, object]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.tr if lang == "tr" else rule.en},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {"article": rule.article},
    }


def _sarif_result(finding: Finding, index: int, lang: str) -> dict[str, object]:
    location: dict[str, object] = {
        "logicalLocations": [{"fullyQualifiedName": finding.path or "/"}]
    }
    if finding.file is not None and finding.line is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": finding.file.replace("\\", "/")},
            "region": {"startLine": finding.line},
        }
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": finding.tr if lang == "tr" else finding.en},
        "locations": [location],
        "properties": {"article": finding.article},
    }
