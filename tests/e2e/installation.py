"""A whole local installation for tests: three real processes, their databases, and their files.

`Template` is prepared once; each test that breaks things gets a copy of its files and databases.
Processes are started and killed by the handle that started them, never by name.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from emanet.cli.processes import read_pid_file
from emanet.cli.supervisor import LocalInstallation, Supervisor
from emanet.cli.workspace import SERVICES, Workspace
from emanet.client.channel import Credentials, Endpoints, ServiceName, open_channel
from tests.postgres import PostgresServer, connect

CHECKOUT = Path(__file__).resolve().parents[2]
INSTALLATION = "e2e"
ORGANIZATION = "menekse"
NEIGHBOUR = "defne"
APPLICATIONS = ("cli", "panel", "helpdesk", "erp", "register_desk", "invoice-run", "outsider")
SETTINGS: Mapping[str, str] = {
    "EMANET_RUNTIME_KDF_ITERATIONS": "1",
    "EMANET_RUNTIME_KDF_LANES": "1",
    "EMANET_RUNTIME_KDF_MEMORY_KIB": "1024",
    "EMANET_RUNTIME_DRAIN_SECONDS": "2",
    "EMANET_RUNTIME_HEALTH_INTERVAL_SECONDS": "0.2",
    "EMANET_INVENTORY_HEARTBEAT_SECONDS": "0.5",
    "EMANET_INVENTORY_POLL_SECONDS": "0.1",
    "EMANET_CRYPTO_DESTRUCTION_INTERVAL_SECONDS": "0.2",
    "EMANET_CRYPTO_CONSISTENCY_INTERVAL_SECONDS": "1",
}
"""What makes a test short and takes nothing away from the promises."""

START_S = 40.0
_T = TypeVar("_T")


def until(probe: Callable[[], _T | None], *, seconds: float = 20.0, what: str = "it") -> _T:
    """Polls until the probe gives something true; fails when it has not in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.02)


@dataclass(frozen=True)
class OwnDatabases(LocalInstallation):
    """A local installation whose services have databases of their own elsewhere."""

    databases: Mapping[str, str] = field(default_factory=dict)

    def environment(self, service: str, *, ports: Mapping[str, int]) -> dict[str, str]:
        found = LocalInstallation.environment(self, service, ports=ports)
        if service in self.databases:
            found["EMANET_RUNTIME_DATABASE_URL"] = self.databases[service]
        return found


@dataclass
class Local:
    """One installation on this machine.

    Attributes:
        spec: what it is made of.
        ports: of each service.
        running: the processes that this object started.
    """

    spec: OwnDatabases
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    closing: ExitStack = field(default_factory=ExitStack)

    @property
    def workspace(self) -> Workspace:
        return self.spec.workspace

    @property
    def is_postgres(self) -> bool:
        return bool(self.spec.databases)

    # -- processes -----------------------------------------------------------------------------

    def start(self, *services: str, wait: bool = True, **settings: str) -> None:
        """Starts services (all of them when none is named) and waits until they are healthy."""
        if not self.ports:
            self.ports = free_ports()
        for service in services or SERVICES:
            environment = {**self.spec.environment(service, ports=self.ports), **settings}
            self.workspace.run.mkdir(parents=True, exist_ok=True)
            with self.log_file(service).open("ab") as log:
                self.running[service] = subprocess.Popen(
                    [sys.executable, "-m", f"services.{service}", "serve"],
                    cwd=CHECKOUT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        if wait:
            for service in services or SERVICES:
                self.wait_healthy(service)

    def wait_healthy(self, service: str) -> None:
        """Waits until the health service says SERVING."""
        process = self.running.get(service)

        def probe() -> bool:
            if process is not None and process.poll() is not None:
                raise AssertionError(f"{service} ended: {self.log_file(service)}")
            return self.is_healthy(service)

        until(probe, seconds=START_S, what=f"{service} healthy")

    def is_healthy(self, service: str) -> bool:
        with open_channel(f"127.0.0.1:{self.ports[service]}", self.credentials("cli")) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=2)
            except grpc.RpcError:
                return False
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def kill(self, service: str) -> None:
        """kill -9 of a process that this object started."""
        process = self.running.pop(service)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, *services: str) -> None:
        """Stops services in order: callers first."""
        for service in reversed(services or SERVICES):
            process = self.running.pop(service, None)
            if process is not None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def close(self) -> None:
        self.stop()
        self.closing.close()

    def command(self, service: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs one command of a service to its end."""
        return subprocess.run(
            [sys.executable, "-m", f"services.{service}", *arguments],
            cwd=CHECKOUT,
            env=self.spec.environment(service, ports=self.ports or free_ports()),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    # -- files and databases ---------------------------------------------------------------------

    def log_file(self, service: str) -> Path:
        return self.workspace.run / f"{service}.log"

    def logs(self) -> str:
        """What the services have written, all of it."""
        found = [self.log_file(name) for name in SERVICES if self.log_file(name).exists()]
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in found)

    def database_url(self, service: str) -> str:
        path = self.workspace.var / service / "db" / f"{service}.db"
        return self.spec.databases.get(service, f"sqlite:///{path}")

    @contextmanager
    def database(self, service: str) -> Iterator[Connection]:
        """A transaction in a service's database, past the service."""
        engine = create_engine(self.database_url(service), poolclass=NullPool)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    @contextmanager
    def as_owner(self, service: str) -> Iterator[Connection]:
        """A transaction of the database's owner, whom no trigger holds back."""
        with self.database(service) as connection:
            if self.is_postgres:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                yield connection
                return
            triggers = connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            ).all()
            for name, _ in triggers:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            yield connection
            for _, statement in triggers:
                connection.exec_driver_sql(statement)

    def rows(self, service: str, statement: str, **values: object) -> Sequence[Any]:
        """What a query past the service finds."""
        with self.database(service) as connection:
            return connection.execute(text(statement), values).all()

    # -- identities -------------------------------------------------------------------------------

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(
            mode="dev",
            installation=INSTALLATION,
            targets={name: f"127.0.0.1:{self.ports[name.value]}" for name in ServiceName},
            certs_dir=self.workspace.certs,
        )

    def credentials(self, name: str) -> Credentials:
        certs = self.workspace.certs
        return Credentials.from_files(
            ca=certs / "ca.pem", certificate=certs / f"{name}.pem", key=certs / f"{name}.key"
        )


@dataclass
class Supervised:
    """An installation under a real supervisor, which brings back what ends."""

    local: Local
    supervisor: Supervisor
    thread: threading.Thread
    ending: threading.Event

    def pid(self, service: str) -> int:
        """Its process id; 0 while the file is being written."""
        found = read_pid_file(self.local.workspace.service_pid(service))
        return found[0] if found is not None else 0

    def kill(self, service: str) -> int:
        """kill -9 of the service's process, by the id that its supervisor wrote; returns it."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        return pid


@contextmanager
def supervised(local: Local) -> Iterator[Supervised]:
    """Runs a stopped installation under a supervisor."""
    for service in SERVICES:
        # The supervisor tells a prepared service by its file, which PostgreSQL does not have.
        (local.workspace.var / service / "db").mkdir(parents=True, exist_ok=True)
        (local.workspace.var / service / "db" / f"{service}.db").touch()
    supervisor = Supervisor(local.spec)
    supervisor.prepare()
    supervisor.start()
    targets = Endpoints.from_file(local.workspace.endpoints).targets
    local.ports = {name.value: int(to.rpartition(":")[2]) for name, to in targets.items()}
    ending = threading.Event()
    thread = threading.Thread(target=lambda: supervisor.watch(should_stop=ending.is_set))
    thread.start()
    try:
        for service in SERVICES:
            local.wait_healthy(service)
        yield Supervised(local, supervisor, thread, ending)
    finally:
        ending.set()
        thread.join()


@dataclass
class Template:
    """A prepared, stopped installation and what its customers' values were sealed to."""

    local: Local
    server: PostgresServer | None
    sealed: dict[str, bytes] = field(default_factory=dict)

    @contextmanager
    def copy(self, folder: Path, **settings: str) -> Iterator[Local]:
        """A stopped copy of the files and databases, with further settings."""
        var = folder / "var"
        shutil.copytree(self.local.workspace.var, var)
        shutil.rmtree(var / "run", ignore_errors=True)
        databases = {}
        with ExitStack() as stack:
            for service, url in self.local.spec.databases.items():
                databases[service] = stack.enter_context(cloned(self.server, url))
            spec = replace(
                self.local.spec,
                workspace=Workspace(var),
                databases=databases,
                settings={**self.local.spec.settings, **settings},
            )
            local = Local(spec)
            try:
                yield local
            finally:
                local.close()


@contextmanager
def cloned(server: PostgresServer | None, url: str) -> Iterator[str]:
    """A copy of a database on the same server."""
    assert server is not None
    source = url.partition("?")[0].rpartition("/")[2]
    copy = f"{source}_{os.urandom(6).hex()}"
    with connect(server.url) as connection:
        connection.execute(f"CREATE DATABASE {copy} TEMPLATE {source}")
    try:
        yield server.url.set(database=copy).render_as_string(hide_password=False)
    finally:
        with connect(server.url) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")


def specification(folder: Path, databases: Mapping[str, str]) -> OwnDatabases:
    """The installation that every test starts from."""
    return OwnDatabases(
        workspace=Workspace(folder / "var"),
        checkout=CHECKOUT,
        installation=INSTALLATION,
        applications=APPLICATIONS,
        organizations=(ORGANIZATION, NEIGHBOUR),
        settings=dict(SETTINGS),
        databases=databases,
    )


def free_ports() -> dict[str, int]:
    """A free port of this machine for each service."""
    sockets = [socket.socket() for _ in SERVICES]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: s.getsockname()[1] for name, s in zip(SERVICES, sockets, strict=True)}
    finally:
        for each in sockets:
            each.close()
