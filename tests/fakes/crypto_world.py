"""A crypto service without its gRPC edge: real database, keys and operations, a fake audit."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy.engine import make_url

from emanet.api.access_audit.v1 import resources_pb2
from emanet.core.clock import FixedClock
from emanet.core.encoding import micros
from emanet.core.envelope import ValueType
from emanet.core.errors import EmanetError
from emanet.core.ids import new_uuid7
from emanet.register.manifest import load_manifest
from emanet.register.snapshot import Approval, digest, encode_approval, encode_snapshot
from emanet.register.values import Register
from services.crypto import storage
from services.crypto.cache import PairCaches
from services.crypto.destruction_steps import DestructionSteps
from services.crypto.destruction_worker import DestructionWorker
from services.crypto.domain.destruction import Ground
from services.crypto.keys import KeyFinder
from services.crypto.keystore import Keystore
from services.crypto.opening import SealedItem
from services.crypto.operations.decrypt import Decrypted, DecryptOperation, ReadRequest
from services.crypto.operations.destroy import (
    BucketOrder,
    DestroyOperation,
    Order,
    SubjectOrder,
)
from services.crypto.operations.encrypt import EncryptOperation, PlainItem
from services.crypto.registers import Registers
from services.crypto.setup import add_organization, verify_canary
from services.crypto.storage.destruction import DestructionRow
from services.crypto.storage.register import VersionRow
from services.crypto.tenants import Tenants
from services.runtime.database import Database
from services.runtime.keyring import KdfCost, PassphraseKeyring
from services.runtime.migrate import upgrade
from tests.fakes.fake_audit import FakeAudit

MIGRATIONS = Path("services/crypto/migrations").resolve()
NOW = datetime(2026, 3, 15, 9, 0, tzinfo=UTC)
PASSPHRASE = b"correct horse battery staple"
LOOKUP_KEY = bytes(range(32))
LONGEST_RPC = timedelta(seconds=30)
CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)

MANIFEST = """\
emanet: register/v1
organization: {id: ORGANIZATION, tr: Deneme Barındırma A.Ş.}
namespaces: {customers: {tr: Müşteri no}, citizens: {tr: Kimlik no, tckn: true}}
destruction: {interval: P6M, backups_gone_after: P35D, receipts_kept: P3Y}
purposes:
  support: {verbis: satis_sonrasi_destek, tr: Destek}
  invoicing: {verbis: finans_muhasebe, tr: Fatura}
  marketing: {verbis: urun_hizmet_pazarlama, tr: Duyuru}
  security: {verbis: bilgi_guvenligi, tr: Güvenlik}
systems: {panel: {tr: Panel, kind: database}}
fields:
  customer.name: {type: ad_soyad, level: encrypted, in: panel.customers.name}
  customer.email: {type: e_posta, level: encrypted, in: panel.customers.email}
  customer.tckn: {type: tckn, level: encrypted, in: panel.customers.tckn}
  customer.hobby: {type: kampanya_tercihi, level: encrypted, in: panel.customers.hobby}
  customer.note: {type: destek_talebi, level: encrypted, bind: subject, in: panel.notes.text}
  invoice.address: {type: fatura_adresi, level: encrypted, in: panel.invoices.address}
  traffic.line: {type: trafik_bilgisi, level: encrypted, in: panel.traffic.line}
  message.body: {type: mesaj_icerigi, level: sealed, in: panel.messages.body}
  card.number: {type: kart_bilgisi, level: forbidden}
  customer.fax: {type: faks, level: none, in: panel.customers.fax}
  customer.lost: {type: adres, level: encrypted, in: panel.customers.lost}
retention:
  contract: {keep: P10Y, from: contract_ended, rules: [tbk_146], dispose: yok_etme}
  invoice: {keep: P10Y, from: end_of_calendar_year, rules: [ttk_6102, vuk_213], dispose: yok_etme}
  marketing: {keep: P2Y, from: consent_ended, dispose: yok_etme}
  traffic: {keep: P20M, from: record_created, rules: [y5651_yer_saglayici_trafik], dispose: yok_etme}
  short: {keep: P1M, from: record_created, dispose: yok_etme}
activities:
  account:
    tr: Üyelik
    role: controller
    subjects: [bireysel_musteri]
    rows:
      - {fields: [customer.name, customer.email], purposes: [support], basis: 5/2-c, keep: contract}
      - {fields: [customer.note], purposes: [support], basis: 5/2-c, keep: short}
      - {fields: [customer.hobby], purposes: [marketing], basis: 5/1, consent: C-1, keep: marketing}
      - {fields: [message.body], purposes: [support], basis: 5/2-c, keep: short}
      - {fields: [customer.lost], purposes: [support], basis: 5/2-c}
  billing:
    tr: Faturalama
    role: controller
    subjects: [bireysel_musteri]
    rows:
      - {fields: [customer.name, customer.tckn, invoice.address], purposes: [invoicing], basis: 5/2-ç, law: VUK 229, keep: invoice}
  logs:
    tr: Trafik
    role: controller
    rows:
      - {fields: [traffic.line], purposes: [security], basis: 5/2-ç, law: 5651, keep: traffic}
"""


def register_of(organization: str, manifest: str = MANIFEST) -> Register:
    """The test register of an organization."""
    text = manifest.replace("ORGANIZATION", organization)
    return load_manifest(text, "test.register.yaml").register


def version_row(
    organization: str,
    number: int = 1,
    previous: bytes | None = None,
    *,
    effective: datetime = NOW - timedelta(days=30),
    manifest: str = MANIFEST,
) -> VersionRow:
    """An approved version as the inventory would send it."""
    snapshot = encode_snapshot(
        organization=organization,
        number=number,
        previous=previous,
        register=register_of(organization, manifest),
    )
    approval = encode_approval(
        Approval(
            number=number,
            digest=digest(snapshot),
            author="s-001",
            approver="s-002",
            approved=effective,
            effective=effective,
        )
    )
    return VersionRow(number, digest(snapshot), micros(effective), snapshot, approval)


@dataclass
class Replica:
    """One process's worth of the service over a shared database and epoch folder."""

    folder: Path
    database: Database
    clock: FixedClock
    audit: FakeAudit
    keystore: Keystore
    caches: PairCaches
    tenants: Tenants
    finder: KeyFinder
    encrypting: EncryptOperation
    decrypting: DecryptOperation
    steps: DestructionSteps
    worker: DestructionWorker
    destroying: DestroyOperation

    async def encrypt(
        self, *items: PlainItem, organization: str = "cinar"
    ) -> list[bytes | EmanetError]:
        return await self.encrypting.run(organization, items)

    async def seal(
        self, value: str = "ayşe@example.com", *, organization: str = "cinar", **parts: object
    ) -> bytes:
        """Encrypts one value and returns its envelope."""
        (result,) = await self.encrypt(item(value, **parts), organization=organization)
        assert isinstance(result, bytes), result
        return result

    async def decrypt(
        self,
        *items: SealedItem,
        organization: str = "cinar",
        purpose: str = "support",
        action: resources_pb2.Action.ValueType = resources_pb2.ACTION_DECRYPT,
        timeout_s: float = 5.0,
    ) -> Decrypted:
        return await self.decrypting.run(
            ReadRequest(
                organization=organization,
                context=resources_pb2.AccessContext(
                    actor=resources_pb2.ACTOR_KIND_STAFF, purpose=purpose
                ),
                action=action,
                items=items,
                application="panel",
                staff_token="token-of-a-person",
                timeout_s=timeout_s,
            )
        )

    async def open(
        self, envelope: bytes, *, field: str = "customer.email", **parts: str
    ) -> bytes | EmanetError:
        """Decrypts one envelope and returns its value or why it was not opened."""
        organization = parts.pop("organization", "cinar")
        answer = await self.decrypt(
            SealedItem(field, envelope, parts.pop("record", ""), parts.pop("subject", "")),
            organization=organization,
            **parts,
        )
        (result,) = answer.results
        return result if isinstance(result, EmanetError) else result.value

    async def destroy(
        self,
        subject: str = "customers/7",
        *,
        classes: tuple[str, ...] = (),
        ground: Ground = Ground.SUBJECT_REQUEST,
        request_id: str = "",
        organization: str = "cinar",
        is_preview: bool = False,
    ) -> DestructionRow:
        return await self.destroying.run(
            Order(
                organization=organization,
                act=SubjectOrder(subject, classes, ground),
                request_id=request_id or str(new_uuid7(self.clock)),
                caller="spiffe://dev.emanet.invalid/app/panel",
                staff_token="token-of-the-dpo",
                is_preview=is_preview,
            )
        )

    async def destroy_bucket(
        self, retention_class: str, bucket: str, *, organization: str = "cinar"
    ) -> DestructionRow:
        return await self.destroying.run(
            Order(
                organization=organization,
                act=BucketOrder(retention_class, bucket),
                request_id=str(new_uuid7(self.clock)),
                caller="spiffe://dev.emanet.invalid/app/panel",
                staff_token="token-of-the-dpo",
                is_preview=False,
            )
        )


def item(
    value: str | bytes = "ayşe@example.com",
    *,
    field: str = "customer.email",
    subject: str = "customers/7",
    record: str = "",
    start: datetime | None = None,
) -> PlainItem:
    if isinstance(value, str):
        return PlainItem(field, subject, record, value.encode(), ValueType.TEXT, start)
    return PlainItem(field, subject, record, value, ValueType.BYTES, start)


class World:
    """Makes replicas over one database URL; the first one sets the database up."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.clock = FixedClock(NOW)
        self.audit = FakeAudit(self.clock)
        self._numbers = itertools.count(1)

    def keyring(self, passphrase: bytes = PASSPHRASE) -> PassphraseKeyring:
        url = make_url(self.url)
        return PassphraseKeyring(
            folder=self.folder / "epochs",
            service="crypto",
            passphrase=passphrase,
            cost=CHEAP,
            clock=self.clock,
            database_folder=Path(url.database or "").parent if "sqlite" in self.url else None,
        )

    def keystore(self, passphrase: bytes = PASSPHRASE, lookup_key: bytes = LOOKUP_KEY) -> Keystore:
        return Keystore(provider=self.keyring(passphrase), lookup_key=lookup_key)

    @asynccontextmanager
    async def replica(
        self,
        organizations: Sequence[str] = ("cinar",),
        *,
        database: Database | None = None,
        cache_pairs: int = 1000,
        state: str | None = None,
    ) -> AsyncIterator[Replica]:
        own = database is None
        database = database or Database.open(self.url, pool_size=4)
        try:
            upgrade(database, MIGRATIONS)
            keystore = self.keystore()
            for organization in organizations:
                await self._set_up(organization, keystore, database)
            yield await self._compose(database, keystore, cache_pairs, state)
        finally:
            if own:
                database.close()

    async def _set_up(self, organization: str, keystore: Keystore, database: Database) -> None:
        try:
            await add_organization(
                organization,
                vkey=self.audit.vkey(organization),
                keystore=keystore,
                database=database,
                now=self.clock.now(),
            )
        except EmanetError:
            return
        row = version_row(organization)
        await database.write(lambda c: storage.register.insert_version(c, organization, row))

    async def _compose(
        self, database: Database, keystore: Keystore, cache_pairs: int, state: str | None
    ) -> Replica:
        caches = PairCaches(cache_pairs)
        name = state or f"state-{next(self._numbers)}"
        tenants = Tenants(
            database=database,
            registers=Registers(database),
            state_dir=self.folder / name,
            verify=partial(verify_canary, keystore=keystore, database=database),
        )
        await tenants.load()
        finder = KeyFinder(database=database, keystore=keystore, caches=caches)
        steps = DestructionSteps(
            database=database,
            keystore=keystore,
            tenants=tenants,
            caches=caches,
            audit=self.audit,
            clock=self.clock,
            longest_rpc=LONGEST_RPC,
        )
        return Replica(
            steps=steps,
            worker=DestructionWorker(
                database=database, tenants=tenants, steps=steps, clock=self.clock
            ),
            destroying=DestroyOperation(
                database=database,
                keystore=keystore,
                tenants=tenants,
                steps=steps,
                audit=self.audit,
                clock=self.clock,
            ),
            folder=self.folder,
            database=database,
            clock=self.clock,
            audit=self.audit,
            keystore=keystore,
            caches=caches,
            tenants=tenants,
            finder=finder,
            encrypting=EncryptOperation(tenants=tenants, finder=finder, clock=self.clock),
            decrypting=DecryptOperation(
                tenants=tenants,
                finder=finder,
                audit=self.audit,
                clock=self.clock,
                audit_timeout_s=5.0,
            ),
        )
