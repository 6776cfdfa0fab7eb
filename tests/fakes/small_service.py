"""A real server around a small servicer, for tests of the runtime itself.

It implements a few RPCs of the inventory's contract with answers that show what the runtime made
of the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from grpc import aio

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from emanet.core.clock import SystemClock
from services.runtime import request
from services.runtime.authorisation import Duty, Row, Staffing
from services.runtime.database import Database
from services.runtime.health import HealthCheck
from services.runtime.principals import PrincipalsFile
from services.runtime.serve import Registration, RunningServer, Service, start_server
from services.runtime.settings import DEV_TRUST_DOMAIN, Mode, RuntimeSettings
from services.runtime.tokens import TokenVerifier
from tests.fakes.certificates import CertificateAuthority, Issued
from tests.fakes.staff_tokens import TokenIssuer, shared_issuer

PACKAGE = "emanet.api.inventory.v1.InventoryService"
PRINCIPALS = """\
emanet: principals/v1
trust_domain: dev.emanet.invalid
issuers:
  - {iss: "https://login.dev.emanet.invalid", jwks_file: jwks.json, organizations: [cinar, mese]}
applications:
  panel: {organizations: [cinar], systems: [panel], token_client: panel}
  helpdesk: {organizations: [cinar], token_client: helpdesk}
  robot: {organizations: [cinar]}
persons:
  s-001: {accounts: [{iss: "https://login.dev.emanet.invalid", sub: "a1"}]}
  s-002: {accounts: [{iss: "https://login.dev.emanet.invalid", sub: "b1"}, {iss: "https://login.dev.emanet.invalid", sub: "b2"}]}
duties:
  cinar: {dpo: ["group:kvkk"], approver: ["group:yonetim"]}
revoked: {tokens: [revoked-token], certificates: [], persons: []}
"""


def rows() -> tuple[Row, ...]:
    """One row of every kind."""
    dpo, approver = frozenset({Duty.DPO}), frozenset({Duty.APPROVER})
    crypto = frozenset({"crypto"})
    return (
        Row(f"{PACKAGE}/GetServiceInfo", services=crypto),
        Row(f"{PACKAGE}/GetDraft", staffing=Staffing.OPTIONAL),
        Row(f"{PACKAGE}/EditDraft", staffing=Staffing.REQUIRED, duties=dpo),
        Row(f"{PACKAGE}/SubmitDraft", applications=False, services=crypto),
        Row(
            f"{PACKAGE}/ApproveVersion",
            staffing=Staffing.REQUIRED,
            duties=approver,
            fresh_login=True,
        ),
        Row(f"{PACKAGE}/ListRegisterVersions", staffing=Staffing.REQUIRED),
        Row(f"{PACKAGE}/GetRegisterVersion", services=crypto),
        Row(f"{PACKAGE}/WatchRegister", services=crypto),
        Row(f"{PACKAGE}/ExportInventory", staffing=Staffing.REQUIRED),
    )


class SmallServicer(inventory_pb2_grpc.InventoryServiceServicer):
    """Answers with what the runtime says about the call; `work` runs inside GetServiceInfo.

    Attributes:
        calls: names of the RPCs whose handler was reached.
        watching: set while a WatchRegister handler runs.
    """

    def __init__(self) -> None:
        self.work: Callable[[], Awaitable[None]] | None = None
        self.calls: list[str] = []
        self.watching = asyncio.Event()
        self.ticks: asyncio.Queue[None] = asyncio.Queue()

    async def GetServiceInfo(self, message, context):
        self.calls.append("GetServiceInfo")
        if self.work is not None:
            await self.work()
        now = request.current()
        return inventory_pb2.GetServiceInfoResponse(
            service=now.organization, installation=now.caller.spiffe_id, version=now.request_id
        )

    async def GetDraft(self, message, context):
        self.calls.append("GetDraft")
        person = request.staff()
        answer = inventory_pb2.GetDraftResponse()
        answer.draft.etag = "" if person is None else person.person_id
        return answer

    async def EditDraft(self, message, context):
        self.calls.append("EditDraft")
        answer = inventory_pb2.EditDraftResponse()
        answer.draft.etag = request.require_staff().person_id
        return answer

    async def SubmitDraft(self, message, context):
        self.calls.append("SubmitDraft")
        return inventory_pb2.SubmitDraftResponse()

    async def ApproveVersion(self, message, context):
        self.calls.append("ApproveVersion")
        return inventory_pb2.ApproveVersionResponse()

    async def ListRegisterVersions(self, message, context):
        self.calls.append("ListRegisterVersions")
        return inventory_pb2.ListRegisterVersionsResponse()

    async def GetRegisterVersion(self, message, context) -> AsyncGenerator[object, None]:
        self.calls.append("GetRegisterVersion")
        for part in (b"one", b"two", b"three"):
            yield inventory_pb2.GetRegisterVersionResponse(chunk=part)
        if self.work is not None:
            await self.work()

    async def WatchRegister(self, message, context) -> AsyncGenerator[object, None]:
        self.calls.append("WatchRegister")
        self.watching.set()
        try:
            while True:
                yield inventory_pb2.WatchRegisterResponse()
                await self.ticks.get()
        finally:
            self.watching.clear()


@dataclass
class SmallInstallation:
    """A CA, an identity provider, principals and a settings object in one folder."""

    folder: Path
    authority: CertificateAuthority = field(default_factory=CertificateAuthority)
    issuer: TokenIssuer = field(default_factory=shared_issuer)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "ca.pem").write_bytes(self.authority.pem)
        self.issuer.write_jwks(self.folder / "jwks.json")
        self.principals_path.write_text(PRINCIPALS, encoding="utf-8")
        self.principal("/service/inventory").write(self.folder, "server")

    @property
    def principals_path(self) -> Path:
        return self.folder / "principals.yaml"

    def principal(self, path: str, *, trust_domain: str = DEV_TRUST_DOMAIN) -> Issued:
        """Issues a good certificate for `/app/NAME` or `/service/NAME`."""
        return self.authority.issue(uris=[f"spiffe://{trust_domain}{path}"])

    def settings(self, **changes: object) -> RuntimeSettings:
        values: dict[str, object] = {
            "mode": Mode.DEV,
            "installation": "test",
            "listen": "localhost:0",
            "cert_file": self.folder / "server.pem",
            "key_file": self.folder / "server.key",
            "ca_file": self.folder / "ca.pem",
            "principals_file": self.principals_path,
            "var_dir": self.folder / "var",
            "kdf_iterations": 1,
            "kdf_lanes": 1,
            "kdf_memory_kib": 8,
            "health_interval_seconds": 0.02,
            "drain_seconds": 5.0,
        }
        return RuntimeSettings(**(values | changes))  # type: ignore[arg-type]

    def channel(self, endpoint: str, client: Issued, *, ca: bytes | None = None) -> aio.Channel:
        """Opens a channel with a client certificate."""
        credentials = grpc.ssl_channel_credentials(
            root_certificates=ca or self.authority.pem,
            private_key=client.key_pem,
            certificate_chain=client.cert_pem,
        )
        return aio.secure_channel(endpoint, credentials, options=(("grpc.enable_retries", 0),))


@dataclass
class SmallServer:
    """A running server with its servicer and files."""

    installation: SmallInstallation
    servicer: SmallServicer
    running: RunningServer
    database: Database
    clock: object

    def channel(self, path: str) -> aio.Channel:
        return self.installation.channel(self.running.endpoint, self.installation.principal(path))

    async def stop(self) -> None:
        await self.running.stop()
        self.database.close()


async def start_small_server(
    installation: SmallInstallation,
    *,
    health_checks: tuple[HealthCheck, ...] = (),
    **changes: object,
) -> SmallServer:
    """Starts the server of an installation; `changes` are runtime settings."""
    settings = installation.settings(**changes)
    database = Database.open(f"sqlite:///{installation.folder / 'db' / 'x.db'}", pool_size=2)
    principals = PrincipalsFile(settings.principals_file, mode=settings.mode)
    clock = SystemClock()
    servicer = SmallServicer()
    descriptor = inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"]
    service = Service(
        registrations=(
            Registration(
                descriptor=descriptor,
                add=lambda server: inventory_pb2_grpc.add_InventoryServiceServicer_to_server(
                    servicer, server
                ),
            ),
        ),
        authorisation=rows(),
        health_checks=health_checks,
    )
    running = await start_server(
        service,
        name="inventory",
        settings=settings,
        database=database,
        principals=principals,
        tokens=TokenVerifier(principals=principals, installation="test", clock=clock),
        clock=clock,
    )
    return SmallServer(
        installation=installation,
        servicer=servicer,
        running=running,
        database=database,
        clock=clock,
    )
