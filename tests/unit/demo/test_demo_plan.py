"""The working day is planned in advance, the same every time, with the verdict of each read."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from examples.demo.habits import Tie
from examples.demo.houses import CASE_OWNERS, HOUSES
from examples.demo.notable import plan_notable
from examples.demo.plan import READS, CaseBook, DayPlan, plan_day

NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


def make_plan() -> DayPlan:
    books = {house.folder: CaseBook(house, now=NOW) for house in HOUSES}
    return plan_day(notable=plan_notable(books), books=books)


@pytest.fixture(scope="module")
def plan() -> DayPlan:
    return make_plan()


def test_the_day_has_two_thousand_reads_of_five_organizations(plan: DayPlan) -> None:
    """400 each, most of them allowed, some to be reviewed, some refused."""
    assert len(plan.reads) == READS == 2_000
    assert set(Counter(read.house.folder for read in plan.reads).values()) == {400}
    refused = sum(read.refused is not None for read in plan.reads)
    waiting = sum(read.waits for read in plan.reads)
    assert 80 <= refused <= 120
    assert 30 <= waiting <= 50


def test_the_same_day_is_planned_again(plan: DayPlan) -> None:
    """Two runs can be compared."""
    assert [read.case for read in make_plan().reads] == [read.case for read in plan.reads]


def test_the_boards_cases_are_in_the_day(plan: DayPlan) -> None:
    """2018/63, 2023/695, 2021/962, 2021/761 and the bulk read of Webhosting."""
    notes = {read.note for read in plan.reads}
    assert {"motive", "stranger", "session", "disclosed", "wrong_recipient", "bulk"} <= notes
    (bulk,) = [read for read in plan.reads if read.note == "bulk"]
    assert bulk.count == 3_027
    (session,) = [read for read in plan.reads if read.note == "session"]
    same = [read for read in plan.reads if read.session == session.session]
    assert {read.person for read in same} == {session.person}
    assert len({read.desk for read in same}) == 2


def test_every_case_is_pushed_by_the_application_that_owns_it(plan: DayPlan) -> None:
    """No case of a foreign kind, none opened after the reads begin."""
    for book in plan.books.values():
        for owner, cases in book.by_owner().items():
            assert all(case.kind in CASE_OWNERS[owner] for case in cases)
            assert all(case.opened < NOW for case in cases)


def test_named_cases_exist_unless_nobody_has_pushed_them(plan: DayPlan) -> None:
    """Only the reads that say so name a case that is unknown."""
    for house in HOUSES:
        known = {
            (case.kind, case.ref)
            for cases in plan.books[house.folder].by_owner().values()
            for case in cases
        }
        named = [r for r in plan.reads if r.house is house and r.case is not None]
        unknown = [read for read in named if tuple(read.case) not in known]
        assert all(read.refused is not None for read in unknown)
        assert len(unknown) <= 2, Tie.UNKNOWN
