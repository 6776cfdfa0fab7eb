"""Working hours and public holidays, for the condition `hours: work`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from emanet.register.period import ISTANBUL

__all__ = ["FIXED_HOLIDAYS", "WorkCalendar", "WorkSpan", "parse_work"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SPAN = re.compile(
    rf"(?P<first>{'|'.join(_DAYS)})(?:-(?P<last>{'|'.join(_DAYS)}))? "
    r"(?P<from>[0-9]{2}:[0-9]{2})-(?P<to>[0-9]{2}:[0-9]{2})"
)
_NOON = time(13, 0)

# (month, day) -> first hour of the holiday. Law 2429 (RG 19.03.1981, 17284) art. 1 and 2 with the
# changes of 2009 (1 May) and 2016 (15 July). The two religious holidays follow the moon and are
# announced year by year, so that their dates are listed in the file.
FIXED_HOLIDAYS = MappingProxyType(
    {
        (1, 1): time.min,
        (4, 23): time.min,
        (5, 1): time.min,
        (5, 19): time.min,
        (7, 15): time.min,
        (8, 30): time.min,
        (10, 28): _NOON,
        (10, 29): time.min,
    }
)


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """Hours that are worked on some weekdays: from `begin` (included) to `end` (excluded).

    Attributes:
        weekdays: 0 = Monday to 6 = Sunday.
    """

    weekdays: frozenset[int]
    begin: time
    end: time

    def __post_init__(self) -> None:
        if not self.weekdays or self.begin >= self.end:
            raise ValueError("working hours begin before they end, on at least one day")


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The organization's working hours.

    Attributes:
        spans: working hours of the week.
        turkish_holidays: whether the fixed holidays of law 2429 are free.
        free_days: further free days, for the religious holidays and bridge days.
        zone: time zone in which the hours are meant.
    """

    spans: tuple[WorkSpan, ...]
    turkish_holidays: bool = False
    free_days: frozenset[date] = frozenset()
    zone: ZoneInfo = ISTANBUL

    def __post_init__(self) -> None:
        if not self.spans:
            raise ValueError("a calendar has working hours")

    def is_working(self, at: datetime) -> bool:
        """Tells whether an aware time lies in working hours."""
        local = at.astimezone(self.zone)
        clock = local.time()
        if not any(
            local.weekday() in span.weekdays and span.begin <= clock < span.end
            for span in self.spans
        ):
            return False
        if local.date() in self.free_days:
            return False
        begins = FIXED_HOLIDAYS.get((local.month, local.day)) if self.turkish_holidays else None
        return begins is None or clock < begins

    def sample(self, *, working: bool) -> datetime:
        """A time of 2026 inside or outside working hours, for examples; UTC.

        Raises:
            ValueError: when the week has no such half hour.
        """
        at = datetime(2026, 1, 5, tzinfo=self.zone)
        for _ in range(366 * 48):
            if self.is_working(at) is working:
                return at.astimezone(UTC)
            at += timedelta(minutes=30)
        raise ValueError("no such time in the calendar")


def parse_work(text: str) -> tuple[WorkSpan, ...]:
    """Reads `Mon-Fri 08:30-18:30`, several spans separated by commas.

    Raises:
        ValueError: when a part is not of that form.
    """
    return tuple(_parse_span(part.strip()) for part in text.split(","))


def _parse_span(text: str) -> WorkSpan:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError("hours are written Mon-Fri 08:30-18:30")
    first = _DAYS.index(found["first"])
    last = _DAYS.index(found["last"] or found["first"])
    length = (last - first) % 7 + 1
    return WorkSpan(
        weekdays=frozenset((first + offset) % 7 for offset in range(length)),
        begin=time.fromisoformat(found["from"]),
        end=time.fromisoformat(found["to"]),
    )
