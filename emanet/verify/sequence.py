"""What records must say one after the other: ids, times, numbers, references.

A valid tree shows that records are as they were logged; this shows that they were logged as the
format asks (docs/formats/leaf.md). It needs the records alone, so anybody can check it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emanet.core.errors import EmanetError
from emanet.core.leaf import (
    AccessLeaf,
    Decision,
    KeyLeaf,
    KeyOperation,
    Leaf,
    LeafType,
    OutcomeLeaf,
    RegisterLeaf,
    RulesLeaf,
    decode_leaf,
)
from emanet.verify.access_pattern import AccessRun, read_accesses
from emanet.verify.faults import Fault, FaultKind

__all__ = ["SequenceCheck"]

_FOREIGN = (FaultKind.ORGANIZATION, "another organization's record")
_TWICE = (FaultKind.ID_TWICE, "the id of an earlier record")
_FALLS = (FaultKind.TIME_FALLS, "received before the record in front of it")


class SequenceCheck:
    """Reads records in order. Memory: 16 bytes an id, and the destructions."""

    def __init__(self, organization: str) -> None:
        self._organization = organization.encode()
        self._accesses: set[bytes] = set()
        self._others: set[bytes] = set()
        self._last_us = 0
        self._registers = 0
        self._rule_sets: set[int] = set()
        self._intents: dict[tuple[str, str], dict[str, int]] = {}
        self._epochs = 0
        self.counts: dict[str, int] = {}
        """Number of records by type."""

    def read(self, first: int, records: Sequence[bytes]) -> list[Fault]:
        """Tells what is wrong with records from an index on, given those before them."""
        faults: list[Fault] = []
        place = 0
        for run in read_accesses(records):
            count = 1 if run is None else len(run.ids)
            if run is None or not self._takes(run):
                for position in range(place, place + count):
                    faults += self._read_one(first + position, records[position])
            place += count
        return faults

    def _takes(self, run: AccessRun) -> bool:
        """Takes a run of which nothing is wrong; refuses any other, and nothing is changed."""
        own, times = set(run.ids), [self._last_us, *run.receive_us]
        known = {
            frame.organization == self._organization
            and frame.register <= self._registers
            and (frame.rule_set == 0 or frame.rule_set in self._rule_sets)
            for frame in run.frames
        }
        is_new = len(own) == len(run.ids) and own.isdisjoint(self._accesses)
        is_new = is_new and own.isdisjoint(self._others)
        if known != {True} or not is_new or times != sorted(times):
            return False
        self._accesses |= own
        self._last_us = times[-1]
        self._count(LeafType.ACCESS, len(own))
        return True

    def _read_one(self, index: int, data: bytes) -> list[Fault]:
        try:
            leaf = decode_leaf(data)
        except EmanetError:
            return [Fault(FaultKind.FORM, record=index, detail="not of the closed schema")]
        self._count(leaf.TYPE, 1)
        found = [*self._head(leaf), *self._body(leaf)]
        return [Fault(kind, record=index, detail=detail) for kind, detail in found]

    def _count(self, kind: LeafType, number: int) -> None:
        self.counts[kind.value] = self.counts.get(kind.value, 0) + number

    def _head(self, leaf: Leaf) -> Iterator[tuple[FaultKind, str]]:
        if leaf.organization.encode() != self._organization:
            yield _FOREIGN
        own = leaf.id.bytes
        if own in self._accesses or own in self._others:
            yield _TWICE
        (self._accesses if isinstance(leaf, AccessLeaf) else self._others).add(own)
        if leaf.receive_us < self._last_us:
            yield _FALLS
        self._last_us = max(self._last_us, leaf.receive_us)

    def _body(self, leaf: Leaf) -> Iterator[tuple[FaultKind, str]]:
        match leaf:
            case AccessLeaf():
                yield from self._unbound(leaf.decision)
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

    def _unbound(self, decision: Decision) -> Iterator[tuple[FaultKind, str]]:
        if decision.register > self._registers:
            detail = f"no earlier record binds register {decision.register}"
            yield FaultKind.REGISTER_UNBOUND, detail
        if decision.rule_set and decision.rule_set not in self._rule_sets:
            detail = f"no earlier record binds rule set {decision.rule_set}"
            yield FaultKind.RULES_UNBOUND, detail

    def _key(self, leaf: KeyLeaf) -> Iterator[tuple[FaultKind, str]]:
        names = [(leaf.retention_class, each) for each in leaf.ids]
        match leaf.operation:
            case KeyOperation.DESTROY_INTENT:
                for name in names:
                    self._intents.setdefault(name, {}).setdefault(leaf.by, self._epochs)
            case KeyOperation.EPOCH:
                if int(leaf.ids[0]) <= self._epochs:
                    yield FaultKind.NUMBER, f"epoch {leaf.ids[0]} is out of order"
                self._epochs = max(self._epochs, int(leaf.ids[-1]))
            case KeyOperation.DESTROYED:
                before = [self._intents.get(name, {}).get(leaf.by) for name in names]
                if None in before:
                    yield FaultKind.KEY_ORDER, "destroyed without an intent of the same author"
                elif self._epochs in before:
                    yield FaultKind.KEY_ORDER, "destroyed before an epoch ended after the intent"
