"""An access audit without its gRPC edge: real database, committer and operations, a fixed clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp

from emanet.api.access_audit.v1 import access_audit_pb2, log_pb2, resources_pb2, rules_pb2
from emanet.core.checkpoint import Checkpoint, open_checkpoint, parse_vkey
from emanet.core.clock import FixedClock
from emanet.core.encoding import micros
from emanet.core.ids import new_uuid7
from emanet.core.leaf import Leaf, decode_leaf
from emanet.register.manifest import load_manifest
from services.access_audit import storage
from services.access_audit.config import AccessAuditSettings
from services.access_audit.jobs.register import AcceptRegisterJob
from services.access_audit.parts import Core, Operations, compose_core, compose_operations
from services.access_audit.server import DEFINITION
from services.access_audit.storage.log import LeafRow, LogKey
from services.runtime.authorisation import Duty
from services.runtime.command import initialise, open_host
from services.runtime.primitives import ed25519_verify
from services.runtime.request import Caller, CallerKind, Request, bound_request
from services.runtime.tokens import Staff
from tests.fakes.register_source import Made, make_version
from tests.fakes.small_service import SmallInstallation

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ORGANIZATION = "cinar"
PARENT = f"organizations/{ORGANIZATION}"

PRINCIPALS = """\
emanet: principals/v1
trust_domain: dev.emanet.invalid
issuers:
  - {iss: "https://login.dev.emanet.invalid", jwks_file: jwks.json, organizations: [cinar, mese]}
  - {iss: "https://mese.dev.emanet.invalid", jwks_file: jwks.json, organizations: [mese]}
applications:
  panel: {organizations: [cinar, mese], systems: [panel], token_client: panel, may_assert: [data_subject]}
  helpdesk: {organizations: [cinar, mese], token_client: helpdesk, owns_cases: [ticket]}
  erp: {organizations: [cinar], owns_cases: [campaign], owns_events: [contract_ended, consent_ended, moved_house]}
  desk: {organizations: [cinar], owns_cases: [legal_order]}
  robot: {organizations: [cinar], may_assert: [app]}
  cli: {organizations: [cinar, mese], token_client: emanet-cli}
persons:
  s-001: {accounts: [{iss: "https://login.dev.emanet.invalid", sub: "a1"}]}
  s-002: {accounts: [{iss: "https://login.dev.emanet.invalid", sub: "b1"}]}
  s-044: {accounts: [{iss: "https://login.dev.emanet.invalid", sub: "c1"}]}
  s-045: {accounts: [{iss: "https://login.dev.emanet.invalid", sub: "d1"}]}
  s-060: {accounts: [{iss: "https://login.dev.emanet.invalid", sub: "e1"}]}
  s-070: {accounts: [{iss: "https://mese.dev.emanet.invalid", sub: "f1"}]}
duties:
  cinar: {dpo: ["group:kvkk"], security: ["group:guvenlik"], approver: ["group:yonetim"], auditor: ["group:denetim"]}
  mese: {security: ["group:guvenlik"], approver: ["group:yonetim"]}
revoked: {tokens: [], certificates: [], persons: []}
"""

MANIFEST = """\
emanet: register/v1
organization: {id: ORGANIZATION, tr: Deneme A.Ş., kep: kvkk@deneme.example, seat: Eskişehir}
namespaces: {customers: {tr: Müşteri no}, staff: {tr: Personel no}, citizens: {tr: T.C. kimlik no, tckn: true}}
registry: {duty: registered, since: 2021-12-30, contact_person: {title: Hukuk Müşaviri, staff: s-001}}
destruction: {policy: SIP-1, interval: P6M, days: ["01-15", "07-15"], backups_gone_after: P35D, receipts_kept: P3Y, in_charge: Bilgi İşlem Müdürü}
measures: [yetki_matrisi, erisim_loglari, sifreleme, anahtar_yonetimi]
purposes:
  support: {verbis: satis_sonrasi_destek, tr: Destek talebini çözmek, read_needs: ticket}
  invoicing: {verbis: finans_muhasebe, tr: Fatura kesmek}
  service: {verbis: mal_hizmet_uretim_operasyon, tr: Hizmeti sürdürmek}
  authority: {verbis: yetkili_kurumlara_bilgi, tr: Yasal merciye yanıt vermek, read_needs: legal_order}
  security: {verbis: bilgi_guvenligi, tr: Güvenlik olayını incelemek}
  marketing: {verbis: urun_hizmet_pazarlama, tr: Ürün duyurmak, read_needs: campaign, opt_out: [panel]}
  oversight: {verbis: ic_denetim_sorusturma, tr: Personel erişimini denetlemek}
systems: {panel: {tr: Müşteri paneli, kind: database, at: Eskişehir veri merkezi}}
fields:
  customer.name: {type: ad_soyad, level: encrypted, in: panel.customers.full_name}
  customer.email: {type: e_posta, level: encrypted, in: panel.customers.email}
  customer.phone: {type: cep_telefonu, level: encrypted, in: panel.customers.phone}
  login.ip: {type: ip_adresi, level: encrypted, in: panel.logins.ip}
  staff.access: {type: personel_erisim_kaydi, level: none, in: emanet.log}
retention:
  contract: {keep: P10Y, from: contract_ended, rules: [tbk_146], dispose: yok_etme, decided: {by: s-001, on: 2026-02-03, why: Zamanaşımı}}
  consent: {keep: P1M, from: consent_ended, dispose: silme, decided: {by: s-001, on: 2026-02-03, why: Rıza}}
  invoice: {keep: P10Y, from: end_of_calendar_year, rules: [ttk_6102, vuk_213], dispose: yok_etme, decided: {by: s-001, on: 2026-02-03, why: Uzun olan}}
  login: {keep: P2M, from: record_created, rules: [genel_guvenlik_logu], dispose: yok_etme, interval: P1M, decided: {by: s-001, on: 2026-02-03, why: Kanunda süre yok}}
  staff: {keep: P2Y, from: record_created, rules: [genel_guvenlik_logu], dispose: yok_etme, decided: {by: s-001, on: 2026-02-03, why: Kanunda süre yok}}
recipients: {court: {tr: "Savcılık, mahkeme", group: yetkili_kamu_kurum, may_use_for: [oversight, authority], each_needs: legal_order}}
notices:
  account: {version: 1, effective: 2026-03-01, published: 2026-02-01, url: "https://deneme.example/aydinlatma"}
  staff: {version: 1, effective: 2026-01-02, to: calisan}
activities:
  account:
    {tr: Üyelik, department: Müşteri İlişkileri, owner: Müşteri Müdürü, role: controller, review_by: 2027-02-01, subjects: [bireysel_musteri],
     collected: {from: ilgili_kisi, by: Web formu, automatic: true}, notice: account, rows: [
       {fields: [customer.name, customer.email, customer.phone], purposes: [support, service], basis: 5/2-c, keep: contract},
       {fields: [customer.email], purposes: [marketing], basis: 5/1, consent: IYS-1, keep: consent},
       {fields: [customer.name], purposes: [invoicing], basis: 5/2-ç, law: VUK 230, keep: invoice},
       {fields: [customer.name], purposes: [authority], basis: 5/2-ç, law: CMK 332, keep: contract, to: [court]}]}
  logs:
    {tr: Oturum kayıtları, department: Bilgi İşlem, owner: Bilgi İşlem Müdürü, role: controller, review_by: 2027-02-01, subjects: [bireysel_musteri],
     collected: {from: cihaz, by: Sunucu, automatic: true}, notice: account, rows: [
       {fields: [login.ip], purposes: [security], basis: 5/2-f, balance_test: MDT-1, keep: login}]}
  staff_oversight:
    {tr: Personel erişim denetimi, department: Bilgi Güvenliği, owner: Güvenlik Uzmanı, role: controller, review_by: 2027-02-01, subjects: [calisan],
     collected: {from: cihaz, by: Emanet, automatic: true}, notice: staff,
     rows: [{fields: [staff.access], purposes: [oversight], basis: 5/2-ç, law: KVKK m.12/1, keep: staff, to: [court]}]}
"""

RULES = """\
emanet: need_to_know/v1
organization: ORGANIZATION
mode: enforce
calendar: {zone: Europe/Istanbul, work: "Mon-Fri 08:30-18:30"}
roles:
  support: {tr: Destek uzmanı, from: "group:destek"}
  billing: {tr: Muhasebe, from: "group:muhasebe"}
  abuse: {tr: Kötüye kullanım masası, from: "group:abuse"}
  legal: {tr: Hukuk, from: "group:hukuk"}
  analyst: {tr: Erişim denetçisi, from: "group:guvenlik"}
  customer: {tr: Müşteri, built_in: data_subject}
  robot: {tr: Gece işi, from: "app:robot"}
cases:
  ticket: {tr: Destek talebi, from: helpdesk, opened_by: [customer, support]}
  campaign: {tr: Duyuru, from: erp, opened_by: system}
  legal_order: {tr: Resmî yazı, from: desk, opened_by: system}
rules:
  - {id: A10, allow: support, for: support, may: [search, list, read_masked], of: [customer.*], when: {case: open}}
  - {id: A11, allow: support, for: support, may: [read], of: [customer.email, customer.phone], when: {case: [open, concerns_subject, assigned_to_me_or_team], subjects: 3/day}}
  - {id: A20, allow: billing, for: invoicing, may: [read], of: [customer.name], when: {hours: work, records: 10/day}}
  - {id: A21, allow: robot, for: invoicing, may: [read], of: [customer.name], when: {records: 50/day}}
  - {id: A30, allow: abuse, for: security, may: [read], of: [login.ip]}
  - {id: A40, allow: legal, for: authority, may: [read, disclose], of: [customer.name], when: {case: [open, concerns_subject], approver: other_person}}
  - {id: A45, allow: robot, for: marketing, may: [read], of: [customer.email], when: {case: open, records: 4/case}}
  - {id: A50, allow: analyst, for: oversight, may: [list, read, export], of: [staff.access], when: {own_record: no}}
  - {id: A60, allow: customer, for: service, may: [read], of: [customer.*], when: {own_record: yes}}
  - {id: D03, deny: billing, of: [customer.phone], tr: Muhasebe telefon görmez}
examples:
  - {who: support, may: read, of: customer.email, for: support, case: none, then: deny, says: CASE_REQUIRED}
"""


def manifest(organization: str = ORGANIZATION) -> str:
    """The test register's text."""
    return MANIFEST.replace("ORGANIZATION", organization)


def rules(organization: str = ORGANIZATION) -> str:
    """The test rules' text."""
    return RULES.replace("ORGANIZATION", organization)


def person(person_id: str, *groups: str, organizations: Iterable[str] = ("cinar", "mese")) -> Staff:
    """A member of staff as a verified token shows them."""
    return Staff(
        person_id=person_id,
        groups=frozenset(groups),
        token_id=f"jti-{person_id}",
        session="",
        client="panel",
        issuer="https://login.dev.emanet.invalid",
        organizations=frozenset(organizations),
        auth_time=NOW,
        expires=NOW + timedelta(minutes=10),
        duties={name: frozenset(Duty) for name in organizations},
    )


SUPPORT = person("s-044", "destek")
BILLING = person("s-060", "muhasebe")
SECURITY = person("s-001", "guvenlik")
APPROVER = person("s-002", "yonetim")


@dataclass
class AuditReplica:
    """One process's worth of the service."""

    installation: SmallInstallation
    core: Core
    operations: Operations
    clock: FixedClock
    versions: dict[str, list[Made]] = field(default_factory=dict)

    def request(
        self,
        app: str = "panel",
        staff: Staff | None = None,
        *,
        organization: str = ORGANIZATION,
        service: str = "",
    ) -> Request:
        """A call that passed the gate."""
        principals = self.core.host.principals.current()
        name = service or app
        caller = Caller(
            kind=CallerKind.SERVICE if service else CallerKind.APPLICATION,
            name=name,
            spiffe_id=f"spiffe://dev.emanet.invalid/{'service' if service else 'app'}/{name}",
            fingerprint="ab" * 32,
            application=None if service else principals.application(app),
        )
        return Request(
            rpc="test/Test",
            request_id="r",
            organization=organization,
            caller=caller,
            staff=staff,
            language="en",
        )

    def new_id(self) -> str:
        return str(new_uuid7(self.clock))

    async def accept(
        self,
        text: str | None = None,
        *,
        organization: str = ORGANIZATION,
        effective: datetime = NOW - timedelta(days=30),
    ) -> Made:
        """Takes the next register version in, and hears from the inventory."""
        known = self.versions.setdefault(organization, [])
        register = load_manifest(text or manifest(organization), "register.yaml").register
        made = make_version(
            len(known) + 1,
            known[-1].digest if known else None,
            register=register,
            effective=effective,
        )
        await self.core.committer.submit(
            AcceptRegisterJob(
                organization=organization,
                id=new_uuid7(self.clock),
                number=made.number,
                snapshot=made.snapshot,
                approval=made.approval,
            )
        )
        known.append(made)
        self.hear(organization)
        return made

    def hear(self, organization: str = ORGANIZATION) -> None:
        """The inventory was heard now."""
        self.core.contacts.note(organization, micros(self.clock.now()))

    async def apply(
        self,
        text: str | None = None,
        *,
        organization: str = ORGANIZATION,
        staff: Staff = SECURITY,
        **changes: object,
    ) -> resources_pb2.RuleSet:
        message = rules_pb2.ApplyRuleSetRequest(
            parent=f"organizations/{organization}",
            source=text or rules(organization),
            request_id=self.new_id(),
            **changes,
        )
        request = self.request("cli", staff, organization=organization)
        with bound_request(request):
            return (await self.operations.rule_sets.apply(request, message)).rule_set

    async def activate(
        self,
        rule_set: resources_pb2.RuleSet,
        *,
        organization: str = ORGANIZATION,
        staff: Staff = APPROVER,
        digest: bytes | None = None,
        request_id: str = "",
    ) -> rules_pb2.ActivateRuleSetResponse:
        message = rules_pb2.ActivateRuleSetRequest(
            name=rule_set.name,
            digest=digest or rule_set.digest,
            request_id=request_id or self.new_id(),
        )
        request = self.request("cli", staff, organization=organization)
        with bound_request(request):
            return await self.operations.rule_sets.activate(request, message)

    async def prepare(self, organization: str = ORGANIZATION, *, text: str | None = None) -> None:
        """Register, rules, and contact: everything that decisions stand on."""
        await self.accept(organization=organization)
        await self.activate(
            await self.apply(text, organization=organization), organization=organization
        )

    async def put_case(
        self,
        ref: str = "T-1",
        *,
        kind: str = "ticket",
        app: str = "helpdesk",
        subjects: Iterable[str] = ("customers/7",),
        assignees: Iterable[str] = ("s-044",),
        teams: Iterable[str] = (),
        opened_by: str = "customer",
        opener: str = "",
        open_time: datetime | None = None,
        close_time: datetime | None = None,
        request_id: str = "",
        organization: str = ORGANIZATION,
    ) -> resources_pb2.Receipt:
        case = resources_pb2.Case(
            ref=resources_pb2.CaseRef(kind=kind, ref=ref),
            subjects=list(subjects),
            assignees=list(assignees),
            teams=list(teams),
            opened_by=opened_by,
            opener=opener,
            open_time=timestamp(open_time or self.clock.now() - timedelta(hours=1)),
        )
        if close_time is not None:
            case.close_time.CopyFrom(timestamp(close_time))
        message = access_audit_pb2.PutCasesRequest(
            organization=organization, request_id=request_id or self.new_id(), cases=[case]
        )
        answer = await self.operations.facts.put_cases(
            self.request(app, organization=organization), message
        )
        return answer.receipt

    async def put_event(
        self, subject: str, event: str, at: datetime, *, request_id: str = "", app: str = "erp"
    ) -> resources_pb2.Receipt:
        message = access_audit_pb2.PutRetentionEventsRequest(
            organization=ORGANIZATION,
            request_id=request_id or self.new_id(),
            events=[
                resources_pb2.RetentionEvent(subject=subject, event=event, event_time=timestamp(at))
            ],
        )
        answer = await self.operations.facts.put_events(self.request(app), message)
        return answer.receipt

    async def check(
        self,
        *items: resources_pb2.AccessItem,
        staff: Staff | None = SUPPORT,
        app: str = "panel",
        service: str = "",
        organization: str = ORGANIZATION,
        attempt_id: str = "",
        register_number: int = 0,
        action: resources_pb2.Action.ValueType = resources_pb2.ACTION_READ,
        **context: object,
    ) -> access_audit_pb2.CheckAccessResponse:
        message = access_audit_pb2.CheckAccessRequest(
            organization=organization,
            attempt_id=attempt_id or self.new_id(),
            context=access_context(**context),
            action=action,
            items=items or (item(),),
            register_number=register_number,
            application=app if service else "",
        )
        request = self.request(app, staff, organization=organization, service=service)
        return await self.operations.accesses.check(request, message)

    def record_item(
        self,
        *items: resources_pb2.AccessItem,
        item_id: str = "",
        event_time: datetime | None = None,
        action: resources_pb2.Action.ValueType = resources_pb2.ACTION_READ,
        **context: object,
    ) -> access_audit_pb2.RecordItem:
        return access_audit_pb2.RecordItem(
            id=item_id or self.new_id(),
            event_time=timestamp(event_time or self.clock.now()),
            context=access_context(**context),
            action=action,
            items=items or (item(),),
        )

    async def record(
        self,
        *items: access_audit_pb2.RecordItem,
        staff: Staff | None = SUPPORT,
        app: str = "panel",
        organization: str = ORGANIZATION,
    ) -> access_audit_pb2.RecordAccessResponse:
        message = access_audit_pb2.RecordAccessRequest(organization=organization, items=items)
        request = self.request(app, staff, organization=organization)
        return await self.operations.accesses.record(request, message)

    async def listed(
        self, *, staff: Staff = SECURITY, purpose: str = "oversight", **filters: object
    ) -> access_audit_pb2.ListAccessRecordsResponse:
        message = access_audit_pb2.ListAccessRecordsRequest(
            parent=PARENT, context=access_context(purpose=purpose, case=None), **filters
        )
        return await self.operations.reviews.list_records(self.request("cli", staff), message)

    async def exported(self, **changes: object) -> list[log_pb2.ExportLogResponse]:
        message = log_pb2.ExportLogRequest(parent=PARENT, purpose="oversight", **changes)
        request = self.request("cli", SECURITY)
        return [part async for part in self.operations.exports.stream(request, message)]

    async def checkpoint(self, organization: str = ORGANIZATION) -> Checkpoint:
        """The newest checkpoint, its signature verified by the published key."""
        answer = await self.operations.reads.checkpoint(organization)
        return open_checkpoint(answer.checkpoint, parse_vkey(answer.vkey), ed25519_verify)

    def rows(self, organization: str = ORGANIZATION) -> tuple[LeafRow, ...]:
        """Every stored leaf."""
        log = LogKey(organization, 1)
        return self.core.host.database.read_now(
            lambda c: tuple(storage.log.stream_leaves(c, log, start=0, end=10**9, with_data=True))
        )

    def leaves(self, organization: str = ORGANIZATION) -> list[Leaf]:
        """Every stored leaf, decoded."""
        return [decode_leaf(row.data) for row in self.rows(organization)]


def item(
    field_slug: str = "customer.email",
    subject: str = "customers/7",
    *,
    bucket: str = "open",
    count: int = 1,
) -> resources_pb2.AccessItem:
    return resources_pb2.AccessItem(field=field_slug, subject=subject, bucket=bucket, count=count)


def access_context(
    *,
    purpose: str = "support",
    case: tuple[str, str] | None = ("ticket", "T-1"),
    actor: resources_pb2.ActorKind.ValueType = resources_pb2.ACTOR_KIND_STAFF,
    **fields: object,
) -> resources_pb2.AccessContext:
    context = resources_pb2.AccessContext(actor=actor, purpose=purpose, **fields)
    if case is not None:
        context.case.kind, context.case.ref = case
    return context


def timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


class AuditWorld:
    """Makes replicas over one database URL; the first one sets everything up."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.clock = FixedClock(NOW)
        self.installation = SmallInstallation(folder / "installation")
        self.installation.principals_path.write_text(PRINCIPALS, encoding="utf-8")

    def settings(self, *, state_dir: Path | None = None, **changes: object) -> AccessAuditSettings:
        runtime = self.installation.settings(database_url=self.url, state_dir=state_dir)
        return AccessAuditSettings(runtime=runtime, **changes)

    @property
    def service_dir(self) -> Path:
        return self.settings().service_dir

    async def set_up(self, organizations: Iterable[str] = (ORGANIZATION,)) -> None:
        """`init` and `add-organization`."""
        settings = self.settings()
        await asyncio.to_thread(initialise, DEFINITION, settings)
        host = open_host(DEFINITION, settings, clock=self.clock)
        for organization in organizations:
            await DEFINITION.add_organization(host, organization)
        host.database.close()

    @asynccontextmanager
    async def replica(self, **changes: object) -> AsyncIterator[AuditReplica]:
        """A running committer with operations over it."""
        host = open_host(DEFINITION, self.settings(**changes), clock=self.clock)
        try:
            core = compose_core(host)
            core.committer.start()
            try:
                yield AuditReplica(
                    installation=self.installation,
                    core=core,
                    operations=compose_operations(core),
                    clock=self.clock,
                )
            finally:
                await asyncio.to_thread(core.committer.stop)
                core.files.close()
        finally:
            host.database.close()
