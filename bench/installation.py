"""Real service processes with one organization in operation, for the time of a bench."""

from __future__ import annotations

import datetime as dt
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from emanet.cli.devcerts import ensure_certificates
from emanet.cli.devtokens import ensure_issuer, issue_token
from emanet.cli.supervisor import LocalInstallation, find_checkout, stop_process
from emanet.cli.workspace import DEV_ISSUER, DEV_TRUST_DOMAIN, SERVICES, Workspace
from emanet.client import AsyncEmanet
from emanet.client.admin import Admin
from emanet.client.channel import Credentials, Endpoints, ServiceName
from emanet.core.errors import EmanetError, Reason
from emanet.register.edits import plan
from emanet.register.manifest import load_manifest

__all__ = ["ORGANIZATION", "STAFF", "Installation", "running"]

ORGANIZATION = "terazi"
STAFF = tuple(f"s-{number:03}" for number in range(1, 40))
"""Person ids; the first three keep the register and the rules."""

_APP = "panel"
_NAME = "bench"
_FILES = Path(__file__).parent / "organization"
_TIMEOUT_S = 60.0
_CALL_TIMEOUT_S = 30.0
_LATER = frozenset(
    {
        Reason.AUDIT_UNAVAILABLE,
        Reason.NOT_READY,
        Reason.REGISTER_MISSING,
        Reason.REGISTER_SKEW,
        Reason.RULES_MISSING,
        Reason.SERVICE_UNAVAILABLE,
    }
)
_T = TypeVar("_T")


@dataclass(frozen=True)
class _OwnDatabases(LocalInstallation):
    """An installation whose services may have other databases than a SQLite file each."""

    databases: Mapping[str, str] = field(default_factory=dict)

    def environment(self, service: str, *, ports: Mapping[str, int]) -> dict[str, str]:
        """The environment of one service's process."""
        found = LocalInstallation.environment(self, service, ports=ports)
        if service in self.databases:
            found["EMANET_RUNTIME_DATABASE_URL"] = self.databases[service]
        return found


class Installation:
    """Service processes that run, and what a client of theirs needs.

    Attributes:
        folder: databases, certificates and logs; gone at the end.
        workspace: the paths in it.
    """

    def __init__(
        self, folder: Path, *, databases: Mapping[str, str], settings: Mapping[str, str]
    ) -> None:
        """Starts nothing yet; use `running`."""
        self.folder = folder
        self.workspace = Workspace(folder / "var")
        self._ports = _free_ports(SERVICES)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._local = _OwnDatabases(
            workspace=self.workspace,
            checkout=find_checkout(),
            installation=_NAME,
            applications=(_APP,),
            organizations=(ORGANIZATION,),
            # Costs only the start, which is not measured.
            settings={
                "EMANET_RUNTIME_KDF_ITERATIONS": "1",
                "EMANET_RUNTIME_KDF_MEMORY_KIB": "64",
                "EMANET_RUNTIME_LOG_LEVEL": "warning",
                **settings,
            },
            databases=databases,
        )

    def start(self, services: Sequence[str]) -> None:
        """Prepares and starts services, and brings the organization into operation."""
        now = dt.datetime.now(dt.UTC)
        ensure_certificates(self.workspace, applications=(_APP,), now=now)
        ensure_issuer(self.workspace)
        self.workspace.principals.write_text(_PRINCIPALS, encoding="utf-8")
        self.workspace.run.mkdir(parents=True)
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._initialise, (each for each in services if each != "crypto")))
        for service in services:
            if service == "crypto":  # pins the key that access_audit has written
                self._initialise(service)
            self._processes.append(self._spawn(service))
        for service in services:
            self._wait_until_open(service)
        self._approve_register()
        self._wait_for_register(lambda admin: admin.audit.service_info().register_number)
        self._activate_rules()
        if "crypto" in services:
            self._wait_for_register(lambda admin: admin.keys.service_info().register_number)

    def stop(self) -> None:
        """Ends the processes that `start` started, callers first."""
        for process in reversed(self._processes):
            stop_process(process)
        self._processes.clear()

    @property
    def endpoints(self) -> Endpoints:
        """Where the services listen."""
        targets = {ServiceName(name): f"127.0.0.1:{port}" for name, port in self._ports.items()}
        return Endpoints(
            mode="dev", installation=_NAME, targets=targets, certs_dir=self.workspace.certs
        )

    @property
    def credentials(self) -> Credentials:
        """Of the one application."""
        return Credentials.from_env(_APP, endpoints=self.endpoints, environ={})

    def client(self) -> AsyncEmanet:
        """The SDK as the application uses it; deadlines only end what hangs."""
        return AsyncEmanet(
            organization=ORGANIZATION,
            endpoints=self.endpoints,
            credentials=self.credentials,
            timeout_s=_CALL_TIMEOUT_S,
        )

    def token(self, person: str, group: str) -> str:
        """The token of a person who has just logged in."""
        return issue_token(
            self.workspace,
            account=person,
            groups=[group],
            client=_APP,
            installation=_NAME,
            now=dt.datetime.now(dt.UTC),
        )

    def _initialise(self, service: str) -> None:
        keys: list[str] = []
        if service == "crypto":
            keys = ["--vkey-file", str(self.workspace.log_key(ORGANIZATION))]
        done = subprocess.run(
            [sys.executable, "-m", f"services.{service}", "init", *keys, ORGANIZATION],
            cwd=self._local.checkout,
            env=self._local.environment(service, ports=self._ports),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{service} init was refused: {done.stderr}")

    def _spawn(self, service: str) -> subprocess.Popen[bytes]:
        with self._log(service).open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"services.{service}", "serve"],
                cwd=self._local.checkout,
                env=self._local.environment(service, ports=self._ports),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _log(self, service: str) -> Path:
        return self.workspace.run / f"{service}.log"

    def _wait_until_open(self, service: str) -> None:
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._ports[service])) == 0:
                    return
            time.sleep(0.02)
        told = self._log(service).read_text(encoding="utf-8")
        raise RuntimeError(f"{service} did not start: {told}")

    def _approve_register(self) -> None:
        text = (_FILES / "register.yaml").read_text(encoding="utf-8")
        wanted = load_manifest(text, "register.yaml").register
        with self._admin(STAFF[0], "kvkk") as author:
            draft = author.inventory.draft()
            draft = author.inventory.edit_draft(plan(draft.register, wanted), etag=draft.etag)
            version = author.inventory.submit(etag=draft.etag)
        with self._admin(STAFF[1], "yonetim") as approver:
            approver.inventory.approve(version.number, digest_read=version.digest)

    def _activate_rules(self) -> None:
        source = (_FILES / "need_to_know.yaml").read_text(encoding="utf-8")
        with self._admin(STAFF[2], "guvenlik") as author:
            applied = _retried(lambda: author.rules.apply(source))
        with self._admin(STAFF[1], "yonetim") as approver:
            approver.rules.activate(applied.number, digest_read=applied.digest)

    def _wait_for_register(self, number_of: Callable[[Admin], int]) -> None:
        """Waits until a service has heard of the register."""
        with self._admin(STAFF[0], "kvkk") as admin:
            deadline = time.monotonic() + _TIMEOUT_S
            while not _retried(lambda: number_of(admin)):
                if time.monotonic() > deadline:
                    raise RuntimeError("the register did not arrive")
                time.sleep(0.02)

    @contextmanager
    def _admin(self, person: str, group: str) -> Iterator[Admin]:
        with Admin(
            organization=ORGANIZATION,
            endpoints=self.endpoints,
            credentials=self.credentials,
            staff_token=self.token(person, group),
        ) as admin:
            yield admin


@contextmanager
def running(
    services: Sequence[str],
    *,
    databases: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Installation]:
    """Runs services of a new installation in a folder of its own.

    Args:
        services: in the order in which they depend on each other.
        databases: database URLs by service; SQLite for every other.
        settings: further `EMANET_*` variables.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="emanet-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        installation = Installation(folder, databases=databases or {}, settings=settings or {})
        stack.callback(installation.stop)
        installation.start(services)
        yield installation


def _retried(act: Callable[[], _T]) -> _T:
    """Repeats what services refuse only because they have just been started."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            return act()
        except EmanetError as failure:
            if failure.reason not in _LATER or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _free_ports(names: Sequence[str]) -> dict[str, int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in names]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return {name: probe.getsockname()[1] for name, probe in zip(names, probes, strict=True)}


_PEOPLE = "\n".join(
    f'  {person}: {{accounts: [{{iss: "{DEV_ISSUER}", sub: {person}}}]}}' for person in STAFF
)
_PRINCIPALS = f"""\
emanet: principals/v1
trust_domain: {DEV_TRUST_DOMAIN}
issuers: [{{iss: "{DEV_ISSUER}", jwks_file: jwks.json, organizations: [{ORGANIZATION}]}}]
applications:
  {_APP}:
    organizations: [{ORGANIZATION}]
    token_client: {_APP}
    owns_cases: [ticket, invoice_run]
persons:
{_PEOPLE}
duties:
  {ORGANIZATION}: {{dpo: ["group:kvkk"], approver: ["group:yonetim"], security: ["group:guvenlik"]}}
"""
