"""Cases, retention events and due subjects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.disclosure import decode_disclosure, verify_disclosure
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import CasesLeaf, RetentionLeaf
from services.access_audit import storage
from services.access_audit.storage.cases import CaseKey
from services.access_audit.storage.log import LogKey
from tests.fakes.access_audit_world import (
    NOW,
    ORGANIZATION,
    PARENT,
    AuditReplica,
    AuditWorld,
    rules,
    timestamp,
)

ALLOW, DENY = resources_pb2.VERDICT_ALLOW, resources_pb2.VERDICT_DENY
LOG = LogKey(ORGANIZATION, 1)


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


def _read(audit: AuditReplica, work):
    return audit.core.host.database.read_now(work)


async def test_a_batch_of_cases_is_one_leaf_bound_to_what_it_says(audit: AuditReplica) -> None:
    """One entry a case, people by token, root and count in the leaf."""
    receipt = await audit.put_case(opener="s-060", opened_by="support", teams=["group:destek"])
    leaf = audit.leaves()[-1]
    assert isinstance(leaf, CasesLeaf)
    assert (leaf.app, leaf.entries) == ("helpdesk", 1)
    stored = _read(audit, lambda c: storage.log.read_entries(c, LOG, [receipt.index]))
    shown = decode_disclosure(stored[receipt.index])
    verify_disclosure(shown, entries=1, entries_root=leaf.entries_root)
    for value in (b"customers/7", b"s-044", b"s-060"):
        assert value not in stored[receipt.index]
    assert b"destek" in stored[receipt.index]


async def test_a_case_may_be_assigned_to_a_team(audit: AuditReplica) -> None:
    """Groups count with and without their prefix."""
    await audit.put_case(assignees=(), teams=["group:destek"])
    assert (await audit.check()).verdict == ALLOW


async def test_a_later_push_replaces_all_but_when_it_was_first_heard_of(
    audit: AuditReplica,
) -> None:
    """Subjects and assignees are those of the last push."""
    await audit.put_case()
    audit.clock.advance(timedelta(minutes=5))
    await audit.put_case(subjects=["customers/8"], assignees=["s-045"])
    key = CaseKey("ticket", "T-1")
    row = _read(audit, lambda c: storage.cases.find_cases(c, ORGANIZATION, [key]))[key]
    assert row.receive_us == int(NOW.timestamp() * 1_000_000)
    assert len(row.subjects) == len(row.assignees) == 1
    assert (await audit.check()).reason == "CASE_UNFIT"


async def test_repeated_requests_are_answered_once(audit: AuditReplica) -> None:
    """The same id and content give the same leaf; other content is refused."""
    request = audit.new_id()
    first = await audit.put_case(request_id=request, open_time=NOW)
    again = await audit.put_case(request_id=request, open_time=NOW)
    assert first.index == again.index
    refused = await _refusal(audit.put_case("T-2", request_id=request, open_time=NOW))
    assert refused.reason is Reason.REQUEST_ID_REUSED
    event = audit.new_id()
    one = await audit.put_event("customers/7", "contract_ended", NOW, request_id=event)
    two = await audit.put_event("customers/7", "contract_ended", NOW, request_id=event)
    assert one.index == two.index


async def test_kinds_belong_to_one_application(audit: AuditReplica) -> None:
    """principals.yaml and the active rules must both give it."""
    foreign = await _refusal(audit.put_case(kind="campaign"))
    assert foreign.reason is Reason.RPC_NOT_ALLOWED
    panel = await _refusal(audit.put_case(app="panel"))
    assert panel.reason is Reason.RPC_NOT_ALLOWED


@pytest.mark.parametrize("kept", ["", "  campaign: {tr: Duyuru, from: desk, opened_by: system}\n"])
async def test_a_kind_that_the_rules_do_not_give_is_refused(audit: AuditReplica, kept: str) -> None:
    """A case that no rule could read, or of another application, is a mistake of who sends it."""
    text = rules().replace("  campaign: {tr: Duyuru, from: erp, opened_by: system}\n", kept)
    lines = [line for line in text.splitlines() if "for: marketing" not in line]
    await audit.activate(await audit.apply("\n".join(lines) + "\n"))
    refused = await _refusal(
        audit.put_case("C-1", kind="campaign", app="erp", opened_by="system", assignees=())
    )
    assert refused.reason is Reason.INVALID_FIELD


@pytest.mark.parametrize(
    "change",
    [
        {"opened_by": "Müşteri"},
        {"open_time": NOW + timedelta(minutes=6)},
        {"close_time": NOW - timedelta(hours=2)},
        {"ref": ""},
        {"ref": "x" * 129},
        {"assignees": [f"s-{n}" for n in range(200)]},
    ],
)
async def test_cases_out_of_their_form_are_refused(audit: AuditReplica, change) -> None:
    """Nothing is half-applied."""
    before = len(audit.rows())
    refused = await _refusal(audit.put_case(**change))
    assert refused.reason is Reason.INVALID_FIELD
    assert len(audit.rows()) == before


async def test_cases_about_undeclared_people_are_refused(audit: AuditReplica) -> None:
    """Namespaces as in accesses; the job that fails leaves nothing behind."""
    before = len(audit.rows())
    refused = await _refusal(audit.put_case(subjects=["nowhere/1"]))
    assert refused.reason is Reason.INVALID_SUBJECT
    assert len(audit.rows()) == before


async def test_events_must_start_something(audit: AuditReplica) -> None:
    """An event that no retention rule names is a mistake; a known one is a leaf."""
    refused = await _refusal(audit.put_event("customers/7", "moved_house", NOW))
    assert refused.reason is Reason.INVALID_FIELD
    await audit.put_event("customers/7", "contract_ended", NOW)
    leaf = audit.leaves()[-1]
    assert isinstance(leaf, RetentionLeaf)
    assert (leaf.app, leaf.entries) == ("erp", 1)


async def test_events_belong_to_the_applications_that_own_them(audit: AuditReplica) -> None:
    """Another application could end or prolong anybody's retention: nothing is stored."""
    before = len(audit.rows())
    refused = await _refusal(audit.put_event("customers/7", "contract_ended", NOW, app="panel"))
    assert refused.reason is Reason.RPC_NOT_ALLOWED
    assert len(audit.rows()) == before


async def _due(audit: AuditReplica, **fields: object):
    message = access_audit_pb2.ListDueSubjectsRequest(parent=PARENT, **fields)
    return await audit.operations.due.list_due(audit.request(service="crypto"), message)


async def test_due_subjects_are_those_whose_last_rule_lapsed(audit: AuditReplica) -> None:
    """customer.email is held under contract and consent: both must have ended long enough ago."""
    await audit.put_event("customers/1", "consent_ended", NOW - timedelta(days=4000))
    await audit.put_event("customers/2", "consent_ended", NOW - timedelta(days=4000))
    await audit.put_event("customers/2", "contract_ended", NOW - timedelta(days=3800))
    await audit.put_event("customers/3", "contract_ended", NOW - timedelta(days=3700))
    await audit.put_event("customers/4", "contract_ended", NOW - timedelta(days=30))
    page = await _due(audit)
    found = [(due.subject, due.retention_class) for due in page.subjects]
    assert found == [
        ("customers/2", "consent+contract"),
        ("customers/2", "contract"),
        ("customers/3", "contract"),
    ]
    lapses = [due.lapse_time.ToDatetime() for due in page.subjects]
    assert lapses == sorted(lapses)


async def test_pages_of_due_subjects_neither_repeat_nor_miss(audit: AuditReplica) -> None:
    """The union of the pages is the whole; a token works for its own question only."""
    for n in range(7):
        await audit.put_event(
            f"customers/{n}", "contract_ended", NOW - timedelta(days=3700 + n % 3)
        )
    read_time = timestamp(NOW)
    whole = await _due(audit, read_time=read_time)
    found, token = [], ""
    while True:
        page = await _due(audit, page_size=2, page_token=token, read_time=read_time)
        found.extend(page.subjects)
        token = page.next_page_token
        if not token:
            break
    assert found == list(whole.subjects)
    assert len(found) == 7
    first = await _due(audit, page_size=2, read_time=read_time)
    refused = await _refusal(_due(audit, page_token=first.next_page_token))
    assert refused.reason is Reason.INVALID_PAGE_TOKEN
