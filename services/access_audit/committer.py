"""The one writer of the logs in this process: takes what waits, commits it together, answers all.

A handler validates, submits a job and waits. The committer's thread takes at once what is there
when it is idle; under load batches grow while the database works. Jobs of one organization share
one transaction and one checkpoint, in the order in which they came.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar, cast

import structlog
from sqlalchemy import Connection

from emanet.core.clock import Clock
from emanet.core.encoding import micros
from emanet.core.errors import EmanetError, Reason, error
from services.access_audit import storage
from services.access_audit.failures import renewed
from services.access_audit.heads import Head, Heads
from services.access_audit.transaction import LogTransaction
from services.access_audit.vault import Vault
from services.runtime.database import Database
from services.runtime.errors import as_emanet_error

__all__ = ["Committed", "Committer", "Job"]

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_log = structlog.get_logger(__name__)


class Job(Protocol[_T_co]):
    """What one request does inside the transaction.

    `run` may run more than once when the database asks for it, so it touches nothing but the
    transaction. An EmanetError that it raises is its own answer; the other jobs go on.
    """

    @property
    def organization(self) -> str:
        """Whose log it writes."""

    @property
    def weight(self) -> int:
        """How many leaves it may write."""

    def run(self, transaction: LogTransaction) -> _T_co:
        """Decides and appends; `transaction.upcoming` holds the jobs that come after it.

        Whatever it writes besides leaves it writes inside `transaction.savepoint()`.
        """


@dataclass(frozen=True, slots=True)
class Committed(Generic[_T]):
    """A job's result under the checkpoint that covers it."""

    result: _T
    head: Head


@dataclass(frozen=True, slots=True)
class _Ticket:
    job: Job[object]
    future: asyncio.Future[Committed[object]]
    loop: asyncio.AbstractEventLoop


_Answer = tuple[_Ticket, Committed[object] | EmanetError]


class Committer:
    """Queue and thread; `submit` belongs to the event loop, everything else to the thread."""

    def __init__(
        self,
        *,
        database: Database,
        heads: Heads,
        vault: Vault,
        clock: Clock,
        queue_items: int,
        batch_items: int,
        clock_tolerance: timedelta,
    ) -> None:
        """Builds an idle committer.

        Args:
            database: of the service.
            heads: what is known of each log.
            vault: for pseudonyms.
            clock: receive times; they never fall whatever it does.
            queue_items: bound of waiting items; beyond it `submit` answers OVERLOADED.
            batch_items: bound of one transaction.
            clock_tolerance: how far the clock may be behind a log.
        """
        self._database = database
        self._heads = heads
        self._vault = vault
        self._clock = clock
        self._queue_items = queue_items
        self._batch_items = batch_items
        self._clock_tolerance_us = clock_tolerance // timedelta(microseconds=1)
        self._waiting: deque[_Ticket] = deque()
        self._waiting_items = 0
        self._condition = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="log-committer", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Commits what waits and ends the thread."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join()

    async def verify_alive(self) -> None:
        """Verifies for health that the thread runs: without it every request waits in vain.

        Raises:
            UnavailableError: NOT_READY.
        """
        if not self._thread.is_alive():
            raise error(Reason.NOT_READY)

    async def submit(self, job: Job[_T]) -> Committed[_T]:
        """Waits until the job is durable and its checkpoint signed.

        Raises:
            UnavailableError: OVERLOADED, too many items wait; NOT_READY, the service stops;
                DATABASE_UNAVAILABLE, CLOCK_BEHIND, LOG_BEHIND.
            IntegrityError: LOG_FORK, LOG_CORRUPT.
            EmanetError: whatever the job raises.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Committed[object]] = loop.create_future()
        ticket = _Ticket(job=cast("Job[object]", job), future=future, loop=loop)
        with self._condition:
            if self._stopping:
                raise error(Reason.NOT_READY)
            if self._waiting and self._waiting_items + job.weight > self._queue_items:
                raise error(Reason.OVERLOADED)
            self._waiting.append(ticket)
            self._waiting_items += job.weight
            self._condition.notify()
        return cast("Committed[_T]", await future)

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._waiting and not self._stopping:
                    self._condition.wait()
                if not self._waiting:
                    return
                batch = self._take()
            by_organization: dict[str, list[_Ticket]] = {}
            for ticket in batch:
                if not ticket.future.cancelled():
                    by_organization.setdefault(ticket.job.organization, []).append(ticket)
            for organization, tickets in by_organization.items():
                _resolve(self._commit(organization, tickets))

    def _take(self) -> list[_Ticket]:
        batch: list[_Ticket] = []
        items = 0
        while self._waiting and (
            not batch or items + self._waiting[0].job.weight <= self._batch_items
        ):
            ticket = self._waiting.popleft()
            items += ticket.job.weight
            batch.append(ticket)
        self._waiting_items -= items
        return batch

    def _commit(self, organization: str, tickets: Sequence[_Ticket]) -> list[_Answer]:
        try:
            results, control = self._database.write_now(
                lambda connection: self._transact(connection, organization, tickets)
            )
            head = self._heads.advance(control)
        except Exception as exc:  # noqa: BLE001 (the thread's edge: every waiting job hears of it)
            if len(tickets) > 1 and not isinstance(exc, EmanetError):
                # One job may have broken the others' transaction: each gets its own.
                return [answer for each in tickets for answer in self._commit(organization, [each])]
            failure = as_emanet_error(exc)
            _log.warning(
                "log.commit_failed", organization=organization, reason=failure.reason.value
            )
            return [(ticket, failure) for ticket in tickets]
        done, rest = tickets[: len(results)], tickets[len(results) :]
        answers: list[_Answer] = [
            (ticket, result if isinstance(result, EmanetError) else Committed(result, head))
            for ticket, result in zip(done, results, strict=True)
        ]
        return answers + self._commit(organization, rest) if rest else answers

    def _transact(
        self, connection: Connection, organization: str, tickets: Sequence[_Ticket]
    ) -> tuple[list[object], storage.log.Control]:
        """Runs jobs in order; those behind a new register or rule set are left for the next."""
        control = storage.log.lock_control(connection, organization)
        if control is None:
            raise error(Reason.ORGANIZATION_MISSING)
        self._heads.require(connection, control)
        now_us = micros(self._clock.now())
        if now_us + self._clock_tolerance_us < control.last_us:
            raise error(Reason.CLOCK_BEHIND)
        transaction = LogTransaction(
            connection,
            control=control,
            now_us=max(now_us, control.last_us),
            vault=self._vault,
        )
        jobs = [ticket.job for ticket in tickets]
        results: list[object] = []
        for position, job in enumerate(jobs):
            transaction.upcoming = jobs[position + 1 :]
            try:
                results.append(job.run(transaction))
            except EmanetError as refused:
                results.append(refused)
            if transaction.has_new_ground:
                # The next decisions stand on a leaf that must be in the database first.
                break
        return results, transaction.flush()


def _resolve(answers: Sequence[_Answer]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Answer]] = {}
    for answer in answers:
        by_loop.setdefault(answer[0].loop, []).append(answer)
    for loop, own in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set_results, own)
        except RuntimeError:
            _log.warning("log.nobody_waits", count=len(own))


def _set_results(answers: Sequence[_Answer]) -> None:
    for ticket, answer in answers:
        if ticket.future.done():
            continue
        if isinstance(answer, EmanetError):
            ticket.future.set_exception(renewed(answer))
        else:
            ticket.future.set_result(answer)
