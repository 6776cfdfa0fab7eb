"""The inventory is away: decisions go on for a while, writing goes on, and all comes back by itself."""

from __future__ import annotations

from collections.abc import Callable

from emanet.core.errors import EmanetError, Reason
from tests.e2e.acting import TICKET, admin, app, support
from tests.e2e.conftest import VALUES
from tests.e2e.installation import Local, Template, until

EMAIL = "customer.email"


def outcome(local: Local, envelope: bytes) -> str:
    panel = app(local)
    with panel.reading(purpose="support", staff_token=support(local), case=TICKET):
        try:
            assert panel.decrypt(EMAIL, envelope) == VALUES[EMAIL]
        except EmanetError as failure:
            return failure.reason.value
    return "OPENED"


def test_decisions_stop_when_the_register_is_stale_and_encrypt_goes_on(
    sqlite_copy: Callable[..., Local], sqlite_template: Template
) -> None:
    """Consumers start from their own copies, warn, refuse when stale, and need no restart after."""
    local, envelope = (
        sqlite_copy(
            EMANET_ACCESS_AUDIT_REGISTER_DEGRADED_SECONDS="1",
            EMANET_ACCESS_AUDIT_REGISTER_STALE_SECONDS="6",
        ),
        sqlite_template.sealed[EMAIL],
    )
    local.start()
    watcher = admin(local, "s-101", "kvkk")
    local.kill("inventory")
    assert outcome(local, envelope) == "OPENED"
    local.kill("access_audit")
    local.kill("crypto")
    local.start("access_audit", "crypto")  # healthy without the inventory
    assert outcome(local, envelope) in {"OPENED", "REGISTER_STALE"}
    codes = until(lambda: {each.code for each in watcher.audit.service_info().warnings})
    assert "REGISTER_DEGRADED" in codes
    until(lambda: outcome(local, envelope) == Reason.REGISTER_STALE.value, what="REGISTER_STALE")
    app(local).encrypt(subject="customers/1", values={EMAIL: VALUES[EMAIL]})
    assert outcome(local, envelope) == Reason.REGISTER_STALE.value
    local.start("inventory")
    until(lambda: outcome(local, envelope) == "OPENED", what="the recovery")
