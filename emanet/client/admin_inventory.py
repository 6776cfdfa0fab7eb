"""Administration of the inventory: draft, versions, exports."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from google.protobuf.timestamp_pb2 import Timestamp

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc, resources_pb2
from emanet.client.admin_session import AdminSession
from emanet.client.channel import ServiceName
from emanet.core import canonical
from emanet.core.errors import Reason, error
from emanet.core.names import Collection, format_name
from emanet.register.edits import Edit
from emanet.register.snapshot import Snapshot, decode_snapshot, digest
from emanet.register.values import Kind, Register, from_json

__all__ = ["MAX_EDITS", "Draft", "ExportedFile", "FetchedRegister", "InventoryAdmin"]

MAX_EDITS = 1000
"""Most edits of one EditDraft call."""

_SERVICE = ServiceName.INVENTORY


@dataclass(frozen=True, slots=True)
class Draft:
    """The one mutable register of an organization.

    Attributes:
        etag: names this state of it; an edit or a submission must carry it.
        register: the draft; it may hold errors.
    """

    etag: str
    register: Register


@dataclass(frozen=True, slots=True)
class FetchedRegister:
    """A version whose bytes have the digest that the service announced.

    Attributes:
        version: number, state, times and persons, as the service tells them.
        snapshot: the decoded snapshot.
        digest: SHA-256 of its bytes, computed here, 32 bytes.
        approval: the approval's canonical JSON; empty while not approved.
    """

    version: resources_pb2.RegisterVersion
    snapshot: Snapshot
    digest: bytes
    approval: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """An export whose bytes have the digest that the service announced.

    Attributes:
        name: suggested file name, without folders.
        media_type: its type.
        number: the register version's number.
        digest: SHA-256 of `content`, 32 bytes.
    """

    name: str
    media_type: str
    number: int
    digest: bytes
    content: bytes = field(repr=False)


class InventoryAdmin:
    """Calls of `InventoryService`; every method raises EmanetError as the service answers."""

    def __init__(self, session: AdminSession) -> None:
        self._session = session
        self._connection = session.connect(_SERVICE, inventory_pb2_grpc.InventoryServiceStub)

    def service_info(self) -> inventory_pb2.GetServiceInfoResponse:
        """Version, mode and installation of the service."""
        request = inventory_pb2.GetServiceInfoRequest(organization=self._session.organization)
        stub = self._connection.stub()
        return self._session.send(stub.GetServiceInfo, request, service=_SERVICE)

    def draft(self) -> Draft:
        """Reads the draft."""
        request = inventory_pb2.GetDraftRequest(parent=self._session.parent)
        response = self._session.send(self._connection.stub().GetDraft, request, service=_SERVICE)
        return _draft(response.draft)

    def edit_draft(self, edits: Sequence[Edit], *, etag: str, validate_only: bool = False) -> Draft:
        """Applies at most 1000 edits to the draft that the etag names, all or none.

        Raises:
            StateError: ETAG_MISMATCH when somebody changed the draft since.
        """
        request = inventory_pb2.EditDraftRequest(
            parent=self._session.parent,
            etag=etag,
            edits=[_edit_message(edit) for edit in edits],
            request_id=self._session.new_request_id(),
            validate_only=validate_only,
        )
        response = self._session.send(self._connection.stub().EditDraft, request, service=_SERVICE)
        return _draft(response.draft)

    def submit(self, *, etag: str, validate_only: bool = False) -> resources_pb2.RegisterVersion:
        """Freezes the draft that the etag names as the next version.

        Raises:
            StateError: REGISTER_FINDINGS while lint finds errors; DRAFT_UNCHANGED.
        """
        request = inventory_pb2.SubmitDraftRequest(
            parent=self._session.parent,
            etag=etag,
            request_id=self._session.new_request_id(),
            validate_only=validate_only,
        )
        stub = self._connection.stub()
        return self._session.send(stub.SubmitDraft, request, service=_SERVICE).version

    def approve(
        self, number: int, *, digest_read: bytes, effective: dt.datetime | None = None
    ) -> resources_pb2.RegisterVersion:
        """Approves a submitted version, by the digest of what the approver read.

        Args:
            number: the version's number.
            digest_read: SHA-256 of the snapshot, 32 bytes.
            effective: from when it holds, aware; None = at once.
        """
        request = inventory_pb2.ApproveVersionRequest(
            name=self._version_name(number),
            digest=digest_read,
            request_id=self._session.new_request_id(),
        )
        if effective is not None:
            request.effective_time.CopyFrom(_timestamp(effective))
        stub = self._connection.stub()
        return self._session.send(stub.ApproveVersion, request, service=_SERVICE).version

    def versions(self) -> Iterator[resources_pb2.RegisterVersion]:
        """Every version, newest first."""
        request = inventory_pb2.ListRegisterVersionsRequest(
            parent=self._session.parent, page_size=MAX_EDITS
        )
        while True:
            stub = self._connection.stub()
            page = self._session.send(stub.ListRegisterVersions, request, service=_SERVICE)
            yield from page.versions
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def version(self, number: int, *, digest_of: bytes = b"") -> FetchedRegister:
        """Fetches a version's bytes and checks them against the announced digest.

        Args:
            number: its number.
            digest_of: of a submitted version that is not approved yet; empty = the approved one.

        Raises:
            IntegrityError: REGISTER_CORRUPT when the bytes are not what was announced.
        """
        request = inventory_pb2.GetRegisterVersionRequest(
            name=self._version_name(number), digest=digest_of
        )
        version = resources_pb2.RegisterVersion()
        approval, snapshot = b"", bytearray()
        stub = self._connection.stub()
        for part in self._session.stream(stub.GetRegisterVersion, request, service=_SERVICE):
            if part.HasField("version"):
                version = part.version
            approval = approval or part.approval
            snapshot += part.chunk
        found = digest(bytes(snapshot))
        decoded = decode_snapshot(bytes(snapshot))
        if found != version.digest or decoded.number != number:
            raise error(Reason.REGISTER_CORRUPT)
        return FetchedRegister(version=version, snapshot=decoded, digest=found, approval=approval)

    def export(
        self,
        *,
        view: inventory_pb2.ExportView.ValueType,
        file_format: inventory_pb2.ExportFormat.ValueType,
        as_of: dt.datetime | None = None,
    ) -> ExportedFile:
        """Exports the register in effect at a time as a file.

        Args:
            view: which sheet.
            file_format: which file.
            as_of: aware; None = now.

        Raises:
            IntegrityError: REGISTER_CORRUPT when the bytes are not what was announced.
        """
        request = inventory_pb2.ExportInventoryRequest(
            parent=self._session.parent, view=view, format=file_format
        )
        if as_of is not None:
            request.read_time.CopyFrom(_timestamp(as_of))
        head, content = inventory_pb2.ExportInventoryResponse(), bytearray()
        stub = self._connection.stub()
        for part in self._session.stream(stub.ExportInventory, request, service=_SERVICE):
            if part.file_name:
                head = part
            content += part.chunk
        if hashlib.sha256(content).digest() != head.digest:
            raise error(Reason.REGISTER_CORRUPT)
        return ExportedFile(
            name=head.file_name,
            media_type=head.media_type,
            number=head.number,
            digest=head.digest,
            content=bytes(content),
        )

    def _version_name(self, number: int) -> str:
        organization = self._session.organization
        return format_name(organization, Collection.REGISTER_VERSIONS.value, str(number))


def _draft(message: resources_pb2.Draft) -> Draft:
    document = canonical.decode_object(message.register)
    return Draft(etag=message.etag, register=from_json(document))


def _edit_message(edit: Edit) -> resources_pb2.RegisterEdit:
    kind = _KINDS[edit.kind]
    put = edit.put
    if put is None:
        return resources_pb2.RegisterEdit(kind=kind, slug=edit.slug, remove=True)
    return resources_pb2.RegisterEdit(kind=kind, slug=edit.slug, put=put)


def _timestamp(moment: dt.datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


_KINDS = {kind: resources_pb2.EntityKind.Value(f"ENTITY_KIND_{kind.name}") for kind in Kind}
