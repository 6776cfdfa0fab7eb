"""Fake and real services side by side: the same questions in the same order, the same answers.

The contract suite says what the answers are; this one looks for questions that nobody thought of.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from emanet.client import Case, Emanet, Plain, ToOpen, errors
from tests.fakes.real_installation import RealInstallation
from tests.fakes.sdk_worlds import GROUPS, FakeWorld, RealWorld, World

PURPOSES = ("support", "invoicing", "service", "marketing", "authority", "oversight", "unheard-of")
FIELDS = (
    "customer.name",
    "customer.email",
    "customer.tckn",
    "customer.fax",
    "ticket.text",
    "ticket.note",
    "customer.hobby",
    "message.body",
    "card.number",
    "staff.access",
    "customer.unheard-of",
)
SEALABLE = ("customer.name", "customer.email", "customer.tckn", "ticket.text", "customer.hobby")
READS = ("read", "list", "search", "read_masked", "export", "update", "delete", "disclose")
OPENINGS = ("decrypt", "read_masked", "export", "disclose", "read")


@dataclass
class Stage:
    """One world with cases and envelopes that have the same names in the other."""

    world: World
    staff: tuple[str, ...]
    subjects: tuple[str, ...]
    cases: dict[str, Case | None] = field(default_factory=dict)
    envelopes: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def set(self) -> None:
        """Pushes cases in every state and encrypts values in every state."""
        world, (first, old, second, _, gone) = self.world, self.subjects
        now = world.now()
        past = now - dt.timedelta(days=9)
        self.cases = {
            "none": None,
            "unknown": Case("ticket", "no-such"),
            "open": world.ticket(first),
            "about-two": world.ticket(first, old, second, assignees=self.staff[:1]),
            "about-nobody": world.ticket(teams=("group:destek",)),
            "closed": world.ticket(first, opened=past, closed=now - dt.timedelta(days=3)),
            "closing": world.ticket(first, opened=past, closed=now - dt.timedelta(days=1)),
            "own": world.ticket(first, opened_by="support", opener=self.staff[0]),
            "by-role": world.ticket(first, opened_by="support"),
            "run": world.put_case("invoice_run", subjects=(first,)),
            "campaign": world.put_case("campaign"),
            "order": world.put_case("legal_order", subjects=(first, second)),
        }
        for subject in self.subjects:
            for name in SEALABLE:
                start = now - dt.timedelta(days=400) if subject == old else None
                sealed = world.em.encrypt(subject=subject, values={name: name}, start=start)
                self.envelopes[name, subject] = sealed[name].envelope
        world.destroy(gone)

    def answer(self, question: dict[str, object]) -> object:
        """What this world answers, without what differs by nature (names of records)."""
        em = self.world.facade("invoice-run" if question["actor"] == "job" else "panel")
        try:
            with em.reading(**self._actor(question), **self._statement(question)):
                return self._read(em, question)
        except errors.EmanetError as refusal:
            return _told(refusal)

    def _read(self, em: Emanet, question: dict[str, object]) -> object:
        chosen = [(name, self.subjects[number]) for name, number in question["items"]]
        if question["opens"]:
            items = [ToOpen(name, self.envelopes[name, subject]) for name, subject in chosen]
            results = em.decrypt_many(items, action=question["action"])
            return [_told(each) for each in results]
        em.record_read(
            fields=list(dict.fromkeys(question["fields"])),
            subjects=list(dict.fromkeys(subject for _, subject in chosen)),
            action=question["action"],
            count=question["count"],
        )
        return "recorded"

    def _actor(self, question: dict[str, object]) -> dict[str, object]:
        if question["actor"] == "job":
            return {"as_app": True}
        if question["actor"] == "subject":
            return {"data_subject": self.subjects[0]}
        return {"staff_token": self.world.token(self.staff[question["person"]], question["role"])}

    def _statement(self, question: dict[str, object]) -> dict[str, object]:
        approver = question["approver"]
        return {
            "purpose": question["purpose"],
            "case": self.cases[question["case"]],
            "recipient": question["recipient"],
            "approver_token": (
                "" if approver is None else self.world.token(self.staff[approver], "legal")
            ),
        }


def _told(result: Plain | errors.EmanetError) -> object:
    if not isinstance(result, errors.EmanetError):
        return result
    told = {key: value for key, value in result.metadata.items() if key not in _OWN}
    return (
        type(result).__name__,
        result.reason.value,
        told,
        [path for path, _ in result.violations],
    )


_OWN = frozenset({"record", "destruction"})


@dataclass(frozen=True)
class Habit:
    """What people of a kind usually do: a base from which questions stray."""

    actor: str
    role: str
    purpose: str
    cases: tuple[str, ...]
    fields: tuple[str, ...]
    openings: tuple[str, ...]
    reads: tuple[str, ...]


HABITS = (
    Habit(
        "staff",
        "support",
        "support",
        ("open", "about-two", "about-nobody", "closed", "closing", "own", "by-role", "none"),
        ("customer.email", "ticket.text", "customer.name"),
        ("decrypt", "read_masked"),
        ("read", "list", "search", "update"),
    ),
    Habit(
        "staff", "billing", "invoicing", ("run",), ("customer.name", "customer.tckn"),
        ("decrypt",), ("read",),
    ),
    Habit(
        "staff", "marketer", "marketing", ("campaign",), ("customer.hobby",),
        ("decrypt", "read_masked"), ("read",),
    ),
    Habit(
        "staff", "legal", "authority", ("order",), ("customer.name", "customer.email"),
        ("decrypt", "disclose"), ("read", "disclose"),
    ),
    Habit("job", "", "invoicing", ("run",), ("customer.name",), ("decrypt", "export"), ("read",)),
    Habit(
        "subject", "", "service", ("none",), ("customer.name", "customer.email"),
        ("decrypt", "read_masked"), ("read", "update"),
    ),
)  # fmt: skip


def _question(chance: random.Random) -> dict[str, object]:
    """A usual question, every third time with one thing about it changed."""
    habit, opens = chance.choice(HABITS), chance.random() < 0.6
    question = {
        "actor": habit.actor,
        "person": chance.randrange(3),
        "role": habit.role or "support",
        "purpose": habit.purpose,
        "case": chance.choice(habit.cases),
        "recipient": "",
        "approver": chance.choice((0, 1)) if habit.role == "legal" else None,
        "opens": opens,
        "action": chance.choice(habit.openings if opens else habit.reads),
        "items": _items(chance, habit.fields),
        "fields": [chance.choice(habit.fields)],
        "count": chance.randint(1, 3),
    }
    if chance.random() < 0.35:
        strays = {
            "role": chance.choice(tuple(GROUPS)),
            "purpose": chance.choice(PURPOSES),
            "case": chance.choice(_CASES),
            "approver": chance.choice((None, 0, 1)),
            "action": chance.choice(OPENINGS if opens else READS),
            "items": _items(chance, SEALABLE),
            "fields": [chance.choice(FIELDS) for _ in range(2)],
        }
        name = chance.choice(tuple(strays))
        question[name] = strays[name]
    if question["action"] == "disclose":
        question["recipient"] = chance.choice(("court", "court", "tax", "nobody"))
    return question


def _items(chance: random.Random, fields: tuple[str, ...]) -> list[tuple[str, int]]:
    return [(chance.choice(fields), chance.randrange(5)) for _ in range(chance.randint(1, 3))]


_CASES = (
    "none", "unknown", "open", "about-two", "about-nobody", "closed", "closing", "own", "by-role",
    "run", "campaign", "order",
)  # fmt: skip


@pytest.fixture(scope="module")
def stages(sdk_installation: RealInstallation) -> Iterator[tuple[Stage, Stage]]:
    """The fake and the real services with the same people, cases and values."""
    real = RealWorld(sdk_installation)
    pair = tuple(
        Stage(
            world=world,
            staff=("s-190", "s-191", "s-192"),
            subjects=tuple(f"customers/agreement-{number}" for number in range(5)),
        )
        for world in (FakeWorld(), real)
    )
    for stage in pair:
        stage.set()
    yield pair
    real.close()


@pytest.mark.parametrize("seed", range(2))
def test_fake_and_real_services_agree_on_any_question(stages, seed):
    """Limits count alike too: both worlds are asked the same questions in the same order."""
    chance = random.Random(seed)
    fake, real = stages
    kinds = set()
    for _ in range(150):
        question = _question(chance)
        expected = real.answer(question)
        assert fake.answer(question) == expected, question
        kinds.add(_kind(expected))
    assert len(kinds) >= 10, kinds


def _kind(answer: object) -> str:
    """What sort of answer it is, so that a seed which asks nothing interesting is noticed."""
    if isinstance(answer, tuple):
        return answer[1]
    if isinstance(answer, list):
        return "+".join(sorted({_kind(each) for each in answer}))
    return "recorded" if answer == "recorded" else "opened"
