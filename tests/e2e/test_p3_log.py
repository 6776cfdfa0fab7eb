"""P3, no record changes unnoticed: what the database's owner can do to logs and keys, and who sees it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from sqlalchemy import Connection, text

from emanet.api.access_audit.v1 import access_audit_pb2_grpc
from emanet.api.crypto.v1 import crypto_pb2_grpc, keys_pb2
from emanet.client import AccessToRecord, Case, Plain, ToOpen
from emanet.client.channel import ServiceName
from emanet.client.status import error_from_rpc
from emanet.core.checkpoint import parse_vkey
from emanet.core.errors import EmanetError, IntegrityError, Reason, UnavailableError
from emanet.core.leaf import AccessLeaf, Receipt, decode_leaf, encode_leaf
from emanet.core.merkle import CompactRange, leaf_hash
from emanet.verify import examine_log, verify_log, verify_receipt
from tests.e2e.acting import (
    TICKET,
    TIMEOUT_S,
    Exported,
    admin,
    app,
    bearer,
    check,
    decrypting,
    export,
    now,
    put_ticket,
    refusal,
    refused,
    stub,
    support,
)
from tests.e2e.conftest import VALUES
from tests.e2e.installation import NEIGHBOUR, ORGANIZATION, Local, Template, until

EMAIL = "customer.email"
OWN = f"organization = '{ORGANIZATION}'"


def read_many(local: Local, count: int) -> None:
    """Records reads of a plain column, a batch of them in one call."""
    panel = app(local)
    reads = [AccessToRecord(("customer.fax",), ("customers/1",), now()) for _ in range(count)]
    with panel.reading(purpose="support", staff_token=support(local), case=TICKET):
        results = panel.record_accesses(reads)
    assert not any(result.status.code for result in results)


def open_value(local: Local, envelope: bytes) -> str:
    """What opening a value comes to: its reason, or OPENED."""
    crypto = stub(local, ServiceName.CRYPTO, crypto_pb2_grpc.CryptoServiceStub)
    try:
        answer = crypto.Decrypt(
            decrypting([envelope]), metadata=bearer(support(local)), timeout=TIMEOUT_S
        )
    except grpc.RpcError as failure:
        return error_from_rpc(failure).reason.value
    assert answer.results[0].value.text == VALUES[EMAIL]
    return "OPENED"


def change(value: bytes) -> bytes:
    return value[:20] + bytes([value[20] ^ 1]) + value[21:]


def swap(connection: Connection, table: str, first: int, second: int) -> None:
    """Lets two rows change places."""
    for old, new in ((first, -1), (second, first), (-1, second)):
        connection.execute(text(f"UPDATE {table} SET idx = {new} WHERE {OWN} AND idx = {old}"))


def cut_tail(connection: Connection) -> None:
    """Deletes the newest record with everything that tells of it, so that the log fits itself."""
    rows = (
        connection.execute(text(f"SELECT hash FROM leaves WHERE {OWN} ORDER BY idx"))
        .scalars()
        .all()
    )
    last = len(rows) - 1
    for table in ("leaves", "entries", "access", "access_subjects"):
        connection.execute(text(f"DELETE FROM {table} WHERE {OWN} AND idx = {last}"))
    write_control(connection, [bytes(row) for row in rows[:last]])


def rewrite(connection: Connection, index: int) -> None:
    """Makes one denial an allow, and every hash above it fit again."""
    rows = (
        connection.execute(text(f"SELECT data FROM leaves WHERE {OWN} ORDER BY idx"))
        .scalars()
        .all()
    )
    data = [bytes(row) for row in rows]
    data[index] = forged(data[index])
    connection.execute(
        text(f"UPDATE leaves SET data = :d, hash = :h WHERE {OWN} AND idx = {index}"),
        {"d": data[index], "h": leaf_hash(data[index])},
    )
    hashes = [leaf_hash(each) for each in data]
    for n in range(len(hashes) // 256):
        tile = hashes[n * 256 : n * 256 + 256]
        connection.execute(
            text(f"UPDATE tiles SET hashes = :t, root = :r WHERE {OWN} AND level = 0 AND n = {n}"),
            {"t": b"".join(tile), "r": CompactRange().extend(tile).root()},
        )
    write_control(connection, hashes)


def forged(data: bytes) -> bytes:
    """The same record of another purpose: no entry and no length betrays it."""
    leaf = decode_leaf(data)
    assert isinstance(leaf, AccessLeaf)
    changed = data.replace(b'"support"', b'"service"', 1)
    assert encode_leaf(decode_leaf(changed)) == changed != data
    return changed


def write_control(connection: Connection, hashes: list[bytes]) -> None:
    whole = CompactRange().extend(hashes)
    connection.execute(
        text(f"UPDATE control SET size = :s, range = :r WHERE {OWN}"),
        {"s": whole.size, "r": whole.to_bytes()},
    )


TAMPERING: dict[str, Callable[[Connection], None]] = {
    "entries of two records swapped": lambda c: swap(c, "entries", 100, 101),
    "one record rewritten with all hashes": lambda c: rewrite(c, 100),
    "newest record deleted with all traces": cut_tail,
}
"""Consistent in themselves; the plain ones are tests of the contract on both databases."""


def test_what_the_owner_changed_is_found_at_start(
    sqlite_copy: Callable[..., Local], sqlite_template: Template, tmp_path: Path
) -> None:
    """Whatever was changed while the service was down: nothing is decided, recorded or opened on it.

    The neighbour's log, in the same database, is served as before.
    """
    local = sqlite_copy()
    local.start()
    read_many(local, 300)
    files = local.workspace.var / "access_audit" / "db"
    for what, tamper in TAMPERING.items():
        local.stop("access_audit")
        shutil.copytree(files, tmp_path / "kept")
        with local.as_owner("access_audit") as connection:
            tamper(connection)
        local.start("access_audit")
        audit = stub(local, ServiceName.ACCESS_AUDIT, access_audit_pb2_grpc.AccessAuditServiceStub)
        failure = refusal(audit.CheckAccess, check(), staff=support(local))
        assert failure.reason in {Reason.LOG_CORRUPT, Reason.LOG_FORK, Reason.LOG_BEHIND}, what
        with refused(failure.reason):
            export(local)
        assert open_value(local, sqlite_template.sealed[EMAIL]) != "OPENED", what
        assert (
            admin(local, "s-104", "denetim", organization=NEIGHBOUR).audit.checkpoint().checkpoint
        )
        local.stop("access_audit")
        shutil.rmtree(files)
        (tmp_path / "kept").rename(files)
    local.start("access_audit")
    assert until(
        lambda: open_value(local, sqlite_template.sealed[EMAIL]) == "OPENED", what="a read"
    )


def test_a_record_rewritten_under_the_running_service_is_not_signed(
    sqlite_copy: Callable[..., Local], sqlite_template: Template
) -> None:
    """The owner of the live database rewrites history consistently: refused with LOG_FORK at once."""
    local = sqlite_copy()
    local.start()
    read_many(local, 300)
    with local.as_owner("access_audit") as connection:
        rewrite(connection, 100)
    assert open_value(local, sqlite_template.sealed[EMAIL]) == Reason.LOG_FORK.value
    audit = stub(local, ServiceName.ACCESS_AUDIT, access_audit_pb2_grpc.AccessAuditServiceStub)
    failure = refusal(audit.CheckAccess, check(), staff=support(local))
    assert failure.reason is Reason.LOG_FORK


def test_an_old_copy_of_log_and_files_is_seen_by_those_who_knew_more(
    sqlite_copy: Callable[..., Local], sqlite_template: Template, tmp_path: Path
) -> None:
    """Restored with its checkpoint file, access_audit cannot know; clients and crypto do.

    The facade and crypto answer LOG_BEHIND; once the old log is as long as the one that crypto has
    seen, decryption stops for good, over a restart too.
    """
    local, envelope = sqlite_copy(), sqlite_template.sealed[EMAIL]
    local.start()
    panel = app(local)
    reading = panel.reading(purpose="support", staff_token=support(local), case=TICKET)
    local.stop("access_audit")
    files = local.workspace.var / "access_audit"
    shutil.copytree(files, tmp_path / "old")
    local.start("access_audit")
    with reading:
        for _ in range(4):
            panel.record_read(fields=["customer.fax"], subjects=["customers/1"])
    assert until(lambda: open_value(local, envelope) == "OPENED", what="a read")
    witness = export(local)
    witness.write(tmp_path / "witness")
    seen = admin(local, "s-101", "kvkk").keys.service_info
    until(lambda: seen().log_size >= witness.checkpoint.size - 1, what="crypto's memory")

    local.stop("access_audit")
    shutil.rmtree(files)
    shutil.copytree(tmp_path / "old", files)
    local.start("access_audit")
    with (
        panel.reading(purpose="support", staff_token=support(local), case=TICKET),
        refused(Reason.LOG_BEHIND),
    ):
        panel.record_read(fields=["customer.fax"], subjects=["customers/1"])
    until(lambda: open_value(local, envelope) == Reason.LOG_BEHIND.value, what="LOG_BEHIND")
    until(lambda: open_value(local, envelope) == Reason.LOG_FORK.value, what="LOG_FORK")
    for _ in range(3):  # also once the forked log is larger than the one that was seen
        assert open_value(local, envelope) == Reason.LOG_FORK.value
    stored = "SELECT 1 FROM log_memory WHERE fault <> ''"
    until(lambda: local.rows("crypto", stored), what="the fault in the database")
    local.kill("crypto")
    local.start("crypto")
    assert open_value(local, envelope) == Reason.LOG_FORK.value

    vkey = parse_vkey(local.workspace.log_key(ORGANIZATION).read_text(encoding="utf-8").strip())
    forked = export(local)
    forked.write(tmp_path / "forked")
    assert verify_log(tmp_path / "forked", vkey).size == forked.checkpoint.size  # each alone holds
    shared_size = min(witness.checkpoint.size, forked.checkpoint.size)
    assert witness.data[:shared_size] != forked.data[:shared_size]
    receipt = Receipt(
        checkpoint=witness.files["checkpoint"].decode(),
        index=witness.checkpoint.size - 1,
        leaf_hash=leaf_hash(witness.data[-1]),
    )
    assert verify_receipt(receipt, vkey, directory=tmp_path / "witness").is_in_log
    with refused(Reason.LOG_FORK, Reason.RECEIPT_INVALID, Reason.LOG_BEHIND):
        verify_receipt(receipt, vkey, directory=tmp_path / "forked")


def test_a_changed_export_is_found_offline(shared: Local, tmp_path: Path) -> None:
    """A flipped byte anywhere in an exported log, a swapped or missing file: found, with its place."""
    read_many(shared, 260)
    exported = export(shared)
    vkey = parse_vkey(shared.workspace.log_key(ORGANIZATION).read_text(encoding="utf-8").strip())
    exported.write(tmp_path / "good")
    assert examine_log(tmp_path / "good", vkey).holds
    for number, path in enumerate(exported.files):
        content = bytearray(exported.files[path])
        content[len(content) // 2] ^= 1
        _write(tmp_path / str(number), exported, path, bytes(content))
        assert not examine_log(tmp_path / str(number), vkey).holds, path
        (tmp_path / str(number) / path).unlink()
        assert not examine_log(tmp_path / str(number), vkey).holds, path
    other = shared.workspace.log_key(NEIGHBOUR).read_text(encoding="utf-8").strip()
    assert not examine_log(tmp_path / "good", parse_vkey(other)).holds


def _write(folder: Path, exported: Exported, path: str, content: bytes) -> None:
    exported.write(folder)
    (folder / path).write_bytes(content)


def test_changed_and_swapped_key_rows_open_nothing(
    sqlite_copy: Callable[..., Local], sqlite_template: Template
) -> None:
    """A flipped byte in a wrapped key, or two rows that changed keys: no value opens, none is remade."""
    local = sqlite_copy()
    local.start()
    envelope = sqlite_template.sealed[EMAIL]
    assert until(lambda: open_value(local, envelope) == "OPENED", what="a read")
    sealed = app(local).encrypt(subject="customers/2", values={EMAIL: "b@örnek.example"})
    other_envelope = sealed[EMAIL].envelope
    put_ticket(local, "T-both", subjects=["customers/1", "customers/2"])
    local.stop("crypto")
    sid = envelope[2:18]
    mine = {"sid": sid}
    with local.as_owner("crypto") as connection:
        good = connection.execute(
            text("SELECT wrapped FROM key_rows WHERE id = :sid"), mine
        ).scalar_one()
        other = connection.execute(
            text(
                f"SELECT wrapped FROM key_rows WHERE {OWN} AND kind = 'subject' AND id <> :sid"
                " AND wrapped IS NOT NULL AND retention_class ="
                " (SELECT retention_class FROM key_rows WHERE id = :sid)"
            ),
            mine,
        ).scalar_one()
    before = local.rows("crypto", "SELECT count(*) FROM key_rows")[0][0]
    for wrapped in (change(bytes(good)), bytes(other)):
        with local.as_owner("crypto") as connection:
            connection.execute(
                text("UPDATE key_rows SET wrapped = :w WHERE id = :sid"), {**mine, "w": wrapped}
            )
        local.start("crypto")
        assert until(lambda: page(local, envelope, other_envelope), what="an answer") == [
            Reason.KEY_ROW_CORRUPT,
            "b@örnek.example",
        ]
        with pytest.raises(IntegrityError):
            app(local).encrypt(subject="customers/1", values={EMAIL: "c@örnek.example"})
        local.stop("crypto")
    assert local.rows("crypto", "SELECT count(*) FROM key_rows")[0][0] == before
    with local.as_owner("crypto") as connection:
        connection.execute(
            text("UPDATE key_rows SET wrapped = :w WHERE id = :sid"), {**mine, "w": bytes(good)}
        )
    local.start("crypto")
    assert until(lambda: open_value(local, envelope) == "OPENED", what="a read")


def page(local: Local, *envelopes: bytes) -> list[Reason | Plain]:
    """A page of two customers: values, or why each did not open; empty while nobody answers."""
    panel = app(local)
    case = Case("ticket", "T-both")
    with panel.reading(purpose="support", staff_token=support(local), case=case):
        try:
            opened = panel.decrypt_many([ToOpen(EMAIL, each) for each in envelopes])
        except UnavailableError:
            return []
    return [each.reason if isinstance(each, EmanetError) else each for each in opened]


def test_a_restored_old_key_database_is_refused(
    sqlite_copy: Callable[..., Local], sqlite_template: Template, tmp_path: Path
) -> None:
    """A key database from before a destruction does not come back to life."""
    local = sqlite_copy(EMANET_RUNTIME_MAX_DEADLINE_SECONDS="2")
    local.start("inventory", "access_audit")
    files = local.workspace.var / "crypto" / "db"
    shutil.copytree(files, tmp_path / "old")
    local.start("crypto")
    dpo = admin(local, "s-101", "kvkk")
    destroyed = dpo.keys.destroy_subject(
        "customers/1",
        ground=keys_pb2.DESTRUCTION_GROUND_SUBJECT_REQUEST,
        retention_classes=["marketing"],
    )
    assert destroyed.key_count == 1
    local.kill("crypto")
    shutil.rmtree(files)
    shutil.copytree(tmp_path / "old", files)
    local.start("crypto", wait=False)

    def answer() -> str:
        if local.running["crypto"].poll() is not None:
            return Reason.KEYS_BEHIND.value if "KEYS_BEHIND" in local.logs() else "ended"
        found = open_value(local, sqlite_template.sealed[EMAIL])
        return "" if found == Reason.SERVICE_UNAVAILABLE.value else found

    assert until(answer, what="an answer") == Reason.KEYS_BEHIND.value
