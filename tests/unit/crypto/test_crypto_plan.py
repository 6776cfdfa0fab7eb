"""Plans of destruction: consent goes, duties stay, the rest is refused with its row."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from emanet.core.errors import EmanetError, Reason
from emanet.register.protection import RegisterView
from services.crypto.domain.destruction import (
    Outcome,
    plan_bucket,
    plan_ended,
    plan_request,
    view_of_class,
)
from tests.fakes.crypto_world import MANIFEST, register_of

AT = datetime(2026, 3, 15, 9, tzinfo=UTC)


def view(manifest: str = MANIFEST, number: int = 1) -> RegisterView:
    return RegisterView.of(number, register_of("cinar", manifest))


def test_special_category_consent_is_consent_too() -> None:
    """A row on art. 6/3-a falls away with the consent like one on 5/1."""
    changed = view(MANIFEST.replace("basis: 5/1, consent: C-1", "basis: 6/3-a, consent: C-1"))
    plan = plan_request(changed, "marketing", latest_bucket="open", at=AT)
    assert plan.outcome is Outcome.DESTROYED


def test_one_other_basis_in_the_class_keeps_it_all() -> None:
    """A second row of the same class on a contract refuses the class and is named."""
    changed = view(
        MANIFEST.replace(
            "      - {fields: [message.body]",
            "      - {fields: [customer.hobby], purposes: [support], basis: 5/2-c, keep: marketing}\n"
            "      - {fields: [message.body]",
        )
    )
    plan = plan_request(changed, "marketing", latest_bucket="open", at=AT)
    assert (plan.outcome, plan.article, plan.row) == (
        Outcome.REFUSED,
        "5/2-c",
        "activities/account/rows/3",
    )


def test_a_basis_that_is_only_words_is_no_consent() -> None:
    """Unresolved words refuse."""
    changed = view(MANIFEST.replace("basis: 5/1, consent: C-1", 'basis: "izin var", consent: C-1'))
    plan = plan_request(changed, "marketing", latest_bucket="open", at=AT)
    assert plan.outcome is Outcome.REFUSED


def test_the_least_period_of_a_range_keeps() -> None:
    """Traffic data: at least one year from the month's end (5651 art. 5/3), then the row's basis."""
    plan = plan_request(view(), "traffic", latest_bucket="2026-03", at=AT)
    assert (plan.outcome, plan.until) == (Outcome.KEPT, datetime(2027, 3, 31, 21, tzinfo=UTC))
    assert "5651" in plan.article
    later = plan_request(
        view(), "traffic", latest_bucket="2026-03", at=datetime(2027, 3, 31, 21, tzinfo=UTC)
    )
    assert (later.outcome, later.row) == (Outcome.REFUSED, "activities/logs/rows/0")


def test_a_class_of_an_older_register_is_judged_by_that_register() -> None:
    """Keys made under an earlier version keep the rows that held their fields then."""
    newer = view(MANIFEST.replace("keep: marketing}", "keep: short}"), number=2)
    old = view()
    assert view_of_class((newer, old), "marketing") is old
    assert view_of_class((newer, old), "short") is newer
    assert view_of_class((newer, old), "gone") is None


def test_a_class_that_no_register_knows_is_refused() -> None:
    """Nothing is destroyed on a guess."""
    assert plan_request(None, "gone", latest_bucket=None, at=AT).outcome is Outcome.REFUSED
    ended = plan_ended(None, "gone", latest_bucket=None, is_due=True, at=AT)
    assert ended.outcome is Outcome.REFUSED


def test_an_ended_month_class_needs_its_last_month_to_lapse() -> None:
    """The latest month that holds anything decides; the law is named while it runs."""
    kept = plan_ended(view(), "short", latest_bucket="2026-02", is_due=True, at=AT)
    assert (kept.outcome, kept.until) == (Outcome.KEPT, datetime(2026, 3, 31, 21, tzinfo=UTC))
    gone = plan_ended(view(), "short", latest_bucket="2026-01", is_due=False, at=AT)
    assert gone.outcome is Outcome.DESTROYED
    invoice = plan_ended(view(), "invoice", latest_bucket="2026-02", is_due=True, at=AT)
    assert (invoice.outcome, invoice.row) == (Outcome.KEPT, "activities/billing/rows/0")
    assert "6102" in invoice.article


def test_an_event_started_bucket_has_no_lapse_of_its_own() -> None:
    """A class with the open bucket ends by subjects, not by months."""
    with pytest.raises(EmanetError) as running:
        plan_bucket(view(), "contract", bucket="2026-01", at=AT)
    assert running.value.reason is Reason.RETENTION_RUNNING
    with pytest.raises(EmanetError):
        plan_bucket(None, "gone", bucket="2026-01", at=AT)


def test_a_month_lapses_at_its_end_plus_the_period() -> None:
    """One microsecond decides."""
    end = datetime(2026, 2, 28, 21, tzinfo=UTC)
    assert plan_bucket(view(), "short", bucket="2026-01", at=end).fields == (
        "customer.note",
        "message.body",
    )
    with pytest.raises(EmanetError) as running:
        plan_bucket(view(), "short", bucket="2026-01", at=end.replace(hour=20, minute=59))
    assert running.value.metadata["until"] == "2026-02-28"
