"""Settings of the inventory (`EMANET_INVENTORY_*`)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ServiceSettings

__all__ = ["PAGE_KEY", "InventorySettings"]

PAGE_KEY = "page_key"
"""File name of the root secret that authenticates page tokens."""


class InventorySettings(ServiceSettings):
    """What the inventory alone needs."""

    service: ClassVar[str] = "inventory"
    model_config = SettingsConfigDict(
        env_prefix="EMANET_INVENTORY_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    heartbeat_seconds: float = Field(
        default=30.0,
        gt=0,
        le=300,
        description="Longest silence of a WatchRegister stream.",
    )
    poll_seconds: float = Field(
        default=2.0,
        gt=0,
        le=60,
        description="How often the database is asked for versions that another replica approved.",
    )
