"""Opens channels to the three services: where they listen, who we are, how calls are retried.

`EMANET_ENDPOINTS` names a JSON file that `emanet up` or the operator writes::

    {"mode": "dev", "installation": "demo", "certs_dir": "var/dev/certs",
     "services": {"inventory": "127.0.0.1:7001", "access_audit": "127.0.0.1:7002", ...}}

`EMANET_CERTS_DIR` names a folder with `ca.pem` and, for each application, `<app>.pem` and
`<app>.key`. A channel always speaks mutual TLS; there is no insecure one.
"""

from __future__ import annotations

import ipaddress
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Self

import grpc
from grpc import aio

from emanet.core.errors import EmanetError, Reason, error
from emanet.core.names import is_slug

__all__ = [
    "CERTS_DIR_VARIABLE",
    "ENDPOINTS_VARIABLE",
    "Credentials",
    "Endpoints",
    "ServiceName",
    "open_aio_channel",
    "open_channel",
    "service_config",
]

ENDPOINTS_VARIABLE = "EMANET_ENDPOINTS"
CERTS_DIR_VARIABLE = "EMANET_CERTS_DIR"

_MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""Twice the server's limit: an answer may carry what several requests brought."""

_KEEPALIVE_MS = 30_000
_KEEPALIVE_TIMEOUT_MS = 10_000
_LOOPBACK_NAME = "localhost"


class ServiceName(StrEnum):
    """The three services."""

    INVENTORY = "inventory"
    ACCESS_AUDIT = "access_audit"
    CRYPTO = "crypto"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the services of one installation listen.

    Attributes:
        mode: `dev` or `production`.
        installation: the installation's slug; staff tokens carry it in their audience.
        targets: gRPC target (`host:port`, `dns:///name:port`) of each service.
        certs_dir: where certificates lie when `EMANET_CERTS_DIR` does not say; relative to the
            working directory.
    """

    mode: str
    installation: str
    targets: Mapping[ServiceName, str]
    certs_dir: Path | None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Reads the file that `EMANET_ENDPOINTS` names.

        Raises:
            StateError: CONFIG_INVALID when the variable is not set or the file is not usable.
        """
        variables = os.environ if environ is None else environ
        path = variables.get(ENDPOINTS_VARIABLE, "")
        if not path:
            raise _unusable(f"{ENDPOINTS_VARIABLE} is not set")
        return cls.from_file(Path(path))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Reads an endpoints file; raises like `from_env`."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            targets = {ServiceName(name): str(to) for name, to in content["services"].items()}
            return cls(
                mode=str(content["mode"]),
                installation=str(content["installation"]),
                targets=MappingProxyType(targets),
                certs_dir=Path(content["certs_dir"]) if "certs_dir" in content else None,
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as cause:
            problem = f"the endpoints file is not usable: {path} ({type(cause).__name__})"
            raise _unusable(problem) from cause

    def target(self, service: ServiceName) -> str:
        """The gRPC target of a service.

        Raises:
            StateError: CONFIG_INVALID when the file does not name it.
        """
        if service not in self.targets:
            raise _unusable(f"the endpoints file names no {service}")
        return self.targets[service]


@dataclass(frozen=True, slots=True)
class Credentials:
    """PEM texts of one identity; the private key is never printed.

    Attributes:
        ca: certificates that may sign the services' certificates.
        certificate: this identity's chain.
        key: its private key.
        files: where the three were read, in this order; empty when they came from elsewhere.
    """

    ca: bytes
    certificate: bytes
    key: bytes = field(repr=False)
    files: tuple[Path, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def from_env(
        cls, app: str, *, endpoints: Endpoints, environ: Mapping[str, str] | None = None
    ) -> Self:
        """Reads an application's certificate from `EMANET_CERTS_DIR` or the endpoints' folder.

        Raises:
            StateError: CONFIG_INVALID when neither names a folder; SECRET_UNUSABLE, with its path,
                when a file is missing there.
            CallerError: INVALID_NAME when `app` is not a slug.
        """
        variables = os.environ if environ is None else environ
        named = variables.get(CERTS_DIR_VARIABLE, "")
        folder = Path(named) if named else endpoints.certs_dir
        if folder is None:
            raise _unusable(f"{CERTS_DIR_VARIABLE} is not set")
        if not is_slug(app):
            raise error(Reason.INVALID_NAME)
        return cls.from_files(
            ca=folder / "ca.pem", certificate=folder / f"{app}.pem", key=folder / f"{app}.key"
        )

    @classmethod
    def from_files(cls, *, ca: Path, certificate: Path, key: Path) -> Self:
        """Reads three PEM files.

        Raises:
            StateError: SECRET_UNUSABLE when one cannot be read.
        """
        texts = []
        for path in (ca, certificate, key):
            try:
                texts.append(path.read_bytes())
            except OSError as cause:
                raise error(Reason.SECRET_UNUSABLE, secret=str(path)) from cause
        return cls(ca=texts[0], certificate=texts[1], key=texts[2], files=(ca, certificate, key))

    def renewed(self) -> Self | None:
        """What lies in the files now, None when that is the same or no pair that fits.

        Reads files; a pair that is being replaced at this moment is taken the next time.
        """
        if not self.files:
            return None
        ca, certificate, key = self.files
        try:
            found = self.from_files(ca=ca, certificate=certificate, key=key)
            if found == self:
                return None
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_cert_chain(certificate, key, password=_no_password)
        except (EmanetError, OSError, ValueError):
            return None
        return found

    def to_grpc(self) -> grpc.ChannelCredentials:
        """The credentials in gRPC's form."""
        return grpc.ssl_channel_credentials(
            root_certificates=self.ca, private_key=self.key, certificate_chain=self.certificate
        )


def open_channel(target: str, credentials: Credentials) -> grpc.Channel:
    """Opens a synchronous channel; it connects at the first call. Not usable after a fork."""
    return grpc.secure_channel(target, credentials.to_grpc(), options=_options(target))


def open_aio_channel(target: str, credentials: Credentials) -> aio.Channel:
    """Opens an asynchronous channel of the running event loop; it connects at the first call."""
    return aio.secure_channel(target, credentials.to_grpc(), options=_options(target))


@cache
def service_config() -> str:
    """The gRPC service config: per-method time limits, and retries of UNAVAILABLE alone.

    The limits end calls here; gRPC does not tell them to the server, which refuses a call without
    a deadline. Every call therefore states its `timeout` too.

    Only methods that a second delivery cannot harm are retried: reads, calls with a request id,
    and Encrypt. Decrypt and CheckAccess are not: each attempt is a record of its own.
    """
    return files("emanet.client").joinpath("service_config.json").read_text(encoding="utf-8")


def _options(target: str) -> tuple[tuple[str, str | int], ...]:
    options: list[tuple[str, str | int]] = [
        ("grpc.service_config", service_config()),
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        # A service that comes back is found within a second; a peer that swallows packets is
        # given up after five, not after gRPC's twenty.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.min_reconnect_backoff_ms", 5_000),
    ]
    if _is_loopback_address(target):
        # Certificates of development name `localhost`; a public CA signs no loopback address.
        options.append(("grpc.ssl_target_name_override", _LOOPBACK_NAME))
    return tuple(options)


def _is_loopback_address(target: str) -> bool:
    host = target.rpartition("/")[2].rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _no_password() -> str:
    """Refuses encrypted keys instead of asking on the terminal."""
    return ""


def _unusable(problem: str) -> EmanetError:
    return error(Reason.CONFIG_INVALID, problem=problem)
