"""Destruction of keys on both databases: what goes, what stays, and every crash in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from emanet.core import canonical
from emanet.core.encoding import b64url_encode, from_micros
from emanet.core.envelope import parse_envelope
from emanet.core.errors import EmanetError, Reason
from emanet.core.ids import new_uuid7
from emanet.core.leaf import KeyLeaf, encode_leaf
from emanet.core.merkle import leaf_hash
from services.crypto.domain.destruction import Ground, Outcome
from services.crypto.domain.receipt import TERM, decode_plan
from services.crypto.storage import destruction as stored
from services.crypto.storage.destruction import State
from services.crypto.tables import key_counters, key_rows
from tests.fakes.crypto_world import LONGEST_RPC, NOW, Replica, World, item


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> World:
    return World(database_url, tmp_path)


def reason_of(result: object) -> Reason:
    assert isinstance(result, EmanetError), result
    return result.reason


async def seal_two_classes(replica: Replica) -> tuple[bytes, bytes]:
    """A value that rests on consent alone, and one that tax law keeps, of the same person."""
    marketing = await replica.seal("satranç", field="customer.hobby")
    invoice = await replica.seal("Ankara", field="invoice.address")
    return marketing, invoice


async def finish(world: World, replica: Replica) -> None:
    await replica.worker.run_once()
    world.clock.advance(LONGEST_RPC)
    await replica.worker.run_once()


async def test_a_request_kills_consent_and_keeps_what_the_law_keeps(world: World) -> None:
    """Marketing dies, the invoice stays until its year end + 10 under TTK, and the plan says so."""
    async with world.replica() as replica:
        marketing, invoice = await seal_two_classes(replica)
        row = await replica.destroy()
        assert row.state is State.KEYS_DESTROYED
        items = {each.retention_class: each for each in decode_plan(row.plan).items}
        assert items["marketing"].outcome is Outcome.DESTROYED
        assert items["marketing"].fields == ("customer.hobby",)
        kept = items["invoice"]
        assert kept.outcome is Outcome.KEPT
        assert kept.until == datetime(2036, 12, 31, 21, tzinfo=UTC)
        assert "6102" in kept.article
        assert kept.row == "activities/billing/rows/0"
        destroyed = await replica.open(marketing, field="customer.hobby", purpose="marketing")
        assert reason_of(destroyed) is Reason.KEY_DESTROYED
        assert destroyed.metadata["destruction"] == f"organizations/cinar/destructions/{row.id}"
        assert await replica.open(invoice, field="invoice.address") == b"Ankara"


async def test_a_class_held_by_another_basis_is_refused_with_its_row(world: World) -> None:
    """A contract without a least period by law: REFUSED, with the row and its article."""
    async with world.replica() as replica:
        await replica.seal(field="customer.email")
        row = await replica.destroy()
        assert row.state is State.NOTHING_DESTROYED
        (only,) = decode_plan(row.plan).items
        assert (only.outcome, only.row, only.article) == (
            Outcome.REFUSED,
            "activities/account/rows/0",
            "5/2-c",
        )


async def test_an_unknown_start_keeps_without_a_date(world: World) -> None:
    """A law's least period whose start event has not come: KEPT, no date."""
    async with world.replica() as replica:
        await replica.seal(field="customer.name")
        (only,) = decode_plan((await replica.destroy()).plan).items
        assert (only.retention_class, only.outcome, only.until) == (
            "contract+invoice",
            Outcome.KEPT,
            None,
        )


async def test_a_preview_destroys_nothing_and_keeps_nothing(world: World) -> None:
    """validate_only answers the plan; no leaf, no row, and the value still opens."""
    async with world.replica() as replica:
        marketing, _ = await seal_two_classes(replica)
        row = await replica.destroy(is_preview=True)
        assert row.id == ""
        assert len(decode_plan(row.plan).keys) == 1
        assert replica.audit.log("cinar").leaves == []
        assert await replica.destroying.list("cinar", before="", limit=10) == []
        assert await replica.open(marketing, field="customer.hobby") == "satranç".encode()


async def test_the_receipt_waits_for_the_longest_rpc_and_proves_itself(world: World) -> None:
    """RECEIPTED only after the deadline; its log member is the receipt of the destroyed leaf."""
    async with world.replica() as replica:
        marketing, _ = await seal_two_classes(replica)
        row = await replica.destroy()
        await replica.worker.run_once()
        assert (await replica.destroying.read("cinar", row.id)).state is State.EPOCH_DESTROYED
        world.clock.advance(LONGEST_RPC - timedelta(microseconds=1))
        await replica.worker.run_once()
        assert (await replica.destroying.read("cinar", row.id)).state is State.EPOCH_DESTROYED
        world.clock.advance(timedelta(microseconds=1))
        await replica.worker.run_once()
        done = await replica.destroying.read("cinar", row.id)
        assert done.state is State.RECEIPTED
        receipt = canonical.decode_object(done.receipt or b"")
        intent, epoch, final = replica.audit.log("cinar").values[-3:]
        assert isinstance(intent, KeyLeaf)
        assert isinstance(epoch, KeyLeaf)
        assert isinstance(final, KeyLeaf)
        assert (intent.operation, final.operation) == ("destroy_intent", "destroyed")
        assert (epoch.operation, epoch.ids, epoch.by) == ("epoch", ("1",), "crypto")
        assert final.ids == (b64url_encode(parse_envelope(marketing).sid),)
        assert receipt["key_ids"] == list(final.ids)
        assert receipt["classes"] == ["marketing"]
        assert receipt["term"] == TERM
        assert receipt["evidence"] == "declared"
        assert receipt["log"][0]["index"] == len(replica.audit.log("cinar").leaves) - 1
        assert receipt["epoch"] == 1
        assert receipt["epoch_log"]["leaf_hash"] == b64url_encode(leaf_hash(encode_leaf(epoch)))
        assert from_micros(receipt["unreadable_from"]) == NOW + timedelta(days=35)
        assert b"customers" not in (done.receipt or b"")
        assert replica.audit.tokens == ["token-of-the-dpo", "", ""]


async def test_survivors_move_to_a_new_epoch_and_the_old_one_dies(world: World) -> None:
    """After the rotation no row lies under the old epoch, and its key cannot be had."""
    async with world.replica() as replica:
        _, invoice = await seal_two_classes(replica)
        before = await replica.database.read(
            lambda c: c.execute(select(key_rows.c.id, key_rows.c.wrapped)).all()
        )
        await replica.destroy()
        await replica.worker.run_once()
        rows = await replica.database.read(
            lambda c: c.execute(
                select(key_rows.c.epoch, key_rows.c.row_version, key_rows.c.state)
            ).all()
        )
        assert {tuple(row) for row in rows} == {(2, 2, "active"), (None, None, "destroyed")}
        with pytest.raises(EmanetError) as gone:
            replica.keystore.provider.epoch("cinar", 1)
        assert gone.value.reason is Reason.KEY_DESTROYED
        assert len(before) == len(rows)
        assert await replica.open(invoice, field="invoice.address") == b"Ankara"
        assert isinstance(await replica.seal(field="customer.hobby"), bytes)


async def test_one_rotation_serves_all_that_wait(world: World) -> None:
    """Destructions of one moment share an epoch's end."""
    async with world.replica() as replica:
        for number in range(3):
            subject = f"customers/{number}"
            await replica.seal(field="customer.hobby", subject=subject)
            await replica.destroy(subject)
        await finish(world, replica)
        rows = await replica.destroying.list("cinar", before="", limit=10)
        assert {row.state for row in rows} == {State.RECEIPTED}
        assert {row.rotation for row in rows} == {1}
        assert replica.keystore.provider.active_epoch("cinar").epoch == 2


async def test_another_replica_forgets_a_destroyed_key_at_once(world: World) -> None:
    """The key counter, read with every batch, drops the pair keys that others cached."""
    async with world.replica() as one, world.replica(database=one.database) as two:
        marketing, _ = await seal_two_classes(one)
        assert await two.open(marketing, field="customer.hobby") == "satranç".encode()
        assert len(two.caches.of("cinar")) == 1
        await one.destroy()
        refused = await two.open(marketing, field="customer.hobby")
        assert reason_of(refused) is Reason.KEY_DESTROYED
        assert len(two.caches.of("cinar")) == 0
        (fresh,) = await two.encrypt(item(field="customer.hobby"))
        assert isinstance(fresh, bytes)
        assert parse_envelope(fresh).sid != parse_envelope(marketing).sid


async def test_a_page_with_a_destroyed_value_is_not_blanked(world: World) -> None:
    """KEY_DESTROYED is one item's status; it comes only after an allow."""
    async with world.replica() as replica:
        marketing = await replica.seal("a", field="customer.hobby", subject="customers/1")
        other = await replica.seal("b", field="customer.hobby", subject="customers/2")
        await replica.destroy("customers/1")
        assert await replica.open(other, field="customer.hobby") == b"b"
        replica.audit.policy = lambda _: "CASE_REQUIRED"
        with pytest.raises(EmanetError) as denial:
            await replica.open(marketing, field="customer.hobby")
        assert denial.value.reason is Reason.CASE_REQUIRED


async def test_the_same_request_gives_the_same_destruction(world: World) -> None:
    """Repeated: the first answer. Other content under the same id: refused."""
    async with world.replica() as replica:
        await seal_two_classes(replica)
        request_id = str(new_uuid7(world.clock))
        first = await replica.destroy(request_id=request_id)
        again = await replica.destroy(request_id=request_id)
        assert first == again
        assert len(replica.audit.log("cinar").leaves) == 1
        with pytest.raises(EmanetError) as refused:
            await replica.destroy("customers/8", request_id=request_id)
        assert refused.value.reason is Reason.REQUEST_ID_REUSED


async def test_one_request_sent_twice_at_once_is_one_destruction(world: World) -> None:
    """Two copies in flight store one plan and answer the same destruction."""
    async with world.replica() as replica:
        await seal_two_classes(replica)
        request_id = str(new_uuid7(world.clock))
        copies = [replica.destroy(request_id=request_id) for _ in range(3)]
        rows = await asyncio.gather(*copies)
        assert {row.id for row in rows} == {rows[0].id}
        assert len(await replica.destroying.list("cinar", before="", limit=10)) == 1


async def test_two_requests_for_one_key_both_come_to_their_end(world: World) -> None:
    """The key dies once; the second destruction finds it dead and is receipted too."""
    async with world.replica() as replica:
        marketing, _ = await seal_two_classes(replica)
        rows = await asyncio.gather(replica.destroy(), replica.destroy())
        await finish(world, replica)
        await replica.worker.run_once()
        done = [await replica.destroying.read("cinar", row.id) for row in rows]
        assert State.RECEIPTED in {row.state for row in done}
        assert {row.state for row in done} <= {State.RECEIPTED, State.NOTHING_DESTROYED}
        refused = await replica.open(marketing, field="customer.hobby")
        assert reason_of(refused) is Reason.KEY_DESTROYED


async def test_a_preview_under_a_known_request_id_stays_a_preview(world: World) -> None:
    """validate_only never carries on what waits for its intent."""
    async with world.replica() as replica:
        marketing, _ = await seal_two_classes(replica)
        request_id = str(new_uuid7(world.clock))
        replica.audit.is_down = True
        with pytest.raises(EmanetError):
            await replica.destroy(request_id=request_id)
        replica.audit.is_down = False
        assert (await replica.destroy(request_id=request_id, is_preview=True)).id == ""
        assert await replica.open(marketing, field="customer.hobby") == "satranç".encode()


async def test_without_its_intent_in_the_log_nothing_is_destroyed(world: World) -> None:
    """Audit down: AUDIT_UNAVAILABLE, the key lives; the same request later goes through."""
    async with world.replica() as replica:
        marketing, _ = await seal_two_classes(replica)
        request_id = str(new_uuid7(world.clock))
        replica.audit.is_down = True
        with pytest.raises(EmanetError) as failure:
            await replica.destroy(request_id=request_id)
        assert failure.value.reason is Reason.AUDIT_UNAVAILABLE
        replica.audit.is_down = False
        await replica.worker.run_once()
        assert await replica.open(marketing, field="customer.hobby") == "satranç".encode()
        assert await replica.destroying.list("cinar", before="", limit=10) == []
        row = await replica.destroy(request_id=request_id)
        assert row.state is State.KEYS_DESTROYED


async def test_an_ended_retention_needs_the_word_of_the_events(world: World) -> None:
    """RETENTION_ENDED in an open class: only what access_audit lists as due."""
    async with world.replica() as replica:
        envelope = await replica.seal(field="customer.email")
        kept = await replica.destroy(ground=Ground.RETENTION_ENDED)
        assert kept.state is State.NOTHING_DESTROYED
        assert decode_plan(kept.plan).items[0].outcome is Outcome.KEPT
        replica.audit.due.add(("customers/7", "contract"))
        row = await replica.destroy(ground=Ground.RETENTION_ENDED)
        assert row.state is State.KEYS_DESTROYED
        assert reason_of(await replica.open(envelope)) is Reason.KEY_DESTROYED


async def test_a_bucket_dies_for_everybody_and_not_before_its_time(world: World) -> None:
    """DestroyBucket: RETENTION_RUNNING until the month's end + keep, then one key for all."""
    async with world.replica() as replica:
        notes = [
            await replica.seal("not", field="customer.note", subject=f"customers/{number}")
            for number in range(3)
        ]
        later = [
            await replica.seal(
                "not", field="customer.note", start=NOW - timedelta(days=20 * number)
            )
            for number in (1,)
        ]
        with pytest.raises(EmanetError) as running:
            await replica.destroy_bucket("short", "2026-03")
        assert running.value.reason is Reason.RETENTION_RUNNING
        world.clock.set(datetime(2026, 4, 30, 20, 59, tzinfo=UTC))
        with pytest.raises(EmanetError):
            await replica.destroy_bucket("short", "2026-03")
        world.clock.set(datetime(2026, 4, 30, 21, 0, tzinfo=UTC))
        row = await replica.destroy_bucket("short", "2026-03")
        assert row.key_count == 1
        for envelope in notes:
            refused = await replica.open(envelope, field="customer.note")
            assert reason_of(refused) is Reason.KEY_DESTROYED
        assert await replica.open(later[0], field="customer.note") == b"not"
        with pytest.raises(EmanetError) as missing:
            await replica.destroy_bucket("short", "2026-03")
        assert missing.value.reason is Reason.RESOURCE_NOT_FOUND


async def test_a_bucket_under_a_law_waits_for_the_law(world: World) -> None:
    """An invoice month is not destroyed before its year end + 10, whatever is asked."""
    async with world.replica() as replica:
        await replica.seal(field="invoice.address")
        world.clock.set(datetime(2036, 12, 31, 20, 59, tzinfo=UTC))
        with pytest.raises(EmanetError) as running:
            await replica.destroy_bucket("invoice", "2026-03")
        assert running.value.metadata["until"] == "2036-12-31"


Crash = Callable[[Replica], Awaitable[None]]


async def _nothing(_: Replica) -> None:
    """The process died right after the intent."""


async def _keys_gone(replica: Replica) -> None:
    tenant = await replica.tenants.require("cinar")
    for row in await replica.database.read(
        lambda c: stored.list_by_state(c, "cinar", State.INTENDED)
    ):
        await replica.steps.destroy_keys(tenant, row)


async def _epoch_made(replica: Replica) -> None:
    await _keys_gone(replica)
    replica.keystore.provider.create_epoch("cinar")


async def _rotation_begun(replica: Replica) -> None:
    await _keys_gone(replica)
    await replica.steps.start_rotation(await replica.tenants.require("cinar"))


async def _rewrapped(replica: Replica) -> None:
    tenant = await replica.tenants.require("cinar")
    await _keys_gone(replica)
    rotation = await replica.steps.start_rotation(tenant)
    assert rotation is not None
    await replica.steps.rewrap_batch(tenant, rotation)


async def _epoch_killed(replica: Replica) -> None:
    await _rewrapped(replica)
    replica.keystore.provider.destroy_epoch("cinar", 1)


async def _rotation_ended(replica: Replica) -> None:
    tenant = await replica.tenants.require("cinar")
    await _rewrapped(replica)
    rotation = await replica.steps.start_rotation(tenant)
    assert rotation is not None
    await replica.steps.finish_rotation(tenant, rotation)


async def _epoch_leaf(replica: Replica) -> None:
    """The log has the leaf; the process died before it kept the receipt."""
    await _rotation_ended(replica)
    replica.steps._keep_epoch_receipt = _die
    with pytest.raises(_KilledError):
        await replica.steps.record_epochs(await replica.tenants.require("cinar"))


async def _epoch_recorded(replica: Replica) -> None:
    await _keys_gone(replica)
    await replica.worker.advance(await replica.tenants.require("cinar"))


async def _final_leaf(replica: Replica) -> None:
    await _epoch_recorded(replica)
    tenant = await replica.tenants.require("cinar")
    for row in await replica.database.read(
        lambda c: stored.list_by_state(c, "cinar", State.EPOCH_DESTROYED)
    ):
        for key in decode_plan(row.plan).keys:
            await replica.steps.record(tenant, key, is_final=True, staff_token="")


@pytest.mark.parametrize(
    "crash",
    [
        _nothing,
        _keys_gone,
        _epoch_made,
        _rotation_begun,
        _rewrapped,
        _epoch_killed,
        _rotation_ended,
        _epoch_leaf,
        _epoch_recorded,
        _final_leaf,
    ],
)
async def test_a_destruction_survives_a_crash_between_any_two_steps(
    world: World, crash: Crash
) -> None:
    """After any step, another process finishes: one receipt, each leaf once, survivors open."""
    async with world.replica() as replica:
        marketing, invoice = await seal_two_classes(replica)
        intended = await _announced(replica)
        await crash(replica)
    async with world.replica() as replica:
        assert await replica.open(invoice, field="invoice.address") == b"Ankara"
        await finish(world, replica)
        done = await replica.destroying.read("cinar", intended)
        assert done.state is State.RECEIPTED
        kinds = [v.operation.value for v in replica.audit.log("cinar").values if _is_key(v)]
        assert kinds == ["destroy_intent", "epoch", "destroyed"]
        refused = await replica.open(marketing, field="customer.hobby")
        assert reason_of(refused) is Reason.KEY_DESTROYED
        assert await replica.open(invoice, field="invoice.address") == b"Ankara"
        counter = await replica.database.read(
            lambda c: c.execute(select(key_counters.c.counter)).scalar_one()
        )
        assert counter == 2
        with pytest.raises(EmanetError):
            replica.keystore.provider.epoch("cinar", 1)


async def test_epochs_that_ended_unheard_are_told_in_order(world: World) -> None:
    """The log was away when an epoch ended: its leaf comes first, and each destruction has its own."""
    async with world.replica() as replica:
        tenant = await replica.tenants.require("cinar")
        await replica.seal(field="customer.hobby")
        first = await replica.destroy()
        await _rotation_ended(replica)
        await replica.seal(field="customer.hobby")
        second = await replica.destroy()
        replica.audit.is_down = True
        with pytest.raises(EmanetError) as away:
            await replica.worker.advance(tenant)
        assert away.value.reason is Reason.AUDIT_UNAVAILABLE
        replica.audit.is_down = False
        await finish(world, replica)
        found = [
            canonical.decode_object((await replica.destroying.read("cinar", row.id)).receipt or b"")
            for row in (first, second)
        ]
        assert [receipt["epoch"] for receipt in found] == [1, 2]
        indices = [receipt["epoch_log"]["index"] for receipt in found]
        told = [replica.audit.log("cinar").values[index] for index in indices]
        assert [leaf.ids for leaf in told if isinstance(leaf, KeyLeaf)] == [("1",), ("2",)]


async def _announced(replica: Replica) -> str:
    """A destruction whose intent is in the log and whose keys still live."""
    steps = replica.steps
    steps.destroy_keys = _die
    with pytest.raises(_KilledError):
        await replica.destroy()
    del steps.destroy_keys
    (row,) = await replica.database.read(lambda c: stored.list_by_state(c, "cinar", State.INTENDED))
    return row.id


class _KilledError(Exception):
    pass


async def _die(*_: object) -> None:
    raise _KilledError


def _is_key(value: object) -> bool:
    return isinstance(value, KeyLeaf)


async def test_the_wrapped_key_is_gone_from_sqlites_files(tmp_path: Path) -> None:
    """After the destruction no file of the database holds the wrapped bytes any more.

    PostgreSQL keeps dead row versions until vacuum: there the end of the epoch kills them.
    """
    world = World(f"sqlite:///{tmp_path / 'db' / 'x.db'}", tmp_path)
    async with world.replica() as replica:
        marketing, _ = await seal_two_classes(replica)
        sid = parse_envelope(marketing).sid
        wrapped = await replica.database.read(
            lambda c: c.execute(select(key_rows.c.wrapped).where(key_rows.c.id == sid)).scalar_one()
        )
        await replica.destroy()
        files = [path for path in (tmp_path / "db").iterdir() if path.is_file()]
        assert files
        assert not any(wrapped in path.read_bytes() for path in files)


async def test_a_restored_older_database_is_refused(world: World) -> None:
    """The counter file outside the database is ahead of a database from before a destruction."""
    async with world.replica(state="state") as replica:
        await seal_two_classes(replica)
        await replica.destroy()
        # The restored copy: the counter as it was. The schema itself refuses to let it fall.
        await replica.database.write(_rewound)
    with pytest.raises(EmanetError) as refused:
        async with world.replica(state="state"):
            pass
    assert refused.value.reason is Reason.KEYS_BEHIND


def _rewound(connection: object) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TRIGGER guard_key_counters_update"))
    else:
        connection.execute(text("DROP TRIGGER guard_key_counters_update ON key_counters"))
    connection.execute(text("UPDATE key_counters SET counter = 1"))
