"""Access audit and inventory as they are hosted: two real servers over mTLS in one process."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grpc import aio

from emanet.api.access_audit.v1 import (
    access_audit_pb2,
    access_audit_pb2_grpc,
    log_pb2_grpc,
    resources_pb2,
    rules_pb2,
    rules_pb2_grpc,
)
from emanet.client.channel import Credentials, open_aio_channel
from emanet.core.clock import FixedClock, SystemClock
from emanet.core.errors import StateError
from emanet.core.ids import new_uuid7
from services.access_audit.config import AccessAuditSettings
from services.access_audit.server import DEFINITION as AUDIT
from services.inventory.config import InventorySettings
from services.inventory.server import DEFINITION as INVENTORY
from services.runtime.command import Host, ServiceDefinition, initialise, open_host
from services.runtime.serve import RunningServer, start_server
from services.runtime.settings import ServiceSettings, render_settings
from tests.fakes.access_audit_world import ORGANIZATION, PARENT, PRINCIPALS, manifest, rules
from tests.fakes.inventory_world import InventoryReplica
from tests.fakes.small_service import SmallInstallation

TIMEOUT_S = 10.0


@dataclass
class Running:
    """One hosted service."""

    host: Host[ServiceSettings]
    server: RunningServer

    async def stop(self) -> None:
        await self.server.stop()
        self.host.database.close()


async def start(
    definition: ServiceDefinition[ServiceSettings], settings: ServiceSettings
) -> Running:
    """Initialises where nothing is, then serves."""
    with suppress(StateError):
        initialise(definition, settings)
    host = open_host(definition, settings, clock=SystemClock())
    with suppress(StateError):
        await definition.add_organization(host, ORGANIZATION)
    server = await start_server(
        definition.build(host),
        name=settings.service,
        settings=settings.runtime,
        database=host.database,
        principals=host.principals,
        tokens=host.tokens,
        clock=host.clock,
    )
    return Running(host, server)


@dataclass
class HostedAudit:
    """Both services, and the people and programs that call them."""

    installation: SmallInstallation
    inventory: Running | None = None
    audit: Running | None = None
    database_url: str = ""

    @classmethod
    def at(cls, folder: Path, *, database_url: str = "") -> HostedAudit:
        installation = SmallInstallation(folder)
        installation.principals_path.write_text(PRINCIPALS, encoding="utf-8")
        installation.principal("/service/access_audit").write(folder, "access_audit")
        return cls(installation, database_url=database_url)

    async def start_inventory(self, *, listen: str = "localhost:0") -> None:
        settings = InventorySettings(
            runtime=self.installation.settings(listen=listen),
            heartbeat_seconds=0.2,
            poll_seconds=0.1,
        )
        self.inventory = await start(INVENTORY, settings)

    def audit_settings(self, **changes: object) -> AccessAuditSettings:
        folder = self.installation.folder
        address = "localhost:1" if self.inventory is None else self.inventory.server.endpoint
        return AccessAuditSettings(
            runtime=self.installation.settings(
                cert_file=folder / "access_audit.pem",
                key_file=folder / "access_audit.key",
                database_url=self.database_url,
            ),
            inventory_target=address,
            **changes,
        )

    def audit_environment(self) -> dict[str, str]:
        """The same settings as the environment of a process of its own."""
        rendered = render_settings(self.audit_settings())
        return {name: value for name, value in rendered.items() if value}

    async def start_audit(self, **changes: object) -> None:
        self.audit = await start(AUDIT, self.audit_settings(**changes))

    async def stop(self) -> None:
        for running in (self.audit, self.inventory):
            if running is not None:
                await running.stop()

    async def publish(self, text: str | None = None) -> None:
        """Approves a register version at the inventory, by two persons."""
        assert self.inventory is not None
        clock = FixedClock(datetime.now(UTC))
        replica = InventoryReplica(database=self.inventory.host.database, clock=clock)
        await replica.edit("s-001", text or manifest())
        await replica.approve("s-002", await replica.submit("s-001"))

    def channel(self, path: str) -> aio.Channel:
        assert self.audit is not None
        return self.dial(path, self.audit.server.endpoint)

    def dial(self, path: str, endpoint: str) -> aio.Channel:
        """A channel of a principal to an endpoint."""
        issued = self.installation.principal(path)
        credentials = Credentials(
            ca=self.installation.authority.pem, certificate=issued.cert_pem, key=issued.key_pem
        )
        port = endpoint.rpartition(":")[2]
        return open_aio_channel(f"127.0.0.1:{port}", credentials)

    def access(self, path: str) -> access_audit_pb2_grpc.AccessAuditServiceAsyncStub:
        return access_audit_pb2_grpc.AccessAuditServiceStub(self.channel(path))

    def log(self, path: str) -> log_pb2_grpc.LogServiceAsyncStub:
        return log_pb2_grpc.LogServiceStub(self.channel(path))

    def token(self, sub: str, *groups: str, **claims: object) -> tuple[tuple[str, str], ...]:
        token = self.installation.issuer.token(sub, groups=list(groups), **claims)
        return (("authorization", f"Bearer {token}"),)

    async def activate_rules(self, text: str | None = None) -> resources_pb2.RuleSet:
        """Applies as security, activates as approver, from the command line's application."""
        stub = rules_pb2_grpc.RulesServiceStub(self.channel("/app/cli"))
        applied = await stub.ApplyRuleSet(
            rules_pb2.ApplyRuleSetRequest(
                parent=PARENT, source=text or rules(), request_id=request_id()
            ),
            metadata=self.token("a1", "guvenlik", azp="emanet-cli"),
            timeout=TIMEOUT_S,
        )
        activated = await stub.ActivateRuleSet(
            rules_pb2.ActivateRuleSetRequest(
                name=applied.rule_set.name,
                digest=applied.rule_set.digest,
                request_id=request_id(),
            ),
            metadata=self.token("b1", "yonetim", azp="emanet-cli"),
            timeout=TIMEOUT_S,
        )
        return activated.rule_set

    async def wait_for_register(self, number: int) -> None:
        """Waits until the feed brought a version in."""
        stub = self.access("/app/cli")
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                found = await stub.GetServiceInfo(
                    access_audit_pb2.GetServiceInfoRequest(organization=ORGANIZATION),
                    timeout=TIMEOUT_S,
                )
                if found.register_number == number:
                    return
                await asyncio.sleep(0.05)


def request_id() -> str:
    return str(new_uuid7(SystemClock()))
