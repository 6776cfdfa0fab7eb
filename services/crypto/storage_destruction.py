"""Destructions, what they killed, and rotations of epochs in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from services.crypto.tables import destruction_keys

__all__ = ["destructions_of"]


def destructions_of(
    connection: Connection, organization: str, key_ids: Sequence[bytes]
) -> dict[bytes, str]:
    """The id of the destruction that killed each of these keys."""
    rows = connection.execute(
        select(destruction_keys.c.key_id, destruction_keys.c.destruction)
        .where(destruction_keys.c.organization == organization)
        .where(destruction_keys.c.key_id.in_(key_ids))
        .limit(len(key_ids))
    )
    return {row[0]: row[1] for row in rows}
