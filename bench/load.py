"""Drives a call from many callers and counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bench.measures import percentile

__all__ = ["Call", "rate", "rate_of", "time_ms"]

Call = Callable[[int], Awaitable[object]]
"""Takes the number of the call, from 0, different for each."""


async def rate(call: Call, *, callers: int, seconds: float) -> float:
    """Calls per second; no call begins after so many seconds, and all are waited for.

    Args:
        call: what to measure.
        callers: how many at a time, each waiting for its answer before it calls again.
        seconds: above 0.
    """
    end = time.perf_counter() + seconds
    return await _drive(call, callers=callers, goes_on=lambda _: time.perf_counter() < end)


async def rate_of(call: Call, *, callers: int, count: int) -> float:
    """Calls per second while exactly so many are made, for calls that cannot be repeated."""
    return await _drive(call, callers=callers, goes_on=lambda begun: begun < count)


async def time_ms(call: Call, *, count: int) -> float:
    """p50 of so many calls of one caller, one after the other, in milliseconds."""
    times = []
    for number in range(count):
        started = time.perf_counter()
        await call(number)
        times.append((time.perf_counter() - started) * 1000)
    return percentile(times, 0.5)


async def _drive(call: Call, *, callers: int, goes_on: Callable[[int], bool]) -> float:
    begun = 0
    started = time.perf_counter()

    async def work() -> None:
        nonlocal begun
        while goes_on(begun):
            number, begun = begun, begun + 1
            await call(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(work())
    return begun / (time.perf_counter() - started)
