"""One access as it was asked for, checked for form; questions, entries and leaves come from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import MAX_FIELDS, Act, ActorAuth, ActorKind
from emanet.core.names import is_slug, parse_subject
from emanet.core.pseudonym import STAFF_NAMESPACE
from emanet.rules.question import CaseRef, Question

__all__ = [
    "MAX_ITEMS",
    "Claim",
    "ClaimItem",
    "Party",
    "Traces",
    "invalid",
    "parse_party",
    "parse_reference",
]

MAX_ITEMS = 1_000

_BUCKET = re.compile(r"(?:[0-9]{4}-(?:0[1-9]|1[0-2])|open)\Z")


@dataclass(frozen=True, slots=True)
class Party:
    """A subject with its parts; `identity` says that its reference looks like a T.C. number."""

    namespace: str
    ref: str
    identity: bool = False

    def __str__(self) -> str:
        return f"{self.namespace}/{self.ref}"

    def __repr__(self) -> str:
        return "Party(...)"


@dataclass(frozen=True, slots=True)
class ClaimItem:
    """One field of one subject.

    Attributes:
        subject: None for a value without a subject.
        bucket: `YYYY-MM`, `open`, or empty where the reader does not know it.
        count: number of values, at least 1.
    """

    field: str
    subject: Party | None
    bucket: str
    count: int

    def __post_init__(self) -> None:
        if not is_slug(self.field):
            raise invalid("items.field", "not a field's slug")
        if self.bucket and not _BUCKET.match(self.bucket):
            raise invalid("items.bucket", "a bucket is YYYY-MM or open")
        if self.count < 1:
            raise invalid("items.count", "at least one value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What goes into entries only: where the access came from and why; empty where unknown."""

    connection: str = ""
    host: str = ""
    session: str = ""
    credential: str = ""
    token_id: str = ""
    text: str = ""

    def __repr__(self) -> str:
        return "Traces(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An access that somebody wants, or that has happened.

    Attributes:
        id: UUIDv7, becomes the leaf's id.
        actor: kind of actor.
        actor_id: person id, application name, or the acting subject's text.
        party: the acting subject, for a data subject.
        auth: how the actor is known.
        groups: of the staff token.
        application: through which it happens.
        items: at most 1000, of at most 64 different fields.
        approver: person id from the approver's own token.
        recipient: slug; exactly with `disclose`.
        event_us: when it happened; None = when it is received.
    """

    id: UUID
    actor: ActorKind
    actor_id: str = field(repr=False)
    auth: ActorAuth
    application: str
    purpose: str
    act: Act
    items: tuple[ClaimItem, ...] = field(repr=False)
    party: Party | None = None
    groups: frozenset[str] = frozenset()
    case: CaseRef | None = field(default=None, repr=False)
    approver: str | None = field(default=None, repr=False)
    recipient: str = ""
    traces: Traces = field(default_factory=Traces)
    event_us: int | None = None
    fields: tuple[str, ...] = field(init=False)
    subjects: tuple[Party, ...] = field(init=False, repr=False)
    values: int = field(init=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.items) <= MAX_ITEMS:
            raise error(Reason.BATCH_TOO_LARGE, limit=str(MAX_ITEMS))
        fields = tuple(dict.fromkeys(item.field for item in self.items))
        if len(fields) > MAX_FIELDS:
            raise error(Reason.BATCH_TOO_LARGE, limit=f"{MAX_FIELDS} fields")
        if not is_slug(self.purpose):
            raise invalid("context.purpose", "not a purpose's slug")
        if (self.act is Act.DISCLOSE) is not bool(self.recipient):
            raise invalid(
                "context.recipient", "a recipient belongs to a disclosure, and only there"
            )
        if self.recipient and not is_slug(self.recipient):
            raise invalid("context.recipient", "not a recipient's slug")
        subjects = dict.fromkeys(item.subject for item in self.items if item.subject is not None)
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "subjects", tuple(subjects))
        object.__setattr__(self, "values", sum(item.count for item in self.items))

    @property
    def parties(self) -> tuple[Party, ...]:
        """Every subject that is named, the acting one included."""
        return self.subjects if self.party is None else (self.party, *self.subjects)

    @property
    def actor_party(self) -> Party | None:
        """Whose pseudonym names the actor; None for an application."""
        if self.actor is ActorKind.HUMAN:
            return Party(STAFF_NAMESPACE, self.actor_id)
        return self.party

    def question(self, at: datetime) -> Question:
        """What the rules are asked."""
        return Question(
            actor=self.actor,
            actor_id=self.actor_id,
            application=self.application,
            purpose=self.purpose,
            act=self.act,
            fields=self.fields,
            time=at,
            subjects=tuple(map(str, self.subjects)),
            records=self.values,
            groups=self.groups,
            case=self.case,
            approver=self.approver,
            recipient=self.recipient or None,
        )


def parse_party(text: str) -> Party:
    """Reads a subject; whether its namespace may hold identity numbers is the register's to say.

    Raises:
        CallerError: INVALID_SUBJECT, TEXT_NOT_NFC.
    """
    try:
        subject, identity = parse_subject(text), False
    except EmanetError as refused:
        if refused.reason is not Reason.INVALID_SUBJECT:
            raise
        subject, identity = parse_subject(text, allow_identity_number=True), True
    return Party(namespace=subject.namespace, ref=subject.ref, identity=identity)


def parse_reference(text: str) -> tuple[str, str]:
    """Reads `kind/ref` as a case key is written."""
    kind, _, ref = text.partition("/")
    return kind, ref


def invalid(path: str, problem: str) -> EmanetError:
    """INVALID_FIELD for one field of the request."""
    return error(Reason.INVALID_FIELD, violations=((path, problem),))
