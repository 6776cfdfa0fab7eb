"""Registers as commands name them: a file, a version number, or the draft."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from emanet.cli.arguments import ISTANBUL, read_file
from emanet.cli.problems import CommandError
from emanet.register.manifest import Manifest, load_manifest
from emanet.register.values import Register, empty_register

if TYPE_CHECKING:
    from emanet.client.admin import Admin, FetchedRegister

__all__ = [
    "DRAFT",
    "approved_before",
    "in_effect",
    "load_file",
    "read_register",
    "submitted",
    "today",
]

DRAFT = "draft"


def load_file(path: Path) -> Manifest:
    """Reads a register manifest; raises MANIFEST_INVALID with file and line."""
    return load_manifest(read_file(path), str(path))


def today() -> dt.date:
    """The day in Türkiye: reviews and terms are counted there."""
    return dt.datetime.now(ISTANBUL).date()


def read_register(admin: Admin | None, name: str) -> Register:
    """The register that a word names: `draft`, a version number, or else a file.

    Raises:
        EmanetError: as the file or the service answers.
    """
    if name != DRAFT and not name.isdecimal():
        return load_file(Path(name)).register
    if admin is None:
        raise CommandError("no_organization")
    if name == DRAFT:
        return admin.inventory.draft().register
    return admin.inventory.version(int(name)).snapshot.register


def submitted(admin: Admin, number: int) -> FetchedRegister | None:
    """The submitted version that awaits approval; None when there is none of that number.

    Args:
        admin: the client.
        number: its number, 0 for whichever it is.
    """
    from emanet.api.inventory.v1.resources_pb2 import VERSION_STATE_SUBMITTED

    for version in admin.inventory.versions():
        if version.state == VERSION_STATE_SUBMITTED and number in (0, version.number):
            return admin.inventory.version(version.number, digest_of=version.digest)
    return None


def approved_before(admin: Admin, number: int) -> Register:
    """The register of the version before; the empty one before the first."""
    if number <= 1:
        return empty_register(admin.organization)
    return admin.inventory.version(number - 1).snapshot.register


def in_effect(admin: Admin) -> FetchedRegister | None:
    """The version in effect now; None before the first."""
    from emanet.api.inventory.v1.resources_pb2 import VERSION_STATE_EFFECTIVE

    for version in admin.inventory.versions():
        if version.state == VERSION_STATE_EFFECTIVE:
            return admin.inventory.version(version.number)
    return None
