"""Lint: what is wrong with a register, before anybody approves it.

Every rule is a pure function over the register; `RULES` is the one table of them, rendered into
docs/lint-rules.md. A finding of severity error refuses submission; a draft may hold any.
"""

from __future__ import annotations

from datetime import date

from emanet.register import (
    lint_rules_activities,
    lint_rules_basis,
    lint_rules_claims,
    lint_rules_fields,
    lint_rules_laws,
    lint_rules_organization,
    lint_rules_retention,
    lint_rules_transfers,
)
from emanet.register.findings import Finding, Severity
from emanet.register.lint_rules_scope import Problem, Rule, Scope
from emanet.register.manifest import Marks
from emanet.register.reference import reference
from emanet.register.values import Register

__all__ = ["RULES", "Finding", "Rule", "Severity", "lint", "render_rules"]

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *lint_rules_basis.RULES,
            *lint_rules_retention.RULES,
            *lint_rules_laws.RULES,
            *lint_rules_organization.RULES,
            *lint_rules_fields.RULES,
            *lint_rules_activities.RULES,
            *lint_rules_transfers.RULES,
            *lint_rules_claims.RULES,
        ),
        key=lambda rule: rule.id,
    )
)


def lint(register: Register, *, today: date, marks: Marks | None = None) -> tuple[Finding, ...]:
    """Tests a register against every rule.

    Args:
        register: any register, a draft with errors too.
        today: the day for reviews and terms, in Türkiye.
        marks: where the parts stand in the manifest, None when there is none.

    Returns:
        Findings by line (where there are marks), then rule, then path. The same input gives the
        same findings. Linear in the register.
    """
    scope = Scope(register=register, today=today, reference=reference())
    findings = [_finding(rule, problem, marks) for rule in RULES for problem in rule.check(scope)]
    return tuple(sorted(findings, key=lambda found: (found.line or 0, found.rule, found.path)))


def _finding(rule: Rule, problem: Problem, marks: Marks | None) -> Finding:
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        path=problem.path,
        file=None if marks is None else marks.source,
        line=None if marks is None else marks.line_of(problem.path),
        article=problem.article or rule.article,
        tr=problem.tr,
        en=problem.en,
    )


def render_rules() -> str:
    """The table of rules as Markdown, the content of docs/lint-rules.md."""
    lines = [
        "# Lint rules of the register",
        "",
        "Rendered from `emanet.register.lint.RULES`; do not edit. An id never changes and is",
        "never used again. A finding of severity error refuses submission; a warning does not.",
        "",
        "| id | severity | article | what it asks for | ne ister |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {rule.id} | {rule.severity.value} | {rule.article} | {rule.en} | {rule.tr} |"
        for rule in RULES
    ]
    return "\n".join(lines) + "\n"
