"""LogService: read the message, call one operation, write the message."""

# ruff: noqa: ARG002 -- names and parameters of the methods are the generated base class's

from __future__ import annotations

from collections.abc import AsyncGenerator

from google.protobuf.message import Message
from grpc import aio

from emanet.api.access_audit.v1 import log_pb2, log_pb2_grpc
from services.access_audit.operations.export import LogExports
from services.access_audit.operations.log import LogReads
from services.runtime.request import current

__all__ = ["LogServicer"]

_Context = aio.ServicerContext[Message, Message]


class LogServicer(log_pb2_grpc.LogServiceServicer):
    """Serves emanet.api.access_audit.v1.LogService; the gate has let the caller in."""

    def __init__(self, *, reads: LogReads, exports: LogExports) -> None:
        """Keeps the operations."""
        self._reads = reads
        self._exports = exports

    async def GetCheckpoint(
        self, request: log_pb2.GetCheckpointRequest, context: _Context
    ) -> log_pb2.GetCheckpointResponse:
        """Reads the last signed checkpoint."""
        return await self._reads.checkpoint(current().organization)

    async def GetInclusionProof(
        self, request: log_pb2.GetInclusionProofRequest, context: _Context
    ) -> log_pb2.GetInclusionProofResponse:
        """Proves that a leaf is in the tree of a size."""
        return await self._reads.inclusion(current().organization, request)

    async def GetConsistencyProof(
        self, request: log_pb2.GetConsistencyProofRequest, context: _Context
    ) -> log_pb2.GetConsistencyProofResponse:
        """Proves that a tree is a prefix of a later one."""
        return await self._reads.consistency(current().organization, request)

    async def ExportLog(
        self, request: log_pb2.ExportLogRequest, context: _Context
    ) -> AsyncGenerator[log_pb2.ExportLogResponse, None]:
        """Streams the log as the files of a tlog-tiles directory."""
        async for part in self._exports.stream(current(), request):
            yield part
