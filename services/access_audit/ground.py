"""What decisions stand on: the register in effect, the active rules, contact with the inventory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from emanet.core.errors import Reason, error
from emanet.register.values import Register
from emanet.rules.compile import CompiledRules
from services.access_audit.domain.lapses import Lapses
from services.access_audit.shelf import Effective, Shelf
from services.access_audit.transaction import LogTransaction

__all__ = ["Contacts", "Ground", "find_ground", "require_register"]


@dataclass(frozen=True, slots=True)
class Ground:
    """Register and rules of one decision, as the locked transaction sees them."""

    register_number: int
    rule_set: int
    register: Register
    lapses: Lapses
    compiled: CompiledRules


class Contacts:
    """When the inventory was last heard for each organization; safe from several threads."""

    def __init__(self, *, stale_after: timedelta) -> None:
        """Starts empty; an organization that was never heard of is stale."""
        self._stale_after_us = stale_after // timedelta(microseconds=1)
        self._times: dict[str, int] = {}
        self._mutex = threading.Lock()

    def load(self, times: Mapping[str, int]) -> None:
        """Takes the contacts that the database remembers."""
        for organization, at_us in times.items():
            self.note(organization, at_us)

    def note(self, organization: str, at_us: int) -> None:
        """Notes a contact; an earlier time never replaces a later one."""
        with self._mutex:
            self._times[organization] = max(at_us, self._times.get(organization, 0))

    def last(self, organization: str) -> int | None:
        """The last contact; None when there was none."""
        return self._times.get(organization)

    def require_fresh(self, organization: str, *, at_us: int) -> None:
        """Raises once the register has not been confirmed for too long.

        Raises:
            UnavailableError: REGISTER_STALE.
        """
        last = self._times.get(organization)
        if last is None or at_us - last > self._stale_after_us:
            raise error(Reason.REGISTER_STALE)


def require_register(transaction: LogTransaction, shelf: Shelf) -> Effective:
    """The register in effect.

    Raises:
        StateError: REGISTER_MISSING.
        IntegrityError: REGISTER_CORRUPT.
    """
    found = shelf.register_in_effect(
        transaction.connection,
        transaction.log,
        registers=transaction.registers,
        at_us=transaction.now_us,
    )
    if found is None:
        raise error(Reason.REGISTER_MISSING)
    return found


def find_ground(transaction: LogTransaction, *, shelf: Shelf, contacts: Contacts) -> Ground:
    """Register and rules for decisions of this transaction.

    Raises:
        StateError: REGISTER_MISSING, RULES_MISSING.
        UnavailableError: REGISTER_STALE.
        IntegrityError: REGISTER_CORRUPT, RULES_CORRUPT.
    """
    effective = require_register(transaction, shelf)
    if not transaction.rule_set:
        raise error(Reason.RULES_MISSING)
    contacts.require_fresh(transaction.organization, at_us=transaction.now_us)
    compiled = shelf.compiled(
        transaction.connection,
        transaction.log,
        effective=effective,
        rule_set=transaction.rule_set,
    )
    return Ground(
        register_number=effective.number,
        rule_set=transaction.rule_set,
        register=effective.register,
        lapses=effective.lapses,
        compiled=compiled,
    )
