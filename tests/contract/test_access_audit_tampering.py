"""What the database's owner can change, and where it is found."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from emanet.core.checkpoint import Checkpoint
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.ids import new_uuid7
from emanet.register.manifest import load_manifest
from services.access_audit import storage
from services.access_audit.jobs.register import AcceptRegisterJob
from services.access_audit.register_sink import RegisterIntake
from tests.fakes.access_audit_world import (
    ORGANIZATION,
    AuditReplica,
    AuditWorld,
    item,
    manifest,
)
from tests.fakes.register_source import make_version


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AuditWorld:
    made = AuditWorld(database_url, tmp_path)
    await made.set_up()
    async with made.replica() as audit:
        await audit.prepare()
        await audit.put_case(subjects=[f"customers/{n}" for n in range(10)])
        await audit.record(
            *(audit.record_item(item(subject=f"customers/{n % 10}")) for n in range(300))
        )
    return made


@pytest.fixture
async def audit(world: AuditWorld) -> AsyncIterator[AuditReplica]:
    async with world.replica() as replica:
        replica.hear()
        yield replica


async def _refusal(call) -> EmanetError:
    with pytest.raises(EmanetError) as refused:
        await call
    return refused.value


def _as_owner(audit: AuditReplica, *statements: str) -> None:
    """Runs statements as somebody who may also switch triggers off."""
    database = audit.core.host.database

    def work(connection: Connection) -> None:
        if database.dialect == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            triggers = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for name in list(triggers):
                connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0, statement
        if database.dialect == "postgresql":
            connection.execute(text("SET session_replication_role = DEFAULT"))

    database.write_now(work)


def _flip(audit: AuditReplica, table: str, column: str, where: str) -> None:
    """Changes one byte in the middle of a stored value."""
    database = audit.core.host.database

    def work(connection: Connection) -> None:
        found = connection.execute(text(f"SELECT {column} FROM {table} WHERE {where}")).scalar_one()
        data = bytearray(found.encode() if isinstance(found, str) else bytes(found))
        data[len(data) // 2] ^= 1
        value = bytes(data).decode("latin-1") if isinstance(found, str) else bytes(data)
        connection.execute(
            text(f"UPDATE {table} SET {column} = :value WHERE {where}"), {"value": value}
        )

    _as_owner(audit, *())
    if database.dialect == "postgresql":
        disable = f"ALTER TABLE {table} DISABLE TRIGGER ALL"
        database.write_now(lambda c: c.execute(text(disable)))
    database.write_now(work)


@pytest.mark.parametrize("table", ["leaves", "tiles", "entries"])
async def test_the_database_refuses_to_change_the_log(audit: AuditReplica, table: str) -> None:
    """Append-only by trigger: neither UPDATE nor DELETE, whoever asks through this schema."""
    database = audit.core.host.database
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET generation = 2"):
        with pytest.raises(DBAPIError):
            database.write_now(lambda c, s=statement: c.execute(text(s)))


STORED: dict[str, Callable[[AuditReplica], None]] = {
    "leaf": lambda a: _flip(a, "leaves", "data", "idx = 17"),
    "leaf hash": lambda a: _flip(a, "leaves", "hash", "idx = 17"),
    "entry": lambda a: _flip(a, "entries", "data", "idx = 17"),
    "tile": lambda a: _flip(a, "tiles", "hashes", "level = 0"),
    "tile root": lambda a: _flip(a, "tiles", "root", "level = 0"),
    "compact range": lambda a: _flip(a, "control", "range", f"organization = '{ORGANIZATION}'"),
    "two rows swapped": lambda a: _as_owner(
        a,
        "UPDATE leaves SET idx = -1 WHERE idx = 17",
        "UPDATE leaves SET idx = 17 WHERE idx = 18",
        "UPDATE leaves SET idx = 18 WHERE idx = -1",
    ),
    "leaf deleted": lambda a: _as_owner(a, "DELETE FROM leaves WHERE idx = 17"),
    "entries deleted": lambda a: _as_owner(a, "DELETE FROM entries WHERE idx = 17"),
    "tail cut off": lambda a: _as_owner(a, "DELETE FROM leaves WHERE idx > 290"),
    "rules put back": lambda a: _as_owner(a, "UPDATE control SET rule_set = 7"),
}


@pytest.mark.parametrize("what", sorted(STORED))
async def test_what_was_changed_is_found_at_start_and_stops_the_organization(
    world: AuditWorld, what: str
) -> None:
    """A clear error for this organization: nothing is decided, appended or signed on it."""
    async with world.replica() as audit:
        audit.hear()
        size = (await audit.checkpoint()).size
        STORED[what](audit)
    async with world.replica() as audit:
        audit.hear()
        refused = await _refusal(audit.check())
        assert refused.reason is Reason.LOG_CORRUPT
        again = await _refusal(audit.checkpoint())
        assert again.reason is Reason.LOG_CORRUPT
        info = await audit.operations.info.read(ORGANIZATION)
        assert "LOG_REFUSED" in {warning.code for warning in info.warnings}
        assert info.log_size == size


async def test_a_changed_head_is_found_while_running(audit: AuditReplica) -> None:
    """The control row is compared with what this process signed last, at every commit."""
    await audit.check()
    _flip(audit, "control", "range", f"organization = '{ORGANIZATION}'")
    assert (await _refusal(audit.check())).reason is Reason.LOG_FORK
    assert (await _refusal(audit.check())).reason is Reason.LOG_FORK


async def test_a_changed_leaf_is_not_proven_or_shown(audit: AuditReplica) -> None:
    """Proofs, exports and listings hash what they read."""
    await audit.check()
    _flip(audit, "leaves", "data", "idx = 17")
    assert (await _refusal(audit.exported())).reason is Reason.LOG_CORRUPT


async def _lose_a_record(audit: AuditReplica) -> None:
    """Records one more access, and puts the log back to before it."""
    old = audit.core.host.database.read_now(
        lambda c: c.execute(text("SELECT size, range, last_time FROM control")).one()
    )
    await audit.check()
    _as_owner(
        audit,
        f"DELETE FROM leaves WHERE idx >= {old.size}",
        f"DELETE FROM entries WHERE idx >= {old.size}",
    )
    audit.core.host.database.write_now(
        lambda c: c.execute(
            text("UPDATE control SET size = :size, range = :range"),
            {"size": old.size, "range": bytes(old.range)},
        )
    )


async def test_a_log_that_shrinks_under_the_service_is_behind(audit: AuditReplica) -> None:
    """What this process signed is more than the database holds: it goes on with nothing."""
    await _lose_a_record(audit)
    for _ in range(2):
        assert (await _refusal(audit.check())).reason is Reason.LOG_BEHIND


async def test_a_log_that_grows_by_other_leaves_than_it_holds_is_a_fork(
    audit: AuditReplica,
) -> None:
    """What another replica wrote is hashed before this one signs it."""
    await audit.check()

    def write(connection: Connection) -> None:
        control = storage.log.lock_control(connection, ORGANIZATION)
        assert control is not None
        last = audit.rows()[-1]
        row = last._replace(idx=control.frontier.size, id=bytes(16), hash=b"\x01" * 32)
        storage.log.insert_leaves(connection, control.log, [row])
        other = control.frontier.extend([b"\x02" * 32])
        storage.log.advance_control(connection, replace(control, frontier=other))

    audit.core.host.database.write_now(write)
    assert (await _refusal(audit.check())).reason is Reason.LOG_FORK


async def test_a_restored_old_database_is_behind(world: AuditWorld) -> None:
    """The last checkpoint outside the database remembers that the log was longer."""
    async with world.replica() as audit:
        audit.hear()
        await _lose_a_record(audit)
    async with world.replica() as audit:
        audit.hear()
        refused = await _refusal(audit.check())
        assert refused.reason is Reason.LOG_BEHIND
        assert (await _refusal(audit.checkpoint())).reason is Reason.LOG_BEHIND


async def test_a_log_of_another_history_is_a_fork(world: AuditWorld) -> None:
    """As long as before, consistent in itself, and not what was signed."""
    state = world.service_dir / "state"
    kept = {path: path.read_bytes() for path in state.glob(f"{ORGANIZATION}.checkpoint*")}
    async with world.replica() as audit:
        keys = audit.core.log_keys
        forged = keys.sign(Checkpoint("emanet-dev/test/cinar/1", 100, b"\x07" * 32))
    for path in kept:
        path.write_text(forged)
    async with world.replica() as audit:
        audit.hear()
        assert (await _refusal(audit.check())).reason is Reason.LOG_FORK


def _forge_register(audit: AuditReplica) -> None:
    """Puts another register with its own approval and digest in the place of the first."""
    other = manifest().replace("Deneme A.Ş.", "Başka A.Ş.")
    made = make_version(1, None, register=load_manifest(other, "x").register)
    _flip(audit, "register_copies", "snapshot", "number = 1")
    statement = "UPDATE register_copies SET snapshot = :snapshot, approval = :approval, digest = :d"
    parts = {"snapshot": made.snapshot, "approval": made.approval, "d": made.digest}
    audit.core.host.database.write_now(lambda c: c.execute(text(statement), parts))


@pytest.mark.parametrize(
    "change",
    [
        lambda audit: _flip(audit, "register_copies", "snapshot", "number = 1"),
        lambda audit: _flip(audit, "register_copies", "approval", "number = 1"),
        _forge_register,
    ],
    ids=["snapshot", "approval", "all of it"],
)
async def test_a_register_that_was_changed_decides_nothing(
    world: AuditWorld, change: Callable[[AuditReplica], None]
) -> None:
    """REGISTER_CORRUPT until it is restored, for the leaf binds it; the log itself goes on."""
    async with world.replica() as audit:
        change(audit)
    async with world.replica() as audit:
        audit.hear()
        size = (await audit.checkpoint()).size
        assert (await _refusal(audit.check())).reason is Reason.REGISTER_CORRUPT
        assert (await audit.checkpoint()).size == size


@pytest.mark.parametrize("consistent", [False, True], ids=["source", "source and digest"])
async def test_rules_that_were_changed_decide_nothing(
    world: AuditWorld, *, consistent: bool
) -> None:
    """A digest that is changed along does not help: the rules leaf binds the old one."""
    async with world.replica() as audit:
        source = audit.core.host.database.read_now(
            lambda c: c.execute(text("SELECT source FROM rule_sets")).scalar_one()
        )
        changed = source.replace("records: 10/day", "records: 99/day")
        digest = hashlib.sha256(changed.encode()).digest()
        _as_owner(audit, *())
        database = audit.core.host.database
        if database.dialect == "postgresql":
            database.write_now(
                lambda c: c.execute(text("ALTER TABLE rule_sets DISABLE TRIGGER ALL"))
            )
        database.write_now(
            lambda c: c.execute(text("UPDATE rule_sets SET source = :s"), {"s": changed})
        )
        if consistent:
            database.write_now(
                lambda c: c.execute(text("UPDATE rule_sets SET digest = :d"), {"d": digest})
            )
    async with world.replica() as audit:
        audit.hear()
        assert (await _refusal(audit.check())).reason is Reason.RULES_CORRUPT
        info = await audit.operations.info.read(ORGANIZATION)
        assert "RULES_CORRUPT" in {warning.code for warning in info.warnings}


async def test_rules_that_change_between_the_two_persons_are_refused(audit: AuditReplica) -> None:
    """The approver read another text than the one that would be put in force."""
    applied = await audit.apply()
    _flip(audit, "rule_sets", "source", "number = 2")
    assert (await _refusal(audit.activate(applied))).reason is Reason.RULES_CORRUPT


async def test_a_second_digest_for_a_register_number_is_refused_for_ever(
    audit: AuditReplica,
) -> None:
    """The first bytes stay, and the second attempt is a finding."""
    other = manifest().replace("Deneme A.Ş.", "Başka A.Ş.")
    made = make_version(1, None, register=load_manifest(other, "x").register)
    job = AcceptRegisterJob(
        organization=ORGANIZATION,
        id=new_uuid7(audit.clock),
        number=1,
        snapshot=made.snapshot,
        approval=made.approval,
    )
    before = len(audit.rows())
    refused = await _refusal(audit.core.committer.submit(job))
    assert refused.reason is Reason.REGISTER_CORRUPT
    assert len(audit.rows()) == before


@pytest.mark.parametrize(
    ("reason", "is_finding"),
    [(Reason.REGISTER_CORRUPT, True), (Reason.SERVICE_UNAVAILABLE, False)],
)
async def test_an_inventory_that_finds_itself_corrupt_is_a_finding(
    audit: AuditReplica, reason: Reason, *, is_finding: bool
) -> None:
    """It is told at once, not when the register is stale; an outage alone is none."""
    intake = RegisterIntake(
        organization=ORGANIZATION,
        database=audit.core.host.database,
        committer=audit.core.committer,
        contacts=audit.core.contacts,
        clock=audit.clock,
        warnings=audit.core.warnings,
        reached=lambda: None,
    )
    await intake.interrupted(error(reason, service="inventory"))
    info = await audit.operations.info.read(ORGANIZATION)
    told = "REGISTER_REFUSED" in {warning.code for warning in info.warnings}
    assert told is is_finding


async def test_swapped_pseudonyms_are_found_when_they_are_read(world: AuditWorld) -> None:
    """A row under another's token does not open, and does not stop the organization."""
    async with world.replica() as audit:
        tokens = audit.core.host.database.read_now(
            lambda c: (
                c.execute(
                    text(
                        "SELECT token FROM pseudonyms WHERE namespace = 'customers' ORDER BY token"
                    )
                )
                .scalars()
                .all()
            )
        )
        _as_owner(
            audit,
            f"UPDATE pseudonyms SET token = 'x' WHERE token = '{tokens[0]}'",
            f"UPDATE pseudonyms SET token = '{tokens[0]}' WHERE token = '{tokens[1]}'",
            f"UPDATE pseudonyms SET token = '{tokens[1]}' WHERE token = 'x'",
        )
    async with world.replica() as audit:
        audit.hear()
        await audit.check()
        info = await audit.operations.info.read(ORGANIZATION)
        assert "PSEUDONYM_REFUSED" in {warning.code for warning in info.warnings}
        refused = await _refusal(audit.listed(page_size=1000))
        assert refused.reason is Reason.PSEUDONYM_CORRUPT


@pytest.mark.parametrize("secret", ["pseudonym_key", "log_seed"])
async def test_another_secret_is_noticed_before_anything_is_written(
    world: AuditWorld, secret: str
) -> None:
    """Other keys over existing data are refused, never used."""
    path = world.service_dir / "secrets" / secret
    path.write_text("A" * 43 + "\n")
    async with world.replica() as audit:
        audit.hear()
        refused = await _refusal(audit.check())
        assert refused.reason in {Reason.PSEUDONYM_CORRUPT, Reason.LOG_CORRUPT}


@pytest.mark.parametrize("damage", ["passphrase", "missing epoch file", "changed epoch file"])
async def test_without_the_right_epoch_keys_it_does_not_start(
    world: AuditWorld, damage: str
) -> None:
    """SECRET_UNUSABLE, and no new secret is made."""
    epoch = world.service_dir / "epochs" / f"{ORGANIZATION}.json"
    if damage == "passphrase":
        (world.service_dir / "secrets" / "kek_passphrase").write_text("B" * 43 + "\n")
    elif damage == "missing epoch file":
        epoch.unlink()
    else:
        epoch.write_bytes(epoch.read_bytes().replace(b'"created":1', b'"created":2'))
    refused = await _refusal(_start_and_check(world))
    assert refused.reason is Reason.SECRET_UNUSABLE


async def _start_and_check(world: AuditWorld) -> None:
    async with world.replica() as audit:
        audit.hear()
        await audit.check(item(subject="customers/99"))
