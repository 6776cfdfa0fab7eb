"""Encrypt and Decrypt on both databases: what comes back, and what never does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.envelope import OVERHEAD_BYTES, ValueType, parse_envelope, to_text
from emanet.core.errors import CallerError, DeniedError, EmanetError, Reason
from emanet.core.leaf import AccessLeaf, OutcomeLeaf
from services.crypto.opening import OpenedValue, SealedItem
from services.crypto.tables import key_rows, log_memory
from tests.fakes.crypto_world import NOW, Replica, World, item

CANARY_ROWS = 2


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> World:
    return World(database_url, tmp_path)


@pytest.fixture
async def replica(world: World) -> AsyncIterator[Replica]:
    async with world.replica(("cinar", "mese")) as made:
        yield made


def reason_of(result: object) -> Reason:
    assert isinstance(result, EmanetError), result
    return result.reason


async def count_keys(replica: Replica) -> int:
    rows = await replica.database.read(lambda c: c.execute(select(key_rows.c.id)).all())
    return len(rows)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4096, 65_536])
async def test_a_value_of_any_size_comes_back(replica: Replica, size: int) -> None:
    """Bytes of 0 to 65,536 come back, and the envelope is 94 bytes longer."""
    value = bytes(index % 251 for index in range(size))
    envelope = await replica.seal(value)
    assert len(envelope) == size + OVERHEAD_BYTES
    assert await replica.open(envelope) == value


async def test_text_and_bytes_come_back_as_what_they_were(replica: Replica) -> None:
    """The value's type is authenticated and not told by the caller."""
    envelopes = [await replica.seal("İğdır ışığı"), await replica.seal("İğdır ışığı".encode())]
    answer = await replica.decrypt(*(SealedItem("customer.email", e, "", "") for e in envelopes))
    assert [result.value_type.value for result in answer.results] == ["text", "bytes"]
    assert {result.value.decode() for result in answer.results} == {"İğdır ışığı"}


async def test_the_text_form_opens_like_the_raw_one(replica: Replica) -> None:
    """`emn1.` text as ASCII bytes is the same envelope."""
    envelope = await replica.seal()
    assert await replica.open(to_text(envelope).encode()) == "ayşe@example.com".encode()


async def test_every_refusal_of_encrypt_names_its_reason_and_spares_the_others(
    replica: Replica,
) -> None:
    """Items are refused one by one; the rest of the batch is encrypted."""
    refused = {
        item(field="nope"): Reason.UNKNOWN_FIELD,
        item(field="card.number"): Reason.FIELD_FORBIDDEN,
        item(field="message.body"): Reason.FIELD_SEALED,
        item(field="customer.fax"): Reason.FIELD_NOT_ENCRYPTED,
        item(field="customer.lost"): Reason.FIELD_WITHOUT_RETENTION,
        item(subject=""): Reason.INVALID_SUBJECT,
        item(subject="strangers/1"): Reason.INVALID_SUBJECT,
        item(subject="customers/10000000146"): Reason.INVALID_SUBJECT,
        item("e\u0301"): Reason.TEXT_NOT_NFC,
        item(b"x" * 65_537): Reason.VALUE_TOO_LARGE,
        item(start=NOW + timedelta(minutes=6)): Reason.START_IN_FUTURE,
        item(record="x" * 129): Reason.VALUE_TOO_LARGE,
        item(field="traffic.line", subject=""): Reason.INVALID_FIELD,
    }
    results = await replica.encrypt(item(), *refused, item(subject="citizens/10000000146"))
    assert isinstance(results[0], bytes)
    assert isinstance(results[-1], bytes)
    assert [reason_of(result) for result in results[1:-1]] == list(refused.values())
    lost = results[1 + list(refused.values()).index(Reason.FIELD_WITHOUT_RETENTION)]
    assert lost.metadata["row"] == "activities/account/rows/4"


async def test_class_and_bucket_come_from_the_register(replica: Replica) -> None:
    """Event-started classes use the open bucket, others the month of the start in Istanbul."""
    await replica.encrypt(
        item(field="customer.name"),
        item(field="invoice.address", start=NOW.replace(month=1, day=31, hour=21, minute=30)),
        item("line", field="traffic.line", subject="", record="r-1"),
    )
    found = await replica.database.read(
        lambda c: c.execute(
            select(key_rows.c.kind, key_rows.c.retention_class, key_rows.c.bucket).where(
                key_rows.c.retention_class != ""
            )
        ).all()
    )
    assert {tuple(row) for row in found} == {
        ("subject", "contract+invoice", ""),
        ("bucket", "contract+invoice", "open"),
        ("subject", "invoice", ""),
        ("bucket", "invoice", "2026-02"),
        ("subject", "traffic", ""),
        ("bucket", "traffic", "2026-03"),
    }


async def test_two_writers_make_one_key(world: World) -> None:
    """Keys that many batches need at once are made once; every value opens."""
    async with world.replica() as one, world.replica(database=one.database) as two:
        batches = [
            (replica, [item(f"v{index}", subject=f"customers/{index}") for index in range(20)])
            for replica in (one, two, one, two)
        ]
        sealed = await asyncio.gather(*(replica.encrypt(*batch) for replica, batch in batches))
        assert await count_keys(one) == CANARY_ROWS + 20 + 1
        for envelopes in sealed:
            answer = await two.decrypt(
                *(SealedItem("customer.email", e, "", "") for e in envelopes)
            )
            assert [r.value for r in answer.results] == [f"v{i}".encode() for i in range(20)]


async def test_every_byte_of_an_envelope_counts(replica: Replica) -> None:
    """A flipped bit anywhere gives the one error, of one shape, and no plaintext."""
    envelope = await replica.seal("gizli")
    changed = []
    for position in range(len(envelope)):
        broken = bytearray(envelope)
        broken[position] ^= 0x01
        changed.append(bytes(broken))
    changed += [envelope[:-1], envelope + b"\x00", b"", b"emn1.", b"emn1.\xff", b"x" * 94]
    answer = await replica.decrypt(*(SealedItem("customer.email", c, "", "") for c in changed))
    assert {(reason_of(r), str(r), tuple(r.metadata.items())) for r in answer.results} == {
        (Reason.ENVELOPE_INVALID, str(answer.results[0]), ())
    }


async def test_a_value_opens_only_where_it_was_encrypted(replica: Replica) -> None:
    """Another field, record, subject or organization gives the one error."""
    bound = await replica.seal("değer", record="orders/1")
    assert await replica.open(bound, record="orders/1") == "değer".encode()
    assert await replica.open(bound, record="orders/1", subject="customers/7") == "değer".encode()
    for elsewhere in (
        {"record": "orders/2"},
        {},
        {"record": "orders/1", "field": "customer.name"},
        {"record": "orders/1", "subject": "customers/8"},
        {"record": "orders/1", "organization": "mese"},
    ):
        assert reason_of(await replica.open(bound, **elsewhere)) is Reason.ENVELOPE_INVALID


async def test_omitted_record_means_the_subject_both_ways(replica: Replica) -> None:
    """A value without a record opens without one, or with the subject's text, and no other."""
    envelope = await replica.seal("değer")
    assert await replica.open(envelope) == "değer".encode()
    assert await replica.open(envelope, record="customers/7") == "değer".encode()
    assert reason_of(await replica.open(envelope, record="customers/70")) is Reason.ENVELOPE_INVALID


async def test_a_subject_bound_field_does_not_look_at_records(replica: Replica) -> None:
    """`bind: subject` leaves the record out of the envelope."""
    envelope = await replica.seal("not", field="customer.note", record="notes/1")
    assert await replica.open(envelope, field="customer.note") == b"not"
    assert await replica.open(envelope, field="customer.note", record="notes/2") == b"not"


async def test_two_envelopes_with_swapped_keys_do_not_open(replica: Replica) -> None:
    """sid and bid of another value in an envelope's header give the one error."""
    one = await replica.seal("bir", subject="customers/1")
    two = await replica.seal("iki", subject="customers/2")
    address = await replica.seal("adres", field="invoice.address", subject="customers/1")
    for head in (two[2:18] + one[18:34], address[2:18] + one[18:34], one[18:34] + one[2:18]):
        forged = one[:2] + head + one[34:]
        assert reason_of(await replica.open(forged)) is Reason.ENVELOPE_INVALID


async def test_the_question_names_subjects_of_key_rows_and_counts_every_value(
    replica: Replica,
) -> None:
    """Subjects and buckets come from the keys; what cannot be opened is counted with its field."""
    one = await replica.seal(subject="customers/1")
    two = await replica.seal(subject="customers/2")
    await replica.decrypt(
        SealedItem("customer.email", one, "", ""),
        SealedItem("customer.email", one, "", "customers/999"),
        SealedItem("customer.email", two, "", ""),
        SealedItem("customer.email", b"broken", "", "customers/999"),
        SealedItem("customer.name", b"broken", "", "customers/999"),
    )
    asked = replica.audit.questions[-1]
    assert [(i.field, i.subject, i.bucket, i.values) for i in asked.items] == [
        ("customer.email", "customers/1", "open", 3),
        ("customer.email", "customers/2", "open", 1),
        ("customer.name", "", "", 1),
    ]
    assert asked.staff_token == "token-of-a-person"
    assert asked.application == "panel"
    assert asked.register == 1


async def test_the_first_failure_follows_as_an_outcome(replica: Replica) -> None:
    """An allowed read that fails in part has a second leaf that names the first item."""
    envelope = await replica.seal()
    answer = await replica.decrypt(
        SealedItem("customer.email", envelope, "", ""),
        SealedItem("customer.email", b"broken", "", ""),
    )
    assert isinstance(answer.results[0], OpenedValue)
    access, outcome = replica.audit.log("cinar").values
    assert isinstance(access, AccessLeaf)
    assert isinstance(outcome, OutcomeLeaf)
    assert (outcome.access, outcome.item, outcome.why) == (access.id, 1, "ENVELOPE_INVALID")
    assert answer.record.endswith(str(access.id))


async def test_nothing_is_released_when_the_failure_cannot_be_recorded(replica: Replica) -> None:
    """The good values of a batch stay inside when the outcome leaf does not get written."""
    envelope = await replica.seal()
    replica.audit.outcomes_down = True
    with pytest.raises(EmanetError) as failure:
        await replica.decrypt(
            SealedItem("customer.email", envelope, "", ""),
            SealedItem("customer.email", b"broken", "", ""),
        )
    assert failure.value.reason is Reason.AUDIT_UNAVAILABLE


async def test_a_denial_tells_reason_and_record_and_releases_nothing(replica: Replica) -> None:
    """DENY becomes DeniedError with the reason's metadata and the record's name."""
    envelope = await replica.seal()
    replica.audit.policy = lambda _: "CASE_REQUIRED"
    with pytest.raises(DeniedError) as denial:
        await replica.open(envelope)
    assert denial.value.reason is Reason.CASE_REQUIRED
    assert denial.value.metadata["field"] == "customer.email"
    leaf = replica.audit.log("cinar").values[-1]
    assert denial.value.record.endswith(str(leaf.id))


@pytest.mark.parametrize(
    ("field", "reason"),
    [("message.body", Reason.FIELD_SEALED), ("card.number", Reason.FIELD_FORBIDDEN)],
)
async def test_sealed_and_forbidden_fields_are_refused_and_recorded(
    replica: Replica, field: str, reason: Reason
) -> None:
    """P6: no policy opens them, and the attempt is on record."""
    envelope = await replica.seal()
    with pytest.raises(CallerError) as refusal:
        await replica.open(envelope, field=field)
    assert refusal.value.reason is reason
    assert refusal.value.metadata["record"].endswith(str(replica.audit.questions[-1].attempt))


async def test_encrypt_goes_on_while_the_audit_is_down_and_decrypt_recovers(
    replica: Replica,
) -> None:
    """Down: encrypt works, decrypt answers AUDIT_UNAVAILABLE; back: it opens without a restart."""
    replica.audit.is_down = True
    envelope = await replica.seal()
    with pytest.raises(EmanetError) as failure:
        await replica.open(envelope)
    assert failure.value.reason is Reason.AUDIT_UNAVAILABLE
    replica.audit.is_down = False
    assert await replica.open(envelope) == "ayşe@example.com".encode()


async def test_a_slow_audit_is_given_up_within_the_callers_deadline(replica: Replica) -> None:
    """An answer that comes too late is no answer."""
    envelope = await replica.seal()
    replica.audit.delay_s = 10.0
    started = asyncio.get_running_loop().time()
    with pytest.raises(EmanetError) as failure:
        await replica.decrypt(SealedItem("customer.email", envelope, "", ""), timeout_s=0.2)
    assert failure.value.reason is Reason.AUDIT_UNAVAILABLE
    assert asyncio.get_running_loop().time() - started < 2.0


async def test_texts_and_bytes_of_one_field_open_in_one_batch(replica: Replica) -> None:
    """Whatever was opened before, each value comes back as the type that it was sealed as."""
    values = ["bir", b"two", "üç", b"four", b"\xff\x00", "altı"]
    envelopes = [await replica.seal(value) for value in values]
    answer = await replica.decrypt(*(SealedItem("customer.email", e, "", "") for e in envelopes))
    opened = [
        each.value.decode() if each.value_type is ValueType.TEXT else each.value
        for each in answer.results
        if isinstance(each, OpenedValue)
    ]
    assert opened == values


async def test_masks_are_computed_inside_and_recorded_as_masked(replica: Replica) -> None:
    """READ_MASKED answers masks of the field's data type; bytes and unknown types show nothing."""
    tckn = await replica.seal("10000000146", field="customer.tckn")
    email = await replica.seal("ayse@example.com")
    note = await replica.seal("uzun bir not", field="customer.note")
    raw = await replica.seal(b"\x00\x01")
    answer = await replica.decrypt(
        SealedItem("customer.tckn", tckn, "", ""),
        SealedItem("customer.email", email, "", ""),
        SealedItem("customer.note", note, "", ""),
        SealedItem("customer.email", raw, "", ""),
        action=resources_pb2.ACTION_READ_MASKED,
    )
    masks = [result.value.decode() for result in answer.results]
    assert masks == ["*********46", "a***@e******.com", "***", "***"]
    assert replica.audit.log("cinar").values[-1].act.value == "read_masked"


def _other_hash(answer: access_audit_pb2.CheckAccessResponse) -> None:
    answer.receipt.leaf_hash = bytes(32)


def _other_leaf(answer: access_audit_pb2.CheckAccessResponse) -> None:
    answer.leaf = answer.leaf.replace(b'"support"', b'"billing"')


def _deny_leaf(answer: access_audit_pb2.CheckAccessResponse) -> None:
    answer.verdict = resources_pb2.VERDICT_ALLOW


def _bad_signature(answer: access_audit_pb2.CheckAccessResponse) -> None:
    text = answer.receipt.checkpoint
    answer.receipt.checkpoint = text.replace("\n1\n", "\n2\n")


def _far_index(answer: access_audit_pb2.CheckAccessResponse) -> None:
    answer.receipt.index = 10_000


@pytest.mark.parametrize("lie", [_other_hash, _other_leaf, _bad_signature, _far_index])
async def test_an_answer_that_does_not_prove_itself_opens_nothing(
    replica: Replica, lie: object
) -> None:
    """Receipt, leaf, signature and index must fit one another."""
    envelope = await replica.seal()
    replica.audit.lie = lie
    with pytest.raises(EmanetError) as failure:
        await replica.open(envelope)
    assert failure.value.reason is Reason.RECEIPT_INVALID


async def test_an_allow_over_a_leaf_that_denies_opens_nothing(replica: Replica) -> None:
    """The leaf counts, not the field beside it."""
    envelope = await replica.seal()
    replica.audit.policy = lambda _: "CASE_REQUIRED"
    replica.audit.lie = _deny_leaf
    with pytest.raises(EmanetError) as failure:
        await replica.open(envelope)
    assert failure.value.reason is Reason.RECEIPT_INVALID


async def test_an_old_answer_replayed_opens_nothing(replica: Replica) -> None:
    """An earlier allow, with its true receipt, is not this attempt's."""
    envelope = await replica.seal()
    kept: list[access_audit_pb2.CheckAccessResponse] = []

    def keep(answer: access_audit_pb2.CheckAccessResponse) -> None:
        copy = access_audit_pb2.CheckAccessResponse()
        copy.CopyFrom(answer)
        kept.append(copy)

    replica.audit.lie = keep
    await replica.open(envelope)
    replica.audit.lie = lambda answer: answer.CopyFrom(kept[0])
    with pytest.raises(EmanetError) as failure:
        await replica.open(envelope)
    assert failure.value.reason is Reason.RECEIPT_INVALID


async def test_a_log_that_shrank_or_forked_opens_nothing(replica: Replica) -> None:
    """Smaller than known at sending: LOG_BEHIND; the same size with another root: LOG_FORK.

    Once two trees of one size were signed, nothing that follows is believed.
    """
    envelope = await replica.seal()
    await replica.open(envelope)
    await replica.open(envelope)
    log = replica.audit.log("cinar")
    del log.leaves[1:]
    del log.leaves[:1]
    with pytest.raises(EmanetError) as behind:
        await replica.open(envelope)
    assert behind.value.reason is Reason.LOG_BEHIND
    with pytest.raises(EmanetError) as fork:
        await replica.open(envelope)
    assert fork.value.reason is Reason.LOG_FORK
    log.leaves += [b"one more"] * 3
    with pytest.raises(EmanetError) as convicted:
        await replica.open(envelope)
    assert convicted.value.reason is Reason.LOG_FORK


async def test_a_fault_of_the_log_stops_decryption_in_every_replica(replica: Replica) -> None:
    """A failed proof of consistency is remembered in the database; Encrypt goes on."""
    envelope = await replica.seal()
    await replica.database.write(
        lambda c: c.execute(
            update(log_memory).where(log_memory.c.organization == "cinar").values(fault="LOG_FORK")
        )
    )
    with pytest.raises(EmanetError) as failure:
        await replica.open(envelope)
    assert failure.value.reason is Reason.LOG_FORK
    assert isinstance(await replica.seal(), bytes)


async def test_a_damaged_key_row_is_told_and_never_replaced(world: World) -> None:
    """A flipped byte in any column of a key row: KEY_ROW_CORRUPT for its values, no new key."""
    async with world.replica() as replica:
        one = await replica.seal(subject="customers/1")
        two = await replica.seal(subject="customers/2")
        sid = parse_envelope(one).sid
        before = await count_keys(replica)
    for column, value in (("created", 1), ("retention_class", "invoice"), ("row_version", 7)):
        async with world.replica() as replica:
            row = (key_rows.c.organization == "cinar") & (key_rows.c.id == sid)
            query = select(key_rows.c[column]).where(row)
            old = await replica.database.read(lambda c, q=query: c.execute(q).scalar_one())
            change = update(key_rows).where(row).values({column: value})
            await replica.database.write(lambda c, q=change: c.execute(q))
            assert reason_of(await replica.open(one)) is Reason.KEY_ROW_CORRUPT
            assert await replica.open(two) == "ayşe@example.com".encode()
            (refused,) = await replica.encrypt(item(subject="customers/1"))
            assert reason_of(refused) is Reason.KEY_ROW_CORRUPT
            assert await count_keys(replica) == before
            change = update(key_rows).where(row).values({column: old})
            await replica.database.write(lambda c, q=change: c.execute(q))


async def test_two_key_rows_with_swapped_keys_do_not_open(world: World) -> None:
    """Wrapped keys moved between rows open under neither."""
    async with world.replica() as replica:
        sealed = [await replica.seal(subject=f"customers/{number}") for number in (1, 2)]
        sids = [parse_envelope(envelope).sid for envelope in sealed]

        def swap(connection: object) -> None:
            wrapped = [
                connection.execute(
                    select(key_rows.c.wrapped).where(key_rows.c.id == sid)
                ).scalar_one()
                for sid in sids
            ]
            for sid, other in zip(sids, reversed(wrapped), strict=True):
                connection.execute(
                    update(key_rows).where(key_rows.c.id == sid).values(wrapped=other)
                )

        await replica.database.write(swap)
    async with world.replica() as replica:
        for envelope in sealed:
            assert reason_of(await replica.open(envelope)) is Reason.KEY_ROW_CORRUPT


async def test_an_organization_that_is_not_set_up_is_told(replica: Replica) -> None:
    """ORGANIZATION_MISSING from both calls, and no question to the audit."""
    envelope = await replica.seal()
    for call in (
        replica.encrypt(item(), organization="kavak"),
        replica.open(envelope, organization="kavak"),
    ):
        with pytest.raises(EmanetError) as failure:
            await call
        assert failure.value.reason is Reason.ORGANIZATION_MISSING


async def test_no_value_and_no_subject_lies_in_the_database(replica: Replica) -> None:
    """P7: neither the plaintext nor whose it is can be found in any column of the key tables."""
    await replica.seal("ayse.yilmaz@example.com", subject="customers/47114711")

    def dump(connection: object) -> bytes:
        parts = []
        for table in ("organizations", "key_rows", "key_counters", "log_memory"):
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                parts += [v if isinstance(v, bytes) else str(v).encode() for v in row]
        return b"\x00".join(parts)

    content = await replica.database.read(dump)
    assert b"ayse.yilmaz" not in content
    assert b"47114711" not in content
