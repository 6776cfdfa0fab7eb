"""Exports: the register in effect at a time as a file; the same version gives the same bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

import structlog
from sqlalchemy import Connection

from emanet.api.inventory.v1 import inventory_pb2
from emanet.core.clock import Clock
from emanet.core.errors import Reason, error
from emanet.register.snapshot import decode_snapshot, digest, verify_version
from services.inventory import storage
from services.inventory.domain.versions import version_at
from services.inventory.export.document import Document, Format, View, make_document
from services.inventory.export.rendering import render
from services.inventory.messages import from_timestamp
from services.inventory.operations.versions import chunks
from services.inventory.storage import VersionBytes
from services.runtime.database import Database
from services.runtime.primitives import sha256

__all__ = ["Exports"]

_log = structlog.get_logger(__name__)

_VIEWS: Mapping[int, View] = MappingProxyType(
    {
        inventory_pb2.EXPORT_VIEW_INVENTORY: View.INVENTORY,
        inventory_pb2.EXPORT_VIEW_VERBIS: View.VERBIS,
    }
)
_FORMATS: Mapping[int, Format] = MappingProxyType(
    {
        inventory_pb2.EXPORT_FORMAT_XLSX: Format.XLSX,
        inventory_pb2.EXPORT_FORMAT_CSV: Format.CSV,
        inventory_pb2.EXPORT_FORMAT_JSON: Format.JSON,
    }
)


class Exports:
    """Operations that make files."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        """Keeps the parts."""
        self._database = database
        self._clock = clock

    async def export(
        self, request: inventory_pb2.ExportInventoryRequest, *, organization: str
    ) -> Iterator[inventory_pb2.ExportInventoryResponse]:
        """Makes the file and returns it in parts of at most 1 MiB, its description first.

        Raises:
            CallerError: INVALID_FIELD, an unknown view, format or time.
            StateError: REGISTER_MISSING, no version was in effect then.
            IntegrityError: REGISTER_CORRUPT, the stored version is not what was approved.
        """
        view = _VIEWS.get(request.view)
        file_format = _FORMATS.get(request.format)
        if view is None or file_format is None:
            field = "view" if view is None else "format"
            raise error(Reason.INVALID_FIELD, violations=((field, "unknown value"),))
        at = (
            from_timestamp(request.read_time)
            if request.HasField("read_time")
            else self._clock.now()
        )
        stored, before = await self._database.read(lambda c: _in_effect(c, organization, at))
        document, data = await asyncio.to_thread(_rendered, stored, before, view, file_format)
        _log.info(
            "inventory.exported",
            organization=organization,
            number=document.number,
            view=view.value,
            format=file_format.value,
        )
        return _streamed(document, file_format, data, with_content=not request.validate_only)


def _in_effect(
    connection: Connection, organization: str, at: datetime
) -> tuple[VersionBytes, VersionBytes | None]:
    """The version in effect and the one before it, which its changes are counted from."""
    approved = storage.list_approved(connection, organization)
    version = version_at(approved, at)
    if version is None:
        raise error(Reason.REGISTER_MISSING)
    before = next((each for each in approved if each.number == version.number - 1), None)
    return (
        storage.read_version(connection, version),
        None if before is None else storage.read_version(connection, before),
    )


def _rendered(
    stored: VersionBytes, before: VersionBytes | None, view: View, file_format: Format
) -> tuple[Document, bytes]:
    # The approved version names the digest of the one before: its bytes need no other proof.
    verified = verify_version(
        stored.snapshot,
        stored.approval,
        organization=stored.version.organization,
        previous=None if before is None else digest(before.snapshot),
    )
    snapshot = None if before is None else decode_snapshot(before.snapshot)
    document = make_document(verified, view=view, before=snapshot)
    return document, render(document, file_format)


def _streamed(
    document: Document, file_format: Format, data: bytes, *, with_content: bool
) -> Iterator[inventory_pb2.ExportInventoryResponse]:
    yield inventory_pb2.ExportInventoryResponse(
        file_name=document.file_name(file_format),
        media_type=file_format.media_type,
        number=document.number,
        digest=sha256(data),
    )
    if with_content:
        for chunk in chunks(data):
            yield inventory_pb2.ExportInventoryResponse(chunk=chunk)
