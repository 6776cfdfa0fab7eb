"""The inventory's RPCs: read the message, call one operation, write the message."""

# ruff: noqa: ARG002 -- names and parameters of the methods are the generated base class's

from __future__ import annotations

from collections.abc import AsyncGenerator

from google.protobuf.message import Message
from grpc import aio

from emanet import __version__
from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from emanet.core.errors import Reason, error
from emanet.core.names import Collection, Name, parse_name
from services.inventory.operations.drafts import Asker, Drafts
from services.inventory.operations.exports import Exports
from services.inventory.operations.versions import Versions
from services.inventory.watch import RegisterWatch
from services.runtime.request import caller, current, require_staff
from services.runtime.settings import RuntimeSettings

__all__ = ["InventoryServicer"]

_Context = aio.ServicerContext[Message, Message]


class InventoryServicer(inventory_pb2_grpc.InventoryServiceServicer):
    """Serves emanet.api.inventory.v1.InventoryService; the gate has let the caller in."""

    def __init__(
        self,
        *,
        settings: RuntimeSettings,
        drafts: Drafts,
        versions: Versions,
        exports: Exports,
        watch: RegisterWatch,
    ) -> None:
        """Keeps the operations."""
        self._settings = settings
        self._drafts = drafts
        self._versions = versions
        self._exports = exports
        self._watch = watch

    async def GetServiceInfo(
        self, request: inventory_pb2.GetServiceInfoRequest, context: _Context
    ) -> inventory_pb2.GetServiceInfoResponse:
        """Tells version, mode and installation."""
        return inventory_pb2.GetServiceInfoResponse(
            service="inventory",
            version=__version__,
            mode=self._settings.mode.value,
            installation=self._settings.installation,
            organization_known=await self._drafts.is_known(current().organization),
        )

    async def GetDraft(
        self, request: inventory_pb2.GetDraftRequest, context: _Context
    ) -> inventory_pb2.GetDraftResponse:
        """Reads the draft."""
        return inventory_pb2.GetDraftResponse(draft=await self._drafts.read(current().organization))

    async def EditDraft(
        self, request: inventory_pb2.EditDraftRequest, context: _Context
    ) -> inventory_pb2.EditDraftResponse:
        """Applies edits to the draft."""
        return await self._drafts.edit(request, organization=current().organization, asker=_asker())

    async def SubmitDraft(
        self, request: inventory_pb2.SubmitDraftRequest, context: _Context
    ) -> inventory_pb2.SubmitDraftResponse:
        """Freezes the draft as the next version."""
        return await self._drafts.submit(
            request, organization=current().organization, asker=_asker()
        )

    async def ApproveVersion(
        self, request: inventory_pb2.ApproveVersionRequest, context: _Context
    ) -> inventory_pb2.ApproveVersionResponse:
        """Approves a submitted version."""
        return await self._versions.approve(
            request, name=_version_name(request.name), asker=_asker()
        )

    async def ListRegisterVersions(
        self, request: inventory_pb2.ListRegisterVersionsRequest, context: _Context
    ) -> inventory_pb2.ListRegisterVersionsResponse:
        """Lists versions, newest first."""
        return await self._versions.list_page(
            request, organization=current().organization, caller=caller().spiffe_id
        )

    async def GetRegisterVersion(
        self, request: inventory_pb2.GetRegisterVersionRequest, context: _Context
    ) -> AsyncGenerator[inventory_pb2.GetRegisterVersionResponse, None]:
        """Streams a version's bytes."""
        name = _version_name(request.name)
        for part in await self._versions.read(name, digest=request.digest):
            yield part

    async def WatchRegister(
        self, request: inventory_pb2.WatchRegisterRequest, context: _Context
    ) -> AsyncGenerator[inventory_pb2.WatchRegisterResponse, None]:
        """Streams what is in effect and what is coming."""
        async for heartbeat in self._watch.watch(current().organization):
            yield heartbeat

    async def ExportInventory(
        self, request: inventory_pb2.ExportInventoryRequest, context: _Context
    ) -> AsyncGenerator[inventory_pb2.ExportInventoryResponse, None]:
        """Streams a file."""
        for part in await self._exports.export(request, organization=current().organization):
            yield part


def _asker() -> Asker:
    return Asker(caller=caller().spiffe_id, person=require_staff().person_id)


def _version_name(text: str) -> Name:
    name = parse_name(text)
    if name.collection is not Collection.REGISTER_VERSIONS:
        raise error(Reason.INVALID_NAME)
    return name
