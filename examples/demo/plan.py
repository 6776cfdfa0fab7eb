"""Plans the working day: 2,000 reads with their cases, decided in advance, the same every time.

The time of day is a label for the reader of the screen; decisions are made at the real time. No
rule that the day touches asks for working hours, so that the verdicts are the same at any hour.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from emanet.client import Case, CaseState
from emanet.core.errors import Reason
from examples.demo.habits import HABITS, Habit, How, Tie
from examples.demo.houses import CASE_OWNERS, HOUSES, House, Person
from examples.demo.store import CUSTOMERS

__all__ = ["READS", "CaseBook", "DayPlan", "Read", "plan_day"]

READS = 2_000
_OPENS = 8 * 60 + 30
_CLOSES = 18 * 60 + 30
# Most different customers of one member of staff; below every `subjects: …/day` of the rules.
_POOL = {"destek": 60, "temsilci": 80, "abonelik": 50}
_SMALL_POOL = 40
_SHARED_BY = 12


@dataclass(frozen=True, slots=True)
class Read:
    """One read as it is planned.

    Attributes:
        house: whose data.
        minute: of the simulated day.
        person: who reads, `approver` whose token comes along.
        rows: ids in the tables that hold the fields; empty for a read of a whole table.
        count: values of a read of a whole table, else 0.
        refused: the reason that must come, None for an allowance.
        waits: whether it must wait for a review.
        desk: the connection point.
        note: name of the line on the screen, empty for the many.
        session: of the panel.
    """

    house: House
    minute: int
    person: Person
    how: How
    fields: tuple[str, ...]
    purpose: str
    rows: tuple[int, ...]
    desk: str
    session: str
    case: Case | None = None
    approver: Person | None = None
    recipient: str = ""
    count: int = 0
    refused: Reason | None = None
    waits: bool = False
    note: str = ""


class CaseBook:
    """The cases of one organization; the same stand gives the same case."""

    def __init__(self, house: House, *, now: dt.datetime) -> None:
        self._house = house
        self._now = now
        self._known: dict[tuple[object, ...], CaseState] = {}

    def by_owner(self) -> dict[str, list[CaseState]]:
        """Every case by the application that pushes it."""
        found: dict[str, list[CaseState]] = {app: [] for app in CASE_OWNERS}
        for case in self._known.values():
            owner = next(app for app, kinds in CASE_OWNERS.items() if case.kind in kinds)
            found[owner].append(case)
        return found

    def open(
        self,
        kind: str,
        *,
        subjects: tuple[str, ...] = (),
        assignee: Person | None = None,
        team: str = "",
        opened_by: str = "",
        opener: Person | None = None,
        closed: bool = False,
        series: int = 0,
    ) -> Case:
        """A case of that stand, opened some hours ago."""
        key = (kind, subjects, assignee, team, opened_by, opener, closed, series)
        if key not in self._known:
            opened = self._now - dt.timedelta(hours=6 if not closed else 30 * 24)
            self._known[key] = CaseState(
                kind=kind,
                ref=f"{_PREFIX[kind]}-{1001 + len(self._known)}",
                opened_by=opened_by or _OPENED_BY[kind],
                opened=opened,
                subjects=subjects,
                assignees=(assignee.id,) if assignee else (),
                teams=(f"group:{team}",) if team else (),
                opener=opener.id if opener else "",
                closed=self._now - dt.timedelta(days=20) if closed else None,
            )
        state = self._known[key]
        return Case(state.kind, state.ref)


_PREFIX = {
    "ticket": "T", "order": "S", "invoice_run": "FK", "campaign": "K", "legal_order": "RY-2026",
    "incident": "GO", "review": "D",
}  # fmt: skip
_OPENED_BY = {
    "ticket": "customer", "order": "customer", "invoice_run": "system", "campaign": "system",
    "legal_order": "system", "incident": "system", "review": "system",
}  # fmt: skip


@dataclass(slots=True)
class DayPlan:
    """The day: reads in the order of their labels, and each organization's cases."""

    reads: list[Read] = field(default_factory=list)
    books: dict[str, CaseBook] = field(default_factory=dict)


def plan_day(*, notable: dict[str, list[Read]], books: dict[str, CaseBook]) -> DayPlan:
    """Plans the day.

    Args:
        notable: reads with a line on the screen, by folder; they count among the 2,000.
        books: by folder; cases of the notable reads are in them already.
    """
    plan = DayPlan(books=books)
    share = READS // len(HOUSES)
    for house in HOUSES:
        special = notable.get(house.folder, [])
        plan.reads += special
        plan.reads += _habits_of(house, books[house.folder], count=share - len(special))
    plan.reads.sort(key=lambda read: read.minute)
    return plan


def _habits_of(house: House, book: CaseBook, *, count: int) -> list[Read]:
    habits = HABITS[house.folder]
    filler = count - sum(habit.count for habit in habits[1:])
    if filler < 1:
        raise ValueError(f"{house.folder}: the habits fill more than the day")
    dice = random.Random(f"emanet-demo/{house.id}/day")
    planned = [
        (habit, turn)
        for habit in habits
        for turn in range(filler if habit is habits[0] else habit.count)
    ]
    dice.shuffle(planned)
    step = (_CLOSES - _OPENS) / count
    return [
        _read(house, book, habit, turn, minute=_OPENS + int(place * step), dice=dice)
        for place, (habit, turn) in enumerate(planned)
    ]


def _read(
    house: House, book: CaseBook, habit: Habit, turn: int, *, minute: int, dice: random.Random
) -> Read:
    team = house.people[habit.group]
    index = dice.randrange(len(team))
    person = team[index]
    rows = _rows(habit, first=index * _POOL.get(habit.group, _SMALL_POOL), dice=dice)
    return Read(
        house=house,
        minute=minute,
        person=person,
        how=habit.how,
        fields=habit.fields,
        purpose=habit.purpose,
        rows=rows,
        desk=f"10.20.{HOUSES.index(house)}.{int(person.id[2:]) % 250}",
        session=f"panel-{person.id}-1",
        case=_case(house, book, habit, person, rows=rows, turn=turn),
        approver=_other(team, person) if habit.approved else None,
        recipient=habit.recipient,
        refused=habit.refused,
        waits=habit.waits,
    )


def _rows(habit: Habit, *, first: int, dice: random.Random) -> tuple[int, ...]:
    pool = range(first, first + _POOL.get(habit.group, _SMALL_POOL))
    if habit.rows > len(pool):
        pool = range(CUSTOMERS)
    return tuple(sorted(number % CUSTOMERS + 1 for number in dice.sample(pool, habit.rows)))


def _case(
    house: House, book: CaseBook, habit: Habit, person: Person, *, rows: tuple[int, ...], turn: int
) -> Case | None:
    subjects = tuple(f"{_namespace(house, habit)}/{row}" for row in rows)
    colleague = _other(house.people[habit.group], person)
    stranger = f"customers/{(rows[0] + 249) % CUSTOMERS + 1}"
    # An export is a case of its own; other reads of a run or a campaign share theirs.
    series = turn + 1000 if habit.how is How.EXPORT else turn // _SHARED_BY
    stands: dict[Tie, dict[str, Any]] = {
        Tie.MINE: {"subjects": subjects, "assignee": person},
        Tie.TEAM: {"subjects": subjects, "team": habit.group},
        Tie.ABOUT: {"subjects": subjects},
        Tie.OPEN: {"series": series},
        Tie.COLLEAGUE: {"subjects": subjects, "assignee": colleague},
        Tie.OTHER: {"subjects": (stranger,), "assignee": person},
        Tie.CLOSED: {"subjects": subjects, "assignee": person, "closed": True},
        Tie.SELF: {"subjects": subjects, "opened_by": "abuse", "opener": person},
    }
    if habit.tie in stands:
        return book.open(habit.kind, **stands[habit.tie])
    return (
        Case(habit.kind, f"{_PREFIX[habit.kind]}-9{turn:03d}") if habit.tie is Tie.UNKNOWN else None
    )


def _namespace(house: House, habit: Habit) -> str:
    of_audience = all(field.startswith("message.") for field in habit.fields)
    return "audience" if of_audience and "audience" in house.register.namespaces else "customers"


def _other(team: tuple[Person, ...], person: Person) -> Person:
    """A colleague of the same group; the person itself in a group of one."""
    return team[(team.index(person) + 1) % len(team)]
