"""Lint: what is wrong with a rule set beside its register, before anybody activates it."""

from __future__ import annotations

from emanet.register.findings import Finding, Severity
from emanet.register.values import Register
from emanet.rules import lint_care, lint_names, lint_reach
from emanet.rules.lint_scope import LintRule, Problem, Subject
from emanet.rules.scope import scope_of
from emanet.rules.values import RuleSet

__all__ = ["RULES", "Finding", "LintRule", "Severity", "lint_rules", "render_lint_rules"]

RULES: tuple[LintRule, ...] = tuple(
    sorted((*lint_names.RULES, *lint_reach.RULES, *lint_care.RULES), key=lambda rule: rule.id)
)


def lint_rules(ruleset: RuleSet, register: Register) -> tuple[Finding, ...]:
    """Tests a rule set against every lint rule.

    Args:
        ruleset: loaded rules.
        register: the register in effect.

    Returns:
        Findings by line, then rule, then path. One of severity error refuses the rule set.
    """
    subject = Subject(ruleset=ruleset, scope=scope_of(register))
    findings = [
        _finding(rule, problem, ruleset.source)
        for rule in RULES
        for problem in dict.fromkeys(rule.check(subject))
    ]
    return tuple(sorted(findings, key=lambda found: (found.line or 0, found.rule, found.path)))


def render_lint_rules() -> str:
    """The table of lint rules as Markdown, a part of docs/need-to-know.md."""
    lines = ["| id | severity | article | what it asks for | ne ister |", "|---|---|---|---|---|"]
    lines += [
        f"| {rule.id} | {rule.severity.value} | {rule.article} | {rule.en} | {rule.tr} |"
        for rule in RULES
    ]
    return "\n".join(lines) + "\n"


def _finding(rule: LintRule, problem: Problem, source: str) -> Finding:
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        path=problem.path,
        file=source,
        line=problem.line,
        article=rule.article,
        tr=problem.tr,
        en=problem.en,
    )
