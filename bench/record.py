"""Bench of the log: batches of 100 recorded durably over mTLS, on both databases, by 32 callers.

Each caller is a member of staff with a ticket of their own and calls through the SDK; every record
is decided, given its entries and pseudonyms, put into the tree and covered by a signed checkpoint
before its caller hears of it. The customers have been heard of before.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.anchors import Anchors
from bench.anchors_postgres import durable_postgres, postgres_anchors, server_version
from bench.anchors_sqlite import sqlite_anchors
from bench.echo import EchoClient, echoing
from bench.installation import STAFF, Installation, running
from bench.load import rate, rate_of, time_ms
from bench.measures import Anchor, Measure
from bench.progress import Steps
from bench.scale import Scale
from emanet.client import AsyncEmanet, Case, CaseState
from emanet.client.values import AccessToRecord

__all__ = ["measure", "steps"]

_BATCH = 100
_CALLERS = 32
_SERVICES = ("inventory", "access_audit")
_FIELDS = ("customer.name", "customer.email")
_CHECK_BYTES = (160, 560)
"""What a CheckAccess of one value asks and answers."""

_RECORDS = "records/s"
_STEPS_OF_ROUND = 4


def steps(scale: Scale) -> int:
    """How many steps `measure` tells of."""
    return 2 * (2 + _STEPS_OF_ROUND * scale.rounds)


async def measure(scale: Scale, step: Steps) -> tuple[tuple[Measure, ...], dict[str, str]]:
    """Measures SQLite, then PostgreSQL.

    Returns:
        the measures, and the version of PostgreSQL by its name.

    Raises:
        PostgresMissingError: there is no PostgreSQL to run.
    """
    step("SQLite: starting two services")
    with running(_SERVICES) as installation:
        audit = installation.workspace.var / "access_audit" / "db" / "access_audit.db"
        on_sqlite = _Rounds("sqlite", installation, scale=scale, step=step)
        await on_sqlite.prepare()
        with sqlite_anchors(audit) as anchors:
            measures = await on_sqlite.run(anchors, target=12e3)
    step("PostgreSQL: starting it and two services")
    with (
        durable_postgres() as server,
        server.database() as inventory,
        server.database() as audit_url,
        running(
            _SERVICES, databases={"inventory": inventory, "access_audit": audit_url}
        ) as installation,
    ):
        version = server_version(server)
        on_postgres = _Rounds("postgresql", installation, scale=scale, step=step)
        await on_postgres.prepare()
        with postgres_anchors(server, database=audit_url, folder=installation.folder) as anchors:
            measures += await on_postgres.run(anchors, target=25e3)
    return measures, {"postgresql": version}


class _Rounds:
    """Measures one database."""

    def __init__(
        self, database: str, installation: Installation, *, scale: Scale, step: Steps
    ) -> None:
        self._database = database
        self._installation = installation
        self._scale = scale
        self._step = step
        self._found: dict[str, list[float]] = defaultdict(list)
        self._customers = itertools.cycle(range(1, scale.customers + 1))
        people = itertools.islice(itertools.cycle(STAFF[3:]), _CALLERS)
        self._people = [
            (installation.token(person, "destek"), Case("ticket", f"T-{number}"))
            for number, person in enumerate(people)
        ]

    async def prepare(self) -> None:
        """Opens a ticket for each caller, and lets the log hear of every customer."""
        self._step(f"{self._database}: preparing")
        async with self._clients() as (client, _):
            now = dt.datetime.now(dt.UTC)
            await client.put_cases(
                [
                    CaseState(kind=case.kind, ref=case.ref, opened_by="customer", opened=now)
                    for _, case in self._people
                ]
            )
            await rate_of(
                lambda n: self._record(client, n),
                callers=_CALLERS,
                count=self._scale.customers // _BATCH,
            )

    async def run(self, anchors: Anchors, *, target: float) -> tuple[Measure, ...]:
        """Measures every round."""
        async with self._clients() as (client, echo):
            for _ in range(self._scale.rounds):
                await self._round(client, echo, anchors)
        return self._measures(anchors, target)

    async def _round(self, client: AsyncEmanet, echo: EchoClient, anchors: Anchors) -> None:
        seconds, count = self._scale.seconds, self._scale.calls
        self._tell("recording")
        calls = await rate(lambda n: self._record(client, n), callers=_CALLERS, seconds=seconds)
        self._found["record"].append(calls * _BATCH)
        self._tell("writing single rows")
        self._found["single"].append(anchors.single(seconds=seconds))
        self._tell("writing many rows")
        self._found["bulk"].append(anchors.bulk(seconds=seconds))
        self._tell("checking one by one")
        self._found["check"].append(await time_ms(lambda n: self._check(client, n), count=count))
        echo_ms = await time_ms(lambda _: echo.call(*_CHECK_BYTES), count=count)
        self._found["floor"].append(echo_ms + anchors.single_ms(count=count))

    async def _record(self, client: AsyncEmanet, number: int) -> None:
        token, case = self._people[number % _CALLERS]
        now = dt.datetime.now(dt.UTC)
        accesses = [
            AccessToRecord(fields=_FIELDS, subjects=(self._next_customer(),), time=now)
            for _ in range(_BATCH)
        ]
        async with client.reading(purpose="support", staff_token=token, case=case):
            results = await client.record_accesses(accesses)
        if len(results) != _BATCH or any(each.status.code for each in results):
            raise RuntimeError("a record was refused")

    async def _check(self, client: AsyncEmanet, number: int) -> None:
        token, case = self._people[number % _CALLERS]
        async with client.reading(purpose="support", staff_token=token, case=case):
            await client.record_read(fields=_FIELDS[1:], subjects=[self._next_customer()])

    def _next_customer(self) -> str:
        return f"customers/{next(self._customers)}"

    def _tell(self, doing: str) -> None:
        self._step(f"{self._database}: {doing}")

    @asynccontextmanager
    async def _clients(self) -> AsyncIterator[tuple[AsyncEmanet, EchoClient]]:
        with echoing(self._installation) as target:
            client = self._installation.client()
            echo = EchoClient(target, self._installation.credentials)
            yield client, echo
            await client.close()
            await echo.close()

    def _measures(self, anchors: Anchors, target: float) -> tuple[Measure, ...]:
        found = {name: tuple(numbers) for name, numbers in self._found.items()}
        database = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[self._database]
        return (
            Measure(
                name=f"record.{self._database}",
                what=f"{database}: record batches of 100, 32 callers",
                unit=_RECORDS,
                rounds=found["record"],
                anchors=(
                    Anchor(name=anchors.single_name, unit=_RECORDS, rounds=found["single"]),
                    Anchor(name=anchors.bulk_name, unit=_RECORDS, rounds=found["bulk"]),
                ),
                target=target,
            ),
            Measure(
                name=f"check.{self._database}",
                what=f"{database}: CheckAccess of one value with its durable record, idle, p50",
                unit="ms",
                rounds=found["check"],
                anchors=(
                    Anchor(
                        name="one echo over mTLS and one INSERT with its commit, p50 each",
                        unit="ms",
                        rounds=found["floor"],
                    ),
                ),
                target=2.0,
            ),
        )
