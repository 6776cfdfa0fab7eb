"""Lint rules on claims: promises of a privacy policy that no register can make good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from emanet.core.text import label_key
from emanet.register.findings import Severity
from emanet.register.lint_rules_scope import Problem, Rule, Scope
from emanet.register.values import Claim

__all__ = ["RULES"]

# Folded phrases, as they stand in policies that we have read.
_NO_LIABILITY = (
    "sorumlu degil",
    "sorumluluk kabul et",
    "sorumluluk almaz",
    "sorumlulugu yok",
    "sorumlulugu bulunma",
    "mesuliyet kabul et",
    "not liable",
    "no liability",
)
_OPEN_ENDED = (
    "ve benzeri",
    "ve diger amac",
    "veya diger amac",
    "gibi amac",
    "gerektiginde",
    "her turlu amac",
    "and similar",
    "other purposes",
)

# Assertion argument → the section that its names come from.
_NAMES = MappingProxyType(
    {
        ("only_fields", "activity"): "activities",
        ("only_purposes", "allow"): "purposes",
        ("only_recipients", "allow"): "recipients",
        ("recipient_uses", "recipient"): "recipients",
        ("recipient_uses", "only_for"): "purposes",
        ("consent_for", "purpose"): "purposes",
        ("opt_out", "purpose"): "purposes",
        ("each_disclosure_has", "recipient"): "recipients",
        ("abroad_has_mechanism", "recipient"): "recipients",
        ("notice_days", "notice"): "notices",
    }
)


def _liability_ends(scope: Scope) -> Iterator[Problem]:
    for slug, claim in scope.register.claims.items():
        if _says(claim, _NO_LIABILITY):
            yield Problem(
                f"claims/{slug}",
                "metin sorumluluğun bittiğini söylüyor; veri güvenliği yükümlülüğü sözleşmeyle "
                "kaldırılamaz",
                "the text says that liability ends; the duty of data security cannot be "
                "contracted away",
            )


def _keeps_without_end(scope: Scope) -> Iterator[Problem]:
    for slug, claim in scope.register.claims.items():
        if claim.assertions.get("retention_unlimited") is True and not claim.repaired_by:
            yield Problem(
                f"claims/{slug}",
                "metin verinin sınırsız süre tutulacağını söylüyor; hangi sürenin geçerli olduğu "
                "('repaired_by') yazılmalı ve metin düzeltilmeli",
                "the text says that data is kept without end; name the period that holds "
                "('repaired_by') and correct the text",
            )


def _changes_unannounced(scope: Scope) -> Iterator[Problem]:
    for slug, claim in scope.register.claims.items():
        if _argument(claim, "notice_days", "at_least") == 0:
            yield Problem(
                f"claims/{slug}",
                "metin haber verilmeden değişebileceğini söylüyor; amaç değişirse yeniden "
                "aydınlatma gerekir",
                "the text says that it changes without notice; a change of purpose needs a new "
                "notice",
            )


def _open_ended(scope: Scope) -> Iterator[Problem]:
    for slug, claim in scope.register.claims.items():
        if _says(claim, _OPEN_ENDED):
            yield Problem(
                f"claims/{slug}",
                f"'{claim.says}': ucu açık; amaçlar tek tek ve belirli yazılmalı",
                f"'{claim.says}': open-ended; purposes must be specific and listed",
            )


def _unknown_names(scope: Scope) -> Iterator[Problem]:
    for slug, claim in scope.register.claims.items():
        for (assertion, argument), section in _NAMES.items():
            value = _argument(claim, assertion, argument)
            known: Mapping[str, object] = getattr(scope.register, section)
            names = value if isinstance(value, tuple) else (value,)
            missing = [name for name in names if name is not None and name not in known]
            if missing:
                name = missing[0]
                yield Problem(
                    f"claims/{slug}/{assertion}",
                    f"'{name}' adı {section} bölümünde yok",
                    f"'{name}' is not in section {section}",
                )


def _says(claim: Claim, phrases: tuple[str, ...]) -> bool:
    key = label_key(claim.says)
    return any(phrase in key for phrase in phrases)


def _argument(claim: Claim, assertion: str, argument: str) -> object:
    arguments = claim.assertions.get(assertion)
    return arguments.get(argument) if isinstance(arguments, Mapping) else None


RULES = (
    Rule(
        "INV031",
        Severity.WARNING,
        "KVKK 12",
        "Veri güvenliği sorumluluğu metinle kaldırılmaz.",
        "Liability for data security is not waived by a text.",
        _liability_ends,
    ),
    Rule(
        "INV064",
        Severity.WARNING,
        "KVKK 4/2-d",
        "Metin sınırsız süreyle saklama söylemez.",
        "A text does not claim retention without end.",
        _keeps_without_end,
    ),
    Rule(
        "INV065",
        Severity.WARNING,
        "KVKK 10; Aydınlatma Tebliği 5",
        "Metin habersiz değişmez.",
        "A text does not change without notice.",
        _changes_unannounced,
    ),
    Rule(
        "INV066",
        Severity.WARNING,
        "KVKK 4/2-c",
        "Metindeki amaçlar belirlidir.",
        "The purposes of a text are specific.",
        _open_ended,
    ),
    Rule(
        "INV067",
        Severity.ERROR,
        "Emanet",
        "Taahhütler var olan adları gösterir.",
        "Claims name what exists.",
        _unknown_names,
    ),
)
