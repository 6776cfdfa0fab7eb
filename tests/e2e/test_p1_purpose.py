"""P1, no reading without a purpose: every way to read without one is refused, and recorded."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from emanet.api.access_audit.v1 import access_audit_pb2, access_audit_pb2_grpc, resources_pb2
from emanet.api.crypto.v1 import crypto_pb2_grpc
from emanet.client import Case, Emanet, ToOpen
from emanet.client.channel import ServiceName
from emanet.core.errors import DeniedError, EmanetError, Reason
from emanet.core.leaf import OutcomeLeaf, Verdict
from tests.e2e.acting import (
    TICKET,
    TIMEOUT_S,
    app,
    bearer,
    check,
    context,
    decrypting,
    export,
    new_id,
    now,
    put_ticket,
    record_id,
    refusal,
    refused,
    stub,
    support,
    token,
)
from tests.e2e.conftest import VALUES
from tests.e2e.installation import NEIGHBOUR, ORGANIZATION, Local, Template

EMAIL = "customer.email"


@pytest.fixture(scope="module")
def tickets(shared: Local) -> Local:
    """Tickets that fit customers/1 in one point each not."""
    hour_ago = now() - dt.timedelta(hours=1)
    put_ticket(shared, "T-foreign", subjects=["customers/2"])
    put_ticket(shared, "T-own", opened_by="support", opener="s-201")
    put_ticket(
        shared, "T-closed", opened=now() - dt.timedelta(days=9), closed=now() - dt.timedelta(days=8)
    )
    put_ticket(shared, "T-future", opened=now() + dt.timedelta(minutes=4))
    put_ticket(shared, "T-nobody", subjects=[])
    put_ticket(shared, "T-there", organization=NEIGHBOUR, opened=hour_ago)
    return shared


@pytest.fixture
def panel(tickets: Local) -> Emanet:
    return app(tickets)


def attacks(local: Local) -> dict[str, tuple[dict[str, Any], set[Reason]]]:
    """What a caller states, and for which reasons it may be refused."""
    staff = support(local)
    stated = {"purpose": "support", "staff_token": staff, "case": TICKET}
    return {
        "undeclared purpose": ({**stated, "purpose": "invoicing"}, {Reason.PURPOSE_NOT_DECLARED}),
        "invented purpose": ({**stated, "purpose": "curiosity"}, {Reason.PURPOSE_NOT_DECLARED}),
        "purpose of another role": ({**stated, "purpose": "authority"}, {Reason.ROLE_NOT_ALLOWED}),
        "role without": (
            {**stated, "staff_token": token(local, "s-202", "pazarlama")},
            {Reason.ROLE_NOT_ALLOWED},
        ),
        "duties are no roles": (
            {**stated, "staff_token": token(local, "s-102", "yonetim", "kvkk", "guvenlik")},
            {Reason.ROLE_NOT_ALLOWED},
        ),
        "no group at all": (
            {**stated, "staff_token": token(local, "s-203")},
            {Reason.ROLE_NOT_ALLOWED},
        ),
        "no case": ({**stated, "case": None}, {Reason.CASE_REQUIRED}),
        "case of another kind": (
            {**stated, "case": Case("campaign", "C-1")},
            {Reason.CASE_UNFIT, Reason.CASE_REQUIRED},
        ),
        "case that nobody pushed": (
            {**stated, "case": Case("ticket", "T-404")},
            {Reason.CASE_UNFIT},
        ),
        "case about somebody else": (
            {**stated, "case": Case("ticket", "T-foreign")},
            {Reason.CASE_UNFIT},
        ),
        "case about nobody": ({**stated, "case": Case("ticket", "T-nobody")}, {Reason.CASE_UNFIT}),
        "case that I opened": (
            {**stated, "case": Case("ticket", "T-own")},
            {Reason.CASE_SELF_OPENED},
        ),
        "case closed long ago": (
            {**stated, "case": Case("ticket", "T-closed")},
            {Reason.CASE_UNFIT},
        ),
        "case that opens later": (
            {**stated, "case": Case("ticket", "T-future")},
            {Reason.CASE_UNFIT},
        ),
        "case of the neighbours": (
            {**stated, "case": Case("ticket", "T-there")},
            {Reason.CASE_UNFIT},
        ),
        "another person's own page": (
            {"purpose": "service", "data_subject": "customers/2"},
            {Reason.ROLE_NOT_ALLOWED},
        ),
    }


def test_every_attack_is_denied_and_its_denial_recorded(
    tickets: Local, panel: Emanet, sqlite_template: Template
) -> None:
    """Decrypt answers the reason and the record's name; the log holds that denial, and no allow."""
    envelope = sqlite_template.sealed[EMAIL]
    told: dict[str, DeniedError] = {}
    for name, (stated, reasons) in attacks(tickets).items():
        with panel.reading(**stated), pytest.raises(DeniedError) as denied:
            panel.decrypt(EMAIL, envelope)
        assert denied.value.reason in reasons, name
        assert VALUES[EMAIL] not in str(denied.value), name
        told[name] = denied.value
    accesses = export(tickets).accesses
    for name, denied_ in told.items():
        leaf = accesses[record_id(denied_.metadata["record"])]
        assert (leaf.decision.verdict, leaf.decision.why) == (Verdict.DENY, denied_.reason.value), (
            name
        )
        assert denied_.reason.value in leaf.reasons, name


def test_the_same_attacks_on_what_emanet_does_not_encrypt(tickets: Local, panel: Emanet) -> None:
    """`record_read` before a plain column is decided like a decrypt, and recorded."""
    told = []
    for name, (stated, _) in attacks(tickets).items():
        with panel.reading(**stated), pytest.raises(DeniedError) as denied:
            panel.record_read(fields=["customer.fax"], subjects=["customers/1"])
        told.append((name, denied.value))
    accesses = export(tickets).accesses
    for name, denial in told:
        assert accesses[record_id(denial.metadata["record"])].decision.verdict is Verdict.DENY, name


def test_without_a_statement_nothing_is_even_asked(
    tickets: Local, panel: Emanet, sqlite_template: Template
) -> None:
    """The facade never guesses a purpose; a raw call without one is refused before any decision."""
    with refused(Reason.INVALID_FIELD):
        panel.decrypt(EMAIL, sqlite_template.sealed[EMAIL])
    crypto = stub(tickets, ServiceName.CRYPTO, crypto_pb2_grpc.CryptoServiceStub)
    before = len(export(tickets).leaves)
    unspecified = context(actor=resources_pb2.ACTOR_KIND_UNSPECIFIED)
    for stated in (context(purpose=""), resources_pb2.AccessContext(), unspecified):
        request = decrypting([sqlite_template.sealed[EMAIL]])
        request.context.CopyFrom(stated)
        failure = refusal(crypto.Decrypt, request, staff=support(tickets))
        assert failure.reason is Reason.REQUIRED_FIELD_MISSING
    assert len(export(tickets).leaves) == before + 1  # the first export's own record


def test_staff_without_a_token_is_nobody(tickets: Local, sqlite_template: Template) -> None:
    """An application cannot act for staff on its own word."""
    crypto = stub(tickets, ServiceName.CRYPTO, crypto_pb2_grpc.CryptoServiceStub)
    request = decrypting([sqlite_template.sealed[EMAIL]])
    assert refusal(crypto.Decrypt, request).reason is Reason.TOKEN_MISSING


def test_a_token_belongs_to_the_application_that_it_was_issued_to(
    tickets: Local, sqlite_template: Template
) -> None:
    """Helpdesk cannot read with a token that panel was given, and the other way round."""
    for presenter, client in (("helpdesk", "panel"), ("panel", "helpdesk"), ("erp", "panel")):
        facade = app(tickets, presenter)
        stolen = support(tickets, client=client)
        with (
            facade.reading(purpose="support", staff_token=stolen, case=TICKET),
            refused(Reason.TOKEN_INVALID),
        ):
            facade.decrypt(EMAIL, sqlite_template.sealed[EMAIL])


def test_one_field_too_many_closes_the_whole_batch(
    panel: Emanet, tickets: Local, sqlite_template: Template
) -> None:
    """The decision is all or nothing: support may see the e-mail, not the T.C. number beside it."""
    items = [
        ToOpen(field=name, envelope=sqlite_template.sealed[name])
        for name in (EMAIL, "customer.tckn")
    ]
    with (
        panel.reading(purpose="support", staff_token=support(tickets), case=TICKET),
        pytest.raises(DeniedError),
    ):
        panel.decrypt_many(items)


def test_one_subject_too_many_closes_the_whole_batch(panel: Emanet, tickets: Local) -> None:
    """A ticket about one customer does not open another customer's value in the same batch."""
    items = [
        ToOpen(EMAIL, panel.encrypt(subject=subject, values={EMAIL: "a@b.example"})[EMAIL].envelope)
        for subject in ("customers/1", "customers/3")
    ]
    with (
        panel.reading(purpose="support", staff_token=support(tickets), case=TICKET),
        refused(Reason.CASE_UNFIT),
    ):
        panel.decrypt_many(items)


def test_an_attempt_is_never_answered_twice(tickets: Local) -> None:
    """The same attempt id again, also with other content or from another caller, is refused."""
    audit = stub(tickets, ServiceName.ACCESS_AUDIT, access_audit_pb2_grpc.AccessAuditServiceStub)
    attempt, staff = new_id(), support(tickets)
    first = audit.CheckAccess(check(attempt=attempt), metadata=bearer(staff), timeout=TIMEOUT_S)
    assert first.verdict == resources_pb2.VERDICT_ALLOW
    desk = stub(
        tickets,
        ServiceName.ACCESS_AUDIT,
        access_audit_pb2_grpc.AccessAuditServiceStub,
        name="helpdesk",
    )
    other = support(tickets, client="helpdesk")
    for asked, request, shown in (
        (audit, check(attempt=attempt), staff),
        (audit, check(attempt=attempt, subject="customers/2"), staff),
        (desk, check(attempt=attempt), other),
    ):
        failure = refusal(asked.CheckAccess, request, staff=shown)
        assert failure.reason is Reason.ATTEMPT_REUSED
    assert first.record.endswith(attempt)
    assert len([leaf for leaf in export(tickets).leaves if str(leaf.id) == attempt]) == 1


def test_only_crypto_is_believed_about_the_application(tickets: Local) -> None:
    """Another caller that names an application is recorded as itself and gets no leaf."""
    desk = stub(
        tickets,
        ServiceName.ACCESS_AUDIT,
        access_audit_pb2_grpc.AccessAuditServiceStub,
        name="helpdesk",
    )
    attempt = new_id()
    answer = desk.CheckAccess(
        check(attempt=attempt, application="panel"),
        metadata=bearer(support(tickets, client="helpdesk")),
        timeout=TIMEOUT_S,
    )
    assert answer.leaf == b""
    assert export(tickets).accesses[attempt].app == "helpdesk"
    stolen = support(tickets, client="panel")
    failure = refusal(desk.CheckAccess, check(application="panel"), staff=stolen)
    assert failure.reason is Reason.TOKEN_INVALID


def test_only_an_application_that_may_asserts_people_and_itself(
    tickets: Local, sqlite_template: Template
) -> None:
    """`may_assert` is per kind of actor: helpdesk asserts nobody, panel no job, a job no person."""
    envelope = sqlite_template.sealed[EMAIL]
    page = {"purpose": "service", "data_subject": "customers/1"}
    job = {"purpose": "service", "as_app": True}
    for name, stated in (
        ("helpdesk", page),
        ("erp", page),
        ("invoice-run", page),
        ("panel", job),
        ("helpdesk", job),
    ):
        facade = app(tickets, name)
        with facade.reading(**stated), refused(Reason.ASSERTION_NOT_ALLOWED):
            facade.decrypt(EMAIL, envelope)
    panel = app(tickets)
    with panel.reading(**page):
        assert panel.decrypt(EMAIL, envelope) == VALUES[EMAIL]


def test_what_belongs_to_crypto_is_closed_to_applications(tickets: Local) -> None:
    """Outcomes and key events cannot be forged by an application."""
    audit = stub(tickets, ServiceName.ACCESS_AUDIT, access_audit_pb2_grpc.AccessAuditServiceStub)
    calls = (
        (
            audit.RecordOutcome,
            access_audit_pb2.RecordOutcomeRequest(
                organization=ORGANIZATION, id=new_id(), record_id=new_id(), reason="KEY_DESTROYED"
            ),
        ),
        (
            audit.RecordKeyEvent,
            access_audit_pb2.RecordKeyEventRequest(
                organization=ORGANIZATION,
                id=new_id(),
                operation=access_audit_pb2.KEY_OPERATION_DESTROYED,
                key_ids=[bytes(16)],
            ),
        ),
    )
    for call, request in calls:
        assert refusal(call, request, staff=support(tickets)).reason is Reason.RPC_NOT_ALLOWED


def test_a_foreign_organization_is_out_of_reach(tickets: Local, sqlite_template: Template) -> None:
    """The neighbour's application can neither encrypt, read, ask nor record here."""
    outsider = app(tickets, "outsider")
    staff = support(tickets, client="outsider")
    with refused(Reason.ORGANIZATION_NOT_ALLOWED):
        outsider.encrypt(subject="customers/1", values={EMAIL: "x@y.example"})
    with outsider.reading(purpose="support", staff_token=staff, case=TICKET):
        with refused(Reason.ORGANIZATION_NOT_ALLOWED):
            outsider.decrypt(EMAIL, sqlite_template.sealed[EMAIL])
        with refused(Reason.ORGANIZATION_NOT_ALLOWED):
            outsider.record_read(fields=["customer.fax"], subjects=["customers/1"])
    with refused(Reason.ORGANIZATION_NOT_ALLOWED):
        outsider.put_retention_events([("customers/1", "contract_ended", now())])


def test_a_value_moved_anywhere_else_does_not_open(tickets: Local, panel: Emanet) -> None:
    """Another field, record, subject or organization: the one uniform error, after a record."""
    here = panel.encrypt(
        subject="customers/1", values={EMAIL: "gizli@örnek.example"}, record="row-1"
    )
    envelope = here[EMAIL].envelope
    moved = [
        ToOpen("customer.phone", envelope, record="row-1"),
        ToOpen(EMAIL, envelope, record="row-2"),
        ToOpen(EMAIL, envelope),
        ToOpen(EMAIL, envelope, record="row-1", subject="customers/2"),
        ToOpen(EMAIL, envelope[:-1] + bytes([envelope[-1] ^ 1]), record="row-1"),
        ToOpen(EMAIL, envelope[:90], record="row-1"),
        ToOpen(EMAIL, b"\x01", record="row-1"),
    ]
    staff = support(tickets)
    with panel.reading(purpose="support", staff_token=staff, case=TICKET):
        opened = panel.decrypt_many([ToOpen(EMAIL, envelope, record="row-1"), *moved])
    assert opened[0] == "gizli@örnek.example"
    told = {
        (type(each), each.reason, str(each)) for each in opened[1:] if isinstance(each, EmanetError)
    }
    assert len(opened[1:]) == len(moved)
    assert {reason for _, reason, _ in told} == {Reason.ENVELOPE_INVALID}
    assert len(told) == 1  # all alike

    there = app(tickets, organization=NEIGHBOUR)
    put_ticket(tickets, "T-1", organization=NEIGHBOUR)
    with (
        there.reading(purpose="support", staff_token=staff, case=Case("ticket", "T-1")),
        refused(Reason.ENVELOPE_INVALID, Reason.CASE_UNFIT),
    ):
        there.decrypt(EMAIL, envelope, record="row-1")
    assert any(isinstance(leaf, OutcomeLeaf) for leaf in export(tickets).leaves)
