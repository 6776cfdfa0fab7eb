"""Lint rules on what the laws behind a retention rule allow and ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from emanet.register.findings import Severity
from emanet.register.lint_rules_scope import Problem, Rule, Scope
from emanet.register.period import Period
from emanet.register.reference import Direction, LegalRule
from emanet.register.retention import held_at_most
from emanet.register.values import RetentionRule
from emanet.register.wording import word_period, word_start

__all__ = ["RULES"]

# Start events in the order in which they can come for one record. Events of one family are taken
# for the same moment; verbis.yaml names it differently from law to law.
_AT_CREATION = frozenset(
    {
        "record_created",
        "transaction_date",
        "communication_made",
        "interaction_date",
        "authorisation",
    }
)
_AT_YEAR_END = frozenset({"end_of_calendar_year", "start_of_year_after_document_year"})
_AT_RELATION_END = frozenset(
    {"contract_ended", "subscription_ended", "sponsorship_ended", "registration_ended"}
)
_YEAR = Period(months=12)


def _over_maximum(scope: Scope) -> Iterator[Problem]:
    for slug, rule, law, limit in _limits(scope, direction=None):
        held = _held(scope, rule)
        if _gave_way(scope, rule, law):
            continue
        if not _starts_no_later(rule, law):
            yield Problem(
                f"retention/{slug}",
                f"'{slug}' {_tr(rule.start)} itibaren işliyor; {law.citation} ise en çok "
                f"{_tr(limit)} süreyi {_tr(law.start_event)} itibaren işletir; süre aşılabilir",
                f"'{slug}' runs from {_en(rule.start)}, but {law.citation} counts its "
                f"{_en(limit)} at most from {_en(law.start_event)}; it may be exceeded",
                law.citation,
            )
        elif not held.fits_within(limit):
            yield Problem(
                f"retention/{slug}",
                f"'{slug}' verisi {_tr(held)} durabilir (süre {_tr(rule.keep)} + ay kovası + imha "
                f"aralığı + yedekler); {law.citation} en çok {_tr(limit)} der",
                f"'{slug}' data can exist for {_en(held)} (keep {_en(rule.keep)} + bucket + "
                f"interval + backups); {law.citation} allows {_en(limit)} at most",
                law.citation,
            )


def _over_ceiling(scope: Scope) -> Iterator[Problem]:
    for direction in (Direction.CEILING_OF_INTEREST, Direction.POLICY):
        for slug, rule, law, limit in _limits(scope, direction=direction):
            held = _held(scope, rule)
            if rule.decided is None and not held.fits_within(limit):
                yield Problem(
                    f"retention/{slug}",
                    f"'{slug}' verisi imha ve yedeklerle {_tr(held)} durabilir; {law.citation} "
                    f"yalnız {_tr(limit)} için dayanak verir. Kısaltın ya da kararı yazın "
                    "('decided')",
                    f"'{slug}' data can exist for {_en(held)} with destruction and backups; "
                    f"{law.citation} supports {_en(limit)}. Shorten it or record a decision "
                    "('decided')",
                    law.citation,
                )


def _limits(
    scope: Scope, *, direction: Direction | None
) -> Iterator[tuple[str, RetentionRule, LegalRule, Period]]:
    """Rules with a period and the upper numbers behind them: of the law, or of a direction."""
    for slug, rule in scope.register.retention.items():
        if not isinstance(rule.keep, Period):
            continue
        for law in scope.laws_of(rule):
            limit = law.longest if direction is None else law.period
            if limit is not None and direction in (None, law.direction):
                yield slug, rule, law, limit


def _held(scope: Scope, rule: RetentionRule) -> Period:
    """How long a value can exist; the keep alone while interval or backups are not stated."""
    keep = rule.keep if isinstance(rule.keep, Period) else Period()
    return held_at_most(scope.register, rule) or keep


def _starts_no_later(rule: RetentionRule, law: LegalRule) -> bool:
    ours, theirs = rule.start, law.start_event
    return ours is None or ours in _AT_CREATION or _is_same_moment(ours, theirs)


def _is_same_moment(one: str, other: str) -> bool:
    families = (_AT_CREATION, _AT_YEAR_END, _AT_RELATION_END)
    return one == other or any(one in family and other in family for family in families)


def _below_minimum(scope: Scope) -> Iterator[Problem]:
    for slug, rule in scope.register.retention.items():
        if not isinstance(rule.keep, Period):
            continue
        for law in scope.laws_of(rule):
            needed = Period() if _gave_way(scope, rule, law) else _needed(rule, law)
            if needed is not None and rule.keep < needed:
                yield Problem(
                    f"retention/{slug}",
                    f"'{slug}' {_tr(rule.start)} itibaren {_tr(rule.keep)} tutuyor; "
                    f"{law.citation} {_tr(law.start_event)} itibaren en az {_tr(law.shortest)} "
                    "ister",
                    f"'{slug}' keeps {_en(rule.keep)} from {_en(rule.start)}; {law.citation} asks "
                    f"for at least {_en(law.shortest)} from {_en(law.start_event)}",
                    law.citation,
                )
            elif needed is None and law.shortest is not None:
                yield Problem(
                    f"retention/{slug}",
                    f"'{slug}' {_tr(rule.start)} itibaren işliyor; {law.citation} ise en az "
                    f"{_tr(law.shortest)} süreyi daha geç, {_tr(law.start_event)} itibaren işletir",
                    f"'{slug}' runs from {_en(rule.start)}; {law.citation} counts its "
                    f"{_en(law.shortest)} at least only from {_en(law.start_event)}",
                    law.citation,
                )


def _needed(rule: RetentionRule, law: LegalRule) -> Period | None:
    """What to keep from our start so that the law's minimum holds; None when nothing suffices."""
    if law.shortest is None or rule.start is None:
        return Period()
    if _is_same_moment(rule.start, law.start_event) or law.start_event in _AT_CREATION:
        return law.shortest
    if law.start_event in _AT_YEAR_END and rule.start in _AT_CREATION:
        return law.shortest + _YEAR
    if law.start_event in _AT_YEAR_END and rule.start in _AT_RELATION_END:
        return law.shortest + _YEAR
    return None


def _laws_conflict(scope: Scope) -> Iterator[Problem]:
    for slug, rule in scope.register.retention.items():
        laws = scope.laws_of(rule)
        minima = [law for law in laws if law.shortest is not None]
        maxima = [law for law in laws if law.longest is not None]
        for least in minima:
            for most in maxima:
                if rule.decided is None and _excludes(least, most):
                    yield Problem(
                        f"retention/{slug}/rules",
                        f"{least.citation} en az {_tr(least.shortest)}, {most.citation} en çok "
                        f"{_tr(most.longest)} der; hangisinin neden uygulandığı yazılmalı "
                        "('decided')",
                        f"{least.citation} asks for {_en(least.shortest)} at least, "
                        f"{most.citation} for {_en(most.longest)} at most; record which applies "
                        "and why ('decided')",
                    )


def _gave_way(scope: Scope, rule: RetentionRule, law: LegalRule) -> bool:
    """Whether a recorded decision lets a conflicting law, which is kept, come before this one."""
    if rule.decided is None or not isinstance(rule.keep, Period):
        return False
    for other in scope.laws_of(rule):
        if _excludes(other, law) and other.shortest is not None and rule.keep >= other.shortest:
            return True
        within = other.longest is not None and _held(scope, rule).fits_within(other.longest)
        if _excludes(law, other) and within:
            return True
    return False


def _excludes(least: LegalRule, most: LegalRule) -> bool:
    return least.shortest is not None and most.longest is not None and most.longest < least.shortest


def _sources_disagree(scope: Scope) -> Iterator[Problem]:
    for slug, rule in scope.register.retention.items():
        for law in scope.laws_of(rule):
            if rule.decided is None and law.item.text("conflict") is not None:
                yield Problem(
                    f"retention/{slug}/rules",
                    f"{law.citation} için kaynaklar ayrı süreler veriyor; seçilen süre ve nedeni "
                    "yazılmalı ('decided')",
                    f"sources give different periods for {law.citation}; record the choice and "
                    "its reason ('decided')",
                    law.citation,
                )


def _outlives_maximum(scope: Scope) -> Iterator[Problem]:
    for field, refs in scope.register.rows_by_field.items():
        rules = {
            str(ref.row.keep): rule for ref in refs if (rule := scope.rule_of(ref)) is not None
        }
        outlived = {slug: _outliving(scope, rules, slug) for slug in rules}
        for ref in refs:
            slug, longest = outlived.get(str(ref.row.keep), (None, None))
            if slug is not None and longest is not None:
                yield Problem(
                    ref.path,
                    f"'{field}' en çok {_tr(longest)} tutulabilir, ama başka bir satır onu "
                    f"'{slug}' süresince tutuyor; değer son satırla ölür",
                    f"'{field}' may be kept {_en(longest)} at most, yet another row keeps it "
                    f"under '{slug}'; a value dies with its last row",
                )


def _outliving(
    scope: Scope, rules: Mapping[str, RetentionRule], slug: str
) -> tuple[str | None, Period | None]:
    """The first of a field's other rules that keeps it beyond this rule's maximum, and that."""
    longest = _shortest_maximum(scope, rules[slug])
    if longest is None:
        return None, None
    others = (
        other
        for other, rule in rules.items()
        if other != slug
        and isinstance(rule.keep, Period)
        and not _dies_within(scope, rule, longest)
        and not _must_outlive(scope, rule, longest)
    )
    return next(others, None), longest


def _shortest_maximum(scope: Scope, rule: RetentionRule) -> Period | None:
    return min(
        (law.longest for law in scope.laws_of(rule) if law.longest is not None), default=None
    )


def _dies_within(scope: Scope, rule: RetentionRule, limit: Period) -> bool:
    return rule.start in _AT_CREATION and _held(scope, rule).fits_within(limit)


def _must_outlive(scope: Scope, rule: RetentionRule, limit: Period) -> bool:
    """Whether a law behind the rule asks for more than the limit and a decision says so.

    A decision on anything else (a limitation period, a default) excuses nothing here.
    """
    shortest = (law.shortest for law in scope.laws_of(rule))
    return rule.decided is not None and any(each is not None and limit < each for each in shortest)


def _law_unverified(scope: Scope) -> Iterator[Problem]:
    for slug, rule in scope.register.retention.items():
        for law in scope.laws_of(rule):
            if law.is_uncertain:
                yield Problem(
                    f"retention/{slug}/rules",
                    f"doğrulanmadı: '{law.item.tr}' kuralı kaynağından teyit edilemedi; "
                    "hukukçuya sorun",
                    f"not verified (doğrulanmadı): the rule '{law.item.en}' could not be "
                    "confirmed at its source; ask a lawyer",
                    law.citation,
                )


def _tr(what: object) -> str:
    return _words(what, "tr")


def _en(what: object) -> str:
    return _words(what, "en")


def _words(what: object, lang: str) -> str:
    """A period or a start event as people read it."""
    if isinstance(what, Period):
        return word_period(what, lang=lang)
    return word_start(what if isinstance(what, str) else None, lang=lang)


RULES = (
    Rule(
        "INV018",
        Severity.ERROR,
        "KVKK 4/2-d, 7",
        "Süre + kova + imha aralığı + yedekler, kanundaki azamiyi aşmaz.",
        "Keep + bucket + interval + backups stay within the legal maximum.",
        _over_maximum,
    ),
    Rule(
        "INV019",
        Severity.WARNING,
        "KVKK 4/2-d",
        "Süre, dayandığı zamanaşımını ya da uygulamayı kararsız aşmaz.",
        "A period exceeds its limitation period or practice only by decision.",
        _over_ceiling,
    ),
    Rule(
        "INV020",
        Severity.ERROR,
        "KVKK 5/2-ç, 7",
        "Süre, kanundaki asgari süreden kısa değildir.",
        "A period is not shorter than the legal minimum.",
        _below_minimum,
    ),
    Rule(
        "INV021",
        Severity.ERROR,
        "Sicil Yön. 9/4",
        "Çelişen kanunlar için karar yazılıdır.",
        "A conflict between laws has a recorded decision.",
        _laws_conflict,
    ),
    Rule(
        "INV022",
        Severity.WARNING,
        "Sicil Yön. 9/4",
        "Kaynakların ayrıştığı süre için karar yazılıdır.",
        "Where sources disagree, the choice is recorded.",
        _sources_disagree,
    ),
    Rule(
        "INV023",
        Severity.ERROR,
        "KVKK 4/2-d, 7",
        "Azamisi olan veri başka bir satırla daha uzun tutulmaz.",
        "Data with a maximum is not kept longer through another row.",
        _outlives_maximum,
    ),
    Rule(
        "INV024",
        Severity.WARNING,
        "verbis.yaml status",
        "Doğrulanmamış kural işaretlenir.",
        "A rule that could not be verified is marked.",
        _law_unverified,
    ),
)
