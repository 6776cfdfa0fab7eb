"""Composition of the inventory: settings in, one hosted service out."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from services.inventory.authorisation import ROWS
from services.inventory.config import PAGE_KEY, InventorySettings
from services.inventory.operations.drafts import Drafts
from services.inventory.operations.exports import Exports
from services.inventory.operations.versions import Versions
from services.inventory.paging import PageTokens
from services.inventory.servicer import InventoryServicer
from services.inventory.tables import metadata
from services.inventory.watch import RegisterWatch
from services.runtime.command import Host, ServiceDefinition
from services.runtime.serve import Registration, Service

__all__ = ["DEFINITION", "build"]


class _Background:
    """The watch's polling task, between start and stop of the server."""

    def __init__(self, watch: RegisterWatch) -> None:
        self._watch = watch
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch.run(), name="watch")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


def build(host: Host[InventorySettings]) -> Service:
    """Composes the service from its explicit parts."""
    settings, database, clock = host.settings, host.database, host.clock
    watch = RegisterWatch(
        database=database,
        clock=clock,
        heartbeat_s=settings.heartbeat_seconds,
        poll_s=settings.poll_seconds,
    )
    servicer = InventoryServicer(
        settings=settings.runtime,
        drafts=Drafts(database=database, clock=clock),
        versions=Versions(
            database=database,
            clock=clock,
            tokens=PageTokens(host.read_key(PAGE_KEY)),
            on_approved=watch.wake,
        ),
        exports=Exports(database=database, clock=clock),
        watch=watch,
    )
    background = _Background(watch)
    return Service(
        registrations=(
            Registration(
                descriptor=inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"],
                add=lambda server: inventory_pb2_grpc.add_InventoryServiceServicer_to_server(
                    servicer, server
                ),
            ),
        ),
        authorisation=ROWS,
        start=background.start,
        drain=watch.close,
        stop=background.stop,
    )


async def _add_organization(host: Host[InventorySettings], organization: str) -> None:
    await Drafts(database=host.database, clock=host.clock).add_organization(organization)


DEFINITION = ServiceDefinition(
    settings=InventorySettings,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    build=build,
    add_organization=_add_organization,
    root_secrets=(PAGE_KEY,),
)
