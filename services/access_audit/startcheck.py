"""Compares a log with itself before anything is signed for it: at start, and on first sight.

Found here: a changed, missing or swapped leaf, a changed tile, entries that do not fit their leaf,
a pseudonym row that does not open, a control row that is not the log's, and a database that is
older than the last checkpoint that this installation acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from emanet.core.checkpoint import Checkpoint
from emanet.core.disclosure import decode_disclosure, verify_disclosure
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import AccessLeaf, CasesLeaf, RetentionLeaf, RulesLeaf, decode_leaf
from emanet.core.merkle import CompactRange, leaf_hash
from emanet.core.tiles import WIDTH
from services.access_audit import storage
from services.access_audit.storage.log import Control, LeafRow
from services.access_audit.vault import Vault
from services.access_audit.warnings import WarningCode, Warnings

__all__ = ["LogCheck", "verify_entries"]

_PSEUDONYM_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class LogCheck:
    """How much is read.

    Attributes:
        vault: opens pseudonym rows.
        warnings: hears of single rows that do not open.
        leaves: so many of the newest leaves are hashed from their bytes.
        entries: so many of the newest leaves are compared with their entries.
    """

    vault: Vault
    warnings: Warnings
    leaves: int
    entries: int

    def run(self, connection: Connection, control: Control, saved: Checkpoint | None) -> None:
        """Reads the whole log of an organization, about a second for each million leaves.

        Args:
            connection: inside a transaction that holds the control row.
            control: the control row.
            saved: the last checkpoint that was acknowledged here; None without one.

        Raises:
            UnavailableError: LOG_BEHIND, the log is smaller than the saved checkpoint.
            IntegrityError: LOG_CORRUPT, rows do not fit each other; LOG_FORK, they do, and are not
                what was signed; PSEUDONYM_CORRUPT, no pseudonym opens.
            StateError: SECRET_UNUSABLE, the epoch file is missing.
        """
        size = control.frontier.size
        if saved is not None and saved.size > size:
            raise error(Reason.LOG_BEHIND)
        walk = _Walk(saved)
        plain = max(0, size - self.leaves)
        for with_data, start, end in ((False, 0, plain), (True, plain, size)):
            rows = storage.log.stream_leaves(
                connection, control.log, start=start, end=end, with_data=with_data
            )
            walk.take(rows, with_data=with_data)
        walk.finish(control)
        _require_tiles(connection, control, walk.roots)
        verify_entries(connection, control, start=max(0, size - self.entries), end=size)
        self._open_pseudonyms(connection, control.log.organization)

    def _open_pseudonyms(self, connection: Connection, organization: str) -> None:
        """A row that does not open is a warning; when none does, the keys are the wrong ones."""
        rows = storage.pseudonyms.sample_rows(connection, organization, count=_PSEUDONYM_SAMPLE)
        broken = 0
        for row in rows:
            try:
                self.vault.open(organization, row)
            except EmanetError as refused:
                if refused.reason is Reason.SECRET_UNUSABLE:
                    raise
                broken += 1
                self.warnings.add(organization, WarningCode.PSEUDONYM_REFUSED)
        if rows and broken == len(rows):
            raise error(Reason.PSEUDONYM_CORRUPT)


class _Walk:
    """The log from its first leaf: range, roots of full level-0 tiles, the last rules leaf."""

    def __init__(self, saved: Checkpoint | None) -> None:
        self._saved = saved
        self._frontier = CompactRange()
        self._tile: list[bytes] = []
        self._rule_set: int | None = None
        self._has_forked = False
        self.roots: list[bytes] = []

    def take(self, rows: Iterable[LeafRow], *, with_data: bool) -> None:
        for row in rows:
            if row.idx != self._frontier.size + len(self._tile):
                raise _corrupt("a leaf is missing")
            if with_data and leaf_hash(row.data) != row.hash:
                raise _corrupt("a stored leaf does not have its hash")
            self._tile.append(row.hash)
            self._compare_saved()
            if len(self._tile) == WIDTH:
                self._close_tile()
            if with_data and row.type == RulesLeaf.TYPE.value:
                self._rule_set = _rule_set(row)

    def finish(self, control: Control) -> None:
        frontier = self._frontier.extend(self._tile)
        if frontier != control.frontier:
            raise _corrupt("the control row is not of this log")
        if self._has_forked:
            raise error(Reason.LOG_FORK)
        if self._rule_set is not None and self._rule_set != control.rule_set:
            raise _corrupt("the active rule set is not the one that was activated last")

    def _compare_saved(self) -> None:
        saved = self._saved
        if saved is None or saved.size != self._frontier.size + len(self._tile):
            return
        self._has_forked = self._frontier.extend(self._tile).root() != saved.root

    def _close_tile(self) -> None:
        self._frontier = self._frontier.extend(self._tile)
        self.roots.append(CompactRange().extend(self._tile).root())
        self._tile = []


def verify_entries(connection: Connection, control: Control, *, start: int, end: int) -> None:
    """Raises unless the entries of an index range are those that their leaves count and root.

    Raises:
        IntegrityError: LOG_CORRUPT.
    """
    while start < end:
        count = min(storage.log.CHUNK, end - start)
        rows = storage.log.read_leaves(connection, control.log, start=start, count=count)
        stored = storage.log.read_entries(connection, control.log, [row.idx for row in rows])
        for row in rows:
            _require_entries(row, stored.get(row.idx))
        start += count


def _require_entries(row: LeafRow, stored: bytes | None) -> None:
    leaf = decode_leaf(row.data)
    if not isinstance(leaf, AccessLeaf | CasesLeaf | RetentionLeaf):
        if stored is not None:
            raise _corrupt("a leaf without entries has some")
        return
    if stored is None:
        raise _corrupt("entries are missing")
    verify_disclosure(
        decode_disclosure(stored), entries=leaf.entries, entries_root=leaf.entries_root
    )


def _require_tiles(connection: Connection, control: Control, roots: list[bytes]) -> None:
    """Compares every stored tile with the hashes below it."""
    below = roots
    level = 0
    stored = storage.tiles.stream_tiles(connection, control.log)
    tile = next(stored, None)
    while below:
        for n, root in enumerate(below):
            if tile is None or (tile.level, tile.n) != (level, n):
                raise _corrupt("a tile is missing")
            hashes = [tile.hashes[i : i + 32] for i in range(0, len(tile.hashes), 32)]
            if tile.root != root or CompactRange().extend(hashes).root() != root:
                raise _corrupt("a tile does not hold the log's hashes")
            tile = next(stored, None)
        full = len(below) // WIDTH
        below = [
            CompactRange().extend(below[i * WIDTH : (i + 1) * WIDTH]).root() for i in range(full)
        ]
        level += 1
    if tile is not None:
        raise _corrupt("there is a tile that the log does not have")


def _rule_set(row: LeafRow) -> int:
    leaf = decode_leaf(row.data)
    if not isinstance(leaf, RulesLeaf):
        raise _corrupt("a leaf has another type than its row says")
    return leaf.number


def _corrupt(problem: str) -> EmanetError:
    return error(Reason.LOG_CORRUPT, problem=problem)
