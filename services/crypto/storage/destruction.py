"""Destructions, what they killed, rotations of epochs, and who works on them, in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from services.crypto.domain.destruction import Ground
from services.crypto.tables import destruction_keys, destructions, leases, rotations

__all__ = [
    "DestructionRow",
    "RotationRow",
    "State",
    "assign_rotation",
    "destructions_of",
    "find_by_request",
    "finish_rotation",
    "has_pending",
    "insert_destruction",
    "insert_rotation",
    "list_by_state",
    "list_page",
    "put_destroyed",
    "put_epoch_receipt",
    "put_intended",
    "put_receipt",
    "read_destruction",
    "read_open_rotation",
    "read_rotation",
    "read_unrecorded_rotation",
    "release_lease",
    "take_lease",
]

_PENDING_LIMIT = 1_000


class State(StrEnum):
    """How far a destruction is; each follows from the one before and none is skipped."""

    PLANNED = "planned"
    INTENDED = "intended"
    KEYS_DESTROYED = "keys_destroyed"
    EPOCH_DESTROYED = "epoch_destroyed"
    RECEIPTED = "receipted"
    NOTHING_DESTROYED = "nothing_destroyed"


@dataclass(frozen=True, slots=True)
class DestructionRow:
    """One destruction; times in microseconds UTC.

    Attributes:
        plan: canonical JSON (domain/receipt.py).
        rotation: the old epoch whose end covers it; None until a rotation took it up.
        evidence: `declared` or `verified`; empty before its epoch is destroyed.
    """

    organization: str
    id: str
    request_id: str
    request_digest: bytes
    ground: Ground
    state: State
    plan: bytes
    requested: int
    key_count: int
    destroyed: int | None = None
    rotation: int | None = None
    unreadable_from: int | None = None
    evidence: str = ""
    receipt: bytes | None = None


class RotationRow(NamedTuple):
    """The change from one epoch to the next.

    Attributes:
        leaf: id of the leaf that records the old epoch's end, UUIDv7.
        finished: when the old epoch was destroyed, microseconds UTC.
        receipt: canonical JSON of the leaf's log receipt; None until the log has it.
    """

    old_epoch: int
    new_epoch: int
    leaf: str
    finished: int | None = None
    receipt: bytes | None = None


def insert_destruction(connection: Connection, row: DestructionRow) -> None:
    """Adds a destruction."""
    connection.execute(
        insert(destructions).values(
            organization=row.organization,
            id=row.id,
            request_id=row.request_id,
            request_digest=row.request_digest,
            ground=row.ground.value,
            state=row.state.value,
            plan=row.plan,
            requested=row.requested,
            key_count=row.key_count,
            evidence=row.evidence,
        )
    )


def read_destruction(
    connection: Connection, organization: str, destruction: str
) -> DestructionRow | None:
    """One destruction, or None."""
    return _one(connection, _select(organization).where(destructions.c.id == destruction))


def find_by_request(
    connection: Connection, organization: str, request_id: str
) -> DestructionRow | None:
    """The destruction of a request id, or None."""
    return _one(connection, _select(organization).where(destructions.c.request_id == request_id))


def list_page(
    connection: Connection, organization: str, *, before: str, limit: int
) -> list[DestructionRow]:
    """Destructions that were announced, newest first, from the first one older than `before`."""
    query = _select(organization).where(destructions.c.state != State.PLANNED.value)
    if before:
        query = query.where(destructions.c.id < before)
    query = query.order_by(destructions.c.id.desc()).limit(limit)
    return [_row(row) for row in connection.execute(query)]


def list_by_state(connection: Connection, organization: str, state: State) -> list[DestructionRow]:
    """Destructions in one state, oldest first."""
    query = (
        _select(organization)
        .where(destructions.c.state == state.value)
        .order_by(destructions.c.id)
        .limit(_PENDING_LIMIT)
    )
    return [_row(row) for row in connection.execute(query)]


def has_pending(connection: Connection, organization: str) -> bool:
    """Whether a destruction has begun and is not receipted."""
    pending = (State.INTENDED, State.KEYS_DESTROYED, State.EPOCH_DESTROYED)
    query = (
        select(destructions.c.id)
        .where(destructions.c.organization == organization)
        .where(destructions.c.state.in_([state.value for state in pending]))
        .limit(1)
    )
    return connection.execute(query).first() is not None


def put_intended(connection: Connection, row: DestructionRow) -> None:
    """PLANNED → INTENDED."""
    _move(connection, row.organization, [row.id], State.PLANNED, State.INTENDED)


def put_destroyed(
    connection: Connection, row: DestructionRow, key_ids: Iterable[bytes], *, now_us: int
) -> None:
    """INTENDED → KEYS_DESTROYED, with what it killed; a key that died before keeps its killer."""
    _move(
        connection,
        row.organization,
        [row.id],
        State.INTENDED,
        State.KEYS_DESTROYED,
        destroyed=now_us,
    )
    insert_new = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
    connection.execute(
        insert_new(destruction_keys).on_conflict_do_nothing(),
        [
            {"organization": row.organization, "key_id": key_id, "destruction": row.id}
            for key_id in key_ids
        ],
    )


def put_receipt(
    connection: Connection, row: DestructionRow, *, receipt: bytes, unreadable_from: int | None
) -> None:
    """EPOCH_DESTROYED → RECEIPTED."""
    _move(
        connection,
        row.organization,
        [row.id],
        State.EPOCH_DESTROYED,
        State.RECEIPTED,
        receipt=receipt,
        unreadable_from=unreadable_from,
    )


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


def insert_rotation(
    connection: Connection, organization: str, rotation: RotationRow, *, now_us: int
) -> None:
    """Begins a rotation."""
    connection.execute(
        insert(rotations).values(
            organization=organization,
            old_epoch=rotation.old_epoch,
            new_epoch=rotation.new_epoch,
            leaf=rotation.leaf,
            started=now_us,
        )
    )


def assign_rotation(connection: Connection, organization: str, old_epoch: int) -> None:
    """Lets the end of one epoch cover every destruction whose keys are gone by now."""
    connection.execute(
        update(destructions)
        .where(destructions.c.organization == organization)
        .where(destructions.c.state == State.KEYS_DESTROYED.value)
        .where(destructions.c.rotation.is_(None))
        .values(rotation=old_epoch)
    )


def read_open_rotation(connection: Connection, organization: str) -> RotationRow | None:
    """The rotation that is not finished; at most one is."""
    return _rotation(connection, organization, rotations.c.finished.is_(None))


def read_unrecorded_rotation(connection: Connection, organization: str) -> RotationRow | None:
    """The oldest rotation whose old epoch is destroyed and whose leaf has no receipt yet."""
    return _rotation(
        connection,
        organization,
        rotations.c.finished.is_not(None) & rotations.c.receipt.is_(None),
    )


def read_rotation(connection: Connection, organization: str, old_epoch: int) -> RotationRow | None:
    """The rotation away from an epoch."""
    return _rotation(connection, organization, rotations.c.old_epoch == old_epoch)


def finish_rotation(
    connection: Connection, organization: str, rotation: RotationRow, *, now_us: int, digest: bytes
) -> None:
    """Ends a rotation; its destructions go KEYS_DESTROYED → EPOCH_DESTROYED."""
    connection.execute(
        update(rotations)
        .where(rotations.c.organization == organization)
        .where(rotations.c.old_epoch == rotation.old_epoch)
        .where(rotations.c.finished.is_(None))
        .values(finished=now_us, evidence=digest)
    )
    connection.execute(
        update(destructions)
        .where(destructions.c.organization == organization)
        .where(destructions.c.state == State.KEYS_DESTROYED.value)
        .where(destructions.c.rotation == rotation.old_epoch)
        .values(state=State.EPOCH_DESTROYED.value, evidence="declared")
    )


def put_epoch_receipt(
    connection: Connection, organization: str, rotation: RotationRow, *, receipt: bytes
) -> None:
    """Keeps the log receipt of the old epoch's end; the first one stays."""
    connection.execute(
        update(rotations)
        .where(rotations.c.organization == organization)
        .where(rotations.c.old_epoch == rotation.old_epoch)
        .where(rotations.c.receipt.is_(None))
        .values(receipt=receipt)
    )


def take_lease(
    connection: Connection, name: str, *, holder: str, now_us: int, until_us: int
) -> bool:
    """Takes or renews a lease; false while another holder's has not run out."""
    taken = connection.execute(
        update(leases)
        .where(leases.c.name == name)
        .where((leases.c.holder == holder) | (leases.c.until < now_us))
        .values(holder=holder, until=until_us)
    )
    if taken.rowcount:
        return True
    if connection.execute(select(leases.c.name).where(leases.c.name == name)).first():
        return False
    connection.execute(insert(leases).values(name=name, holder=holder, until=until_us))
    return True


def release_lease(connection: Connection, name: str, *, holder: str) -> None:
    """Lets a lease run out at once."""
    connection.execute(
        update(leases).where(leases.c.name == name).where(leases.c.holder == holder).values(until=0)
    )


def _select(organization: str) -> Select[Any]:
    return select(
        destructions.c.organization,
        destructions.c.id,
        destructions.c.request_id,
        destructions.c.request_digest,
        destructions.c.ground,
        destructions.c.state,
        destructions.c.plan,
        destructions.c.requested,
        destructions.c.key_count,
        destructions.c.destroyed,
        destructions.c.rotation,
        destructions.c.unreadable_from,
        destructions.c.evidence,
        destructions.c.receipt,
    ).where(destructions.c.organization == organization)


def _one(connection: Connection, query: Select[Any]) -> DestructionRow | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else _row(row)


def _row(row: Any) -> DestructionRow:  # noqa: ANN401 (rows of untyped columns)
    values = dict(row._mapping)
    return DestructionRow(
        **{**values, "ground": Ground(values["ground"]), "state": State(values["state"])}
    )


def _rotation(
    connection: Connection,
    organization: str,
    condition: Any,  # noqa: ANN401 (an SQL expression)
) -> RotationRow | None:
    row = connection.execute(
        select(
            rotations.c.old_epoch,
            rotations.c.new_epoch,
            rotations.c.leaf,
            rotations.c.finished,
            rotations.c.receipt,
        )
        .where(rotations.c.organization == organization)
        .where(condition)
        .order_by(rotations.c.old_epoch)
        .limit(1)
    ).one_or_none()
    return None if row is None else RotationRow(*row)


def _move(
    connection: Connection,
    organization: str,
    ids: Sequence[str],
    old: State,
    new: State,
    **values: object,
) -> None:
    connection.execute(
        update(destructions)
        .where(destructions.c.organization == organization)
        .where(destructions.c.id.in_(ids))
        .where(destructions.c.state == old.value)
        .values(state=new.value, **values)
    )
