"""Calendar periods as laws state them: years, months, weeks and days, in ISO 8601.

A period is not a number of days: ten years from 29 February end on 28 February. Adding one to a
time happens in Europe/Istanbul, the zone in which a Turkish organization's day ends; a day that
does not exist in the month reached becomes that month's last day (TBK art. 92/3 by analogy).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, total_ordering
from zoneinfo import ZoneInfo

__all__ = ["ISTANBUL", "Period", "add_period", "add_to_date", "parse_period"]

ISTANBUL = ZoneInfo("Europe/Istanbul")

_PATTERN = re.compile(r"P(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?")
# What may be stated; a sum of a few of them (keep, bucket, interval, backups) is longer.
_LONGEST_MONTHS, _LONGEST_DAYS = 12 * 150, 36_525
_MOST_SUMMED = 8
# Mean Gregorian month (400 years = 146,097 days = 4,800 months), for comparing periods only.
_DAYS_PER_MONTH = (146_097, 4_800)


@total_ordering
@dataclass(frozen=True, slots=True)
class Period:
    """A span of calendar time.

    Attributes:
        months: whole months, years counted as twelve; stated 0 to 1,800, in a sum 0 to 14,400.
        days: whole days on top, weeks counted as seven; stated 0 to 36,525, in a sum 0 to 292,200.

    Equality is by months and days. Order is by length with the mean Gregorian month, then by
    months and days, so that it is total: P1M < P31D, P12M == P1Y.
    """

    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        if not (
            0 <= self.months <= _MOST_SUMMED * _LONGEST_MONTHS
            and 0 <= self.days <= _MOST_SUMMED * _LONGEST_DAYS
        ):
            raise ValueError("a sum of periods has 0 to 14,400 months and 0 to 292,200 days")

    def __str__(self) -> str:
        """ISO 8601: P10Y, P20M (below two years in months), P2Y6M, P35D, P0D for nothing."""
        years, months = divmod(self.months, 12)
        if years == 1 and months:
            years, months = 0, self.months
        text = "P" + (f"{years}Y" if years else "") + (f"{months}M" if months else "")
        return text + (f"{self.days}D" if self.days or not self.months else "")

    def __lt__(self, other: Period) -> bool:
        return self._order() < other._order()

    def __add__(self, other: Period) -> Period:
        return Period(months=self.months + other.months, days=self.days + other.days)

    @property
    def is_zero(self) -> bool:
        """Whether the period ends where it starts."""
        return not self.months and not self.days

    def fits_within(self, limit: Period) -> bool:
        """Whether it ends no later than `limit`, from whatever day both start.

        Stricter than the order: P28D fits within P1M, P31D does not.
        """
        months = limit.months - self.months
        if months >= 0:
            return self.days <= _extreme_days(months, min) + limit.days
        return _extreme_days(-months, max) + self.days <= limit.days

    def _order(self) -> tuple[int, int, int]:
        days, months = _DAYS_PER_MONTH
        return (self.months * days + self.days * months, self.months, self.days)


@cache
def _extreme_days(months: int, extreme: Callable[[Iterable[int]], int]) -> int:
    """The fewest or most days that so many consecutive calendar months have.

    The years 2093 to 2108 hold every pattern of leap years: four apart, and eight apart around
    2100.
    """
    starts = ((year, month) for year in range(2093, 2109) for month in range(1, 13))
    return extreme(
        (add_to_date(date(year, month, 1), Period(months=months)) - date(year, month, 1)).days
        for year, month in starts
    )


def parse_period(text: str) -> Period:
    """Reads PnYnMnWnD; every part is optional, one must stand.

    PT0S is read as nothing (verbis.yaml writes it for "not stored at all"); other times of day
    are refused, because retention is calendar time.

    Raises:
        ValueError: when the text is no such period, or longer than 150 years and 36,525 days.
    """
    if text == "PT0S":
        return Period()
    match = _PATTERN.fullmatch(text)
    if match is None or text == "P":
        raise ValueError("a period is written PnYnMnWnD, for example P10Y, P6M or P35D")
    years, months, weeks, days = (int(part or 0) for part in match.groups())
    period = Period(months=12 * years + months, days=7 * weeks + days)
    if period.months > _LONGEST_MONTHS or period.days > _LONGEST_DAYS:
        raise ValueError("a period is at most 150 years (1,800 months) and 36,525 days")
    return period


def add_period(start: datetime, period: Period) -> datetime:
    """The moment at which a period from `start` ends, in UTC.

    Years and months are added first, then days, both on the Istanbul calendar; the time of day
    stays. Never earlier than `start`.

    Args:
        start: an aware time.
        period: what to add.
    """
    local = start.astimezone(ISTANBUL)
    day = add_to_date(local.date(), period)
    ended = datetime.combine(day, local.timetz()).astimezone(UTC)
    return max(ended, start.astimezone(UTC))


def add_to_date(start: date, period: Period) -> date:
    """The calendar day on which a period from `start` ends, clamped to the month's last day."""
    years, month = divmod(start.month - 1 + period.months, 12)
    year = start.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last)) + timedelta(days=period.days)
