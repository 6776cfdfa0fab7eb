"""SQL of what is derived from access leaves: counters for limits, filters for reviewers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, exists, func, select

from services.access_audit.storage.bulk import insert_many
from services.access_audit.storage.log import LogKey
from services.access_audit.tables import access, access_subjects

__all__ = [
    "AccessFilter",
    "AccessRow",
    "count_case_values",
    "count_values",
    "count_waiting",
    "find_accesses",
    "find_subjects",
    "insert_accesses",
]

_SUM_OF_ACTOR = select(func.sum(access.c.n)).where(
    access.c.organization == bindparam("organization"),
    access.c.actor == bindparam("actor"),
    access.c.purpose == bindparam("purpose"),
    access.c.receive_time >= bindparam("since"),
    access.c.counted,
)
_SUM_OF_CASE = select(func.sum(access.c.n)).where(
    access.c.organization == bindparam("organization"),
    access.c.case_key == bindparam("case_key"),
    access.c.counted,
)
_SUBJECTS_OF_ACTOR = (
    select(access_subjects.c.subject)
    .join(
        access,
        (access.c.organization == access_subjects.c.organization)
        & (access.c.generation == access_subjects.c.generation)
        & (access.c.idx == access_subjects.c.idx),
    )
    .where(
        access.c.organization == bindparam("organization"),
        access.c.actor == bindparam("actor"),
        access.c.purpose == bindparam("purpose"),
        access.c.receive_time >= bindparam("since"),
        access.c.counted,
    )
    .distinct()
)


class AccessRow(NamedTuple):
    """What of an access is searched and counted.

    Attributes:
        idx: of its leaf.
        actor: staff token, application or subject token.
        counted: the values were released, so they count against limits.
        values: how many.
        case_key: `kind/ref`, None without a case.
        subjects: tokens.
    """

    idx: int
    receive_us: int
    actor: str
    application: str
    purpose: str
    verdict: str
    counted: bool
    waiting: bool
    values: int
    case_key: str | None
    subjects: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFilter:
    """Which accesses a reviewer asks for; None or empty = any."""

    start_us: int | None = None
    end_us: int | None = None
    actor: str = ""
    subject: str = ""
    field: str = ""
    purpose: str = ""
    verdict: str = ""
    application: str = ""
    waiting: bool = False


def insert_accesses(connection: Connection, log: LogKey, rows: Sequence[AccessRow]) -> None:
    """Stores the index rows of new access leaves."""
    organization, generation = log.organization, log.generation
    insert_many(
        connection,
        access,
        [
            (
                organization,
                generation,
                row.idx,
                row.receive_us,
                row.actor,
                row.application,
                row.purpose,
                row.verdict,
                row.counted,
                row.waiting,
                row.values,
                f" {' '.join(row.fields)} ",
                row.case_key,
            )
            for row in rows
        ],
    )
    insert_many(
        connection,
        access_subjects,
        [(organization, generation, row.idx, subject) for row in rows for subject in row.subjects],
    )


def count_values(
    connection: Connection, organization: str, *, actor: str, purpose: str, since_us: int
) -> int:
    """Values that an actor was given for a purpose since a time."""
    total: Decimal | int | None = connection.execute(
        _SUM_OF_ACTOR,
        {"organization": organization, "actor": actor, "purpose": purpose, "since": since_us},
    ).scalar_one()
    return int(total or 0)


def count_case_values(connection: Connection, organization: str, *, case_key: str) -> int:
    """Values that anybody was given under a case."""
    total: Decimal | int | None = connection.execute(
        _SUM_OF_CASE, {"organization": organization, "case_key": case_key}
    ).scalar_one()
    return int(total or 0)


def find_subjects(
    connection: Connection, organization: str, *, actor: str, purpose: str, since_us: int
) -> frozenset[str]:
    """Tokens of the different subjects that an actor was given for a purpose since a time."""
    rows = connection.execute(
        _SUBJECTS_OF_ACTOR,
        {"organization": organization, "actor": actor, "purpose": purpose, "since": since_us},
    )
    return frozenset(row.subject for row in rows)


def count_waiting(connection: Connection, organization: str) -> int:
    """Allowed accesses that wait for a review."""
    return connection.execute(
        select(func.count())
        .select_from(access)
        .where(access.c.organization == organization, access.c.waiting)
    ).scalar_one()


def find_accesses(
    connection: Connection, log: LogKey, *, wanted: AccessFilter, below: int | None, limit: int
) -> tuple[tuple[int, bool], ...]:
    """Index and review state of matching accesses, newest first, with indexes below one."""
    query = select(access.c.idx, access.c.waiting).where(
        access.c.organization == log.organization, access.c.generation == log.generation
    )
    if below is not None:
        query = query.where(access.c.idx < below)
    if wanted.start_us is not None:
        query = query.where(access.c.idx >= _first_at(connection, log, wanted.start_us))
    if wanted.end_us is not None:
        query = query.where(access.c.idx < _first_at(connection, log, wanted.end_us))
    for column, value in (
        (access.c.actor, wanted.actor),
        (access.c.purpose, wanted.purpose),
        (access.c.verdict, wanted.verdict),
        (access.c.application, wanted.application),
    ):
        if value:
            query = query.where(column == value)
    if wanted.waiting:
        query = query.where(access.c.waiting)
    if wanted.field:
        query = query.where(access.c.fields.contains(f" {wanted.field} ", autoescape=True))
    if wanted.subject:
        query = query.where(
            exists().where(
                access_subjects.c.organization == access.c.organization,
                access_subjects.c.generation == access.c.generation,
                access_subjects.c.idx == access.c.idx,
                access_subjects.c.subject == wanted.subject,
            )
        )
    rows = connection.execute(query.order_by(access.c.idx.desc()).limit(limit))
    return tuple((row.idx, row.waiting) for row in rows)


def _first_at(connection: Connection, log: LogKey, at_us: int) -> int:
    """The lowest index that was received at a time or later, by halving: times never fall."""
    of_log = (access.c.organization == log.organization, access.c.generation == log.generation)
    end = connection.execute(select(func.max(access.c.idx)).where(*of_log)).scalar_one()
    low, high = 0, 0 if end is None else end + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            select(access.c.idx, access.c.receive_time)
            .where(*of_log, access.c.idx >= middle)
            .order_by(access.c.idx)
            .limit(1)
        ).one()
        if row.receive_time >= at_us:
            high = middle
        else:
            low = row.idx + 1
    return low
