"""How long values are kept: classes, buckets, lapses and what the law asks for.

A row ends its purpose when its rule lapses; the value dies with the last rule of its class. In a
month bucket a start that follows from the creation time is taken at its latest (the end of the
month, or of the year), so nothing lapses early. In an open bucket every start is an event that
somebody pushed under its name; an event that has not come means "not started" (decision 6).
Times are aware UTC; calendar arithmetic is in Europe/Istanbul. A period has ended at T when
lapse ≤ T.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from emanet.register.period import ISTANBUL, Period, add_period, parse_period
from emanet.register.reference import LegalRule, reference
from emanet.register.values import Register, RetentionRule, RowRef

__all__ = [
    "CREATION_EVENTS",
    "OPEN_BUCKET",
    "LegalFloor",
    "Overrun",
    "Period",
    "bucket_of",
    "class_lapse",
    "class_of",
    "class_rules",
    "held_at_most",
    "is_open_class",
    "lapse",
    "legal_floor",
    "missing_retention",
    "overruns",
    "parse_period",
    "row_lapse",
    "start_of",
]

OPEN_BUCKET = "open"

_RECORD_CREATED = "record_created"
_YEAR_EVENTS = frozenset({"end_of_calendar_year", "start_of_year_after_document_year"})
# Start events that follow from the creation time and so need no message (DESIGN §5).
CREATION_EVENTS = _YEAR_EVENTS | {_RECORD_CREATED}

_BUCKET = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_BUCKET_WIDTH = Period(months=1)


@dataclass(frozen=True, slots=True)
class LegalFloor:
    """Until when a law wants a value kept.

    Attributes:
        until: the earliest moment of destruction; None while the start is not known, which
            means: keep.
        rule: code of the retention rule in verbis.yaml.
        citation: law and article, for people (`6102 (TTK) m.82/5-6`).
        retention: slug of the register's rule that names the law.
    """

    until: datetime | None
    rule: str
    citation: str
    retention: str


@dataclass(frozen=True, slots=True)
class Overrun:
    """A register's rule that may hold data longer than a law allows.

    Attributes:
        held: the longest time a value can exist: keep + bucket + interval + backups.
        limit: the most that the law allows.
        law: the rule of verbis.yaml.
    """

    held: Period
    limit: Period
    law: LegalRule


def class_of(register: Register, field: str) -> str | None:
    """The retention class of a field: its rows' rules, sorted bytewise and joined by `+`.

    None when no row that holds the field names a known rule.
    """
    slugs = {
        ref.row.keep
        for ref in register.rows_by_field.get(field, ())
        if isinstance(ref.row.keep, str) and ref.row.keep in register.retention
    }
    return "+".join(sorted(slugs)) or None


def missing_retention(register: Register, field: str) -> str | None:
    """The path of the first row that holds a field without a known rule; None when all have one.

    The field's own path (`fields/customer.fax`) when no row holds it at all.
    """
    refs = register.rows_by_field.get(field, ())
    for ref in refs:
        if not isinstance(ref.row.keep, str) or ref.row.keep not in register.retention:
            return ref.path
    return None if refs else f"fields/{field}"


def class_rules(retention_class: str) -> tuple[str, ...]:
    """The rule slugs of a class."""
    return tuple(retention_class.split("+"))


def is_open_class(register: Register, retention_class: str) -> bool:
    """Whether any rule of the class starts with an event that the creation time does not tell.

    A rule without a start event, or one that the register no longer has, counts as such: its
    start is not known.
    """
    rules = (register.retention.get(slug) for slug in class_rules(retention_class))
    return any(rule is None or rule.start not in CREATION_EVENTS for rule in rules)


def bucket_of(register: Register, field: str, start: datetime) -> str | None:
    """The bucket of a value: `YYYY-MM` of its start in Istanbul, or `open`.

    Args:
        register: the register in effect.
        field: the field's slug.
        start: the creation time, aware.

    Returns:
        None when the field has no retention class.
    """
    retention_class = class_of(register, field)
    if retention_class is None:
        return None
    if is_open_class(register, retention_class):
        return OPEN_BUCKET
    return f"{start.astimezone(ISTANBUL):%Y-%m}"


def start_of(event: str | None, *, bucket: str, events: Mapping[str, datetime]) -> datetime | None:
    """When a period with this start event begins to run; None while it has not started.

    Args:
        event: the start event's name; None never starts.
        bucket: `YYYY-MM` or `open`.
        events: event name → its time, as pushed for the subject. A year event pushed with any
            time of the year counts from that year's end.
    """
    if event is None:
        return None
    if event in CREATION_EVENTS and bucket != OPEN_BUCKET:
        return _bucket_end(bucket, of_year=event in _YEAR_EVENTS)
    moment = events.get(event)
    if moment is not None and event in _YEAR_EVENTS:
        return _year_end(moment)
    return None if moment is None else moment.astimezone(UTC)


def lapse(rule: RetentionRule, *, bucket: str, events: Mapping[str, datetime]) -> datetime | None:
    """When a rule's period ends; None while it has not started or the rule names no period.

    Never earlier than start + keep; a day that the month reached does not have becomes its last.
    """
    start = start_of(rule.start, bucket=bucket, events=events)
    if start is None or not isinstance(rule.keep, Period):
        return None
    return add_period(start, rule.keep)


def row_lapse(
    register: Register, ref: RowRef, *, bucket: str, events: Mapping[str, datetime]
) -> datetime | None:
    """When a row's purpose ends for a value; None while it has not started."""
    rule = register.retention.get(ref.row.keep) if isinstance(ref.row.keep, str) else None
    return None if rule is None else lapse(rule, bucket=bucket, events=events)


def class_lapse(
    register: Register, retention_class: str, *, bucket: str, events: Mapping[str, datetime]
) -> datetime | None:
    """When a value of the class dies: with the last of its rules; None while any is open."""
    ends: list[datetime] = []
    for slug in class_rules(retention_class):
        rule = register.retention.get(slug)
        end = None if rule is None else lapse(rule, bucket=bucket, events=events)
        if end is None:
            return None
        ends.append(end)
    return max(ends)


def legal_floor(
    register: Register, retention_class: str, *, bucket: str, events: Mapping[str, datetime]
) -> LegalFloor | None:
    """The latest "must keep until" of the laws behind a class; None when no law asks for one.

    Laws count whose direction is `minimum` or `range` (its start). A law's period runs from the
    law's own start event; where that has not been pushed, from the register rule's. A law
    without a number asks for what the register's rule keeps.
    """
    floors = [
        floor
        for slug in class_rules(retention_class)
        if (rule := register.retention.get(slug)) is not None
        for floor in _floors(slug, rule, bucket=bucket, events=events)
    ]
    return max(floors, key=_latest, default=None)


def held_at_most(register: Register, rule: RetentionRule) -> Period | None:
    """The longest time that a value under a rule can exist, from its start.

    keep + one month for the creation bucket + the destruction interval + the backup horizon. An
    event-started rule has no bucket to wait for.

    Returns:
        None when keep, interval or horizon is not stated.
    """
    policy = register.destruction
    interval = rule.interval or (policy.interval if policy else None)
    backups = policy.backups_gone_after if policy else None
    if not isinstance(rule.keep, Period) or interval is None or backups is None:
        return None
    bucket = _BUCKET_WIDTH if rule.start in CREATION_EVENTS else Period()
    return rule.keep + bucket + interval + backups


def overruns(register: Register, rule: RetentionRule) -> tuple[Overrun, ...]:
    """The laws of a rule whose maximum (or end of range) it may exceed, destruction included."""
    held = held_at_most(register, rule)
    if held is None:
        return ()
    laws = (reference().retention_rules[code] for code in rule.rules)
    return tuple(
        Overrun(held=held, limit=law.longest, law=law)
        for law in laws
        if law.longest is not None and not held.fits_within(law.longest)
    )


def _floors(
    slug: str, rule: RetentionRule, *, bucket: str, events: Mapping[str, datetime]
) -> tuple[LegalFloor, ...]:
    own_start = start_of(rule.start, bucket=bucket, events=events)
    floors = []
    for code in rule.rules:
        law = reference().retention_rules[code]
        if not law.is_floor:
            continue
        keep = law.shortest or (rule.keep if isinstance(rule.keep, Period) else None)
        start = start_of(law.start_event, bucket=bucket, events=events) or own_start
        until = None if start is None or keep is None else add_period(start, keep)
        floors.append(LegalFloor(until=until, rule=code, citation=law.citation, retention=slug))
    return tuple(floors)


def _latest(floor: LegalFloor) -> tuple[bool, datetime, str]:
    return (floor.until is None, floor.until or datetime.min.replace(tzinfo=UTC), floor.rule)


def _bucket_end(bucket: str, *, of_year: bool) -> datetime:
    match = _BUCKET.fullmatch(bucket)
    if match is None:
        raise ValueError("a bucket is YYYY-MM or open")
    year, month = int(match[1]), int(match[2])
    if of_year or month == 12:
        return _midnight(date(year + 1, 1, 1))
    return _midnight(date(year, month + 1, 1))


def _year_end(moment: datetime) -> datetime:
    local = moment.astimezone(ISTANBUL)
    new_year = _midnight(date(local.year, 1, 1))
    return new_year if new_year == moment else _midnight(date(local.year + 1, 1, 1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ISTANBUL).astimezone(UTC)
