"""SQL of what is derived from access leaves: counters for limits, filters for reviewers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, exists, func, insert, select

from services.access_audit.storage_log import LogKey
from services.access_audit.tables import access, access_fields, access_subjects

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


@dataclass(frozen=True, slots=True)
class AccessRow:
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
    head = {"organization": log.organization, "generation": log.generation}
    connection.execute(
        insert(access),
        [
            {
                **head,
                "idx": row.idx,
                "receive_time": row.receive_us,
                "actor": row.actor,
                "application": row.application,
                "purpose": row.purpose,
                "verdict": row.verdict,
                "counted": row.counted,
                "waiting": row.waiting,
                "values": row.values,
                "case_key": row.case_key,
            }
            for row in rows
        ],
    )
    connection.execute(
        insert(access_fields),
        [{**head, "idx": row.idx, "field": field} for row in rows for field in row.fields],
    )
    subjects = [
        {**head, "idx": row.idx, "subject": subject} for row in rows for subject in row.subjects
    ]
    if subjects:
        connection.execute(insert(access_subjects), subjects)


def count_values(
    connection: Connection, organization: str, *, actor: str, purpose: str, since_us: int
) -> int:
    """Values that an actor was given for a purpose since a time."""
    return _sum(
        connection.execute(
            select(func.sum(access.c.values)).where(
                access.c.organization == organization,
                access.c.actor == actor,
                access.c.purpose == purpose,
                access.c.receive_time >= since_us,
                access.c.counted,
            )
        ).scalar_one()
    )


def count_case_values(connection: Connection, organization: str, *, case_key: str) -> int:
    """Values that anybody was given under a case."""
    return _sum(
        connection.execute(
            select(func.sum(access.c.values)).where(
                access.c.organization == organization,
                access.c.case_key == case_key,
                access.c.counted,
            )
        ).scalar_one()
    )


def find_subjects(
    connection: Connection, organization: str, *, actor: str, purpose: str, since_us: int
) -> frozenset[str]:
    """Tokens of the different subjects that an actor was given for a purpose since a time."""
    rows = connection.execute(
        select(access_subjects.c.subject)
        .join(
            access,
            (access.c.organization == access_subjects.c.organization)
            & (access.c.generation == access_subjects.c.generation)
            & (access.c.idx == access_subjects.c.idx),
        )
        .where(
            access.c.organization == organization,
            access.c.actor == actor,
            access.c.purpose == purpose,
            access.c.receive_time >= since_us,
            access.c.counted,
        )
        .distinct()
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
        query = query.where(access.c.receive_time >= wanted.start_us)
    if wanted.end_us is not None:
        query = query.where(access.c.receive_time < wanted.end_us)
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
    if wanted.subject:
        query = query.where(
            exists().where(
                access_subjects.c.organization == access.c.organization,
                access_subjects.c.generation == access.c.generation,
                access_subjects.c.idx == access.c.idx,
                access_subjects.c.subject == wanted.subject,
            )
        )
    if wanted.field:
        query = query.where(
            exists().where(
                access_fields.c.organization == access.c.organization,
                access_fields.c.generation == access.c.generation,
                access_fields.c.idx == access.c.idx,
                access_fields.c.field == wanted.field,
            )
        )
    rows = connection.execute(query.order_by(access.c.idx.desc()).limit(limit))
    return tuple((row.idx, row.waiting) for row in rows)


def _sum(total: Decimal | int | None) -> int:
    return int(total or 0)
