"""One access as a request states it: who, for what, which values. Read as access_audit reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as member
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from emanet.api.access_audit.v1 import resources_pb2
from emanet.core.encoding import require_nfc
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.ids import parse_uuid7
from emanet.core.leaf import MAX_ENTRY_VALUE_BYTES, MAX_FIELDS
from emanet.core.leaf_terms import Act, ActorKind
from emanet.core.names import Collection, Name, is_slug, parse_subject
from emanet.register.values import Register
from emanet.rules.question import CaseRef, Question
from emanet.testing.staff import StaffTokens

__all__ = [
    "MAX_ITEMS",
    "Access",
    "AccessReader",
    "Caller",
    "Item",
    "invalid",
    "read_case",
    "read_time",
    "require_subjects",
]

MAX_ITEMS = 1_000

_MAX_TRACE_BYTES = 256
_ACTS: Mapping[int, Act] = MappingProxyType(
    {resources_pb2.Action.Value(f"ACTION_{act.name}"): act for act in Act}
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the application, and the staff token that it brings (empty for none)."""

    application: str
    staff_token: str = member(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One field of one subject; subject and bucket are empty where they are not known."""

    field: str
    subject: str = member(repr=False)
    bucket: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An access that somebody wants, or that has happened.

    Attributes:
        id: UUIDv7 of its record.
        actor_id: person id, application name, or the acting subject.
        groups: of the staff token.
        items: what is read, in order.
        approver: person id behind the approver's token.
        recipient: slug; exactly with `disclose`.
        session, host, connection, justification: as stated.
        time: when it happened; None = when it is received.
    """

    id: UUID
    application: str
    actor: ActorKind
    actor_id: str = member(repr=False)
    purpose: str
    act: Act
    items: tuple[Item, ...] = member(repr=False)
    groups: frozenset[str] = frozenset()
    case: CaseRef | None = member(default=None, repr=False)
    approver: str | None = member(default=None, repr=False)
    recipient: str = ""
    session: str = member(default="", repr=False)
    host: str = member(default="", repr=False)
    connection: str = member(default="", repr=False)
    justification: str = member(default="", repr=False)
    time: datetime | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The different fields, in order."""
        return tuple(dict.fromkeys(item.field for item in self.items))

    @property
    def subjects(self) -> tuple[str, ...]:
        """The different subjects, in order."""
        return tuple(dict.fromkeys(item.subject for item in self.items if item.subject))

    @property
    def values(self) -> int:
        """How many values."""
        return sum(item.count for item in self.items)

    def question(self, now: datetime) -> Question:
        """What the rules are asked."""
        return Question(
            actor=self.actor,
            actor_id=self.actor_id,
            application=self.application,
            purpose=self.purpose,
            act=self.act,
            fields=self.fields,
            time=self.time or now,
            subjects=self.subjects,
            records=self.values,
            groups=self.groups,
            case=self.case,
            approver=self.approver,
            recipient=self.recipient or None,
        )


class AccessReader:
    """Reads accesses out of messages; every refusal is one that access_audit gives too."""

    def __init__(self, *, organization: str, staff: StaffTokens) -> None:
        """Keeps whose accesses they are and who stands behind which token."""
        self._organization = organization
        self._staff = staff

    def read(
        self,
        context: resources_pb2.AccessContext,
        *,
        access_id: str,
        action: resources_pb2.Action.ValueType,
        items: Sequence[resources_pb2.AccessItem],
        caller: Caller,
        time: datetime | None = None,
    ) -> Access:
        """The access that a message states.

        Raises:
            CallerError: INVALID_FIELD, INVALID_SUBJECT, BATCH_TOO_LARGE, TEXT_NOT_NFC.
            DeniedError: TOKEN_MISSING, TOKEN_INVALID.
        """
        actor, actor_id, groups = self._actor(context, caller)
        act = _ACTS.get(action)
        if act is None:
            raise invalid("action", "not stated, or not known here")
        _require_statement(context, act)
        return Access(
            id=parse_uuid7(access_id),
            application=caller.application,
            actor=actor,
            actor_id=actor_id,
            groups=groups,
            purpose=context.purpose,
            act=act,
            items=_items(items),
            case=self._case(context),
            approver=self._approver(context, caller),
            recipient=context.recipient,
            session=_trace(context.session, "context.session"),
            host=_trace(context.host, "context.host"),
            connection=_trace(context.connection, "context.connection"),
            justification=_trace(
                context.justification, "context.justification", most=MAX_ENTRY_VALUE_BYTES
            ),
            time=time,
        )

    def _actor(
        self, context: resources_pb2.AccessContext, caller: Caller
    ) -> tuple[ActorKind, str, frozenset[str]]:
        if context.actor == resources_pb2.ACTOR_KIND_STAFF:
            if not caller.staff_token:
                raise error(Reason.TOKEN_MISSING)
            person = self._staff.verify(caller.staff_token, presenter=caller.application)
            return ActorKind.HUMAN, person.person_id, person.groups
        if context.actor == resources_pb2.ACTOR_KIND_DATA_SUBJECT:
            _require_form(context.data_subject)
            return ActorKind.DATA_SUBJECT, context.data_subject, frozenset()
        if context.actor == resources_pb2.ACTOR_KIND_APPLICATION:
            return ActorKind.APP, caller.application, frozenset()
        raise invalid("context.actor", "not stated, or not known here")

    def _case(self, context: resources_pb2.AccessContext) -> CaseRef | None:
        if not context.HasField("case"):
            return None
        return read_case(self._organization, context.case, path="context.case")

    def _approver(self, context: resources_pb2.AccessContext, caller: Caller) -> str | None:
        if not context.approver_token:
            return None
        approver = self._staff.verify(context.approver_token, presenter=caller.application)
        return approver.person_id


def read_case(organization: str, ref: resources_pb2.CaseRef, *, path: str) -> CaseRef:
    """Reads kind and reference of a case.

    Raises:
        CallerError: INVALID_FIELD, they are not of their form.
    """
    try:
        Name(organization=organization, collection=Collection.CASES, id=f"{ref.kind}/{ref.ref}")
    except EmanetError as refused:
        raise invalid(path, "a case is a kind and a reference of at most 128 bytes") from refused
    return CaseRef(kind=ref.kind, ref=ref.ref)


def read_time(stamp: Timestamp, path: str, *, latest: datetime) -> datetime:
    """Reads a time that may be no later than `latest`.

    Raises:
        CallerError: INVALID_FIELD, it is before 1970, out of range, or later.
    """
    try:
        moment = stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise invalid(path, "a time before 1970 or out of range") from None
    if stamp.seconds < 0:
        raise invalid(path, "a time before 1970 or out of range")
    if moment > latest:
        raise invalid(path, "more than five minutes ahead")
    return moment


def require_subjects(register: Register, subjects: Sequence[str]) -> None:
    """Raises unless every subject is of a declared namespace and may look as it does.

    Raises:
        CallerError: INVALID_SUBJECT.
    """
    for subject in subjects:
        namespace = register.namespaces.get(subject.partition("/")[0])
        if namespace is None:
            raise error(Reason.INVALID_SUBJECT)
        parse_subject(subject, allow_identity_number=namespace.tckn)


def invalid(path: str, problem: str) -> EmanetError:
    """INVALID_FIELD for one field of the request."""
    return error(Reason.INVALID_FIELD, violations=((path, problem),))


def _require_statement(context: resources_pb2.AccessContext, act: Act) -> None:
    if not is_slug(context.purpose):
        raise invalid("context.purpose", "not a purpose's slug")
    if (act is Act.DISCLOSE) is not bool(context.recipient):
        raise invalid("context.recipient", "a recipient belongs to a disclosure, and only there")
    if context.recipient and not is_slug(context.recipient):
        raise invalid("context.recipient", "not a recipient's slug")


def _items(items: Sequence[resources_pb2.AccessItem]) -> tuple[Item, ...]:
    if not 1 <= len(items) <= MAX_ITEMS:
        raise error(Reason.BATCH_TOO_LARGE, limit=str(MAX_ITEMS))
    found = []
    for item in items:
        if not is_slug(item.field):
            raise invalid("items.field", "not a field's slug")
        if item.subject:
            _require_form(item.subject)
        found.append(Item(item.field, item.subject, item.bucket, item.count or 1))
    if len({item.field for item in found}) > MAX_FIELDS:
        raise error(Reason.BATCH_TOO_LARGE, limit=f"{MAX_FIELDS} fields")
    return tuple(found)


def _require_form(subject: str) -> None:
    """Whether its namespace may hold identity numbers is the register's to say, later."""
    parse_subject(subject, allow_identity_number=True)


def _trace(text: str, path: str, *, most: int = _MAX_TRACE_BYTES) -> str:
    if len(text.encode("utf-8", "surrogatepass")) > most:
        raise invalid(path, f"at most {most} bytes")
    return require_nfc(text)
