"""Business days in Türkiye, for terms that the law counts in them (KVKK art. 9/5)."""

from __future__ import annotations

from datetime import date, timedelta
from types import MappingProxyType

__all__ = ["business_days_after", "is_business_day"]

_SATURDAY = 5
# (month, day): law 2429 art. 1 and 2 as changed by laws 5892 and 6752. The half days before a
# holiday count as business days.
_FIXED = frozenset({(1, 1), (4, 23), (5, 1), (5, 19), (7, 15), (8, 30), (10, 29)})
# First days of Ramazan Bayramı (three days) and Kurban Bayramı (four days): law 2429 art. 2/B, by
# the calendar of the Presidency of Religious Affairs; from our own knowledge, not read again at
# the source. A later year has no entry: terms over its holidays come out one to four days short.
_RELIGIOUS = MappingProxyType(
    {
        2024: ((4, 10), (6, 16)),
        2025: ((3, 30), (6, 6)),
        2026: ((3, 20), (5, 27)),
        2027: ((3, 9), (5, 16)),
        2028: ((2, 26), (5, 5)),
        2029: ((2, 14), (4, 24)),
        2030: ((2, 4), (4, 13)),
    }
)
_LENGTHS = (3, 4)


def is_business_day(day: date) -> bool:
    """Whether a day is neither of a week-end nor a public holiday in Türkiye."""
    if day.weekday() >= _SATURDAY or (day.month, day.day) in _FIXED:
        return False
    starts = (date(day.year, *start) for start in _RELIGIOUS.get(day.year, ()))
    return not any(
        timedelta() <= day - start < timedelta(days=length)
        for start, length in zip(starts, _LENGTHS, strict=False)
    )


def business_days_after(start: date, days: int) -> date:
    """The last day of a term of so many business days; the day of the event does not count.

    Args:
        start: the day of the event.
        days: 0 or more; 0 is the day itself.
    """
    day = start
    while days:
        day += timedelta(days=1)
        days -= is_business_day(day)
    return day
