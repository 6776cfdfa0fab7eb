"""An inventory service without its gRPC edge: real database, operations and watch, a fixed clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from emanet.api.inventory.v1 import inventory_pb2, resources_pb2
from emanet.core import canonical
from emanet.core.clock import FixedClock
from emanet.core.ids import new_uuid7
from emanet.core.names import parse_name
from emanet.register.edits import plan
from emanet.register.manifest import load_manifest
from emanet.register.values import Register, from_json
from services.inventory.messages import timestamp
from services.inventory.operations.drafts import Asker, Drafts
from services.inventory.operations.exports import Exports
from services.inventory.operations.versions import Versions
from services.inventory.paging import PageTokens
from services.inventory.watch import RegisterWatch
from services.runtime.database import Database
from services.runtime.migrate import upgrade

MIGRATIONS = Path("services/inventory/migrations").resolve()
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ORGANIZATION = "cinar"
CALLER = "spiffe://dev.emanet.invalid/app/cli"

MANIFEST = """\
emanet: register/v1
organization: {id: cinar, tr: Çınar Deneme A.Ş., kep: kvkk@cinar.example, seat: Eskişehir}
namespaces: {customers: {tr: Müşteri no}, staff: {tr: Personel no}}
registry: {duty: registered, since: 2021-12-30, contact_person: {title: Hukuk Müşaviri, staff: s-001}}
destruction: {policy: SIP-1, interval: P6M, days: ["01-15", "07-15"], backups_gone_after: P35D, receipts_kept: P3Y, in_charge: Bilgi İşlem Müdürü}
measures: [yetki_matrisi, erisim_loglari, sifreleme, anahtar_yonetimi]
purposes:
  support: {verbis: satis_sonrasi_destek, tr: Destek talebini çözmek, read_needs: ticket}
  oversight: {verbis: ic_denetim_sorusturma, tr: Personel erişimini denetlemek, read_needs: review}
systems: {panel: {tr: Müşteri paneli, kind: database, at: Eskişehir veri merkezi}}
fields:
  customer.name: {type: ad_soyad, level: encrypted, in: panel.customers.full_name}
  customer.email: {type: e_posta, level: encrypted, in: panel.customers.email}
  staff.access: {type: personel_erisim_kaydi, level: none, in: emanet.log}
retention:
  contract: {keep: P10Y, from: contract_ended, rules: [tbk_146], dispose: yok_etme, decided: {by: s-001, on: 2026-02-03, why: Zamanaşımı}}
  staff: {keep: P2Y, from: record_created, rules: [genel_guvenlik_logu], dispose: yok_etme, decided: {by: s-001, on: 2026-02-03, why: Kanunda süre yok}}
recipients: {court: {tr: "Savcılık, mahkeme", group: yetkili_kamu_kurum, may_use_for: [oversight]}}
notices:
  account: {version: 1, effective: 2026-03-01, published: 2026-02-01, url: "https://cinar.example/aydinlatma"}
  staff: {version: 1, effective: 2026-01-02, to: calisan}
activities:
  account:
    {tr: Üyelik, department: Müşteri İlişkileri, owner: Müşteri Müdürü, role: controller, review_by: 2027-02-01, subjects: [bireysel_musteri],
     collected: {from: ilgili_kisi, by: Web formu, automatic: true}, notice: account,
     rows: [{fields: [customer.name, customer.email], purposes: [support], basis: 5/2-c, keep: contract}]}
  staff_oversight:
    {tr: Personel erişim denetimi, department: Bilgi Güvenliği, owner: Güvenlik Uzmanı, role: controller, review_by: 2027-02-01, subjects: [calisan],
     collected: {from: cihaz, by: Emanet, automatic: true}, notice: staff,
     rows: [{fields: [staff.access], purposes: [oversight], basis: 5/2-ç, law: KVKK m.12/1, keep: staff, to: [court]}]}
"""


def register_of(manifest: str = MANIFEST) -> Register:
    """A register without findings of severity error."""
    return load_manifest(manifest, "test.register.yaml").register


@dataclass
class InventoryReplica:
    """One process's worth of the service over a database."""

    database: Database
    clock: FixedClock
    drafts: Drafts = field(init=False)
    versions: Versions = field(init=False)
    exports: Exports = field(init=False)
    watch: RegisterWatch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = RegisterWatch(
            database=self.database, clock=self.clock, heartbeat_s=30.0, poll_s=2.0
        )
        self.drafts = Drafts(database=self.database, clock=self.clock)
        self.versions = Versions(
            database=self.database,
            clock=self.clock,
            tokens=PageTokens(bytes(range(32))),
            on_approved=self.watch.wake,
        )
        self.exports = Exports(database=self.database, clock=self.clock)

    async def draft(self) -> resources_pb2.Draft:
        return await self.drafts.read(ORGANIZATION)

    async def register(self) -> Register:
        """The draft's register."""
        return from_json(canonical.decode_object((await self.draft()).register))

    async def edit(self, person: str, manifest: str = MANIFEST) -> resources_pb2.Draft:
        """Makes the draft equal to a manifest, as this person."""
        request = await self.edit_request(manifest)
        answer = await self.drafts.edit(request, organization=ORGANIZATION, asker=asker(person))
        return answer.draft

    async def edit_request(self, manifest: str = MANIFEST) -> inventory_pb2.EditDraftRequest:
        edits = plan(await self.register(), register_of(manifest))
        return inventory_pb2.EditDraftRequest(
            parent=f"organizations/{ORGANIZATION}",
            etag=(await self.draft()).etag,
            request_id=self.request_id(),
            edits=[
                resources_pb2.RegisterEdit(
                    kind=resources_pb2.EntityKind.Value(f"ENTITY_KIND_{edit.kind.name}"),
                    slug=edit.slug,
                    **({"remove": True} if edit.put is None else {"put": edit.put}),
                )
                for edit in edits
            ],
        )

    async def submit(
        self, person: str, *, etag: str = "", validate_only: bool = False
    ) -> resources_pb2.RegisterVersion:
        request = inventory_pb2.SubmitDraftRequest(
            parent=f"organizations/{ORGANIZATION}",
            etag=etag or (await self.draft()).etag,
            request_id=self.request_id(),
            validate_only=validate_only,
        )
        answer = await self.drafts.submit(request, organization=ORGANIZATION, asker=asker(person))
        return answer.version

    async def approve(
        self,
        person: str,
        version: resources_pb2.RegisterVersion,
        *,
        effective: datetime | None = None,
    ) -> resources_pb2.RegisterVersion:
        request = self.approval(version, effective=effective)
        name = parse_name(version.name)
        answer = await self.versions.approve(request, name=name, asker=asker(person))
        return answer.version

    def approval(
        self, version: resources_pb2.RegisterVersion, *, effective: datetime | None = None
    ) -> inventory_pb2.ApproveVersionRequest:
        return inventory_pb2.ApproveVersionRequest(
            name=version.name,
            digest=version.digest,
            effective_time=None if effective is None else timestamp(effective),
            request_id=self.request_id(),
        )

    async def publish(
        self, manifest: str = MANIFEST, *, effective: datetime | None = None
    ) -> resources_pb2.RegisterVersion:
        """Edits, submits and approves, by two persons; a second later than the last time."""
        self.clock.advance(timedelta(seconds=1))
        await self.edit("s-001", manifest)
        return await self.approve("s-002", await self.submit("s-001"), effective=effective)

    async def listed(
        self, *, page_size: int = 0, page_token: str = "", caller: str = CALLER
    ) -> inventory_pb2.ListRegisterVersionsResponse:
        request = inventory_pb2.ListRegisterVersionsRequest(
            parent=f"organizations/{ORGANIZATION}", page_size=page_size, page_token=page_token
        )
        return await self.versions.list_page(request, organization=ORGANIZATION, caller=caller)

    async def exported(
        self,
        view: inventory_pb2.ExportView.ValueType,
        file_format: inventory_pb2.ExportFormat.ValueType,
        *,
        at: datetime | None = None,
    ) -> tuple[inventory_pb2.ExportInventoryResponse, bytes]:
        """The description and the whole file."""
        request = inventory_pb2.ExportInventoryRequest(
            parent=f"organizations/{ORGANIZATION}",
            view=view,
            format=file_format,
            read_time=None if at is None else timestamp(at),
        )
        first, *rest = await self.exports.export(request, organization=ORGANIZATION)
        return first, b"".join(part.chunk for part in rest)

    def request_id(self) -> str:
        return str(new_uuid7(self.clock))


def asker(person: str) -> Asker:
    return Asker(caller=CALLER, person=person)


@contextmanager
def open_replica(url: str, clock: FixedClock | None = None) -> Iterator[InventoryReplica]:
    """A replica over a migrated database; the organization must be added."""
    database = Database.open(url, pool_size=4)
    try:
        upgrade(database, MIGRATIONS)
        yield InventoryReplica(database=database, clock=clock or FixedClock(NOW))
    finally:
        database.close()
