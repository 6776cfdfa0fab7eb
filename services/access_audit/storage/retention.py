"""SQL of retention events: when periods began that creation times do not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from services.access_audit.storage.bulk import insert_many
from services.access_audit.storage.log import CHUNK
from services.access_audit.tables import retention_events

__all__ = ["EventRow", "events_of", "put_events", "subjects_with"]

_CHUNK = CHUNK // 4

_EVENTS = select(
    retention_events.c.subject, retention_events.c.event, retention_events.c.event_time
).where(
    retention_events.c.organization == bindparam("organization"),
    retention_events.c.subject.in_(bindparam("subjects", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class EventRow:
    """A start event of a subject (token); `idx` is the leaf that brought it."""

    subject: str
    event: str
    event_us: int
    application: str
    idx: int


def put_events(connection: Connection, organization: str, rows: Sequence[EventRow]) -> None:
    """Stores events; the last one of a subject and event stands."""
    last = {(row.event, row.subject): row for row in rows}
    keys = list(last)
    for start in range(0, len(keys), _CHUNK):
        connection.execute(
            delete(retention_events).where(
                retention_events.c.organization == organization,
                tuple_(retention_events.c.event, retention_events.c.subject).in_(
                    keys[start : start + _CHUNK]
                ),
            )
        )
    insert_many(
        connection,
        retention_events,
        [
            (organization, row.event, row.subject, row.event_us, row.application, row.idx)
            for row in last.values()
        ],
    )


def events_of(
    connection: Connection, organization: str, subjects: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Event times by subject and event name."""
    found: dict[str, dict[str, int]] = {}
    for start in range(0, len(subjects), CHUNK):
        rows = connection.execute(
            _EVENTS, {"organization": organization, "subjects": subjects[start : start + CHUNK]}
        )
        for row in rows:
            found.setdefault(row.subject, {})[row.event] = row.event_time
    return found


def subjects_with(
    connection: Connection, organization: str, *, events: Sequence[str], until_us: int
) -> tuple[str, ...]:
    """Subjects for whom one of the events happened no later than a time, by token."""
    rows = connection.execute(
        select(retention_events.c.subject)
        .where(
            retention_events.c.organization == organization,
            retention_events.c.event.in_(events),
            retention_events.c.event_time <= until_us,
        )
        .distinct()
        .order_by(retention_events.c.subject)
    )
    return tuple(row.subject for row in rows)
