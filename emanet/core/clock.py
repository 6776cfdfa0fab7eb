"""The one source of time: services take a `Clock`, so that a test can decide what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from emanet.core.errors import Reason, error

__all__ = ["Clock", "FixedClock", "SystemClock"]


class Clock(Protocol):
    """Tells the time; implementations are safe to call from any thread."""

    def now(self) -> datetime:
        """The current time as an aware UTC datetime."""
        ...


class SystemClock:
    """The operating system's wall clock; it may step backwards, so order never rests on it."""

    def now(self) -> datetime:
        """The current time as an aware UTC datetime."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when it is told to, backwards too."""

    def __init__(self, now: datetime) -> None:
        self._now = _utc(now)

    def now(self) -> datetime:
        """The time that was set last, as an aware UTC datetime."""
        return self._now

    def set(self, now: datetime) -> None:
        """Sets the time.

        Raises:
            CallerError: INVALID_FIELD when the datetime has no time zone.
        """
        self._now = _utc(now)

    def advance(self, step: timedelta) -> None:
        """Moves the time by `step`; a negative step moves it backwards."""
        self._now += step


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise error(Reason.INVALID_FIELD, violations=(("now", "a time has no time zone"),))
    return moment.astimezone(UTC)
