"""SQL of the epochs whose end the log names."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from services.access_audit.storage.log import LogKey, of_log
from services.access_audit.tables import epochs

__all__ = ["EpochRow", "find_last", "insert_epoch"]


class EpochRow(NamedTuple):
    """The highest number that one `epoch` leaf names, and the leaf's index."""

    number: int
    idx: int


def find_last(connection: Connection, log: LogKey) -> EpochRow | None:
    """The newest leaf's row; None while the log names no epoch."""
    row = connection.execute(
        select(epochs.c.number, epochs.c.idx)
        .where(of_log(epochs, log))
        .order_by(epochs.c.number.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else EpochRow(*row)


def insert_epoch(connection: Connection, log: LogKey, row: EpochRow) -> None:
    """Remembers a leaf that names epochs."""
    connection.execute(
        insert(epochs).values(
            organization=log.organization,
            generation=log.generation,
            number=row.number,
            idx=row.idx,
        )
    )
