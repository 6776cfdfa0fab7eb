"""One access as it was asked for, checked for form; questions, entries and leaves come from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import MAX_FIELDS, Act, ActorAuth, ActorKind, Entry, EntryKey
from emanet.core.names import is_slug
from emanet.rules.question import CaseRef, Question
from services.access_audit.domain.party import Party, staff_party

__all__ = [
    "MAX_ITEMS",
    "Claim",
    "ClaimItem",
    "Traces",
    "invalid",
    "parse_reference",
]

MAX_ITEMS = 1_000

_BUCKET = re.compile(r"(?:[0-9]{4}-(?:0[1-9]|1[0-2])|open)\Z")


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
    """What goes into entries only: where the access came from and why; empty where unknown.

    Attributes:
        entries: of those that are known, in the order in which leaves hold them; made once,
            because all items of a call share them.
    """

    connection: str = ""
    host: str = ""
    session: str = ""
    credential: str = ""
    token_id: str = ""
    text: str = ""
    entries: tuple[Entry, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = (
            (EntryKey.CONNECTION, self.connection),
            (EntryKey.HOST, self.host),
            (EntryKey.SESSION, self.session),
            (EntryKey.CREDENTIAL, self.credential),
            (EntryKey.TOKEN_ID, self.token_id),
            (EntryKey.TEXT, self.text),
        )
        entries = tuple([Entry(key, value) for key, value in found if value])
        object.__setattr__(self, "entries", entries)

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
        identities: namespaces of references that look like T.C. numbers.
        fields, subjects: different ones, in the order of the items.
        values: how many in all.
        actor_party: whose pseudonym names the actor; None for an application.
        everybody: all who get a pseudonym: actor, subjects, approver.
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
    identities: frozenset[str] = frozenset()
    fields: tuple[str, ...] = field(init=False)
    subjects: tuple[Party, ...] = field(init=False, repr=False)
    values: int = field(init=False)
    actor_party: Party | None = field(init=False, repr=False)
    everybody: tuple[Party, ...] = field(init=False, repr=False)

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
        actor = staff_party(self.actor_id) if self.actor is ActorKind.HUMAN else self.party
        approver = None if self.approver is None else staff_party(self.approver)
        everybody = (*subjects, *(each for each in (actor, approver) if each is not None))
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "subjects", tuple(subjects))
        object.__setattr__(self, "actor_party", actor)
        object.__setattr__(self, "everybody", everybody)
        object.__setattr__(self, "values", sum(item.count for item in self.items))

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


def parse_reference(text: str) -> tuple[str, str]:
    """Reads `kind/ref` as a case key is written."""
    kind, _, ref = text.partition("/")
    return kind, ref


def invalid(path: str, problem: str) -> EmanetError:
    """INVALID_FIELD for one field of the request."""
    return error(Reason.INVALID_FIELD, violations=((path, problem),))
