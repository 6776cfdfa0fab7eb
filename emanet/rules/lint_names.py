"""Lint rules on names: whatever a rule set names must exist, and only once."""

from __future__ import annotations

from collections.abc import Iterator

from emanet.register.findings import Severity
from emanet.rules.lint_scope import LintRule, Problem, Subject, is_pattern
from emanet.rules.values import ANY_ROLE, PARTIES

__all__ = ["RULES"]


def _id_twice(subject: Subject) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for rule in subject.ruleset.rules:
        if rule.id in first:
            yield Problem(
                rule.line,
                f"rules/{rule.id}",
                f"'{rule.id}' kural kimliği iki kez kullanılmış (ilki {first[rule.id]}. satırda)",
                f"rule id '{rule.id}' is used twice (first in line {first[rule.id]})",
            )
        first.setdefault(rule.id, rule.line)


def _unknown_role(subject: Subject) -> Iterator[Problem]:
    known = {role.slug for role in subject.ruleset.roles}
    named = [
        (rule.line, f"rules/{rule.id}", role)
        for rule in subject.ruleset.rules
        for role in rule.roles
        if role != ANY_ROLE
    ]
    named += [
        (kind.line, f"cases/{kind.slug}", opener)
        for kind in subject.ruleset.cases
        for opener in kind.opened_by
        if opener not in PARTIES
    ]
    named += [
        (example.line, f"examples/{index}", example.role)
        for index, example in enumerate(subject.ruleset.examples)
    ]
    for line, path, role in named:
        if role not in known:
            yield Problem(
                line,
                path,
                f"'{role}' rolü 'roles' altında tanımlı değil",
                f"role '{role}' is not defined under 'roles'",
            )


def _unknown_purpose(subject: Subject) -> Iterator[Problem]:
    named = [
        (rule.line, f"rules/{rule.id}", purpose)
        for rule in subject.ruleset.rules
        for purpose in rule.purposes
    ]
    named += [
        (example.line, f"examples/{index}", example.purpose)
        for index, example in enumerate(subject.ruleset.examples)
    ]
    for line, path, purpose in named:
        if purpose not in subject.scope.purposes:
            yield Problem(
                line,
                path,
                f"'{purpose}' erişim amacı envanterde yok",
                f"the register has no purpose '{purpose}'",
            )


def _unknown_field(subject: Subject) -> Iterator[Problem]:
    named = [
        (rule.line, f"rules/{rule.id}", pattern)
        for rule in subject.ruleset.rules
        for pattern in rule.patterns
        if not is_pattern(pattern)
    ]
    named += [
        (example.line, f"examples/{index}", field)
        for index, example in enumerate(subject.ruleset.examples)
        for field in example.fields
    ]
    for line, path, field in named:
        if field not in subject.scope.fields:
            yield Problem(
                line,
                path,
                f"'{field}' alanı envanterde yok",
                f"the register has no field '{field}'",
            )


def _unknown_case_kind(subject: Subject) -> Iterator[Problem]:
    known = {kind.slug for kind in subject.ruleset.cases}
    roles = {role.slug: role for role in subject.ruleset.roles}
    for rule in subject.allows:
        if all(role in roles and not roles[role].names for role in rule.roles):
            continue  # a data subject needs no case
        for purpose in subject.purposes_of(rule):
            kind = subject.scope.purposes[purpose]
            if kind and kind not in known:
                yield Problem(
                    rule.line,
                    f"rules/{rule.id}",
                    f"envanter '{purpose}' için '{kind}' dosyası ister; 'cases' altında yok, "
                    "kimse bu kuraldan yararlanamaz",
                    f"the register asks for a '{kind}' for '{purpose}', which is not under "
                    "'cases': nobody could use this rule",
                )
    for index, example in enumerate(subject.ruleset.examples):
        if example.case is not None and example.case.kind not in known:
            yield Problem(
                example.line,
                f"examples/{index}",
                f"'{example.case.kind}' dosya türü 'cases' altında tanımlı değil",
                f"case kind '{example.case.kind}' is not defined under 'cases'",
            )


def _unknown_exception(subject: Subject) -> Iterator[Problem]:
    allows = {rule.id for rule in subject.allows}
    for rule in subject.denies:
        for excepted in rule.excepted:
            if excepted not in allows:
                yield Problem(
                    rule.line,
                    f"rules/{rule.id}",
                    f"'except' altındaki '{excepted}' bir izin kuralı değil",
                    f"'{excepted}' under 'except' is no allow rule",
                )


def _other_organization(subject: Subject) -> Iterator[Problem]:
    named, own = subject.ruleset.organization, subject.scope.register.organization.id
    if named != own:
        yield Problem(
            subject.ruleset.line_of("organization"),
            "organization",
            f"dosya '{named}' kuruluşuna, envanter '{own}' kuruluşuna ait",
            f"the file is of '{named}', the register of '{own}'",
        )


RULES: tuple[LintRule, ...] = (
    LintRule(
        "NTK001",
        Severity.ERROR,
        "KVKK 12/1",
        "Kural kimlikleri tektir: her kayıtta yer alırlar",
        "Rule ids are unique: they go into every record",
        _id_twice,
    ),
    LintRule(
        "NTK002",
        Severity.ERROR,
        "KVKK 12/1",
        "Adı geçen her rol tanımlıdır",
        "Every role named is defined",
        _unknown_role,
    ),
    LintRule(
        "NTK004",
        Severity.ERROR,
        "KVKK 4/2-c",
        "Adı geçen her erişim amacı envanterdedir",
        "Every purpose named is in the register",
        _unknown_purpose,
    ),
    LintRule(
        "NTK005",
        Severity.ERROR,
        "KVKK 4/2-ç",
        "Adı geçen her alan envanterdedir",
        "Every field named is in the register",
        _unknown_field,
    ),
    LintRule(
        "NTK006",
        Severity.ERROR,
        "KVKK 12/1",
        "Envanterin istediği ve örneklerde geçen her dosya türü tanımlıdır",
        "Every case kind that the register asks for or an example names is defined",
        _unknown_case_kind,
    ),
    LintRule(
        "NTK015",
        Severity.ERROR,
        "KVKK 12/1",
        "'except' yalnız var olan izin kurallarını sayar",
        "'except' lists only allow rules that exist",
        _unknown_exception,
    ),
    LintRule(
        "NTK020",
        Severity.ERROR,
        "KVKK 12/1",
        "Kurallar ve envanter aynı kuruluşundur",
        "Rules and register are of the same organization",
        _other_organization,
    ),
)
