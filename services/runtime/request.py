"""Who calls, while a request is handled: set by the gate, read by servicers.

Work that `Database.read` and `write` run on threads sees the same request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

from emanet.core.errors import Reason, error
from services.runtime.principals import Application
from services.runtime.tokens import Staff

__all__ = [
    "Caller",
    "CallerKind",
    "Request",
    "bound_request",
    "caller",
    "current",
    "enter_request",
    "require_staff",
    "staff",
]


class CallerKind(StrEnum):
    """The two kinds of certificate principals."""

    APPLICATION = "app"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Caller:
    """The certificate principal of a call.

    Attributes:
        kind: application or service.
        name: `panel` of `/app/panel`.
        spiffe_id: the whole URI; the key of idempotency.
        fingerprint: SHA-256 of the certificate's DER bytes, lower-case hex.
        application: what principals.yaml says about it; None for a service.
    """

    kind: CallerKind
    name: str
    spiffe_id: str
    fingerprint: str
    application: Application | None = None

    def may_touch(self, organization: str) -> bool:
        """Tells whether the principal belongs to the organization; services belong to all."""
        if self.application is None:
            return self.kind is CallerKind.SERVICE
        return organization in self.application.organizations


@dataclass(frozen=True, slots=True)
class Request:
    """One RPC after authentication and authorisation.

    Attributes:
        rpc: `emanet.api.crypto.v1.CryptoService/Encrypt`.
        request_id: unique id of this call, in every log line of it.
        organization: slug from field 1.
        caller: the certificate principal.
        staff: the person of the staff token; None when none came or none is looked at.
        staff_token: that token as it came, to be forwarded unchanged; empty without.
        language: `tr-TR` or `en`.
    """

    rpc: str
    request_id: str
    organization: str
    caller: Caller
    staff: Staff | None = None
    staff_token: str = field(default="", repr=False)
    language: str = "tr-TR"


_CURRENT: ContextVar[Request] = ContextVar("emanet_request")


def current() -> Request:
    """Returns the request that is being handled; outside of one it is a LookupError."""
    return _CURRENT.get()


def caller() -> Caller:
    """Returns the certificate principal of the request that is being handled."""
    return _CURRENT.get().caller


def staff() -> Staff | None:
    """Returns the person of the request that is being handled, if a staff token came with it."""
    return _CURRENT.get().staff


def require_staff() -> Staff:
    """Returns the person of the request that is being handled.

    Raises:
        DeniedError: TOKEN_MISSING, no staff token came with it.
    """
    person = _CURRENT.get().staff
    if person is None:
        raise error(Reason.TOKEN_MISSING)
    return person


def enter_request(request: Request) -> None:
    """Makes a request the current one for the rest of this task; for the interceptor."""
    _CURRENT.set(request)


@contextmanager
def bound_request(request: Request) -> Iterator[None]:
    """Makes a request the current one; for tests of servicers."""
    token = _CURRENT.set(request)
    try:
        yield
    finally:
        _CURRENT.reset(token)
