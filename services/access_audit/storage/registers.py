"""SQL of register copies and of contact with the inventory."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from services.access_audit.tables import register_contacts, register_copies

__all__ = [
    "CopyRow",
    "Effect",
    "insert_copy",
    "list_digests",
    "list_effects",
    "read_contacts",
    "read_copy",
    "write_contact",
]


@dataclass(frozen=True, slots=True)
class Effect:
    """Number, stored digest and effective time of a version."""

    number: int
    digest: bytes
    effective_us: int


@dataclass(frozen=True, slots=True)
class CopyRow:
    """A register version as it is stored; `idx` is its register leaf."""

    number: int
    digest: bytes
    snapshot: bytes
    approval: bytes
    effective_us: int
    accept_us: int
    idx: int


def list_effects(connection: Connection, organization: str) -> tuple[Effect, ...]:
    """Every version that was accepted, highest number first."""
    rows = connection.execute(
        select(register_copies.c.number, register_copies.c.digest, register_copies.c.effective_time)
        .where(register_copies.c.organization == organization)
        .order_by(register_copies.c.number.desc())
    )
    return tuple(
        Effect(number=row.number, digest=bytes(row.digest), effective_us=row.effective_time)
        for row in rows
    )


def list_digests(connection: Connection, organization: str) -> dict[int, bytes]:
    """The digest of every version that was accepted."""
    rows = connection.execute(
        select(register_copies.c.number, register_copies.c.digest)
        .where(register_copies.c.organization == organization)
        .order_by(register_copies.c.number)
    )
    return {row.number: bytes(row.digest) for row in rows}


def read_copy(connection: Connection, organization: str, number: int) -> CopyRow | None:
    """One version."""
    row = connection.execute(
        select(
            register_copies.c.number,
            register_copies.c.digest,
            register_copies.c.snapshot,
            register_copies.c.approval,
            register_copies.c.effective_time,
            register_copies.c.accept_time,
            register_copies.c.idx,
        ).where(register_copies.c.organization == organization, register_copies.c.number == number)
    ).one_or_none()
    if row is None:
        return None
    return CopyRow(
        number=row.number,
        digest=bytes(row.digest),
        snapshot=bytes(row.snapshot),
        approval=bytes(row.approval),
        effective_us=row.effective_time,
        accept_us=row.accept_time,
        idx=row.idx,
    )


def insert_copy(connection: Connection, organization: str, row: CopyRow) -> None:
    """Stores a verified version."""
    connection.execute(
        insert(register_copies).values(
            organization=organization,
            number=row.number,
            digest=row.digest,
            snapshot=row.snapshot,
            approval=row.approval,
            effective_time=row.effective_us,
            accept_time=row.accept_us,
            idx=row.idx,
        )
    )


def read_contacts(connection: Connection) -> dict[str, int]:
    """When the inventory was last heard, for each organization."""
    rows = connection.execute(
        select(register_contacts.c.organization, register_contacts.c.contact_time)
    )
    return {row.organization: row.contact_time for row in rows}


def write_contact(connection: Connection, organization: str, at_us: int) -> None:
    """Stores a contact; an earlier time never replaces a later one."""
    known = connection.execute(
        select(register_contacts.c.contact_time).where(
            register_contacts.c.organization == organization
        )
    ).scalar_one_or_none()
    if known is None:
        connection.execute(
            insert(register_contacts).values(organization=organization, contact_time=at_us)
        )
        return
    connection.execute(
        update(register_contacts)
        .where(
            register_contacts.c.organization == organization,
            register_contacts.c.contact_time < at_us,
        )
        .values(contact_time=at_us)
    )
