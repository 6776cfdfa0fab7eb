"""CheckAccess on both databases: what is decided, what is recorded, what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from emanet.api.access_audit.v1 import resources_pb2
from emanet.core.disclosure import ShownEntry, decode_disclosure
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import AccessLeaf, EntryKey, Mode, Verdict
from services.access_audit import storage
from tests.fakes.access_audit_world import (
    BILLING,
    NOW,
    ORGANIZATION,
    AuditReplica,
    AuditWorld,
    item,
    manifest,
    person,
    rules,
)

ALLOW, DENY = resources_pb2.VERDICT_ALLOW, resources_pb2.VERDICT_DENY
LEGAL = person("s-045", "hukuk")
ABUSE = person("s-045", "abuse")


@pytest.fixture
async def audit(database_url: str, tmp_path: Path) -> AsyncIterator[AuditReplica]:
    world = AuditWorld(database_url, tmp_path)
    await world.set_up()
    async with world.replica() as replica:
        await replica.prepare()
        yield replica


async def _refusal(call) -> EmanetError:
    with pytest.raises(EmanetError) as refused:
        await call
    return refused.value


def _accesses(audit: AuditReplica) -> list[AccessLeaf]:
    return [leaf for leaf in audit.leaves() if isinstance(leaf, AccessLeaf)]


def _entries(audit: AuditReplica, index: int) -> list[tuple[str, str]]:
    log = storage.log.LogKey(ORGANIZATION, 1)
    stored = audit.core.host.database.read_now(
        lambda c: storage.log.read_entries(c, log, [index])[index]
    )
    shown = decode_disclosure(stored)
    return [(e.entry.key.value, e.entry.value) for e in shown if isinstance(e, ShownEntry)]


async def test_an_open_case_about_this_person_allows_and_explains_the_read(
    audit: AuditReplica,
) -> None:
    """The answer names reason, record and receipt; the leaf says who, why and under what."""
    await audit.put_case()
    answer = await audit.check(session="web-1", connection="192.0.2.7")
    assert (answer.verdict, answer.reason, answer.waiting_for_review) == (ALLOW, "CASE", False)
    (leaf,) = _accesses(audit)
    assert answer.record == f"organizations/{ORGANIZATION}/accessRecords/{leaf.id}"
    assert (leaf.role, leaf.decision.rules, leaf.reasons) == ("support", ("A11",), ())
    assert (leaf.decision.register, leaf.decision.rule_set) == (1, 1)
    assert (leaf.target.system, leaf.target.fields, leaf.target.values) == (
        "panel",
        ("customer.email",),
        1,
    )
    assert answer.receipt.index == len(audit.rows()) - 1
    assert answer.leaf == b""


async def test_the_leaf_names_nobody_in_clear(audit: AuditReplica) -> None:
    """Persons, subjects, cases and addresses are in entries or pseudonyms, never in leaf bytes."""
    await audit.put_case()
    answer = await audit.check(session="web-1", connection="192.0.2.7", justification="aradı")
    row = audit.rows()[answer.receipt.index]
    for value in (b"s-044", b"customers/7", b"T-1", b"192.0.2.7", b"web-1", b"arad"):
        assert value not in row.data
    entries = dict(_entries(audit, answer.receipt.index))
    assert set(entries) == {
        "subject",
        "case",
        "connection",
        "session",
        "credential",
        "token_id",
        "text",
    }
    assert (entries["case"], entries["connection"]) == ("ticket/T-1", "192.0.2.7")
    assert len(entries["subject"]) == 32


async def test_one_person_has_one_token_whatever_the_record(audit: AuditReplica) -> None:
    """The same member of staff and the same subject keep their tokens from leaf to leaf."""
    await audit.put_case()
    first = await audit.check()
    second = await audit.check()
    one, two = _accesses(audit)
    assert one.actor.id == two.actor.id
    tokens = [dict(_entries(audit, answer.receipt.index))["subject"] for answer in (first, second)]
    assert tokens[0] == tokens[1] != one.actor.id


DENIALS = {
    "PURPOSE_NOT_DECLARED": {"items": (item("login.ip"),)},
    "ROLE_NOT_ALLOWED": {"staff": person("s-050", "kimse")},
    "CASE_REQUIRED": {"case": None},
    "CASE_UNFIT": {"items": (item(subject="customers/8"),)},
    "DENY_RULE": {
        "staff": person("s-044", "destek", "muhasebe"),
        "items": (item("customer.phone"),),
    },
    "CASE_SELF_OPENED": {"case": ("ticket", "T-SELF")},
    "APPROVER_REQUIRED": {
        "staff": LEGAL,
        "purpose": "authority",
        "case": ("legal_order", "L-1"),
        "items": (item("customer.name"),),
    },
    "RECIPIENT_REQUIRED": {
        "staff": LEGAL,
        "purpose": "authority",
        "case": ("legal_order", "L-1"),
        "items": (item("customer.name"),),
        "action": resources_pb2.ACTION_DISCLOSE,
        "recipient": "nobody",
    },
    "LIMIT_EXCEEDED": {
        "staff": BILLING,
        "purpose": "invoicing",
        "case": None,
        "items": (item("customer.name", bucket="2026-02", count=11),),
    },
    "RETENTION_ENDED": {
        "staff": ABUSE,
        "purpose": "security",
        "case": None,
        "items": (item("login.ip", bucket="2025-12"),),
    },
}


@pytest.mark.parametrize("reason", sorted(DENIALS))
async def test_every_reason_of_a_denial_is_told_and_recorded(
    audit: AuditReplica, reason: str
) -> None:
    """A denial is an answer with a record of its own, and its first reason is the told one."""
    await audit.put_case()
    await audit.put_case("T-SELF", opened_by="support", opener="s-044")
    await audit.put_case("L-1", kind="legal_order", app="desk", opened_by="system", assignees=())
    case = dict(DENIALS[reason])
    answer = await audit.check(*case.pop("items", ()), **case)
    assert (answer.verdict, answer.reason) == (DENY, reason)
    leaf = _accesses(audit)[-1]
    assert (leaf.decision.verdict, leaf.decision.why) == (Verdict.DENY, reason)
    assert leaf.reasons[0] == reason
    assert leaf.decision.mode is Mode.ENFORCE


async def test_reads_outside_working_hours_are_refused(audit: AuditReplica) -> None:
    """`hours: work` is judged by the receive time in Istanbul."""
    read = {"staff": BILLING, "purpose": "invoicing", "case": None}
    name = item("customer.name", bucket="2026-02")
    assert (await audit.check(name, **read)).verdict == ALLOW
    audit.clock.advance(timedelta(hours=8))
    audit.hear()
    assert (await audit.check(name, **read)).reason == "OUTSIDE_HOURS"


async def test_a_denial_names_the_register_row_at_fault(audit: AuditReplica) -> None:
    """What the caller may show: field and row, never a rule."""
    answer = await audit.check(item("customer.name"), purpose="security", case=None)
    assert dict(answer.metadata) == {
        "field": "customer.name",
        "row": "activities/account/rows/0",
    }


async def test_an_attempt_is_never_answered_twice(audit: AuditReplica) -> None:
    """The same id with the same content is refused, and leaves one record."""
    await audit.put_case()
    attempt = audit.new_id()
    await audit.check(attempt_id=attempt)
    refused = await _refusal(audit.check(attempt_id=attempt))
    assert refused.reason is Reason.ATTEMPT_REUSED
    assert len(_accesses(audit)) == 1


async def test_of_two_attempts_at_once_with_one_id_one_is_answered(audit: AuditReplica) -> None:
    """Also when both are in the same transaction."""
    await audit.put_case()
    attempt = audit.new_id()
    answers = await asyncio.gather(
        *(audit.check(attempt_id=attempt) for _ in range(4)), return_exceptions=True
    )
    refused = [each for each in answers if isinstance(each, EmanetError)]
    assert [each.reason for each in refused] == [Reason.ATTEMPT_REUSED] * 3
    assert len(_accesses(audit)) == 1


async def test_a_case_that_closes_stops_the_next_read(audit: AuditReplica) -> None:
    """Case closed between two reads: the second is decided anew."""
    await audit.put_case()
    assert (await audit.check()).verdict == ALLOW
    audit.clock.advance(timedelta(minutes=1))
    await audit.put_case(close_time=audit.clock.now())
    assert (await audit.check()).reason == "CASE_UNFIT"


async def test_a_role_that_is_taken_stops_the_next_read(audit: AuditReplica) -> None:
    """Roles come from the token of each read alone."""
    await audit.put_case()
    assert (await audit.check()).verdict == ALLOW
    without = person("s-044", "stajyer")
    assert (await audit.check(staff=without)).reason == "ROLE_NOT_ALLOWED"


async def test_rules_that_change_decide_the_next_read(audit: AuditReplica) -> None:
    """The record names the rule set that decided."""
    await audit.put_case()
    assert (await audit.check()).verdict == ALLOW
    stricter = rules().replace("subjects: 3/day", "approver: other_person")
    await audit.activate(await audit.apply(stricter))
    assert (await audit.check()).reason == "APPROVER_REQUIRED"
    assert _accesses(audit)[-1].decision.rule_set == 2


async def test_a_register_that_changes_decides_the_next_read(audit: AuditReplica) -> None:
    """From its effective time on, not before; the record names the version."""
    await audit.put_case()
    narrower = manifest().replace(
        "{fields: [customer.name, customer.email, customer.phone], purposes: [support, service]",
        "{fields: [customer.name, customer.phone], purposes: [support, service]",
    )
    await audit.accept(narrower, effective=NOW + timedelta(minutes=10))
    assert (await audit.check()).verdict == ALLOW
    audit.clock.advance(timedelta(minutes=10))
    audit.hear()
    assert (await audit.check()).reason == "PURPOSE_NOT_DECLARED"
    assert [leaf.decision.register for leaf in _accesses(audit)] == [1, 2]


async def test_a_case_heard_of_after_the_read_does_not_count(audit: AuditReplica) -> None:
    """An access that has happened is not explained by a case that came later."""
    early = audit.clock.now() - timedelta(minutes=2)
    await audit.put_case(open_time=early - timedelta(hours=1))
    answer = await audit.record(audit.record_item(event_time=early))
    assert answer.results[0].verdict == DENY


async def test_an_approver_must_be_another_person(audit: AuditReplica) -> None:
    """The approver's own token stands for them, sent by the application that got it, of a person
    of this organization; one's own does not help.
    """
    await audit.put_case("L-1", kind="legal_order", app="desk", opened_by="system", assignees=())
    audit.clock.set(audit.clock.now())
    read = {"staff": LEGAL, "purpose": "authority", "case": ("legal_order", "L-1")}
    now = int(audit.clock.now().timestamp())

    def token(sub: str, **claims: str) -> str:
        issuer = audit.installation.issuer
        return issuer.token(sub, iat=now, exp=now + 600, auth_time=now, groups=[], **claims)

    name = item("customer.name")
    for stranger, reason in (
        (token("b1", azp="helpdesk"), Reason.TOKEN_INVALID),
        (token("f1", iss="https://mese.dev.emanet.invalid"), Reason.ORGANIZATION_NOT_ALLOWED),
    ):
        refused = await _refusal(audit.check(name, approver_token=stranger, **read))
        assert refused.reason is reason
    own = await audit.check(name, approver_token=token("d1"), **read)
    assert own.reason == "APPROVER_REQUIRED"
    other = await audit.check(name, approver_token=token("b1"), **read)
    assert (other.verdict, other.reason) == (ALLOW, "CASE")
    assert EntryKey.APPROVER.value in dict(_entries(audit, other.receipt.index))


async def test_a_data_subject_reads_only_their_own_record(audit: AuditReplica) -> None:
    """Through an application that may assert just this; the record bears the subject's token."""
    own = {
        "actor": resources_pb2.ACTOR_KIND_DATA_SUBJECT,
        "data_subject": "customers/7",
        "staff": None,
        "purpose": "service",
        "case": None,
    }
    answer = await audit.check(**own)
    assert (answer.verdict, answer.reason) == (ALLOW, "OWN_RECORD")
    subject = dict(_entries(audit, answer.receipt.index))["subject"]
    assert _accesses(audit)[-1].actor.id == subject
    assert (await audit.check(item(subject="customers/8"), **own)).verdict == DENY
    job = {**own, "actor": resources_pb2.ACTOR_KIND_APPLICATION}
    for stranger, stated in (("helpdesk", own), ("panel", job)):
        refused = await _refusal(audit.check(app=stranger, **stated))
        assert refused.reason is Reason.ASSERTION_NOT_ALLOWED


async def test_retention_ends_a_purpose_by_event(audit: AuditReplica) -> None:
    """Consent ended and its month is over: no more marketing reads of this person."""
    await audit.put_case("C-1", kind="campaign", app="erp", opened_by="system", assignees=())
    read = {
        "actor": resources_pb2.ACTOR_KIND_APPLICATION,
        "staff": None,
        "app": "robot",
        "purpose": "marketing",
        "case": ("campaign", "C-1"),
    }
    assert (await audit.check(**read)).verdict == ALLOW
    await audit.put_event("customers/7", "consent_ended", NOW - timedelta(days=40))
    assert (await audit.check(**read)).reason == "RETENTION_ENDED"
    assert (await audit.check(item(subject="customers/8"), **read)).verdict == ALLOW


@pytest.mark.parametrize(
    "subject", ["nowhere/7", "customers/10000000146"], ids=["namespace", "identity number"]
)
async def test_subjects_must_be_as_the_register_declares(audit: AuditReplica, subject: str) -> None:
    """Undeclared namespaces and references that look like T.C. numbers are not recorded at all."""
    before = len(audit.rows())
    refused = await _refusal(audit.check(item(subject=subject)))
    assert refused.reason is Reason.INVALID_SUBJECT
    assert len(audit.rows()) == before
    assert subject not in str(refused.metadata)


async def test_a_namespace_for_identity_numbers_takes_them(audit: AuditReplica) -> None:
    """Only where the register says so."""
    await audit.put_case(subjects=["citizens/10000000146"])
    answer = await audit.check(item(subject="citizens/10000000146"))
    assert answer.verdict == ALLOW


async def test_alert_lets_pass_and_queues(audit: AuditReplica) -> None:
    """Under `mode: alert` what the rules refuse passes into the review queue with its reasons."""
    lenient = rules().replace("mode: enforce", "mode: alert")
    await audit.activate(await audit.apply(lenient))
    await audit.put_case(assignees=["s-099"])
    answer = await audit.check()
    assert (answer.verdict, answer.waiting_for_review) == (ALLOW, True)
    leaf = _accesses(audit)[-1]
    assert (leaf.decision.mode, leaf.decision.why) == (Mode.ALERT, "CASE_UNFIT")
    assert (await audit.operations.info.read(ORGANIZATION)).waiting_for_review == 1
