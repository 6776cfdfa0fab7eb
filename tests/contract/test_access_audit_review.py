"""ListAccessRecords: reading the log is an access like any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.errors import DeniedError, EmanetError, Reason
from emanet.core.leaf import AccessLeaf, Act, Verdict
from tests.fakes.access_audit_world import (
    BILLING,
    NOW,
    PARENT,
    SECURITY,
    SUPPORT,
    AuditReplica,
    AuditWorld,
    access_context,
    item,
    person,
    rules,
    timestamp,
)


@pytest.fixture
async def audit(database_url: str, tmp_path: Path) -> AsyncIterator[AuditReplica]:
    """Nine accesses: five of support (one denied), three of billing, one of a subject."""
    world = AuditWorld(database_url, tmp_path)
    await world.set_up()
    async with world.replica() as replica:
        await replica.prepare()
        await replica.put_case(subjects=["customers/1", "customers/2"])
        for n in (1, 2, 1, 2, 3):
            replica.clock.advance(timedelta(minutes=1))
            await replica.check(
                item(subject=f"customers/{n}"), session="web-1", connection="192.0.2.1"
            )
        for _ in range(3):
            replica.clock.advance(timedelta(minutes=1))
            await replica.check(
                item("customer.name", "customers/1", bucket="2026-02"),
                staff=BILLING,
                purpose="invoicing",
                case=None,
            )
        await replica.check(
            actor=resources_pb2.ACTOR_KIND_DATA_SUBJECT,
            data_subject="customers/7",
            staff=None,
            purpose="service",
            case=None,
        )
        yield replica


async def _refusal(call) -> EmanetError:
    with pytest.raises(EmanetError) as refused:
        await call
    return refused.value


async def test_records_are_shown_with_the_people_behind_their_tokens(audit: AuditReplica) -> None:
    """Newest first, with what the leaf and its entries say."""
    answer = await audit.listed(person="s-044")
    assert [record.subjects for record in answer.records] == [
        ["customers/3"],
        ["customers/2"],
        ["customers/1"],
        ["customers/2"],
        ["customers/1"],
    ]
    newest, allowed = answer.records[0], answer.records[1]
    assert (newest.verdict, newest.reason) == (resources_pb2.VERDICT_DENY, "CASE_UNFIT")
    assert (newest.person, newest.role, newest.application) == ("s-044", "support", "panel")
    assert (allowed.verdict, list(allowed.rules)) == (resources_pb2.VERDICT_ALLOW, ["A11"])
    assert (allowed.case.kind, allowed.case.ref) == ("ticket", "T-1")
    assert (allowed.session, allowed.connection) == ("web-1", "192.0.2.1")
    assert (allowed.action, list(allowed.fields)) == (
        resources_pb2.ACTION_READ,
        ["customer.email"],
    )
    assert allowed.name.startswith(f"{PARENT}/accessRecords/")
    assert (allowed.register_number, allowed.rule_set_number) == (1, 1)


FILTERS = {
    "person": ({"person": "s-060"}, 3),
    "subject": ({"subject": "customers/1"}, 5),
    "field": ({"field": "customer.name"}, 3),
    "a field that begins alike": ({"field": "customer.nam_"}, 0),
    "purpose": ({"purpose_filter": "service"}, 1),
    "verdict": ({"verdict": resources_pb2.VERDICT_DENY}, 1),
    "waiting": ({"waiting_for_review": True}, 3),
    "application": ({"application": "helpdesk"}, 0),
    "from": ({"start_time": timestamp(NOW + timedelta(minutes=6))}, 4),
    "until": ({"end_time": timestamp(NOW + timedelta(minutes=6))}, 5),
    "somebody unknown": ({"person": "s-777"}, 0),
    "subject of an access without one": ({"subject": "customers/99"}, 0),
}


@pytest.mark.parametrize("name", sorted(FILTERS))
async def test_filters_choose_what_they_name(audit: AuditReplica, name: str) -> None:
    """Each filter alone; the reviewer's own listings are left out by time."""
    filters, count = FILTERS[name]
    filters = dict(filters)
    wanted = filters.pop("purpose_filter", None)
    found = await _list(audit, wanted, **filters)
    shown = [record for record in found if "staff.access" not in record.fields]
    assert len(shown) == count


async def _list(
    audit: AuditReplica, purpose: str | None, **filters: object
) -> list[resources_pb2.AccessRecord]:
    message = access_audit_pb2.ListAccessRecordsRequest(
        parent=PARENT,
        context=access_context(purpose="oversight", case=None),
        page_size=1000,
        purpose=purpose or "",
        **filters,
    )
    request = audit.request("cli", SECURITY)
    return list((await audit.operations.reviews.list_records(request, message)).records)


async def test_pages_neither_repeat_nor_miss(audit: AuditReplica) -> None:
    """While listings themselves add records, the pages of one question stay whole."""
    whole = await _list(audit, None, end_time=timestamp(audit.clock.now()))
    end = timestamp(audit.clock.now())
    found, token = [], ""
    while True:
        page = await audit.listed(page_size=2, page_token=token, end_time=end)
        found.extend(record.name for record in page.records)
        token = page.next_page_token
        if not token:
            break
    assert found == [record.name for record in whole]
    assert len(found) == len(set(found))


async def test_a_page_token_is_for_one_reader_and_one_question(audit: AuditReplica) -> None:
    """Another person, other filters, a changed byte: INVALID_PAGE_TOKEN."""
    token = (await audit.listed(page_size=2)).next_page_token
    assert token
    other = person("s-045", "guvenlik")
    calls = (
        audit.listed(page_token=token, staff=other),
        audit.listed(page_token=token, person="s-044"),
        audit.listed(page_token=token, purpose="support"),
        audit.listed(page_token=token[:-1] + ("A" if token[-1] != "A" else "B")),
        audit.listed(page_token="?"),
    )
    for call in calls:
        assert (await _refusal(call)).reason is Reason.INVALID_PAGE_TOKEN


async def test_a_listing_is_recorded_before_it_is_answered(audit: AuditReplica) -> None:
    """Under its own name: a list of staff.access, for the stated purpose."""
    await audit.listed(person="s-044")
    leaf = audit.leaves()[-1]
    assert isinstance(leaf, AccessLeaf)
    assert (leaf.act, leaf.purpose, leaf.role) == (Act.LIST, "oversight", "analyst")
    assert leaf.target.fields == ("staff.access",)
    assert leaf.target.system == "emanet"


@pytest.mark.parametrize(
    ("staff", "purpose", "reason"),
    [
        (SUPPORT, "oversight", Reason.ROLE_NOT_ALLOWED),
        (person("s-001", "guvenlik"), "support", Reason.PURPOSE_NOT_DECLARED),
        (person("s-001", "guvenlik"), "curiosity", Reason.PURPOSE_NOT_DECLARED),
    ],
    ids=["role", "another purpose", "no purpose"],
)
async def test_the_rules_refuse_a_listing_like_any_read(
    audit: AuditReplica, staff, purpose: str, reason: Reason
) -> None:
    """The refusal names its own record."""
    refused = await _refusal(audit.listed(staff=staff, purpose=purpose))
    assert isinstance(refused, DeniedError)
    assert refused.reason is reason
    leaf = audit.leaves()[-1]
    assert isinstance(leaf, AccessLeaf)
    assert leaf.decision.verdict is Verdict.DENY
    assert refused.record == f"{PARENT}/accessRecords/{leaf.id}"


async def test_nobody_reads_their_own_record(audit: AuditReplica) -> None:
    """`own_record: no` holds for a listing about oneself."""
    refused = await _refusal(audit.listed(person="s-001"))
    assert refused.reason is Reason.ROLE_NOT_ALLOWED


async def test_only_staff_read_the_log(audit: AuditReplica) -> None:
    """No application by itself, no data subject."""
    message = access_audit_pb2.ListAccessRecordsRequest(
        parent=PARENT,
        context=access_context(
            actor=resources_pb2.ACTOR_KIND_APPLICATION, purpose="oversight", case=None
        ),
    )
    call = audit.operations.reviews.list_records(audit.request("robot"), message)
    assert (await _refusal(call)).reason is Reason.INVALID_FIELD


async def test_observed_denials_pass_unqueued(audit: AuditReplica) -> None:
    """Under `mode: observe` the record shows what the rules would have said."""
    text = rules().replace("mode: enforce", "mode: observe")
    await audit.activate(await audit.apply(text))
    answer = await audit.check(item(subject="customers/3"))
    assert (answer.verdict, answer.waiting_for_review) == (resources_pb2.VERDICT_ALLOW, False)
    leaf = audit.leaves()[-1]
    assert isinstance(leaf, AccessLeaf)
    assert leaf.decision.verdict is Verdict.DENY
