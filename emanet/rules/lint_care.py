"""Lint rules on care: cases, limits, modes and examples that a careful rule set has."""

from __future__ import annotations

from collections.abc import Iterator

from emanet.core.leaf_terms import Act, Mode
from emanet.register.findings import Severity
from emanet.rules.lint_scope import LintRule, Problem, Subject
from emanet.rules.values import Counted, RoleSource, Rule

__all__ = ["RULES"]

# Data type of Emanet's own record of employees (verbis.yaml).
_OVERSIGHT_TYPE = "personel_erisim_kaydi"


def _case_not_examined(subject: Subject) -> Iterator[Problem]:
    for rule in subject.allows:
        if rule.when.case or _is_for(subject, rule, RoleSource.DATA_SUBJECT):
            continue
        for purpose in subject.purposes_of(rule):
            kind = subject.scope.purposes[purpose]
            if kind:
                yield Problem(
                    rule.line,
                    f"rules/{rule.id}",
                    f"envanter '{purpose}' için '{kind}' dosyası ister, kural dosyaya bakmıyor; "
                    "en az 'case: open' yazın",
                    f"the register asks for a '{kind}' for '{purpose}', yet the rule does not "
                    "look at it; write at least 'case: open'",
                )


def _no_examples(subject: Subject) -> Iterator[Problem]:
    if not subject.ruleset.examples:
        yield Problem(
            subject.ruleset.line_of("rules"),
            "examples",
            "örnek yok: kuralların ne demek istediğini gösteren örnekler yazın",
            "there are no examples: write some that show what the rules mean",
        )


def _job_without_limit(subject: Subject) -> Iterator[Problem]:
    for rule in subject.allows:
        if _is_for(subject, rule, RoleSource.APP) and not _limits(rule, Counted.RECORDS):
            yield Problem(
                rule.line,
                f"rules/{rule.id}",
                "kişisiz çalışan bir uygulamaya sınırsız okuma veriliyor; 'records' sınırı koyun",
                "a job without a person may read without end; set a 'records' limit",
            )


def _export_without_limit(subject: Subject) -> Iterator[Problem]:
    for rule in subject.allows:
        if (
            rule.acts & {Act.EXPORT, Act.DISCLOSE}
            and not rule.when.limits
            and not rule.when.approver
            and not _is_for(subject, rule, RoleSource.DATA_SUBJECT)
            and not _is_for(subject, rule, RoleSource.APP)
        ):
            yield Problem(
                rule.line,
                f"rules/{rule.id}",
                "veri dışarı verilebiliyor ama ne sınır ne ikinci kişi var; 'records' sınırı "
                "ya da 'approver: other_person' yazın",
                "data may leave, with neither a limit nor a second person; set a 'records' "
                "limit or 'approver: other_person'",
            )


def _overseer_of_oneself(subject: Subject) -> Iterator[Problem]:
    register = subject.scope.register
    overseen = {slug for slug, entry in register.fields.items() if entry.type == _OVERSIGHT_TYPE}
    for rule in subject.allows:
        if rule.when.own_record is not None:
            continue
        if any(subject.fields_of(rule, p) & overseen for p in subject.purposes_of(rule)):
            yield Problem(
                rule.line,
                f"rules/{rule.id}",
                "denetçi kendi erişim kaydını da denetleyebiliyor; 'own_record: no' yazın",
                "the auditor may audit the own accesses too; write 'own_record: no'",
            )


def _not_enforced(subject: Subject) -> Iterator[Problem]:
    ruleset = subject.ruleset
    if ruleset.mode is not Mode.ENFORCE:
        yield Problem(
            ruleset.line_of("mode"),
            "mode",
            f"kip '{ruleset.mode.value}': kuralların reddettiği erişim geçer, yalnız "
            "envanterin istedikleri zorlanır",
            f"mode '{ruleset.mode.value}': what the rules refuse passes, only what the register "
            "demands is enforced",
        )
    for rule in ruleset.rules:
        if rule.mode in {Mode.ALERT, Mode.OBSERVE} and rule.mode is not ruleset.mode:
            yield Problem(
                rule.line,
                f"rules/{rule.id}",
                f"kuralın kipi '{rule.mode.value}': reddettiği erişim geçer",
                f"the rule's mode is '{rule.mode.value}': what it refuses passes",
            )


def _is_for(subject: Subject, rule: Rule, source: RoleSource) -> bool:
    """Whether a rule is for such roles alone."""
    roles = [subject.ruleset.role(slug) for slug in rule.roles]
    return all(role is not None and role.source is source for role in roles)


def _limits(rule: Rule, counted: Counted) -> bool:
    return any(limit.counted is counted for limit in rule.when.limits)


RULES: tuple[LintRule, ...] = (
    LintRule(
        "NTK008",
        Severity.WARNING,
        "KVKK 12/1; Kurul 31.05.2018 2018/63",
        "Dosya isteyen amacın kuralı dosyanın durumuna da bakar",
        "A rule for a purpose that needs a case looks at the case",
        _case_not_examined,
    ),
    LintRule(
        "NTK013",
        Severity.WARNING,
        "KVKK 12/3",
        "Kural kümesinin örnekleri vardır",
        "A rule set has examples",
        _no_examples,
    ),
    LintRule(
        "NTK017",
        Severity.WARNING,
        "KVKK 12/1",
        "Kişisiz çalışan uygulamanın okuma sınırı vardır",
        "A job without a person has a limit of records",
        _job_without_limit,
    ),
    LintRule(
        "NTK018",
        Severity.WARNING,
        "KVKK 12/3",
        "Denetçi kendi kaydını denetlemez",
        "Nobody audits the own accesses",
        _overseer_of_oneself,
    ),
    LintRule(
        "NTK019",
        Severity.WARNING,
        "KVKK 12/1",
        "Kurallar zorlanır",
        "The rules are enforced",
        _not_enforced,
    ),
    LintRule(
        "NTK022",
        Severity.WARNING,
        "KVKK 12/1",
        "Dışarı veri çıkaran izin sınırlıdır",
        "A right to take data out is limited",
        _export_without_limit,
    ),
)
