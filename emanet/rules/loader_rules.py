"""Reads the rules of a `need_to_know.yaml`: who may do what to which fields, and when."""

from __future__ import annotations

import re
from collections.abc import Mapping

from emanet.core.leaf_terms import Act, Mode
from emanet.core.strict_yaml import Node
from emanet.rules.reading import (
    choice,
    closed_keys,
    distinct,
    label,
    made,
    slug,
    slugs,
    yes_or_no,
)
from emanet.rules.values import (
    ANY_ROLE,
    CaseCondition,
    Conditions,
    Counted,
    Effect,
    Limit,
    Per,
    Rule,
)

__all__ = ["load_rule_list"]

_LIMIT = re.compile(r"(?P<most>[1-9][0-9]{0,8})/(?P<per>h|day|case)")
_COMMON = ("id", "of", "for", "may", "when", "mode", "tr", "en")
_ALLOW_KEYS = ("allow", *_COMMON)
_DENY_KEYS = ("deny", "except", "unless", *_COMMON)
_ALLOW_CONDITIONS = ("case", "subjects", "records", "hours", "own_record", "approver")
_VALUE_TR = "kural bu biçimde yazılamaz; docs/need-to-know.md'ye bakın"


def load_rule_list(node: Node, *, has_calendar: bool) -> tuple[Rule, ...]:
    """Reads the list of rules.

    Args:
        node: the value of `rules`.
        has_calendar: whether the file states working hours.

    Raises:
        EmanetError: MANIFEST_INVALID with the line of the first rule that is wrong.
    """
    return tuple(_rule(item, has_calendar=has_calendar) for item in node.sequence())


def _rule(node: Node, *, has_calendar: bool) -> Rule:
    keys = node.mapping()
    if ("allow" in keys) is ("deny" in keys):
        raise node.error(
            "a rule has either 'allow' or 'deny'", "bir kuralda ya 'allow' ya da 'deny' bulunur"
        )
    allows = "allow" in keys
    entries = closed_keys(
        node,
        allowed=_ALLOW_KEYS if allows else _DENY_KEYS,
        required=("id", "for", "may", "of") if allows else ("id", "of"),
    )
    when = entries.get("when")
    conditions = Conditions()
    if when is not None:
        conditions = _conditions(when, has_calendar) if allows else _deny_conditions(when)
    return made(
        node,
        lambda: Rule(
            id=entries["id"].text(),
            effect=Effect.ALLOW if allows else Effect.DENY,
            roles=distinct(entries["allow" if allows else "deny"], _role_or_any),
            patterns=distinct(entries["of"], Node.text),
            purposes=slugs(entries["for"]) if "for" in entries else (),
            acts=frozenset(_acts(entries)),
            when=conditions,
            excepted=distinct(entries["except"], Node.text) if "except" in entries else (),
            unless_approver=_unless(entries),
            mode=choice(entries["mode"], Mode) if "mode" in entries else None,
            tr=label(entries, "tr"),
            en=label(entries, "en"),
            line=node.line,
        ),
        _VALUE_TR,
    )


def _role_or_any(node: Node) -> str:
    return ANY_ROLE if node.text() == ANY_ROLE else slug(node)


def _acts(entries: Mapping[str, Node]) -> tuple[Act, ...]:
    if "may" not in entries:
        return ()
    return distinct(entries["may"], lambda item: choice(item, Act))


def _unless(entries: Mapping[str, Node]) -> bool:
    if "unless" not in entries:
        return False
    if entries["unless"].text() != "approver":
        raise entries["unless"].error("'approver' expected", "'approver' bekleniyordu")
    return True


def _conditions(node: Node, has_calendar: bool) -> Conditions:
    entries = closed_keys(node, allowed=_ALLOW_CONDITIONS)
    return Conditions(
        case=frozenset(_case(entries["case"])) if "case" in entries else frozenset(),
        limits=(
            *_limits(entries.get("subjects"), Counted.SUBJECTS),
            *_limits(entries.get("records"), Counted.RECORDS),
        ),
        work_hours=_hours(entries["hours"], has_calendar) if "hours" in entries else False,
        own_record=yes_or_no(entries["own_record"]) if "own_record" in entries else None,
        approver=_approver(entries["approver"]) if "approver" in entries else False,
    )


def _deny_conditions(node: Node) -> Conditions:
    entries = closed_keys(node, allowed=("own_record",), required=("own_record",))
    return Conditions(own_record=yes_or_no(entries["own_record"]))


def _case(node: Node) -> tuple[CaseCondition, ...]:
    return distinct(node, lambda item: choice(item, CaseCondition))


def _limits(node: Node | None, counted: Counted) -> tuple[Limit, ...]:
    return () if node is None else distinct(node, lambda item: _limit(item, counted))


def _limit(node: Node, counted: Counted) -> Limit:
    found = _LIMIT.fullmatch(node.text())
    if found is None:
        raise node.error(
            "a limit is written 40/day, 10/h or 1000/case",
            "sınır 40/day, 10/h ya da 1000/case biçiminde yazılır",
        )
    return made(
        node,
        lambda: Limit(counted, int(found["most"]), Per(found["per"])),
        "kişi sayısı saatlik ya da günlük sınırlanır",
    )


def _hours(node: Node, has_calendar: bool) -> bool:
    if node.text() != "work":
        raise node.error("'work' expected", "'work' bekleniyordu")
    if not has_calendar:
        raise node.error(
            "'hours: work' needs a 'calendar' with working hours",
            "'hours: work' için 'calendar' altında çalışma saatleri gerekir",
        )
    return True


def _approver(node: Node) -> bool:
    if node.text() != "other_person":
        raise node.error("'other_person' expected", "'other_person' bekleniyordu")
    return True
