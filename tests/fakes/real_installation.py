"""Three real service processes with one organization approved by two persons, for tests."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from emanet.cli.devtokens import ensure_issuer, issue_token
from emanet.cli.supervisor import LocalInstallation, Supervisor
from emanet.cli.workspace import DEV_ISSUER, DEV_TRUST_DOMAIN, Workspace
from emanet.client.admin import Admin
from emanet.client.channel import Credentials, Endpoints
from emanet.core.errors import EmanetError, Reason
from emanet.register.edits import plan
from emanet.register.manifest import load_manifest

CHECKOUT = Path(__file__).resolve().parents[2]
APPLICATIONS = ("panel", "helpdesk", "erp", "register_desk", "invoice-run", "cli")
PEOPLE = tuple(f"s-{number:03}" for number in range(1, 1000))
INSTALLATION = "contract"

_READY_TIMEOUT_S = 60.0
_NOT_YET = frozenset(
    {
        Reason.REGISTER_MISSING,
        Reason.RULES_MISSING,
        Reason.REGISTER_SKEW,
        Reason.REGISTER_STALE,
        Reason.NOT_READY,
        Reason.SERVICE_UNAVAILABLE,
        Reason.AUDIT_UNAVAILABLE,
    }
)


class RealInstallation:
    """A supervised installation; `start` brings one organization into operation."""

    def __init__(self, folder: Path, *, organization: str) -> None:
        self.workspace = Workspace(folder / "var")
        self.organization = organization
        self._supervisor = Supervisor(
            LocalInstallation(
                workspace=self.workspace,
                checkout=CHECKOUT,
                installation=INSTALLATION,
                applications=APPLICATIONS,
                organizations=(organization,),
                # The cheapest key derivation that is allowed: tests start services often.
                settings={
                    "EMANET_RUNTIME_KDF_ITERATIONS": "1",
                    "EMANET_RUNTIME_KDF_MEMORY_KIB": "64",
                },
            )
        )

    def start(self, *, register: Path, rules: Path) -> None:
        """Starts the services and has register and rules approved."""
        ensure_issuer(self.workspace)
        self.workspace.principals.write_text(_principals(self.organization), encoding="utf-8")
        self._supervisor.prepare()
        self._supervisor.start()
        self._approve_register(register.read_text(encoding="utf-8"))
        self._activate_rules(rules.read_text(encoding="utf-8"))

    def stop(self) -> None:
        self._supervisor.stop()

    @property
    def environ(self) -> dict[str, str]:
        """What an application of this installation has in its environment."""
        return {
            "EMANET_ENDPOINTS": str(self.workspace.endpoints),
            "EMANET_CERTS_DIR": str(self.workspace.certs),
        }

    def token(self, person: str, groups: Sequence[str], *, client: str = "panel") -> str:
        return issue_token(
            self.workspace,
            account=f"account-{person}",
            groups=groups,
            client=client,
            installation=INSTALLATION,
            now=dt.datetime.now(dt.UTC),
        )

    @contextmanager
    def admin(self, person: str, *groups: str) -> Iterator[Admin]:
        """The administration client of a person who has just logged in."""
        endpoints = Endpoints.from_file(self.workspace.endpoints)
        with Admin(
            organization=self.organization,
            endpoints=endpoints,
            credentials=Credentials.from_env("cli", endpoints=endpoints, environ=self.environ),
            staff_token=self.token(person, groups, client="cli"),
        ) as admin:
            yield admin

    @contextmanager
    def frozen(self, service: str) -> Iterator[None]:
        """Stops a service's process where it stands, as a hanging machine would."""
        pid = int(self.workspace.service_pid(service).read_text(encoding="utf-8").split()[0])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _approve_register(self, manifest: str) -> None:
        wanted = load_manifest(manifest, "register.yaml").register
        with self.admin("s-001", "kvkk") as author:
            draft = author.inventory.draft()
            draft = author.inventory.edit_draft(plan(draft.register, wanted), etag=draft.etag)
            version = author.inventory.submit(etag=draft.etag)
        with self.admin("s-002", "yonetim") as approver:
            approver.inventory.approve(version.number, digest_read=version.digest)

    def _activate_rules(self, source: str) -> None:
        with self.admin("s-003", "guvenlik") as author:
            applied = _retried(lambda: author.rules.apply(source))
        with self.admin("s-002", "yonetim") as approver:
            approver.rules.activate(applied.number, digest_read=applied.digest)


def _retried(act):
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while True:
        try:
            return act()
        except EmanetError as failure:
            if failure.reason not in _NOT_YET or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _principals(organization: str) -> str:
    people = "\n".join(
        f'  {person}: {{accounts: [{{iss: "{DEV_ISSUER}", sub: account-{person}}}]}}'
        for person in PEOPLE
    )
    return f"""\
emanet: principals/v1
trust_domain: {DEV_TRUST_DOMAIN}
issuers: [{{iss: "{DEV_ISSUER}", jwks_file: jwks.json, organizations: [{organization}]}}]
applications:
  panel: {{organizations: [{organization}], token_client: panel, may_assert: [data_subject], owns_events: [contract_ended, consent_ended, moon_landed]}}
  invoice-run: {{organizations: [{organization}], may_assert: [app]}}
  helpdesk: {{organizations: [{organization}], token_client: helpdesk, owns_cases: [ticket]}}
  erp: {{organizations: [{organization}], owns_cases: [invoice_run, campaign]}}
  register_desk: {{organizations: [{organization}], owns_cases: [legal_order]}}
  cli: {{organizations: [{organization}], token_client: cli}}
persons:
{people}
duties:
  {organization}:
    dpo: ["group:kvkk"]
    approver: ["group:yonetim"]
    security: ["group:guvenlik"]
    auditor: ["group:denetim"]
"""
