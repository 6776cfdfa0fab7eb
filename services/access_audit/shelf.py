"""Verified registers and rule sets in memory: loaded from the database once, compared with the log.

A version counts only when its bytes have the digest that a leaf of the log binds. A flipped byte
makes it unusable: nothing is decided on it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import Leaf, RegisterLeaf, RulesLeaf, decode_leaf
from emanet.core.merkle import leaf_hash
from emanet.register.snapshot import decode_approval, decode_snapshot
from emanet.register.values import Register
from emanet.rules.compile import CompiledRules, compile_rules
from emanet.rules.loader import load_rules
from emanet.rules.values import RuleSet
from services.access_audit import storage
from services.access_audit.domain.lapses import Lapses
from services.access_audit.storage.log import LogKey
from services.runtime.primitives import sha256

__all__ = ["Effective", "Shelf"]

_T = TypeVar("_T")
_MAX_ENTRIES = 256


@dataclass(frozen=True, slots=True)
class Effective:
    """The register in effect by number and verified digest, with its judge of retention."""

    number: int
    digest: bytes
    register: Register
    lapses: Lapses


class Shelf:
    """Caches of decoded versions; safe for use from several threads."""

    def __init__(self) -> None:
        """Starts empty."""
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._mutex = threading.Lock()

    def register_in_effect(
        self, connection: Connection, log: LogKey, *, registers: int, at_us: int
    ) -> Effective | None:
        """The register in effect at a time: the highest number whose time has come.

        Args:
            connection: of the transaction that read the control row.
            log: whose register.
            registers: how many versions the control row counts.
            at_us: the time.

        Raises:
            IntegrityError: REGISTER_CORRUPT.
        """
        effects = self._keep(
            ("effects", log, registers),
            lambda: storage.registers.list_effects(connection, log.organization),
        )
        found = next((each for each in effects if each.effective_us <= at_us), None)
        if found is None:
            return None
        key = ("register", log, found.number, found.digest)
        return self._keep(key, lambda: _load_register(connection, log, found.number))

    def rule_set(self, connection: Connection, log: LogKey, number: int) -> RuleSet:
        """An activated rule set.

        Raises:
            IntegrityError: RULES_CORRUPT.
        """
        return self._keep(("rules", log, number), lambda: _load_rule_set(connection, log, number))

    def compiled(
        self, connection: Connection, log: LogKey, *, effective: Effective, rule_set: int
    ) -> CompiledRules:
        """The index of a rule set over a register version.

        Raises:
            IntegrityError: RULES_CORRUPT.
        """
        rules = self.rule_set(connection, log, rule_set)
        key = ("compiled", log, effective.number, effective.digest, rule_set)
        return self._keep(key, lambda: compile_rules(rules, effective.register))

    def _keep(self, key: Hashable, load: Callable[[], _T]) -> _T:
        with self._mutex:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[return-value]  # stored under the same key
        value = load()
        with self._mutex:
            self._kept[key] = value
            while len(self._kept) > _MAX_ENTRIES:
                self._kept.popitem(last=False)
        return value


def _load_register(connection: Connection, log: LogKey, number: int) -> Effective:
    row = storage.registers.read_copy(connection, log.organization, number)
    if row is None:
        raise _register_corrupt()
    digest = sha256(row.snapshot)
    leaf = _leaf(connection, log, row.idx, _register_corrupt())
    bound = isinstance(leaf, RegisterLeaf) and (leaf.number, leaf.digest, leaf.approval) == (
        number,
        digest,
        sha256(row.approval),
    )
    if not bound or digest != row.digest:
        raise _register_corrupt()
    try:
        snapshot = decode_snapshot(row.snapshot)
        approval = decode_approval(row.approval)
    except EmanetError:
        raise _register_corrupt() from None
    if (snapshot.organization, snapshot.number) != (log.organization, number):
        raise _register_corrupt()
    if (approval.number, approval.digest) != (number, digest):
        raise _register_corrupt()
    return Effective(
        number=number,
        digest=digest,
        register=snapshot.register,
        lapses=Lapses(snapshot.register),
    )


def _load_rule_set(connection: Connection, log: LogKey, number: int) -> RuleSet:
    row = storage.rules.read_rule_set(connection, log.organization, number)
    if row is None or row.idx is None:
        raise _rules_corrupt()
    digest = sha256(row.source.encode())
    leaf = _leaf(connection, log, row.idx, _rules_corrupt())
    bound = isinstance(leaf, RulesLeaf) and (leaf.number, leaf.digest) == (number, digest)
    if not bound or digest != row.digest:
        raise _rules_corrupt()
    try:
        rules = load_rules(row.source, source=f"ruleSets/{number}")
    except EmanetError:
        raise _rules_corrupt() from None
    if rules.organization != log.organization:
        raise _rules_corrupt()
    return rules


def _leaf(connection: Connection, log: LogKey, idx: int, broken: EmanetError) -> Leaf:
    row = storage.log.read_leaf(connection, log, idx)
    if row is None or leaf_hash(row.data) != row.hash:
        raise broken
    try:
        return decode_leaf(row.data)
    except EmanetError:
        raise broken from None


def _register_corrupt() -> EmanetError:
    return error(Reason.REGISTER_CORRUPT)


def _rules_corrupt() -> EmanetError:
    return error(Reason.RULES_CORRUPT)
