"""Facts for a run of access decisions, loaded together and kept current while they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from emanet.core.encoding import from_micros, micros
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import ActorKind
from emanet.rules.needs import needed_counts
from emanet.rules.question import CaseFacts, CountNeed, Facts, Question, Tally
from emanet.rules.values import Counted, Per
from services.access_audit import storage
from services.access_audit.domain.claim import Claim
from services.access_audit.domain.party import Party, staff_party
from services.access_audit.failures import renewed
from services.access_audit.ground import Contacts, Ground, find_ground
from services.access_audit.shelf import Shelf
from services.access_audit.storage.access import AccessRow
from services.access_audit.storage.cases import CaseKey, CaseRow
from services.access_audit.storage.log import SeenLeaf
from services.access_audit.transaction import LogTransaction

__all__ = ["FactSheet", "actor_token", "case_key"]

_CaseFactsKey = tuple[CaseKey, ActorKind, str, str | None, frozenset[str]]
"""Case, actor, approver, and whom of the claim's subjects the case is about."""

_NO_EVENTS: Mapping[str, Mapping[str, datetime]] = {}


@dataclass(frozen=True, slots=True)
class _CounterKey:
    """What a counter counts: under a case key, or of an actor for a purpose since a time."""

    counted: Counted
    per: Per
    owner: str
    purpose: str = ""
    since_us: int = 0

    def fits(self, row: AccessRow) -> bool:
        if not row.counted:
            return False
        if self.per is Per.CASE:
            return self.owner == row.case_key
        return (self.owner, self.purpose) == (
            row.actor,
            row.purpose,
        ) and row.receive_us >= self.since_us


@dataclass(slots=True)
class _Counter:
    """Values, or different subjects, as the transaction sees them."""

    total: int = 0
    subjects: set[str] = field(default_factory=set)

    def add(self, key: _CounterKey, row: AccessRow) -> None:
        if key.fits(row):
            self.total += row.values
            self.subjects.update(row.subjects)


@dataclass(frozen=True, slots=True)
class _KnownCase:
    """A case with what is the same for every claim; `somebody` is no claim's own person."""

    row: CaseRow
    opened_at: datetime
    received_at: datetime
    closed_at: datetime | None
    somebody: str = "somebody else"

    @classmethod
    def of(cls, row: CaseRow) -> _KnownCase:
        return cls(
            row=row,
            opened_at=from_micros(row.open_us),
            received_at=from_micros(row.receive_us),
            closed_at=None if row.close_us is None else from_micros(row.close_us),
        )

    def facts(self, about: frozenset[str], staff: Mapping[str, str]) -> CaseFacts:
        """What a decision is told, in the names of the claim's own people.

        Args:
            about: subjects of the claim whom the case is about.
            staff: person ids by token.
        """
        row = self.row
        # Of the others it only matters that they are there: one of them stands for all.
        others = {self.somebody} if len(row.subjects) > len(about) else set()
        return CaseFacts(
            kind=row.key.kind,
            ref=row.key.ref,
            opened_by=row.opened_by,
            opened_at=self.opened_at,
            received_at=self.received_at,
            subjects=about | others,
            assignees=frozenset([staff.get(token, token) for token in row.assignees]),
            teams=row.teams,
            opener=None if row.opener is None else staff.get(row.opener, row.opener),
            closed_at=self.closed_at,
        )


class FactSheet:
    """Loaded once for the claims of a run; `note` adds what each decision changes."""

    def __init__(
        self,
        transaction: LogTransaction,
        claims: Sequence[Claim],
        *,
        shelf: Shelf,
        contacts: Contacts,
    ) -> None:
        """Loads what every claim of the run needs in a few set-based queries."""
        self._transaction = transaction
        self.claims = frozenset(claim.id for claim in claims)
        self._seen = transaction.seen(claim.id for claim in claims)
        self._ground: Ground | EmanetError = _ground(transaction, shelf, contacts)
        self._cases: dict[CaseKey, _KnownCase] = {}
        self._case_facts: dict[_CaseFactsKey, CaseFacts] = {}
        self._events: dict[str, dict[str, int]] = {}
        self._tokens: Mapping[Party, str] = {}
        self._counters: dict[_CounterKey, _Counter] = {}
        if isinstance(self._ground, Ground):
            self._load(claims, self._ground)

    def seen(self, claim_id: UUID) -> SeenLeaf | None:
        """The leaf that has this id already; None for a new one."""
        return self._seen.get(claim_id) or self._transaction.find_own(claim_id)

    @property
    def missing(self) -> EmanetError | None:
        """Why nothing can be decided; None when it can."""
        return self._ground if isinstance(self._ground, EmanetError) else None

    @property
    def ground(self) -> Ground:
        """What the decisions stand on; raises what stood against it."""
        if isinstance(self._ground, EmanetError):
            raise renewed(self._ground)
        return self._ground

    def tokens(self, claim: Claim) -> Mapping[Party, str]:
        """The tokens of everybody in the claim, made where there was none."""
        if any(party not in self._tokens for party in claim.everybody):
            self._load_tokens([claim])
        return self._tokens

    def facts(self, claim: Claim, question: Question) -> Facts:
        """What the decision on one claim is told.

        Raises:
            CallerError: INVALID_SUBJECT, a namespace is not declared, or a reference looks like an
                identity number outside a namespace that is declared for them.
        """
        ground = self.ground
        if not _is_declared(ground, claim):
            raise error(Reason.INVALID_SUBJECT)
        tokens = self.tokens(claim)
        return Facts(
            case=self._case(claim, tokens),
            counts={
                (need.counted, need.per): self._tally(claim, need, tokens)
                for need in needed_counts(ground.compiled, question)
            },
            retention_ended=ground.lapses.lapsed_fields(
                claim, at=question.time, events=self._events_of(claim, tokens)
            ),
        )

    def note(self, row: AccessRow) -> None:
        """Counts a recorded access for the decisions that follow in this transaction."""
        for key, counter in self._counters.items():
            counter.add(key, row)

    def _load(self, claims: Sequence[Claim], ground: Ground) -> None:
        keys = {CaseKey(claim.case.kind, claim.case.ref) for claim in claims if claim.case}
        if keys:
            rows = storage.cases.find_cases(
                self._transaction.connection, self._transaction.organization, list(keys)
            )
            self._cases = {key: _KnownCase.of(row) for key, row in rows.items()}
        declared = [claim for claim in claims if _is_declared(ground, claim)]
        self._load_tokens(declared)
        subjects = {
            self._tokens[party]
            for claim in declared
            if ground.lapses.needs_events(claim)
            for party in claim.subjects
        }
        if subjects:
            self._events = storage.retention.events_of(
                self._transaction.connection, self._transaction.organization, list(subjects)
            )

    def _load_tokens(self, claims: Sequence[Claim]) -> None:
        self._tokens = self._transaction.tokens(
            [party for claim in claims for party in claim.everybody]
        )

    def _case(self, claim: Claim, tokens: Mapping[Party, str]) -> CaseFacts | None:
        if claim.case is None:
            return None
        known = self._cases.get(CaseKey(claim.case.kind, claim.case.ref))
        if known is None:
            return None
        row = known.row
        # Facts speak of the claim's own people by name, so claims of one person share them.
        about = frozenset(
            [str(party) for party in claim.subjects if tokens[party] in row.subjects]
            if row.subjects
            else ()
        )
        key = (row.key, claim.actor, claim.actor_id, claim.approver, about)
        facts = self._case_facts.get(key)
        if facts is None:
            facts = self._case_facts[key] = known.facts(about, _staff_names(claim, tokens))
        return facts

    def _tally(self, claim: Claim, need: CountNeed, tokens: Mapping[Party, str]) -> Tally:
        counter = self._counter(claim, need, tokens)
        if need.counted is Counted.RECORDS:
            return Tally(total=counter.total)
        wanted = {tokens[party] for party in claim.subjects}
        return Tally(total=len(counter.subjects), overlap=len(wanted & counter.subjects))

    def _counter(self, claim: Claim, need: CountNeed, tokens: Mapping[Party, str]) -> _Counter:
        if need.per is Per.CASE:
            key = _CounterKey(need.counted, need.per, case_key(claim) or "")
        else:
            since_us = 0 if need.since is None else micros(need.since)
            owner = actor_token(claim, tokens)
            key = _CounterKey(need.counted, need.per, owner, claim.purpose, since_us)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._load_counter(key)
            for row in self._transaction.accesses:
                counter.add(key, row)
        return counter

    def _load_counter(self, key: _CounterKey) -> _Counter:
        connection, organization = self._transaction.connection, self._transaction.organization
        if key.per is Per.CASE:
            total = storage.access.count_case_values(connection, organization, case_key=key.owner)
            return _Counter(total=total)
        if key.counted is Counted.RECORDS:
            total = storage.access.count_values(
                connection,
                organization,
                actor=key.owner,
                purpose=key.purpose,
                since_us=key.since_us,
            )
            return _Counter(total=total)
        found = storage.access.find_subjects(
            connection,
            organization,
            actor=key.owner,
            purpose=key.purpose,
            since_us=key.since_us,
        )
        return _Counter(subjects=set(found))

    def _events_of(
        self, claim: Claim, tokens: Mapping[Party, str]
    ) -> Mapping[str, Mapping[str, datetime]]:
        if not self._events:
            return _NO_EVENTS
        return {
            str(party): {event: from_micros(at) for event, at in known.items()}
            for party in claim.subjects
            if (known := self._events.get(tokens[party]))
        }


def actor_token(claim: Claim, tokens: Mapping[Party, str]) -> str:
    """How the record names the actor: a token, or the application's name."""
    party = claim.actor_party
    return claim.actor_id if party is None else tokens[party]


def case_key(claim: Claim) -> str | None:
    """`kind/ref`; None without a case."""
    return None if claim.case is None else f"{claim.case.kind}/{claim.case.ref}"


def _ground(transaction: LogTransaction, shelf: Shelf, contacts: Contacts) -> Ground | EmanetError:
    try:
        return find_ground(transaction, shelf=shelf, contacts=contacts)
    except EmanetError as missing:
        return missing


def _staff_names(claim: Claim, tokens: Mapping[Party, str]) -> dict[str, str]:
    people = [claim.actor_id] if claim.actor is ActorKind.HUMAN else []
    if claim.approver is not None:
        people.append(claim.approver)
    return {tokens[staff_party(person)]: person for person in people}


def _is_declared(ground: Ground, claim: Claim) -> bool:
    namespaces = ground.register.namespaces
    named = {party.namespace for party in claim.subjects}
    if claim.party is not None:
        named.add(claim.party.namespace)
    return named <= namespaces.keys() and all(namespaces[slug].tckn for slug in claim.identities)
