"""Runs the planned day against the services, then counts it again from the log itself."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from emanet.api.access_audit.v1 import resources_pb2
from emanet.client import Case, Emanet
from emanet.client.admin import RecordFilter
from emanet.client.reading import Reading, make_reading
from emanet.core.errors import DeniedError, EmanetError, Reason
from emanet.register.values import Level
from emanet.rules.loader import load_rules
from emanet.rules.values import Per
from examples.demo.habits import How
from examples.demo.houses import ADMINISTRATORS, HOUSES, House, Person, UnexpectedError
from examples.demo.installation import Installation
from examples.demo.plan import DayPlan, Read
from examples.demo.store import Store

__all__ = ["DayResult", "Line", "Log", "push_cases", "run_day"]

_THREADS = 8
_LIMITED = Reason.LIMIT_EXCEEDED.value
_Trace = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One notable read as the log has it.

    Attributes:
        note: which line of the screen.
        limit: the most values per case of the rule that refused; 0 where that was not the reason.
        record: the record's name; everything below is from the record.
    """

    note: str
    folder: str
    minute: int
    person: str
    role: str
    purpose: str
    subject: str
    field: str
    count: int
    limit: int
    allowed: bool
    waiting: bool
    reason: str
    rules: tuple[str, ...]
    case: str
    session: str
    connection: str
    recipient: str
    record: str


@dataclass(frozen=True, slots=True)
class DayResult:
    """The day, counted from the log.

    Attributes:
        reads: made by the driver.
        allowed: allowed and explained by a case.
        waiting: allowed, waiting for a review.
        denied: refused.
        unrecorded: reads that the log does not have.
        values: how many values were opened or shown; `checked` of them compared in clear.
    """

    reads: int
    organizations: int
    allowed: int
    waiting: int
    denied: int
    unrecorded: int
    values: int
    checked: int
    lines: tuple[Line, ...]


class Log:
    """What the access records say, read by the auditor under a review case."""

    def __init__(self, installation: Installation, cases: Mapping[str, Case]) -> None:
        self._installation = installation
        self._cases = cases

    def records(
        self, house: House, *, since: dt.datetime, limit: int = 5_000, application: str = ""
    ) -> list[resources_pb2.AccessRecord]:
        """The access records of an organization's panel since a time, oldest first."""
        wanted = RecordFilter(start=since, application=application or house.panel)
        with self._installation.admin(house, "auditor") as auditor:
            found = list(auditor.audit.records(self.reading(house), wanted=wanted, limit=limit))
        return found[::-1]

    def reading(self, house: House) -> Reading:
        """For what the log is read."""
        token = self._installation.token(ADMINISTRATORS["auditor"], client="emanet-cli")
        return make_reading(purpose="oversight", staff_token=token, case=self._cases[house.folder])


def push_cases(installation: Installation, plan: DayPlan) -> int:
    """Lets each application push the cases that it owns; returns how many."""

    def push(house: House) -> int:
        count = 0
        for app, cases in plan.books[house.folder].by_owner().items():
            if cases:
                client = installation.client(house, app=app)
                client.put_cases(cases)
                client.close()
                count += len(cases)
        return count

    with ThreadPoolExecutor(len(HOUSES)) as pool:
        return sum(pool.map(push, HOUSES))


def run_day(
    installation: Installation, plan: DayPlan, *, stores: Mapping[str, Store], log: Log
) -> DayResult:
    """Makes every read, then compares the log with what was seen.

    Raises:
        UnexpectedError: a read came out otherwise than planned, or the log disagrees.
    """
    begun = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    desk = _Desk(installation, stores)
    try:
        with ThreadPoolExecutor(_THREADS) as pool:
            checked = sum(pool.map(desk.perform, plan.reads))
    finally:
        desk.close()
    logged = {house.folder: log.records(house, since=begun) for house in HOUSES}
    return _count(plan.reads, logged, checked=checked)


class _Desk:
    """The panels of the five organizations; safe for several threads."""

    def __init__(self, installation: Installation, stores: Mapping[str, Store]) -> None:
        self._installation = installation
        self._stores = stores
        self._clients = {house.folder: installation.client(house) for house in HOUSES}
        self._tokens: dict[Person, str] = {}
        self._mutex = threading.Lock()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def perform(self, read: Read) -> int:
        """Makes one read; returns how many values were compared with what was stored."""
        client = self._clients[read.house.folder]
        statement = client.reading(
            purpose=read.purpose,
            staff_token=self._token(read.house, read.person),
            case=read.case,
            approver_token=self._token(read.house, read.approver) if read.approver else "",
            recipient=read.recipient,
            session=read.session,
            connection=read.desk,
        )
        try:
            with statement:
                checked = self._look(client, read)
        except DeniedError as denied:
            if denied.reason is not read.refused:
                raise UnexpectedError(_told(read, denied.reason.value)) from denied
            return 0
        except EmanetError as failure:
            raise UnexpectedError(_told(read, failure.reason.value)) from failure
        if read.refused is not None:
            raise UnexpectedError(_told(read, "allowed"))
        return checked

    def _look(self, client: Emanet, read: Read) -> int:
        store = self._stores[read.house.folder]
        if read.count:  # a report over a whole table asks before it opens anything
            client.record_read(
                fields=read.fields, subjects=(), action=read.how.value, count=read.count
            )
            return 0
        if read.house.register.fields[read.fields[0]].level is Level.NONE:
            subjects = [store.subject_of(read.fields[0], row) for row in read.rows]
            client.record_read(fields=read.fields, subjects=subjects, action=read.how.value)
            return 0
        items = store.to_open(read.fields, read.rows)
        opened = client.decrypt_many(items, action=read.how.value)
        wanted = [store.text_of(field, row) for field in read.fields for row in read.rows]
        for text, value in zip(wanted, opened, strict=True):
            if (value == text) is (read.how is How.MASKED) or isinstance(value, EmanetError):
                raise UnexpectedError(_told(read, "another value"))
        return len(opened)

    def _token(self, house: House, person: Person) -> str:
        with self._mutex:
            if person not in self._tokens:
                self._tokens[person] = self._installation.token(person, client=house.panel)
            return self._tokens[person]


def _count(
    reads: Sequence[Read],
    logged: Mapping[str, Sequence[resources_pb2.AccessRecord]],
    *,
    checked: int,
) -> DayResult:
    seen = Counter(_planned_trace(read) for read in reads)
    in_log = Counter(
        _logged_trace(folder, record) for folder, records in logged.items() for record in records
    )
    if in_log - seen:
        surplus = next(iter(in_log - seen))
        raise UnexpectedError(f"the log has {(in_log - seen).total()} more, e.g. {surplus[1:5]}")
    records = [record for found in logged.values() for record in found]
    allowed = [r for r in records if r.verdict == resources_pb2.VERDICT_ALLOW]
    waiting = sum(record.waiting_for_review for record in allowed)
    explained = sum(not record.waiting_for_review and bool(record.case.ref) for record in allowed)
    if waiting + explained != len(allowed) or waiting != sum(read.waits for read in reads):
        raise UnexpectedError(f"{waiting} wait for a review, {explained} have a case")
    return DayResult(
        reads=len(reads),
        organizations=len(logged),
        allowed=explained,
        waiting=waiting,
        denied=len(records) - len(allowed),
        unrecorded=(seen - in_log).total(),
        values=sum(record.count for record in allowed),
        checked=checked,
        lines=tuple(_lines(reads, logged)),
    )


def _planned_trace(read: Read) -> _Trace:
    case = (read.case.kind, read.case.ref) if read.case else ("", "")
    return (
        read.house.folder,
        read.purpose,
        read.how.value,
        tuple(sorted(read.fields)),
        read.count or len(read.fields) * len(read.rows),
        read.person.id,
        case,
        read.refused is None,
        read.session,
        read.desk,
        read.recipient,
    )


def _logged_trace(folder: str, record: resources_pb2.AccessRecord) -> _Trace:
    return (
        folder,
        record.purpose,
        resources_pb2.Action.Name(record.action).removeprefix("ACTION_").lower(),
        tuple(sorted(record.fields)),
        record.count,
        record.person,
        (record.case.kind, record.case.ref),
        record.verdict == resources_pb2.VERDICT_ALLOW,
        record.session,
        record.connection,
        record.recipient,
    )


def _lines(
    reads: Sequence[Read], logged: Mapping[str, Sequence[resources_pb2.AccessRecord]]
) -> Iterable[Line]:
    for read in reads:
        if read.note:
            wanted = _planned_trace(read)
            folder = read.house.folder
            found = [r for r in logged[folder] if _logged_trace(folder, r) == wanted]
            yield _line(read, found[0])


def _line(read: Read, record: resources_pb2.AccessRecord) -> Line:
    return Line(
        note=read.note,
        folder=read.house.folder,
        minute=read.minute,
        person=record.person,
        role=record.role or _role_of(read),
        purpose=record.purpose,
        subject=record.subjects[0] if record.subjects else "",
        field=record.fields[0],
        count=record.count,
        limit=_limit(read.house, record.rules) if record.reason == _LIMITED else 0,
        allowed=record.verdict == resources_pb2.VERDICT_ALLOW,
        waiting=record.waiting_for_review,
        reason=record.reason,
        rules=tuple(record.rules),
        case=record.case.ref,
        session=record.session,
        connection=record.connection,
        recipient=record.recipient,
        record=record.name,
    )


def _role_of(read: Read) -> str:
    """The role of somebody whom no rule gave anything: what the rules make of the group."""
    roles = load_rules(read.house.rules, source=read.house.folder).roles
    return next(role.slug for role in roles if set(role.names) & set(read.person.groups))


def _limit(house: House, rules: Sequence[str]) -> int:
    """The limit per case of the first rule that refused and has one."""
    known = {rule.id: rule for rule in load_rules(house.rules, source=house.folder).rules}
    limits = [limit for name in rules for limit in known[name].when.limits]
    return next(limit.most for limit in limits if limit.per is Per.CASE)


def _told(read: Read, came: str) -> str:
    wanted = read.refused.value if read.refused else "allowed"
    return (
        f"{read.house.folder}: {read.how.value} of {', '.join(read.fields)} for {read.purpose} "
        f"should be {wanted}, was {came}"
    )
