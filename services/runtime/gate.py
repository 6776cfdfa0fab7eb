"""Decides whether a call may go on: certificate, row, staff token, tenancy, duty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.protobuf.message import Message

from emanet.core.clock import Clock
from emanet.core.errors import Reason, error
from emanet.core.names import organization_of
from services.runtime.authorisation import AuthorisationTable, Row, Staffing
from services.runtime.identity import peer_of
from services.runtime.principals import PrincipalsFile
from services.runtime.request import Caller, CallerKind
from services.runtime.tokens import Staff, TokenVerifier

__all__ = ["Admission", "Gate", "organization_in"]

_BEARER = "bearer"
_TENANT_FIELDS = frozenset({"organization", "parent", "name"})


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, and for which organization."""

    organization: str
    staff: Staff | None
    staff_token: str


class Gate:
    """Applies principals.yaml and the authorisation table to a call; does no I/O but a reload."""

    def __init__(
        self,
        *,
        table: AuthorisationTable,
        principals: PrincipalsFile,
        tokens: TokenVerifier,
        clock: Clock,
    ) -> None:
        """Builds the gate of one server."""
        self._table = table
        self._principals = principals
        self._tokens = tokens
        self._clock = clock

    def identify(self, auth_context: Mapping[str, Iterable[bytes]]) -> Caller:
        """Returns the certificate principal of a connection.

        Raises:
            DeniedError: IDENTITY_MISSING, PRINCIPAL_REVOKED, PRINCIPAL_UNKNOWN.
        """
        principals = self._principals.current()
        peer = peer_of(auth_context, principals.trust_domain)
        if peer.fingerprint in principals.revoked.certificates:
            raise error(Reason.PRINCIPAL_REVOKED)
        kind = CallerKind(peer.kind)
        return Caller(
            kind=kind,
            name=peer.name,
            spiffe_id=peer.spiffe_id,
            fingerprint=peer.fingerprint,
            application=(
                principals.application(peer.name) if kind is CallerKind.APPLICATION else None
            ),
        )

    def admit(
        self, *, rpc: str, caller: Caller, authorization: tuple[str, ...], message: Message
    ) -> Admission:
        """Lets a caller in, or not.

        Args:
            rpc: `package.Service/Method`.
            caller: from `identify`.
            authorization: the values of the `authorization` metadata.
            message: the request; its field 1 names the organization.

        Raises:
            DeniedError: RPC_NOT_ALLOWED, TOKEN_*, PRINCIPAL_*, ORGANIZATION_NOT_ALLOWED,
                FRESH_LOGIN_REQUIRED.
            CallerError: INVALID_NAME or REQUIRED_FIELD_MISSING, field 1 names no organization.
        """
        row = self._table.row(rpc)
        if not _is_permitted(row, caller):
            raise error(Reason.RPC_NOT_ALLOWED, rpc=rpc)
        token = _bearer(authorization)
        person = self._person(row, caller, token)
        organization = organization_in(message, rpc)
        if not caller.may_touch(organization):
            raise error(Reason.ORGANIZATION_NOT_ALLOWED)
        if person is not None and organization not in person.organizations:
            raise error(Reason.ORGANIZATION_NOT_ALLOWED)
        if caller.kind is CallerKind.APPLICATION:
            self._require_duty(row, person, organization)
        return Admission(
            organization=organization,
            staff=person,
            staff_token=token if person is not None else "",
        )

    def _person(self, row: Row, caller: Caller, token: str) -> Staff | None:
        if caller.application is None:
            return self._tokens.verify(token) if token else None
        if row.staffing is Staffing.NONE:
            return None
        if not token:
            if row.staffing is Staffing.REQUIRED:
                raise error(Reason.TOKEN_MISSING)
            return None
        person = self._tokens.verify(token)
        self._tokens.verify_presenter(person, caller.application)
        return person

    def _require_duty(self, row: Row, person: Staff | None, organization: str) -> None:
        if row.staffing is not Staffing.REQUIRED:
            return
        if person is None:
            raise error(Reason.TOKEN_MISSING)
        if row.duties and not person.has_duty(row.duties, organization=organization):
            raise error(Reason.RPC_NOT_ALLOWED, rpc=row.rpc)
        if row.fresh_login and not person.is_fresh(self._clock.now()):
            raise error(Reason.FRESH_LOGIN_REQUIRED)


def organization_in(message: Message, rpc: str) -> str:
    """Returns the organization that field 1 of a request names.

    Raises:
        CallerError: INVALID_NAME or REQUIRED_FIELD_MISSING.
        DeniedError: RPC_NOT_ALLOWED, the message has no such field 1 and is open to nobody.
    """
    field = message.DESCRIPTOR.fields_by_number.get(1)
    if field is None or field.name not in _TENANT_FIELDS:
        raise error(Reason.RPC_NOT_ALLOWED, rpc=rpc)
    value: str = getattr(message, field.name)
    if not value:
        raise error(Reason.REQUIRED_FIELD_MISSING, violations=((field.name, "required"),))
    return organization_of(value)


def _is_permitted(row: Row, caller: Caller) -> bool:
    if caller.kind is CallerKind.SERVICE:
        return caller.name in row.services
    return row.applications


def _bearer(values: tuple[str, ...]) -> str:
    """Returns the token of the one `Bearer` value (RFC 6750), empty when there is no value."""
    if not values:
        return ""
    scheme, _, token = values[0].partition(" ")
    if len(values) > 1 or scheme.casefold() != _BEARER or not token:
        raise error(Reason.TOKEN_INVALID, problem="authorization")
    return token
