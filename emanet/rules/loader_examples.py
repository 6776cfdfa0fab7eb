"""Reads the examples of a `need_to_know.yaml`: questions with the answer that must come out."""

from __future__ import annotations

from collections.abc import Mapping

from emanet.core.leaf_terms import Act, Verdict
from emanet.core.strict_yaml import Node, NodeKind
from emanet.rules.decide import REASON_ORDER
from emanet.rules.reading import choice, closed_keys, distinct, label, slug, slugs, yes_or_no
from emanet.rules.values import CaseCondition, Example, ExampleCase

__all__ = ["load_examples"]

_KEYS = (
    "who", "may", "of", "for", "case", "approver", "own_record", "recipient", "hours", "records",
    "subjects", "then", "by", "says", "tr", "en",
)  # fmt: skip
_REQUIRED = ("who", "may", "of", "for", "then")
_NONE = "none"
_MOST = 999_999_999


def load_examples(node: Node) -> tuple[Example, ...]:
    """Reads the list of examples.

    Raises:
        EmanetError: MANIFEST_INVALID with the line of the first example that is wrong.
    """
    return tuple(_example(item) for item in node.sequence())


def _example(node: Node) -> Example:
    entries = closed_keys(node, allowed=_KEYS, required=_REQUIRED)
    return Example(
        role=slug(entries["who"]),
        act=choice(entries["may"], Act),
        fields=slugs(entries["of"]),
        purpose=slug(entries["for"]),
        then=choice(entries["then"], Verdict),
        case=_case(entries["case"]) if "case" in entries else None,
        approver=_has_approver(entries),
        own_record=yes_or_no(entries["own_record"]) if "own_record" in entries else None,
        recipient=_recipient(entries["recipient"]) if "recipient" in entries else None,
        off_hours=_is_off(entries),
        records=_number(entries, "records"),
        subjects=_number(entries, "subjects"),
        by=label(entries, "by"),
        says=_reason(entries["says"]) if "says" in entries else "",
        line=node.line,
    )


def _case(node: Node) -> ExampleCase | None:
    if node.kind is NodeKind.SCALAR:
        if node.text() != _NONE:
            raise node.error("'none' or a mapping expected", "'none' ya da eşleme bekleniyordu")
        return None
    entries = closed_keys(node, allowed=("kind", "is", "opened_by"), required=("kind",))
    same_actor = "opened_by" in entries
    if same_actor and entries["opened_by"].text() != "same_actor":
        raise entries["opened_by"].error("'same_actor' expected", "'same_actor' bekleniyordu")
    holds: tuple[CaseCondition, ...] = ()
    if "is" in entries:
        holds = distinct(entries["is"], lambda item: choice(item, CaseCondition))
    return ExampleCase(kind=slug(entries["kind"]), holds=frozenset(holds), same_actor=same_actor)


def _has_approver(entries: Mapping[str, Node]) -> bool:
    if "approver" not in entries:
        return False
    text = entries["approver"].text()
    if text not in {_NONE, "other_person"}:
        raise entries["approver"].error(
            "'none' or 'other_person' expected", "'none' ya da 'other_person' bekleniyordu"
        )
    return text != _NONE


def _recipient(node: Node) -> str:
    return "" if node.text() == _NONE else slug(node)


def _is_off(entries: Mapping[str, Node]) -> bool:
    if "hours" not in entries:
        return False
    text = entries["hours"].text()
    if text not in {"work", "off"}:
        raise entries["hours"].error("'work' or 'off' expected", "'work' ya da 'off' bekleniyordu")
    return text == "off"


def _number(entries: Mapping[str, Node], key: str) -> int:
    return entries[key].integer(minimum=1, maximum=_MOST) if key in entries else 1


def _reason(node: Node) -> str:
    text = node.text()
    if text not in {reason.value for reason in REASON_ORDER}:
        raise node.error(f"unknown reason {text!r}", f"bilinmeyen gerekçe {text!r}")
    return text
