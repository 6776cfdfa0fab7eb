"""P1 for what goes out and for the log itself: a second person, a recipient, a role, a purpose."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from emanet.client import Case
from emanet.client.admin import RecordFilter
from emanet.client.reading import make_reading
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import Act, Verdict
from tests.e2e.acting import admin, app, export, now, put_case, record_id, refused, token
from tests.e2e.conftest import VALUES
from tests.e2e.installation import Local, Template

EMAIL = "customer.email"


def test_a_disclosure_needs_another_person_and_a_declared_recipient(
    shared: Local, sqlite_template: Template
) -> None:
    """No approver, oneself, oneself under a second account, an old token, nobody's court: refused."""
    panel = app(shared)
    order = put_case(
        shared, Case("legal_order", "2026/71"), by="register_desk", subjects=("customers/1",)
    )
    lawyer = token(shared, "s-101", "hukuk")
    stated = {"purpose": "authority", "staff_token": lawyer, "case": order, "recipient": "court"}
    other = token(shared, "s-203", "hukuk")
    late = token(shared, "s-203", "hukuk", now=now() - dt.timedelta(hours=1))
    foreign = token(shared, "s-203", "hukuk", client="helpdesk")
    attacks_: dict[str, tuple[dict[str, Any], Reason]] = {
        "nobody approves": ({}, Reason.APPROVER_REQUIRED),
        "oneself": ({"approver_token": token(shared, "s-101", "hukuk")}, Reason.APPROVER_REQUIRED),
        "a second account": (
            {"approver_token": token(shared, "s-101-admin", "hukuk")},
            Reason.APPROVER_REQUIRED,
        ),
        "an old token": ({"approver_token": late}, Reason.TOKEN_EXPIRED),
        "another application's token": ({"approver_token": foreign}, Reason.TOKEN_INVALID),
        "a recipient of another purpose": (
            {"approver_token": other, "recipient": "tax"},
            Reason.RECIPIENT_REQUIRED,
        ),
        "an invented recipient": (
            {"approver_token": other, "recipient": "neighbour"},
            Reason.RECIPIENT_REQUIRED,
        ),
    }
    for what, (changes, reason) in attacks_.items():
        with panel.reading(**{**stated, **changes}), pytest.raises(EmanetError) as told:
            panel.decrypt(EMAIL, sqlite_template.sealed[EMAIL], action="disclose")
        assert told.value.reason is reason, what
    with panel.reading(**stated, approver_token=other):
        opened = panel.decrypt(EMAIL, sqlite_template.sealed[EMAIL], action="disclose")
    assert opened == VALUES[EMAIL]


def test_reading_the_log_needs_a_duty_and_a_purpose_and_is_recorded(shared: Local) -> None:
    """Who may read everybody's accesses is watched like everybody."""

    def listed(person: str, *groups: str, purpose: str = "oversight") -> list[Any]:
        staff = token(shared, person, *groups, client="emanet-cli")
        reading = make_reading(staff_token=staff, purpose=purpose)
        reader = admin(shared, person, *groups)
        return list(reader.audit.records(reading, wanted=RecordFilter(), limit=3))

    with refused(Reason.RPC_NOT_ALLOWED):
        listed("s-201", "destek")
    with refused(Reason.PURPOSE_NOT_DECLARED) as undeclared:
        listed("s-104", "denetim", purpose="support")
    with refused(Reason.ROLE_NOT_ALLOWED) as without_role:
        listed("s-103", "guvenlik")
    assert len(listed("s-104", "denetim")) == 3
    accesses = export(shared).accesses
    for denied in (undeclared, without_role):
        leaf = accesses[record_id(denied.value.metadata["record"])]
        assert (leaf.act, leaf.decision.verdict) == (Act.LIST, Verdict.DENY)
    reading = list(accesses.values())[-2]  # the last one is the export
    assert (reading.act, reading.decision.verdict) == (Act.LIST, Verdict.ALLOW)
