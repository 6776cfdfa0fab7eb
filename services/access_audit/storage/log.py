"""SQL of the log itself: control rows, leaves and their entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    bindparam,
    insert,
    select,
    update,
)

from emanet.core.errors import Reason, error
from emanet.core.merkle import CompactRange
from services.access_audit.storage.bulk import find_many, insert_many
from services.access_audit.tables import control, entries, leaves

__all__ = [
    "CHUNK",
    "Control",
    "LeafRow",
    "LogKey",
    "SeenLeaf",
    "add_control",
    "advance_control",
    "find_seen",
    "insert_leaves",
    "list_organizations",
    "load_control",
    "lock_control",
    "of_log",
    "read_entries",
    "read_hashes",
    "read_leaf",
    "read_leaves",
    "stream_leaves",
]

CHUNK = 2_000
"""Values in one IN list: well below the limit of either database."""

# Built once: making a statement costs more than running it.
_CONTROL = select(
    control.c.generation,
    control.c.origin,
    control.c.size,
    control.c.range,
    control.c.last_time,
    control.c.rule_set,
    control.c.registers,
).where(control.c.organization == bindparam("organization"))
_LEAF = select(leaves.c.idx, leaves.c.id, leaves.c.type, leaves.c.data, leaves.c.hash)
_LOCK = _CONTROL.with_for_update()
_ADVANCE = (
    update(control)
    .where(control.c.organization == bindparam("of_organization"))
    .values(
        size=bindparam("new_size"),
        range=bindparam("new_range"),
        last_time=bindparam("new_last_time"),
        rule_set=bindparam("new_rule_set"),
        registers=bindparam("new_registers"),
    )
)
_SEEN = (
    leaves.c.id,
    leaves.c.idx,
    leaves.c.hash,
    leaves.c.request_caller,
    leaves.c.request_digest,
)


@dataclass(frozen=True, slots=True)
class LogKey:
    """Which log a row belongs to."""

    organization: str
    generation: int


@dataclass(frozen=True, slots=True)
class Control:
    """The state of one organization's log.

    Attributes:
        log: organization and generation.
        origin: the log's name.
        frontier: size and compact range.
        last_us: receive time of the last leaf.
        rule_set: number of the active rule set, 0 for none.
        registers: how many register versions were accepted.
    """

    log: LogKey
    origin: str
    frontier: CompactRange
    last_us: int
    rule_set: int
    registers: int


class LeafRow(NamedTuple):
    """A leaf as it is stored.

    Attributes:
        id: UUIDv7, 16 bytes.
        type: the leaf's `t`.
        entries: its entries as stored beside it; None for a leaf type without entries.
        caller, digest: who asked, and the keyed digest of what, for repeats; None when nobody did.
    """

    idx: int
    id: bytes
    type: str
    data: bytes
    hash: bytes
    entries: bytes | None = None
    caller: str | None = None
    digest: bytes | None = None


class SeenLeaf(NamedTuple):
    """What is known of an id that was used before."""

    id: bytes
    idx: int
    hash: bytes
    caller: str | None
    digest: bytes | None


def add_control(connection: Connection, *, row: Control, created_us: int) -> None:
    """Adds an organization with an empty log."""
    connection.execute(
        insert(control).values(
            organization=row.log.organization,
            generation=row.log.generation,
            origin=row.origin,
            size=row.frontier.size,
            range=row.frontier.to_bytes(),
            last_time=row.last_us,
            rule_set=row.rule_set,
            registers=row.registers,
            created=created_us,
        )
    )


def lock_control(connection: Connection, organization: str) -> Control | None:
    """Reads and locks the control row: whoever holds it is the log's only writer."""
    return _control(connection, organization, lock=True)


def load_control(connection: Connection, organization: str) -> Control | None:
    """Reads the control row; None for an organization that was never added."""
    return _control(connection, organization, lock=False)


def list_organizations(connection: Connection) -> tuple[str, ...]:
    """Every organization, sorted."""
    rows = connection.execute(select(control.c.organization).order_by(control.c.organization))
    return tuple(row.organization for row in rows)


def advance_control(connection: Connection, row: Control) -> None:
    """Writes the new head of a locked log."""
    connection.execute(
        _ADVANCE,
        {
            "of_organization": row.log.organization,
            "new_size": row.frontier.size,
            "new_range": row.frontier.to_bytes(),
            "new_last_time": row.last_us,
            "new_rule_set": row.rule_set,
            "new_registers": row.registers,
        },
    )


def insert_leaves(connection: Connection, log: LogKey, rows: Sequence[LeafRow]) -> None:
    """Appends leaves and their entries; the bulk of every transaction."""
    organization, generation = log.organization, log.generation
    insert_many(
        connection,
        leaves,
        [
            (
                organization,
                generation,
                row.idx,
                row.id,
                row.type,
                row.data,
                row.hash,
                row.caller,
                row.digest,
            )
            for row in rows
        ],
    )
    insert_many(
        connection,
        entries,
        [
            (organization, generation, row.idx, row.entries)
            for row in rows
            if row.entries is not None
        ],
    )


def find_seen(
    connection: Connection, organization: str, ids: Sequence[bytes]
) -> dict[bytes, SeenLeaf]:
    """The ids among these that the organization's logs have seen before."""
    rows = find_many(connection, _SEEN, organization=organization, key=leaves.c.id, wanted=ids)
    return {
        bytes(leaf_id): SeenLeaf(
            id=bytes(leaf_id),
            idx=idx,
            hash=bytes(leaf_hash),
            caller=caller,
            digest=None if digest is None else bytes(digest),
        )
        for leaf_id, idx, leaf_hash, caller, digest in rows
    }


def find_leaves(connection: Connection, log: LogKey, indexes: Sequence[int]) -> dict[int, LeafRow]:
    """Leaves by index, without entries; an index beyond the log has none."""
    found: dict[int, LeafRow] = {}
    for start in range(0, len(indexes), CHUNK):
        rows = connection.execute(
            _LEAF.where(of_log(leaves, log), leaves.c.idx.in_(indexes[start : start + CHUNK]))
        )
        found.update({row.idx: _leaf_row(row) for row in rows})
    return found


def read_leaf(connection: Connection, log: LogKey, idx: int) -> LeafRow | None:
    """One leaf without its entries; None beyond the log."""
    rows = read_leaves(connection, log, start=idx, count=1)
    return rows[0] if rows and rows[0].idx == idx else None


def read_leaves(
    connection: Connection, log: LogKey, *, start: int, count: int
) -> tuple[LeafRow, ...]:
    """Up to `count` leaves from `start`, in order, without entries."""
    rows = connection.execute(
        _LEAF.where(of_log(leaves, log), leaves.c.idx >= start, leaves.c.idx < start + count)
        .order_by(leaves.c.idx)
        .limit(count)
    )
    return tuple(map(_leaf_row, rows))


def read_entries(connection: Connection, log: LogKey, indexes: Sequence[int]) -> dict[int, bytes]:
    """The stored entries of some leaves, by index."""
    found: dict[int, bytes] = {}
    for start in range(0, len(indexes), CHUNK):
        rows = connection.execute(
            select(entries.c.idx, entries.c.data).where(
                of_log(entries, log), entries.c.idx.in_(indexes[start : start + CHUNK])
            )
        )
        found.update({row.idx: bytes(row.data) for row in rows})
    return found


def read_hashes(
    connection: Connection, log: LogKey, *, start: int, count: int
) -> tuple[bytes, ...]:
    """Up to `count` leaf hashes from `start`, in order."""
    rows = connection.execute(
        select(leaves.c.hash)
        .where(of_log(leaves, log), leaves.c.idx >= start, leaves.c.idx < start + count)
        .order_by(leaves.c.idx)
        .limit(count)
    )
    return tuple(bytes(row.hash) for row in rows)


def stream_leaves(
    connection: Connection, log: LogKey, *, start: int, end: int, with_data: bool
) -> Iterator[LeafRow]:
    """Leaves of an index range in order, a few thousand at a time; `data` empty when not asked."""
    columns = [leaves.c.idx, leaves.c.id, leaves.c.type, leaves.c.hash]
    if with_data:
        columns.append(leaves.c.data)
    while start < end:
        rows = connection.execute(
            select(*columns)
            .where(
                of_log(leaves, log), leaves.c.idx >= start, leaves.c.idx < min(end, start + CHUNK)
            )
            .order_by(leaves.c.idx)
            .limit(CHUNK)
        ).all()
        if not rows:
            return
        for row in rows:
            yield LeafRow(
                idx=row.idx,
                id=bytes(row.id),
                type=row.type,
                data=bytes(row.data) if with_data else b"",
                hash=bytes(row.hash),
            )
        start = rows[-1].idx + 1


def _control(connection: Connection, organization: str, *, lock: bool) -> Control | None:
    row = connection.execute(
        _LOCK if lock else _CONTROL, {"organization": organization}
    ).one_or_none()
    if row is None:
        return None
    frontier = CompactRange.from_bytes(bytes(row.range))
    if frontier.size != row.size:
        raise error(Reason.LOG_CORRUPT, problem="the control row's size and range differ")
    return Control(
        log=LogKey(organization=organization, generation=row.generation),
        origin=row.origin,
        frontier=frontier,
        last_us=row.last_time,
        rule_set=row.rule_set,
        registers=row.registers,
    )


def of_log(table: Table, log: LogKey) -> ColumnElement[bool]:
    """The rows of a table that belong to a log."""
    return and_(table.c.organization == log.organization, table.c.generation == log.generation)


def _leaf_row(row: Row[int, bytes, str, bytes, bytes]) -> LeafRow:
    return LeafRow(
        idx=row.idx,
        id=bytes(row.id),
        type=row.type,
        data=bytes(row.data),
        hash=bytes(row.hash),
    )
