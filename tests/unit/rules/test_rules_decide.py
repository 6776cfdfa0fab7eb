"""Every reason of a denial has its test, and every condition its truth table."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rules_world import NOON, RULES, ask, order, question, register, ruleset, ticket, world

from emanet.core.leaf_terms import Act, ActorKind, Mode, Verdict
from emanet.core.reasons import Reason
from emanet.rules.compile import compile_rules
from emanet.rules.decide import REASON_ORDER, decide
from emanet.rules.needs import case_needed, needed_counts, roles_of
from emanet.rules.question import CaseRef, CountNeed, Explanation, Facts, Tally
from emanet.rules.values import Counted, Per

ISTANBUL = ZoneInfo("Europe/Istanbul")
TO_COURT = {
    "purpose": "authority",
    "act": Act.DISCLOSE,
    "groups": frozenset({"hukuk"}),
    "recipient": "court",
    "approver": "s-001",
}
TO_BILL = {
    "purpose": "invoicing",
    "act": Act.EXPORT,
    "fields": ("customer.name",),
    "groups": frozenset({"muhasebe"}),
}


def run(**changes: object):
    return ticket(kind="invoice_run", ref="R-1", opened_by="system", **changes)


def test_fitting_case_allows_and_explains_the_read():
    """An open case of the right kind about the person, assigned to the reader, explains it."""
    case = ticket()
    decision = ask(world(), question(case), case)
    assert decision.verdict is Verdict.ALLOW
    assert decision.explanation is Explanation.CASE
    assert (decision.why, decision.role, decision.rules) == ("CASE", "support", ("A11",))
    assert decision.rows == ("activities/account/rows/0",)
    assert decision.explained
    assert not decision.waits_for_review


def test_field_not_declared_for_the_purpose_is_refused_with_its_rows():
    """The register is the frame: a purpose that no row states for the field is no purpose."""
    case = ticket()
    decision = ask(world(), question(case, fields=("customer.email", "customer.tckn")), case)
    assert decision.reason is Reason.PURPOSE_NOT_DECLARED
    assert decision.metadata == {"field": "customer.tckn"}
    assert decision.rows == ("activities/account/rows/2",)


@pytest.mark.parametrize("purpose", ["marketing", "", "SUPPORT"])
def test_unknown_purpose_is_refused(purpose):
    """A purpose that the register does not have is declared for nothing."""
    decision = ask(world(), question(purpose=purpose))
    assert decision.reason is Reason.PURPOSE_NOT_DECLARED


def test_ended_retention_is_refused_in_every_mode():
    """Reads stop when the period lapses, whatever the mode (P4)."""
    case = ticket()
    for mode in Mode:
        decision = ask(
            world(mode=mode.value),
            question(case),
            case,
            retention_ended=frozenset({"customer.email"}),
        )
        assert decision.verdict is Verdict.DENY
        assert decision.reason is Reason.RETENTION_ENDED


def test_deny_rule_wins_over_an_allow_rule():
    """Deny overrides: nobody opens the own record, even where a case would fit."""
    case = ticket(subjects=frozenset({"staff/s-044"}))
    decision = ask(world(), question(case, subjects=("staff/s-044",)), case)
    assert decision.reason is Reason.DENY_RULE
    assert decision.rules == ("D01",)
    assert "A11" not in decision.rules


def test_own_record_known_from_the_directory_is_own():
    """An employee who is a customer too does not read that record either."""
    case = ticket()
    decision = ask(world(), question(case), case, own_subjects=frozenset({"customers/7"}))
    assert decision.reason is Reason.DENY_RULE


def test_one_own_record_in_a_batch_is_enough_for_the_deny_rule():
    """A deny rule strikes the whole question when one of its subjects is the actor."""
    subjects = ("customers/7", "staff/s-044")
    case = ticket(subjects=frozenset(subjects))
    assert ask(world(), question(case, subjects=subjects), case).reason is Reason.DENY_RULE


def test_role_without_a_rule_is_refused_before_the_case_is_asked_for():
    """Who has no role for the purpose is told that, and all reasons are recorded."""
    decision = ask(world(), question(purpose="invoicing", fields=("customer.name",)))
    assert decision.reason is Reason.ROLE_NOT_ALLOWED
    assert decision.reasons == (Reason.ROLE_NOT_ALLOWED, Reason.CASE_REQUIRED)
    assert decision.role == ""


def test_act_that_no_rule_gives_is_refused():
    """A right to read is no right to delete."""
    case = ticket()
    assert ask(world(), question(case, act=Act.DELETE), case).reason is Reason.ROLE_NOT_ALLOWED


def test_rule_of_read_covers_decrypt_and_not_the_other_way():
    """Opening an encrypted value is a read of it; a masked view is not a read."""
    case = ticket()
    for act in (Act.READ, Act.DECRYPT):
        assert ask(world(), question(case, act=act), case).rules == ("A11",)
    assert ask(world(), question(case, act=Act.READ_MASKED), case).rules == ("A10",)
    assert ask(world(), question(case, act=Act.SEARCH), case).verdict is Verdict.DENY


def test_missing_case_is_refused_with_the_kind_that_is_needed():
    """read_needs of the register asks for the case."""
    decision = ask(world(), question())
    assert decision.reason is Reason.CASE_REQUIRED
    assert decision.metadata == {"kind": "ticket"}


@pytest.mark.parametrize(
    ("changes", "groups"),
    [
        ({"opener": "s-044"}, {"destek"}),
        ({"opened_by": "s-044"}, {"destek"}),
        ({"opened_by": "support"}, {"destek"}),
    ],
    ids=["person", "person-as-party", "only-the-own-role-known"],
)
def test_case_opened_by_the_acting_person_does_not_count(changes, groups):
    """'I open my own ticket, then I look' is refused; an unproven other person is no other."""
    case = ticket(**changes)
    decision = ask(world(), question(case, groups=frozenset(groups)), case)
    assert decision.verdict is Verdict.DENY
    assert decision.reason is Reason.CASE_SELF_OPENED


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"closed_at": NOON - timedelta(days=2)}, "closed"),
        ({"subjects": frozenset({"customers/8"})}, "other_subject"),
        ({"subjects": frozenset()}, "other_subject"),
        ({"assignees": frozenset({"s-045"})}, "not_assigned"),
        ({"received_at": NOON + timedelta(seconds=1)}, "late"),
        ({"opened_at": NOON + timedelta(seconds=1)}, "late"),
        ({"opened_by": "system"}, "opener"),
        ({"kind": "order", "ref": "O-7"}, "kind"),
        ({"kind": "rumour", "ref": "X-7"}, "kind"),
    ],
)
def test_case_that_does_not_fit_is_refused_with_its_problem(changes, problem):
    """Closed, about somebody else, somebody else's, too late, of another kind or opener."""
    case = ticket(**changes)
    decision = ask(world(), question(case), case)
    assert decision.reason is Reason.CASE_UNFIT
    assert decision.metadata == {"problem": problem}


def test_unknown_case_is_unfit():
    """A case that nobody pushed is no case."""
    decision = ask(world(), question(ticket()), None)
    assert decision.reason is Reason.CASE_UNFIT
    assert decision.metadata == {"problem": "unknown"}


def test_closed_case_counts_within_its_window():
    """A case stays open for after_close; then it does not."""
    for age, verdict in (
        (timedelta(days=2) - timedelta(microseconds=1), Verdict.ALLOW),
        (timedelta(days=2), Verdict.DENY),
    ):
        case = ticket(closed_at=NOON - age, opened_at=NOON - timedelta(days=9))
        assert ask(world(), question(case), case).verdict is verdict


def test_case_assigned_to_the_team_is_assigned():
    """The team's case is the member's case, with or without the prefix `group:`."""
    for team in ("destek", "group:destek"):
        case = ticket(assignees=frozenset(), teams=frozenset({team}))
        assert ask(world(), question(case), case).verdict is Verdict.ALLOW


def test_official_letter_without_a_number_does_not_count():
    """needs: number_and_date asks for a reference with a number; the date is always there."""
    case = order(ref="yazi")
    decision = ask(world(), question(case, **TO_COURT), case)
    assert decision.metadata == {"problem": "number"}


@pytest.mark.parametrize("recipient", [None, "tax", "nobody"])
def test_disclosure_without_an_agreed_recipient_is_refused(recipient):
    """Only recipients that row and recipient both allow for the purpose get anything."""
    case = order()
    decision = ask(world(), question(case, **(TO_COURT | {"recipient": recipient})), case)
    assert decision.reason is Reason.RECIPIENT_REQUIRED
    assert decision.verdict is Verdict.DENY


def test_disclosure_to_an_agreed_recipient_is_allowed():
    """With case, recipient and a second person an official letter is answered."""
    case = order()
    decision = ask(world(), question(case, **TO_COURT), case)
    assert (decision.verdict, decision.rules) == (Verdict.ALLOW, ("A30",))


@pytest.mark.parametrize("approver", [None, "", "s-044"])
def test_approver_must_be_another_person(approver):
    """Four eyes are two persons."""
    case = order()
    decision = ask(world(), question(case, **(TO_COURT | {"approver": approver})), case)
    assert decision.reason is Reason.APPROVER_REQUIRED


def test_nobody_approves_the_reading_of_the_own_record():
    """An approver whose own record it is does not count."""
    case = order(subjects=frozenset({"staff/s-001"}))
    asked = question(case, **(TO_COURT | {"subjects": ("staff/s-001",)}))
    assert ask(world(), asked, case).reason is Reason.APPROVER_REQUIRED


@pytest.mark.parametrize(
    ("total", "overlap", "verdict"),
    [
        (0, 0, Verdict.ALLOW),
        (2, 0, Verdict.ALLOW),
        (3, 0, Verdict.DENY),
        (3, 1, Verdict.ALLOW),
    ],
)
def test_subject_limit_counts_different_persons(total, overlap, verdict):
    """3/day: a fourth person is refused, one of today's three again is not."""
    case = ticket()
    decision = ask(world(), question(case), case, total=total, overlap=overlap)
    assert decision.verdict is verdict
    if verdict is Verdict.DENY:
        assert decision.reason is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("total", "records", "passes"),
    [(0, 1000, True), (0, 1001, False), (999, 1, True), (1000, 1, False)],
)
def test_record_limit_counts_values_under_the_case(total, records, passes):
    """1000/case: the thousandth record is read, the next is not."""
    case = run()
    decision = ask(world(), question(case, **TO_BILL, records=records), case, total=total)
    assert (decision.verdict is Verdict.ALLOW) is passes
    assert passes or decision.reason is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("local", "works"),
    [
        ("2026-03-03T09:00:00", True),
        ("2026-03-03T08:59:59", False),
        ("2026-03-03T17:59:59", True),
        ("2026-03-03T18:00:00", False),
        ("2026-03-07T12:00:00", False),
        ("2026-04-23T12:00:00", False),
        ("2026-10-28T12:59:00", True),
        ("2026-10-28T13:00:00", False),
        ("2026-03-20T12:00:00", False),
    ],
)
def test_hours_hold_in_turkish_working_time_only(local, works):
    """Weekends, the fixed holidays of law 2429 and the listed days are no working time."""
    case = run()
    asked = question(case, **TO_BILL, time=datetime.fromisoformat(local + "+03:00"))
    case = dataclasses.replace(case, opened_at=asked.time, received_at=asked.time)
    decision = ask(world(), asked, case)
    assert (decision.verdict is Verdict.ALLOW) is works
    assert works or decision.reason is Reason.OUTSIDE_HOURS


def test_missing_tally_is_refused():
    """Missing input denies: a limit that cannot be counted is not a limit kept."""
    case = ticket()
    decision = decide(world(), question(case), Facts(case=case))
    assert decision.reasons == (Reason.EVALUATION_FAILED,)
    assert decision.verdict is Verdict.DENY


@pytest.mark.parametrize("changes", [{"fields": ()}, {"records": 0}])
def test_question_about_nothing_is_refused(changes):
    """An empty 'all of' is a failure."""
    case = ticket()
    assert ask(world(), question(case, **changes), case).reason is Reason.EVALUATION_FAILED


def test_facts_of_another_case_are_refused():
    """Facts must be those of the case named."""
    asked = question(ticket())
    decision = decide(world(), asked, Facts(case=ticket(ref="T-8"), counts={}))
    assert decision.reason is Reason.EVALUATION_FAILED


def test_evaluation_error_is_refused_in_every_mode():
    """Observe softens what rules say, never what nobody could evaluate."""
    case = ticket()
    for mode in Mode:
        compiled = world(mode=mode.value)
        decision = decide(compiled, question(case), Facts(case=case))
        assert decision.verdict is Verdict.DENY
        assert decision.mode is Mode.ENFORCE


def test_reason_told_is_the_first_in_the_documented_order():
    """The first that applies is told and all are recorded, in the order of the design."""
    case = ticket(
        opener="s-044", subjects=frozenset(), assignees=frozenset(), closed_at=NOON, opened_by="x"
    )
    decision = ask(
        world(),
        question(case, subjects=("staff/s-044",)),
        case,
        total=99,
        retention_ended=frozenset({"customer.email"}),
    )
    assert decision.reasons == (
        Reason.RETENTION_ENDED,
        Reason.DENY_RULE,
        Reason.CASE_SELF_OPENED,
        Reason.CASE_UNFIT,
        Reason.LIMIT_EXCEEDED,
    )
    assert [REASON_ORDER.index(reason) for reason in decision.reasons] == sorted(
        REASON_ORDER.index(reason) for reason in decision.reasons
    )


def test_data_subject_reads_only_the_own_record_and_needs_no_case():
    """A person's own page explains itself, and opens nobody else's."""
    own = question(
        actor=ActorKind.DATA_SUBJECT,
        actor_id="customers/7",
        groups=frozenset(),
        purpose="service",
    )
    decision = ask(world(), own)
    assert (decision.verdict, decision.why) == (Verdict.ALLOW, "OWN_RECORD")
    assert decision.explained
    for subjects in (("customers/8",), ("customers/7", "customers/8"), ()):
        refused = ask(world(), dataclasses.replace(own, subjects=subjects))
        assert Reason.ROLE_NOT_ALLOWED in refused.reasons
        assert refused.verdict is Verdict.DENY


def test_data_subject_is_held_to_the_own_record_even_where_the_rule_forgets_it():
    """The engine itself holds a data subject to the own record, in every mode."""
    rules = "rules:\n  - {id: A1, allow: customer, for: service, may: read, of: customer.email}\n"
    asked = question(
        actor=ActorKind.DATA_SUBJECT, actor_id="customers/7", purpose="service", groups=frozenset()
    )
    for mode in Mode:
        assert ask(world(rules, mode.value), asked).verdict is Verdict.ALLOW
        other = ask(world(rules, mode.value), dataclasses.replace(asked, subjects=("customers/8",)))
        assert other.verdict is Verdict.DENY


def test_application_has_its_role_by_its_name_alone():
    """A job reads under its own role; its name in a person's question gives nothing."""
    case = run()
    job = question(
        case,
        actor=ActorKind.APP,
        actor_id="invoice-run",
        application="invoice-run",
        groups=frozenset(),
        purpose="invoicing",
        fields=("customer.name",),
    )
    assert ask(world(), job, case).rules == ("A21",)
    assert roles_of(world(), question(application="invoice-run", groups=frozenset())) == ()
    other = dataclasses.replace(job, actor_id="panel")
    assert ask(world(), other, case).reason is Reason.ROLE_NOT_ALLOWED


def test_sealed_field_is_given_to_no_role_even_by_a_pattern():
    """A pattern never reaches a sealed field (P6)."""
    rules = "rules:\n  - {id: A1, allow: support, for: support, may: read, of: '*'}\n"
    case = ticket()
    decision = ask(world(rules), question(case, fields=("letter.text",)), case)
    assert decision.reason is Reason.ROLE_NOT_ALLOWED


def test_forbidden_field_is_declared_for_nothing():
    """A field that must never be stored cannot be read either."""
    assert ask(world(), question(fields=("card.number",))).reason is Reason.PURPOSE_NOT_DECLARED


def test_question_is_all_or_nothing():
    """One field that no rule gives refuses the whole question."""
    rules = RULES.replace("[customer.email, customer.name]", "[customer.email]")
    case = ticket()
    asked = question(case, fields=("customer.email", "customer.name"))
    assert ask(world(), asked, case).verdict is Verdict.ALLOW
    assert ask(world(rules), asked, case).reason is Reason.ROLE_NOT_ALLOWED


def test_one_role_must_give_every_field():
    """Two half rights of two roles are no right: the record names one role."""
    rules = (
        "rules:\n"
        "  - {id: A1, allow: support, for: statistics, may: read, of: customer.email}\n"
        "  - {id: A2, allow: legal, for: authority, may: read, of: customer.email}\n"
        "  - {id: A3, allow: billing, for: authority, may: read, of: traffic.line}\n"
    )
    case = order()
    both = frozenset({"hukuk", "mali"})
    asked = question(
        case, purpose="authority", fields=("customer.email", "traffic.line"), groups=both
    )
    assert ask(world(rules), asked, case).reason is Reason.ROLE_NOT_ALLOWED
    one = dataclasses.replace(asked, fields=("traffic.line",))
    assert ask(world(rules), one, case).role == "billing"


def test_allowance_that_no_case_explains_waits_for_review():
    """A rule without a case gives the right, and somebody looks at it afterwards."""
    asked = question(purpose="statistics", act=Act.LIST, groups=frozenset({"denetim"}))
    decision = ask(world(), asked)
    assert (decision.verdict, decision.why) == (Verdict.ALLOW, "RULE")
    assert decision.waits_for_review


def test_voluntary_case_about_the_person_explains():
    """Where no case is asked for, one that is open and about the person still explains."""
    case = ticket()
    asked = question(case, purpose="statistics", act=Act.LIST, groups=frozenset({"denetim"}))
    assert ask(world(), asked, case).explained
    other = ticket(subjects=frozenset({"customers/9"}))
    assert not ask(world(), asked, other).explained


CONDITIONS = ("required", "open", "concerns_subject", "assigned_to_me_or_team")


@pytest.mark.parametrize(
    "asked_for",
    list(itertools.chain.from_iterable(itertools.combinations(CONDITIONS, n) for n in range(1, 5))),
)
def test_case_conditions_hold_exactly_when_all_asked_for_hold(asked_for):
    """Truth table: every set of conditions against every state of the case."""
    rules = (
        "rules:\n  - {id: A1, allow: support, for: statistics, may: read, of: customer.email, "
        f"when: {{case: [{', '.join(asked_for)}]}}}}\n"
    )
    compiled = world(rules)
    for is_open, concerns, assigned, counts in itertools.product((True, False), repeat=4):
        case = ticket(
            closed_at=None if is_open else NOON - timedelta(days=30),
            subjects=frozenset({"customers/7" if concerns else "customers/9"}),
            assignees=frozenset({"s-044" if assigned else "s-999"}),
            received_at=NOON - timedelta(days=1) if counts else NOON + timedelta(days=1),
        )
        holds = {
            "required": counts,
            "open": is_open,
            "concerns_subject": concerns,
            "assigned_to_me_or_team": assigned,
        }
        expected = counts and all(holds[condition] for condition in asked_for)
        decision = ask(compiled, question(case, purpose="statistics"), case)
        assert (decision.verdict is Verdict.ALLOW) is expected
        assert expected or decision.reason is Reason.CASE_UNFIT


@pytest.mark.parametrize(
    ("set_mode", "rule_mode"),
    list(itertools.product(["enforce", "alert", "observe"], ["", "enforce", "alert", "observe"])),
)
def test_mode_of_a_failed_rule_is_its_own_else_the_sets(set_mode, rule_mode):
    """Truth table of modes: what passes, what the record shows and what waits for review."""
    own = f", mode: {rule_mode}" if rule_mode else ""
    rules = (
        "rules:\n  - {id: A1, allow: support, for: support, may: read, of: customer.email, "
        f"when: {{case: concerns_subject}}{own}}}\n"
    )
    case = ticket(subjects=frozenset({"customers/9"}))
    decision = ask(world(rules, set_mode), question(case), case)
    mode = Mode(rule_mode or set_mode)
    assert decision.mode is mode
    assert decision.reason is Reason.CASE_UNFIT
    assert decision.ruled is Verdict.DENY
    assert decision.verdict is (Verdict.DENY if mode is Mode.ENFORCE else Verdict.ALLOW)
    assert decision.recorded is (Verdict.ALLOW if mode is Mode.ALERT else Verdict.DENY)
    assert decision.waits_for_review is (mode is Mode.ALERT)
    assert decision.reasons == (Reason.CASE_UNFIT,)
    assert decision.why == "CASE_UNFIT"


@pytest.mark.parametrize("mode", ["alert", "observe"])
def test_no_mode_softens_what_the_register_demands(mode):
    """Purpose, a counting case of the kind asked for and the recipient are demanded always."""
    compiled = world(RULES, mode)
    late = ticket(received_at=NOON + timedelta(days=1))
    letter = order()
    decisions = [
        ask(compiled, question(purpose="marketing")),
        ask(compiled, question()),
        ask(compiled, question(late), late),
        ask(compiled, question(ticket(opener="s-044")), ticket(opener="s-044")),
        ask(compiled, question(letter, **(TO_COURT | {"recipient": None})), letter),
    ]
    assert {decision.verdict for decision in decisions} == {Verdict.DENY}
    assert {decision.mode for decision in decisions} == {Mode.ENFORCE}


def test_deny_rule_with_a_milder_mode_only_marks():
    """A deny rule on trial lets pass and puts the access into the queue."""
    case = ticket()
    for mode, waits in (("alert", True), ("observe", False)):
        rules = RULES + f"  - {{id: D09, deny: support, of: customer.email, mode: {mode}}}\n"
        decision = ask(world(rules), question(case), case)
        assert (decision.verdict, decision.reason) == (Verdict.ALLOW, Reason.DENY_RULE)
        assert decision.rules == ("D09",)
        assert decision.waits_for_review is waits


def test_deny_rule_is_lifted_by_an_approver_where_it_says_so():
    """unless: approver needs a second person, not the actor again."""
    rules = RULES + "  - {id: D09, deny: support, of: customer.email, unless: approver}\n"
    case = ticket()
    for approver, verdict in (
        (None, Verdict.DENY),
        ("s-044", Verdict.DENY),
        ("s-1", Verdict.ALLOW),
    ):
        assert ask(world(rules), question(case, approver=approver), case).verdict is verdict


def test_analyst_does_not_audit_the_own_accesses():
    """own_record: no takes the right away where any subject is the actor."""
    rules = "\n".join(line for line in RULES.splitlines() if "D01" not in line) + "\n"
    case = ticket(kind="review", ref="R-9", subjects=frozenset())
    asked = question(
        case,
        purpose="oversight",
        fields=("staff.access",),
        groups=frozenset({"denetim"}),
        subjects=("staff/s-031",),
    )
    assert ask(world(rules), asked, case).verdict is Verdict.ALLOW
    own = dataclasses.replace(asked, subjects=("staff/s-031", "staff/s-044"))
    assert ask(world(rules), own, case).reason is Reason.ROLE_NOT_ALLOWED


def test_needed_counts_name_the_window_in_turkish_time():
    """A day begins at midnight in Türkiye, an hour on the clock; a case has no beginning."""
    case = run()
    needs = needed_counts(world(), question(case, **TO_BILL))
    assert needs == (CountNeed(Counted.RECORDS, Per.CASE),)
    assert needed_counts(world(), question(**TO_BILL)) == ()
    late = question(ticket(), time=datetime(2026, 3, 3, 0, 30, tzinfo=ISTANBUL))
    (need,) = needed_counts(world(), late)
    assert need.since == datetime(2026, 3, 3, tzinfo=ISTANBUL)
    hourly = RULES.replace("subjects: 3/day", "subjects: 3/h")
    (need,) = needed_counts(world(hourly), late)
    assert need.since == datetime(2026, 3, 3, 0, 0, tzinfo=ISTANBUL)


def test_case_needed_is_the_recipients_where_it_asks_for_one():
    """each_needs of a recipient goes before read_needs for a disclosure."""
    assert case_needed(world(), question()) == "ticket"
    disclosed = question(purpose="invoicing", act=Act.DISCLOSE, recipient="court")
    assert case_needed(world(), disclosed) == "legal_order"
    assert case_needed(world(), dataclasses.replace(disclosed, recipient="tax")) == "invoice_run"
    page = question(actor=ActorKind.DATA_SUBJECT, actor_id="customers/7", purpose="service")
    assert case_needed(world(), page) == ""


def test_rules_are_read_anew_with_another_register():
    """The same rules over a register without the row give nothing."""
    narrowed = dataclasses.replace(
        register(),
        activities={"oversight": register().activities["oversight"]},
    )
    case = ticket()
    compiled = compile_rules(ruleset(), narrowed)
    assert ask(compiled, question(case), case).reason is Reason.PURPOSE_NOT_DECLARED


def test_second_read_is_decided_anew_when_the_case_closed_in_between():
    """Nothing of an earlier answer survives a change of the facts."""
    case = ticket()
    assert ask(world(), question(case), case).verdict is Verdict.ALLOW
    closed = ticket(closed_at=NOON - timedelta(days=5))
    assert ask(world(), question(closed), closed).reason is Reason.CASE_UNFIT
    assert ask(world(), question(case, groups=frozenset()), case).reason is Reason.ROLE_NOT_ALLOWED
    assert ask(world(), question(case), case).verdict is Verdict.ALLOW


def test_every_reason_of_the_order_can_be_told():
    """No reason stands in the order without a question that leads to it."""
    case, letter, invoice = ticket(), order(), run()
    told = {
        decide(world(), question(case), Facts(case=case)).reason,
        ask(world(), question(purpose="x")).reason,
        ask(world(), question(case), case, retention_ended=frozenset({"customer.email"})).reason,
        ask(world(), question(case, subjects=("staff/s-044",)), case).reason,
        ask(world(), question(case, groups=frozenset()), case).reason,
        ask(world(), question()).reason,
        ask(world(), question(ticket(opener="s-044")), ticket(opener="s-044")).reason,
        ask(world(), question(case), None).reason,
        ask(world(), question(letter, **(TO_COURT | {"recipient": None})), letter).reason,
        ask(world(), question(letter, **(TO_COURT | {"approver": None})), letter).reason,
        ask(world(), question(case), case, total=3).reason,
        ask(world(), question(invoice, **TO_BILL, time=NOON + timedelta(hours=9)), invoice).reason,
    }
    assert told == set(REASON_ORDER)


def test_case_reference_is_compared_whole():
    """The kind belongs to the reference: T-7 of another kind is another case."""
    asked = dataclasses.replace(question(), case=CaseRef("order", "T-7"))
    facts = Facts(case=ticket(), counts={(Counted.SUBJECTS, Per.DAY): Tally(0)})
    assert decide(world(), asked, facts).reason is Reason.EVALUATION_FAILED


def test_case_about_somebody_does_not_fit_an_access_without_subjects():
    """An empty 'all of' is a failure: a case concerns nobody where nobody is named."""
    case = ticket()
    decision = ask(world(), question(case, subjects=()), case)
    assert decision.metadata == {"problem": "other_subject"}


def test_rule_for_own_records_gives_no_mixed_batch():
    """own_record: yes of an allow rule wants every subject to be the actor."""
    rules = (
        "rules:\n  - {id: A1, allow: support, for: statistics, may: read, of: customer.email, "
        "when: {own_record: yes}}\n"
    )
    own = question(purpose="statistics", subjects=("staff/s-044",))
    assert ask(world(rules), own).verdict is Verdict.ALLOW
    mixed = dataclasses.replace(own, subjects=("staff/s-044", "customers/7"))
    assert ask(world(rules), mixed).reason is Reason.ROLE_NOT_ALLOWED


def test_deny_rule_for_everybody_strikes_who_has_no_role_too():
    """Under alert nothing else would stop a stranger at a field that is closed for all."""
    rules = 'rules:\n  - {id: D1, deny: "*", of: customer.email, mode: enforce}\n'
    asked = question(purpose="statistics", groups=frozenset())
    assert ask(world("rules: []\n", "alert"), asked).verdict is Verdict.ALLOW
    assert ask(world(rules, "alert"), asked).verdict is Verdict.DENY


def test_limit_under_a_case_asks_for_a_case():
    """1000/case without a case is no limit at all, so the case is required."""
    rules = (
        "rules:\n  - {id: A1, allow: support, for: statistics, may: read, of: customer.email, "
        "when: {records: 9/case}}\n"
    )
    assert ask(world(rules), question(purpose="statistics")).reason is Reason.CASE_REQUIRED
    case = ticket()
    decision = ask(world(rules), question(case, purpose="statistics"), case)
    assert decision.verdict is Verdict.ALLOW


def test_rule_that_asks_for_a_case_is_the_one_recorded():
    """Where a strict and a loose rule both fit, the record names the strict one."""
    rules = (
        "rules:\n"
        "  - {id: A1, allow: support, for: statistics, may: read, of: customer.email}\n"
        "  - {id: A2, allow: support, for: statistics, may: read, of: customer.email, "
        "when: {case: open}}\n"
    )
    other = ticket(subjects=frozenset({"customers/9"}))
    decision = ask(world(rules), question(other, purpose="statistics"), other)
    assert (decision.rules, decision.why) == (("A2",), "CASE")
    assert ask(world(rules), question(purpose="statistics")).rules == ("A1",)


def test_forbidden_field_in_a_row_is_still_declared_for_nothing():
    """A draft's mistake does not open what must never be stored."""
    account = register().activities["account"]
    row = dataclasses.replace(account.rows[0], fields=(*account.rows[0].fields, "card.number"))
    activities = {"account": dataclasses.replace(account, rows=(row,))}
    wrong = dataclasses.replace(register(), activities=activities)
    rules = "rules:\n  - {id: A1, allow: support, for: support, may: read, of: '*'}\n"
    case = ticket()
    compiled = compile_rules(ruleset(rules), wrong)
    decision = ask(compiled, question(case, fields=("card.number",)), case)
    assert decision.reason is Reason.PURPOSE_NOT_DECLARED


def test_recipient_of_the_row_gets_nothing_for_a_purpose_it_may_not_use():
    """Row and recipient must both allow the purpose."""
    rules = (
        "rules:\n  - {id: A1, allow: billing, for: invoicing, may: disclose, of: customer.name, "
        "when: {case: open}}\n"
    )
    letter, invoice = order(), run()
    asked = question(letter, **(TO_BILL | {"act": Act.DISCLOSE, "recipient": "court"}))
    assert ask(world(rules), asked, letter).reason is Reason.RECIPIENT_REQUIRED
    asked = question(invoice, **(TO_BILL | {"act": Act.DISCLOSE, "recipient": "tax"}))
    assert ask(world(rules), asked, invoice).verdict is Verdict.ALLOW


def test_reasons_of_all_roles_are_recorded():
    """A person with two roles learns what either would have needed."""
    rules = (
        "rules:\n"
        "  - {id: A1, allow: support, for: statistics, may: read, of: customer.email, "
        "when: {case: open}}\n"
        "  - {id: A2, allow: legal, for: statistics, may: read, of: customer.email, "
        "when: {approver: other_person}}\n"
    )
    asked = question(purpose="statistics", groups=frozenset({"destek", "hukuk"}))
    decision = ask(world(rules), asked)
    assert decision.reasons == (Reason.CASE_REQUIRED, Reason.APPROVER_REQUIRED)
    assert decision.rules == ("A1", "A2")
    approved = ask(world(rules), dataclasses.replace(asked, approver="s-001"))
    assert (approved.role, approved.rules) == ("legal", ("A2",))


def test_case_that_the_rule_looks_at_explains_as_far_as_the_rule_asks():
    """A masked list under an open case is explained, whomever the case is about."""
    other = ticket(subjects=frozenset({"customers/9"}))
    decision = ask(world(), question(other, act=Act.READ_MASKED), other)
    assert (decision.rules, decision.why) == (("A10",), "CASE")
