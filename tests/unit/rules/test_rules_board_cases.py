"""Real cases that the Board decided, told in our own words, as questions to the rules."""

from __future__ import annotations

import dataclasses

import pytest
from rules_world import NOON, ask, order, question, ticket, world

from emanet.core.leaf_terms import Act, ActorKind, Mode, Verdict
from emanet.core.reasons import Reason
from emanet.rules.question import Explanation

CURIOUS = "rules:\n  - {id: A1, allow: support, for: statistics, may: read, of: customer.email}\n"


def test_2018_63_authorised_employee_without_a_work_reason_is_refused_or_flagged():
    """Principle decision 2018/63: a right is no reason. Without a case it is refused; where a
    rule gives it without a case, it waits for a review."""
    assert ask(world(), question()).reason is Reason.CASE_REQUIRED
    decision = ask(world(CURIOUS), question(purpose="statistics"))
    assert decision.explanation is Explanation.RULE
    assert decision.waits_for_review


def test_2023_695_secretary_looks_up_a_stranger_for_a_friend():
    """Decision 2023/695: an open case of somebody else is no excuse for a near number."""
    somebody = ticket(subjects=frozenset({"customers/70"}))
    decision = ask(world(), question(somebody), somebody)
    assert decision.reason is Reason.CASE_UNFIT
    assert decision.metadata == {"problem": "other_subject"}
    alert = (
        "rules:\n  - {id: A1, allow: support, for: support, may: read, of: customer.email, "
        "when: {case: [open, concerns_subject]}, mode: alert}\n"
    )
    flagged = ask(world(alert), question(somebody), somebody)
    assert (flagged.verdict, flagged.mode) == (Verdict.ALLOW, Mode.ALERT)
    assert flagged.waits_for_review


def test_2021_962_colleague_at_an_open_session_acts_under_the_own_name():
    """Decision 2021/962: the screen is a doctor's, the person at it is not. The question names
    the person, so that the case of another does not fit and no role comes from the application."""
    case = ticket()
    secretary = question(case, actor_id="s-017", groups=frozenset({"sekreter"}))
    assert ask(world(), secretary, case).reason is Reason.ROLE_NOT_ALLOWED
    colleague = dataclasses.replace(secretary, groups=frozenset({"destek"}))
    assert ask(world(), colleague, case).metadata == {"problem": "not_assigned"}


@pytest.mark.parametrize("recipient", [None, "lawyer"])
def test_2021_761_records_leave_only_to_a_named_and_agreed_recipient(recipient):
    """Decision 2021/761: a child's records went to the wrong parent's lawyer. Nothing is
    disclosed without a recipient that the register allows, a letter and a second person."""
    case = order()
    asked = question(
        case,
        purpose="authority",
        act=Act.DISCLOSE,
        groups=frozenset({"hukuk"}),
        approver="s-001",
        recipient=recipient,
    )
    assert ask(world(), asked, case).reason is Reason.RECIPIENT_REQUIRED
    right = dataclasses.replace(asked, recipient="court")
    assert ask(world(), right, case).verdict is Verdict.ALLOW
    alone = dataclasses.replace(right, approver=None)
    assert ask(world(), alone, case).reason is Reason.APPROVER_REQUIRED


def test_webhosting_bulk_read_stops_at_the_limit_of_the_case():
    """The hosting breach of 2020: thousands of records in one go. The limit refuses the whole."""
    case = ticket(kind="invoice_run", ref="R-1", opened_by="system", subjects=frozenset())
    bulk = question(
        case,
        purpose="invoicing",
        act=Act.EXPORT,
        fields=("customer.name", "customer.tckn"),
        groups=frozenset({"muhasebe"}),
        subjects=tuple(f"customers/{number}" for number in range(3027)),
        records=3027,
    )
    assert ask(world(), bulk, case).reason is Reason.LIMIT_EXCEEDED
    job = dataclasses.replace(
        bulk,
        actor=ActorKind.APP,
        actor_id="invoice-run",
        fields=("customer.name",),
        groups=frozenset(),
        time=NOON,
    )
    assert ask(world(), job, case, total=1973).verdict is Verdict.ALLOW
    assert ask(world(), job, case, total=1974).reason is Reason.LIMIT_EXCEEDED
