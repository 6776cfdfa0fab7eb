"""SQL of cases: what applications push and decisions read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from services.access_audit.storage.bulk import insert_many
from services.access_audit.storage.log import CHUNK
from services.access_audit.tables import cases

__all__ = ["CaseKey", "CaseRow", "find_cases", "put_cases"]

_CHUNK = CHUNK // 4

_FIND = select(
    cases.c.kind,
    cases.c.ref,
    cases.c.application,
    cases.c.opened_by,
    cases.c.opener,
    cases.c.open_time,
    cases.c.close_time,
    cases.c.receive_time,
    cases.c.idx,
    cases.c.subjects,
    cases.c.assignees,
    cases.c.teams,
).where(
    cases.c.organization == bindparam("organization"),
    tuple_(cases.c.kind, cases.c.ref).in_(bindparam("keys", expanding=True)),
)
_DELETE = delete(cases).where(
    cases.c.organization == bindparam("organization"),
    tuple_(cases.c.kind, cases.c.ref).in_(bindparam("keys", expanding=True)),
)


class CaseKey(NamedTuple):
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
    pairs = [(key.kind, key.ref) for key in keys]
    for start in range(0, len(pairs), _CHUNK):
        rows = connection.execute(
            _FIND, {"organization": organization, "keys": pairs[start : start + _CHUNK]}
        )
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
                subjects=frozenset(json.loads(row.subjects)),
                assignees=frozenset(json.loads(row.assignees)),
                teams=frozenset(json.loads(row.teams)),
            )
    return found


def put_cases(connection: Connection, organization: str, rows: Sequence[CaseRow]) -> None:
    """Stores cases, each replacing what was known of it except when it was first heard of."""
    known = find_cases(connection, organization, [row.key for row in rows])
    pairs = [(key.kind, key.ref) for key in known]
    for start in range(0, len(pairs), _CHUNK):
        connection.execute(
            _DELETE, {"organization": organization, "keys": pairs[start : start + _CHUNK]}
        )
    insert_many(
        connection,
        cases,
        [
            (
                organization,
                row.key.kind,
                row.key.ref,
                row.application,
                row.opened_by,
                row.opener,
                row.open_us,
                row.close_us,
                known[row.key].receive_us if row.key in known else row.receive_us,
                row.idx,
                _list(row.subjects),
                _list(row.assignees),
                _list(row.teams),
            )
            for row in rows
        ],
    )


def _list(names: frozenset[str]) -> str:
    return json.dumps(sorted(names), ensure_ascii=False)
