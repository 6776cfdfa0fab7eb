"""A small invented organization for tests of the need-to-know rules."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from functools import cache

from emanet.core.leaf_terms import Act, ActorKind
from emanet.register.manifest import load_manifest
from emanet.register.values import Register
from emanet.rules.compile import CompiledRules, compile_rules
from emanet.rules.decide import decide
from emanet.rules.loader import load_rules
from emanet.rules.needs import needed_counts
from emanet.rules.question import CaseFacts, CaseRef, Decision, Facts, Question, Tally
from emanet.rules.values import RuleSet

REGISTER = """\
emanet: register/v1
organization: {id: kavak, tr: Kavak Sunucu A.Ş.}
namespaces: {customers: {tr: Müşteri no}, staff: {tr: Personel no}}
purposes:
  service:   {tr: Hizmeti sürdürmek, read_needs: order}
  support:   {tr: Destek talebini çözmek, read_needs: ticket}
  invoicing: {tr: Fatura kesmek, read_needs: invoice_run}
  authority: {tr: Yasal merciye yanıt vermek, read_needs: legal_order}
  oversight: {tr: Personel erişimini denetlemek, read_needs: review}
  statistics: {tr: Sayım}
systems: {panel: {tr: Panel, kind: database}}
fields:
  customer.name:  {type: ad_soyad, level: encrypted, in: panel.c.name}
  customer.email: {type: e_posta, level: encrypted, in: panel.c.email}
  customer.tckn:  {type: tckn, level: encrypted, in: panel.c.tckn}
  letter.text:    {type: mesaj_icerigi, level: sealed, in: panel.l.text}
  card.number:    {type: kart_bilgisi, level: forbidden}
  traffic.line:   {type: trafik_bilgisi, level: encrypted, in: panel.t.line}
  staff.access:   {type: personel_erisim_kaydi, level: none, in: emanet.log}
recipients:
  court: {tr: Mahkeme, may_use_for: [authority], each_needs: legal_order}
  tax:   {tr: Vergi dairesi, may_use_for: [invoicing]}
  post:  {tr: Posta işletmesi, may_use_for: [service]}
activities:
  account:
    tr: Üyelik
    rows:
      - {fields: [customer.name, customer.email], purposes: [service, support]}
      - {fields: [letter.text], purposes: [support]}
      - {fields: [customer.name, customer.tckn], purposes: [invoicing], to: [tax, court]}
      - {fields: [customer.name, customer.email, traffic.line], purposes: [authority], to: [court]}
      - {fields: [customer.email], purposes: [statistics]}
  oversight:
    tr: Denetim
    rows:
      - {fields: [staff.access], purposes: [oversight]}
"""

HEAD = """\
emanet: need_to_know/v1
organization: kavak
mode: %s
calendar: {zone: Europe/Istanbul, work: "Mon-Fri 09:00-18:00", holidays: [tr, 2026-03-20]}
roles:
  support:  {tr: Destek uzmanı, from: "group:destek"}
  billing:  {tr: Muhasebe uzmanı, from: ["group:muhasebe", "group:mali"], outside: processor}
  legal:    {tr: Hukuk, from: "group:hukuk"}
  analyst:  {tr: Erişim denetçisi, from: "group:denetim"}
  customer: {tr: Müşteri, built_in: data_subject}
  robot:    {tr: Gece işi, from: "app:invoice-run"}
cases:
  ticket:      {tr: Destek talebi, from: helpdesk, opened_by: customer, window: {after_close: P2D}}
  order:       {tr: Sipariş, from: panel, opened_by: [customer, support]}
  invoice_run: {tr: Fatura koşusu, from: erp, opened_by: system}
  legal_order: {tr: Resmî yazı, from: desk, opened_by: [legal], secret: true, needs: number_and_date}
  review:      {tr: İnceleme, from: emanet}
"""

RULES = """\
rules:
  - {id: A10, allow: support, for: support, may: [list, read_masked], of: [customer.*], when: {case: open}}
  - {id: A11, allow: support, for: support, may: [read], of: [customer.email, customer.name], when: {case: [open, concerns_subject, assigned_to_me_or_team], subjects: 3/day}}
  - {id: A20, allow: billing, for: invoicing, may: [read, export], of: [customer.name, customer.tckn], when: {case: open, hours: work, records: 1000/case}}
  - {id: A21, allow: robot, for: invoicing, may: [read, export], of: [customer.name], when: {case: open, records: 5000/case}}
  - {id: A30, allow: legal, for: authority, may: [read, disclose], of: [customer.*, traffic.line], when: {case: [open, concerns_subject], approver: other_person}}
  - {id: A40, allow: analyst, for: oversight, may: [read], of: [staff.access], when: {case: open, own_record: no}}
  - {id: A50, allow: customer, for: service, may: [read, update], of: [customer.*], when: {own_record: yes}}
  - {id: A60, allow: analyst, for: statistics, may: [list], of: [customer.email]}
  - {id: D01, deny: "*", of: ["*"], when: {own_record: yes}, except: [A50], tr: Personel kendi kaydını açmaz}
  - {id: D02, deny: support, of: [customer.tckn, traffic.line], may: [read, export]}
"""

EXAMPLES = """\
examples:
  - {who: support, may: read, of: customer.email, for: support, case: {kind: ticket, is: [open, concerns_subject, assigned_to_me_or_team]}, then: allow, by: A11}
  - {who: support, may: read, of: customer.email, for: support, case: none, then: deny, says: CASE_REQUIRED}
  - {who: support, may: read, of: customer.email, for: support, case: {kind: ticket, is: [open], opened_by: same_actor}, then: deny, says: CASE_SELF_OPENED}
  - {who: support, may: read, of: customer.tckn, for: invoicing, then: deny, by: D02, says: DENY_RULE}
  - {who: legal, may: disclose, of: traffic.line, for: authority, case: {kind: legal_order, is: [open, concerns_subject]}, approver: none, then: deny, says: APPROVER_REQUIRED}
  - {who: legal, may: disclose, of: traffic.line, for: authority, case: {kind: legal_order, is: [open, concerns_subject]}, approver: other_person, then: allow, by: A30}
  - {who: customer, may: read, of: customer.email, for: service, then: allow, by: A50}
  - {who: customer, may: read, of: customer.email, for: service, own_record: no, then: deny, says: ROLE_NOT_ALLOWED}
  - {who: billing, may: export, of: customer.name, for: invoicing, records: 1001, case: {kind: invoice_run, is: open}, then: deny, says: LIMIT_EXCEEDED}
  - {who: billing, may: read, of: customer.name, for: invoicing, hours: off, case: {kind: invoice_run, is: open}, then: deny, says: OUTSIDE_HOURS}
  - {who: robot, may: read, of: customer.name, for: invoicing, case: {kind: invoice_run, is: open}, hours: off, then: allow, by: A21}
"""

# A Tuesday, 12:00 in Türkiye.
NOON = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@cache
def register() -> Register:
    return load_manifest(REGISTER, "register.yaml").register


def text(rules: str = RULES, *, mode: str = "enforce", examples: str = "") -> str:
    return HEAD % mode + rules + examples


def ruleset(rules: str = RULES, *, mode: str = "enforce", examples: str = "") -> RuleSet:
    return load_rules(text(rules, mode=mode, examples=examples), source="need_to_know.yaml")


@cache
def world(rules: str = RULES, mode: str = "enforce") -> CompiledRules:
    return compile_rules(ruleset(rules, mode=mode), register())


def ticket(**changes: object) -> CaseFacts:
    """A customer's open ticket T-7 about customers/7, assigned to s-044."""
    base = CaseFacts(
        kind="ticket",
        ref="T-7",
        opened_by="customer",
        opened_at=NOON - timedelta(hours=3),
        received_at=NOON - timedelta(hours=3),
        subjects=frozenset({"customers/7"}),
        assignees=frozenset({"s-044"}),
    )
    return dataclasses.replace(base, **changes)


def order(**changes: object) -> CaseFacts:
    """An official letter opened by a colleague in the legal department."""
    return ticket(
        **{"kind": "legal_order", "ref": "2026-118", "opened_by": "legal", "opener": "s-070"}
        | changes
    )


def question(case: CaseFacts | None = None, **changes: object) -> Question:
    """s-044 of the support group wants the e-mail of customers/7 for support."""
    base = Question(
        actor=ActorKind.HUMAN,
        actor_id="s-044",
        application="panel",
        purpose="support",
        act=Act.DECRYPT,
        fields=("customer.email",),
        time=NOON,
        subjects=("customers/7",),
        groups=frozenset({"destek"}),
        case=CaseRef(case.kind, case.ref) if case else None,
    )
    return dataclasses.replace(base, **changes)


def ask(
    compiled: CompiledRules,
    asked: Question,
    case: CaseFacts | None = None,
    *,
    total: int = 0,
    overlap: int = 0,
    **facts: object,
) -> Decision:
    """Decides with every counter at the same value."""
    counts = {
        (need.counted, need.per): Tally(total, overlap) for need in needed_counts(compiled, asked)
    }
    return decide(compiled, asked, Facts(case=case, counts=counts, **facts))
