"""Checkpoints and proofs (RFC 6962 section 2.1, C2SP tlog-checkpoint)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from emanet.api.access_audit.v1 import log_pb2
from emanet.core.checkpoint import format_vkey
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.merkle import consistency_proof, inclusion_proof, leaf_hash
from emanet.core.tiles import WIDTH, Tile, encode_hashes, hash_reader
from services.access_audit import storage
from services.access_audit.committer import Committer
from services.access_audit.domain.claim import invalid
from services.access_audit.heads import Head, Heads
from services.access_audit.jobs.keys import HeadJob
from services.access_audit.signer import LogKeys
from services.access_audit.storage.log import LogKey
from services.runtime.database import Database

__all__ = ["LogReads", "tile_reader"]


@dataclass(frozen=True, slots=True)
class LogReads:
    """Reads the log for whoever wants to verify it."""

    database: Database
    committer: Committer
    heads: Heads
    keys: LogKeys

    async def checkpoint(self, organization: str) -> log_pb2.GetCheckpointResponse:
        """The newest signed checkpoint and its verifier key."""
        head = await self.head(organization)
        return log_pb2.GetCheckpointResponse(
            checkpoint=head.note, vkey=format_vkey(self.keys.vkey(head.origin))
        )

    async def inclusion(
        self, organization: str, message: log_pb2.GetInclusionProofRequest
    ) -> log_pb2.GetInclusionProofResponse:
        """The audit path of a leaf.

        Raises:
            EmanetError: INVALID_FIELD, index or size is not in the log; LOG_CORRUPT.
        """
        head = await self._head_of(organization, message.tree_size)
        size = message.tree_size or head.frontier.size
        if not message.index < size <= head.frontier.size:
            raise invalid("index", "not inside a tree of that size")

        def work(connection: Connection) -> tuple[bytes, tuple[bytes, ...]]:
            log = _log(connection, organization)
            row = storage.log.read_leaf(connection, log, message.index)
            if row is None or leaf_hash(row.data) != row.hash:
                raise _corrupt()
            hash_at = hash_reader(size, tile_reader(connection, log))
            return row.hash, inclusion_proof(message.index, size, hash_at)

        found, path = await self.database.read(work)
        return log_pb2.GetInclusionProofResponse(
            leaf_hash=found, hashes=path, checkpoint="" if message.tree_size else head.note
        )

    async def consistency(
        self, organization: str, message: log_pb2.GetConsistencyProofRequest
    ) -> log_pb2.GetConsistencyProofResponse:
        """The proof that the earlier tree is a prefix of the later one.

        Raises:
            EmanetError: INVALID_FIELD, the sizes are not in the log.
        """
        head = await self._head_of(organization, message.to_size)
        size = message.to_size or head.frontier.size
        if not message.from_size <= size <= head.frontier.size:
            raise invalid("from_size", "not two sizes of this log, the earlier one first")

        def work(connection: Connection) -> tuple[bytes, ...]:
            log = _log(connection, organization)
            hash_at = hash_reader(size, tile_reader(connection, log))
            return consistency_proof(message.from_size, size, hash_at)

        path = await self.database.read(work)
        return log_pb2.GetConsistencyProofResponse(
            hashes=path, checkpoint="" if message.to_size else head.note
        )

    async def _head_of(self, organization: str, size: int) -> Head:
        """A head that covers a size; the newest one for 0. Old trees do not change."""
        known = self.heads.head(organization)
        is_refused = self.heads.blocked(organization) is not None
        if size and known is not None and size <= known.frontier.size and not is_refused:
            return known
        return await self.head(organization)

    async def head(self, organization: str) -> Head:
        """The newest head, verified under the log's lock so that it never falls behind."""
        return (await self.committer.submit(HeadJob(organization))).head


def tile_reader(connection: Connection, log: LogKey) -> Callable[[Tile], bytes]:
    """Reads tiles of a log: full ones from their table, the right edge from below.

    Raises (when called):
        IntegrityError: LOG_CORRUPT, rows are missing.
    """
    known: dict[Tile, bytes] = {}

    def read(tile: Tile) -> bytes:
        data = known.get(tile)
        if data is None:
            data = known[tile] = _read_tile(connection, log, tile)
        return data

    return read


def _read_tile(connection: Connection, log: LogKey, tile: Tile) -> bytes:
    if tile.width == WIDTH:
        full = storage.tiles.read_tile(connection, log, level=tile.level, n=tile.index)
        if full is None:
            raise _corrupt()
        return full
    start = tile.index * WIDTH
    if tile.level == 0:
        hashes = storage.log.read_hashes(connection, log, start=start, count=tile.width)
    else:
        hashes = storage.tiles.read_tile_roots(
            connection, log, level=tile.level - 1, start=start, count=tile.width
        )
    if len(hashes) != tile.width:
        raise _corrupt()
    return encode_hashes(hashes)


def _log(connection: Connection, organization: str) -> LogKey:
    control = storage.log.load_control(connection, organization)
    if control is None:
        raise error(Reason.ORGANIZATION_MISSING)
    return control.log


def _corrupt() -> EmanetError:
    return error(Reason.LOG_CORRUPT, problem="rows of the log are missing or changed")
