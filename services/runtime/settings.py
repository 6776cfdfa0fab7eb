"""Frozen settings from the environment, parsed and checked once at the process edge.

Shared names start with `EMANET_RUNTIME_`, a service's own with `EMANET_<SERVICE>_`. An unknown
name under either prefix is refused (pydantic-settings would let it pass). Secrets come from files
only: a name that ends in `_FILE` holds a path.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Self, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from emanet.core.errors import EmanetError, Reason, error

__all__ = [
    "DEV_TRUST_DOMAIN",
    "LogLevel",
    "Mode",
    "RuntimeSettings",
    "ServiceSettings",
    "configuration_problem",
    "is_loopback",
    "load_settings",
    "render_settings",
]

DEV_TRUST_DOMAIN = "dev.emanet.invalid"
_RUNTIME_PREFIX = "EMANET_RUNTIME_"


class Mode(StrEnum):
    """Whether an installation may hold real data; written into the database at its start."""

    DEV = "dev"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    """The least level that is written to stderr."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class _CheckedSettings(BaseSettings):
    """Settings that take their values from `load_settings` alone, which has checked the names."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (signature of pydantic-settings)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Reads neither the environment nor files behind the caller's back."""
        return (init_settings,)


class RuntimeSettings(_CheckedSettings):
    """What every service needs to be hosted (`EMANET_RUNTIME_*`)."""

    model_config = SettingsConfigDict(
        env_prefix=_RUNTIME_PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    mode: Mode = Field(
        default=Mode.PRODUCTION,
        description="`dev` accepts only trust domain dev.emanet.invalid on loopback addresses; "
        "`production` refuses that trust domain. The database remembers it.",
    )
    installation: str = Field(
        pattern=r"^[a-z0-9-]{1,32}$",
        description="Name of the installation; part of log origins and of the token audience "
        "`emanet:<installation>`.",
    )
    listen: str = Field(
        default="127.0.0.1:0",
        description="`host:port` of the gRPC listener; port 0 picks a free one.",
    )
    cert_file: Path = Field(description="PEM certificate chain of this service (SPIFFE id inside).")
    key_file: Path = Field(description="PEM private key of the certificate.")
    ca_file: Path = Field(description="PEM certificates that may sign clients and services.")
    principals_file: Path = Field(description="`principals.yaml`; reloaded when it changes.")
    var_dir: Path = Field(
        default=Path("var"),
        description="Folder of the service's database, secrets, epochs and state.",
    )
    database_url: str = Field(
        default="",
        description="`sqlite:///…` or `postgresql+psycopg://…` without a password; empty = "
        "`<var_dir>/<service>/db/<service>.db`.",
    )
    database_url_file: Path | None = Field(
        default=None, description="File that holds the database URL, password included."
    )
    database_pool_size: int = Field(
        default=8,
        ge=1,
        le=100,
        description="Connections for reading, and for writing on PostgreSQL.",
    )
    database_prepare_threshold: int = Field(
        default=5,
        ge=-1,
        description="psycopg's prepare_threshold; -1 = never prepare (pgbouncer).",
    )
    secrets_dir: Path | None = Field(
        default=None,
        description="Folder of the root secrets; empty = `<var_dir>/<service>/secrets`.",
    )
    epochs_dir: Path | None = Field(
        default=None,
        description="Folder of the epoch files, never beside the database; empty = "
        "`<var_dir>/<service>/epochs`.",
    )
    state_dir: Path | None = Field(
        default=None, description="Folder of the service's small state files, outside the database."
    )
    kdf_iterations: int = Field(default=3, ge=1, le=16, description="Argon2id passes (RFC 9106).")
    kdf_lanes: int = Field(default=4, ge=1, le=16, description="Argon2id lanes.")
    kdf_memory_kib: int = Field(
        default=65_536, ge=8, le=4_194_304, description="Argon2id memory in KiB."
    )
    log_level: LogLevel = Field(default=LogLevel.INFO, description="Least level that is logged.")
    max_deadline_seconds: float = Field(
        default=30.0,
        gt=0,
        le=300,
        description="Longest time that one RPC may run; the wait of a destruction receipt.",
    )
    max_in_flight_per_caller: int = Field(
        default=256, ge=1, le=10_000, description="Requests of one certificate identity at a time."
    )
    drain_seconds: float = Field(
        default=20.0,
        ge=0,
        le=300,
        description="Time for requests in flight when the service stops.",
    )
    health_interval_seconds: float = Field(
        default=2.0, gt=0, le=60, description="Time between two rounds of health checks."
    )
    language: str = Field(
        default="tr-TR",
        pattern=r"^(tr-TR|en)$",
        description="Language of error texts when the caller names none.",
    )

    @field_validator("listen")
    @classmethod
    def _has_host_and_port(cls, value: str) -> str:
        host, separator, port = value.rpartition(":")
        if not separator or not host or not port.isdecimal() or int(port) > 65_535:
            raise ValueError("must be host:port")
        return value

    @field_validator("database_url")
    @classmethod
    def _has_no_password(cls, value: str) -> str:
        if not value:
            return value
        try:
            url = make_url(value)
        except ArgumentError:
            raise ValueError("is not a database URL") from None
        if url.password:
            raise ValueError("must not hold a password; use DATABASE_URL_FILE")
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.database_url and self.database_url_file is not None:
            raise ValueError("DATABASE_URL and DATABASE_URL_FILE exclude each other")
        if self.mode is Mode.DEV and not is_loopback(self.listen):
            raise ValueError("mode dev listens on loopback addresses only")
        if self.kdf_memory_kib < 8 * self.kdf_lanes:
            raise ValueError("EMANET_RUNTIME_KDF_MEMORY_KIB must be at least 8 times KDF_LANES")
        return self


class ServiceSettings(_CheckedSettings):
    """Base of a service's own settings; a subclass sets its prefix and adds fields.

    Example:
        class CryptoSettings(ServiceSettings):
            service: ClassVar[str] = "crypto"
            model_config = SettingsConfigDict(env_prefix="EMANET_CRYPTO_", frozen=True,
                                              extra="forbid", hide_input_in_errors=True)
            cache_pairs: int = Field(default=10_000, description="…")
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    service: ClassVar[str]

    runtime: RuntimeSettings = Field(description="The shared settings.")

    @property
    def service_dir(self) -> Path:
        """The service's own folder under `var_dir`."""
        return self.runtime.var_dir / self.service

    @property
    def secrets_dir(self) -> Path:
        """Where the root secrets lie."""
        return self.runtime.secrets_dir or self.service_dir / "secrets"

    @property
    def epochs_dir(self) -> Path:
        """Where the epoch files lie."""
        return self.runtime.epochs_dir or self.service_dir / "epochs"

    @property
    def state_dir(self) -> Path:
        """Where small state files lie that must not be in the database."""
        return self.runtime.state_dir or self.service_dir / "state"

    @property
    def database_url(self) -> str:
        """The database URL; may hold a password, never log it.

        Raises:
            StateError: SECRET_UNUSABLE, the file cannot be read.
        """
        if self.runtime.database_url:
            return self.runtime.database_url
        if self.runtime.database_url_file is not None:
            try:
                return self.runtime.database_url_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise error(Reason.SECRET_UNUSABLE, secret="database_url") from None  # noqa: S106 (a name, not a password)
        return f"sqlite:///{self.service_dir.absolute() / 'db' / f'{self.service}.db'}"


_Settings = TypeVar("_Settings", bound=ServiceSettings)
_Model = TypeVar("_Model", bound=BaseSettings)


def load_settings(
    settings_class: type[_Settings], environ: Mapping[str, str] | None = None
) -> _Settings:
    """Reads and checks the settings of one service.

    Args:
        settings_class: the service's settings.
        environ: the environment; the process's own when omitted.

    Raises:
        StateError: CONFIG_INVALID, with the names at fault and never a value.
    """
    source = os.environ if environ is None else environ
    runtime = _parsed(RuntimeSettings, _values(RuntimeSettings, source))
    return _parsed(settings_class, {"runtime": runtime, **_values(settings_class, source)})


def render_settings(settings: ServiceSettings) -> dict[str, str]:
    """Renders the settings as `NAME: value`, without secrets, for `--print-config`."""
    rendered: dict[str, str] = {}
    for model in (settings.runtime, settings):
        prefix = model.model_config["env_prefix"]
        for name in type(model).model_fields:
            if name == "runtime":
                continue
            value = getattr(model, name)
            rendered[f"{prefix}{name.upper()}"] = "" if value is None else str(value)
    return rendered


def is_loopback(listen: str) -> bool:
    """Tells whether `host:port` names this machine alone."""
    host = listen.rpartition(":")[0].strip("[]")
    return host in {"localhost", "::1"} or host.startswith("127.")


def configuration_problem(problem: str) -> EmanetError:
    """Builds CONFIG_INVALID; the problem names settings and files, never their values."""
    return error(Reason.CONFIG_INVALID, problem=problem)


def _values(model: type[BaseSettings], source: Mapping[str, str]) -> dict[str, str]:
    """Collects a model's variables, refusing names under its prefix that it does not know."""
    prefix = str(model.model_config["env_prefix"])
    known = {name.upper() for name in model.model_fields if name != "runtime"}
    names = sorted(name for name in source if name.startswith(prefix))
    for name in names:
        if name.removeprefix(prefix) not in known:
            raise configuration_problem(f"{name} is not a setting")
    return {name.removeprefix(prefix).lower(): source[name] for name in names}


def _parsed(model: type[_Model], values: Mapping[str, object]) -> _Model:
    try:
        return model.model_validate(dict(values))
    except ValidationError as exc:
        raise configuration_problem(
            _problem_of(exc, str(model.model_config["env_prefix"]))
        ) from None


def _problem_of(exc: ValidationError, prefix: str) -> str:
    found = []
    for item in exc.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(str(part) for part in item["loc"]).upper()
        found.append(f"{prefix}{where}: {item['msg']}" if where else item["msg"])
    return "; ".join(found)
