"""Settings of the access audit (`EMANET_ACCESS_AUDIT_*`)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ServiceSettings

__all__ = ["LOG_SEED", "PSEUDONYM_KEY", "REQUEST_KEY", "AccessAuditSettings"]

LOG_SEED = "log_seed"
"""File name of the seed of every organization's signing key."""

PSEUDONYM_KEY = "pseudonym_key"
"""File name of the lookup key of pseudonyms."""

REQUEST_KEY = "request_key"
"""File name of the key of page tokens and request digests."""


class AccessAuditSettings(ServiceSettings):
    """Where the inventory is, how batches grow, and when the register is too old."""

    service: ClassVar[str] = "access_audit"
    model_config = SettingsConfigDict(
        env_prefix="EMANET_ACCESS_AUDIT_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    inventory_target: str = Field(
        default="127.0.0.1:8701", description="`host:port` of the inventory service."
    )
    queue_items: int = Field(
        default=20_000,
        ge=1,
        le=1_000_000,
        description="Items that may wait for the log; more answer OVERLOADED.",
    )
    batch_items: int = Field(
        default=4_000, ge=1, le=100_000, description="Items that one transaction takes at most."
    )
    register_degraded_seconds: float = Field(
        default=300.0,
        gt=0,
        description="Without contact to the inventory for so long, a warning is shown.",
    )
    register_stale_seconds: float = Field(
        default=3_600.0,
        gt=0,
        description="Without contact for so long, decisions stop with REGISTER_STALE.",
    )
    clock_tolerance_seconds: float = Field(
        default=300.0,
        gt=0,
        description="A clock further behind the log's last time answers CLOCK_BEHIND.",
    )
    start_check_leaves: int = Field(
        default=1_000_000,
        ge=0,
        description="The newest leaves that are hashed from their bytes at start; of older ones "
        "the stored hashes are used.",
    )
    start_check_entries: int = Field(
        default=20_000,
        ge=0,
        description="The newest leaves whose entries are compared with them at start.",
    )

    @field_validator("inventory_target")
    @classmethod
    def _has_host_and_port(cls, value: str) -> str:
        host, separator, port = value.rpartition(":")
        if not separator or not host or not port.isdecimal() or int(port) > 65_535:
            raise ValueError("must be host:port")
        return value
