"""Copies of register versions, so that crypto starts and encrypts without the inventory."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from emanet.core.encoding import from_micros, micros
from services.crypto.tables import register_contacts, register_versions

__all__ = ["VersionRow", "insert_version", "list_versions", "put_contact", "read_contact"]


class VersionRow(NamedTuple):
    """A verified version as it was received; times in microseconds UTC."""

    number: int
    digest: bytes
    effective: int
    snapshot: bytes
    approval: bytes


def insert_version(connection: Connection, organization: str, row: VersionRow) -> bool:
    """Keeps a version; tells whether it was new. Another replica may have kept it before.

    A number that is known keeps its digest: the row is never replaced.
    """
    known = connection.execute(
        select(register_versions.c.digest)
        .where(register_versions.c.organization == organization)
        .where(register_versions.c.number == row.number)
    ).scalar_one_or_none()
    if known is not None:
        return False
    connection.execute(insert(register_versions).values(organization=organization, **row._asdict()))
    return True


def list_versions(connection: Connection, organization: str) -> tuple[VersionRow, ...]:
    """Every version kept, by number."""
    rows = connection.execute(
        select(
            register_versions.c.number,
            register_versions.c.digest,
            register_versions.c.effective,
            register_versions.c.snapshot,
            register_versions.c.approval,
        )
        .where(register_versions.c.organization == organization)
        .order_by(register_versions.c.number)
    )
    return tuple(VersionRow(*row) for row in rows)


def put_contact(connection: Connection, organization: str, at: datetime) -> None:
    """Remembers when the inventory was last heard."""
    moment = micros(at)
    changed = connection.execute(
        update(register_contacts)
        .where(register_contacts.c.organization == organization)
        .values(contact=moment)
    )
    if not changed.rowcount:
        connection.execute(
            insert(register_contacts).values(organization=organization, contact=moment)
        )


def read_contact(connection: Connection, organization: str) -> datetime | None:
    """When the inventory was last heard; None when never."""
    moment = connection.execute(
        select(register_contacts.c.contact).where(register_contacts.c.organization == organization)
    ).scalar_one_or_none()
    return None if moment is None else from_micros(moment)
