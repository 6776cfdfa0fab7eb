"""What changes between two reads decides the second one: role, person, case, rules, register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from emanet.client import CaseState
from emanet.core.errors import EmanetError, Reason
from tests.e2e.acting import (
    TICKET,
    activate,
    app,
    principals,
    publish,
    put_ticket,
    register_text,
    rules_text,
    support,
    token,
    wait_for_register,
)
from tests.e2e.conftest import VALUES
from tests.e2e.installation import Local, Template, until

EMAIL = "customer.email"


def outcome(local: Local, envelope: bytes, staff: str) -> str:
    """What a read comes to now: OPENED or the reason; empty while registers differ for a moment."""
    panel = app(local)
    with panel.reading(purpose="support", staff_token=staff, case=TICKET):
        try:
            opened = panel.decrypt(EMAIL, envelope)
        except EmanetError as failure:
            return "" if failure.reason is Reason.REGISTER_SKEW else failure.reason.value
        finally:
            panel.close()
    assert opened == VALUES[EMAIL]
    return "OPENED"


def test_the_second_read_is_decided_anew(
    sqlite_copy: Callable[..., Local], sqlite_template: Template
) -> None:
    """With the same token, the same envelope and warm caches: each change counts at the next read."""
    local, envelope = sqlite_copy(), sqlite_template.sealed[EMAIL]
    local.start()
    staff = support(local)
    assert outcome(local, envelope, staff) == "OPENED"

    without_role = token(local, "s-201", "mutfak")
    assert outcome(local, envelope, without_role) == "ROLE_NOT_ALLOWED"
    assert outcome(local, envelope, staff) == "OPENED"

    week = dt.timedelta(days=7)
    now = dt.datetime.now(dt.UTC)
    closed = CaseState(
        *TICKET,
        opened_by="customer",
        opened=now - week,
        subjects=("customers/1",),
        closed=now - week / 2,
    )
    app(local, "helpdesk").put_cases([closed])
    assert outcome(local, envelope, staff) == "CASE_UNFIT"
    put_ticket(local, subjects=["customers/2"])
    assert outcome(local, envelope, staff) == "CASE_UNFIT"
    put_ticket(local)
    assert outcome(local, envelope, staff) == "OPENED"

    narrower = rules_text().replace("of: [customer.email, customer.phone", "of: [customer.phone", 1)
    examples = narrower.index("  - {who: support, may: read, of: customer.email")
    activate(
        local,
        narrower[:examples]
        + "  - {who: customer, may: read, of: customer.email, for: service, then: allow, by: A60}\n",
    )
    assert outcome(local, envelope, staff) == "ROLE_NOT_ALLOWED"
    activate(local)
    assert outcome(local, envelope, staff) == "OPENED"

    without_email = register_text().replace(
        "{fields: [customer.name, customer.email, customer.phone, customer.fax], purposes: [support, service]",
        "{fields: [customer.email], purposes: [service], basis: 5/2-c, keep: contract}\n"
        "      - {fields: [customer.name, customer.phone, customer.fax], purposes: [support, service]",
    )
    assert without_email != register_text()
    number = publish(local, without_email)
    wait_for_register(local, number)
    assert until(lambda: outcome(local, envelope, staff)) == "PURPOSE_NOT_DECLARED"
    number = publish(local)
    wait_for_register(local, number)
    assert until(lambda: outcome(local, envelope, staff)) == "OPENED"

    local.workspace.principals.write_text(principals(persons=["s-201"]), encoding="utf-8")
    until(lambda: outcome(local, envelope, staff) == "PRINCIPAL_REVOKED", what="the revocation")
    colleague = support(local, "s-202")
    assert outcome(local, envelope, colleague) == "OPENED"
    until(lambda: recording(local, staff) == "PRINCIPAL_REVOKED", what="the revocation in the log")


def recording(local: Local, staff: str) -> str:
    """What a read of a plain column comes to."""
    panel = app(local)
    with panel.reading(purpose="support", staff_token=staff, case=TICKET):
        try:
            return panel.record_read(fields=["customer.fax"], subjects=["customers/1"])
        except EmanetError as failure:
            return failure.reason.value
