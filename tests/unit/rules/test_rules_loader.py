"""need_to_know.yaml is read whole or refused with its line."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules_world import EXAMPLES, HEAD, RULES, ruleset, text

from emanet.core.errors import EmanetError
from emanet.core.leaf_terms import Act, Mode
from emanet.core.reasons import Reason
from emanet.register.period import Period
from emanet.rules.hours import parse_work
from emanet.rules.loader import load_rules
from emanet.rules.values import (
    CaseCondition,
    Conditions,
    Counted,
    Effect,
    Limit,
    Per,
    RoleSource,
    Rule,
)

FIRST_RULE_LINE = HEAD.count("\n") + 2


def refusal(source: str) -> EmanetError:
    with pytest.raises(EmanetError) as caught:
        load_rules(source, source="n.yaml")
    assert caught.value.reason is Reason.MANIFEST_INVALID
    assert caught.value.metadata["source"] == "n.yaml"
    assert caught.value.metadata["problem_tr"]
    return caught.value


def test_whole_file_is_read_as_written():
    """Roles, cases, rules with every condition, and examples arrive typed."""
    rules = ruleset(examples=EXAMPLES)
    assert rules.organization == "kavak"
    assert rules.mode is Mode.ENFORCE
    assert rules.role("billing").names == ("muhasebe", "mali")
    assert rules.role("billing").outside
    assert rules.role("customer").source is RoleSource.DATA_SUBJECT
    assert rules.case_kind("ticket").after_close == Period(days=2)
    assert rules.case_kind("legal_order").secret
    by_id = {rule.id: rule for rule in rules.rules}
    assert by_id["A11"].when == Conditions(
        case=frozenset(set(CaseCondition) - {CaseCondition.REQUIRED}),
        limits=(Limit(Counted.SUBJECTS, 3, Per.DAY),),
    )
    assert by_id["A20"].when.work_hours
    assert by_id["A20"].acts == {Act.READ, Act.EXPORT}
    assert by_id["A30"].when.approver
    assert by_id["D01"].excepted == ("A50",)
    assert by_id["D01"].when.own_record is True
    assert by_id["A10"].line == FIRST_RULE_LINE
    assert len(rules.examples) == EXAMPLES.count("- {")


def test_digest_is_that_of_the_bytes_as_they_stand():
    """The file is stored verbatim; a comment changes the digest too."""
    source = text()
    assert ruleset().digest == hashlib.sha256(source.encode()).digest()
    assert load_rules(source + "# söz\n", source="x").digest != ruleset().digest


@pytest.mark.parametrize(
    ("old", "new", "planned"),
    [
        ("own_record: yes}, except", "relative: yes}, except", "relative"),
        ("{case: open}}", "{case: open, searches: 60/h}}", "searches"),
        ("from: erp,", "from: erp, second_person: true,", "second_person"),
        ('from: "group:denetim"', 'from: "group:denetim", never_with: [support]', "never_with"),
        ("rules:\n", "break_glass: {minutes: 60}\nrules:\n", "break_glass"),
        ("rules:\n", "review: {}\nrules:\n", "review"),
    ],
)
def test_planned_key_is_refused_as_not_supported_yet(old, new, planned):
    """Nobody can believe in a protection that is not there yet."""
    source = text()
    assert old in source
    changed = source.replace(old, new, 1)
    refused = refusal(changed)
    assert refused.metadata["problem"] == f"{planned!r} is not supported yet"
    line = next(
        n
        for n, one in enumerate(changed.split("\n"), 1)
        if f"{planned}:" in one and "tr: İnceleme" not in one
    )
    assert refused.metadata["line"] == str(line)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("need_to_know/v1", "need_to_know/v2", "need_to_know/v1"),
        ("mode: enforce", "mode: strict", "unknown word 'strict'"),
        ("mode: enforce", "mode: yes", "unknown word 'yes'"),
        ("organization: kavak", "organization: Kavak", "not a name"),
        ("organization: kavak\n", "", "'organization' is missing"),
        ("  analyst:", "  Analyst:", "not a name"),
        ('from: "group:denetim"', 'from: "denetim"', "group:NAME"),
        ('from: "group:denetim"', 'from: ["group:a", "app:b"]', "not from both"),
        ('from: "group:denetim"', 'en: x', "either 'from' or 'built_in'"),
        ("built_in: data_subject", "built_in: everybody", "unknown word"),
        ("outside: processor", "outside: friend", "unknown word"),
        ("after_close: P2D", "after_close: 2 days", "period"),
        ("secret: true", "secret: yes", "true or false"),
        ("needs: number_and_date", "needs: stamp", "unknown word"),
        ("Mon-Fri 09:00-18:00", "09-18", "Mon-Fri"),
        ("Mon-Fri 09:00-18:00", "Mon-Fri 18:00-09:00", "begin before they end"),
        ("Mon-Fri 09:00-18:00", "Pzt-Cum 09:00-18:00", "Mon-Fri"),
        ("zone: Europe/Istanbul", "zone: Europe/Byzantium", "time zone"),
        ("zone: Europe/Istanbul", "zone: ../../etc/passwd", "time zone"),
        ("[tr, 2026-03-20]", "[tr, 2026-13-20]", "a date"),
        ("id: A10,", "id: a10,", "capital letter"),
        ("id: A10, allow: support", "id: A10, allow: support, deny: support", "either 'allow' or 'deny'"),
        ("{id: A10, allow: support", "{id: A10", "either 'allow' or 'deny'"),
        ("for: support, may: [list", "may: [list", "'for' is missing"),
        ("may: [list, read_masked]", "may: [list, lists]", "did you mean 'list'"),
        ("may: [list, read_masked]", "may: [decrypt]", "covers decrypt"),
        ("may: [list, read_masked]", "may: [list, list]", "stands twice"),
        ("may: [list, read_masked]", "may: []", "the list is empty"),
        ("of: [customer.*]", "of: [custo*]", "pattern"),
        ("of: [customer.*]", 'of: ["*.name"]', "pattern"),
        ("allow: robot", 'allow: "*"', "names its roles"),
        ("when: {case: open}}", "when: {cases: open}}", "unknown key 'cases'"),
        ("when: {case: open}}", "when: {case: opened}}", "unknown word 'opened'"),
        ("subjects: 3/day", "subjects: 3/case", "per hour or day"),
        ("subjects: 3/day", "subjects: 0/day", "a limit is written"),
        ("subjects: 3/day", "subjects: 3 a day", "a limit is written"),
        ("subjects: 3/day", "subjects: 3/week", "a limit is written"),
        ("hours: work", "hours: night", "'work' expected"),
        ("approver: other_person", "approver: me", "'other_person' expected"),
        ("own_record: no", "own_record: false", "truth value"),
        ("except: [A50]", "except: [A50], unless: luck", "'approver' expected"),
        ("{id: D02, deny: support,", "{id: D02, deny: support, when: {case: open},", "unknown key 'case'"),
        ("allow: robot,", "allow: robot, except: [A10],", "unknown key 'except'"),
    ],
)  # fmt: skip
def test_wrong_value_is_refused_with_its_line(old, new, says):
    """Every wrong key and value is refused, with the line it stands on."""
    source = text()
    assert old in source
    refused = refusal(source.replace(old, new, 1))
    assert says in refused.metadata["problem"]
    place = source.index(old)
    line = source.count("\n", 0, place) + 1
    assert refused.metadata["line"] in {str(line), "1"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("case: none", "case: maybe"),
        ("opened_by: same_actor", "opened_by: other"),
        ("approver: none", "approver: perhaps"),
        ("hours: off", "hours: late"),
        ("says: CASE_REQUIRED", "says: CASE_NEEDED"),
        ("records: 1001", "records: 0"),
        ("then: deny", "then: no"),
    ],
)
def test_wrong_example_is_refused(old, new):
    """Examples are as strictly read as rules."""
    assert old in EXAMPLES
    refusal(text(examples=EXAMPLES.replace(old, new, 1)))


def test_working_hours_condition_needs_a_calendar():
    """'hours: work' without working hours is refused when it is read, not when it is asked."""
    lines = [line for line in text().splitlines() if not line.startswith("calendar")]
    refused = refusal("\n".join(lines) + "\n")
    assert "calendar" in refused.metadata["problem"]


def test_anchor_and_duplicate_key_are_refused():
    """What the strict reader refuses is refused here too."""
    refusal(text().replace("mode: enforce", "mode: &m enforce"))
    refusal(text().replace("mode: enforce", "mode: enforce\nmode: observe"))


def test_week_may_wrap_and_have_several_spans():
    """Sat-Mon is three days; spans are separated by commas."""
    first, second = parse_work("Sat-Mon 10:00-12:00, Fri 09:00-10:00")
    assert first.weekdays == {5, 6, 0}
    assert second.weekdays == {4}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "x"},
        {"roles": ()},
        {"roles": ("*",)},
        {"patterns": ()},
        {"patterns": ("A.*",)},
        {"purposes": ()},
        {"acts": frozenset()},
        {"acts": frozenset({Act.DECRYPT})},
        {"excepted": ("A2",)},
        {"unless_approver": True},
        {"effect": Effect.DENY, "when": Conditions(approver=True)},
    ],
)
def test_invalid_rule_cannot_exist(changes):
    """A rule that means nothing cannot be built, from a file or otherwise."""
    valid = {
        "id": "A1",
        "effect": Effect.ALLOW,
        "roles": ("support",),
        "patterns": ("customer.*",),
        "purposes": ("support",),
        "acts": frozenset({Act.READ}),
    }
    Rule(**valid)
    with pytest.raises(ValueError):
        Rule(**(valid | changes))


def reason_of(source):
    """The reason of the refusal, or None when the text was read."""
    try:
        load_rules(source, source="n.yaml")
    except EmanetError as refused:
        return refused.reason
    return None


@given(st.text(max_size=200))
def test_any_text_is_refused_as_a_wrong_file(source):
    """No input makes the loader raise anything but a refusal."""
    assert reason_of(source) is Reason.MANIFEST_INVALID


@given(st.data())
def test_any_line_taken_out_is_read_or_refused(data):
    """A file with any line missing is read whole or refused, never half."""
    lines = text(RULES, examples=EXAMPLES).splitlines()
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    assert reason_of("\n".join(lines)) in {None, Reason.MANIFEST_INVALID}
