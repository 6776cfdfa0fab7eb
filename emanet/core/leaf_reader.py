"""Reads leaf values out of the members of a decoded leaf; `emanet.core.leaf` is the way in."""

from __future__ import annotations

from typing import TypedDict, assert_never
from uuid import UUID

from emanet.core.leaf_schema import (
    AccessLeaf,
    Actor,
    CasesLeaf,
    Decision,
    KeyLeaf,
    Leaf,
    OutcomeLeaf,
    RegisterLeaf,
    RetentionLeaf,
    RulesLeaf,
    Target,
    require_form,
)
from emanet.core.leaf_terms import (
    Act,
    ActorAuth,
    ActorKind,
    KeyOperation,
    LeafType,
    Mode,
    Verdict,
)
from emanet.core.members import Members

__all__ = ["LEAF_VERSION", "read_leaf"]

LEAF_VERSION = 1


class _Head(TypedDict):
    id: UUID
    organization: str
    event_us: int
    receive_us: int


def read_leaf(members: Members) -> Leaf:
    """Takes every member of a leaf of version 1.

    Raises:
        CallerError: INVALID_FIELD for anything outside the closed schema of its type.
    """
    require_form(members.take_integer("v") == LEAF_VERSION, "v")
    kind = members.take_enum("t", LeafType)
    times = members.take_integers("at")
    require_form(len(times) == 2, "at")
    head = _Head(
        id=members.take_uuid7("id"),
        organization=members.take_text("o"),
        event_us=times[0],
        receive_us=times[1],
    )
    leaf = _read_kind(kind, head, members)
    members.close()
    return leaf


def _read_kind(kind: LeafType, head: _Head, members: Members) -> Leaf:
    match kind:
        case LeafType.ACCESS:
            return _read_access(head, members)
        case LeafType.OUTCOME:
            return OutcomeLeaf(
                **head,
                access=members.take_uuid7("ref"),
                item=members.take_integer("item"),
                why=members.take_text("why"),
            )
        case LeafType.REGISTER:
            return RegisterLeaf(
                **head,
                number=members.take_integer("number"),
                digest=members.take_bytes("digest"),
                approval=members.take_bytes("approval"),
            )
        case LeafType.RULES:
            by = members.take_texts("by")
            require_form(len(by) == 2, "by")
            return RulesLeaf(
                **head,
                number=members.take_integer("number"),
                digest=members.take_bytes("digest"),
                by=(by[0], by[1]),
            )
        case LeafType.CASES | LeafType.RETENTION:
            return (CasesLeaf if kind is LeafType.CASES else RetentionLeaf)(
                **head,
                app=members.take_text("app"),
                entries=members.take_integer("n"),
                entries_root=members.take_bytes("d"),
            )
        case LeafType.KEY:
            return KeyLeaf(
                **head,
                operation=members.take_enum("op", KeyOperation),
                retention_class=members.take_optional_text("class"),
                ids=members.take_texts("ids"),
                by=members.take_text("by"),
            )
        case _:
            assert_never(kind)


def _read_access(head: _Head, members: Members) -> AccessLeaf:
    return AccessLeaf(
        **head,
        actor=_read_actor(members.take_object("who")),
        app=members.take_text("app"),
        purpose=members.take_text("purpose"),
        act=members.take_enum("act", Act),
        target=_read_target(members.take_object("tgt")),
        decision=_read_decision(members.take_object("dec")),
        entries=members.take_integer("n"),
        entries_root=members.take_bytes("d"),
        role=members.take_optional_text("role"),
        reasons=members.take_optional_texts("reasons"),
        break_glass=members.take_optional_uuid7("bg"),
    )


def _read_actor(members: Members) -> Actor:
    actor = Actor(
        id=members.take_text("id"),
        kind=members.take_enum("kind", ActorKind),
        auth=members.take_enum("auth", ActorAuth),
    )
    members.close()
    return actor


def _read_target(members: Members) -> Target:
    target = Target(
        system=members.take_text("sys"),
        fields=members.take_texts("fields"),
        values=members.take_integer("n"),
    )
    members.close()
    return target


def _read_decision(members: Members) -> Decision:
    decision = Decision(
        verdict=members.take_enum("v", Verdict),
        mode=members.take_enum("mode", Mode),
        why=members.take_text("why"),
        rules=members.take_texts("rules"),
        register=members.take_integer("reg"),
        rule_set=members.take_integer("set"),
    )
    members.close()
    return decision
