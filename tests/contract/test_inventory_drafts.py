"""Drafts: typed edits under an etag, submission, repeated requests; the same on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from emanet.api.inventory.v1 import inventory_pb2, resources_pb2
from emanet.core import canonical
from emanet.core.errors import CallerError, EmanetError, IntegrityError, Reason, StateError
from emanet.register.values import to_json
from services.inventory.tables import metadata
from services.runtime.migrate import find_drift
from tests.fakes.inventory_world import (
    MANIFEST,
    ORGANIZATION,
    InventoryReplica,
    asker,
    open_replica,
    register_of,
)

SUBMITTED = resources_pb2.VERSION_STATE_SUBMITTED
UNRESOLVED = MANIFEST.replace("keep: P10Y", "keep: süresiz")
OTHER = MANIFEST.replace("Müşteri paneli", "Yeni müşteri paneli")


@pytest.fixture
def replica(database_url: str) -> Iterator[InventoryReplica]:
    with open_replica(database_url) as opened:
        yield opened


@pytest.fixture
async def inventory(replica: InventoryReplica) -> InventoryReplica:
    await replica.drafts.add_organization(ORGANIZATION)
    return replica


def test_migrations_make_exactly_the_tables_of_the_code(replica: InventoryReplica) -> None:
    """Schema and code cannot drift apart."""
    assert find_drift(replica.database, metadata) == ()


async def test_a_new_organization_has_an_empty_draft(inventory: InventoryReplica) -> None:
    """Adding makes a draft that names the organization and nothing else; adding twice is refused."""
    register = await inventory.register()
    assert (register.organization.id, register.fields) == (ORGANIZATION, {})
    with pytest.raises(StateError) as again:
        await inventory.drafts.add_organization(ORGANIZATION)
    assert again.value.reason is Reason.ALREADY_INITIALISED


async def test_an_unknown_organization_is_told_as_missing(inventory: InventoryReplica) -> None:
    """Reading what was never added is a state, not an internal error."""
    with pytest.raises(StateError) as missing:
        await inventory.drafts.read("mese")
    assert missing.value.reason is Reason.ORGANIZATION_MISSING
    assert not await inventory.drafts.is_known("mese")


async def test_edits_of_a_plan_make_the_draft_equal_to_the_manifest(
    inventory: InventoryReplica,
) -> None:
    """What a manifest plans is what the draft becomes, byte for byte."""
    draft = await inventory.edit("s-001")
    assert draft.register == canonical.encode(to_json(register_of()))
    assert draft == await inventory.draft()


async def test_an_edit_on_an_old_etag_is_refused_and_changes_nothing(
    inventory: InventoryReplica,
) -> None:
    """Two people who edit the same draft cannot overwrite one another."""
    late = await inventory.edit_request(OTHER)
    now = await inventory.edit("s-002")
    with pytest.raises(StateError) as conflict:
        await inventory.drafts.edit(late, organization=ORGANIZATION, asker=asker("s-001"))
    assert conflict.value.reason is Reason.ETAG_MISMATCH
    assert await inventory.draft() == now


async def test_one_bad_edit_leaves_all_of_them_out(inventory: InventoryReplica) -> None:
    """A list of edits is applied whole or not at all, and the bad one is named."""
    before = await inventory.draft()
    request = await inventory.edit_request()
    request.edits[3].put = b'{"no":"such key"}'
    with pytest.raises(CallerError) as refused:
        await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker("s-001"))
    assert refused.value.reason is Reason.EDIT_INVALID
    assert refused.value.metadata["index"] == "3"
    assert await inventory.draft() == before


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (resources_pb2.RegisterEdit(kind=99, slug="x", remove=True), Reason.INVALID_FIELD),
        (resources_pb2.RegisterEdit(kind=8, slug="x"), Reason.INVALID_FIELD),
        (resources_pb2.RegisterEdit(kind=8, slug="x", remove=False), Reason.INVALID_FIELD),
        (resources_pb2.RegisterEdit(kind=8, slug="x", put=b"{ }"), Reason.EDIT_INVALID),
        (resources_pb2.RegisterEdit(kind=8, slug="x", put=b"[]"), Reason.EDIT_INVALID),
        (resources_pb2.RegisterEdit(kind=8, slug="x", remove=True), Reason.EDIT_INVALID),
        (resources_pb2.RegisterEdit(kind=1, slug="organization", remove=True), Reason.EDIT_INVALID),
        (
            resources_pb2.RegisterEdit(
                kind=1, slug="organization", put='{"id":"mese","tr":"Meşe"}'.encode()
            ),
            Reason.EDIT_INVALID,
        ),
    ],
)
async def test_malformed_edits_are_refused_with_their_reason(
    inventory: InventoryReplica, edit: resources_pb2.RegisterEdit, reason: Reason
) -> None:
    """Unknown kinds, missing acts, other JSON, removals of nothing, another organization's id."""
    request = await inventory.edit_request()
    del request.edits[:]
    request.edits.append(edit)
    with pytest.raises(CallerError) as refused:
        await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker("s-001"))
    assert refused.value.reason is reason


async def test_more_than_a_thousand_edits_are_refused(inventory: InventoryReplica) -> None:
    """The limit of a batch holds before anything is parsed."""
    request = await inventory.edit_request()
    request.edits.extend([request.edits[0]] * 1001)
    with pytest.raises(CallerError) as refused:
        await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker("s-001"))
    assert refused.value.reason is Reason.BATCH_TOO_LARGE


async def test_a_register_above_three_mebibytes_is_refused(inventory: InventoryReplica) -> None:
    """A draft always fits one message, with room for its frame."""
    request = await inventory.edit_request()
    del request.edits[:]
    label = "x" * 1_900
    request.edits.extend(
        resources_pb2.RegisterEdit(
            kind=resources_pb2.ENTITY_KIND_NAMESPACE,
            slug=f"n{index}",
            put=canonical.encode({"tr": label, "en": label}),
        )
        for index in range(1000)
    )
    with pytest.raises(CallerError) as refused:
        await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker("s-001"))
    assert refused.value.reason is Reason.VALUE_TOO_LARGE


async def test_validate_only_shows_the_result_and_keeps_nothing(
    inventory: InventoryReplica,
) -> None:
    """A dry run answers the draft that would be; the draft stays."""
    before = await inventory.draft()
    request = await inventory.edit_request()
    request.validate_only = True
    shown = await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker("s-001"))
    assert shown.draft.etag != before.etag
    assert await inventory.draft() == before


async def test_a_repeated_edit_gets_the_first_answer_and_is_made_once(
    inventory: InventoryReplica,
) -> None:
    """A retried request neither fails on the etag that it changed nor applies again."""
    request = await inventory.edit_request()
    first = await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker("s-001"))
    await inventory.edit("s-001", OTHER)
    later = await inventory.draft()
    again = await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker("s-001"))
    assert again == first
    assert await inventory.draft() == later


@pytest.mark.parametrize("change", ["content", "person"])
async def test_a_request_id_used_for_something_else_is_refused(
    inventory: InventoryReplica, change: str
) -> None:
    """Neither other content nor another person gets or makes anything under a used id."""
    request = await inventory.edit_request()
    await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker("s-001"))
    person = "s-001"
    if change == "content":
        del request.edits[1:]
    else:
        person = "s-002"
    with pytest.raises(CallerError) as refused:
        await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker(person))
    assert refused.value.reason is Reason.REQUEST_ID_REUSED


async def test_answers_are_forgotten_after_a_week(inventory: InventoryReplica) -> None:
    """The table of requests does not grow for ever."""
    request = await inventory.edit_request()
    await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker("s-001"))
    inventory.clock.advance(timedelta(days=8))
    await inventory.edit("s-001", OTHER)
    count = inventory.database.read_now(
        lambda c: c.execute(text("SELECT count(*) FROM requests")).scalar_one()
    )
    assert count == 1


async def test_a_request_id_must_be_a_uuid7(inventory: InventoryReplica) -> None:
    """Any other text is refused before anything is done."""
    request = await inventory.edit_request()
    request.request_id = "6f1c9a3e-0000-4000-8000-000000000000"
    with pytest.raises(CallerError):
        await inventory.drafts.edit(request, organization=ORGANIZATION, asker=asker("s-001"))


async def test_a_changed_byte_of_a_stored_draft_is_found(inventory: InventoryReplica) -> None:
    """The etag follows from the content, so the database's owner cannot edit in silence."""
    await inventory.edit("s-001")

    def tamper(connection) -> None:
        data = connection.execute(text("SELECT register FROM drafts")).scalar_one()
        forged = bytes(data).replace(b"5/2-c", b"5/2-f")
        assert forged != data
        connection.execute(text("UPDATE drafts SET register = :r"), {"r": forged})

    inventory.database.write_now(tamper)
    for act in (inventory.draft, lambda: inventory.submit("s-001", etag="x")):
        with pytest.raises(EmanetError):
            await act()
    with pytest.raises(IntegrityError) as found:
        await inventory.draft()
    assert found.value.reason is Reason.REGISTER_CORRUPT


async def test_submit_refuses_what_is_not_resolved(inventory: InventoryReplica) -> None:
    """A draft may hold "süresiz"; submitting it names the rules that object (KVKK 4/2-d)."""
    await inventory.edit("s-001", UNRESOLVED)
    with pytest.raises(StateError) as refused:
        await inventory.submit("s-001")
    assert refused.value.reason is Reason.REGISTER_FINDINGS
    assert int(refused.value.metadata["count"]) >= 1
    assert "INV004" in refused.value.metadata["rules"]
    assert not (await inventory.listed()).versions


async def test_submit_on_an_old_etag_is_refused(inventory: InventoryReplica) -> None:
    """What was not read cannot be submitted."""
    etag = (await inventory.edit("s-001")).etag
    await inventory.edit("s-002", OTHER)
    with pytest.raises(StateError) as refused:
        await inventory.submit("s-001", etag=etag)
    assert refused.value.reason is Reason.ETAG_MISMATCH


async def test_an_unchanged_draft_is_no_new_version(inventory: InventoryReplica) -> None:
    """A version is a change: the approved register cannot be submitted again."""
    await inventory.publish()
    with pytest.raises(StateError) as refused:
        await inventory.submit("s-001")
    assert refused.value.reason is Reason.DRAFT_UNCHANGED


async def test_submit_validate_only_keeps_nothing(inventory: InventoryReplica) -> None:
    """A dry run answers the digest that would be submitted."""
    await inventory.edit("s-001")
    shown = await inventory.submit("s-001", validate_only=True)
    assert not (await inventory.listed()).versions
    assert (await inventory.submit("s-001")).digest == shown.digest


async def test_a_second_submit_withdraws_the_first(inventory: InventoryReplica) -> None:
    """At most one submission waits; both carry the number that only an approval makes final."""
    await inventory.edit("s-001")
    first = await inventory.submit("s-001")
    await inventory.edit("s-001", OTHER)
    second = await inventory.submit("s-001")
    assert (first.number, second.number) == (1, 1)
    listed = (await inventory.listed()).versions
    states = {version.digest: version.state for version in listed}
    assert states == {
        first.digest: resources_pb2.VERSION_STATE_WITHDRAWN,
        second.digest: SUBMITTED,
    }
    with pytest.raises(StateError) as refused:
        await inventory.approve("s-002", first)
    assert refused.value.reason is Reason.VERSION_STATE


async def test_a_repeated_submit_gets_the_first_answer(inventory: InventoryReplica) -> None:
    """A retried submission does not withdraw itself."""
    await inventory.edit("s-001")
    request = inventory_pb2.SubmitDraftRequest(
        parent=f"organizations/{ORGANIZATION}",
        etag=(await inventory.draft()).etag,
        request_id=inventory.request_id(),
    )
    answers = [
        await inventory.drafts.submit(request, organization=ORGANIZATION, asker=asker("s-001"))
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert len((await inventory.listed()).versions) == 1
