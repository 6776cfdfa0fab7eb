"""SQL of pseudonym rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from services.access_audit.storage.bulk import find_many, insert_many
from services.access_audit.storage.log import CHUNK
from services.access_audit.tables import pseudonyms
from services.access_audit.vault import PseudonymRow

__all__ = ["find_rows_by_token", "find_tokens", "insert_rows", "sample_rows"]

_COLUMNS = (
    pseudonyms.c.lookup,
    pseudonyms.c.namespace,
    pseudonyms.c.token,
    pseudonyms.c.epoch,
    pseudonyms.c.wrapped,
)


def find_tokens(
    connection: Connection, organization: str, lookups: Sequence[bytes]
) -> dict[bytes, str]:
    """The tokens of the lookups that have a row."""
    rows = find_many(
        connection,
        (pseudonyms.c.lookup, pseudonyms.c.token),
        organization=organization,
        key=pseudonyms.c.lookup,
        wanted=lookups,
    )
    return {bytes(lookup): token for lookup, token in rows}


def insert_rows(connection: Connection, organization: str, rows: Sequence[PseudonymRow]) -> None:
    """Stores new rows."""
    insert_many(
        connection,
        pseudonyms,
        [
            (organization, row.lookup, row.namespace, row.token, row.epoch, row.wrapped)
            for row in rows
        ],
    )


def find_rows_by_token(
    connection: Connection, organization: str, tokens: Sequence[str]
) -> dict[str, PseudonymRow]:
    """The rows behind tokens; an erased one is missing."""
    found: dict[str, PseudonymRow] = {}
    for start in range(0, len(tokens), CHUNK):
        rows = connection.execute(
            select(*_COLUMNS).where(
                pseudonyms.c.organization == organization,
                pseudonyms.c.token.in_(tokens[start : start + CHUNK]),
            )
        )
        found.update({row.token: _row(row) for row in rows})
    return found


def sample_rows(
    connection: Connection, organization: str, *, count: int
) -> tuple[PseudonymRow, ...]:
    """Some rows in no particular order, for the check at start."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(pseudonyms.c.organization == organization)
        .order_by(func.random())
        .limit(count)
    )
    return tuple(map(_row, rows))


def _row(row: Row[*tuple[Any, ...]]) -> PseudonymRow:
    return PseudonymRow(
        lookup=bytes(row.lookup),
        namespace=row.namespace,
        token=row.token,
        epoch=row.epoch,
        wrapped=bytes(row.wrapped),
    )
