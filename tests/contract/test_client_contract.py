"""What an application may rely on: one suite, on the fake and on three real services."""

from __future__ import annotations

import datetime as dt

import pytest

from emanet.client import AccessToRecord, OpenedRow, ToEncrypt, ToOpen, errors
from emanet.core.clock import SystemClock
from emanet.core.envelope import to_text
from emanet.core.errors import Reason
from emanet.core.ids import new_uuid7
from emanet.testing import FakeEmanet
from tests.fakes.sdk_worlds import REGISTER, RULES, World

HOBBY = {"customer.hobby": "hobby_enc"}


# -- writing and reading -------------------------------------------------------------------------


def test_a_value_comes_back_under_its_purpose_and_case(world, person, subject):
    """P1, P2: what was encrypted opens for the declared purpose, and the read is recorded."""
    envelope = world.seal(subject)
    with world.support(person, world.ticket(subject)):
        assert world.em.decrypt("customer.email", envelope, subject=subject) == "ayşe@example.com"
    (record,) = world.records(1)
    assert (record.verdict, record.reason, record.role) == ("allow", "CASE", "support")
    assert (record.purpose, record.act, record.application) == ("support", "decrypt", "panel")
    assert (record.fields, record.count, record.subjects) == (("customer.email",), 1, {subject})
    assert not record.waiting_for_review


def test_an_envelope_is_94_bytes_longer_than_the_value(world, subject):
    """The overhead is fixed, so that columns can be sized."""
    for value in ("", "a", "ğ" * 500, b"\x00\xff" * 40):
        plain = value.encode() if isinstance(value, str) else value
        assert len(world.seal(subject, value=value)) == len(plain) + 94


def test_envelopes_of_equal_values_differ_and_hide_them(world, subject):
    """Neither equality nor the text is visible in a column."""
    first, second = world.seal(subject), world.seal(subject)
    assert first != second
    assert b"example.com" not in first


def test_bytes_come_back_as_bytes_and_text_forms_open_too(world, person, subject):
    """The value's type is kept; an envelope may be stored as text."""
    data, text = world.seal(subject, value=b"\x00\xfe"), to_text(world.seal(subject))
    with world.support(person, world.ticket(subject)):
        results = world.em.decrypt_many(
            [ToOpen("customer.email", data), ToOpen("customer.email", text)]
        )
    assert results == [b"\x00\xfe", "ayşe@example.com"]


def test_fields_of_one_write_come_back_in_order(world, subject):
    """One call seals several fields of a person."""
    sealed = world.em.encrypt(
        subject=subject,
        values={"customer.phone": "905321234567", "customer.name": "Ayşe", "ticket.text": "x"},
    )
    assert list(sealed) == ["customer.phone", "customer.name", "ticket.text"]
    assert all(value.tokens == () for value in sealed.values())


def test_a_value_may_be_bound_to_a_record(world, person, subject):
    """A value bound to a record opens for that record alone."""
    envelope = world.seal(subject, record="tickets/9")
    items = [
        ToOpen("customer.email", envelope, record=record)
        for record in ("tickets/9", "tickets/8", "")
    ]
    with world.support(person, world.ticket(subject)):
        opened, moved, unbound = world.em.decrypt_many(items)
    assert opened == "ayşe@example.com"
    assert moved.reason is unbound.reason is Reason.ENVELOPE_INVALID


def test_a_field_bound_to_its_subject_opens_in_every_record(world, person, subject):
    """`bind: subject` leaves the record out."""
    envelope = world.seal(subject, "ticket.note", record="tickets/1")
    with world.support(person, world.ticket(subject)):
        assert world.em.decrypt("ticket.note", envelope, record="tickets/2") == "ayşe@example.com"


# -- tables, batches, jobs -----------------------------------------------------------------------


def test_a_table_is_masked_in_one_record(world, person):
    """The screen receives masks only; a list of several people is one record."""
    people = [world.new_subject() for _ in range(3)]
    rows = [
        {
            "ref": each,
            "name_enc": world.seal(each, "customer.name", "Ayşe Yılmaz"),
            "mail_enc": world.seal(each),
        }
        for each in people
    ]
    with world.support(person, world.ticket()):
        table = world.em.mask_table(
            [*rows, {"ref": people[0], "name_enc": None, "mail_enc": None}],
            {"customer.name": "name_enc", "customer.email": "mail_enc"},
            subject=lambda row: row["ref"],
        )
    assert [dict(row) for row in table[:3]] == [
        {"customer.name": "A*** Y*****", "customer.email": "a***@e******.com"}
    ] * 3
    assert dict(table[3]) == {"customer.name": None, "customer.email": None}
    (record,) = world.records(1)
    assert (record.act, record.count, record.subjects) == ("read_masked", 6, set(people))


def test_an_empty_table_asks_nothing(world, person):
    """No value, no read, no record."""
    before = world.records(1)
    with world.support(person, None):
        assert world.em.mask_table([], {"customer.name": "name_enc"}) == []
        assert [
            dict(row) for row in world.em.decrypt_table([{"e": None}], {"ticket.text": "e"})
        ] == [{"ticket.text": None}]
    assert world.records(1) == before


def test_a_long_job_is_split_and_each_part_recorded(world):
    """A job reads in batches of at most 1000 values, each its own record under its own name."""
    run = world.put_case("invoice_run")
    count = 1_003
    sealed = world.em.encrypt_many(
        ToEncrypt("customer.name", f"Müşteri {n}", subject=f"customers/job-{n % 7}")
        for n in range(count)
    )
    rows = [{"n": n, "name_enc": each.envelope} for n, each in enumerate(sealed)]
    job = world.facade("invoice-run")
    with job.reading(as_app=True, purpose="invoicing", case=run):
        parts = list(job.decrypt_batches(rows, {"customer.name": "name_enc"}, size=2_000))
        opened = job.decrypt_batches(iter(rows), {"customer.name": "name_enc"}, size=600)
        assert [len(part) for part in opened] == [600, 403]
    names = [row["customer.name"] for part in parts for row in part]
    assert names == [f"Müşteri {n}" for n in range(count)]
    records = world.records(4)
    assert [record.count for record in records] == [1_000, 3, 600, 403]
    assert {record.role for record in records} == {"robot"}
    assert {record.application for record in records} == {"invoice-run"}


def test_large_values_are_split_by_bytes(world, person, subject):
    """A batch stays below what one message may carry."""
    value = "ğ" * 30_000
    sealed = world.em.encrypt_many(
        ToEncrypt("customer.email", value, subject=subject) for _ in range(70)
    )
    with world.support(person, world.ticket(subject)):
        opened = world.em.decrypt_many(ToOpen("customer.email", each.envelope) for each in sealed)
    assert set(opened) == {value}
    first, second = world.records(2)
    assert first.count + second.count == 70


# -- the data subject, plain columns, what has happened ------------------------------------------


def test_a_customer_reads_their_own_page_without_a_case(world, subject):
    """The data subject is explained by itself."""
    envelope = world.seal(subject)
    with world.em.reading(data_subject=subject, purpose="service"):
        assert world.em.decrypt("customer.email", envelope, subject=subject) == "ayşe@example.com"
    (record,) = world.records(1)
    assert (record.reason, record.role) == ("OWN_RECORD", "customer")
    assert not record.waiting_for_review


def test_a_customer_does_not_read_somebody_elses_page(world, subject):
    """A data subject reads the own record alone."""
    envelope = world.seal(world.new_subject())
    with (
        world.em.reading(data_subject=subject, purpose="service"),
        pytest.raises(errors.DeniedError, match="ROLE_NOT_ALLOWED"),
    ):
        world.em.decrypt("customer.email", envelope)


def test_a_read_of_a_plain_column_is_recorded_before_it_is_shown(world, person, subject):
    """What Emanet does not encrypt is asked for and recorded all the same."""
    with world.support(person, world.ticket(subject)):
        name = world.em.record_read(fields=["customer.fax"], subjects=[subject], count=2)
    (record,) = world.records(1)
    assert (record.name, record.act, record.count) == (name, "read", 2)


def test_an_unknown_action_is_refused_in_the_client(world, person, subject):
    """The nature of an access is one of a closed set."""
    with (
        world.support(person, None),
        pytest.raises(errors.CallerError, match="INVALID_FIELD"),
    ):
        world.em.record_read(fields=["customer.fax"], subjects=[subject], action="peek")


def test_what_has_happened_is_recorded_and_never_refused(world, person, subject):
    """The verdict is evaluated and stored; the same id with the same content is one record."""
    access = AccessToRecord(
        fields=("customer.fax",),
        subjects=(subject,),
        time=world.now() - dt.timedelta(minutes=3),
        id=str(new_uuid7(SystemClock())),
    )
    case = world.ticket(subject, opened=world.now() - dt.timedelta(hours=1))
    with world.support(person, None):
        (first,) = world.em.record_accesses([access])
        (again,) = world.em.record_accesses([access])
    assert (first.record, first.verdict, first.index) == (again.record, again.verdict, again.index)
    with world.support(person, case):
        (changed,) = world.em.record_accesses([access])
    assert "REQUEST_ID_REUSED" in str(changed.status)
    (record,) = world.records(1)
    assert (record.name, record.verdict, record.reason) == (first.record, "deny", "CASE_REQUIRED")


def test_one_refused_record_does_not_touch_the_others(world, person, subject):
    """Each access of a batch has its own answer."""
    good = AccessToRecord(fields=("customer.fax",), subjects=(subject,), time=world.now())
    ahead = AccessToRecord(
        fields=("customer.fax",),
        subjects=(subject,),
        time=world.now() + dt.timedelta(days=9),
    )
    foreign = AccessToRecord(fields=("customer.fax",), subjects=("orders/1",), time=world.now())
    with world.support(person, None):
        results = world.em.record_accesses([good, ahead, foreign])
    assert [bool(result.status.code) for result in results] == [False, True, True]


# -- envelopes that do not belong, keys that are gone, an audit that is away ---------------------


def test_whatever_is_wrong_with_an_envelope_the_answer_is_one(world, person):
    """Wrong field, person, bytes or organization: one uniform error, item by item."""
    ours = world.new_subject()
    envelope = world.seal(ours, "customer.hobby", "satranç")
    stranger = FakeEmanet.from_files(REGISTER, RULES)
    foreign = stranger.encrypt(subject=ours, values={"customer.hobby": "tavla"})
    flipped = envelope[:-1] + bytes([envelope[-1] ^ 1])
    hobby = "customer.hobby"
    with world.campaign(person):
        results = world.em.decrypt_many(
            [
                ToOpen(hobby, envelope),
                ToOpen(hobby, envelope, subject=world.new_subject()),
                ToOpen(hobby, flipped),
                ToOpen(hobby, envelope + b"x"),
                ToOpen(hobby, foreign[hobby].envelope),
                ToOpen(hobby, b"\x00" * 200),
                ToOpen(hobby, "emn1.!"),
                ToOpen(hobby, world.seal(ours, value="a")),
            ]
        )
    assert results[0] == "satranç"
    for failure in results[1:]:
        assert isinstance(failure, errors.IntegrityError)
        assert (failure.reason, dict(failure.metadata)) == (Reason.ENVELOPE_INVALID, {})


def test_a_destroyed_key_in_a_table_does_not_blank_the_page(world, person):
    """P4: the destroyed row tells why and names the destruction; its neighbours open."""
    kept, gone = world.new_subject(), world.new_subject()
    rows = [
        {"ref": each, "hobby_enc": world.seal(each, "customer.hobby", "satranç")}
        for each in (kept, gone)
    ]
    world.destroy(gone)
    with world.campaign(person):
        first, second = world.em.mask_table(rows, HOBBY, subject=lambda row: row["ref"])
        with pytest.raises(errors.DestroyedError) as destroyed:
            world.em.decrypt("customer.hobby", rows[1]["hobby_enc"], subject=gone)
    assert isinstance(first, OpenedRow)
    assert (first["customer.hobby"], dict(first.errors)) == ("***", {})
    assert second["customer.hobby"] is None
    assert second.errors["customer.hobby"].reason is Reason.KEY_DESTROYED
    assert destroyed.value.receipt.startswith("organizations/menekse/destructions/")
    assert destroyed.value.message_tr


def test_after_a_destruction_new_values_get_new_keys(world, person, subject):
    """A person who comes back starts anew; the old values stay dead."""
    old = world.seal(subject, "customer.hobby", "satranç")
    world.destroy(subject)
    new = world.seal(subject, "customer.hobby", "tavla")
    with world.campaign(person):
        dead, alive = world.em.decrypt_many(
            [ToOpen("customer.hobby", old), ToOpen("customer.hobby", new)]
        )
    assert isinstance(dead, errors.DestroyedError)
    assert alive == "tavla"


def test_without_the_audit_nothing_opens_and_encrypting_goes_on(world, person, subject):
    """P2: no record, no plaintext; recovery needs no restart."""
    envelope = world.seal(subject)
    case = world.ticket(subject)
    with world.support(person, case):
        with world.without_audit():
            with pytest.raises(errors.UnavailableError):
                world.em.decrypt("customer.email", envelope)
            with pytest.raises(errors.UnavailableError):
                world.em.record_read(fields=["customer.fax"], subjects=[subject])
            assert len(world.seal(subject)) == len(envelope)
        assert world.em.decrypt("customer.email", envelope) == "ayşe@example.com"


# -- the asynchronous twin -----------------------------------------------------------------------


async def test_the_asynchronous_twin_gives_the_same_answers(world, person, subject):
    """Every call of the facade exists in asynchronous form and decides alike."""
    aem, case = world.aio(), world.ticket(subject)
    token = world.token(person, "support")
    sealed = await aem.encrypt(subject=subject, values={"customer.email": "ayşe@example.com"})
    rows = [{"ref": subject, "mail_enc": sealed["customer.email"].envelope}]
    mail = {"customer.email": "mail_enc"}
    async with aem.reading(staff_token=token, purpose="support", case=case):
        opened = await aem.decrypt("customer.email", rows[0]["mail_enc"], subject=subject)
        masked = await aem.mask_table(rows, mail, subject=lambda row: row["ref"])
        parts = [part async for part in aem.decrypt_batches(rows * 3, mail, size=2)]
        recorded = await aem.record_read(fields=["customer.fax"], subjects=[subject])
        (happened,) = await aem.record_accesses(
            [AccessToRecord(("customer.fax",), (subject,), world.now())]
        )
    assert (opened, masked[0]["customer.email"]) == ("ayşe@example.com", "a***@e******.com")
    assert [len(part) for part in parts] == [2, 1]
    assert recorded != happened.record
    async with aem.reading(staff_token=token, purpose="support"):
        with pytest.raises(errors.DeniedError, match="CASE_REQUIRED"):
            await aem.decrypt("customer.email", rows[0]["mail_enc"])
    with pytest.raises(errors.CallerError, match="INVALID_FIELD"):
        await aem.decrypt("customer.email", rows[0]["mail_enc"])
    await aem.close()


def test_a_twin_offers_every_call(world: World):
    """The two facades do not drift apart."""
    calls = {name for name in dir(world.em) if not name.startswith("_")}
    twins = {name for name in dir(world.aio()) if not name.startswith("_")}
    assert calls - twins <= {"aio"}
