"""What every part of the administration client shares: who calls, for whom, with which token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import grpc

from emanet.client.channel import Credentials, Endpoints, ServiceName
from emanet.client.connection import Connection
from emanet.client.status import error_from_rpc
from emanet.core.clock import Clock, SystemClock
from emanet.core.ids import new_uuid7
from emanet.core.names import parse_organization

__all__ = ["AdminSession"]

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
_Stub = TypeVar("_Stub")

# The service config holds the time limit of each method; this one only bounds what it misses.
_TIMEOUT_S = 30.0


class AdminSession:
    """One organization seen by one application, with or without a staff token.

    Attributes:
        organization: the organization's slug.
    """

    def __init__(
        self,
        *,
        organization: str,
        endpoints: Endpoints,
        credentials: Credentials,
        staff_token: str = "",
        language: str = "tr-TR",
        clock: Clock | None = None,
    ) -> None:
        """Connects nothing yet.

        Args:
            organization: the organization's slug.
            endpoints: where the services listen.
            credentials: the application's certificate.
            staff_token: of the person who acts; empty for calls that need none.
            language: of messages from the services, `tr-TR` or `en`.
            clock: gives request ids their time; the system's unless a test sets it.
        """
        self.organization = parse_organization(organization)
        self._endpoints = endpoints
        self._credentials = credentials
        self._metadata: tuple[tuple[str, str], ...] = (("accept-language", language),)
        if staff_token:
            self._metadata += (("authorization", f"Bearer {staff_token}"),)
        self._clock: Clock = clock or SystemClock()
        self._closers: list[Callable[[], None]] = []

    @property
    def parent(self) -> str:
        """The organization's resource name."""
        return f"organizations/{self.organization}"

    def connect(
        self, service: ServiceName, make: Callable[[grpc.Channel], _Stub]
    ) -> Connection[_Stub]:
        """A lazy connection that `close` closes."""
        connection = Connection(
            service, endpoints=self._endpoints, credentials=self._credentials, make=make
        )
        self._closers.append(connection.close)
        return connection

    def new_request_id(self) -> str:
        """A fresh UUIDv7: a retry inside the channel keeps it, so nothing is done twice."""
        return str(new_uuid7(self._clock))

    def send(
        self,
        rpc: grpc.UnaryUnaryMultiCallable[_Request, _Response],
        request: _Request,
        *,
        service: ServiceName,
    ) -> _Response:
        """Calls once.

        Raises:
            EmanetError: what the service answered, or that it cannot be reached.
        """
        try:
            return rpc(request, timeout=_TIMEOUT_S, metadata=self._metadata)
        except grpc.RpcError as failure:
            raise error_from_rpc(failure, service=service) from failure

    def stream(
        self,
        rpc: grpc.UnaryStreamMultiCallable[_Request, _Response],
        request: _Request,
        *,
        service: ServiceName,
    ) -> Iterator[_Response]:
        """Yields the parts of an answer; raises like `send`, also between two parts."""
        try:
            yield from rpc(request, timeout=_TIMEOUT_S, metadata=self._metadata)
        except grpc.RpcError as failure:
            raise error_from_rpc(failure, service=service) from failure

    def close(self) -> None:
        """Closes every channel; a later call opens new ones."""
        for close in self._closers:
            close()
