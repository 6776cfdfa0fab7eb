"""`python -m tests.fakes.small_program init|…|serve`: the small servicer as a whole program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sqlalchemy import Column, MetaData, String, Table, insert
from sqlalchemy.exc import IntegrityError

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from emanet.core.errors import Reason, error
from services.runtime.command import PASSPHRASE, Host, ServiceDefinition, run
from services.runtime.serve import Registration, Service
from services.runtime.settings import ServiceSettings
from tests.fakes.small_service import SmallServicer, rows

METADATA = MetaData()
ORGANIZATIONS = Table(
    "organizations", METADATA, Column("organization", String(63), primary_key=True)
)


class SmallSettings(ServiceSettings):
    """Settings of the small program."""

    model_config = SettingsConfigDict(
        env_prefix="EMANET_INVENTORY_", frozen=True, extra="forbid", hide_input_in_errors=True
    )
    service: ClassVar[str] = "inventory"

    page_size: int = Field(default=50, ge=1, le=1000, description="Items on a page.")


def build(host: Host[SmallSettings]) -> Service:
    """Composes the service."""
    servicer = SmallServicer()
    keyring = host.open_keyring()

    async def start() -> None:
        for organization in keyring.organizations():
            keyring.active_epoch(organization)

    return Service(
        registrations=(
            Registration(
                descriptor=inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"],
                add=lambda server: inventory_pb2_grpc.add_InventoryServiceServicer_to_server(
                    servicer, server
                ),
            ),
        ),
        authorisation=rows(),
        start=start,
    )


async def add_organization(host: Host[SmallSettings], organization: str) -> None:
    """Makes an organization known."""
    try:
        await host.database.write(
            lambda c: c.execute(insert(ORGANIZATIONS).values(organization=organization))
        )
    except IntegrityError as exc:
        raise error(Reason.ALREADY_INITIALISED, resource=f"organizations/{organization}") from exc
    host.open_keyring().create_organization(organization)


DEFINITION = ServiceDefinition(
    settings=SmallSettings,
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    build=build,
    add_organization=add_organization,
    root_secrets=(PASSPHRASE, "other_key"),
)

if __name__ == "__main__":
    sys.exit(run(DEFINITION))
