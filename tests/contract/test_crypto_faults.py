"""What goes wrong around keys: damaged copies, lying logs, old databases, races with a rotation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Connection, select, text

from emanet.api.access_audit.v1 import access_audit_pb2
from emanet.client.register_feed import FetchedVersion
from emanet.core.encoding import from_micros
from emanet.core.errors import EmanetError, Reason
from services.crypto import storage
from services.crypto.domain.proof import KnownLog
from services.crypto.logs import LogKeeper
from services.crypto.opening import SealedItem
from services.crypto.registers import OrganizationSink, Registers
from services.crypto.setup import add_organization, verify_canary
from services.crypto.storage.keys import list_organizations
from services.crypto.tables import key_rows, register_contacts
from tests.fakes.crypto_world import MANIFEST, NOW, Replica, World, item, version_row


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> World:
    return World(database_url, tmp_path)


async def refused(work: Awaitable[object]) -> Reason:
    with pytest.raises(EmanetError) as failure:
        await work
    return failure.value.reason


def without_guard(table: str, act: str, statement: str) -> Callable[[Connection], None]:
    """Changes what the schema guards, as somebody with the database's password could."""

    def work(connection: Connection) -> None:
        suffix = "" if connection.dialect.name == "sqlite" else f" ON {table}"
        connection.execute(text(f"DROP TRIGGER guard_{table}_{act}{suffix}"))
        connection.execute(text(statement))

    return work


async def test_a_damaged_register_copy_stops_decisions_and_loses_nothing(world: World) -> None:
    """A copy that does not verify is REGISTER_CORRUPT for every call; keys stay as they are."""
    async with world.replica() as replica:
        envelope = await replica.seal()
        await replica.database.write(
            without_guard(
                "register_versions", "update", "UPDATE register_versions SET digest = approval"
            )
        )
    async with world.replica() as replica:
        assert await refused(replica.seal()) is Reason.REGISTER_CORRUPT
        assert await refused(replica.open(envelope)) is Reason.REGISTER_CORRUPT
        assert replica.audit.questions == []


async def test_a_wrong_secret_opens_no_canary(world: World) -> None:
    """Another passphrase or lookup key: SECRET_UNUSABLE, and nothing new is made."""
    async with world.replica() as replica:
        (row,) = await replica.database.read(list_organizations)
        await verify_canary(row, keystore=replica.keystore, database=replica.database)
        for keystore in (
            world.keystore(passphrase=b"another passphrase"),
            world.keystore(lookup_key=bytes(32)),
        ):
            assert (
                await refused(verify_canary(row, keystore=keystore, database=replica.database))
                is Reason.SECRET_UNUSABLE
            )
        assert replica.keystore.provider.organizations() == ("cinar",)


async def test_add_organization_takes_up_where_it_was_interrupted(world: World) -> None:
    """An epoch file without an organization is used; a known organization is refused."""
    async with world.replica(()) as replica:
        replica.keystore.provider.create_organization("cinar")

        async def add() -> None:
            await add_organization(
                "cinar",
                vkey=world.audit.vkey("cinar"),
                keystore=replica.keystore,
                database=replica.database,
                now=NOW,
            )

        await add()
        assert await refused(add()) is Reason.ALREADY_INITIALISED
        assert replica.keystore.provider.active_epoch("cinar").epoch == 1
        assert (await replica.tenants.require("cinar")).organization == "cinar"


async def test_another_organizations_log_key_is_not_pinned(world: World) -> None:
    """The origin in the verifier key names whose log it is."""
    async with world.replica(()) as replica:
        adding = add_organization(
            "cinar",
            vkey=world.audit.vkey("mese"),
            keystore=replica.keystore,
            database=replica.database,
            now=NOW,
        )
        assert await refused(adding) is Reason.LOG_CORRUPT
        assert replica.keystore.provider.organizations() == ()


async def keep_proving(replica: Replica) -> None:
    keeper = LogKeeper(database=replica.database, audit=replica.audit)
    memories = {tenant.organization: tenant.log for tenant in replica.tenants.all()}
    await keeper.flush(memories)
    await keeper.prove(memories, timeout_s=5.0)


async def test_growth_is_proven_and_remembered(world: World) -> None:
    """Seen and proven sizes reach the database; the audit being away only delays it."""
    async with world.replica() as replica:
        envelope = await replica.seal()
        for _ in range(3):
            await replica.open(envelope)
            await keep_proving(replica)
        replica.audit.is_down = True
        await keep_proving(replica)
        state = await replica.database.read(lambda c: storage.log.read_log(c, "cinar"))
        assert state is not None
        assert (state.seen.size, state.proven.size, state.fault) == (3, 3, "")


async def test_a_rewritten_history_stops_decryption_for_good(world: World) -> None:
    """A larger tree that does not begin with the proven one: LOG_FORK, in every replica."""
    async with world.replica() as replica:
        envelope = await replica.seal()
        await replica.open(envelope)
        await replica.open(envelope)
        await keep_proving(replica)
        log = replica.audit.log("cinar")
        log.leaves[0] = log.leaves[1]
        await replica.open(envelope)
        await keep_proving(replica)
        assert await refused(replica.open(envelope)) is Reason.LOG_FORK
        assert isinstance(await replica.seal(), bytes)
    async with world.replica() as other:
        assert await refused(other.open(envelope)) is Reason.LOG_FORK


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_replicas_that_were_shown_two_histories_find_out(world: World, size: int) -> None:
    """What another replica has proven, smaller, equal or larger, must fit what this one saw."""
    async with world.replica() as replica:
        envelope = await replica.seal()
        for _ in range(2):
            await replica.open(envelope)
        other = KnownLog(size, bytes(32))
        await replica.database.write(lambda c: storage.log.put_proven(c, "cinar", other))
        log = replica.audit.log("cinar")
        log.leaves += [b"one more"] * max(0, size - 2)
        await keep_proving(replica)
        assert await refused(replica.open(envelope)) is Reason.LOG_FORK


async def test_a_receipt_whose_leaf_is_not_in_the_tree_stops_decryption(world: World) -> None:
    """A signed checkpoint beside a leaf that was never appended is found out by the proof."""
    async with world.replica() as replica:
        envelope = await replica.seal()
        log = replica.audit.log("cinar")

        def take_back(answer: access_audit_pb2.CheckAccessResponse) -> None:
            log.leaves[answer.receipt.index] = b"another leaf"
            answer.receipt.checkpoint = log.checkpoint()

        replica.audit.lie = take_back
        await replica.open(envelope)
        replica.audit.lie = lambda _: None
        await keep_proving(replica)
        assert await refused(replica.open(envelope)) is Reason.LOG_FORK


async def test_a_restart_remembers_the_largest_log(world: World) -> None:
    """A log restored to a smaller size is LOG_BEHIND after a restart too."""
    async with world.replica() as replica:
        envelope = await replica.seal()
        for _ in range(3):
            await replica.open(envelope)
        await keep_proving(replica)
        del replica.audit.log("cinar").leaves[:]
    async with world.replica() as replica:
        assert await refused(replica.open(envelope)) is Reason.LOG_BEHIND


async def test_a_database_that_forgot_the_log_is_refused(world: World) -> None:
    """The state file knows a larger log than the database: restored from an older copy."""
    async with world.replica(state="state") as replica:
        tenant = await replica.tenants.require("cinar")
        tenant.counters.remember(counter=1, log_size=100)
    with pytest.raises(EmanetError) as failure:
        async with world.replica(state="state"):
            pass
    assert failure.value.reason is Reason.KEYS_BEHIND


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        ("state/cinar.json", Reason.SECRET_UNUSABLE),
        ("epochs/cinar.json", Reason.SECRET_UNUSABLE),
        ("", Reason.KEYS_BEHIND),
    ],
    ids=["state file", "epoch file", "old database"],
)
async def test_an_organization_at_fault_does_not_stop_the_others(
    world: World, damaged: str, reason: Reason
) -> None:
    """It alone is refused, at every use, until what is wrong is mended; no restart is needed."""
    both = ("cinar", "mese")
    path = world.folder / (damaged or "state/cinar.json")
    async with world.replica(both, state="state") as replica:
        envelope = await replica.seal()
        kept = path.read_bytes()
        if damaged:
            path.write_bytes(kept[:-1])
        else:
            tenant = await replica.tenants.require("cinar")
            tenant.counters.remember(counter=9, log_size=0)
    async with world.replica(both, state="state") as replica:
        theirs = await replica.seal(organization="mese")
        assert await replica.open(theirs, organization="mese") == "ayşe@example.com".encode()
        for work in (replica.seal, lambda: replica.open(envelope), replica.destroy):
            assert await refused(work()) is reason
        assert [tenant.organization for tenant in replica.tenants.all()] == ["mese"]
        path.write_bytes(kept)
        assert await replica.open(envelope) == "ayşe@example.com".encode()


async def test_a_damaged_state_file_is_told(world: World) -> None:
    """It is neither believed nor replaced."""
    async with world.replica(state="state"):
        path = world.folder / "state" / "cinar.json"
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EmanetError) as failure:
        async with world.replica(state="state"):
            pass
    assert failure.value.reason is Reason.SECRET_UNUSABLE


async def test_a_database_that_goes_back_under_a_running_service_is_refused(world: World) -> None:
    """The key counter falls between two batches: KEYS_BEHIND, nothing is opened or made."""
    async with world.replica() as replica:
        marketing = await replica.seal(field="customer.hobby")
        email = await replica.seal()
        await replica.destroy()
        await replica.database.write(
            without_guard("key_counters", "update", "UPDATE key_counters SET counter = 1")
        )
        for work in (replica.open(email), replica.seal(), replica.open(marketing)):
            assert await refused(work) is Reason.KEYS_BEHIND


class Interposed:
    """Runs something once between a read and what follows it."""

    def __init__(self, replica: Replica, then: Callable[[], Awaitable[None]]) -> None:
        self._database = replica.database
        self._then = then
        self._is_done = False

    async def read(self, work: object) -> object:
        found = await self._database.read(work)
        if not self._is_done:
            self._is_done = True
            await self._then()
        return found

    async def write(self, work: object) -> object:
        return await self._database.write(work)


async def test_a_rotation_between_reading_and_opening_is_no_destruction(world: World) -> None:
    """Rows read just before their epoch ended are read again, for Decrypt and for Encrypt."""
    async with world.replica() as replica, world.replica(database=replica.database) as other:
        envelope = await replica.seal(subject="customers/1")

        async def rotate() -> None:
            await other.seal(field="customer.hobby")
            await other.destroy()
            await other.worker.run_once()

        for work in (
            lambda: replica.open(envelope),
            lambda: replica.seal(subject="customers/1"),
        ):
            replica.caches.drop("cinar")
            replica.finder._database = Interposed(replica, rotate)
            assert isinstance(await work(), bytes)


async def test_a_key_made_while_the_epoch_changes_survives_it(world: World) -> None:
    """A new row is never left under an epoch that is about to die."""
    async with world.replica() as replica, world.replica(database=replica.database) as other:
        await other.seal(field="customer.hobby")

        async def rotate() -> None:
            await other.destroy()
            await other.worker.run_once()

        replica.finder._database = Interposed(replica, rotate)
        envelope = await replica.seal(subject="customers/55")
        epochs = await replica.database.read(
            lambda c: c.execute(select(key_rows.c.epoch).where(key_rows.c.epoch.is_not(None))).all()
        )
        assert {row[0] for row in epochs} == {2}
        assert await other.open(envelope) == "ayşe@example.com".encode()


async def test_a_corrupt_survivor_keeps_the_old_epoch_alive(world: World) -> None:
    """The rotation stops and says so; the destroyed key stays destroyed, nothing else is lost."""
    async with world.replica() as replica:
        marketing = await replica.seal(field="customer.hobby")
        email = await replica.seal(subject="customers/9")
        await replica.destroy()
        rows = await replica.database.read(
            lambda c: c.execute(
                select(key_rows.c.id)
                .where(key_rows.c.kind == "subject")
                .where(key_rows.c.retention_class == "contract")
            ).all()
        )
        broken = rows[0][0]
        await replica.database.write(
            lambda c: c.execute(key_rows.update().where(key_rows.c.id == broken).values(created=1))
        )
        await replica.worker.run_once()
        assert replica.keystore.provider.epoch("cinar", 1).epoch == 1
        destroyed = await replica.open(marketing, field="customer.hobby")
        assert destroyed.reason is Reason.KEY_DESTROYED
        await replica.database.write(
            lambda c: c.execute(
                key_rows.update()
                .where(key_rows.c.id == broken)
                .values(created=int(NOW.timestamp() * 1_000_000))
            )
        )
        await replica.worker.run_once()
        assert await refused(_epoch(replica, 1)) is Reason.KEY_DESTROYED
        assert await replica.open(email) == "ayşe@example.com".encode()


async def _epoch(replica: Replica, number: int) -> None:
    replica.keystore.provider.epoch("cinar", number)


async def test_a_new_register_version_holds_from_its_time(world: World) -> None:
    """The feed's version is kept, survives a restart, and is in effect from its effective time."""
    async with world.replica() as replica:
        registers = Registers(replica.database)
        await registers.load("cinar")
        sink = OrganizationSink(
            organization="cinar", registers=registers, database=replica.database
        )
        first = (await sink.known())[1]
        changed = MANIFEST.replace(
            "customer.fax: {type: faks, level: none", "customer.fax: {type: faks, level: encrypted"
        )
        row = version_row("cinar", 2, first, effective=NOW, manifest=changed)
        version = FetchedVersion(
            row.number, row.digest, from_micros(row.effective), row.snapshot, row.approval
        )
        await sink.accept(version)
        await sink.accept(version)
        await sink.contact(NOW)
        await sink.refused(number=3, digest=bytes(32), reason=Reason.REGISTER_CORRUPT)
        assert (await sink.known()) == {1: first, 2: row.digest}
    async with world.replica() as replica:
        register = replica.tenants.register("cinar")
        assert register.contact == NOW
        assert register.number_in_effect(NOW) == 2
        assert register.number_in_effect(NOW.replace(hour=1)) == 1
        rows = await replica.database.read(
            lambda c: c.execute(select(register_contacts.c.contact)).all()
        )
        assert len(rows) == 1


async def test_no_log_line_and_no_error_shows_a_value_or_a_subject(world: World) -> None:
    """P7: over good and bad paths, nothing personal is logged or told."""
    secrets = ("ayse.gizli@example.com", "customers/90210", "90210")
    told: list[str] = []
    with structlog.testing.capture_logs() as lines:
        async with world.replica() as replica:
            envelope = await replica.seal(secrets[0], subject=secrets[1])
            hobby = await replica.seal(secrets[0], field="customer.hobby", subject=secrets[1])
            results = await replica.encrypt(
                item(secrets[0], field=secrets[0]),
                item(secrets[0], subject="strangers/90210"),
                item(secrets[0], record="x" * 200, subject=secrets[1]),
            )
            told += [f"{r!r} {dict(r.metadata)} {r.violations}" for r in results]
            answer = await replica.decrypt(
                SealedItem("customer.email", envelope, "", "customers/90211"),
                SealedItem("customer.email", envelope[:-1], "", secrets[1]),
            )
            told += [f"{r!r} {dict(r.metadata)}" for r in answer.results]
            row = await replica.destroy(secrets[1])
            told.append(repr(row))
            told.append(repr(await replica.open(hobby, field="customer.hobby")))
            replica.audit.policy = lambda _: "CASE_REQUIRED"
            with pytest.raises(EmanetError) as denial:
                await replica.open(envelope)
            told.append(f"{denial.value!r} {dict(denial.value.metadata)}")
            await replica.worker.run_once()
    assert lines
    everything = repr(lines) + repr(told)
    for secret in secrets:
        assert secret not in everything
