"""SQL of rule sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from services.access_audit.tables import rule_sets

__all__ = [
    "RuleSetRow",
    "activate_rule_set",
    "find_by_request",
    "insert_rule_set",
    "list_rule_sets",
    "next_number",
    "read_rule_set",
]


@dataclass(frozen=True, slots=True)
class RuleSetRow:
    """A rule set as it is stored.

    Attributes:
        source: the file verbatim; empty in lists.
        applied_by, activated_by: person ids.
        request_id: UUIDv7 of the application, 16 bytes.
        idx: of the rules leaf; None before the activation.
    """

    number: int
    digest: bytes
    source: str
    applied_by: str
    apply_us: int
    request_id: bytes
    request_caller: str
    request_digest: bytes
    activated_by: str | None = None
    activate_us: int | None = None
    idx: int | None = None


_COLUMNS = (
    rule_sets.c.number,
    rule_sets.c.digest,
    rule_sets.c.applied_by,
    rule_sets.c.apply_time,
    rule_sets.c.request_id,
    rule_sets.c.request_caller,
    rule_sets.c.request_digest,
    rule_sets.c.activated_by,
    rule_sets.c.activate_time,
    rule_sets.c.idx,
)


def next_number(connection: Connection, organization: str) -> int:
    """The number of the next rule set, from 1."""
    last: int | None = connection.execute(
        select(func.max(rule_sets.c.number)).where(rule_sets.c.organization == organization)
    ).scalar_one()
    return (last or 0) + 1


def insert_rule_set(connection: Connection, organization: str, row: RuleSetRow) -> None:
    """Stores an applied rule set."""
    connection.execute(
        insert(rule_sets).values(
            organization=organization,
            number=row.number,
            digest=row.digest,
            source=row.source,
            applied_by=row.applied_by,
            apply_time=row.apply_us,
            request_id=row.request_id,
            request_caller=row.request_caller,
            request_digest=row.request_digest,
        )
    )


def read_rule_set(connection: Connection, organization: str, number: int) -> RuleSetRow | None:
    """One rule set with its source."""
    row = connection.execute(
        select(*_COLUMNS, rule_sets.c.source).where(
            rule_sets.c.organization == organization, rule_sets.c.number == number
        )
    ).one_or_none()
    return None if row is None else _row(row, row.source)


def find_by_request(
    connection: Connection, organization: str, request_id: bytes
) -> RuleSetRow | None:
    """The rule set that a request applied."""
    row = connection.execute(
        select(*_COLUMNS, rule_sets.c.source).where(
            rule_sets.c.organization == organization, rule_sets.c.request_id == request_id
        )
    ).one_or_none()
    return None if row is None else _row(row, row.source)


def list_rule_sets(
    connection: Connection, organization: str, *, below: int | None, limit: int
) -> tuple[RuleSetRow, ...]:
    """Rule sets without sources, newest first, with numbers below one."""
    query = select(*_COLUMNS).where(rule_sets.c.organization == organization)
    if below is not None:
        query = query.where(rule_sets.c.number < below)
    rows = connection.execute(query.order_by(rule_sets.c.number.desc()).limit(limit))
    return tuple(_row(row, "") for row in rows)


def activate_rule_set(
    connection: Connection, organization: str, number: int, *, person: str, at_us: int, idx: int
) -> None:
    """Marks a rule set as activated; the database refuses the person who applied it."""
    connection.execute(
        update(rule_sets)
        .where(
            rule_sets.c.organization == organization,
            rule_sets.c.number == number,
            rule_sets.c.activated_by.is_(None),
        )
        .values(activated_by=person, activate_time=at_us, idx=idx)
    )


def _row(row: Row[*tuple[Any, ...]], source: str) -> RuleSetRow:
    return RuleSetRow(
        number=row.number,
        digest=bytes(row.digest),
        source=source,
        applied_by=row.applied_by,
        apply_us=row.apply_time,
        request_id=bytes(row.request_id),
        request_caller=row.request_caller,
        request_digest=bytes(row.request_digest),
        activated_by=row.activated_by,
        activate_us=row.activate_time,
        idx=row.idx,
    )
