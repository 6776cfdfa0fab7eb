"""Lint rules on retention: every row has a period, which is a number with a start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType

from emanet.core.text import label_key
from emanet.register.findings import Severity
from emanet.register.lint_rules_scope import Problem, Rule, Scope, quoted
from emanet.register.period import Period
from emanet.register.values import Unresolved
from emanet.register.wording import word_period

__all__ = ["RULES"]

# Folded words for "without end"; every other word where a period belongs is "as needed".
_ENDLESS = (
    "suresiz",
    "sinirsiz",
    "sonsuz",
    "ebedi",
    "daimi",
    "omur boyu",
    "sure siniri olmaksizin",
    "unlimited",
    "indefinite",
    "forever",
)
_UNITS = MappingProxyType(
    {"yil": "Y", "ay": "M", "hafta": "W", "gun": "D"}
    | {"year": "Y", "month": "M", "week": "W", "day": "D"}
)
_COUNTED = re.compile(rf"([0-9]{{1,3}}) ?({'|'.join(_UNITS)})s?")


def _period_missing(scope: Scope) -> Iterator[Problem]:
    for ref in scope.register.rows:
        if ref.row.keep is None:
            yield Problem(
                ref.path,
                "satırın saklama süresi yok ('keep')",
                "the row has no retention period ('keep')",
            )
    for slug, rule in scope.register.retention.items():
        if rule.keep is None:
            yield Problem(
                f"retention/{slug}",
                f"'{slug}' kuralında süre yok ('keep'); yasa bir süre vermiyorsa amaç için "
                "gereken en uzun süre yazılır",
                f"rule '{slug}' states no period ('keep'); where no law gives one, state the "
                "longest that the purpose needs",
            )


def _unresolved_periods(scope: Scope) -> Iterator[tuple[str, Unresolved]]:
    for ref in scope.register.rows:
        keep = ref.row.keep
        if isinstance(keep, Unresolved):
            yield f"{ref.path}/keep", keep
        elif keep is not None and keep not in scope.register.retention:
            words = Unresolved(keep)  # `suresiz` without its dots looks like a rule's slug
            if _is_endless(words):
                yield f"{ref.path}/keep", words
    for slug, rule in scope.register.retention.items():
        if isinstance(rule.keep, Unresolved):
            yield f"retention/{slug}/keep", rule.keep


def _is_endless(words: Unresolved) -> bool:
    key = label_key(words.text)
    return any(word in key for word in _ENDLESS)


def _as_iso(words: Unresolved) -> str | None:
    """'10 yıl' as P10Y; None where the words are no plain number of years, months or days."""
    match = _COUNTED.fullmatch(label_key(words.text))
    return None if match is None else f"P{int(match[1])}{_UNITS[match[2]]}"


def _period_endless(scope: Scope) -> Iterator[Problem]:
    for path, words in _unresolved_periods(scope):
        if _is_endless(words):
            yield Problem(
                path,
                f"'{words.text}' bir süre değil; ISO 8601 süresi ve başlangıcı yazılmalı "
                "(örneğin sözleşme sonundan P10Y)",
                f"'{words.text}' is not a period; state an ISO 8601 period and its start "
                "(for example P10Y from the end of the contract)",
            )


def _period_as_needed(scope: Scope) -> Iterator[Problem]:
    for path, words in _unresolved_periods(scope):
        if _is_endless(words):
            continue
        written = _as_iso(words)
        if written is not None:
            yield Problem(
                path,
                f"'{words.text}' süresi ISO 8601 biçiminde yazılmalı: {written}",
                f"write '{words.text}' in ISO 8601: {written}",
            )
        else:
            yield Problem(
                path,
                f"'{words.text}' denetlenemez; kanunun verdiği ya da amacın gerektirdiği azami "
                "süre sayıyla yazılmalı",
                f"'{words.text}' cannot be tested; state as a number the longest period that the "
                "law gives or the purpose needs",
            )


def _period_without_reason(scope: Scope) -> Iterator[Problem]:
    for slug, rule in scope.register.retention.items():
        numbered = any(law.period or law.shortest or law.longest for law in scope.laws_of(rule))
        reasoned = rule.because or rule.decided or rule.instructed_by
        if isinstance(rule.keep, Period) and not numbered and not reasoned:
            yield Problem(
                f"retention/{slug}",
                f"'{slug}' süresi ({word_period(rule.keep, lang='tr')}) ne bir kanuna ne bir "
                "gerekçeye dayanıyor; 'rules', 'because' ya da 'decided' yazılmalı",
                f"the period of '{slug}' ({word_period(rule.keep, lang='en')}) rests on neither a "
                "law nor a reason; state 'rules', 'because' or 'decided'",
            )


def _start_missing(scope: Scope) -> Iterator[Problem]:
    for slug, rule in scope.register.retention.items():
        if isinstance(rule.keep, Period) and rule.start is None:
            yield Problem(
                f"retention/{slug}",
                f"'{slug}' süresinin ne zaman başladığı ('from') yazılmamış",
                f"from when '{slug}' runs ('from') is not stated",
            )


def _disposal_missing(scope: Scope) -> Iterator[Problem]:
    for slug, rule in scope.register.retention.items():
        if rule.dispose is None:
            yield Problem(
                f"retention/{slug}",
                f"'{slug}' için imha yöntemi ('dispose') seçilmemiş",
                f"no disposal method ('dispose') is chosen for '{slug}'",
            )


def _rule_unused(scope: Scope) -> Iterator[Problem]:
    used = {ref.row.keep for ref in scope.register.rows}
    unused = [slug for slug in scope.register.retention if slug not in used]
    for slug in unused:
        yield Problem(
            f"retention/{slug}",
            f"{quoted([slug])} süresini hiçbir satır kullanmıyor",
            f"no row uses retention rule {quoted([slug])}",
        )


RULES = (
    Rule(
        "INV002",
        Severity.ERROR,
        "KVKK 4/2-d; Sicil Yön. 9/4",
        "Her satırın saklama süresi vardır.",
        "Every row has a retention period.",
        _period_missing,
    ),
    Rule(
        "INV003",
        Severity.ERROR,
        "KVKK 4/2-d; Sicil Yön. 9/4",
        "Süre sayıdır; 'gerektiği kadar' süre değildir.",
        "A period is a number; 'as long as needed' is none.",
        _period_as_needed,
    ),
    Rule(
        "INV004",
        Severity.ERROR,
        "KVKK 4/2-d",
        "'Süresiz' bir süre değildir.",
        "'Süresiz' (without end) is not a period.",
        _period_endless,
    ),
    Rule(
        "INV017",
        Severity.ERROR,
        "Silme Yön. 7; Sicil Yön. 9/4",
        "Sürenin başlangıç olayı vardır.",
        "A period has a start event.",
        _start_missing,
    ),
    Rule(
        "INV025",
        Severity.WARNING,
        "KVKK 7; Silme Yön. 7-10",
        "Her sürenin imha yöntemi vardır.",
        "Every period has a disposal method.",
        _disposal_missing,
    ),
    Rule(
        "INV026",
        Severity.WARNING,
        "Sicil Yön. 9/4",
        "Her süreyi en az bir satır kullanır.",
        "Every retention rule is used by a row.",
        _rule_unused,
    ),
    Rule(
        "INV069",
        Severity.WARNING,
        "KVKK 4/2-ç, 4/2-d",
        "Süre bir kanuna ya da yazılı bir gerekçeye dayanır.",
        "A period rests on a law or on a stated reason.",
        _period_without_reason,
    ),
)
