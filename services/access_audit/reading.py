"""Reads accesses out of messages: who acts, on whose word, and what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.encoding import require_nfc
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.ids import parse_uuid7
from emanet.core.leaf import MAX_ENTRY_VALUE_BYTES, Act, ActorAuth, ActorKind
from emanet.core.names import Collection, Name
from emanet.rules.question import CaseRef
from services.access_audit.domain.claim import (
    MAX_ITEMS,
    Claim,
    ClaimItem,
    Traces,
    invalid,
)
from services.access_audit.domain.party import Party, parse_party
from services.runtime.principals import Application, PrincipalsFile
from services.runtime.request import CallerKind, Request
from services.runtime.tokens import Staff, TokenVerifier

__all__ = ["ACTIONS", "ClaimReader", "Stated", "read_case_ref", "to_micros"]

_MAX_TRACE_BYTES = 256
_FINGERPRINT_CHARACTERS = 32
_MAX_US = 2**53 - 1

ACTIONS: Mapping[resources_pb2.Action.ValueType, Act] = MappingProxyType(
    {resources_pb2.Action.Value(f"ACTION_{act.name}"): act for act in Act}
)


@dataclass(frozen=True, slots=True)
class _Actor:
    kind: ActorKind
    id: str = field(repr=False)
    auth: ActorAuth
    party: Party | None = None
    identities: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    token_id: str = field(default="", repr=False)
    session: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Stated:
    """A context that was read and verified: who acts, for what, on whose word, from where."""

    application: str
    actor: _Actor
    purpose: str
    case: CaseRef | None = field(repr=False)
    approver: str | None = field(repr=False)
    recipient: str
    traces: Traces

    @property
    def people(self) -> str:
        """Staff and approver by person id, for idempotency: tokens change, persons do not."""
        staff = self.actor.id if self.actor.kind is ActorKind.HUMAN else ""
        return f"{staff}\n{self.approver or ''}"


@dataclass(frozen=True, slots=True)
class _Items:
    """The items, and the namespaces of references that look like T.C. numbers."""

    items: tuple[ClaimItem, ...]
    identities: frozenset[str]


class ClaimReader:
    """Checks on whose word an access is stated; holds the rules of DESIGN section 9."""

    def __init__(self, *, principals: PrincipalsFile, tokens: TokenVerifier) -> None:
        """Keeps principals and the verifier of staff tokens."""
        self._principals = principals
        self._tokens = tokens

    def application(self, request: Request, named: str) -> Application:
        """The application that asks: the certificate's, or the one that crypto forwards.

        Raises:
            DeniedError: PRINCIPAL_UNKNOWN; ORGANIZATION_NOT_ALLOWED, it may not touch the
                organization.
        """
        if request.caller.application is not None:
            return request.caller.application
        found = self._principals.current().application(named)
        if request.organization not in found.organizations:
            raise error(Reason.ORGANIZATION_NOT_ALLOWED)
        return found

    def check(self, request: Request, message: access_audit_pb2.CheckAccessRequest) -> Claim:
        """The access of a CheckAccess request.

        Raises:
            EmanetError: whatever is wrong with caller, token or fields.
        """
        application = self.application(request, message.application)
        return _claim(
            self._stated(request, application, message.context),
            claim_id=parse_uuid7(message.attempt_id),
            act=_act(message.action),
            items=_items(message.items),
        )

    def record(
        self,
        request: Request,
        item: access_audit_pb2.RecordItem,
        *,
        latest_us: int,
        known: dict[bytes, Stated],
    ) -> tuple[Claim, str]:
        """The access of one item of a RecordAccess request, and the people behind it.

        Args:
            request: the call.
            item: the item.
            latest_us: the item may not have happened later.
            known: contexts of this very call that were read before; items tend to share one.

        Raises:
            EmanetError: whatever is wrong with caller, token or fields.
        """
        written = item.context.SerializeToString(deterministic=True)
        stated = known.get(written)
        if stated is None:
            stated = self._stated(request, self.application(request, ""), item.context)
            known[written] = stated
        claim = _claim(
            stated,
            claim_id=parse_uuid7(item.id),
            act=_act(item.action),
            items=_items(item.items),
            event_us=to_micros(item.event_time, "event_time", latest_us=latest_us),
        )
        return claim, stated.people

    def reading_of(
        self,
        request: Request,
        context: resources_pb2.AccessContext,
        *,
        claim_id: UUID,
        act: Act,
        item: ClaimItem,
    ) -> Claim:
        """An access of a member of staff to what this service itself holds.

        Raises:
            EmanetError: whatever is wrong with context or token.
        """
        if context.actor != resources_pb2.ACTOR_KIND_STAFF:
            raise invalid("context.actor", "only staff read the log")
        return _claim(
            self._stated(request, self.application(request, ""), context),
            claim_id=claim_id,
            act=act,
            items=_Items((item,), frozenset()),
        )

    def _stated(
        self,
        request: Request,
        application: Application,
        context: resources_pb2.AccessContext,
    ) -> Stated:
        actor = self._actor(request, application, context)
        return Stated(
            application=application.name,
            actor=actor,
            purpose=context.purpose,
            case=_case(request.organization, context),
            approver=self._approver(request, application, context),
            recipient=context.recipient,
            traces=Traces(
                connection=_trace(context.connection, "context.connection"),
                host=_trace(context.host, "context.host"),
                session=_trace(context.session, "context.session") or actor.session,
                credential=request.caller.fingerprint[:_FINGERPRINT_CHARACTERS],
                token_id=actor.token_id,
                text=_trace(
                    context.justification, "context.justification", most=MAX_ENTRY_VALUE_BYTES
                ),
            ),
        )

    def _actor(
        self,
        request: Request,
        application: Application,
        context: resources_pb2.AccessContext,
    ) -> _Actor:
        if context.actor == resources_pb2.ACTOR_KIND_STAFF:
            person = self._staff(request, application)
            return _Actor(
                kind=ActorKind.HUMAN,
                id=person.person_id,
                auth=ActorAuth.TOKEN,
                groups=person.groups,
                token_id=person.token_id,
                session=person.session,
            )
        if context.actor == resources_pb2.ACTOR_KIND_DATA_SUBJECT:
            _require_assertion(application, "data_subject")
            party, is_identity = parse_party(context.data_subject)
            return _Actor(
                kind=ActorKind.DATA_SUBJECT,
                id=str(party),
                auth=ActorAuth.ASSERTED,
                party=party,
                identities=frozenset((party.namespace,)) if is_identity else frozenset(),
            )
        if context.actor == resources_pb2.ACTOR_KIND_APPLICATION:
            _require_assertion(application, "app")
            return _Actor(kind=ActorKind.APP, id=application.name, auth=ActorAuth.MTLS)
        raise invalid("context.actor", "not stated, or not known here")

    def _staff(self, request: Request, application: Application) -> Staff:
        person = request.staff
        if person is None:
            raise error(Reason.TOKEN_MISSING)
        if request.caller.kind is CallerKind.SERVICE:
            self._tokens.verify_presenter(person, application)
        return person

    def _approver(
        self,
        request: Request,
        application: Application,
        context: resources_pb2.AccessContext,
    ) -> str | None:
        if not context.approver_token:
            return None
        person = self._tokens.verify(context.approver_token)
        self._tokens.verify_presenter(person, application)
        if request.organization not in person.organizations:
            raise error(Reason.ORGANIZATION_NOT_ALLOWED)
        return person.person_id


def _claim(
    stated: Stated, *, claim_id: UUID, act: Act, items: _Items, event_us: int | None = None
) -> Claim:
    actor = stated.actor
    return Claim(
        id=claim_id,
        actor=actor.kind,
        actor_id=actor.id,
        auth=actor.auth,
        application=stated.application,
        purpose=stated.purpose,
        act=act,
        items=items.items,
        party=actor.party,
        identities=actor.identities | items.identities,
        groups=actor.groups,
        case=stated.case,
        approver=stated.approver,
        recipient=stated.recipient,
        traces=stated.traces,
        event_us=event_us,
    )


def read_case_ref(organization: str, ref: resources_pb2.CaseRef, *, path: str) -> CaseRef:
    """Reads kind and reference of a case.

    Raises:
        CallerError: INVALID_FIELD, they are not of their form.
    """
    try:
        Name(organization=organization, collection=Collection.CASES, id=f"{ref.kind}/{ref.ref}")
    except EmanetError as refused:
        raise invalid(path, "a case is a kind and a reference of at most 128 bytes") from refused
    return CaseRef(kind=ref.kind, ref=ref.ref)


def to_micros(moment: Timestamp, path: str, *, latest_us: int | None = None) -> int:
    """Microseconds of a timestamp; nanoseconds below are cut off.

    Args:
        moment: the time.
        path: the field, for the error.
        latest_us: the time may be no later than this.

    Raises:
        CallerError: INVALID_FIELD, it is before 1970, too far, or later than allowed.
    """
    value = moment.seconds * 1_000_000 + moment.nanos // 1_000
    if not 0 <= value <= _MAX_US or not 0 <= moment.nanos < 1_000_000_000:
        raise invalid(path, "a time before 1970 or out of range")
    if latest_us is not None and value > latest_us:
        raise invalid(path, "more than five minutes ahead")
    return value


def _act(action: resources_pb2.Action.ValueType) -> Act:
    act = ACTIONS.get(action)
    if act is None:
        raise invalid("action", "not stated, or not known here")
    return act


def _items(items: Sequence[resources_pb2.AccessItem]) -> _Items:
    if len(items) > MAX_ITEMS:
        raise error(Reason.BATCH_TOO_LARGE, limit=str(MAX_ITEMS))
    parties: dict[str, Party | None] = {"": None}
    identities: set[str] = set()
    read: list[ClaimItem] = []
    for item in items:
        if item.subject not in parties:
            party, is_identity = parse_party(item.subject)
            parties[item.subject] = party
            if is_identity:
                identities.add(party.namespace)
        read.append(
            ClaimItem(
                field=item.field,
                subject=parties[item.subject],
                bucket=item.bucket,
                count=item.count or 1,
            )
        )
    return _Items(tuple(read), frozenset(identities))


def _case(organization: str, context: resources_pb2.AccessContext) -> CaseRef | None:
    if not context.HasField("case"):
        return None
    return read_case_ref(organization, context.case, path="context.case")


def _trace(text: str, path: str, *, most: int = _MAX_TRACE_BYTES) -> str:
    if len(text.encode("utf-8", "surrogatepass")) > most:
        raise invalid(path, f"at most {most} bytes")
    return require_nfc(text)


def _require_assertion(application: Application, kind: str) -> None:
    if kind not in application.may_assert:
        raise error(Reason.ASSERTION_NOT_ALLOWED, application=application.name)
