"""The demo's own installation under its var folder: people, applications, services, clients."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from emanet.cli.devcerts import ensure_certificates
from emanet.cli.devtokens import ensure_issuer, issue_token
from emanet.cli.running import stop_all
from emanet.cli.workspace import DEV_ISSUER, DEV_TRUST_DOMAIN, Workspace
from emanet.client import Emanet
from emanet.client.admin import Admin
from emanet.client.channel import Credentials, Endpoints
from examples.demo.houses import ADMINISTRATORS, CASE_OWNERS, HOUSES, House, Person, UnexpectedError

__all__ = ["INSTALLATION", "Installation", "wait_for"]

INSTALLATION = "demo"
CHECKOUT = Path(__file__).resolve().parents[2]
_ROBOT = "invoice-run"
_ADMIN_APP = "cli"
_TIMEOUT_S = 10.0
_START_TIMEOUT_S = 180.0
# The receipt of a destruction waits for the longest RPC; in production 30 s (DESIGN, section 7).
_MAX_DEADLINE_S = 6


class Installation:
    """Starts and stops the three services, and gives clients and staff tokens for them."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.workspace = Workspace(var)

    def prepare(self) -> None:
        """Writes who may do what, and gives everybody a certificate."""
        ensure_issuer(self.workspace)
        self.workspace.principals.write_text(_principals(), encoding="utf-8")
        ensure_certificates(
            self.workspace, applications=_applications(), now=dt.datetime.now(dt.UTC)
        )

    def start(self) -> None:
        """Runs `emanet up`, which supervises the services beyond this process.

        Raises:
            UnexpectedError: with its last words when it ends before the services are up.
        """
        arguments = ["up", "--installation", INSTALLATION, "--lang", "en"]
        for house in HOUSES:
            arguments += ["--organization", house.id]
        settings = {
            "EMANET_VAR_DIR": str(self.var),
            "EMANET_RUNTIME_MAX_DEADLINE_SECONDS": str(_MAX_DEADLINE_S),
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("EMANET_")}
        self.workspace.run.mkdir(parents=True, exist_ok=True)
        log = self.workspace.run / "supervisor.log"
        with log.open("wb") as output:
            supervisor = subprocess.Popen(
                [sys.executable, "-m", "emanet.cli", *arguments],
                cwd=CHECKOUT,
                env={**inherited, **settings},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            self._wait_until_up(supervisor, log)
        except BaseException:  # Ctrl-C too: what was begun is not left behind
            supervisor.terminate()
            supervisor.wait()
            raise

    def _wait_until_up(self, supervisor: subprocess.Popen[bytes], log: Path) -> None:
        def is_up() -> bool:
            if supervisor.poll() is not None:
                raise UnexpectedError(f"emanet up: {log.read_text('utf-8').strip()}")
            return self.workspace.endpoints.exists()

        wait_for("the services start", is_up, timeout_s=_START_TIMEOUT_S)

    def stop(self) -> None:
        """Stops what `start` started, or what an earlier run left."""
        stop_all(self.workspace)

    def pid_of(self, service: str) -> int:
        """Process id of a running service."""
        return int(self.workspace.service_pid(service).read_text("utf-8").split()[0])

    @property
    def endpoints(self) -> Endpoints:
        """Where the services listen."""
        return Endpoints.from_file(self.workspace.endpoints)

    def credentials(self, app: str) -> Credentials:
        """An application's certificate."""
        return Credentials.from_env(app, endpoints=self.endpoints, environ={})

    def client(self, house: House, *, app: str = "") -> Emanet:
        """What an application of this organization uses; its panel unless named."""
        return Emanet(
            organization=house.id,
            endpoints=self.endpoints,
            credentials=self.credentials(app or house.panel),
            timeout_s=_TIMEOUT_S,
            language="en",
        )

    def admin(self, house: House, who: str) -> Admin:
        """What an administrator uses: `dpo`, `approver`, `security` or `auditor`."""
        return Admin(
            organization=house.id,
            endpoints=self.endpoints,
            credentials=self.credentials(_ADMIN_APP),
            staff_token=self.token(ADMINISTRATORS[who], client="emanet-cli"),
            language="en",
        )

    def token(self, person: Person, *, client: str) -> str:
        """A staff token as of a log-in just now."""
        return issue_token(
            self.workspace,
            account=person.account,
            groups=person.groups,
            client=client,
            installation=INSTALLATION,
            now=dt.datetime.now(dt.UTC),
        )


def wait_for(what: str, is_so: Callable[[], bool], *, timeout_s: float = 30.0) -> None:
    """Waits until something is so.

    Raises:
        UnexpectedError: when it is not in time.
    """
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise UnexpectedError(f"waited {timeout_s:.0f} s in vain: {what}")
        time.sleep(0.05)


@cache
def _applications() -> tuple[str, ...]:
    return (*(house.panel for house in HOUSES), *CASE_OWNERS, _ROBOT, _ADMIN_APP)


def _principals() -> str:
    everybody = f"[{', '.join(house.id for house in HOUSES)}]"
    people = [*ADMINISTRATORS.values()]
    people += [p for house in HOUSES for group in house.people.values() for p in group]
    duties = (
        'dpo: ["group:kvkk"], approver: ["group:yonetim"], security: ["group:guvenlik"], '
        'auditor: ["group:denetim"], operator: ["group:bilgi-islem"]'
    )
    return "\n".join(
        [
            "# Who may talk to the demo's services; the groups of staff tokens carry duties here.",
            "emanet: principals/v1",
            f"trust_domain: {DEV_TRUST_DOMAIN}",
            "issuers:",
            f'  - {{iss: "{DEV_ISSUER}", jwks_file: jwks.json, organizations: {everybody}}}',
            "applications:",
            f"  {_ADMIN_APP}: {{organizations: {everybody}, token_client: emanet-cli}}",
            *(_panel_line(house) for house in HOUSES),
            *(
                f"  {name}: {{organizations: {everybody}, owns_cases: [{', '.join(kinds)}]}}"
                for name, kinds in CASE_OWNERS.items()
            ),
            f"  {_ROBOT}: {{organizations: {everybody}, may_assert: [app]}}",
            "persons:",
            *(
                f'  {p.id}: {{accounts: [{{iss: "{DEV_ISSUER}", sub: {p.account}}}]}}'
                for p in people
            ),
            "duties:",
            *(f"  {house.id}: {{{duties}}}" for house in HOUSES),
            "revoked: {tokens: [], certificates: [], persons: []}",
            "",
        ]
    )


def _panel_line(house: House) -> str:
    systems = ", ".join(house.register.systems)
    return (
        f"  {house.panel}: {{organizations: [{house.id}], systems: [{systems}], "
        f"token_client: {house.panel}, may_assert: [data_subject]}}"
    )
