"""Lint rules on reach: no rule gives more than the register, and none gives or takes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from emanet.core.leaf_terms import Act
from emanet.register.findings import Severity
from emanet.rules.lint_scope import LintRule, Problem, Subject, is_pattern
from emanet.rules.values import RoleSource

__all__ = ["RULES"]


def _wider_than_register(subject: Subject) -> Iterator[Problem]:
    scope = subject.scope
    for rule in subject.allows:
        for pattern in rule.patterns:
            if is_pattern(pattern) or pattern not in scope.fields or pattern in scope.closed:
                continue
            for purpose in subject.purposes_of(rule):
                if pattern not in scope.declared[purpose]:
                    yield Problem(
                        rule.line,
                        f"rules/{rule.id}",
                        f"envanter '{pattern}' alanını '{purpose}' amacıyla saymıyor; kural "
                        "envanterden geniş olamaz. Envantere satır ekletin ya da alanı çıkarın",
                        f"the register does not declare '{pattern}' for '{purpose}'; a rule "
                        "cannot be wider than the register. Have a row added or take it out",
                    )


def _closed_field(subject: Subject) -> Iterator[Problem]:
    for rule in subject.allows:
        for pattern in rule.patterns:
            if pattern in subject.scope.closed:
                yield Problem(
                    rule.line,
                    f"rules/{rule.id}",
                    f"'{pattern}' mühürlü ya da yasak: hiçbir role verilemez",
                    f"'{pattern}' is sealed or forbidden: no role can be given it",
                )


def _empty_pattern(subject: Subject) -> Iterator[Problem]:
    for rule in subject.allows:
        for pattern in rule.patterns:
            if not is_pattern(pattern):
                continue
            for purpose in subject.purposes_of(rule):
                if not subject.scope.match(pattern, purpose) - subject.scope.closed:
                    yield Problem(
                        rule.line,
                        f"rules/{rule.id}",
                        f"'{pattern}' kalıbı '{purpose}' amacında hiçbir alana uymuyor",
                        f"pattern '{pattern}' means no field for '{purpose}'",
                    )


def _idle_deny(subject: Subject) -> Iterator[Problem]:
    for rule in subject.denies:
        reaches = subject.roles_of(rule) and any(
            subject.fields_of(rule, purpose) for purpose in subject.purposes_of(rule)
        )
        if not reaches:
            yield Problem(
                rule.line,
                f"rules/{rule.id}",
                "yasak kuralı hiçbir rol ve alana değmiyor; etkisiz",
                "the deny rule touches no role and field; it has no effect",
            )


def _unused_role(subject: Subject) -> Iterator[Problem]:
    used = {role for rule in subject.allows for role in rule.roles}
    for role in subject.ruleset.roles:
        if role.slug not in used:
            yield Problem(
                role.line,
                f"roles/{role.slug}",
                f"'{role.slug}' rolüne hiçbir kural izin vermiyor",
                f"no rule gives role '{role.slug}' anything",
            )


def _unused_case_kind(subject: Subject) -> Iterator[Problem]:
    asked = {kind for kind in subject.scope.purposes.values() if kind}
    asked |= {kind for kind in subject.scope.each_needs.values() if kind}
    takes_any = any(
        rule.when.case and not subject.scope.purposes[purpose]
        for rule in subject.allows
        for purpose in subject.purposes_of(rule)
    )
    for kind in subject.ruleset.cases:
        if kind.slug not in asked and not takes_any:
            yield Problem(
                kind.line,
                f"cases/{kind.slug}",
                f"envanterde hiçbir amaç '{kind.slug}' dosyası istemiyor",
                f"no purpose of the register asks for a '{kind.slug}'",
            )


def _unused_purpose(subject: Subject) -> Iterator[Problem]:
    used = {purpose for rule in subject.allows for purpose in rule.purposes}
    for purpose, fields in subject.scope.declared.items():
        if fields and purpose not in used:
            yield Problem(
                subject.ruleset.line_of("rules"),
                "rules",
                f"envanterdeki '{purpose}' amacıyla kimse okuyamaz",
                f"nobody may read for the register's purpose '{purpose}'",
            )


def _nobody_receives(subject: Subject) -> Iterator[Problem]:
    for rule in subject.allows:
        if Act.DISCLOSE not in rule.acts:
            continue
        for purpose in subject.purposes_of(rule):
            fields = subject.fields_of(rule, purpose)
            if fields and not any(subject.scope.recipients_of((f,), purpose) for f in fields):
                yield Problem(
                    rule.line,
                    f"rules/{rule.id}",
                    f"envanterde '{purpose}' amacıyla aktarılabilecek alıcı yok",
                    f"the register names no recipient for '{purpose}'",
                )


def _subject_without_own(subject: Subject) -> Iterator[Problem]:
    built_in = {
        role.slug for role in subject.ruleset.roles if role.source is RoleSource.DATA_SUBJECT
    }
    for rule in subject.allows:
        if built_in.intersection(rule.roles) and rule.when.own_record is not True:
            yield Problem(
                rule.line,
                f"rules/{rule.id}",
                "ilgili kişi yalnız kendi kaydını okur; kurala 'own_record: yes' yazın",
                "a data subject reads only the own record; write 'own_record: yes'",
            )


RULES: tuple[LintRule, ...] = (
    LintRule(
        "NTK003",
        Severity.ERROR,
        "KVKK 4/2-ç",
        "Kural envanteri yalnız daraltır",
        "A rule only narrows the register",
        _wider_than_register,
    ),
    LintRule(
        "NTK007",
        Severity.ERROR,
        "KVKK 12/1",
        "Mühürlü ya da yasak alan hiçbir role verilmez",
        "A sealed or forbidden field is given to no role",
        _closed_field,
    ),
    LintRule(
        "NTK009",
        Severity.WARNING,
        "KVKK 12/1",
        "Her rolün bir izni vardır",
        "Every role is given something",
        _unused_role,
    ),
    LintRule(
        "NTK010",
        Severity.WARNING,
        "KVKK 12/1",
        "Her dosya türünü isteyen bir amaç vardır",
        "Every case kind is asked for by a purpose",
        _unused_case_kind,
    ),
    LintRule(
        "NTK011",
        Severity.WARNING,
        "KVKK 12/1",
        "Yasak kuralı bir şeye değer",
        "A deny rule touches something",
        _idle_deny,
    ),
    LintRule(
        "NTK012",
        Severity.WARNING,
        "KVKK 4/2-c",
        "Envanterdeki her amaç için okuyabilen biri vardır",
        "Somebody may read for every purpose of the register",
        _unused_purpose,
    ),
    LintRule(
        "NTK014",
        Severity.WARNING,
        "KVKK 4/2-ç",
        "Her kalıp en az bir alana uyar",
        "Every pattern means at least one field",
        _empty_pattern,
    ),
    LintRule(
        "NTK016",
        Severity.WARNING,
        "KVKK 8",
        "Aktarım izni olan amacın alıcısı vardır",
        "A purpose with the right to disclose has a recipient",
        _nobody_receives,
    ),
    LintRule(
        "NTK021",
        Severity.WARNING,
        "KVKK 11",
        "İlgili kişinin kuralı kendi kaydıyla sınırlıdır",
        "A data subject's rule is limited to the own record",
        _subject_without_own,
    ),
)
