"""Attempts to break promises P1 (purpose), P2 (record) and P6 (sealed), made for real."""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc

from emanet.api.access_audit.v1 import resources_pb2
from emanet.api.crypto.v1 import crypto_pb2, crypto_pb2_grpc
from emanet.client import Case, Emanet, ToOpen
from emanet.client.channel import ServiceName, open_channel
from emanet.client.status import error_from_rpc
from emanet.core.errors import EmanetError, Reason, UnavailableError
from examples.demo.day import Log
from examples.demo.houses import HOUSES, House, Person
from examples.demo.installation import Installation, wait_for
from examples.demo.store import Store

__all__ = ["Attempt", "Scene", "kill_the_audit", "read_sealed", "read_without_purpose"]

_DECRYPTS = 100
_KILLED_AFTER = 40
_THREADS = 8
_FIRST_ROW = 201


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to break a promise.

    Attributes:
        promise: `P1` and so on.
        held: whether the promise held.
        facts: numbers and texts for the screen.
        problems: what did not come out as it should; empty when it held.
    """

    promise: str
    held: bool
    facts: Mapping[str, str | int]
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Scene:
    """What attempts are made on: the installation, the example databases, cases, the log."""

    installation: Installation
    stores: Mapping[str, Store]
    cases: Mapping[str, Case]
    log: Log
    problems: list[str] = field(default_factory=list)

    def house(self, folder: str) -> House:
        """An organization by folder."""
        return next(house for house in HOUSES if house.folder == folder)

    def expect(self, is_so: bool, otherwise: str) -> None:
        """Notes a problem unless something is so."""
        if not is_so:
            self.problems.append(otherwise)

    def attempt(self, promise: str, **facts: str | int) -> Attempt:
        """The attempt's result, from the problems noted since the last one."""
        problems, self.problems = tuple(self.problems), []
        return Attempt(promise=promise, held=not problems, facts=facts, problems=problems)


def read_without_purpose(scene: Scene) -> Attempt:
    """P1: a good staff token, but no statement, no purpose, or a purpose that nobody declared."""
    house = scene.house("hosting")
    person = house.people["destek"][0]
    (item,) = scene.stores[house.folder].to_open(("customer.email",), (7,))
    staff = resources_pb2.ACTOR_KIND_STAFF
    statements = {
        "none": None,
        "empty": resources_pb2.AccessContext(actor=staff),
        "undeclared": resources_pb2.AccessContext(actor=staff, purpose="curiosity"),
    }
    refusals, leaked = {}, 0
    for name, statement in statements.items():
        answer = _decrypt_raw(scene, house, person, item, statement)
        refusals[name] = answer.reason if isinstance(answer, EmanetError) else None
        leaked += _plain_bytes(answer)
        scene.expect(isinstance(answer, EmanetError), f"{name}: plaintext came out")
    scene.expect(
        refusals["undeclared"] is Reason.PURPOSE_NOT_DECLARED,
        f"undeclared: {refusals['undeclared']}",
    )
    told = [reason.value if reason else "-" for reason in refusals.values()]
    return scene.attempt("P1", tried=len(statements), bytes=leaked, reasons=", ".join(told))


def _decrypt_raw(
    scene: Scene,
    house: House,
    person: Person,
    item: ToOpen,
    statement: resources_pb2.AccessContext | None,
) -> crypto_pb2.DecryptResponse | EmanetError:
    """Calls past the SDK, which would not even send such a request."""
    installation = scene.installation
    request = crypto_pb2.DecryptRequest(
        organization=house.id, action=resources_pb2.ACTION_DECRYPT, context=statement
    )
    request.items.add(field=item.field, envelope=item.envelope, record=item.record)
    token = installation.token(person, client=house.panel)
    target = installation.endpoints.target(ServiceName.CRYPTO)
    with open_channel(target, installation.credentials(house.panel)) as channel:
        stub = crypto_pb2_grpc.CryptoServiceStub(channel)
        try:
            return stub.Decrypt(
                request, timeout=5.0, metadata=(("authorization", f"Bearer {token}"),)
            )
        except grpc.RpcError as refused:
            return error_from_rpc(refused)


def _plain_bytes(answer: crypto_pb2.DecryptResponse | EmanetError) -> int:
    """How many bytes of values an answer holds."""
    if isinstance(answer, EmanetError):
        return 0
    return sum(len(each.value.text.encode()) + len(each.value.data) for each in answer.results)


def kill_the_audit(scene: Scene) -> Attempt:
    """P2: access_audit is killed (-9) during 100 decrypts; whoever got plaintext is in the log."""
    house = scene.house("hosting")
    reads = _Reads(scene, house)
    begun = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    old = scene.installation.pid_of("access_audit")
    with ThreadPoolExecutor(_THREADS) as pool:
        calls = [pool.submit(reads.one, row) for row in reads.rows]
        reads.wait_until_answered(_KILLED_AFTER)
        os.kill(old, signal.SIGKILL)
        for call in calls:
            call.result()
    wait_for("access_audit comes back", lambda: scene.installation.pid_of("access_audit") != old)
    wait_for("decrypting works again", lambda: reads.one(_FIRST_ROW - 1))
    reads.client.close()
    recorded = Counter(
        record.subjects[0]
        for record in scene.log.records(house, since=begun)
        if record.session == reads.session and record.verdict == resources_pb2.VERDICT_ALLOW
    )
    answered = reads.answered.keys() - {f"customers/{_FIRST_ROW - 1}"}
    scene.expect(not reads.other, f"other errors: {reads.other}")
    scene.expect(len(answered) + reads.unavailable >= _DECRYPTS, "some calls were not answered")
    unrecorded = sum(reads.answered[subject] for subject in answered - recorded.keys())
    scene.expect(not unrecorded, "a value was opened without a record")
    scene.expect(max(recorded.values()) <= 2, "a read was recorded too often")
    scene.expect(0 < len(answered) < _DECRYPTS, "the kill came too early or too late")
    return scene.attempt(
        "P2",
        tried=_DECRYPTS,
        answered=len(answered),
        recorded=len(recorded.keys() & answered),
        unavailable=_DECRYPTS - len(answered),
        bytes=unrecorded,
    )


class _Reads:
    """One clerk who opens 100 invoices one by one, from several threads."""

    def __init__(self, scene: Scene, house: House) -> None:
        self.client: Emanet = scene.installation.client(house)
        self.session = "panel-killed"
        self.rows = range(_FIRST_ROW, _FIRST_ROW + _DECRYPTS)
        self.answered: dict[str, int] = {}
        self.unavailable = 0
        self.other: list[str] = []
        self._store = scene.stores[house.folder]
        self._case = scene.cases["outage"]
        person = house.people["muhasebe"][1]
        self._token = scene.installation.token(person, client=house.panel)
        self._changed = threading.Condition()

    def one(self, row: int) -> bool:
        """Opens one value; False when nothing could be recorded."""
        (item,) = self._store.to_open(("invoice.address",), (row,))
        statement = self.client.reading(
            purpose="invoicing", staff_token=self._token, case=self._case, session=self.session
        )
        value: object = None
        problem: EmanetError | None = None
        try:
            with statement:
                value = self.client.decrypt(item.field, item.envelope, record=item.record)
        except EmanetError as failure:
            problem = failure
        with self._changed:
            if problem is None and value == self._store.text_of(item.field, row):
                self.answered[item.subject] = len(str(value).encode())
            elif isinstance(problem, UnavailableError):
                self.unavailable += 1
            else:
                self.other.append(problem.reason.value if problem else "another value")
            self._changed.notify_all()
        return problem is None

    def wait_until_answered(self, count: int) -> None:
        """Waits until so many values were opened."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.answered) >= count or self.other, timeout=20.0)


def read_sealed(scene: Scene) -> Attempt:
    """P6: the message that only the customer can open. Not stored, not encrypted, not decrypted."""
    house = scene.house("chat-bot")
    store = scene.stores[house.folder]
    client = scene.installation.client(house)
    text = store.text_of("customer.name", 1)
    try:
        client.encrypt(subject="audience/1", values={"message.body": text})
        scene.expect(False, "Encrypt took a sealed field")
        refused_write = None
    except EmanetError as refused:
        refused_write = refused.reason
    (item,) = store.to_open(("customer.name",), (1,))
    person = house.people["destek"][0]
    statement = resources_pb2.AccessContext(
        actor=resources_pb2.ACTOR_KIND_STAFF,
        purpose="support",
        case=_case_ref(scene.cases["sealed"]),
    )
    answer = _decrypt_raw(
        scene, house, person, ToOpen("message.body", item.envelope, record=item.record), statement
    )
    client.close()
    scene.expect(refused_write is Reason.FIELD_SEALED, f"Encrypt said {refused_write}")
    scene.expect(isinstance(answer, EmanetError), "Decrypt opened a sealed field")
    stored = _stored(store, "message.body")
    scene.expect(not stored, "the application stores messages")
    return scene.attempt(
        "P6",
        encrypt=refused_write.value if refused_write else "-",
        decrypt=answer.reason.value if isinstance(answer, EmanetError) else "-",
        stored=stored,
        bytes=_plain_bytes(answer),
    )


def _stored(store: Store, field_slug: str) -> int:
    """Number of rows in which the application holds a field."""
    tables = [t for t in store.tables if any(c.field == field_slug for c in t.columns)]
    return sum(store.count(table.name) for table in tables)


def _case_ref(case: Case) -> resources_pb2.CaseRef:
    return resources_pb2.CaseRef(kind=case.kind, ref=case.ref)
