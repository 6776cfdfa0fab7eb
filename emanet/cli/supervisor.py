"""`emanet up`: three services of a checkout as child processes, restarted with back-off.

The supervisor owns the folder `var/run`: its own process id, each service's process id, port and
log, and the endpoints file that clients read.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from emanet.cli.arguments import write_whole
from emanet.cli.devcerts import ensure_certificates
from emanet.cli.devtokens import ensure_issuer
from emanet.cli.local import DEFAULT_INSTALLATION, LocalRecord
from emanet.cli.principals_file import ensure_principals
from emanet.cli.processes import end_process, start_mark
from emanet.cli.running import STOP_TIMEOUT_S, running_services, running_supervisor
from emanet.cli.workspace import SERVICES, Workspace
from emanet.core.errors import EmanetError, Reason, error

__all__ = [
    "OWN_SETTINGS",
    "LocalInstallation",
    "Supervisor",
    "find_checkout",
    "stop_process",
]

OWN_SETTINGS = frozenset(
    f"EMANET_RUNTIME_{name}"
    for name in (
        "MODE",
        "INSTALLATION",
        "LISTEN",
        "CERT_FILE",
        "KEY_FILE",
        "CA_FILE",
        "PRINCIPALS_FILE",
        "VAR_DIR",
    )
)
"""Settings that the supervisor decides; the environment of `emanet up` cannot."""

_FIRST_SERVICES = ("inventory", "access_audit")
_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 10.0
_STEADY_AFTER_S = 30.0
_RENEWAL_CHECK_S = 3600.0
_START_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class LocalInstallation:
    """What one local installation is made of.

    Attributes:
        workspace: its folder.
        checkout: the folder that holds `services/`.
        installation: its name; part of log origins and token audiences.
        applications: names that get a certificate.
        organizations: ids that are made known before the services start.
        settings: further `EMANET_*` variables for the services.
    """

    workspace: Workspace
    checkout: Path
    installation: str = DEFAULT_INSTALLATION
    applications: tuple[str, ...] = ("cli",)
    organizations: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self, service: str, *, ports: Mapping[str, int]) -> dict[str, str]:
        """The environment of one service's process."""
        certs = self.workspace.certs
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("EMANET_")}
        return {
            **inherited,
            "EMANET_RUNTIME_MODE": "dev",
            "EMANET_RUNTIME_INSTALLATION": self.installation,
            "EMANET_RUNTIME_LISTEN": f"127.0.0.1:{ports[service]}",
            "EMANET_RUNTIME_CERT_FILE": str(certs / f"{service}.pem"),
            "EMANET_RUNTIME_KEY_FILE": str(certs / f"{service}.key"),
            "EMANET_RUNTIME_CA_FILE": str(certs / "ca.pem"),
            "EMANET_RUNTIME_PRINCIPALS_FILE": str(self.workspace.principals),
            "EMANET_RUNTIME_VAR_DIR": str(self.workspace.var),
            **_targets(service, ports),
            **self._settings_of(service),
        }

    def _settings_of(self, service: str) -> dict[str, str]:
        prefixes = ("EMANET_RUNTIME_", f"EMANET_{service.upper()}_")
        return {k: v for k, v in self.settings.items() if k.startswith(prefixes)}


class Supervisor:
    """Starts, watches and stops the services of a local installation."""

    def __init__(self, installation: LocalInstallation) -> None:
        self._installation = installation
        self._workspace = installation.workspace
        self._reserved: dict[str, socket.socket] = {}
        self._ports: dict[str, int] = {}
        self._children: dict[str, _Child] = {}

    def prepare(self) -> None:
        """Certificates, databases, secrets and organizations; keeps what exists.

        Raises:
            StateError: CONFIG_INVALID when another supervisor runs, or a service refuses.
        """
        running = running_supervisor(self._workspace)
        if running is not None and running != os.getpid():
            raise error(
                Reason.CONFIG_INVALID,
                problem=f"already running as process {running}; stop it with emanet down",
            )
        record = self._record()
        self._workspace.run.mkdir(parents=True, exist_ok=True)
        own = os.getpid()
        # Before anything else is made: a second `up` must not make it too.
        write_whole(self._workspace.supervisor_pid, f"{own} {start_mark(own)}".encode())
        for service, pid in running_services(self._workspace).items():
            # Left behind by a supervisor that was killed; it still holds the service's database.
            end_process(pid, timeout_s=STOP_TIMEOUT_S)
            self._workspace.service_pid(service).unlink(missing_ok=True)
        self._renew_certificates()
        ensure_issuer(self._workspace)
        ensure_principals(self._workspace, organizations=self._installation.organizations)
        self._reserved = {name: _reserve_port() for name in SERVICES}
        self._ports = {name: held.getsockname()[1] for name, held in self._reserved.items()}
        if sys.platform != "linux":
            # Elsewhere a service could not listen on a port that is held.
            self._release_ports()
        with ThreadPoolExecutor() as pool:
            told = dict(pool.map(lambda name: self._prepare_service(name, record), _FIRST_SERVICES))
        # crypto pins the keys that access_audit wrote, so it comes last.
        told |= [self._prepare_service("crypto", record)]
        for service, names in told.items():
            record = record.adding(service, names)
        record.save(self._workspace)

    def start(self) -> None:
        """Starts the services and waits until each has opened its port."""
        for service in SERVICES:
            self._children[service] = self._spawn(service)
        for service in SERVICES:
            self._wait_until_open(service)
        self._write_endpoints()

    def watch(self, *, should_stop: Callable[[], bool]) -> None:
        """Restarts what ends, renews certificates, until `should_stop()`; then stops all."""
        next_renewal = time.monotonic() + _RENEWAL_CHECK_S
        while not should_stop():
            for service, child in tuple(self._children.items()):
                self._restart_if_ended(service, child)
            if time.monotonic() >= next_renewal:
                self._renew_certificates()
                next_renewal = time.monotonic() + _RENEWAL_CHECK_S
            time.sleep(0.1)
        self.stop()

    def stop(self) -> None:
        """Stops the services in the order in which they call each other, callers first."""
        for service in reversed(SERVICES):
            child = self._children.pop(service, None)
            if child is not None:
                stop_process(child.process)
                self._workspace.service_pid(service).unlink(missing_ok=True)
        self._release_ports()
        self._workspace.endpoints.unlink(missing_ok=True)
        self._workspace.supervisor_pid.unlink(missing_ok=True)

    def _release_ports(self) -> None:
        for held in self._reserved.values():
            held.close()

    def _record(self) -> LocalRecord:
        name = self._installation.installation
        record = LocalRecord.load(self._workspace) or LocalRecord.empty(name)
        if record.installation != name:
            raise error(
                Reason.CONFIG_INVALID,
                problem=f"{self._workspace.var} holds installation {record.installation}, "
                f"not {name}; its name cannot change",
            )
        return record

    def _prepare_service(self, service: str, record: LocalRecord) -> tuple[str, list[str]]:
        """Brings one service's database up to date; returns the organizations it was told of."""
        known = record.organizations[service]
        new = [name for name in self._installation.organizations if name not in known]
        if not (self._workspace.var / service / "db" / f"{service}.db").exists():
            self._run_once(service, ["init", *self._pinned_keys(service, new), *new])
            return service, new
        self._run_once(service, ["migrate"])
        if new:
            self._add_organizations(service, new)
        return service, new

    def _add_organizations(self, service: str, names: Sequence[str]) -> None:
        try:
            keys = self._pinned_keys(service, names)
            self._run_once(service, ["add-organization", *keys, *names])
        except EmanetError as refused:
            if Reason.ALREADY_INITIALISED.value not in refused.metadata["problem"]:
                raise
            # An earlier start was interrupted after some of them: one by one tells which.
            for name in names if len(names) > 1 else ():
                self._add_organizations(service, [name])

    def _pinned_keys(self, service: str, organizations: Sequence[str]) -> list[str]:
        """The verifier keys for crypto to pin; access_audit wrote them when it added each log."""
        if service != "crypto":
            return []
        return [
            part
            for name in organizations
            for part in ("--vkey-file", str(self._workspace.log_key(name)))
        ]

    def _renew_certificates(self) -> None:
        ensure_certificates(
            self._workspace,
            applications=self._installation.applications,
            now=dt.datetime.now(dt.UTC),
        )

    def _restart_if_ended(self, service: str, child: _Child) -> None:
        if child.process.poll() is None:
            return
        now = time.monotonic()
        if child.retry_at is None:
            lived = now - child.started
            delay = _FIRST_DELAY_S if lived > _STEADY_AFTER_S else child.delay
            child.retry_at = now + delay
            child.delay = min(delay * 2, _LONGEST_DELAY_S)
        elif now >= child.retry_at:
            replacement = self._spawn(service)
            replacement.delay = child.delay
            self._children[service] = replacement

    def _spawn(self, service: str) -> _Child:
        with (self._workspace.run / f"{service}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (this interpreter, fixed arguments)
                [sys.executable, "-m", f"services.{service}", "serve"],
                cwd=self._installation.checkout,
                env=self._installation.environment(service, ports=self._ports),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        write_whole(self._workspace.service_pid(service), str(process.pid).encode())
        return _Child(process=process, started=time.monotonic())

    def _run_once(self, service: str, arguments: Sequence[str]) -> None:
        done = subprocess.run(  # noqa: S603 (this interpreter, checked slugs)
            [sys.executable, "-m", f"services.{service}", *arguments],
            cwd=self._installation.checkout,
            env=self._installation.environment(service, ports=self._ports),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
            # Of a traceback only the last line says what happened.
            told = lines[-1] if "Traceback" in done.stderr else " ".join(lines)
            raise error(
                Reason.CONFIG_INVALID, problem=f"{service} {arguments[0]} was refused: {told}"
            )

    def _wait_until_open(self, service: str) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._children[service].process.poll() is not None:
                break
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex(("127.0.0.1", self._ports[service])) == 0:
                    return
            time.sleep(0.05)
        log = self._workspace.run / f"{service}.log"
        told = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
        self.stop()
        raise error(
            Reason.CONFIG_INVALID, problem=f"{service} did not start; see {log} ({told[-300:]})"
        )

    def _write_endpoints(self) -> None:
        content = {
            "mode": "dev",
            "installation": self._installation.installation,
            "certs_dir": str(self._workspace.certs),
            "services": {name: f"127.0.0.1:{port}" for name, port in self._ports.items()},
        }
        write_whole(self._workspace.endpoints, f"{json.dumps(content, indent=2)}\n".encode())


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    started: float
    delay: float = _FIRST_DELAY_S
    retry_at: float | None = None


def find_checkout(start: Path | None = None) -> Path:
    """The folder that holds `services/`, from `start` (default: here) upwards.

    Raises:
        StateError: CONFIG_INVALID outside a checkout.
    """
    here = (start or Path.cwd()).absolute()
    candidates = [here, *here.parents, Path(__file__).absolute().parents[2]]
    for folder in candidates:
        if (folder / "services" / "runtime").is_dir() and (folder / "protos").is_dir():
            return folder
    raise error(
        Reason.CONFIG_INVALID, problem="emanet up needs a checkout of Emanet; change to its folder"
    )


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """Asks a child to drain and end; kills it when it does not in time."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _reserve_port() -> socket.socket:
    """A free port that no other program gets, also while its service is down and comes back.

    Linux lets a service with SO_REUSEADDR (gRPC sets it) listen on an address to which another
    such socket is bound without listening; whoever lacks the option, or wants any free port, is
    refused or gets another one.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def _targets(service: str, ports: Mapping[str, int]) -> dict[str, str]:
    """Where a service finds the ones that it calls: those before it in SERVICES."""
    below = SERVICES[: SERVICES.index(service)]
    return {
        f"EMANET_{service.upper()}_{name.upper()}_TARGET": f"127.0.0.1:{ports[name]}"
        for name in below
    }
