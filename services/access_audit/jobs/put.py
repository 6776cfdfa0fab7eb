"""Stores what applications push: cases and retention events, each batch bound by a leaf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emanet.core import canonical
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import (
    MAX_ENTRY_VALUE_BYTES,
    CasesLeaf,
    Entry,
    EntryKey,
    RetentionLeaf,
)
from emanet.register.values import Register
from services.access_audit import storage
from services.access_audit.domain.claim import invalid
from services.access_audit.domain.party import Party, staff_party
from services.access_audit.ground import require_register
from services.access_audit.shelf import Shelf
from services.access_audit.storage.cases import CaseKey, CaseRow
from services.access_audit.storage.retention import EventRow
from services.access_audit.transaction import Appended, LogTransaction, RequestKey

__all__ = ["CaseOrder", "EventOrder", "PutCasesJob", "PutEventsJob", "answer_repeat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOrder:
    """One case as its application says it stands.

    Attributes:
        identities: namespaces of subjects that look like T.C. numbers.
        assignees: person ids.
        opener: person id, when a member of staff opened it.
    """

    key: CaseKey
    opened_by: str
    open_us: int
    close_us: int | None
    subjects: tuple[Party, ...] = field(default=(), repr=False)
    identities: frozenset[str] = frozenset()
    assignees: tuple[str, ...] = field(default=(), repr=False)
    teams: tuple[str, ...] = ()
    opener: str = field(default="", repr=False)

    @property
    def people(self) -> tuple[Party, ...]:
        """Everybody whom the case names."""
        staff = (*self.assignees, self.opener) if self.opener else self.assignees
        return (*self.subjects, *(staff_party(person) for person in staff))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOrder:
    """One start of a retention period; `is_identity`: the subject looks like a T.C. number."""

    subject: Party = field(repr=False)
    is_identity: bool
    event: str
    event_us: int


@dataclass(frozen=True, slots=True)
class PutCasesJob:
    """Stores cases of one application."""

    organization: str
    application: str
    orders: tuple[CaseOrder, ...]
    request: RequestKey
    shelf: Shelf

    @property
    def weight(self) -> int:
        """Counted by rows, since they cost more than the one leaf."""
        return len(self.orders)

    def run(self, transaction: LogTransaction) -> Appended:
        """Stores the cases and appends their leaf.

        Raises:
            EmanetError: REQUEST_ID_REUSED, REGISTER_MISSING, INVALID_SUBJECT; INVALID_FIELD for a
                kind that the active rules do not declare for this application.
        """
        repeated = answer_repeat(transaction, self.request)
        if repeated is not None:
            return repeated
        register = require_register(transaction, self.shelf).register
        self._require_kinds(transaction)
        _require_subjects(
            register,
            [party for order in self.orders for party in order.subjects],
            frozenset(slug for order in self.orders for slug in order.identities),
        )
        tokens = transaction.tokens([p for order in self.orders for p in order.people])
        with transaction.savepoint() as connection:
            entries = [_case_entry(order, tokens) for order in self.orders]
            sealed = transaction.seal(entries)
            leaf = CasesLeaf(
                id=self.request.id,
                organization=self.organization,
                event_us=transaction.now_us,
                receive_us=transaction.now_us,
                app=self.application,
                entries=sealed.count,
                entries_root=sealed.root,
            )
            appended = transaction.append(leaf, entries=sealed, request=self.request)
            rows = [self._row(order, tokens, transaction, appended) for order in self.orders]
            storage.cases.put_cases(connection, self.organization, rows)
        return appended

    def _require_kinds(self, transaction: LogTransaction) -> None:
        if not transaction.rule_set:
            return
        rules = self.shelf.rule_set(transaction.connection, transaction.log, transaction.rule_set)
        for order in self.orders:
            kind = rules.case_kind(order.key.kind)
            if kind is None or kind.application != self.application:
                raise invalid("cases.ref.kind", "not a kind that the rules give this application")

    def _row(
        self,
        order: CaseOrder,
        tokens: Mapping[Party, str],
        transaction: LogTransaction,
        appended: Appended,
    ) -> CaseRow:
        return CaseRow(
            key=order.key,
            application=self.application,
            opened_by=order.opened_by,
            opener=tokens[staff_party(order.opener)] if order.opener else None,
            open_us=order.open_us,
            close_us=order.close_us,
            receive_us=transaction.now_us,
            idx=appended.index,
            subjects=frozenset(tokens[party] for party in order.subjects),
            assignees=frozenset(tokens[staff_party(p)] for p in order.assignees),
            teams=frozenset(order.teams),
        )


@dataclass(frozen=True, slots=True)
class PutEventsJob:
    """Stores starts of retention periods."""

    organization: str
    application: str
    orders: tuple[EventOrder, ...]
    request: RequestKey
    shelf: Shelf

    @property
    def weight(self) -> int:
        """Counted by rows, since they cost more than the one leaf."""
        return len(self.orders)

    def run(self, transaction: LogTransaction) -> Appended:
        """Stores the events and appends their leaf.

        Raises:
            EmanetError: REQUEST_ID_REUSED, REGISTER_MISSING, INVALID_SUBJECT; INVALID_FIELD for an
                event with which no retention rule starts.
        """
        repeated = answer_repeat(transaction, self.request)
        if repeated is not None:
            return repeated
        register = require_register(transaction, self.shelf).register
        starts = {rule.start for rule in register.retention.values()}
        if any(order.event not in starts for order in self.orders):
            raise invalid("events.event", "no retention rule of the register starts with it")
        _require_subjects(
            register,
            [order.subject for order in self.orders],
            frozenset(order.subject.namespace for order in self.orders if order.is_identity),
        )
        tokens = transaction.tokens([order.subject for order in self.orders])
        with transaction.savepoint() as connection:
            entries = [_event_entry(order, tokens) for order in self.orders]
            sealed = transaction.seal(entries)
            leaf = RetentionLeaf(
                id=self.request.id,
                organization=self.organization,
                event_us=transaction.now_us,
                receive_us=transaction.now_us,
                app=self.application,
                entries=sealed.count,
                entries_root=sealed.root,
            )
            appended = transaction.append(leaf, entries=sealed, request=self.request)
            rows = [
                EventRow(
                    subject=tokens[order.subject],
                    event=order.event,
                    event_us=order.event_us,
                    application=self.application,
                    idx=appended.index,
                )
                for order in self.orders
            ]
            storage.retention.put_events(connection, self.organization, rows)
        return appended


def answer_repeat(transaction: LogTransaction, request: RequestKey) -> Appended | None:
    """The first answer of a repeated request; None for a new one.

    Raises:
        CallerError: REQUEST_ID_REUSED, the id came before with other content or from another.
    """
    seen = transaction.seen([request.id]).get(request.id)
    if seen is None:
        return None
    if (seen.caller, seen.digest) != (request.caller, request.digest):
        raise error(Reason.REQUEST_ID_REUSED)
    return Appended(index=seen.idx, leaf_hash=seen.hash)


def _require_subjects(
    register: Register, subjects: Sequence[Party], identities: frozenset[str]
) -> None:
    namespaces = register.namespaces
    if not {party.namespace for party in subjects} <= namespaces.keys():
        raise error(Reason.INVALID_SUBJECT)
    if not all(namespaces[slug].tckn for slug in identities):
        raise error(Reason.INVALID_SUBJECT)


def _case_entry(order: CaseOrder, tokens: Mapping[Party, str]) -> Entry:
    """What the batch says of one case, people by token (docs/formats/leaf.md, "Entries")."""
    said: dict[str, canonical.JsonValue] = {
        "kind": order.key.kind,
        "ref": order.key.ref,
        "opened_by": order.opened_by,
        "open": order.open_us,
    }
    if order.close_us is not None:
        said["close"] = order.close_us
    if order.opener:
        said["opener"] = tokens[staff_party(order.opener)]
    for name, values in (
        ("subjects", [tokens[party] for party in order.subjects]),
        ("assignees", [tokens[staff_party(person)] for person in order.assignees]),
        ("teams", list(order.teams)),
    ):
        if values:
            said[name] = sorted(set(values))
    text = canonical.encode(said).decode()
    if len(text.encode()) > MAX_ENTRY_VALUE_BYTES:
        raise _too_long("cases")
    return Entry(EntryKey.CASE, text)


def _event_entry(order: EventOrder, tokens: Mapping[Party, str]) -> Entry:
    """What the batch says of one event, the subject by token."""
    said: dict[str, canonical.JsonValue] = {
        "event": order.event,
        "subject": tokens[order.subject],
        "time": order.event_us,
    }
    return Entry(EntryKey.TEXT, canonical.encode(said).decode())


def _too_long(path: str) -> EmanetError:
    return invalid(path, "one case names too many people for its record of 4,096 bytes")
