"""One transaction of one organization's log: what jobs see, and how their leaves are written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from emanet.core.encoding import from_micros
from emanet.core.errors import Reason, error
from emanet.core.leaf import Entry, Leaf, decode_leaf, encode_leaf
from emanet.core.merkle import SALT_BYTES, leaf_hash
from services.access_audit import storage
from services.access_audit.domain.party import Party
from services.access_audit.domain.sealing import SealedEntries, seal_entries
from services.access_audit.domain.tiling import close_tiles
from services.access_audit.storage.access import AccessRow
from services.access_audit.storage.log import Control, LeafRow, SeenLeaf
from services.access_audit.storage.tiles import TileRow
from services.access_audit.vault import Vault

__all__ = ["Appended", "LogTransaction", "RequestKey"]

_SALT_POOL_BYTES = 4_096


class RequestKey(NamedTuple):
    """By what a repeated request is recognised.

    Attributes:
        id: UUIDv7; becomes the leaf's id.
        caller: SPIFFE id of the certificate.
        digest: keyed digest of the content.
    """

    id: UUID
    caller: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a leaf went.

    Attributes:
        data: the leaf's bytes; empty when the answer repeats an earlier one.
    """

    index: int
    leaf_hash: bytes
    data: bytes = b""


class LogTransaction:
    """Collects leaves while the control row is locked; `flush` writes them.

    Jobs of one batch run in order, and each sees what the jobs before it did. Leaves stand in
    memory until `flush`, everything else is in the connection at once.

    Attributes:
        now_us: receive time of every leaf of this transaction.
        rule_set: number of the active rule set.
        registers: number of register versions accepted.
        upcoming: the jobs after the one that runs.
        accesses: index rows of the access leaves so far, written by `flush`.
        sheet: facts that access jobs loaded for each other; dropped when a job changes facts.
    """

    def __init__(
        self, connection: Connection, *, control: Control, now_us: int, vault: Vault
    ) -> None:
        """Takes a locked control row and the receive time of everything in this transaction."""
        self.connection = connection
        self.log = control.log
        self.organization = control.log.organization
        self.now_us = now_us
        self.rule_set = control.rule_set
        self.registers = control.registers
        self._control = control
        self._vault = vault
        self.upcoming: Sequence[object] = ()
        self.sheet: object | None = None
        self.accesses: list[AccessRow] = []
        self._salts = b""
        self._rows: list[LeafRow] = []
        self._by_id: dict[bytes, LeafRow] = {}
        self._tokens: dict[Party, str] = {}

    @property
    def now(self) -> datetime:
        """The receive time."""
        return from_micros(self.now_us)

    @property
    def control(self) -> Control:
        """The control row as it was locked."""
        return self._control

    @property
    def has_new_ground(self) -> bool:
        """Whether a job made another register or rule set the one that decisions stand on."""
        before = self._control
        return (self.registers, self.rule_set) != (before.registers, before.rule_set)

    @contextmanager
    def savepoint(self) -> Iterator[Connection]:
        """Writes facts of a job; when it raises, its writes and its leaves are undone."""
        self.sheet = None
        count = len(self._rows)
        try:
            with self.connection.begin_nested():
                yield self.connection
        except BaseException:
            for row in self._rows[count:]:
                del self._by_id[row.id]
            del self._rows[count:]
            self._tokens = {}
            raise

    def seal(self, entries: Sequence[Entry]) -> SealedEntries:
        """Seals the entries of one leaf with fresh salts."""
        needed = SALT_BYTES * len(entries)
        if len(self._salts) < needed:
            # One call for many leaves; what is left is dropped with the transaction.
            self._salts = os.urandom(needed + _SALT_POOL_BYTES)
        salts, self._salts = self._salts[:needed], self._salts[needed:]
        return seal_entries(entries, salts=salts)

    def append(
        self,
        leaf: Leaf,
        *,
        entries: SealedEntries | None = None,
        request: RequestKey | None = None,
    ) -> Appended:
        """Appends a leaf whose id was looked up with `seen` before."""
        data = encode_leaf(leaf)
        row = LeafRow(
            idx=self._control.frontier.size + len(self._rows),
            id=leaf.id.bytes,
            type=leaf.TYPE.value,
            data=data,
            hash=leaf_hash(data),
            entries=None if entries is None else entries.data,
            caller=None if request is None else request.caller,
            digest=None if request is None else request.digest,
        )
        self._rows.append(row)
        self._by_id[row.id] = row
        return Appended(index=row.idx, leaf_hash=row.hash, data=data)

    def seen(self, ids: Iterable[UUID]) -> dict[UUID, SeenLeaf]:
        """The ids that the organization's log knows, this transaction's own included."""
        wanted = {value.bytes: value for value in ids}
        found = {
            value: own for value in wanted.values() if (own := self.find_own(value)) is not None
        }
        asked = [raw for raw, value in wanted.items() if value not in found]
        stored = storage.log.find_seen(self.connection, self.organization, asked)
        found.update({wanted[raw]: seen for raw, seen in stored.items()})
        return found

    def find_own(self, leaf_id: UUID) -> SeenLeaf | None:
        """The leaf of this transaction that has an id; None when none has."""
        row = self._by_id.get(leaf_id.bytes)
        if row is None:
            return None
        return SeenLeaf(id=row.id, idx=row.idx, hash=row.hash, caller=row.caller, digest=row.digest)

    def find_leaf(self, leaf_id: UUID) -> Leaf | None:
        """The leaf of an id, this transaction's own included; None when there is none.

        Raises:
            IntegrityError: LOG_CORRUPT, its bytes are not what was hashed.
        """
        own = self._by_id.get(leaf_id.bytes)
        if own is not None:
            return decode_leaf(own.data)
        seen = self.seen([leaf_id]).get(leaf_id)
        row = None if seen is None else self.read_row(seen.idx)
        return None if row is None else decode_leaf(row.data)

    def read_row(self, idx: int) -> LeafRow | None:
        """A leaf of an earlier transaction; None when there is none.

        Raises:
            IntegrityError: LOG_CORRUPT, its bytes are not what was hashed.
        """
        row = storage.log.read_leaf(self.connection, self.log, idx)
        if row is not None and leaf_hash(row.data) != row.hash:
            raise error(Reason.LOG_CORRUPT, problem="a stored leaf does not have its hash")
        return row

    def tokens(self, parties: Iterable[Party]) -> dict[Party, str]:
        """The tokens of parties; a party without a row gets one."""
        missing = {each for each in parties if each not in self._tokens}
        if missing:
            self._load_tokens(missing)
        return self._tokens

    def known_tokens(self, parties: Iterable[Party]) -> dict[Party, str]:
        """The tokens of parties that have a row; nothing is made."""
        lookups = {self._vault.lookup(self.organization, each): each for each in parties}
        found = storage.pseudonyms.find_tokens(self.connection, self.organization, list(lookups))
        return {lookups[lookup]: token for lookup, token in found.items()}

    def activate_rule_set(self, number: int) -> None:
        """Makes a rule set the active one for whatever is decided after."""
        self.rule_set = number

    def count_register(self, number: int) -> None:
        """Makes a register version known to whatever is decided after."""
        self.registers = number

    def flush(self) -> Control:
        """Writes leaves, entries, full tiles and the new head; returns the new head."""
        if not self._rows:
            return self._control
        hashes = [row.hash for row in self._rows]
        head = replace(
            self._control,
            frontier=self._control.frontier.extend(hashes),
            last_us=self.now_us,
            rule_set=self.rule_set,
            registers=self.registers,
        )
        storage.log.insert_leaves(self.connection, self.log, self._rows)
        if self.accesses:
            storage.access.insert_accesses(self.connection, self.log, self.accesses)
        closed = close_tiles(size=self._control.frontier.size, added=hashes, tail=self._tail)
        if closed:
            rows = [
                TileRow(level=tile.level, n=tile.n, hashes=tile.hashes, root=tile.root)
                for tile in closed
            ]
            storage.tiles.insert_tiles(self.connection, self.log, rows)
        storage.log.advance_control(self.connection, head)
        return head

    def _tail(self, level: int, start: int, count: int) -> Sequence[bytes]:
        if level == 0:
            return storage.log.read_hashes(self.connection, self.log, start=start, count=count)
        return storage.tiles.read_tile_roots(
            self.connection, self.log, level=level - 1, start=start, count=count
        )

    def _load_tokens(self, parties: set[Party]) -> None:
        lookups = {self._vault.lookup(self.organization, each): each for each in parties}
        found = storage.pseudonyms.find_tokens(self.connection, self.organization, list(lookups))
        unknown = {lookup: each for lookup, each in lookups.items() if lookup not in found}
        if unknown:
            fresh = self._vault.create(self.organization, unknown)
            storage.pseudonyms.insert_rows(self.connection, self.organization, fresh)
            found.update({row.lookup: row.token for row in fresh})
        self._tokens.update({lookups[lookup]: token for lookup, token in found.items()})
