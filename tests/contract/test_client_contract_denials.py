"""Every denial and refusal that an application can meet, on the fake and on real services."""

from __future__ import annotations

import datetime as dt

import pytest

from emanet.client import Case, CaseState, ToEncrypt, errors
from emanet.core.clock import SystemClock
from emanet.core.errors import Reason
from tests.fakes.sdk_worlds import World

# -- what Encrypt refuses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "reason", "row"),
    [
        ({"field": "customer.unknown"}, Reason.UNKNOWN_FIELD, ""),
        ({"field": "card.number"}, Reason.FIELD_FORBIDDEN, "fields/card.number"),
        ({"field": "message.body"}, Reason.FIELD_SEALED, "fields/message.body"),
        ({"field": "customer.fax"}, Reason.FIELD_NOT_ENCRYPTED, "fields/customer.fax"),
        ({"subject": "orders/7"}, Reason.INVALID_SUBJECT, ""),
        ({"subject": "customers"}, Reason.INVALID_SUBJECT, ""),
        ({"subject": "customers/10000000146"}, Reason.INVALID_SUBJECT, ""),
        ({"subject": ""}, Reason.INVALID_SUBJECT, ""),
        ({"value": "e\u0301"}, Reason.TEXT_NOT_NFC, ""),
        ({"value": "a" * 65_537}, Reason.VALUE_TOO_LARGE, ""),
        ({"record": "r" * 129}, Reason.VALUE_TOO_LARGE, ""),
        ({"start": SystemClock().now() + dt.timedelta(days=9)}, Reason.START_IN_FUTURE, ""),
    ],
)
def test_encrypt_refuses_item_by_item(world, item, reason, row):
    """A refusal names its reason and the register row; the items beside it are encrypted."""
    good = {"field": "customer.email", "value": "a", "subject": "customers/1"}
    refused, sealed = world.em.encrypt_many([ToEncrypt(**{**good, **item}), ToEncrypt(**good)])
    assert isinstance(refused, errors.CallerError)
    assert refused.reason is reason
    assert refused.metadata.get("row", "") == row
    assert len(sealed.envelope) == 95


def test_encrypt_raises_the_first_refusal_of_a_person(world, subject):
    """`encrypt` gives all fields or none."""
    with pytest.raises(errors.CallerError, match="FIELD_FORBIDDEN"):
        world.em.encrypt(subject=subject, values={"customer.name": "Ayşe", "card.number": "4"})


def test_a_missing_field_name_refuses_the_whole_batch(world, subject):
    """Required fields are checked before anything is done."""
    with pytest.raises(errors.CallerError, match="REQUIRED_FIELD_MISSING") as refused:
        world.em.encrypt_many([ToEncrypt(field="", value="a", subject=subject)])
    assert refused.value.violations == (("items[0].field", "required"),)


# -- denials -------------------------------------------------------------------------------------


def test_without_a_reading_nothing_is_asked(world, subject):
    """P1: forgetting `reading` raises in the client, and leaves no record."""
    envelope = world.seal(subject)
    before = world.records(1)
    for act in (
        lambda: world.em.decrypt("customer.email", envelope),
        lambda: world.em.mask_table([{"e": envelope}], {"customer.email": "e"}),
        lambda: world.em.record_read(fields=["customer.fax"], subjects=[subject]),
        lambda: world.em.record_accesses([]),
    ):
        with pytest.raises(errors.CallerError, match="INVALID_FIELD"):
            act()
    assert world.records(1) == before


@pytest.mark.parametrize(
    "actors",
    [{}, {"staff_token": "t", "as_app": True}, {"data_subject": "customers/1", "as_app": True}],
)
def test_a_reading_names_exactly_one_actor(world, actors):
    """Who reads is never guessed."""
    with pytest.raises(errors.CallerError, match="INVALID_FIELD"):
        world.em.reading(purpose="support", **actors)


def denied(world: World, reason: Reason, act) -> errors.DeniedError:
    """The denial of a read, after checking that exactly this denial was recorded."""
    with pytest.raises(errors.DeniedError) as refusal:
        act()
    assert refusal.value.reason is reason
    (record,) = world.records(1)
    assert (record.name, record.verdict) == (refusal.value.record, "deny")
    assert record.reason == reason.value == record.reasons[0]
    assert refusal.value.message_tr
    assert refusal.value.next_step_tr
    return refusal.value


def test_a_read_without_its_case_is_denied(world, person, subject):
    """Board decision 2023/695: whoever names no case reads nothing."""
    envelope = world.seal(subject)
    with world.support(person, None):
        refusal = denied(
            world,
            Reason.CASE_REQUIRED,
            lambda: world.em.decrypt("customer.email", envelope, subject=subject),
        )
    assert refusal.metadata["kind"] == "ticket"
    assert refusal.missing_row == "activities/account/rows/0"


def test_a_case_opened_by_the_reader_does_not_count(world, person, subject):
    """Nobody gives themselves a reason."""
    envelope = world.seal(subject)
    own = world.ticket(subject, opened_by="support", opener=person)
    with world.support(person, own):
        denied(world, Reason.CASE_SELF_OPENED, lambda: world.em.decrypt("customer.email", envelope))


@pytest.mark.parametrize("fault", ["unknown", "closed", "other_subject", "kind", "opener"])
def test_a_case_that_does_not_fit_says_what_is_wrong(world, person, subject, fault):
    """An unknown, closed, foreign or wrongly opened case opens nothing."""
    now = world.now()
    long_ago = {"opened": now - dt.timedelta(days=9), "closed": now - dt.timedelta(days=3)}
    case = {
        "unknown": lambda: Case("ticket", "no-such-ticket"),
        "closed": lambda: world.ticket(subject, **long_ago),
        "other_subject": lambda: world.ticket(world.new_subject()),
        "kind": lambda: world.put_case("campaign", subjects=(subject,)),
        "opener": lambda: world.ticket(subject, opened_by="system"),
    }[fault]()
    envelope = world.seal(subject)
    with world.support(person, case):
        refusal = denied(
            world, Reason.CASE_UNFIT, lambda: world.em.decrypt("customer.email", envelope)
        )
    assert refusal.metadata["problem"] == fault
    assert fault not in refusal.message_tr
    assert "<" not in refusal.message_tr


def test_a_closed_case_counts_for_its_window(world, person, subject):
    """`window: {after_close: P2D}` leaves time to finish."""
    closed = world.ticket(
        subject,
        opened=world.now() - dt.timedelta(days=3),
        closed=world.now() - dt.timedelta(days=1),
    )
    envelope = world.seal(subject)
    with world.support(person, closed):
        assert world.em.decrypt("customer.email", envelope) == "ayşe@example.com"


def test_the_next_read_is_decided_anew_when_the_case_closes(world, person, subject):
    """A case that closes between two reads closes the second."""
    envelope, opened = world.seal(subject), world.now() - dt.timedelta(days=9)
    case = world.ticket(subject, opened=opened)
    state = {"kind": "ticket", "ref": case.ref, "opened_by": "customer", "opened": opened}
    with world.support(person, case):
        assert world.em.decrypt("customer.email", envelope) == "ayşe@example.com"
        world.facade("helpdesk").put_cases(
            [CaseState(**state, subjects=(subject,), closed=world.now() - dt.timedelta(days=3))]
        )
        denied(world, Reason.CASE_UNFIT, lambda: world.em.decrypt("customer.email", envelope))


def test_a_purpose_that_the_register_does_not_declare_is_denied(world, person, subject):
    """P1: the purpose must be declared for that very field."""
    envelope = world.seal(subject)
    reading = world.em.reading(
        staff_token=world.token(person, "billing"),
        purpose="invoicing",
        case=world.put_case("invoice_run"),
    )
    with reading:
        refusal = denied(
            world, Reason.PURPOSE_NOT_DECLARED, lambda: world.em.decrypt("customer.email", envelope)
        )
    assert refusal.metadata["field"] == "customer.email"
    assert refusal.missing_row == "activities/account/rows/0"


def test_a_role_without_the_right_is_denied(world, person, subject):
    """P1: the need-to-know rules must give the purpose to the role."""
    envelope = world.seal(subject)
    reading = world.em.reading(
        staff_token=world.token(person, "billing"), purpose="support", case=world.ticket(subject)
    )
    with reading:
        denied(world, Reason.ROLE_NOT_ALLOWED, lambda: world.em.decrypt("customer.email", envelope))


def test_a_deny_rule_wins(world, person, subject):
    """Deny overrides: support does not see the identity number, whatever else holds."""
    envelope = world.seal(subject, "customer.tckn", "10000000146")
    reading = world.em.reading(
        staff_token=world.token(person, "support"),
        purpose="invoicing",
        case=world.put_case("invoice_run"),
    )
    with reading:
        denied(world, Reason.DENY_RULE, lambda: world.em.decrypt("customer.tckn", envelope))


def test_nobody_looks_at_their_own_record(world, person):
    """A staff member's own record is read by somebody else."""
    own = f"staff/{person}"
    with world.support(person, world.ticket(own)):
        denied(
            world,
            Reason.DENY_RULE,
            lambda: world.em.record_read(fields=["customer.fax"], subjects=[own]),
        )


def test_a_limit_ends_the_day(world, person):
    """Board decision 2018/63: reading many people's data stops at the limit."""
    people = [world.new_subject() for _ in range(4)]
    envelopes = [world.seal(each) for each in people]
    with world.support(person, world.ticket(*people)):
        for envelope in envelopes[:3]:
            assert world.em.decrypt("customer.email", envelope) == "ayşe@example.com"
        denied(
            world, Reason.LIMIT_EXCEEDED, lambda: world.em.decrypt("customer.email", envelopes[3])
        )
        assert world.em.decrypt("customer.email", envelopes[0]) == "ayşe@example.com"


def test_retention_that_follows_from_the_creation_ends_reading(world, person, subject):
    """P4: six months after its month a ticket's text can no longer be read."""
    start = world.now() - dt.timedelta(days=300)
    envelope = world.seal(subject, "ticket.text", start=start)
    with world.support(person, world.ticket(subject)):
        refusal = denied(
            world, Reason.RETENTION_ENDED, lambda: world.em.decrypt("ticket.text", envelope)
        )
    assert refusal.metadata["field"] == "ticket.text"


def test_retention_that_starts_with_an_event_ends_reading(world, person, subject):
    """P4: ten years after the contract ended its data can no longer be read."""
    envelope = world.seal(subject)
    with world.support(person, world.ticket(subject)):
        assert world.em.decrypt("customer.email", envelope) == "ayşe@example.com"
        ended = world.now() - dt.timedelta(days=365 * 11)
        world.em.put_retention_events([(subject, "contract_ended", ended)])
        denied(world, Reason.RETENTION_ENDED, lambda: world.em.decrypt("customer.email", envelope))


def test_a_token_that_nobody_issued_is_refused(world, subject):
    """No identity, no read; and nothing to record it under."""
    envelope = world.seal(subject)
    with (
        world.em.reading(staff_token="made-up", purpose="support"),
        pytest.raises(errors.DeniedError, match="TOKEN_INVALID"),
    ):
        world.em.decrypt("customer.email", envelope)


@pytest.mark.parametrize(
    ("field", "reason"),
    [("message.body", Reason.FIELD_SEALED), ("card.number", Reason.FIELD_FORBIDDEN)],
)
def test_decrypt_refuses_closed_fields_and_records_it(world, person, subject, field, reason):
    """P6: there is no way to open them, and the attempt is on record."""
    envelope = world.seal(subject)
    with (
        world.support(person, world.ticket(subject)),
        pytest.raises(errors.CallerError) as refused,
    ):
        world.em.decrypt(field, envelope)
    assert (refused.value.reason, refused.value.metadata["field"]) == (reason, field)
    (record,) = world.records(1)
    assert (record.name, record.fields) == (refused.value.metadata["record"], (field,))


# -- disclosure ----------------------------------------------------------------------------------


def disclosing(world: World, person: str, case: Case | None, *, to: str, approver: str = ""):
    return world.em.reading(
        staff_token=world.token(person, "legal"),
        purpose="authority",
        case=case,
        recipient=to,
        approver_token=world.token(approver, "support") if approver else "",
    )


def disclose(world: World, subject: str) -> str:
    return world.em.record_read(fields=["customer.name"], subjects=[subject], action="disclose")


def test_a_disclosure_to_an_agreed_recipient_is_approved_by_another_person(world, person, subject):
    """Board decision 2021/761: every disclosure has its order, its recipient and a second person."""
    order = world.put_case("legal_order", subjects=(subject,))
    with disclosing(world, person, order, to="court", approver=world.new_person()):
        name = disclose(world, subject)
    (record,) = world.records(1)
    assert (record.name, record.verdict, record.act) == (name, "allow", "disclose")


def test_a_disclosure_without_a_second_person_is_denied(world, person, subject):
    """One's own approval is none."""
    order = world.put_case("legal_order", subjects=(subject,))
    for approver in ("", person):
        with disclosing(world, person, order, to="court", approver=approver):
            denied(world, Reason.APPROVER_REQUIRED, lambda: disclose(world, subject))


def test_a_disclosure_to_somebody_else_is_denied(world, person, subject):
    """The recipient must stand in the register's row and may use the value for this purpose."""
    order = world.put_case("legal_order", subjects=(subject,))
    with disclosing(world, person, order, to="tax", approver=world.new_person()):
        denied(world, Reason.RECIPIENT_REQUIRED, lambda: disclose(world, subject))


@pytest.mark.parametrize(("recipient", "action"), [("", "disclose"), ("court", "read")])
def test_a_recipient_belongs_to_a_disclosure(world, person, subject, recipient, action):
    """A disclosure names its recipient, and nothing else does."""
    order = world.put_case("legal_order", subjects=(subject,))
    with (
        disclosing(world, person, order, to=recipient),
        pytest.raises(errors.CallerError, match="INVALID_FIELD"),
    ):
        world.em.record_read(fields=["customer.name"], subjects=[subject], action=action)


# -- what applications push ----------------------------------------------------------------------


def test_only_the_owner_of_a_kind_pushes_its_cases(world, subject):
    """An application cannot make up the reasons of another."""
    state = CaseState("ticket", world.new_ref(), "customer", world.now(), (subject,))
    with pytest.raises(errors.DeniedError, match="RPC_NOT_ALLOWED"):
        world.facade("erp").put_cases([state])


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"opened_by": "Ayşe Hanım"}, Reason.INVALID_FIELD),
        ({"opened": SystemClock().now() + dt.timedelta(days=9)}, Reason.INVALID_FIELD),
        ({"closed": SystemClock().now() - dt.timedelta(days=99)}, Reason.INVALID_FIELD),
        ({"subjects": ("orders/1",)}, Reason.INVALID_SUBJECT),
        ({"subjects": ("customers/10000000146",)}, Reason.INVALID_SUBJECT),
    ],
)
def test_a_malformed_case_is_refused(world, parts, reason):
    """Nothing of a refused batch is stored."""
    with pytest.raises(errors.CallerError) as refused:
        world.put_case("ticket", **{"opened_by": "customer", **parts})
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("subject", "event", "reason"),
    [
        ("customers/1", "moon_landed", Reason.INVALID_FIELD),
        ("orders/1", "contract_ended", Reason.INVALID_SUBJECT),
    ],
)
def test_a_malformed_retention_event_is_refused(world, subject, event, reason):
    """An event with which no rule starts would never end anything."""
    with pytest.raises(errors.CallerError) as refused:
        world.em.put_retention_events([(subject, event, world.now())])
    assert refused.value.reason is reason
