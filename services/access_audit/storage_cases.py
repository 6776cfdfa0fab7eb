"""SQL of cases: what applications push and decisions read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, insert, select, tuple_, update

from services.access_audit.storage_log import CHUNK
from services.access_audit.tables import case_assignees, case_subjects, cases

__all__ = ["CaseKey", "CaseRow", "find_cases", "put_cases"]

_CHUNK = CHUNK // 4


@dataclass(frozen=True, slots=True)
class CaseKey:
    """Kind and reference of a case."""

    kind: str
    ref: str


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as it stands; persons and subjects are tokens, teams are groups.

    Attributes:
        receive_us: when it was first heard of; kept when the case is pushed again.
        idx: the leaf of its last push.
    """

    key: CaseKey
    application: str
    opened_by: str
    open_us: int
    receive_us: int
    idx: int
    opener: str | None = None
    close_us: int | None = None
    subjects: frozenset[str] = field(default=frozenset())
    assignees: frozenset[str] = field(default=frozenset())
    teams: frozenset[str] = field(default=frozenset())


def find_cases(
    connection: Connection, organization: str, keys: Sequence[CaseKey]
) -> dict[CaseKey, CaseRow]:
    """The cases among these that are known."""
    found: dict[CaseKey, CaseRow] = {}
    for start in range(0, len(keys), _CHUNK):
        found.update(_find(connection, organization, keys[start : start + _CHUNK]))
    return found


def put_cases(connection: Connection, organization: str, rows: Sequence[CaseRow]) -> None:
    """Stores cases, each replacing what was known of it except when it was first heard of."""
    keys = [row.key for row in rows]
    known = find_cases(connection, organization, keys)
    fresh = [row for row in rows if row.key not in known]
    changed = [row for row in rows if row.key in known]
    if fresh:
        connection.execute(insert(cases), [_values(organization, row) for row in fresh])
    if changed:
        _update(connection, organization, changed)
    subjects = [_member(organization, row, subject=each) for row in rows for each in row.subjects]
    if subjects:
        connection.execute(insert(case_subjects), subjects)
    assignees = [
        _member(organization, row, assignee=each, team=team)
        for row in rows
        for team, names in ((False, row.assignees), (True, row.teams))
        for each in names
    ]
    if assignees:
        connection.execute(insert(case_assignees), assignees)


def _update(connection: Connection, organization: str, rows: Sequence[CaseRow]) -> None:
    keys = [(row.key.kind, row.key.ref) for row in rows]
    for table in (case_subjects, case_assignees):
        for start in range(0, len(keys), _CHUNK):
            connection.execute(
                delete(table).where(
                    table.c.organization == organization,
                    tuple_(table.c.kind, table.c.ref).in_(keys[start : start + _CHUNK]),
                )
            )
    connection.execute(
        update(cases)
        .where(
            cases.c.organization == bindparam("at_organization"),
            cases.c.kind == bindparam("at_kind"),
            cases.c.ref == bindparam("at_ref"),
        )
        .values(
            {
                name: bindparam(name)
                for name in (
                    "application",
                    "opened_by",
                    "opener",
                    "open_time",
                    "close_time",
                    "idx",
                )
            }
        ),
        [
            {
                "at_organization": organization,
                "at_kind": row.key.kind,
                "at_ref": row.key.ref,
                "application": row.application,
                "opened_by": row.opened_by,
                "opener": row.opener,
                "open_time": row.open_us,
                "close_time": row.close_us,
                "idx": row.idx,
            }
            for row in rows
        ],
    )


def _find(
    connection: Connection, organization: str, keys: Sequence[CaseKey]
) -> dict[CaseKey, CaseRow]:
    pairs = [(key.kind, key.ref) for key in keys]
    rows = connection.execute(
        select(
            cases.c.kind,
            cases.c.ref,
            cases.c.application,
            cases.c.opened_by,
            cases.c.opener,
            cases.c.open_time,
            cases.c.close_time,
            cases.c.receive_time,
            cases.c.idx,
        ).where(cases.c.organization == organization, tuple_(cases.c.kind, cases.c.ref).in_(pairs))
    ).all()
    if not rows:
        return {}
    subjects: dict[CaseKey, set[str]] = {}
    for about in connection.execute(
        select(case_subjects.c.kind, case_subjects.c.ref, case_subjects.c.subject).where(
            case_subjects.c.organization == organization,
            tuple_(case_subjects.c.kind, case_subjects.c.ref).in_(pairs),
        )
    ):
        subjects.setdefault(CaseKey(about.kind, about.ref), set()).add(about.subject)
    assignees: dict[tuple[CaseKey, bool], set[str]] = {}
    for to in connection.execute(
        select(
            case_assignees.c.kind,
            case_assignees.c.ref,
            case_assignees.c.assignee,
            case_assignees.c.team,
        ).where(
            case_assignees.c.organization == organization,
            tuple_(case_assignees.c.kind, case_assignees.c.ref).in_(pairs),
        )
    ):
        assignees.setdefault((CaseKey(to.kind, to.ref), to.team), set()).add(to.assignee)
    found: dict[CaseKey, CaseRow] = {}
    for row in rows:
        key = CaseKey(row.kind, row.ref)
        found[key] = CaseRow(
            key=key,
            application=row.application,
            opened_by=row.opened_by,
            opener=row.opener,
            open_us=row.open_time,
            close_us=row.close_time,
            receive_us=row.receive_time,
            idx=row.idx,
            subjects=frozenset(subjects.get(key, ())),
            assignees=frozenset(assignees.get((key, False), ())),
            teams=frozenset(assignees.get((key, True), ())),
        )
    return found


def _values(organization: str, row: CaseRow) -> dict[str, object]:
    return {
        "organization": organization,
        "kind": row.key.kind,
        "ref": row.key.ref,
        "application": row.application,
        "opened_by": row.opened_by,
        "opener": row.opener,
        "open_time": row.open_us,
        "close_time": row.close_us,
        "receive_time": row.receive_us,
        "idx": row.idx,
    }


def _member(organization: str, row: CaseRow, **values: object) -> dict[str, object]:
    return {"organization": organization, "kind": row.key.kind, "ref": row.key.ref, **values}
