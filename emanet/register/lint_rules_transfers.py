"""Lint rules on recipients and transfers abroad (KVKK art. 8, 9 and 12)."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from emanet.register.business_days import business_days_after
from emanet.register.findings import Severity
from emanet.register.lint_rules_scope import Problem, Rule, Scope, quoted
from emanet.register.reference import Mechanism
from emanet.register.values import Abroad, Role

__all__ = ["RULES"]

_HOME = "TR"
# How a standard contract's set names a party: vs_vi is controller to processor.
_PARTY = MappingProxyType({Role.CONTROLLER: "vs", Role.PROCESSOR: "vi", None: ""})
_ADEQUACY_TIER = 1
_OCCASIONAL_TIER = 3


def _no_common_purpose(scope: Scope) -> Iterator[Problem]:
    for ref in scope.register.rows:
        for slug in ref.row.to:
            recipient = scope.register.recipients.get(slug)
            if recipient is not None and not set(ref.row.purposes) & set(recipient.may_use_for):
                yield Problem(
                    f"{ref.path}/to",
                    f"'{slug}' bu satırın hiçbir amacı için veri kullanamaz (satır: "
                    f"{quoted(ref.row.purposes) or 'amaç yok'}; alıcı: "
                    f"{quoted(recipient.may_use_for) or 'amaç yok'})",
                    f"'{slug}' may use data for none of the row's purposes (row: "
                    f"{quoted(ref.row.purposes) or 'none'}; recipient: "
                    f"{quoted(recipient.may_use_for) or 'none'})",
                )


def _contract_missing(scope: Scope) -> Iterator[Problem]:
    for slug, recipient in scope.register.recipients.items():
        if recipient.role is Role.PROCESSOR and not recipient.contract:
            yield Problem(
                f"recipients/{slug}",
                f"'{slug}' veri işleyen; sözleşmesi ('contract') gösterilmemiş",
                f"'{slug}' is a processor and its contract ('contract') is not named",
            )


def _abroad(scope: Scope) -> Iterator[tuple[str, Abroad, Mechanism | None]]:
    for slug, recipient in scope.register.recipients.items():
        abroad = recipient.abroad
        if abroad is not None:
            yield slug, abroad, scope.reference.mechanisms.get(abroad.mechanism or "")


def _mechanism_missing(scope: Scope) -> Iterator[Problem]:
    for slug, abroad, mechanism in _abroad(scope):
        path = f"recipients/{slug}/abroad"
        if mechanism is None or abroad.country is None:
            yield Problem(
                path,
                f"'{slug}' yurt dışında; ülke ve 9. maddedeki aktarım dayanağı yazılmalı "
                "(açık rıza artık genel bir yol değildir)",
                f"'{slug}' is abroad; state the country and the art. 9 mechanism (consent is no "
                "general route any more)",
            )
        elif abroad.country == _HOME:
            yield Problem(
                path,
                f"'{slug}' için ülke {_HOME} yazılmış; Türkiye içindeki aktarım yurt dışına "
                "aktarım değildir ('abroad' kalkmalı ya da ülke düzeltilmeli)",
                f"the country of '{slug}' is {_HOME}; a transfer within Türkiye is none abroad "
                "(remove 'abroad' or correct the country)",
            )


def _notified_late(scope: Scope) -> Iterator[Problem]:
    for slug, abroad, mechanism in _abroad(scope):
        days = None if mechanism is None else mechanism.notify_business_days
        if days is None:
            continue
        path = f"recipients/{slug}/abroad"
        if abroad.signed is None:
            yield Problem(
                path,
                f"'{slug}' ile sözleşmenin imza günü ('signed') yazılmamış",
                f"the day on which the contract with '{slug}' was signed is not stated",
            )
            continue
        if abroad.notified is not None and abroad.notified < abroad.signed:
            yield Problem(
                path,
                f"'{slug}' için bildirim günü ({abroad.notified:%d.%m.%Y}) imzadan "
                f"({abroad.signed:%d.%m.%Y}) önce yazılmış",
                f"for '{slug}' the notice ({abroad.notified}) stands before the signature "
                f"({abroad.signed})",
            )
        latest = business_days_after(abroad.signed, days)
        if (abroad.notified or scope.today) > latest:
            done = "bildirilmemiş" if abroad.notified is None else f"{abroad.notified:%d.%m.%Y}"
            yield Problem(
                path,
                f"'{slug}' ile imza {abroad.signed:%d.%m.%Y}; Kuruma bildirim en geç "
                f"{latest:%d.%m.%Y} ({days} iş günü), yapılan: {done}",
                f"the contract with '{slug}' was signed on {abroad.signed}; notice to the "
                f"Authority was due by {latest} ({days} business days), done: "
                f"{abroad.notified or 'never'}",
            )


def _permission_missing(scope: Scope) -> Iterator[Problem]:
    for slug, abroad, mechanism in _abroad(scope):
        if mechanism is not None and mechanism.board_permission and not abroad.permission:
            yield Problem(
                f"recipients/{slug}/abroad",
                f"'{slug}': {mechanism.item.tr} Kurul izni ister; karar ('permission') yazılmamış",
                f"'{slug}': {mechanism.item.en} needs the Board's permission; the decision "
                "('permission') is not named",
                f"KVKK {mechanism.article}",
            )


def _adequacy_unverified(scope: Scope) -> Iterator[Problem]:
    for slug, _, mechanism in _abroad(scope):
        if mechanism is not None and mechanism.tier == _ADEQUACY_TIER:
            yield Problem(
                f"recipients/{slug}/abroad",
                f"doğrulanmadı: '{slug}' yeterlilik kararına dayanıyor; elimizdeki listede böyle "
                "bir karar yok, Kurulun kararını denetleyin",
                f"not verified (doğrulanmadı): '{slug}' rests on an adequacy decision; our list "
                "holds none, look the Board's decision up",
            )


def _occasional_only(scope: Scope) -> Iterator[Problem]:
    used = {slug for ref in scope.register.rows for slug in ref.row.to}
    for slug, _, mechanism in _abroad(scope):
        if mechanism is not None and mechanism.tier == _OCCASIONAL_TIER and slug in used:
            yield Problem(
                f"recipients/{slug}/abroad",
                f"'{slug}' envanterde düzenli bir alıcı; {mechanism.article} ise yalnız arızi "
                "aktarım içindir",
                f"'{slug}' is a regular recipient of the register; {mechanism.article} covers "
                "occasional transfers only",
                f"KVKK {mechanism.article}",
            )


def _lies_abroad(scope: Scope) -> Iterator[Problem]:
    recipients = scope.register.recipients
    for slug, field in scope.register.fields.items():
        declared = {
            abroad.country
            for ref in scope.register.rows_by_field.get(slug, ())
            for name in ref.row.to
            if name in recipients and (abroad := recipients[name].abroad) is not None
        }
        for place in field.locations:
            system = scope.register.find_system(place.system)
            country = None if system is None else system.country
            if country not in {None, _HOME} | declared:
                yield Problem(
                    f"fields/{slug}/in",
                    f"'{slug}' {country} ülkesindeki '{place.system}' ortamında duruyor; bu da "
                    "yurt dışına aktarımdır ve alıcısıyla yazılmalı",
                    f"'{slug}' lies in '{place.system}' in {country}; that is a transfer abroad "
                    "and needs its recipient",
                )


def _contract_set_unfit(scope: Scope) -> Iterator[Problem]:
    ours: dict[str, set[str]] = {}
    for ref in scope.register.rows:
        for slug in ref.row.to:
            party = _PARTY[scope.register.activities[ref.activity].role]
            ours.setdefault(slug, set()).add(party)
    for slug, abroad, mechanism in _abroad(scope):
        if mechanism is None or mechanism.notify_business_days is None:
            continue
        stated = abroad.set or ""
        begins = any(stated.startswith(one) for one in ours.get(slug, {""}))
        ends = stated.endswith(_PARTY[scope.register.recipients[slug].role])
        if not (stated and begins and ends):
            yield Problem(
                f"recipients/{slug}/abroad",
                f"'{slug}' için standart sözleşmenin hangi metni kullanılmış ('set')? Bizim ve "
                "alıcının rolüne uyanı yazılmalı",
                f"which of the standard contracts was used for '{slug}' ('set')? It must fit our "
                "role and the recipient's",
            )


def _recipient_without_group(scope: Scope) -> Iterator[Problem]:
    for slug, recipient in scope.register.recipients.items():
        if recipient.group is None:
            yield Problem(
                f"recipients/{slug}",
                f"'{slug}' hangi alıcı grubunda ('group')? Grubu olmayan alıcı VERBİS'e girilemez",
                f"which recipient group is '{slug}' in ('group')? One without a group cannot be "
                "told to VERBİS",
            )


def _recipient_unused(scope: Scope) -> Iterator[Problem]:
    used = {slug for ref in scope.register.rows for slug in ref.row.to}
    for slug in scope.register.recipients:
        if slug not in used:
            yield Problem(
                f"recipients/{slug}",
                f"'{slug}' alıcısına hiçbir satır veri vermiyor",
                f"no row gives data to recipient '{slug}'",
            )


RULES = (
    Rule(
        "INV055",
        Severity.ERROR,
        "KVKK 8; 4/2-ç",
        "Alıcı, satırla ortak en az bir amaç için veri alır.",
        "A recipient shares a purpose with the row that names it.",
        _no_common_purpose,
    ),
    Rule(
        "INV056",
        Severity.WARNING,
        "KVKK 12/2",
        "Veri işleyenle sözleşme gösterilir.",
        "A processor's contract is named.",
        _contract_missing,
    ),
    Rule(
        "INV057",
        Severity.ERROR,
        "KVKK 9",
        "Yurt dışına aktarımın ülkesi ve dayanağı vardır.",
        "A transfer abroad has a country and a mechanism.",
        _mechanism_missing,
    ),
    Rule(
        "INV058",
        Severity.ERROR,
        "KVKK 9/5, 18/1-d",
        "Standart sözleşme beş iş günü içinde Kuruma bildirilir.",
        "A standard contract is notified within five business days.",
        _notified_late,
    ),
    Rule(
        "INV059",
        Severity.ERROR,
        "KVKK 9/4",
        "Kurul izni isteyen aktarımda izin gösterilir.",
        "A transfer that needs the Board's permission names it.",
        _permission_missing,
    ),
    Rule(
        "INV060",
        Severity.WARNING,
        "KVKK 9/6",
        "Arızi aktarım istisnası düzenli aktarımda kullanılmaz.",
        "An occasional derogation does not carry a regular transfer.",
        _occasional_only,
    ),
    Rule(
        "INV061",
        Severity.ERROR,
        "KVKK 9",
        "Yurt dışındaki ortam, alıcısıyla yazılır.",
        "A medium abroad is declared with its recipient.",
        _lies_abroad,
    ),
    Rule(
        "INV062",
        Severity.ERROR,
        "KVKK 9/4-c",
        "Standart sözleşmenin doğru metni kullanılır.",
        "The standard contract of the right set is used.",
        _contract_set_unfit,
    ),
    Rule(
        "INV063",
        Severity.WARNING,
        "KVKK 8",
        "Her alıcıya en az bir satır veri verir.",
        "Every recipient is used by a row.",
        _recipient_unused,
    ),
    Rule(
        "INV068",
        Severity.ERROR,
        "Sicil Yön. 9/1-ç",
        "Her alıcının VERBİS alıcı grubu vardır.",
        "Every recipient has a VERBİS group.",
        _recipient_without_group,
    ),
    Rule(
        "INV070",
        Severity.WARNING,
        "KVKK 9/1",
        "Yeterlilik kararı denetlenir; listesi doğrulanmamıştır.",
        "An adequacy decision is looked up; no list of them could be verified.",
        _adequacy_unverified,
    ),
)
