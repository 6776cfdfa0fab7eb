"""The two services that the SDK calls, in memory, and the stubs through which it calls them."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TypeVar, cast

from google.protobuf.message import Message

from emanet.api.access_audit.v1 import access_audit_pb2, access_audit_pb2_grpc, resources_pb2
from emanet.api.crypto.v1 import crypto_pb2_grpc
from emanet.core.clock import FixedClock, SystemClock
from emanet.core.errors import Reason, error
from emanet.core.ids import new_uuid7
from emanet.rules.hours import WorkCalendar
from emanet.rules.values import RoleSource
from emanet.testing.access import Caller, invalid
from emanet.testing.audit import MemoryAudit
from emanet.testing.crypto import MemoryCrypto
from emanet.testing.manifests import Manifests
from emanet.testing.required import require_fields
from emanet.testing.staff import StaffTokens
from emanet.testing.vault import UnsafeMemoryVault

__all__ = ["MemoryServices"]

_Request = TypeVar("_Request", bound=Message)
_Response = TypeVar("_Response")
_Metadata = Iterable[tuple[str, str]]

_BEARER = "Bearer "
_HALF_HOUR = timedelta(minutes=30)
_LONGEST_BREAK = timedelta(days=30)


class MemoryServices:
    """Crypto and access audit of one organization in this process; safe for threads.

    Attributes:
        organization: the organization's slug.
        clock: what time it is for the services; stands still until it is moved. It starts now,
            or in the next working hour where the rules know working hours, so that no test
            depends on when it runs.
        audit: decisions, records and cases.
        vault: plaintexts, unprotected.
    """

    def __init__(self, manifests: Manifests) -> None:
        """Starts without values, cases and records."""
        self.organization = manifests.organization
        self._ruleset = manifests.rules.ruleset
        self._staff = StaffTokens()
        self.clock = FixedClock(_working_time(self._ruleset.calendar, SystemClock().now()))
        self.audit = MemoryAudit(
            organization=self.organization,
            register=manifests.view.register,
            rules=manifests.rules,
            staff=self._staff,
            clock=self.clock,
        )
        self.vault = UnsafeMemoryVault(self.organization)
        self._crypto = MemoryCrypto(
            view=manifests.view, vault=self.vault, audit=self.audit, clock=self.clock
        )
        self._lock = threading.RLock()

    def issue_token(self, person: str, role: str, *, client: str) -> str:
        """A staff token of a person with the group that carries a role; no role, no group.

        Args:
            person: person id.
            role: slug of a role that comes from a group; empty for none.
            client: the application that may present it.

        Raises:
            CallerError: INVALID_FIELD for a role that the rules do not give to a group.
        """
        if not role:
            return self._staff.issue(person, (), client=client)
        known = self._ruleset.role(role)
        if known is None or known.source is not RoleSource.GROUP:
            raise invalid("role", "the rules give no such role to a group")
        return self._staff.issue(person, known.names[:1], client=client)

    def put_case(self, case: resources_pb2.Case) -> None:
        """Pushes a case as the application that owns its kind.

        Raises:
            CallerError: INVALID_FIELD for a kind that the rules do not have, and as PutCases.
        """
        kind = self._ruleset.case_kind(case.ref.kind)
        if kind is None:
            raise invalid("kind", "the rules have no such kind of case")
        request = access_audit_pb2.PutCasesRequest(
            organization=self.organization, request_id=str(new_uuid7(self.clock)), cases=[case]
        )
        with self._lock:
            self.audit.put_cases(request, Caller(kind.application))

    def destroy_subject(self, subject: str, retention_class: str) -> str:
        """Destroys a subject's keys at once and returns the destruction's name."""
        destruction = str(new_uuid7(self.clock))
        with self._lock:
            return self.vault.destroy_subject(
                subject, retention_class=retention_class, destruction=destruction
            )

    @contextmanager
    def fail_audit(self) -> Iterator[None]:
        """The access audit cannot be reached within the block."""
        self.audit.is_down = True
        try:
            yield
        finally:
            self.audit.is_down = False

    def crypto_stub(self, application: str) -> crypto_pb2_grpc.CryptoServiceStub:
        """CryptoService as an application calls it."""
        return cast("crypto_pb2_grpc.CryptoServiceStub", self._crypto_methods(application))

    def audit_stub(self, application: str) -> access_audit_pb2_grpc.AccessAuditServiceStub:
        """AccessAuditService as an application calls it."""
        methods = self._audit_methods(application)
        return cast("access_audit_pb2_grpc.AccessAuditServiceStub", methods)

    def async_crypto_stub(self, application: str) -> crypto_pb2_grpc.CryptoServiceAsyncStub:
        """CryptoService as an application calls it in an event loop."""
        methods = _awaitable(self._crypto_methods(application))
        return cast("crypto_pb2_grpc.CryptoServiceAsyncStub", methods)

    def async_audit_stub(
        self, application: str
    ) -> access_audit_pb2_grpc.AccessAuditServiceAsyncStub:
        """AccessAuditService as an application calls it in an event loop."""
        methods = _awaitable(self._audit_methods(application))
        return cast("access_audit_pb2_grpc.AccessAuditServiceAsyncStub", methods)

    def _crypto_methods(self, application: str) -> SimpleNamespace:
        return SimpleNamespace(
            Encrypt=self._served(self._crypto.encrypt, application),
            Decrypt=self._served(self._crypto.decrypt, application),
        )

    def _audit_methods(self, application: str) -> SimpleNamespace:
        return SimpleNamespace(
            CheckAccess=self._audited(self.audit.check, application),
            RecordAccess=self._audited(self.audit.record, application),
            PutCases=self._audited(self.audit.put_cases, application),
            PutRetentionEvents=self._audited(self.audit.put_events, application),
        )

    def _audited(
        self, method: Callable[[_Request, Caller], _Response], application: str
    ) -> Callable[..., _Response]:
        """A method of the access audit itself, which may be down."""

        def reached(request: _Request, caller: Caller) -> _Response:
            if self.audit.is_down:
                raise error(Reason.SERVICE_UNAVAILABLE, service="access_audit")
            return method(request, caller)

        return self._served(reached, application)

    def _served(
        self, method: Callable[[_Request, Caller], _Response], application: str
    ) -> Callable[..., _Response]:
        """A method as a stub offers it; errors come out as the facade would raise them."""

        def call(
            request: _Request,
            *,
            timeout: float,  # noqa: ARG001 (a stub's parameter; nothing here takes time)
            metadata: _Metadata,
        ) -> _Response:
            token = dict(metadata).get("authorization", "").removeprefix(_BEARER)
            with self._lock:
                if token:
                    self._staff.verify(token, presenter=application)
                require_fields(request)
                return method(request, Caller(application, token))

        return call


def _awaitable(methods: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(**{name: _async(method) for name, method in vars(methods).items()})


def _async(method: Callable[..., _Response]) -> Callable[..., Awaitable[_Response]]:
    async def call(request: Message, *, timeout: float, metadata: _Metadata) -> _Response:  # noqa: ASYNC109 (a stub's parameter)
        return method(request, timeout=timeout, metadata=metadata)

    return call


def _working_time(calendar: WorkCalendar | None, now: datetime) -> datetime:
    """Now, or the first half hour of the next 30 days that is worked."""
    if calendar is None:
        return now
    moment = now
    while not calendar.is_working(moment):
        moment += _HALF_HOUR
        if moment - now > _LONGEST_BREAK:
            return now
    return moment
