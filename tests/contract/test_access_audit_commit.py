"""Group commit on both databases: limits, order, clocks, queues and what an organization lacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.disclosure import ShownEntry, decode_disclosure
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import AccessLeaf, LeafType
from services.access_audit import storage
from tests.fakes.access_audit_world import (
    BILLING,
    ORGANIZATION,
    SUPPORT,
    AuditReplica,
    AuditWorld,
    item,
    rules,
)
from tests.postgres import PostgresServer

ALLOW, DENY = resources_pb2.VERDICT_ALLOW, resources_pb2.VERDICT_DENY


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


async def test_limits_hold_under_concurrency(audit: AuditReplica) -> None:
    """Of forty reads at once, exactly those within 10 records a day are allowed."""
    name = item("customer.name", bucket="2026-02")
    answers = await asyncio.gather(
        *(audit.check(name, staff=BILLING, purpose="invoicing", case=None) for _ in range(40))
    )
    assert sum(answer.verdict == ALLOW for answer in answers) == 10
    again = await audit.check(name, staff=BILLING, purpose="invoicing", case=None)
    assert again.reason == "LIMIT_EXCEEDED"
    audit.clock.advance(timedelta(days=1))
    audit.hear()
    tomorrow = await audit.check(name, staff=BILLING, purpose="invoicing", case=None)
    assert tomorrow.verdict == ALLOW


async def test_a_limit_of_subjects_counts_different_people(audit: AuditReplica) -> None:
    """Three a day: reading the third again is free, a fourth is not."""
    await audit.put_case(subjects=[f"customers/{n}" for n in range(6)])
    for n in (0, 1, 2, 2, 0):
        assert (await audit.check(item(subject=f"customers/{n}"))).verdict == ALLOW
    assert (await audit.check(item(subject="customers/3"))).reason == "LIMIT_EXCEEDED"


async def test_a_limit_under_a_case_counts_whoever_reads(audit: AuditReplica) -> None:
    """Four records under the campaign, however the reads are cut."""
    await audit.put_case("C-1", kind="campaign", app="erp", opened_by="system", assignees=())
    read = {
        "actor": resources_pb2.ACTOR_KIND_APPLICATION,
        "staff": None,
        "app": "robot",
        "purpose": "marketing",
        "case": ("campaign", "C-1"),
    }
    three = [item(subject=f"customers/{n}") for n in range(3)]
    assert (await audit.check(*three, **read)).verdict == ALLOW
    assert (await audit.check(*three[:2], **read)).reason == "LIMIT_EXCEEDED"
    assert (await audit.check(three[0], **read)).verdict == ALLOW


async def test_another_register_number_is_skew(audit: AuditReplica) -> None:
    """Nothing is recorded for it: the caller asks again in a second."""
    before = len(audit.rows())
    refused = await _refusal(audit.check(register_number=2))
    assert refused.reason is Reason.REGISTER_SKEW
    assert len(audit.rows()) == before
    assert (await audit.check(register_number=1)).verdict == DENY


async def test_decisions_stop_without_contact_to_the_inventory(audit: AuditReplica) -> None:
    """Degraded after five minutes, stopped after sixty, going on at the next contact."""
    audit.clock.advance(timedelta(minutes=6))
    await audit.check()
    info = await audit.operations.info.read(ORGANIZATION)
    assert "REGISTER_DEGRADED" in {warning.code for warning in info.warnings}
    audit.clock.advance(timedelta(minutes=55))
    refused = await _refusal(audit.check())
    assert refused.reason is Reason.REGISTER_STALE
    audit.hear()
    await audit.check()


async def test_a_clock_behind_the_log_stops_it(audit: AuditReplica) -> None:
    """Five minutes are bridged without a falling receive time; more is CLOCK_BEHIND."""
    audit.clock.advance(-timedelta(minutes=4))
    await audit.check()
    times = [leaf.receive_us for leaf in audit.leaves()]
    assert times == sorted(times)
    audit.clock.advance(-timedelta(minutes=2))
    refused = await _refusal(audit.check())
    assert refused.reason is Reason.CLOCK_BEHIND


async def test_fifty_callers_share_commits_and_one_order(audit: AuditReplica) -> None:
    """Indexes are contiguous, ids unique, times never fall, and every answer is covered."""
    await audit.put_case(subjects=[f"customers/{n}" for n in range(50)])
    before = (await audit.checkpoint()).size
    answers = await asyncio.gather(
        *(
            audit.check(item(subject=f"customers/{n}"), action=resources_pb2.ACTION_LIST)
            for n in range(50)
        )
    )
    rows = audit.rows()
    assert [row.idx for row in rows] == list(range(len(rows)))
    assert len({row.id for row in rows}) == len(rows) == before + 50
    indexes = sorted(answer.receipt.index for answer in answers)
    assert indexes == list(range(before, before + 50))
    times = [leaf.receive_us for leaf in audit.leaves()]
    assert times == sorted(times)
    notes = {answer.receipt.checkpoint for answer in answers}
    assert len(notes) < 50
    assert (await audit.checkpoint()).size == before + 50


async def test_two_organizations_keep_apart(database_url: str, tmp_path: Path) -> None:
    """Each has its own log, tokens and case numbers; the same person differs between them."""
    world = AuditWorld(database_url, tmp_path)
    await world.set_up(("cinar", "mese"))
    async with world.replica() as audit:
        for organization in ("cinar", "mese"):
            await audit.prepare(organization)
        await audit.put_case(organization="cinar")
        answers = await asyncio.gather(
            *(audit.check(organization=name) for name in ("cinar", "mese") for _ in range(5))
        )
        assert [answer.verdict for answer in answers] == [ALLOW] * 5 + [DENY] * 5
        actors = [
            {leaf.actor.id for leaf in audit.leaves(name) if leaf.TYPE is LeafType.ACCESS}
            for name in ("cinar", "mese")
        ]
        assert len(actors[0]) == len(actors[1]) == 1
        assert actors[0] != actors[1]
        origins = {(await audit.checkpoint(name)).origin for name in ("cinar", "mese")}
        assert origins == {"emanet-dev/test/cinar/1", "emanet-dev/test/mese/1"}


async def test_an_organization_says_what_it_lacks(database_url: str, tmp_path: Path) -> None:
    """Unknown, without register, without rules: three different refusals."""
    world = AuditWorld(database_url, tmp_path)
    await world.set_up()
    async with world.replica() as audit:
        unknown = await _refusal(audit.check(organization="mese"))
        assert unknown.reason is Reason.ORGANIZATION_MISSING
        assert (await _refusal(audit.check())).reason is Reason.REGISTER_MISSING
        await audit.accept()
        assert (await _refusal(audit.check())).reason is Reason.RULES_MISSING


async def test_too_much_waiting_is_refused_at_once(database_url: str, tmp_path: Path) -> None:
    """The queue is bounded; what is refused can be sent again."""
    world = AuditWorld(database_url, tmp_path)
    await world.set_up()
    async with world.replica(queue_items=5) as audit:
        await audit.prepare()
        answers = await asyncio.gather(*(audit.check() for _ in range(60)), return_exceptions=True)
        refused = [each for each in answers if isinstance(each, EmanetError)]
        assert refused
        assert {each.reason for each in refused} == {Reason.OVERLOADED}
        answered = [
            each for each in answers if isinstance(each, access_audit_pb2.CheckAccessResponse)
        ]
        assert len(_accesses(audit)) == len(answered) == 60 - len(refused)


async def test_health_hears_when_nobody_commits(audit: AuditReplica) -> None:
    """Without the committer's thread every request would wait for its deadline."""
    committer = audit.core.committer
    await committer.verify_alive()
    await asyncio.to_thread(committer.stop)
    for call in (committer.verify_alive, audit.check):
        assert (await _refusal(call())).reason is Reason.NOT_READY


async def test_crypto_without_token_of_the_application_is_refused(audit: AuditReplica) -> None:
    """A forwarded token must have been issued to the application that is named."""
    await audit.put_case()
    assert (await audit.check(service="crypto", app="panel")).leaf
    refused = await _refusal(audit.check(service="crypto", app="helpdesk"))
    assert refused.reason is Reason.TOKEN_INVALID
    foreign = await _refusal(
        audit.check(service="crypto", app="erp", organization="mese", staff=SUPPORT)
    )
    assert foreign.reason is Reason.ORGANIZATION_NOT_ALLOWED


@pytest.fixture
def shared_url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database() as url:
        yield url


@pytest.mark.postgres
async def test_replicas_write_one_log(shared_url: str, tmp_path: Path) -> None:
    """Two processes over one PostgreSQL: one order, one history, limits and attempts shared."""
    world = AuditWorld(shared_url, tmp_path)
    await world.set_up()
    async with world.replica() as one, world.replica(state_dir=tmp_path / "two") as two:
        await one.prepare()
        two.hear()
        name = item("customer.name", bucket="2026-02")
        read = {"staff": BILLING, "purpose": "invoicing", "case": None}
        answers = await asyncio.gather(
            *(replica.check(name, **read) for _ in range(15) for replica in (one, two))
        )
        assert sum(answer.verdict == ALLOW for answer in answers) == 10
        attempt = one.new_id()
        await one.check(attempt_id=attempt)
        assert (await _refusal(two.check(attempt_id=attempt))).reason is Reason.ATTEMPT_REUSED
        rows = one.rows()
        assert [row.idx for row in rows] == list(range(len(rows)))
        assert await one.checkpoint() == await two.checkpoint()
        stricter = rules().replace("records: 10/day", "approver: other_person")
        await two.activate(await two.apply(stricter))
        assert (await one.check(name, **read)).reason == "APPROVER_REQUIRED"
