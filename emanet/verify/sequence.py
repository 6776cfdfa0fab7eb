"""What records must say one after the other: ids, times, numbers, references.

A valid tree shows that records are as they were logged; this shows that they were logged as the
format asks (docs/formats/leaf.md). It needs the records alone, so anybody can check it.
"""

from __future__ import annotations

from collections.abc import Iterator

from emanet.core.errors import EmanetError
from emanet.core.leaf import (
    MAX_LEAF_BYTES,
    AccessLeaf,
    KeyLeaf,
    KeyOperation,
    Leaf,
    LeafType,
    OutcomeLeaf,
    RegisterLeaf,
    RulesLeaf,
    decode_leaf,
)
from emanet.verify.access_pattern import AccessSummary, read_access
from emanet.verify.faults import Fault, FaultKind

__all__ = ["SequenceCheck"]

_FOREIGN = (FaultKind.ORGANIZATION, "another organization's record")
_TWICE = (FaultKind.ID_TWICE, "the id of an earlier record")
_FALLS = (FaultKind.TIME_FALLS, "received before the record in front of it")


class SequenceCheck:
    """Reads records in order. Memory: 16 bytes an id, and the open destructions."""

    def __init__(self, organization: str) -> None:
        self._organization = organization.encode()
        self._accesses: set[bytes] = set()
        self._others: set[bytes] = set()
        self._last_us = 0
        self._registers = 0
        self._rule_sets: set[int] = set()
        self._intents: dict[tuple[str, str], set[str]] = {}
        self.counts: dict[str, int] = {}
        """Number of records by type."""

    def read(self, index: int, data: bytes) -> list[Fault]:
        """Tells what is wrong with the record at an index, given those before it."""
        summary = read_access(data) if len(data) <= MAX_LEAF_BYTES else None
        if summary is not None:
            self._count(LeafType.ACCESS)
            found = self._access(summary)
        else:
            try:
                leaf = decode_leaf(data)
            except EmanetError:
                return [Fault(FaultKind.FORM, record=index, detail="not of the closed schema")]
            self._count(leaf.TYPE)
            found = self._other(leaf)
        return [Fault(kind, record=index, detail=detail) for kind, detail in found]

    def _count(self, kind: LeafType) -> None:
        self.counts[kind.value] = self.counts.get(kind.value, 0) + 1

    def _access(self, access: AccessSummary) -> list[tuple[FaultKind, str]]:
        found: list[tuple[FaultKind, str]] = []
        own, receive_us = access.id, access.receive_us
        if access.organization != self._organization:
            found.append(_FOREIGN)
        if own in self._accesses or own in self._others:
            found.append(_TWICE)
        self._accesses.add(own)
        if receive_us < self._last_us:
            found.append(_FALLS)
        else:
            self._last_us = receive_us
        register, rule_set = access.register, access.rule_set
        if register > self._registers:
            detail = f"no earlier record binds register {register}"
            found.append((FaultKind.REGISTER_UNBOUND, detail))
        if rule_set and rule_set not in self._rule_sets:
            detail = f"no earlier record binds rule set {rule_set}"
            found.append((FaultKind.RULES_UNBOUND, detail))
        return found

    def _other(self, leaf: Leaf) -> list[tuple[FaultKind, str]]:
        if isinstance(leaf, AccessLeaf):
            return self._access(
                AccessSummary(
                    id=leaf.id.bytes,
                    receive_us=leaf.receive_us,
                    register=leaf.decision.register,
                    rule_set=leaf.decision.rule_set,
                    organization=leaf.organization.encode(),
                )
            )
        return [*self._head(leaf), *self._body(leaf)]

    def _head(self, leaf: Leaf) -> Iterator[tuple[FaultKind, str]]:
        if leaf.organization.encode() != self._organization:
            yield _FOREIGN
        own = leaf.id.bytes
        if own in self._accesses or own in self._others:
            yield _TWICE
        self._others.add(own)
        if leaf.receive_us < self._last_us:
            yield _FALLS
        self._last_us = max(self._last_us, leaf.receive_us)

    def _body(self, leaf: Leaf) -> Iterator[tuple[FaultKind, str]]:
        match leaf:
            case OutcomeLeaf():
                if leaf.access.bytes not in self._accesses:
                    yield FaultKind.OUTCOME_UNKNOWN, "no earlier access has that id"
            case RegisterLeaf():
                if leaf.number != self._registers + 1:
                    yield FaultKind.NUMBER, f"register version {leaf.number} is out of order"
                self._registers = max(self._registers, leaf.number)
            case RulesLeaf():
                if leaf.number <= max(self._rule_sets, default=0):
                    yield FaultKind.NUMBER, f"rule set {leaf.number} is out of order"
                self._rule_sets.add(leaf.number)
            case KeyLeaf():
                yield from self._key(leaf)
            case _:
                return

    def _key(self, leaf: KeyLeaf) -> Iterator[tuple[FaultKind, str]]:
        names = [(leaf.retention_class, each) for each in leaf.ids]
        if leaf.operation is KeyOperation.DESTROY_INTENT:
            for name in names:
                self._intents.setdefault(name, set()).add(leaf.by)
        elif leaf.operation is KeyOperation.DESTROYED and any(
            leaf.by not in self._intents.get(name, ()) for name in names
        ):
            yield FaultKind.KEY_ORDER, "destroyed without an intent of the same author"
