"""crypto, access audit and inventory as they are hosted: three real servers over mTLS."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.api.crypto.v1 import crypto_pb2, crypto_pb2_grpc, keys_pb2_grpc
from services.access_audit.server import DEFINITION as AUDIT
from services.crypto.config import CryptoSettings
from services.crypto.server import definition
from tests.fakes.access_audit_hosted import TIMEOUT_S, HostedAudit, Running, request_id, start
from tests.fakes.access_audit_world import ORGANIZATION, PRINCIPALS, manifest, rules, timestamp
from tests.fakes.small_service import SmallInstallation

# The audit's own register, with a field that rests on consent alone, and a rule to read it.
REGISTER = (
    manifest()
    .replace(
        "  oversight: {verbis",
        "  advice: {verbis: urun_hizmet_pazarlama, tr: Öneri sunmak, opt_out: [panel]}\n  oversight: {verbis",
    )
    .replace(
        "  login.ip:",
        "  customer.hobby: {type: kampanya_tercihi, level: encrypted, in: panel.customers.hobby}\n"
        "  login.ip:",
    )
    .replace(
        "       {fields: [customer.email], purposes: [marketing]",
        "       {fields: [customer.hobby], purposes: [advice], basis: 5/1, consent: IYS-2, keep: consent},\n"
        "       {fields: [customer.email], purposes: [marketing]",
    )
)
RULES = rules().replace(
    "  - {id: D03",
    "  - {id: A70, allow: support, for: advice, may: [read], of: [customer.hobby]}\n  - {id: D03",
)


@dataclass
class HostedCrypto(HostedAudit):
    """All three services, and what applications ask of crypto."""

    crypto: Running | None = None
    changes: dict[str, object] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path) -> HostedCrypto:
        installation = SmallInstallation(folder)
        installation.principals_path.write_text(PRINCIPALS, encoding="utf-8")
        for name in ("access_audit", "crypto"):
            installation.principal(f"/service/{name}").write(folder, name)
        return cls(installation)

    def crypto_settings(self, **changes: object) -> CryptoSettings:
        folder = self.installation.folder
        return CryptoSettings(
            runtime=self.installation.settings(
                cert_file=folder / "crypto.pem", key_file=folder / "crypto.key", **self.changes
            ),
            inventory_target=_target(self.inventory),
            access_audit_target=_target(self.audit),
            destruction_interval_seconds=0.05,
            consistency_interval_seconds=0.1,
            **changes,
        )

    async def start_crypto(self, **changes: object) -> None:
        assert self.audit is not None
        pinned = self.audit.host.settings.state_dir / f"{ORGANIZATION}.vkey"
        self.crypto = await start(definition(vkey_files=[pinned]), self.crypto_settings(**changes))

    async def start_audit_at(self, endpoint: str) -> None:
        """Starts access_audit again where it listened before."""
        settings = self.audit_settings()
        runtime = settings.runtime.model_copy(
            update={"listen": f"localhost:{endpoint.rpartition(':')[2]}"}
        )
        self.audit = await start(AUDIT, settings.model_copy(update={"runtime": runtime}))

    async def start_all(self) -> None:
        """All three, a register in effect, and rules."""
        await self.start_inventory()
        await self.start_audit()
        await self.start_crypto()

    async def prepare(self) -> None:
        """A register in effect at the audit, active rules, an open ticket about customers/7."""
        await self.publish(REGISTER)
        await self.wait_for_register(1)
        await self.activate_rules(RULES)
        case = resources_pb2.Case(
            ref=resources_pb2.CaseRef(kind="ticket", ref="T-1"),
            subjects=["customers/7"],
            assignees=["s-044"],
            opened_by="customer",
            open_time=timestamp(datetime.now(UTC) - timedelta(hours=1)),
        )
        request = access_audit_pb2.PutCasesRequest(
            organization=ORGANIZATION, request_id=request_id(), cases=[case]
        )
        await self.access("/app/helpdesk").PutCases(request, timeout=TIMEOUT_S)

    async def stop(self) -> None:
        if self.crypto is not None:
            await self.crypto.stop()
        await super().stop()

    def cryptos(self, path: str) -> crypto_pb2_grpc.CryptoServiceAsyncStub:
        return crypto_pb2_grpc.CryptoServiceStub(self._crypto_channel(path))

    def keys(self, path: str) -> keys_pb2_grpc.KeyServiceAsyncStub:
        return keys_pb2_grpc.KeyServiceStub(self._crypto_channel(path))

    def _crypto_channel(self, path: str):
        running, self.audit = self.audit, self.crypto
        try:
            return self.channel(path)
        finally:
            self.audit = running

    async def wait_for_crypto_register(self, number: int) -> crypto_pb2.GetServiceInfoResponse:
        """Waits until the feed brought a version into crypto."""
        stub = self.cryptos("/app/panel")
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                found = await stub.GetServiceInfo(
                    crypto_pb2.GetServiceInfoRequest(organization=ORGANIZATION), timeout=TIMEOUT_S
                )
                if found.register_number == number:
                    return found
                await asyncio.sleep(0.05)


def encrypt_request(
    *values: str, field: str = "customer.email", subject: str = "customers/7"
) -> crypto_pb2.EncryptRequest:
    items = [
        crypto_pb2.EncryptItem(field=field, subject=subject, value=crypto_pb2.Value(text=value))
        for value in values
    ]
    return crypto_pb2.EncryptRequest(organization=ORGANIZATION, items=items)


def decrypt_request(
    *envelopes: bytes,
    field: str = "customer.email",
    purpose: str = "support",
    case: str = "T-1",
    action: resources_pb2.Action.ValueType = resources_pb2.ACTION_DECRYPT,
) -> crypto_pb2.DecryptRequest:
    return crypto_pb2.DecryptRequest(
        organization=ORGANIZATION,
        context=resources_pb2.AccessContext(
            actor=resources_pb2.ACTOR_KIND_STAFF,
            purpose=purpose,
            case=resources_pb2.CaseRef(kind="ticket", ref=case) if case else None,
        ),
        action=action,
        items=[crypto_pb2.DecryptItem(field=field, envelope=envelope) for envelope in envelopes],
    )


def _target(running: Running | None) -> str:
    return "localhost:1" if running is None else running.server.endpoint
