"""Export of the log as a C2SP tlog-tiles directory; recorded before the first byte leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from emanet.api.access_audit.v1 import log_pb2, resources_pb2
from emanet.core.checkpoint import format_vkey
from emanet.core.clock import Clock
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.ids import new_uuid7
from emanet.core.leaf import Act
from emanet.core.merkle import leaf_hash
from emanet.core.tiles import ENTRIES, WIDTH, Tile, encode_entries, tiles_of
from services.access_audit import storage
from services.access_audit.committer import Committer
from services.access_audit.domain.claim import ClaimItem
from services.access_audit.heads import Head
from services.access_audit.jobs.access import AccessDesk, CheckJob
from services.access_audit.operations.log import LogReads, tile_reader
from services.access_audit.reading import ClaimReader
from services.access_audit.signer import LogKeys
from services.access_audit.storage.log import LogKey
from services.runtime.database import Database
from services.runtime.request import Request

__all__ = ["STAFF_RECORDS", "LogExports"]

STAFF_RECORDS = "staff.access"
"""The field that Emanet's own record of employees is in every register (DESIGN section 5)."""

_CHUNK_BYTES = 1_048_576
_TILES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class LogExports:
    """Streams logs."""

    database: Database
    committer: Committer
    reads: LogReads
    keys: LogKeys
    reader: ClaimReader
    desk: AccessDesk
    clock: Clock

    async def stream(
        self, request: Request, message: log_pb2.ExportLogRequest
    ) -> AsyncGenerator[log_pb2.ExportLogResponse, None]:
        """Records the export, then streams tiles, entries tiles and, last, the checkpoint.

        The duty permits it; the rules' verdict on it is recorded, not enforced.

        Raises:
            EmanetError: it could not be recorded: see `Committer.submit`.
        """
        if message.validate_only:
            yield self._first(await self.reads.head(request.organization))
            return
        head = await self._recorded(request, message.purpose)
        yield self._first(head)
        tiles = list(tiles_of(head.frontier.size))
        for start in range(0, len(tiles), _TILES_AT_ONCE):
            for tile, data in await self._read(head, tiles[start : start + _TILES_AT_ONCE]):
                for chunk in _chunks(data):
                    yield log_pb2.ExportLogResponse(path=tile.path, chunk=chunk)
        yield log_pb2.ExportLogResponse(path="checkpoint", chunk=head.note.encode())

    def _first(self, head: Head) -> log_pb2.ExportLogResponse:
        return log_pb2.ExportLogResponse(
            tree_size=head.frontier.size, vkey=format_vkey(self.keys.vkey(head.origin))
        )

    async def _recorded(self, request: Request, purpose: str) -> Head:
        context = resources_pb2.AccessContext(actor=resources_pb2.ACTOR_KIND_STAFF, purpose=purpose)
        claim = self.reader.reading_of(
            request,
            context,
            claim_id=new_uuid7(self.clock),
            act=Act.EXPORT,
            item=ClaimItem(field=STAFF_RECORDS, subject=None, bucket="", count=1),
        )
        committed = await self.committer.submit(
            CheckJob(organization=request.organization, claim=claim, desk=self.desk, observed=True)
        )
        return committed.head

    async def _read(self, head: Head, tiles: list[Tile]) -> list[tuple[Tile, bytes]]:
        organization = head.organization

        def work(connection: Connection) -> list[tuple[Tile, bytes]]:
            control = storage.log.load_control(connection, organization)
            if control is None or control.origin != head.origin:
                raise error(Reason.ORGANIZATION_MISSING)
            read = tile_reader(connection, control.log)
            return [
                (
                    tile,
                    _entries_tile(connection, control.log, tile)
                    if tile.level == ENTRIES
                    else read(tile),
                )
                for tile in tiles
            ]

        return await self.database.read(work)


def _entries_tile(connection: Connection, log: LogKey, tile: Tile) -> bytes:
    rows = storage.log.read_leaves(connection, log, start=tile.index * WIDTH, count=tile.width)
    if len(rows) != tile.width or any(leaf_hash(row.data) != row.hash for row in rows):
        raise _corrupt()
    return encode_entries([row.data for row in rows])


def _chunks(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _CHUNK_BYTES):
        yield data[start : start + _CHUNK_BYTES]


def _corrupt() -> EmanetError:
    return error(Reason.LOG_CORRUPT, problem="rows of the log are missing or changed")
