"""RecordAccess, RecordOutcome and RecordKeyEvent: what has happened is recorded once."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from google.rpc import error_details_pb2

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.encoding import b64url_encode
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import AccessLeaf, KeyLeaf, KeyOperation, Mode, OutcomeLeaf, Verdict
from tests.fakes.access_audit_world import (
    ORGANIZATION,
    SECURITY,
    SUPPORT,
    AuditReplica,
    AuditWorld,
    item,
    person,
)

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


def _reason(result: access_audit_pb2.RecordResult) -> str:
    for detail in result.status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return ""


async def test_a_read_that_rules_refuse_is_recorded_not_refused(audit: AuditReplica) -> None:
    """The verdict stands in the record under mode observe, with every reason."""
    answer = await audit.record(audit.record_item())
    (result,) = answer.results
    assert (result.status.code, result.verdict) == (0, DENY)
    leaf = audit.leaves()[-1]
    assert isinstance(leaf, AccessLeaf)
    assert (leaf.decision.verdict, leaf.decision.mode) == (Verdict.DENY, Mode.OBSERVE)
    assert leaf.reasons[0] == leaf.decision.why == "CASE_UNFIT"


async def test_the_same_item_is_one_record_however_often_it_is_sent(audit: AuditReplica) -> None:
    """Also under a new token, in another batch, and twice in one batch."""
    await audit.put_case()
    one, two = audit.record_item(), audit.record_item(item("customer.phone"))
    first = await audit.record(one, two, one)
    size = len(audit.rows())
    renewed = person("s-044", "destek", "yeni")
    again = await audit.record(two, one, staff=renewed)
    assert len(audit.rows()) == size
    assert first.results[0] == first.results[2]
    assert [again.results[1], again.results[0]] == list(first.results[:2])


@pytest.mark.parametrize("change", ["content", "person", "application"])
async def test_an_id_with_other_content_is_refused_alone(audit: AuditReplica, change: str) -> None:
    """Its neighbours in the batch are recorded."""
    await audit.put_case()
    sent = audit.record_item()
    await audit.record(sent)
    other = audit.record_item(item_id=sent.id)
    other.CopyFrom(sent)
    if change == "content":
        other.items[0].count = 2
    staff = person("s-099", "destek") if change == "person" else SUPPORT
    answer = await audit.record(
        other,
        audit.record_item(),
        staff=staff,
        app="helpdesk" if change == "application" else "panel",
    )
    assert _reason(answer.results[0]) == Reason.REQUEST_ID_REUSED
    assert answer.results[1].status.code == 0


async def test_an_attempt_id_and_an_item_id_never_meet(audit: AuditReplica) -> None:
    """Ids are unique in the log, whichever RPC brought them."""
    await audit.put_case()
    used = audit.new_id()
    await audit.check(attempt_id=used)
    answer = await audit.record(audit.record_item(item_id=used))
    assert _reason(answer.results[0]) == Reason.REQUEST_ID_REUSED
    recorded = audit.record_item()
    await audit.record(recorded)
    refused = await _refusal(audit.check(attempt_id=recorded.id))
    assert refused.reason is Reason.ATTEMPT_REUSED


async def test_wrong_items_answer_for_themselves(audit: AuditReplica) -> None:
    """A future time, a malformed subject, an unknown action: a status each, the rest recorded."""
    ahead = audit.record_item(event_time=audit.clock.now() + timedelta(minutes=6))
    nobody = audit.record_item(item(subject="nobody"))
    nothing = audit.record_item(action=resources_pb2.ACTION_UNSPECIFIED)
    good = audit.record_item()
    answer = await audit.record(ahead, nobody, nothing, good)
    reasons = [_reason(result) for result in answer.results]
    assert reasons == ["INVALID_FIELD", "INVALID_SUBJECT", "INVALID_FIELD", ""]
    assert answer.results[3].record.endswith(good.id)


async def test_a_batch_of_hundreds_is_one_checkpoint(audit: AuditReplica) -> None:
    """Every item has its index, all under one note that covers them."""
    await audit.put_case(subjects=[f"customers/{n}" for n in range(100)])
    items = [audit.record_item(item(subject=f"customers/{n % 100}")) for n in range(300)]
    answer = await audit.record(*items)
    indexes = [result.index for result in answer.results]
    assert indexes == list(range(indexes[0], indexes[0] + 300))
    assert (await audit.checkpoint()).size == indexes[-1] + 1
    hashes = [row.hash for row in audit.rows()][indexes[0] :]
    assert [result.leaf_hash for result in answer.results] == hashes


async def test_event_and_receive_time_are_kept_apart(audit: AuditReplica) -> None:
    """The application's word and the log's own clock."""
    earlier = audit.clock.now() - timedelta(hours=3)
    await audit.record(audit.record_item(event_time=earlier))
    leaf = audit.leaves()[-1]
    assert leaf.receive_us - leaf.event_us == 3 * 3600 * 1_000_000


async def test_records_count_against_limits(audit: AuditReplica) -> None:
    """Reads that have happened use up what the rules give."""
    staff = person("s-060", "muhasebe")
    name = item("customer.name", bucket="2026-02", count=10)
    read = {"purpose": "invoicing", "case": None}
    await audit.record(audit.record_item(name, **read), staff=staff)
    one = item("customer.name", bucket="2026-02")
    assert (await audit.check(one, staff=staff, **read)).reason == "LIMIT_EXCEEDED"


def _outcome(audit: AuditReplica, record_id: str, **changes: object):
    message = access_audit_pb2.RecordOutcomeRequest(
        organization=ORGANIZATION,
        id=changes.pop("id", audit.new_id()),
        record_id=record_id,
        item=changes.pop("item", 3),
        reason=changes.pop("reason", "ENVELOPE_INVALID"),
    )
    return audit.operations.facts.record_outcome(audit.request(service="crypto"), message)


async def test_a_failure_after_an_allowance_follows_as_its_own_leaf(audit: AuditReplica) -> None:
    """It names the access and the first item; the same id again is the same leaf."""
    await audit.put_case()
    attempt, outcome = audit.new_id(), audit.new_id()
    await audit.check(attempt_id=attempt)
    first = await _outcome(audit, attempt, id=outcome)
    again = await _outcome(audit, attempt, id=outcome)
    assert first.receipt.index == again.receipt.index
    leaf = audit.leaves()[-1]
    assert isinstance(leaf, OutcomeLeaf)
    assert (str(leaf.access), leaf.item, leaf.why) == (attempt, 3, "ENVELOPE_INVALID")


async def test_an_outcome_needs_an_allowed_access_and_a_documented_reason(
    audit: AuditReplica,
) -> None:
    """Unknown and denied accesses have no outcome."""
    denied = audit.new_id()
    await audit.check(attempt_id=denied)
    for record_id in (denied, audit.new_id()):
        refused = await _refusal(_outcome(audit, record_id))
        assert refused.reason is Reason.RESOURCE_NOT_FOUND
    refused = await _refusal(_outcome(audit, denied, reason="SOME_TEXT"))
    assert refused.reason is Reason.INVALID_FIELD


def _key_event(audit: AuditReplica, operation: str, *ids: bytes, staff=None, **changes: object):
    message = access_audit_pb2.RecordKeyEventRequest(
        organization=ORGANIZATION,
        id=changes.pop("id", audit.new_id()),
        operation=access_audit_pb2.KeyOperation.Value(f"KEY_OPERATION_{operation}"),
        retention_class=changes.pop("retention_class", "" if operation == "EPOCH" else "contract"),
        key_ids=ids,
        **changes,
    )
    request = audit.request(service="crypto", staff=staff)
    return audit.operations.facts.record_key_event(request, message)


async def test_a_destruction_is_two_leaves_by_one_person(audit: AuditReplica) -> None:
    """The end inherits the author of its intent; a repeat gives the same bytes."""
    keys = (os.urandom(16), os.urandom(16))
    intent = audit.new_id()
    begun = await _key_event(audit, "DESTROY_INTENT", *keys, id=intent, staff=SECURITY)
    resumed = await _key_event(audit, "DESTROY_INTENT", *keys, id=intent)
    assert (begun.leaf, begun.receipt.index) == (resumed.leaf, resumed.receipt.index)
    await _key_event(audit, "EPOCH", epochs=[1])
    done = await _key_event(audit, "DESTROYED", keys[0], intent_id=intent)
    assert done.leaf != begun.leaf
    started, _, ended = audit.leaves()[-3:]
    assert isinstance(started, KeyLeaf)
    assert isinstance(ended, KeyLeaf)
    assert ended.operation is KeyOperation.DESTROYED
    assert started.by == ended.by
    assert len(started.by) == 32
    assert ended.ids == (b64url_encode(keys[0]),)


async def test_an_end_without_its_intent_is_refused(audit: AuditReplica) -> None:
    """Another class, other keys, no intent at all."""
    key = os.urandom(16)
    intent = audit.new_id()
    await _key_event(audit, "DESTROY_INTENT", key, id=intent, staff=SECURITY)
    await _key_event(audit, "EPOCH", epochs=[1])
    wrong = (
        _key_event(audit, "DESTROYED", key),
        _key_event(audit, "DESTROYED", key, intent_id=audit.new_id()),
        _key_event(audit, "DESTROYED", os.urandom(16), intent_id=intent),
        _key_event(audit, "DESTROYED", key, intent_id=intent, retention_class="invoice"),
        _key_event(audit, "DESTROY_INTENT"),
        _key_event(audit, "DESTROY_INTENT", b"short"),
    )
    for call in wrong:
        assert (await _refusal(call)).reason is Reason.INVALID_FIELD


async def test_the_end_of_an_epoch_is_crypto_s_own_leaf(audit: AuditReplica) -> None:
    """It names numbers, no class and no person, and a repeat gives the same bytes."""
    leaf_id = audit.new_id()
    first = await _key_event(audit, "EPOCH", id=leaf_id, epochs=[1], staff=SECURITY)
    again = await _key_event(audit, "EPOCH", id=leaf_id, epochs=[1])
    assert (again.leaf, again.receipt.index) == (first.leaf, first.receipt.index)
    await _key_event(audit, "EPOCH", epochs=[2, 5])
    ends = audit.leaves()[-2:]
    assert [leaf.ids for leaf in ends if isinstance(leaf, KeyLeaf)] == [("1",), ("2", "5")]
    assert {(leaf.operation, leaf.by, leaf.retention_class) for leaf in ends} == {
        (KeyOperation.EPOCH, "crypto", "")
    }
    refused = await _refusal(_key_event(audit, "EPOCH", id=leaf_id, epochs=[6]))
    assert refused.reason is Reason.REQUEST_ID_REUSED


async def test_epochs_end_once_and_in_order(audit: AuditReplica) -> None:
    """Not a number that the log names, none below it, none that no leaf could hold."""
    await _key_event(audit, "EPOCH", epochs=[2])
    key = os.urandom(16)
    wrong = (
        _key_event(audit, "EPOCH", epochs=[2]),
        _key_event(audit, "EPOCH", epochs=[1, 3]),
        _key_event(audit, "EPOCH", epochs=[4, 3]),
        _key_event(audit, "EPOCH", epochs=[3, 3]),
        _key_event(audit, "EPOCH", epochs=[0]),
        _key_event(audit, "EPOCH", epochs=[10**15]),
        _key_event(audit, "EPOCH"),
        _key_event(audit, "EPOCH", key, epochs=[3]),
        _key_event(audit, "EPOCH", epochs=[3], retention_class="contract"),
        _key_event(audit, "EPOCH", epochs=[3], intent_id=audit.new_id()),
        _key_event(audit, "DESTROY_INTENT", key, epochs=[3]),
    )
    for call in wrong:
        assert (await _refusal(call)).reason is Reason.INVALID_FIELD
    too_many = await _refusal(_key_event(audit, "EPOCH", epochs=range(3, 504)))
    assert too_many.reason is Reason.BATCH_TOO_LARGE
    await _key_event(audit, "EPOCH", epochs=[3])


async def test_a_destruction_ends_after_what_had_wrapped_its_keys(audit: AuditReplica) -> None:
    """Between intent and end an epoch ended; one that ended before the intent says nothing of the key."""
    key, intent = os.urandom(16), audit.new_id()
    await _key_event(audit, "EPOCH", epochs=[1])
    await _key_event(audit, "DESTROY_INTENT", key, id=intent, staff=SECURITY)
    early = await _refusal(_key_event(audit, "DESTROYED", key, intent_id=intent))
    assert early.reason is Reason.INVALID_FIELD
    await _key_event(audit, "EPOCH", epochs=[2])
    await _key_event(audit, "DESTROYED", key, intent_id=intent)
