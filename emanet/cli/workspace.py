"""Where a local installation keeps its files: one folder, the same for every command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["DEV_ISSUER", "DEV_TRUST_DOMAIN", "SERVICES", "VAR_VARIABLE", "Workspace"]

VAR_VARIABLE = "EMANET_VAR_DIR"
DEV_TRUST_DOMAIN = "dev.emanet.invalid"
DEV_ISSUER = "https://login.dev.emanet.invalid"
SERVICES = ("inventory", "access_audit", "crypto")
"""In the order in which they depend on each other: each one calls those before it."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The paths of one local installation.

    Attributes:
        var: its folder; `./var` when nothing else is said.
    """

    var: Path

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The folder that `EMANET_VAR_DIR` names, else `./var`."""
        variables = os.environ if environ is None else environ
        return cls(Path(variables.get(VAR_VARIABLE, "") or "var").absolute())

    @property
    def certs(self) -> Path:
        """`ca.pem` and each identity's `<name>.pem` and `<name>.key`."""
        return self.var / "dev" / "certs"

    @property
    def authority_key(self) -> Path:
        """The development authority's private key; not among the certificates."""
        return self.var / "dev" / "ca.key"

    @property
    def issuer_key(self) -> Path:
        """The development token issuer's private key, a JWK."""
        return self.var / "dev" / "issuer.jwk"

    @property
    def principals(self) -> Path:
        """`principals.yaml` of the local installation."""
        return self.var / "dev" / "principals.yaml"

    @property
    def jwks(self) -> Path:
        """The development token issuer's public keys."""
        return self.var / "dev" / "jwks.json"

    @property
    def record(self) -> Path:
        """What the installation remembers: its name and its organizations."""
        return self.var / "dev" / "installation.json"

    @property
    def run(self) -> Path:
        """Process ids, ports and logs of what runs."""
        return self.var / "run"

    @property
    def endpoints(self) -> Path:
        """The file that clients read (`EMANET_ENDPOINTS`)."""
        return self.run / "endpoints.json"

    @property
    def supervisor_pid(self) -> Path:
        """Process id of `emanet up`, and the mark of its start."""
        return self.run / "supervisor.pid"

    def service_pid(self, service: str) -> Path:
        """Process id of a service."""
        return self.run / f"{service}.pid"

    def log_key(self, organization: str) -> Path:
        """The verifier key that access_audit writes when it is told of an organization."""
        return self.var / "access_audit" / "state" / f"{organization}.vkey"
