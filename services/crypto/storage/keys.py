"""Organizations, key counters and key rows in the database; transactions belong to operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from emanet.core.keyrow import KeyKind, KeyState
from services.crypto.domain.keys import StoredKey
from services.crypto.tables import key_counters, key_rows, log_memory, organizations

__all__ = [
    "Head",
    "OrganizationRow",
    "destroy_keys",
    "insert_keys",
    "insert_organization",
    "latest_bucket",
    "list_classes",
    "list_organizations",
    "list_survivors",
    "lock_head",
    "read_head",
    "read_keys_by_id",
    "read_keys_by_lookup",
    "read_organization",
    "rewrap_key",
    "set_epoch",
    "share_head",
]

# One statement carries at most this many keys: SQLite's limit of variables is 32,766.
_CHUNK = 1_000

_KEY_COLUMNS = (
    key_rows.c.id,
    key_rows.c.organization,
    key_rows.c.kind,
    key_rows.c.retention_class,
    key_rows.c.bucket,
    key_rows.c.state,
    key_rows.c.lookup,
    key_rows.c.epoch,
    key_rows.c.row_version,
    key_rows.c.created,
    key_rows.c.destroyed,
    key_rows.c.wrapped,
)


_NAMES = ", ".join(column.name for column in _KEY_COLUMNS)
_SELECT = f"SELECT {_NAMES} FROM {key_rows.name}"  # noqa: S608 (names of our own table)
_INSERT = f"INSERT INTO {key_rows.name} ({_NAMES})"
_KINDS = {kind.value: kind for kind in KeyKind}
_STATES = {state.value: state for state in KeyState}


class Head(NamedTuple):
    """What every batch reads first, in the snapshot of its keys.

    Attributes:
        counter: the key counter; higher after every destruction.
        epoch: the epoch that wraps new rows.
        fault: reason for which decryption is stopped; empty for none.
    """

    counter: int
    epoch: int
    fault: str


class OrganizationRow(NamedTuple):
    """An organization as it was set up: slug, pinned verifier key, and its canary envelope."""

    organization: str
    vkey: str
    canary: bytes


def insert_organization(
    connection: Connection, row: OrganizationRow, *, epoch: int, root: bytes, now_us: int
) -> None:
    """Adds an organization with key counter 1 and an empty memory of its log."""
    connection.execute(
        insert(organizations).values(
            organization=row.organization, vkey=row.vkey, canary=row.canary, created=now_us
        )
    )
    connection.execute(
        insert(key_counters).values(organization=row.organization, counter=1, epoch=epoch)
    )
    connection.execute(
        insert(log_memory).values(
            organization=row.organization,
            size=0,
            root=root,
            proven_size=0,
            proven_root=root,
            fault="",
        )
    )


def read_organization(connection: Connection, organization: str) -> OrganizationRow | None:
    """One organization, or None where it is not set up."""
    row = connection.execute(
        select(organizations.c.organization, organizations.c.vkey, organizations.c.canary).where(
            organizations.c.organization == organization
        )
    ).one_or_none()
    return None if row is None else OrganizationRow(*row)


def list_organizations(connection: Connection) -> tuple[OrganizationRow, ...]:
    """Every organization, by slug."""
    rows = connection.execute(
        select(organizations.c.organization, organizations.c.vkey, organizations.c.canary).order_by(
            organizations.c.organization
        )
    )
    return tuple(OrganizationRow(*row) for row in rows)


_HEAD = select(key_counters.c.counter, key_counters.c.epoch, log_memory.c.fault).join(
    log_memory, log_memory.c.organization == key_counters.c.organization
)


def read_head(connection: Connection, organization: str) -> Head | None:
    """Key counter, epoch and fault of an organization; None where it is not set up."""
    row = connection.execute(_HEAD.where(key_counters.c.organization == organization)).one_or_none()
    return None if row is None else Head(*row)


def share_head(connection: Connection, organization: str) -> Head | None:
    """`read_head`, keeping epoch changes out until the transaction ends; creators may overlap."""
    row = connection.execute(
        _HEAD.where(key_counters.c.organization == organization).with_for_update(
            read=True, of=key_counters
        )
    ).one_or_none()
    return None if row is None else Head(*row)


def lock_head(connection: Connection, organization: str) -> Head | None:
    """`read_head`, keeping creators and other destructions out until the transaction ends."""
    row = connection.execute(
        _HEAD.where(key_counters.c.organization == organization).with_for_update(of=key_counters)
    ).one_or_none()
    return None if row is None else Head(*row)


def set_epoch(connection: Connection, organization: str, epoch: int) -> None:
    """Makes another epoch wrap new rows; the caller holds `lock_head`."""
    connection.execute(
        update(key_counters).where(key_counters.c.organization == organization).values(epoch=epoch)
    )


def read_keys_by_id(
    connection: Connection, organization: str, ids: Sequence[bytes]
) -> list[StoredKey]:
    """The organization's rows with these ids, tombstones included, in no order."""
    return _read_many(connection, organization, key_rows.c.id.name, ids)


def read_keys_by_lookup(
    connection: Connection, organization: str, lookups: Sequence[bytes]
) -> list[StoredKey]:
    """The organization's living rows with these lookups, in no order."""
    return _read_many(connection, organization, key_rows.c.lookup.name, lookups)


def insert_keys(connection: Connection, rows: Iterable[StoredKey]) -> int:
    """Adds new rows; one whose lookup exists already is left out.

    Rows go in by ascending lookup, so that two writers who create the same keys wait for one
    another in one order.

    Returns:
        how many were added.
    """
    ordered = sorted(rows, key=lambda row: row.lookup or b"")
    if not ordered:
        return 0
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(_KEY_COLUMNS))
    statement = f"{_INSERT} VALUES ({marks}) ON CONFLICT (lookup) DO NOTHING"
    parameters = [
        (row.id, row.organization, row.kind.value, *row[3:5], row.state.value, *row[6:])
        for row in ordered
    ]
    return connection.exec_driver_sql(statement, parameters).rowcount


def destroy_keys(
    connection: Connection, organization: str, ids: Sequence[bytes], *, now_us: int
) -> int:
    """Turns living rows into tombstones and raises the key counter; the caller holds `lock_head`.

    Returns:
        how many rows died.
    """
    died = 0
    for start in range(0, len(ids), _CHUNK):
        result = connection.execute(
            update(key_rows)
            .where(key_rows.c.organization == organization)
            .where(key_rows.c.id.in_(ids[start : start + _CHUNK]))
            .where(key_rows.c.state != KeyState.DESTROYED.value)
            .values(
                state=KeyState.DESTROYED.value,
                destroyed=now_us,
                lookup=None,
                wrapped=None,
                epoch=None,
                row_version=None,
            )
        )
        died += result.rowcount
    connection.execute(
        update(key_counters)
        .where(key_counters.c.organization == organization)
        .values(counter=key_counters.c.counter + 1)
    )
    return died


def list_survivors(
    connection: Connection, organization: str, *, epoch: int, after: bytes, limit: int
) -> list[StoredKey]:
    """Living rows under an epoch, by id, from the first one after `after`."""
    query = (
        select(*_KEY_COLUMNS)
        .where(key_rows.c.organization == organization)
        .where(key_rows.c.epoch == epoch)
        .where(key_rows.c.id > after)
        .order_by(key_rows.c.id)
        .limit(limit)
    )
    return [_stored(row) for row in connection.execute(query)]


def rewrap_key(connection: Connection, row: StoredKey, *, old_version: int) -> bool:
    """Replaces the wrapping of a row that still has its old row version; tells whether it had."""
    result = connection.execute(
        update(key_rows)
        .where(key_rows.c.organization == row.organization)
        .where(key_rows.c.id == row.id)
        .where(key_rows.c.row_version == old_version)
        .values(epoch=row.epoch, row_version=row.row_version, wrapped=row.wrapped)
    )
    return result.rowcount == 1


def list_classes(connection: Connection, organization: str, kind: KeyKind) -> tuple[str, ...]:
    """The retention classes in which living keys of a kind exist, sorted; never the canary's."""
    rows = connection.execute(
        select(key_rows.c.retention_class)
        .where(key_rows.c.organization == organization)
        .where(key_rows.c.kind == kind.value)
        .where(key_rows.c.state != KeyState.DESTROYED.value)
        .where(key_rows.c.retention_class != "")
        .distinct()
        .order_by(key_rows.c.retention_class)
    )
    return tuple(row[0] for row in rows)


def latest_bucket(connection: Connection, organization: str, retention_class: str) -> str | None:
    """The latest month (or `open`, which sorts last) in which a class has a living B."""
    latest: str | None = connection.execute(
        select(func.max(key_rows.c.bucket))
        .where(key_rows.c.organization == organization)
        .where(key_rows.c.kind == KeyKind.BUCKET.value)
        .where(key_rows.c.retention_class == retention_class)
        .where(key_rows.c.state != KeyState.DESTROYED.value)
    ).scalar_one()
    return latest


def _read_many(
    connection: Connection, organization: str, column: str, wanted: Sequence[bytes]
) -> list[StoredKey]:
    # By statements that go to the driver as they are: SQLAlchemy builds an IN list anew each time.
    found: list[StoredKey] = []
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        if connection.dialect.name == "sqlite":
            marks = ",".join("?" * len(part))
            rows = connection.exec_driver_sql(
                f"{_SELECT} WHERE organization = ? AND {column} IN ({marks})",
                (organization, *part),
            )
        else:
            rows = connection.exec_driver_sql(
                f"{_SELECT} WHERE organization = %s AND {column} = ANY(%s)",
                (organization, list(part)),
            )
        found += map(_stored, rows.all())
    return found


def _stored(row: Any) -> StoredKey:  # noqa: ANN401 (rows of untyped columns)
    key_id, organization, kind, retention_class, bucket, state, *rest = row
    return StoredKey(
        key_id, organization, _KINDS[kind], retention_class, bucket, _STATES[state], *rest
    )
