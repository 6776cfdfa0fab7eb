"""The largest checkpoint seen of each organization's log, and how far its history is proven."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select, update

from services.crypto.domain.proof import KnownLog
from services.crypto.tables import log_memory

__all__ = ["LogState", "put_fault", "put_proven", "put_seen", "read_log"]


class LogState(NamedTuple):
    """Seen and proven trees, and the reason that stopped decryption (empty for none)."""

    seen: KnownLog
    proven: KnownLog
    fault: str


def read_log(connection: Connection, organization: str) -> LogState | None:
    """What is remembered of a log; None where the organization is not set up."""
    row = connection.execute(
        select(
            log_memory.c.size,
            log_memory.c.root,
            log_memory.c.proven_size,
            log_memory.c.proven_root,
            log_memory.c.fault,
        ).where(log_memory.c.organization == organization)
    ).one_or_none()
    if row is None:
        return None
    return LogState(KnownLog(row[0], row[1]), KnownLog(row[2], row[3]), row[4])


def put_seen(connection: Connection, organization: str, seen: KnownLog) -> None:
    """Remembers a larger tree; a smaller one changes nothing."""
    connection.execute(
        update(log_memory)
        .where(log_memory.c.organization == organization)
        .where(log_memory.c.size < seen.size)
        .values(size=seen.size, root=seen.root)
    )


def put_proven(connection: Connection, organization: str, proven: KnownLog) -> None:
    """Remembers how far history is proven; a smaller tree changes nothing."""
    connection.execute(
        update(log_memory)
        .where(log_memory.c.organization == organization)
        .where(log_memory.c.proven_size < proven.size)
        .values(proven_size=proven.size, proven_root=proven.root)
    )


def put_fault(connection: Connection, organization: str, fault: str) -> None:
    """Stops decryption for a reason; only an operator takes it back, in the database."""
    connection.execute(
        update(log_memory).where(log_memory.c.organization == organization).values(fault=fault)
    )
