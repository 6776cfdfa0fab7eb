"""Reads `need_to_know.yaml` into a `RuleSet`; every refusal names file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from emanet.core.leaf_terms import Mode
from emanet.core.names import is_slug
from emanet.core.strict_yaml import Node, load
from emanet.register.period import ISTANBUL, Period, parse_period
from emanet.rules.hours import WorkCalendar, parse_work
from emanet.rules.loader_examples import load_examples
from emanet.rules.loader_rules import load_rule_list
from emanet.rules.reading import choice, closed_keys, distinct, label, made, not_a_slug, slug, slugs
from emanet.rules.values import CaseKind, Role, RoleSource, RuleSet

__all__ = ["HEADER", "load_rules"]

HEADER = "need_to_know/v1"

_KEYS = ("emanet", "organization", "mode", "calendar", "roles", "cases", "rules", "examples")


class _BuiltIn(StrEnum):
    DATA_SUBJECT = "data_subject"


class _Outside(StrEnum):
    PROCESSOR = "processor"


class _CaseNeed(StrEnum):
    NUMBER_AND_DATE = "number_and_date"


_SOURCES: Mapping[str, RoleSource] = {"group": RoleSource.GROUP, "app": RoleSource.APP}


def load_rules(text: str, *, source: str) -> RuleSet:
    """Reads a rule set.

    Names are checked for form only; what they mean is lint's business, and whether the examples
    come out as they say is `run_examples`'.

    Args:
        text: the file's content.
        source: the file's name as messages show it.

    Returns:
        The rule set; its digest is the SHA-256 of the text's UTF-8 bytes.

    Raises:
        EmanetError: MANIFEST_INVALID with file and line for broken YAML, an unknown, doubled or
            missing key, a wrong value, and for what is planned but not supported yet.
    """
    root = load(text, source)
    entries = closed_keys(
        root, allowed=_KEYS, required=("emanet", "organization", "mode", "roles", "rules")
    )
    header = entries["emanet"]
    if header.text() != HEADER:
        raise header.error(f"{HEADER!r} expected", f"{HEADER!r} bekleniyordu")
    calendar = _calendar(entries["calendar"]) if "calendar" in entries else None
    return RuleSet(
        organization=slug(entries["organization"]),
        mode=choice(entries["mode"], Mode),
        roles=tuple(_role(name, node) for name, node in _named(entries["roles"])),
        cases=tuple(
            _case_kind(name, node)
            for name, node in (_named(entries["cases"]) if "cases" in entries else ())
        ),
        rules=load_rule_list(entries["rules"], has_calendar=calendar is not None),
        calendar=calendar,
        examples=load_examples(entries["examples"]) if "examples" in entries else (),
        digest=hashlib.sha256(text.encode("utf-8")).digest(),
        source=source,
        lines={key: node.line for key, node in entries.items()},
    )


def _named(node: Node) -> tuple[tuple[str, Node], ...]:
    entries = node.mapping()
    for name, value in entries.items():
        if not is_slug(name):
            raise not_a_slug(value, name)
    return tuple(entries.items())


def _calendar(node: Node) -> WorkCalendar:
    entries = closed_keys(node, allowed=("zone", "work", "holidays"), required=("work",))
    work = entries["work"]
    spans = made(
        work,
        lambda: parse_work(work.text()),
        "saatler 'Mon-Fri 08:30-18:30' biçiminde yazılır",
    )
    zone = _zone(entries["zone"]) if "zone" in entries else ISTANBUL
    turkish, free_days = _holidays(entries["holidays"]) if "holidays" in entries else (False, ())
    return WorkCalendar(
        spans=spans, turkish_holidays=turkish, free_days=frozenset(free_days), zone=zone
    )


def _zone(node: Node) -> ZoneInfo:
    name = node.text()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise node.error(
            f"unknown time zone {name!r}", f"bilinmeyen saat dilimi {name!r}"
        ) from unknown


def _holidays(node: Node) -> tuple[bool, tuple[date, ...]]:
    words = [(item, item.text()) for item in node.items()]
    days = tuple(
        made(
            item,
            lambda word=word: _day(word),  # type: ignore[misc]  # bound at once
            "'tr' ya da 2026-03-20 biçiminde bir tarih bekleniyordu",
        )
        for item, word in words
        if word != "tr"
    )
    return any(word == "tr" for _, word in words), days


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as refused:
        raise ValueError("'tr' or a date as 2026-03-20 expected") from refused


def _role(name: str, node: Node) -> Role:
    entries = closed_keys(node, allowed=("tr", "en", "from", "built_in", "outside"))
    if ("from" in entries) is ("built_in" in entries):
        raise node.error(
            "a role has either 'from' or 'built_in'",
            "bir rolün ya 'from' ya da 'built_in' anahtarı olur",
        )
    if "built_in" in entries:
        choice(entries["built_in"], _BuiltIn)
        source: RoleSource = RoleSource.DATA_SUBJECT
        names: tuple[str, ...] = ()
    else:
        source, names = _role_source(entries["from"])
    if "outside" in entries:
        choice(entries["outside"], _Outside)
    return Role(
        slug=name,
        source=source,
        names=names,
        outside="outside" in entries,
        tr=label(entries, "tr"),
        en=label(entries, "en"),
        line=node.line,
    )


def _role_source(node: Node) -> tuple[RoleSource, tuple[str, ...]]:
    origins = distinct(node, _origin)
    sources = {source for source, _ in origins}
    if len(sources) > 1:
        raise node.error(
            "a role comes from groups or from applications, not from both",
            "bir rol ya gruplardan ya uygulamalardan gelir, ikisinden birden değil",
        )
    return sources.pop(), tuple(name for _, name in origins)


def _origin(node: Node) -> tuple[RoleSource, str]:
    kind, _, name = node.text().partition(":")
    if kind not in _SOURCES or not name or name != name.strip():
        raise node.error(
            'a role comes from "group:NAME" or "app:NAME"',
            'bir rol "group:AD" ya da "app:AD" ile tanımlanır',
        )
    return _SOURCES[kind], name


def _case_kind(name: str, node: Node) -> CaseKind:
    entries = closed_keys(
        node,
        allowed=("tr", "en", "from", "opened_by", "window", "secret", "needs"),
        required=("from",),
    )
    if "needs" in entries:
        choice(entries["needs"], _CaseNeed)
    return CaseKind(
        slug=name,
        application=slug(entries["from"]),
        opened_by=slugs(entries["opened_by"]) if "opened_by" in entries else (),
        after_close=_after_close(entries["window"]) if "window" in entries else Period(),
        secret=entries["secret"].boolean() if "secret" in entries else False,
        needs_number="needs" in entries,
        tr=label(entries, "tr"),
        en=label(entries, "en"),
        line=node.line,
    )


def _after_close(node: Node) -> Period:
    period = closed_keys(node, allowed=("after_close",), required=("after_close",))["after_close"]
    return made(
        period,
        lambda: parse_period(period.text()),
        "süre PnYnMnWnD biçiminde yazılır, örneğin P2D",
    )
