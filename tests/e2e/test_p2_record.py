"""P2, no reading without a record: what cannot be recorded is not opened, whatever has broken."""

from __future__ import annotations

import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from emanet.api.access_audit.v1 import resources_pb2
from emanet.api.crypto.v1 import crypto_pb2_grpc
from emanet.client.channel import ServiceName
from emanet.client.status import error_from_rpc
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import Verdict
from emanet.core.merkle import leaf_hash
from tests.e2e.acting import (
    app,
    bearer,
    decrypting,
    export,
    record_id,
    refusal,
    stub,
    support,
)
from tests.e2e.conftest import VALUES
from tests.e2e.installation import Local, Template, until
from tests.postgres import connect

EMAIL = "customer.email"
DEADLINE_S = 2.0
UNAVAILABLE = {
    Reason.AUDIT_UNAVAILABLE,
    Reason.SERVICE_UNAVAILABLE,
    Reason.NOT_READY,
    Reason.DATABASE_UNAVAILABLE,
}


@dataclass
class Load:
    """Readers and writers that go on until they are told to stop, and what they were answered."""

    local: Local
    envelope: bytes
    answered: dict[str, resources_pb2.Receipt] = field(default_factory=dict)
    refused: list[tuple[Reason, float]] = field(default_factory=list)
    encrypted: int = 0
    failed_writes: list[EmanetError] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        crypto = stub(self.local, ServiceName.CRYPTO, crypto_pb2_grpc.CryptoServiceStub)
        staff = bearer(support(self.local))
        while not self.stopping.is_set():
            begun = time.monotonic()
            try:
                answer = crypto.Decrypt(
                    decrypting([self.envelope]), metadata=staff, timeout=DEADLINE_S
                )
            except grpc.RpcError as failure:
                refusal_ = error_from_rpc(failure)
                self.refused.append((refusal_.reason, time.monotonic() - begun))
                self.stopping.wait(0.01)
            else:
                assert answer.results[0].value.text == VALUES[EMAIL]
                self.answered[record_id(answer.record)] = answer.receipt
                self.stopping.wait(0.01)

    def write(self) -> None:
        facade = app(self.local)
        while not self.stopping.is_set():
            try:
                facade.encrypt(subject="customers/1", values={EMAIL: VALUES[EMAIL]})
            except EmanetError as failure:
                self.failed_writes.append(failure)
            self.encrypted += 1
            self.stopping.wait(0.02)


@contextmanager
def load(local: Local, envelope: bytes, *, readers: int = 4) -> Iterator[Load]:
    """Runs readers and one writer beside the body."""
    running = Load(local, envelope)
    with ThreadPoolExecutor(readers + 1) as pool:
        tasks = [pool.submit(running.read) for _ in range(readers)]
        tasks.append(pool.submit(running.write))
        try:
            yield running
        finally:
            running.stopping.set()
        for task in tasks:
            task.result()


def reads_again(local: Local, envelope: bytes) -> Callable[[], bool]:
    """Whether a value can be opened."""
    crypto = stub(local, ServiceName.CRYPTO, crypto_pb2_grpc.CryptoServiceStub)
    staff = bearer(support(local))

    def probe() -> bool:
        try:
            crypto.Decrypt(decrypting([envelope]), metadata=staff, timeout=DEADLINE_S)
        except grpc.RpcError:
            return False
        return True

    return probe


def test_every_answered_read_is_in_the_log_after_kill_9(
    copied: Callable[..., Local], template: Template
) -> None:
    """kill -9 of access_audit under load: what was answered is recorded, the rest was refused.

    Encrypt goes on all the time, refusals come within the deadline, and crypto is never restarted.
    """
    local, envelope = copied(), template.sealed[EMAIL]
    local.start()
    with load(local, envelope) as running:
        until(lambda: len(running.answered) > 50, what="reads")
        local.kill("access_audit")
        turned, written = len(running.refused), running.encrypted
        until(lambda: len(running.refused) > turned + 10, what="refusals")
        until(lambda: running.encrypted > written + 10, what="writes meanwhile")
        local.start("access_audit")
        seen = len(running.answered)
        until(lambda: len(running.answered) > seen + 10, what="reads after the recovery")
    assert not running.failed_writes
    assert {reason for reason, _ in running.refused} <= UNAVAILABLE
    assert max(seconds for _, seconds in running.refused) <= DEADLINE_S + 0.25
    exported = export(local)
    for record, receipt in running.answered.items():
        assert exported.accesses[record].decision.verdict is Verdict.ALLOW
        assert leaf_hash(exported.data[receipt.index]) == receipt.leaf_hash


@contextmanager
def database_gone(local: Local) -> Iterator[None]:
    """access_audit's database cannot be written: locked on SQLite, closed on PostgreSQL."""
    url = make_url(local.database_url("access_audit"))
    if not local.is_postgres:
        engine = create_engine(url, poolclass=NullPool, connect_args={"isolation_level": None})
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield
            connection.exec_driver_sql("ROLLBACK")
        engine.dispose()
        return
    name = url.database
    with connect(url.set(database="postgres")) as owner:
        owner.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        owner.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        try:
            yield
        finally:
            owner.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")


def test_without_the_audits_database_nothing_opens(
    copied: Callable[..., Local], template: Template
) -> None:
    """UNAVAILABLE within the deadline; encrypt goes on; reads come back without any restart."""
    local, envelope = copied(), template.sealed[EMAIL]
    local.start()
    crypto = stub(local, ServiceName.CRYPTO, crypto_pb2_grpc.CryptoServiceStub)
    with database_gone(local):
        for _ in range(2):
            begun = time.monotonic()
            failure = refusal(
                crypto.Decrypt, decrypting([envelope]), staff=support(local), timeout_s=DEADLINE_S
            )
            assert failure.reason in UNAVAILABLE
            assert time.monotonic() - begun <= DEADLINE_S + 0.25
        app(local).encrypt(subject="customers/1", values={EMAIL: VALUES[EMAIL]})
    until(reads_again(local, envelope), what="a read")
    export(local)


def test_a_full_disk_of_the_audit_opens_nothing(
    sqlite_copy: Callable[..., Local], sqlite_template: Template
) -> None:
    """Neither database nor log line can be written: refused, encrypt goes on, and it comes back."""
    local, envelope = sqlite_copy(), sqlite_template.sealed[EMAIL]
    local.start()
    crypto = stub(local, ServiceName.CRYPTO, crypto_pb2_grpc.CryptoServiceStub)
    process = local.running["access_audit"].pid
    resource.prlimit(process, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    for _ in range(3):
        failure = refusal(
            crypto.Decrypt, decrypting([envelope]), staff=support(local), timeout_s=DEADLINE_S
        )
        assert failure.reason in UNAVAILABLE
    app(local).encrypt(subject="customers/1", values={EMAIL: VALUES[EMAIL]})
    resource.prlimit(process, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    until(reads_again(local, envelope), what="a read")
    export(local)


def test_an_audit_that_hangs_is_given_up_within_the_deadline(
    sqlite_copy: Callable[..., Local], sqlite_template: Template
) -> None:
    """A frozen process holds nobody: UNAVAILABLE, no plaintext, and it counts again once it runs."""
    local, envelope = sqlite_copy(), sqlite_template.sealed[EMAIL]
    local.start()
    crypto = stub(local, ServiceName.CRYPTO, crypto_pb2_grpc.CryptoServiceStub)
    local.running["access_audit"].send_signal(signal.SIGSTOP)
    try:
        for _ in range(2):
            begun = time.monotonic()
            failure = refusal(
                crypto.Decrypt, decrypting([envelope]), staff=support(local), timeout_s=DEADLINE_S
            )
            assert failure.reason is Reason.AUDIT_UNAVAILABLE
            assert time.monotonic() - begun <= DEADLINE_S + 0.25
        app(local).encrypt(subject="customers/1", values={EMAIL: VALUES[EMAIL]})
    finally:
        local.running["access_audit"].send_signal(signal.SIGCONT)
    until(reads_again(local, envelope), what="a read")


def test_a_denial_and_a_failure_are_records_too(shared: Local, sqlite_template: Template) -> None:
    """One attempt, one record: a read that was allowed and then failed has its outcome beside it."""
    panel = app(shared)
    broken = bytearray(sqlite_template.sealed[EMAIL])
    broken[-1] ^= 1
    before = export(shared)
    crypto = stub(shared, ServiceName.CRYPTO, crypto_pb2_grpc.CryptoServiceStub)
    answer = crypto.Decrypt(
        decrypting([bytes(broken), sqlite_template.sealed[EMAIL]]),
        metadata=bearer(support(shared)),
        timeout=5,
    )
    assert answer.results[0].status.code
    assert answer.results[1].value.text == VALUES[EMAIL]
    after = export(shared)
    added = after.leaves[len(before.leaves) :]
    assert [leaf.TYPE.value for leaf in added] == ["access", "outcome", "access"]
    assert str(added[0].id) == record_id(answer.record)
    assert str(added[1].access) == record_id(answer.record)
    panel.close()
