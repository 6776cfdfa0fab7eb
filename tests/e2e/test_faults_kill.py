"""kill -9 of everything under mixed load: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import collections
import datetime as dt
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emanet.cli.processes import is_alive
from emanet.cli.workspace import SERVICES
from emanet.client import AccessToRecord, Case, CaseState, Emanet, ToOpen
from emanet.core.checkpoint import parse_vkey
from emanet.core.errors import EmanetError, Reason
from emanet.register.edits import Edit
from emanet.register.values import Kind
from emanet.verify import examine_log
from tests.e2e.acting import (
    RUN,
    admin,
    app,
    export,
    new_id,
    record_id,
    support,
)
from tests.e2e.installation import (
    ORGANIZATION,
    Local,
    Supervised,
    Template,
    supervised,
    until,
)
from tests.postgres import PostgresServer, start_cluster

NAME = "customer.name"
TRANSIENT = {
    Reason.AUDIT_UNAVAILABLE,
    Reason.DATABASE_UNAVAILABLE,
    Reason.DEADLINE_EXCEEDED,
    Reason.NOT_READY,
    Reason.OVERLOADED,
    Reason.REGISTER_SKEW,
    Reason.SERVICE_UNAVAILABLE,
}


@dataclass
class Load:
    """What clients were acknowledged, by kind of call; each worker owns one kind."""

    local: Local
    panel: Emanet
    job: Emanet
    desk: Emanet
    stopping: threading.Event = field(default_factory=threading.Event)
    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    sealed: dict[int, bytes] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    cases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    drafts: list[str] = field(default_factory=list)
    uncertain: set[str] = field(default_factory=set)
    wrong: list[EmanetError] = field(default_factory=list)

    def write(self, number: int) -> None:
        values = {NAME: f"Kişi {number}"}
        done = self.panel.encrypt(subject=f"customers/{number % 50 + 100}", values=values)
        self.sealed[number] = done[NAME].envelope

    def read(self, number: int) -> None:
        newest = list(self.sealed.items())[-5:]
        items = [ToOpen(NAME, envelope) for _, envelope in newest]
        with self.job.reading(purpose="invoicing", as_app=True, case=RUN):
            opened = self.job.decrypt_many(items, action="export")
        assert opened == [f"Kişi {key}" for key, _ in newest]

    def ask(self, number: int) -> None:
        with self.job.reading(purpose="invoicing", as_app=True, case=RUN):
            record = self.job.record_read(fields=[NAME], subjects=["customers/100"])
        self.opened.append(record_id(record))

    def record(self, number: int) -> None:
        """Sends each read again under its own id until it is acknowledged."""
        reads = [
            AccessToRecord((NAME,), ("customers/1",), dt.datetime.now(dt.UTC), id=new_id())
            for _ in range(5)
        ]
        with self.panel.reading(
            purpose="support", staff_token=support(self.local), case=Case("ticket", "T-100")
        ):
            while True:
                try:
                    results = self.panel.record_accesses(reads)
                    break
                except EmanetError as failure:
                    if failure.reason not in TRANSIENT or self.stopping.is_set():
                        raise
        assert not any(each.status.code for each in results)
        self.recorded += [each.id for each in reads]

    def push(self, number: int) -> None:
        subjects = (f"customers/{number}",)
        opened = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
        case = CaseState("ticket", f"K-{number}", "customer", opened, subjects=subjects)
        self.desk.put_cases([case])
        self.cases[f"K-{number}"] = subjects

    def edit(self, number: int) -> None:
        slug = f"space-{number}"
        self.uncertain.add(slug)
        dpo = admin(self.local, "s-101", "kvkk")
        try:
            etag = dpo.inventory.draft().etag
            dpo.inventory.edit_draft([Edit(Kind.NAMESPACE, slug, {"tr": "Deneme"})], etag=etag)
        finally:
            dpo.close()
        self.uncertain.discard(slug)
        self.drafts.append(slug)

    def run(self, work: Callable[[int], None]) -> None:
        number = 0
        while not self.stopping.is_set():
            number += 1
            try:
                work(number)
            except EmanetError as failure:
                if failure.reason not in TRANSIENT:
                    self.wrong.append(failure)
                self.stopping.wait(0.02)
            else:
                self.counts[work.__name__] += 1
                self.stopping.wait(0.03)


@contextmanager
def mixed_load(local: Local) -> Iterator[Load]:
    """Six kinds of clients at once."""
    load = Load(
        local, *(app(local, name, timeout_s=5) for name in ("panel", "invoice-run", "helpdesk"))
    )
    works = (load.write, load.read, load.ask, load.record, load.push, load.edit)
    load.write(0)
    with ThreadPoolExecutor(len(works)) as pool:
        tasks = [pool.submit(load.run, work) for work in works]
        try:
            yield load
        finally:
            load.stopping.set()
        for task in tasks:
            task.result()


def progress(load: Load, *, seconds: float = 45) -> None:
    """Waits until every kind of client was served again."""
    before = dict(load.counts)
    names = ("write", "read", "ask", "record", "push", "edit")

    def everybody() -> bool:
        return all(load.counts[name] > before.get(name, 0) + 1 for name in names)

    until(everybody, seconds=seconds, what=f"progress of everybody since {before}")


def kill(running: Supervised, *services: str) -> None:
    """kill -9, and waits until the supervisor has brought each one back."""
    for service, pid in [(service, running.kill(service)) for service in services]:
        until(
            lambda service=service, pid=pid: (
                running.pid(service) not in {0, pid} and is_alive(running.pid(service))
            ),
            seconds=30,
            what=f"a new {service}",
        )


def nothing_is_lost_or_doubled(local: Local, load: Load, folder: Path) -> None:
    """Acknowledged ⊆ stored, each once; the log is contiguous, signed and verifies offline."""
    assert load.wrong == []
    exported = export(local)
    exported.write(folder)
    vkey = parse_vkey(local.workspace.log_key(ORGANIZATION).read_text(encoding="utf-8").strip())
    report = examine_log(folder, vkey)
    assert report.faults == ()
    assert report.records == exported.checkpoint.size
    ids = collections.Counter(str(leaf.id) for leaf in exported.leaves)
    assert set(load.recorded) <= ids.keys()
    assert set(load.opened) <= ids.keys()
    assert max(ids.values()) == 1
    stored = {row.ref for row in local.rows("access_audit", "SELECT ref FROM cases")}
    assert set(load.cases) <= stored
    draft = admin(local, "s-101", "kvkk").inventory.draft().register
    assert (
        set(load.drafts)
        <= set(draft.namespaces)
        <= {*load.drafts, *load.uncertain, "customers", "staff"}
    )
    doubled = (
        "SELECT lookup FROM key_rows WHERE lookup IS NOT NULL GROUP BY lookup HAVING count(*) > 1"
    )
    assert not local.rows("crypto", doubled)
    assert not local.rows("crypto", "SELECT 1 FROM log_memory WHERE fault <> ''")
    job = app(local, "invoice-run")
    items = [ToOpen(NAME, envelope) for envelope in load.sealed.values()]
    with job.reading(purpose="invoicing", as_app=True, case=RUN):
        assert job.decrypt_many(items, action="export") == [f"Kişi {key}" for key in load.sealed]


@pytest.mark.slow
def test_five_rounds_of_kill_9_on_sqlite(sqlite_copy: Callable[..., Local], tmp_path: Path) -> None:
    """Each service alone, then all of them at once, twice; the supervisor brings all back."""
    local = sqlite_copy()
    with supervised(local) as running:
        with mixed_load(local) as load:
            progress(load)
            for services in (("access_audit",), ("crypto",), ("inventory",), SERVICES, SERVICES):
                kill(running, *services)
                progress(load)
        nothing_is_lost_or_doubled(local, load, tmp_path / "log")


@pytest.mark.slow
@pytest.mark.postgres
def test_two_rounds_of_kill_9_on_postgres_and_of_postgres_itself(
    postgres_template: Template, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """All services at once, the database under their feet, and all again."""
    if postgres_server.process is None:
        pytest.skip("the given PostgreSQL is not ours to kill")
    with postgres_template.copy(tmp_path) as local, supervised(local) as running:
        with mixed_load(local) as load:
            progress(load)
            kill(running, *SERVICES)
            progress(load)
            postgres_server.process.send_signal(signal.SIGKILL)
            postgres_server.process.wait()
            postgres_server.process = start_cluster(postgres_server.command, postgres_server.url)
            progress(load)
            kill(running, *SERVICES)
            progress(load)
        nothing_is_lost_or_doubled(local, load, tmp_path / "log")
