"""The life of keys as a state machine: whatever happens, only living values open, and rightly."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from emanet.core.errors import EmanetError, Reason
from services.crypto.domain.destruction import Ground
from services.crypto.opening import SealedItem
from services.crypto.storage.destruction import State
from tests.fakes.crypto_world import LONGEST_RPC, Replica, World, item

FIELDS = {"customer.hobby": "marketing", "customer.email": "contract", "customer.note": "short"}
subjects = st.sampled_from(["customers/1", "customers/2", "citizens/10000000146"])
fields = st.sampled_from(sorted(FIELDS))


@dataclass
class Sealed:
    """A value as its owner remembers it."""

    envelope: bytes
    field: str
    subject: str
    text: str
    month: str
    is_dead: bool = False


class KeyLife(RuleBasedStateMachine):
    """Two replicas over one database; the model knows which values must open."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="emanet-keylife-"))
        self.world = World(f"sqlite:///{self.folder / 'db' / 'x.db'}", self.folder)
        self.values: list[Sealed] = []
        self.replicas: list[Replica] = []
        self.stack = AsyncExitStack()

    def do(self, work: object) -> object:
        return self.loop.run_until_complete(work)

    @initialize()
    def open_service(self) -> None:
        async def start() -> None:
            one = await self.stack.enter_async_context(self.world.replica())
            two = await self.stack.enter_async_context(
                self.world.replica(database=one.database, cache_pairs=1)
            )
            self.replicas = [one, two]

        self.do(start())

    def teardown(self) -> None:
        self.do(self.stack.aclose())
        self.loop.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(which=st.integers(0, 1), field=fields, subject=subjects, text=st.text("aşİ1", max_size=4))
    def encrypt(self, which: int, field: str, subject: str, text: str) -> None:
        replica = self.replicas[which]
        (envelope,) = self.do(replica.encrypt(item(text, field=field, subject=subject)))
        assert isinstance(envelope, bytes)
        month = f"{self.world.clock.now():%Y-%m}"
        self.values.append(Sealed(envelope, field, subject, text, month))

    @rule(which=st.integers(0, 1), subject=subjects)
    def erase_on_request(self, which: int, subject: str) -> None:
        row = self.do(self.replicas[which].destroy(subject))
        dead = self._kill(lambda v: v.subject == subject and v.field == "customer.hobby")
        assert (row.state is State.KEYS_DESTROYED) or not dead

    @rule(which=st.integers(0, 1), subject=subjects)
    def end_a_contract(self, which: int, subject: str) -> None:
        self.world.audit.due.add((subject, "contract"))
        self.do(
            self.replicas[which].destroy(
                subject, classes=("contract",), ground=Ground.RETENTION_ENDED
            )
        )
        self.world.audit.due.clear()
        self._kill(lambda v: v.subject == subject and v.field == "customer.email")

    @precondition(lambda self: any(v.field == "customer.note" for v in self.values))
    @rule(which=st.integers(0, 1))
    def end_a_month(self, which: int) -> None:
        month = next(v.month for v in self.values if v.field == "customer.note")
        reason = self._reason_of(self.replicas[which].destroy_bucket("short", month))
        if reason is not None:
            assert reason in {Reason.RETENTION_RUNNING, Reason.RESOURCE_NOT_FOUND}
            return
        self._kill(lambda v: v.field == "customer.note" and v.month == month)

    @rule(which=st.integers(0, 1))
    def work(self, which: int) -> None:
        self.do(self.replicas[which].worker.run_once())

    @rule(days=st.sampled_from([0, 1, 40]))
    def wait(self, days: int) -> None:
        self.world.clock.advance(timedelta(days=days) + LONGEST_RPC)

    @rule()
    def forget(self) -> None:
        for replica in self.replicas:
            replica.caches.drop("cinar")

    @invariant()
    def exactly_the_living_values_open(self) -> None:
        for replica in self.replicas:
            if self.values:
                self._verify(replica)

    @invariant()
    def a_denial_opens_nothing(self) -> None:
        if not self.values or not self.replicas:
            return
        self.world.audit.policy = lambda _: "DENY_RULE"
        value = self.values[0]
        reason = self._reason_of(self.replicas[0].open(value.envelope, field=value.field))
        self.world.audit.policy = lambda _: ""
        assert reason is Reason.DENY_RULE

    def _reason_of(self, work: object) -> Reason | None:
        try:
            self.do(work)
        except EmanetError as refused:
            return refused.reason
        return None

    def _verify(self, replica: Replica) -> None:
        answer = self.do(
            replica.decrypt(*(SealedItem(v.field, v.envelope, "", "") for v in self.values))
        )
        for value, result in zip(self.values, answer.results, strict=True):
            if value.is_dead:
                assert isinstance(result, EmanetError)
                assert result.reason is Reason.KEY_DESTROYED
                assert "destruction" in result.metadata
            else:
                assert not isinstance(result, EmanetError), result
                assert result.value.decode() == value.text

    def _kill(self, hits: object) -> list[Sealed]:
        dead = [value for value in self.values if hits(value) and not value.is_dead]
        for value in dead:
            value.is_dead = True
        return dead


KeyLife.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestKeyLife = KeyLife.TestCase
