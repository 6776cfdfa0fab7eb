"""One test organization twice: over the fake, and over three real services. Same tests, same answers."""

from __future__ import annotations

import datetime as dt
import itertools
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from emanet.api.access_audit.v1 import resources_pb2
from emanet.api.crypto.v1 import keys_pb2
from emanet.client import AsyncEmanet, Case, CaseState, Emanet, Plain
from emanet.client.admin_audit import RecordFilter
from emanet.client.reading import ReadingScope, make_reading
from emanet.testing import FakeEmanet
from tests.fakes.real_installation import PEOPLE, RealInstallation

DATA = Path(__file__).resolve().parents[1] / "data" / "organization"
REGISTER = DATA / "register.yaml"
RULES = DATA / "need_to_know.yaml"
ORGANIZATION = "menekse"
GROUPS = {
    "support": "destek",
    "billing": "muhasebe",
    "marketer": "pazarlama",
    "legal": "hukuk",
    "analyst": "denetim",
}
_OWNERS = {
    "ticket": "helpdesk",
    "invoice_run": "erp",
    "campaign": "erp",
    "legal_order": "register_desk",
}


@dataclass(frozen=True)
class SeenRecord:
    """What both worlds tell of an access record."""

    name: str
    verdict: str
    reason: str
    reasons: tuple[str, ...]
    role: str
    application: str
    purpose: str
    act: str
    fields: tuple[str, ...]
    count: int
    subjects: frozenset[str]
    waiting_for_review: bool


class World(ABC):
    """An organization in operation. Persons and subjects are new for each test that asks."""

    # Of the whole run: a world may be built again over an installation that knows the first one's.
    _people = iter(PEOPLE[10:])
    _numbers = itertools.count(1)

    def new_person(self) -> str:
        return next(self._people)

    def new_subject(self) -> str:
        return f"customers/{next(self._numbers)}"

    def new_ref(self) -> str:
        return f"R-{next(self._numbers)}"

    def put_case(self, kind: str, **parts: object) -> Case:
        """Pushes a case as the application that owns its kind; open and of now unless said."""
        ref = self.new_ref()
        state: dict[str, object] = {"opened_by": "system", "opened": self.now(), **parts}
        self.facade(_OWNERS[kind]).put_cases([CaseState(kind=kind, ref=ref, **state)])
        return Case(kind, ref)

    @property
    def em(self) -> Emanet:
        return self.facade("panel")

    def seal(
        self,
        subject: str,
        field: str = "customer.email",
        value: Plain = "ayşe@example.com",
        **parts: object,
    ) -> bytes:
        """Encrypts one value and returns its envelope."""
        return self.em.encrypt(subject=subject, values={field: value}, **parts)[field].envelope

    def ticket(self, *subjects: str, **parts: object) -> Case:
        """A customer's ticket about some people."""
        return self.put_case("ticket", **{"opened_by": "customer", "subjects": subjects, **parts})

    def support(self, person: str, case: Case | None) -> ReadingScope:
        """A support agent's reading under a ticket."""
        token = self.token(person, "support")
        return self.em.reading(staff_token=token, purpose="support", case=case)

    def campaign(self, person: str) -> ReadingScope:
        """A marketer's reading under a new campaign."""
        token, case = self.token(person, "marketer"), self.put_case("campaign")
        return self.em.reading(staff_token=token, purpose="marketing", case=case)

    @abstractmethod
    def facade(self, app: str) -> Emanet: ...

    @abstractmethod
    def aio(self) -> AsyncEmanet: ...

    @abstractmethod
    def now(self) -> dt.datetime: ...

    @abstractmethod
    def token(self, person: str, role: str) -> str: ...

    @abstractmethod
    def destroy(self, subject: str) -> None:
        """Destroys the subject's keys that rest on consent."""

    @abstractmethod
    def without_audit(self) -> AbstractContextManager[None]: ...

    @abstractmethod
    def records(self, count: int) -> list[SeenRecord]:
        """The last records of the application `panel` and its jobs, oldest first."""


class FakeWorld(World):
    def __init__(self) -> None:
        self.fake = FakeEmanet.from_files(REGISTER, RULES, organization=ORGANIZATION, app="panel")

    def facade(self, app: str) -> Emanet:
        return self.fake.application(app)

    def aio(self) -> AsyncEmanet:
        return self.fake.aio()

    def now(self) -> dt.datetime:
        return self.fake.clock.now()

    def token(self, person: str, role: str) -> str:
        return self.fake.staff_token(person=person, role=role)

    def destroy(self, subject: str) -> None:
        self.fake.destroy_subject(subject, retention_class="marketing")

    def without_audit(self) -> AbstractContextManager[None]:
        return self.fake.fail_audit()

    def records(self, count: int) -> list[SeenRecord]:
        return [
            SeenRecord(
                name=record.name,
                verdict=record.verdict,
                reason=record.reason,
                reasons=tuple(record.reasons),
                role=record.role,
                application=record.application,
                purpose=record.purpose,
                act=record.act,
                fields=record.fields,
                count=record.count,
                subjects=frozenset(record.subjects),
                waiting_for_review=record.waiting_for_review,
            )
            for record in self.fake.records[-count:]
        ]


class RealWorld(World):
    def __init__(self, installation: RealInstallation) -> None:
        self.installation = installation
        self._facades: dict[str, Emanet] = {}

    def facade(self, app: str) -> Emanet:
        if app not in self._facades:
            self._facades[app] = Emanet.from_env(
                organization=ORGANIZATION, app=app, environ=self.installation.environ
            )
        return self._facades[app]

    def aio(self) -> AsyncEmanet:
        return AsyncEmanet.from_env(
            organization=ORGANIZATION, app="panel", environ=self.installation.environ
        )

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def token(self, person: str, role: str) -> str:
        return self.installation.token(person, [GROUPS[role]])

    def destroy(self, subject: str) -> None:
        with self.installation.admin("s-001", "kvkk") as admin:
            admin.keys.destroy_subject(subject, ground=keys_pb2.DESTRUCTION_GROUND_SUBJECT_REQUEST)

    def without_audit(self) -> AbstractContextManager[None]:
        return self.installation.frozen("access_audit")

    def records(self, count: int) -> list[SeenRecord]:
        with self.installation.admin("s-005", "denetim") as admin:
            reading = make_reading(purpose="oversight", staff_token="-")
            found = [
                record
                for record in admin.audit.records(reading, wanted=RecordFilter(), limit=count + 40)
                if record.application != "cli"
            ]
        return [_seen(record) for record in reversed(found[:count])]

    def close(self) -> None:
        for facade in self._facades.values():
            facade.close()


def _seen(record: resources_pb2.AccessRecord) -> SeenRecord:
    return SeenRecord(
        name=record.name,
        verdict=resources_pb2.Verdict.Name(record.verdict).removeprefix("VERDICT_").lower(),
        reason=record.reason,
        reasons=tuple(record.reasons),
        role=record.role,
        application=record.application,
        purpose=record.purpose,
        act=resources_pb2.Action.Name(record.action).removeprefix("ACTION_").lower(),
        fields=tuple(record.fields),
        count=record.count,
        subjects=frozenset(record.subjects),
        waiting_for_review=record.waiting_for_review,
    )
