"""Lint rules on the organization: destruction, measures, registry, oversight of its staff."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from emanet.register.findings import Severity
from emanet.register.lint_rules_scope import Problem, Rule, Scope, quoted
from emanet.register.period import Period
from emanet.register.reference import Item
from emanet.register.values import Duty, Registry
from emanet.register.wording import word_period

__all__ = ["RULES"]

_OVERSIGHT = "personel_erisim_kaydi"
_EMPLOYEES = "calisan"
# Of the measures of Board decision 31.01.2018, 2018/10, those that VERBİS has a statement for and
# that every holder of special-category data needs; the mail and portable-media ones depend on use.
_FOR_SPECIAL = ("ozel_nitelikli_protokol", "ozel_nitelikli_kripto_anahtar")
# Destruction regulation art. 7/3.
_RECEIPTS_AT_LEAST = Period(months=36)
# Thresholds are yearly figures (KVKK art. 16/2; Board 2025/1572).
_EXEMPTION_HOLDS = timedelta(days=366)


def _interval_too_long(scope: Scope) -> Iterator[Problem]:
    destruction = scope.register.destruction
    longest = scope.longest_interval
    stated = None if destruction is None else destruction.interval
    if stated is None:
        yield Problem(
            "destruction",
            f"periyodik imha aralığı ('interval') yazılmamış; en çok {_tr(longest)} olabilir",
            f"the interval of periodic destruction is not stated; at most {_en(longest)}",
        )
    elif not stated.fits_within(longest):
        yield Problem(
            "destruction/interval",
            f"periyodik imha aralığı {_tr(stated)}; en çok {_tr(longest)} olabilir",
            f"the interval of periodic destruction is {_en(stated)}; at most {_en(longest)} is "
            "allowed",
        )
    for slug, rule in scope.register.retention.items():
        if rule.interval is not None and not rule.interval.fits_within(longest):
            yield Problem(
                f"retention/{slug}/interval",
                f"'{slug}' için imha aralığı {_tr(rule.interval)}; en çok {_tr(longest)} olabilir",
                f"the interval of '{slug}' is {_en(rule.interval)}; at most {_en(longest)} is "
                "allowed",
            )


def _backups_missing(scope: Scope) -> Iterator[Problem]:
    destruction = scope.register.destruction
    if destruction is None or destruction.backups_gone_after is None:
        yield Problem(
            "destruction",
            "yedeklerin en geç ne zaman silindiği ('backups_gone_after') yazılmamış; yedek "
            "durdukça yok etme tamamlanmaz",
            "after how long backups are gone ('backups_gone_after') is not stated; data is not "
            "destroyed while a backup opens it",
        )


def _receipts_too_short(scope: Scope) -> Iterator[Problem]:
    destruction = scope.register.destruction
    kept = None if destruction is None else destruction.receipts_kept
    if kept is None or kept < _RECEIPTS_AT_LEAST:
        yield Problem(
            "destruction",
            f"imha kayıtları en az {_tr(_RECEIPTS_AT_LEAST)} saklanır; yazılan: "
            f"{_tr(kept) if kept else 'yok'}",
            f"destruction records are kept {_en(_RECEIPTS_AT_LEAST)} at least; stated: "
            f"{_en(kept) if kept else 'nothing'}",
        )


def _measures_missing(scope: Scope) -> Iterator[Problem]:
    if not scope.register.measures:
        yield Problem(
            "measures",
            "hiçbir teknik ya da idari tedbir yazılmamış",
            "no technical or administrative measure is stated",
        )


def _special_measures_missing(scope: Scope) -> Iterator[Problem]:
    special = [slug for slug in scope.register.fields if scope.is_special(slug)]
    lacking = [code for code in _FOR_SPECIAL if code not in scope.register.measures]
    if special and lacking:
        yield Problem(
            "measures",
            f"özel nitelikli veri var ({quoted(special)}); eksik tedbirler: {quoted(lacking)}",
            f"special-category data is held ({quoted(special)}); missing: {quoted(lacking)}",
        )


def _registry_missing(scope: Scope) -> Iterator[Problem]:
    registry = scope.register.registry
    if registry is None:
        yield Problem(
            "registry",
            "Sicile kayıt yükümlülüğü yazılmamış: yükümlü mü (registered), istisna mı (exempt)?",
            "the duty to register is not stated: registered or exempt?",
        )
    elif registry.duty is Duty.REGISTERED and registry.contact_person is None:
        yield Problem(
            "registry",
            "irtibat kişisi ('contact_person') yazılmamış",
            "no contact person ('contact_person') is stated",
        )


def _exempt_over_threshold(scope: Scope) -> Iterator[Problem]:
    registry = scope.register.registry
    if registry is None or registry.duty is not Duty.EXEMPT:
        return
    threshold = _threshold(scope.reference.lists["registry_thresholds"], registry)
    for key, limit_key, tr, en in (
        ("employees", "employees_lt", "çalışan sayısı", "number of employees"),
        ("balance_try", "balance_lt_try", "bilanço toplamı (TL)", "balance sheet (TRY)"),
    ):
        stated = getattr(registry, key)
        limit = threshold.attributes[limit_key]
        if isinstance(stated, int) and isinstance(limit, int) and stated >= limit:
            yield Problem(
                f"registry/{key}",
                f"istisna yazılmış, ama {tr} {stated}; istisna {limit} altındakiler içindir",
                f"exempt is stated, but the {en} is {stated}; the exemption is for less than "
                f"{limit}",
            )


def _threshold(thresholds: Mapping[str, Item], registry: Registry) -> Item:
    return next(
        item
        for item in thresholds.values()
        if item.flag("main_activity_special") is registry.main_activity_special
    )


def _exemption_unproven(scope: Scope) -> Iterator[Problem]:
    registry = scope.register.registry
    if registry is None or registry.duty is not Duty.EXEMPT:
        return
    figures = (registry.employees, registry.balance_try)
    if not registry.ground or None in figures or registry.checked is None:
        yield Problem(
            "registry",
            "istisnanın dayanağı, çalışan sayısı, bilanço toplamı ve kontrol günü yazılmalı",
            "state the ground of the exemption, employees, balance sheet and day of the check",
        )
    elif registry.checked + _EXEMPTION_HOLDS < scope.today:
        yield Problem(
            "registry/checked",
            f"istisna en son {registry.checked:%d.%m.%Y} günü denetlenmiş; eşikler yıllıktır",
            f"the exemption was last checked on {registry.checked}; the thresholds are yearly",
        )


def _oversight_missing(scope: Scope) -> Iterator[Problem]:
    fields = scope.register.fields
    for ref in scope.controller_rows:
        types = {fields[slug].type for slug in ref.row.fields if slug in fields}
        if _OVERSIGHT in types and _EMPLOYEES in scope.register.subjects_of(ref):
            return
    yield Problem(
        "activities",
        "personelin kişisel veriye erişiminin denetimi envanterde yok; erişim kayıtları "
        f"çalışanların verisidir ve veri sorumlusu olarak bir satır ister (veri türü {_OVERSIGHT}, "
        f"kişi grubu {_EMPLOYEES})",
        "oversight of staff accesses is not in the register; access records are data of the "
        f"employees and need a row as controller (data type {_OVERSIGHT}, group {_EMPLOYEES})",
    )


def _tr(period: Period) -> str:
    return word_period(period, lang="tr")


def _en(period: Period) -> str:
    return word_period(period, lang="en")


RULES = (
    Rule(
        "INV027",
        Severity.ERROR,
        "Silme Yön. 11",
        "Periyodik imha aralığı en çok altı ay (politikasız üç ay) olur.",
        "Periodic destruction runs at least every six months (three without a policy).",
        _interval_too_long,
    ),
    Rule(
        "INV028",
        Severity.ERROR,
        "Silme Yön. 9",
        "Yedeklerin ne zaman yok olduğu bellidir.",
        "It is stated when backups are gone.",
        _backups_missing,
    ),
    Rule(
        "INV029",
        Severity.ERROR,
        "Silme Yön. 7/3",
        "İmha kayıtları en az üç yıl saklanır.",
        "Destruction records are kept for three years at least.",
        _receipts_too_short,
    ),
    Rule(
        "INV030",
        Severity.ERROR,
        "KVKK 12/1; Sicil Yön. 9/1-e",
        "Güvenlik tedbirleri yazılıdır.",
        "Security measures are stated.",
        _measures_missing,
    ),
    Rule(
        "INV032",
        Severity.ERROR,
        "KVKK 6/4; Kurul 31.01.2018 2018/10",
        "Özel nitelikli veri için Kurulun istediği tedbirler alınmıştır.",
        "The Board's measures for special-category data are taken.",
        _special_measures_missing,
    ),
    Rule(
        "INV033",
        Severity.ERROR,
        "KVKK 16/2; Kurul 04.09.2025 2025/1572",
        "Sicil istisnası eşikleri aşılmaz.",
        "An exempt organization stays below the thresholds.",
        _exempt_over_threshold,
    ),
    Rule(
        "INV034",
        Severity.WARNING,
        "KVKK 16/2",
        "Sicil istisnası dayanağıyla yazılır ve her yıl denetlenir.",
        "An exemption states its ground and is checked every year.",
        _exemption_unproven,
    ),
    Rule(
        "INV035",
        Severity.ERROR,
        "KVKK 16; Sicil Yön. 11",
        "Sicil yükümlülüğü ve irtibat kişisi bellidir.",
        "The duty to register and the contact person are stated.",
        _registry_missing,
    ),
    Rule(
        "INV036",
        Severity.ERROR,
        "KVKK 12/1, 12/3; Kurul 31.05.2018 2018/63",
        "Personel erişiminin denetimi envanterde yer alır.",
        "Oversight of staff accesses is in the register.",
        _oversight_missing,
    ),
)
