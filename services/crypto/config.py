"""Settings of the crypto service (`EMANET_CRYPTO_*`)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ServiceSettings

__all__ = ["CryptoSettings"]


class CryptoSettings(ServiceSettings):
    """What only crypto needs to know."""

    service: ClassVar[str] = "crypto"
    model_config = SettingsConfigDict(
        env_prefix="EMANET_CRYPTO_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    access_audit_target: str = Field(
        default="127.0.0.1:7002", description="gRPC target of access_audit."
    )
    inventory_target: str = Field(default="127.0.0.1:7001", description="gRPC target of inventory.")
    cache_pairs: int = Field(
        default=20_000,
        ge=0,
        le=1_000_000,
        description="Pair keys kept in memory for each organization, about 3 KiB each.",
    )
    audit_timeout_seconds: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="Longest wait for access_audit's answer within the caller's deadline.",
    )
    destruction_interval_seconds: float = Field(
        default=2.0,
        gt=0,
        le=3600,
        description="Time between two looks for unfinished destructions.",
    )
    consistency_interval_seconds: float = Field(
        default=20.0,
        gt=0,
        le=60,
        description="Time between two proofs that the log only grew (at most 60, FORMATS).",
    )
