"""Health that tells the truth: SERVING only while every check holds.

Checks are about the process: database, secrets, self-tests, and the service below having been
reached once; never about one organization's content.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health_aio

from emanet.core.errors import Reason, error
from services.runtime.database import Database
from services.runtime.errors import as_emanet_error

__all__ = ["HealthCheck", "HealthMonitor", "Latch", "database_check"]

_PROBE_TIMEOUT_S = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One condition of health.

    Attributes:
        name: short, shown in logs: `database`, `self_tests`, `inventory`.
        probe: returns when the condition holds, raises an EmanetError when it does not.
    """

    name: str
    probe: Callable[[], Awaitable[None]]


class Latch:
    """A condition that holds for ever once it was met: the service below was reached."""

    def __init__(self, name: str) -> None:
        """Starts unmet; `name` is the other service's."""
        self._name = name
        self._met = False

    def meet(self) -> None:
        """Marks the condition as met."""
        self._met = True

    def check(self) -> HealthCheck:
        """Returns the health check that waits for it."""
        return HealthCheck(name=self._name, probe=self._probe)

    async def _probe(self) -> None:
        if not self._met:
            raise error(Reason.SERVICE_UNAVAILABLE, service=self._name)


def database_check(database: Database) -> HealthCheck:
    """Returns the check that the database answers."""

    async def probe() -> None:
        await asyncio.to_thread(database.verify_reachable)

    return HealthCheck(name="database", probe=probe)


class HealthMonitor:
    """Runs the checks again and again and keeps the gRPC health service's answer.

    Attributes:
        servicer: the grpc.health.v1 servicer to register.
    """

    def __init__(
        self, *, checks: Sequence[HealthCheck], services: Sequence[str], interval_s: float
    ) -> None:
        """Starts as NOT_SERVING.

        Args:
            checks: all must hold.
            services: full names of the gRPC services, all with the same answer, beside "".
            interval_s: seconds between two rounds.
        """
        self._checks = tuple(checks)
        self._services = ("", *services)
        self._interval_s = interval_s
        self._problems: tuple[str, ...] = ("starting",)
        self.servicer = health_aio.HealthServicer()

    @property
    def problems(self) -> tuple[str, ...]:
        """The checks that did not hold at the last round, with their reasons."""
        return self._problems

    async def run(self) -> None:
        """Runs rounds until it is cancelled."""
        while True:
            await self.run_once()
            await asyncio.sleep(self._interval_s)

    async def run_once(self) -> None:
        """Runs every check once and publishes the answer."""
        results = await asyncio.gather(*(self._problem_of(check) for check in self._checks))
        problems = tuple(result for result in results if result)
        if problems != self._problems:
            level = _log.warning if problems else _log.info
            level("health.changed", problems=list(problems))
        self._problems = problems
        await self._publish(is_serving=not problems)

    async def stop(self) -> None:
        """Answers NOT_SERVING from now on, so that balancers look elsewhere while it drains."""
        self._problems = ("stopping",)
        await self.servicer.enter_graceful_shutdown()

    async def _publish(self, *, is_serving: bool) -> None:
        kind = health_pb2.HealthCheckResponse
        status = kind.SERVING if is_serving else kind.NOT_SERVING
        for service in self._services:
            await self.servicer.set(service, status)

    async def _problem_of(self, check: HealthCheck) -> str:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                await check.probe()
        except Exception as exc:  # noqa: BLE001 (a check that breaks is a check that fails)
            return f"{check.name}: {as_emanet_error(exc).reason.value}"
        return ""
