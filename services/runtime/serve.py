"""What a server process hosts, and its life: start, serve, drain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from google.protobuf.descriptor import ServiceDescriptor
from grpc import aio

from services.runtime.authorisation import Row
from services.runtime.health import HealthCheck

__all__ = ["Registration", "Service"]


@dataclass(frozen=True, slots=True)
class Registration:
    """One gRPC service of a server.

    Attributes:
        descriptor: `crypto_pb2.DESCRIPTOR.services_by_name["CryptoService"]`.
        add: adds the servicer, `lambda server: add_CryptoServiceServicer_to_server(it, server)`.
    """

    descriptor: ServiceDescriptor
    add: Callable[[aio.Server], None]


@dataclass(frozen=True, slots=True)
class Service:
    """What one server process hosts, composed by services/X/server.py.

    Attributes:
        registrations: the gRPC services.
        authorisation: exactly one row for each of their RPCs.
        health_checks: beyond the database's own, which the runtime adds.
        start: awaited before the port opens; starts background tasks, runs self-tests. An
            EmanetError ends the process with its reason.
        stop: awaited after the last RPC has ended.
    """

    registrations: tuple[Registration, ...]
    authorisation: tuple[Row, ...]
    health_checks: tuple[HealthCheck, ...] = ()
    start: Callable[[], Awaitable[None]] | None = field(default=None)
    stop: Callable[[], Awaitable[None]] | None = field(default=None)
