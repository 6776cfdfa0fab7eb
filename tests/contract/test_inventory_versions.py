"""Versions: two persons, effective times, digests, pages; the same on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from emanet.api.inventory.v1 import resources_pb2
from emanet.core.errors import (
    CallerError,
    DeniedError,
    EmanetError,
    IntegrityError,
    Reason,
    StateError,
    UnavailableError,
)
from emanet.core.names import parse_name
from emanet.register.snapshot import verify_version
from tests.fakes.inventory_world import (
    MANIFEST,
    NOW,
    ORGANIZATION,
    InventoryReplica,
    asker,
    open_replica,
)

APPROVED = resources_pb2.VERSION_STATE_APPROVED
EFFECTIVE = resources_pb2.VERSION_STATE_EFFECTIVE
SUPERSEDED = resources_pb2.VERSION_STATE_SUPERSEDED


def changed(word: str) -> str:
    return MANIFEST.replace("Müşteri paneli", word)


@pytest.fixture
def replica(database_url: str) -> Iterator[InventoryReplica]:
    with open_replica(database_url) as opened:
        yield opened


@pytest.fixture
async def inventory(replica: InventoryReplica) -> InventoryReplica:
    await replica.drafts.add_organization(ORGANIZATION)
    return replica


async def submitted(inventory: InventoryReplica) -> resources_pb2.RegisterVersion:
    """A version that s-001 and s-003 edited and s-001 submitted."""
    await inventory.edit("s-003", changed("Eski panel"))
    await inventory.edit("s-001")
    return await inventory.submit("s-001")


async def bytes_of(
    inventory: InventoryReplica, version: resources_pb2.RegisterVersion, *, digest: bytes = b""
) -> tuple[bytes, bytes]:
    """Snapshot and approval as GetRegisterVersion streams them."""
    first, *rest = await inventory.versions.read(parse_name(version.name), digest=digest)
    return b"".join(part.chunk for part in rest), first.approval


async def test_a_second_person_makes_a_version_effective(inventory: InventoryReplica) -> None:
    """The approval fixes author, approver and time; consumers can verify its bytes alone."""
    version = await inventory.approve("s-002", await submitted(inventory))
    assert version.state == EFFECTIVE
    assert (version.author, version.approver) == ("s-001", "s-002")
    snapshot, approval = await bytes_of(inventory, version)
    verified = verify_version(snapshot, approval, organization=ORGANIZATION, previous=None)
    assert verified.digest == version.digest
    assert verified.approval.approved == verified.approval.effective == NOW


@pytest.mark.parametrize("person", ["s-001", "s-003"])
async def test_who_wrote_it_cannot_approve_it(inventory: InventoryReplica, person: str) -> None:
    """Neither the author nor anybody who edited since the last version is a second person."""
    version = await submitted(inventory)
    with pytest.raises(DeniedError) as refused:
        await inventory.approve(person, version)
    assert refused.value.reason is Reason.SECOND_PERSON_REQUIRED


@pytest.mark.parametrize("person", ["s-001", "s-003"])
async def test_the_database_refuses_the_same_person_too(
    inventory: InventoryReplica, person: str
) -> None:
    """Without the service, an UPDATE that approves one's own work fails."""
    await submitted(inventory)

    def approve(connection: Connection) -> None:
        connection.execute(
            text(
                "UPDATE versions SET state = 'approved', approver = :p, approve_time = 1,"
                " effective_time = 1, approval = snapshot"
            ),
            {"p": person},
        )

    with pytest.raises(DBAPIError):
        inventory.database.write_now(approve)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE versions SET snapshot = digest",
        "UPDATE versions SET effective_time = effective_time + 1",
        (
            "UPDATE versions SET state = 'withdrawn', approver = NULL, approve_time = NULL,"
            " effective_time = NULL, approval = NULL"
        ),
        "DELETE FROM versions",
        "DELETE FROM version_editors",
        "UPDATE version_editors SET person = 'nobody'",
        (
            "INSERT INTO versions SELECT :id, organization, number + 1, digest, snapshot, state,"
            " revision, author, submit_time, approver, approve_time, effective_time, approval"
            " FROM versions"
        ),
    ],
)
async def test_an_approved_version_cannot_be_changed_in_the_database(
    inventory: InventoryReplica, statement: str
) -> None:
    """Triggers, not politeness, keep what was approved."""
    await inventory.publish()
    parameters = {"id": bytes(16)} if ":id" in statement else {}
    with pytest.raises(DBAPIError):
        inventory.database.write_now(lambda c: c.execute(text(statement), parameters))


async def test_the_database_refuses_a_number_with_a_gap(inventory: InventoryReplica) -> None:
    """Approved numbers are 1, 2, 3 …"""
    await submitted(inventory)
    columns = "organization, digest, snapshot, revision, author, submit_time"

    def skip(connection: Connection) -> None:
        connection.execute(text("UPDATE versions SET state = 'withdrawn'"))
        connection.execute(
            text(
                f"INSERT INTO versions (id, number, state, {columns})"
                f" SELECT :id, 7, 'submitted', {columns} FROM versions"
            ),
            {"id": bytes(16)},
        )
        connection.execute(
            text(
                "UPDATE versions SET state = 'approved', approver = 's-009', approve_time = 1,"
                " effective_time = 1, approval = snapshot WHERE number = 7"
            )
        )

    with pytest.raises(DBAPIError):
        inventory.database.write_now(skip)


async def test_editors_start_anew_after_an_approval(inventory: InventoryReplica) -> None:
    """Who edited the last version may approve the next one if they did not touch it."""
    await inventory.approve("s-002", await submitted(inventory))
    inventory.clock.advance(timedelta(minutes=1))
    await inventory.edit("s-002", changed("Panel 2"))
    version = await inventory.approve("s-003", await inventory.submit("s-002"))
    assert version.number == 2


async def test_an_edit_after_the_submission_counts_for_the_next_version(
    inventory: InventoryReplica,
) -> None:
    """Approving a submission does not clear somebody who edited the draft since."""
    first = await submitted(inventory)
    await inventory.edit("s-004", changed("Panel 2"))
    await inventory.approve("s-002", first)
    inventory.clock.advance(timedelta(minutes=1))
    second = await inventory.submit("s-002")
    with pytest.raises(DeniedError):
        await inventory.approve("s-004", second)


async def test_the_digest_names_what_is_approved(inventory: InventoryReplica) -> None:
    """An approver who read something else approves nothing."""
    version = await submitted(inventory)
    version.digest = bytes(32)
    with pytest.raises(StateError) as refused:
        await inventory.approve("s-002", version)
    assert refused.value.reason is Reason.DIGEST_MISMATCH


async def test_a_version_that_does_not_exist_is_not_found(inventory: InventoryReplica) -> None:
    """Unknown numbers are told, for approving and for reading."""
    version = await submitted(inventory)
    version.name = version.name.replace("/1", "/9")
    for act in (inventory.approve("s-002", version), bytes_of(inventory, version)):
        with pytest.raises(StateError) as missing:
            await act
        assert missing.value.reason is Reason.RESOURCE_NOT_FOUND


async def test_a_submission_is_read_by_its_digest_only(inventory: InventoryReplica) -> None:
    """The approver reads what waits by naming it; without a digest there is no version yet."""
    version = await submitted(inventory)
    snapshot, approval = await bytes_of(inventory, version, digest=version.digest)
    assert (len(snapshot) > 100, approval) == (True, b"")
    for digest in (b"", bytes(32)):
        with pytest.raises(StateError) as missing:
            await bytes_of(inventory, version, digest=digest)
        assert missing.value.reason is Reason.RESOURCE_NOT_FOUND


async def test_an_approval_cannot_reach_into_the_past(inventory: InventoryReplica) -> None:
    """An effective time before now is refused, so that what held then never changes."""
    version = await submitted(inventory)
    with pytest.raises(CallerError) as refused:
        await inventory.approve("s-002", version, effective=NOW - timedelta(microseconds=1))
    assert refused.value.reason is Reason.INVALID_FIELD


async def test_a_clock_that_went_back_cannot_approve(inventory: InventoryReplica) -> None:
    """Approvals are in the order of their numbers also by time."""
    await inventory.publish()
    await inventory.edit("s-001", changed("Panel 2"))
    version = await inventory.submit("s-001")
    inventory.clock.set(NOW - timedelta(hours=1))
    with pytest.raises(UnavailableError) as refused:
        await inventory.approve("s-002", version)
    assert refused.value.reason is Reason.CLOCK_BEHIND


async def test_a_repeated_approval_gets_the_first_answer(inventory: InventoryReplica) -> None:
    """A retry neither fails on the new state nor answers another one."""
    version = await submitted(inventory)
    request = inventory.approval(version)
    name = parse_name(version.name)
    first = await inventory.versions.approve(request, name=name, asker=asker("s-002"))
    inventory.clock.advance(timedelta(hours=1))
    assert await inventory.versions.approve(request, name=name, asker=asker("s-002")) == first
    request.request_id = inventory.request_id()
    with pytest.raises(StateError) as again:
        await inventory.versions.approve(request, name=name, asker=asker("s-002"))
    assert again.value.reason is Reason.VERSION_STATE


async def test_two_approvals_at_once_make_one_version(inventory: InventoryReplica) -> None:
    """Concurrent approvers are ordered by the database; the second finds it approved."""
    version = await submitted(inventory)
    results = await asyncio.gather(
        inventory.approve("s-002", version),
        inventory.approve("s-004", version),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, EmanetError)]
    assert [failure.reason for failure in refused] == [Reason.VERSION_STATE]


async def test_versions_follow_one_another_by_digest(inventory: InventoryReplica) -> None:
    """Each snapshot names the digest before it, and states follow from numbers and time."""
    first = await inventory.publish()
    second = await inventory.publish(changed("Panel 2"))
    snapshot, approval = await bytes_of(inventory, second)
    verify_version(snapshot, approval, organization=ORGANIZATION, previous=first.digest)
    listed = (await inventory.listed()).versions
    assert [(each.number, each.state) for each in listed] == [(2, EFFECTIVE), (1, SUPERSEDED)]


async def test_a_scheduled_version_waits_for_its_time(inventory: InventoryReplica) -> None:
    """Until then the version before holds; then nothing but the clock makes it effective."""
    await inventory.publish()
    later = NOW + timedelta(days=7)
    await inventory.publish(changed("Panel 2"), effective=later)
    states = [each.state for each in (await inventory.listed()).versions]
    assert states == [APPROVED, EFFECTIVE]
    inventory.clock.set(later)
    states = [each.state for each in (await inventory.listed()).versions]
    assert states == [EFFECTIVE, SUPERSEDED]


def _flip(column: str) -> Callable[[Connection], None]:
    """Changes the last byte of a stored value behind the triggers' back."""

    def tamper(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE versions DISABLE TRIGGER USER"))
        else:
            connection.execute(text("DROP TRIGGER versions_keep_content"))
            connection.execute(text("DROP TRIGGER versions_no_gap"))
        data = bytes(connection.execute(text(f"SELECT {column} FROM versions")).scalar_one())
        forged = data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]
        connection.execute(text(f"UPDATE versions SET {column} = :d"), {"d": forged})

    return tamper


@pytest.mark.parametrize("column", ["snapshot", "digest", "approval"])
async def test_a_flipped_byte_of_a_stored_version_is_found(
    inventory: InventoryReplica, column: str
) -> None:
    """The database's owner cannot change a byte of what was approved and have it served."""
    version = await inventory.publish()
    inventory.database.write_now(_flip(column))
    with pytest.raises(IntegrityError) as found:
        await bytes_of(inventory, version)
    assert found.value.reason is Reason.REGISTER_CORRUPT


async def test_a_flipped_byte_of_a_submission_is_found_before_its_approval(
    inventory: InventoryReplica,
) -> None:
    """Nobody approves bytes that are not what was submitted."""
    version = await submitted(inventory)
    inventory.database.write_now(_flip("snapshot"))
    with pytest.raises(IntegrityError) as found:
        await inventory.approve("s-002", version)
    assert found.value.reason is Reason.REGISTER_CORRUPT


async def test_two_swapped_approvals_are_found(inventory: InventoryReplica) -> None:
    """An approval belongs to its row."""
    await inventory.publish()
    await inventory.publish(changed("Panel 2"))

    def swap(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE versions DISABLE TRIGGER USER"))
        else:
            connection.execute(text("DROP TRIGGER versions_keep_content"))
            connection.execute(text("DROP TRIGGER versions_no_gap"))
        connection.execute(
            text(
                "UPDATE versions SET approval = (SELECT approval FROM versions AS other"
                " WHERE other.number <> versions.number)"
            )
        )

    inventory.database.write_now(swap)
    with pytest.raises(IntegrityError):
        await inventory.listed()


async def test_pages_show_every_version_once(inventory: InventoryReplica) -> None:
    """The union of the pages is the whole list, without repeats, newest first."""
    for index in range(5):
        await inventory.publish(changed(f"Panel {index}"))
    whole = list((await inventory.listed()).versions)
    assert [each.number for each in whole] == [5, 4, 3, 2, 1]
    pages: list[resources_pb2.RegisterVersion] = []
    token = ""
    while True:
        page = await inventory.listed(page_size=2, page_token=token)
        pages += page.versions
        token = page.next_page_token
        if not token:
            break
    assert pages == whole


async def test_a_page_token_is_bound_to_its_caller(inventory: InventoryReplica) -> None:
    """Another certificate, a changed byte, or a negative size is refused."""
    await inventory.publish()
    await inventory.publish(changed("Panel 2"))
    token = (await inventory.listed(page_size=1)).next_page_token
    for caller, used in (
        ("spiffe://dev.emanet.invalid/app/other", token),
        ("spiffe://dev.emanet.invalid/app/cli", token[:-1] + ("A" if token[-1] != "A" else "B")),
        ("spiffe://dev.emanet.invalid/app/cli", "AAAA"),
    ):
        with pytest.raises(CallerError) as refused:
            await inventory.listed(page_size=1, page_token=used, caller=caller)
        assert refused.value.reason is Reason.INVALID_PAGE_TOKEN
    with pytest.raises(CallerError):
        await inventory.listed(page_size=-1)
