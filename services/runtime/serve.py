"""What a server process hosts, and its life: start, serve, drain."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from google.protobuf.descriptor import ServiceDescriptor
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from emanet.core.clock import Clock
from services.runtime.authorisation import AuthorisationTable, Row
from services.runtime.database import Database
from services.runtime.files import replace_file
from services.runtime.gate import Gate
from services.runtime.health import HealthCheck, HealthMonitor, database_check
from services.runtime.interceptors import GateInterceptor
from services.runtime.principals import PrincipalsFile
from services.runtime.settings import RuntimeSettings, configuration_problem
from services.runtime.tls import server_credentials
from services.runtime.tokens import TokenVerifier

__all__ = ["MAX_MESSAGE_BYTES", "Registration", "RunningServer", "Service", "serve", "start_server"]

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_metadata_size", 16 * 1024),
    # who does not finish the TLS handshake holds nothing open for gRPC's two minutes
    ("grpc.server_handshake_timeout_ms", 10_000),
    # a certificate that expired or was replaced holds no connection open for longer
    ("grpc.max_connection_age_ms", 15 * 60_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
)
_GRACE_S = 0.5
"""For the last bytes of answers, and for health watches; the drain itself came before."""

_IDLE_S = 5.0
"""How long cancelled handlers may take to end, before the database is closed under them."""

_COLLECTOR_THRESHOLDS = (50_000, 20, 20)
"""New objects, and rounds of each generation, between two looks; 700, 10, 10 otherwise."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Registration:
    """One gRPC service of a server.

    Attributes:
        descriptor: `crypto_pb2.DESCRIPTOR.services_by_name["CryptoService"]`.
        add: adds the servicer: `lambda server: add_CryptoServiceServicer_to_server(it, server)`.
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
        drain: called before the server waits for RPCs in flight; ends streams that stay open.
        stop: awaited after the last RPC has ended.
    """

    registrations: tuple[Registration, ...]
    authorisation: tuple[Row, ...]
    health_checks: tuple[HealthCheck, ...] = ()
    start: Callable[[], Awaitable[None]] | None = None
    drain: Callable[[], None] | None = None
    stop: Callable[[], Awaitable[None]] | None = None


class RunningServer:
    """A server whose port is open.

    Attributes:
        endpoint: `host:port` that clients dial.
        health: its health monitor.
    """

    def __init__(
        self,
        *,
        server: aio.Server,
        gate: GateInterceptor,
        endpoint: str,
        health: HealthMonitor,
        service: Service,
        drain_s: float,
    ) -> None:
        """Use `start_server`."""
        self.endpoint = endpoint
        self.health = health
        self._server = server
        self._gate = gate
        self._service = service
        self._drain_s = drain_s
        self._rounds = asyncio.get_running_loop().create_task(health.run(), name="health")

    async def stop(self) -> None:
        """Drains: NOT_SERVING, no new RPC, watches end, the rest has the drain time to finish."""
        _log.info("server.draining", endpoint=self.endpoint)
        self._rounds.cancel()
        with suppress(asyncio.CancelledError):
            await self._rounds
        await self.health.stop()
        if self._service.drain is not None:
            self._service.drain()
        self._gate.drain()
        await self._gate.wait_idle(self._drain_s)
        await self._server.stop(_GRACE_S)
        await self._gate.wait_idle(_IDLE_S)
        if self._service.stop is not None:
            await self._service.stop()
        _log.info("server.stopped", endpoint=self.endpoint)


async def start_server(
    service: Service,
    *,
    name: str,
    settings: RuntimeSettings,
    database: Database,
    principals: PrincipalsFile,
    tokens: TokenVerifier,
    clock: Clock,
) -> RunningServer:
    """Starts the service and opens its port.

    Raises:
        StateError: CONFIG_INVALID: rows and RPCs differ, certificates unusable, address in use.
        EmanetError: whatever the service's `start` raises.
    """
    table = AuthorisationTable(service.authorisation)
    table.require_exactly(_rpcs_of(service))
    interceptor = GateInterceptor(
        service=name,
        settings=settings,
        gate=Gate(table=table, principals=principals, tokens=tokens, clock=clock),
    )
    server = aio.server(interceptors=(interceptor,), options=_OPTIONS)
    names = tuple(item.descriptor.full_name for item in service.registrations)
    health = HealthMonitor(
        checks=(database_check(database), *service.health_checks),
        services=names,
        interval_s=settings.health_interval_seconds,
    )
    for item in service.registrations:
        item.add(server)
    health_pb2_grpc.add_HealthServicer_to_server(health.servicer, server)
    health_name = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
    reflection.enable_server_reflection((*names, health_name, reflection.SERVICE_NAME), server)
    if service.start is not None:
        await service.start()
    try:
        await health.run_once()
        # Last, because the kernel takes connections from here on: whoever gets one is served.
        endpoint = _bound(server, settings)
    except BaseException:
        if service.stop is not None:
            await service.stop()
        raise
    await server.start()
    _log.info("server.started", endpoint=endpoint, mode=settings.mode.value)
    return RunningServer(
        server=server,
        gate=interceptor,
        endpoint=endpoint,
        health=health,
        service=service,
        drain_s=settings.drain_seconds,
    )


async def serve(
    service: Service,
    *,
    name: str,
    settings: RuntimeSettings,
    database: Database,
    principals: PrincipalsFile,
    tokens: TokenVerifier,
    clock: Clock,
    endpoint_file: Path | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Args:
        service: what to host.
        name: short name (`crypto`).
        settings: the shared settings.
        database: of the service.
        principals: who may call.
        tokens: verifier of staff tokens.
        clock: for fresh log-ins.
        endpoint_file: written with `host:port` and a line end once the port is open.
    """
    with _stop_signal() as stopped:
        running = await start_server(
            service,
            name=name,
            settings=settings,
            database=database,
            principals=principals,
            tokens=tokens,
            clock=clock,
        )
        _spare_collector()
        if endpoint_file is not None:
            replace_file(endpoint_file, f"{running.endpoint}\n".encode())
        try:
            await stopped.wait()
        finally:
            await running.stop()


def _spare_collector() -> None:
    """Lets the cyclic collector look at less: what the start has made, it never looks at again.

    Requests free nearly everything by themselves, so new objects are looked at less often too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)


def _rpcs_of(service: Service) -> tuple[str, ...]:
    return tuple(
        f"{item.descriptor.full_name}/{method.name}"
        for item in service.registrations
        for method in item.descriptor.methods
    )


def _bound(server: aio.Server, settings: RuntimeSettings) -> str:
    credentials = server_credentials(settings)
    try:
        port = server.add_secure_port(settings.listen, credentials)
    except RuntimeError:
        raise configuration_problem(f"LISTEN: {settings.listen} cannot be bound") from None
    return f"{settings.listen.rpartition(':')[0]}:{port}"


@contextmanager
def _stop_signal() -> Iterator[asyncio.Event]:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
