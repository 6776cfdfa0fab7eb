"""What records must say one after the other: ids, times, numbers, references.

A valid tree shows that records are as they were logged; this shows that they were logged as the
format asks (docs/formats/leaf.md). It needs the records alone, so anybody can check it.
"""

from __future__ import annotations

from collections.abc import Iterator

from emanet.core.errors import EmanetError
from emanet.core.leaf import (
    AccessLeaf,
    CasesLeaf,
    KeyLeaf,
    KeyOperation,
    Leaf,
    OutcomeLeaf,
    RegisterLeaf,
    RetentionLeaf,
    RulesLeaf,
    decode_leaf,
)
from emanet.verify.faults import Fault, FaultKind

__all__ = ["SequenceCheck"]


class SequenceCheck:
    """Reads records in order. Memory: 16 bytes an id, and the open destructions."""

    def __init__(self, organization: str) -> None:
        self._organization = organization
        self._accesses: set[bytes] = set()
        self._others: set[bytes] = set()
        self._last_us = 0
        self._registers = 0
        self._rule_sets: set[int] = set()
        self._intents: dict[tuple[str, str], set[str]] = {}
        self.counts: dict[str, int] = {}
        """Number of records by type."""

    def read(self, index: int, data: bytes) -> Iterator[Fault]:
        """Yields what is wrong with the record at an index, given those before it."""
        try:
            leaf = decode_leaf(data)
        except EmanetError:
            yield Fault(FaultKind.FORM, record=index, detail="not of the closed schema")
            return
        kind = leaf.TYPE.value
        self.counts[kind] = self.counts.get(kind, 0) + 1
        for fault, detail in (*self._head(leaf), *self._body(leaf)):
            yield Fault(fault, record=index, detail=detail)

    def _head(self, leaf: Leaf) -> Iterator[tuple[FaultKind, str]]:
        if leaf.organization != self._organization:
            yield FaultKind.ORGANIZATION, "another organization's record"
        own = leaf.id.bytes
        if own in self._accesses or own in self._others:
            yield FaultKind.ID_TWICE, "the id of an earlier record"
        (self._accesses if isinstance(leaf, AccessLeaf) else self._others).add(own)
        if leaf.receive_us < self._last_us:
            yield FaultKind.TIME_FALLS, "received before the record in front of it"
        self._last_us = max(self._last_us, leaf.receive_us)

    def _body(self, leaf: Leaf) -> Iterator[tuple[FaultKind, str]]:
        match leaf:
            case AccessLeaf():
                yield from self._access(leaf)
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
            case CasesLeaf() | RetentionLeaf():
                return

    def _access(self, leaf: AccessLeaf) -> Iterator[tuple[FaultKind, str]]:
        register, rule_set = leaf.decision.register, leaf.decision.rule_set
        if register > self._registers:
            yield FaultKind.REGISTER_UNBOUND, f"no earlier record binds register {register}"
        if rule_set and rule_set not in self._rule_sets:
            yield FaultKind.RULES_UNBOUND, f"no earlier record binds rule set {rule_set}"

    def _key(self, leaf: KeyLeaf) -> Iterator[tuple[FaultKind, str]]:
        names = [(leaf.retention_class, each) for each in leaf.ids]
        if leaf.operation is KeyOperation.DESTROY_INTENT:
            for name in names:
                self._intents.setdefault(name, set()).add(leaf.by)
        elif leaf.operation is KeyOperation.DESTROYED and any(
            leaf.by not in self._intents.get(name, ()) for name in names
        ):
            yield FaultKind.KEY_ORDER, "destroyed without an intent of the same author"
