"""What a local installation remembers between two `emanet up`: its name and who is set up where."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from emanet.cli.workspace import SERVICES, Workspace
from emanet.core.errors import EmanetError, Reason, error

__all__ = ["DEFAULT_INSTALLATION", "LocalRecord"]

DEFAULT_INSTALLATION = "local"


@dataclass(frozen=True, slots=True)
class LocalRecord:
    """The content of `var/dev/installation.json`.

    Attributes:
        installation: the installation's name; it never changes, log origins carry it.
        organizations: per service, the ids that it was told of.
    """

    installation: str
    organizations: Mapping[str, frozenset[str]]

    @classmethod
    def load(cls, workspace: Workspace) -> Self | None:
        """Reads the record; None before the first `emanet up`.

        Raises:
            StateError: CONFIG_INVALID when the file is not one that `save` wrote.
        """
        if not workspace.record.exists():
            return None
        try:
            content = json.loads(workspace.record.read_text(encoding="utf-8"))
            known = {name: frozenset(content["organizations"][name]) for name in SERVICES}
            return cls(
                installation=str(content["installation"]), organizations=MappingProxyType(known)
            )
        except (OSError, ValueError, KeyError, TypeError) as cause:
            raise _unusable(workspace) from cause

    @classmethod
    def empty(cls, installation: str) -> Self:
        """The record of an installation that knows nobody yet."""
        nobody: dict[str, frozenset[str]] = {name: frozenset() for name in SERVICES}
        return cls(installation=installation, organizations=MappingProxyType(nobody))

    @property
    def everywhere(self) -> tuple[str, ...]:
        """Organizations that all three services know, sorted."""
        return tuple(sorted(frozenset.intersection(*self.organizations.values())))

    def adding(self, service: str, names: Iterable[str]) -> Self:
        """The record after a service was told of more organizations."""
        known = dict(self.organizations)
        known[service] = known[service] | frozenset(names)
        return type(self)(installation=self.installation, organizations=MappingProxyType(known))

    def save(self, workspace: Workspace) -> None:
        """Writes the record, whole or not at all."""
        workspace.record.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "installation": self.installation,
            "organizations": {name: sorted(ids) for name, ids in self.organizations.items()},
        }
        temporary = workspace.record.with_suffix(".tmp")
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        temporary.replace(workspace.record)


def _unusable(workspace: Workspace) -> EmanetError:
    return error(Reason.CONFIG_INVALID, problem=f"{workspace.record} is not usable")
