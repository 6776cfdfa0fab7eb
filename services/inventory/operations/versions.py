"""What is done to versions: approve, list, read. Transactions begin and end here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import structlog
from sqlalchemy import Connection

from emanet.api.inventory.v1 import inventory_pb2
from emanet.core.clock import Clock
from emanet.core.errors import Reason, error
from emanet.core.names import Name
from emanet.register.snapshot import Approval, encode_approval, verify_version
from services.inventory import storage
from services.inventory.domain.versions import (
    Version,
    require_approvable,
    require_effective_time,
    version_at,
)
from services.inventory.idempotency import RequestKey, recall, remember
from services.inventory.messages import from_timestamp, to_version
from services.inventory.operations.drafts import Asker
from services.inventory.paging import PageTokens, Position, page_size
from services.inventory.storage import VersionBytes
from services.runtime.database import Database

__all__ = ["CHUNK_BYTES", "Versions", "chunks"]

CHUNK_BYTES = 1024 * 1024
_log = structlog.get_logger(__name__)


class Versions:
    """Operations on the versions of every organization."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        tokens: PageTokens,
        on_approved: Callable[[str], None],
    ) -> None:
        """Keeps the parts; `on_approved` hears the organization after each approval."""
        self._database = database
        self._clock = clock
        self._tokens = tokens
        self._on_approved = on_approved

    async def approve(
        self, request: inventory_pb2.ApproveVersionRequest, *, name: Name, asker: Asker
    ) -> inventory_pb2.ApproveVersionResponse:
        """Approves the submission that number and digest name.

        Raises:
            CallerError: INVALID_FIELD, the effective time has passed; REQUEST_ID_REUSED.
            StateError: RESOURCE_NOT_FOUND, VERSION_STATE, DIGEST_MISMATCH.
            DeniedError: SECOND_PERSON_REQUIRED, the person edited or submitted it.
            IntegrityError: REGISTER_CORRUPT, the stored bytes are not what was submitted.
            UnavailableError: CLOCK_BEHIND, the last approval is in the future.
        """
        key = RequestKey.of(
            request,
            request_id=request.request_id,
            organization=name.organization,
            caller=asker.caller,
            person=asker.person,
        )
        wanted = (
            from_timestamp(request.effective_time) if request.HasField("effective_time") else None
        )

        def work(connection: Connection) -> inventory_pb2.ApproveVersionResponse:
            storage.find_draft(connection, name.organization, lock=True)
            first = recall(connection, key)
            if first is not None:
                return inventory_pb2.ApproveVersionResponse.FromString(first)
            now = self._clock.now()
            version = _require_version(connection, name, request.digest)
            editors = storage.list_editors(connection, version)
            require_approvable(version, digest=request.digest, person=asker.person, editors=editors)
            effective = require_effective_time(wanted, now=now)
            approval = Approval(
                number=version.number,
                digest=version.digest,
                author=version.author,
                approver=asker.person,
                approved=now,
                effective=effective,
            )
            _require_sound(connection, version, approval)
            storage.approve_version(connection, version, approval)
            answer = _answer(connection, version, now)
            remember(connection, key, answer, now=now)
            return answer

        answer = await self._database.write(work)
        self._on_approved(name.organization)
        _log.info("version.approved", organization=name.organization, number=answer.version.number)
        return answer

    async def list_page(
        self,
        request: inventory_pb2.ListRegisterVersionsRequest,
        *,
        organization: str,
        caller: str,
    ) -> inventory_pb2.ListRegisterVersionsResponse:
        """Lists versions, newest first.

        Raises:
            CallerError: INVALID_FIELD, INVALID_PAGE_TOKEN.
        """
        rpc = request.DESCRIPTOR.full_name
        size = page_size(request.page_size)
        after = self._tokens.read(
            request.page_token, rpc=rpc, organization=organization, caller=caller
        )

        def work(connection: Connection) -> tuple[tuple[Version, ...], tuple[Version, ...]]:
            page = storage.list_versions(connection, organization, after=after, limit=size + 1)
            return page, storage.list_approved(connection, organization)

        page, approved = await self._database.read(work)
        shown = page[:size]
        next_token = ""
        if len(page) > size:
            last = Position(number=shown[-1].number, id=shown[-1].id)
            next_token = self._tokens.write(last, rpc=rpc, organization=organization, caller=caller)
        current = version_at(approved, self._clock.now())
        return inventory_pb2.ListRegisterVersionsResponse(
            versions=[to_version(version, in_effect=current) for version in shown],
            next_page_token=next_token,
        )

    async def read(
        self, name: Name, *, digest: bytes
    ) -> Iterator[inventory_pb2.GetRegisterVersionResponse]:
        """Reads a version: what it is first, then its bytes in chunks of at most 1 MiB.

        Raises:
            StateError: RESOURCE_NOT_FOUND.
            IntegrityError: REGISTER_CORRUPT, the stored bytes do not have the digest.
        """

        def work(connection: Connection) -> tuple[VersionBytes, tuple[Version, ...]]:
            version = _require_version(connection, name, digest)
            if digest and version.digest != digest:
                raise error(Reason.RESOURCE_NOT_FOUND, resource=str(name))
            stored = storage.read_version(connection, version)
            return stored, storage.list_approved(connection, name.organization)

        stored, approved = await self._database.read(work)
        current = version_at(approved, self._clock.now())
        return _streamed(stored, current)


def chunks(data: bytes) -> Iterator[bytes]:
    """Cuts bytes into parts of at most 1 MiB; one empty part for none."""
    for start in range(0, max(len(data), 1), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


def _streamed(
    stored: VersionBytes, current: Version | None
) -> Iterator[inventory_pb2.GetRegisterVersionResponse]:
    yield inventory_pb2.GetRegisterVersionResponse(
        version=to_version(stored.version, in_effect=current), approval=stored.approval
    )
    for chunk in chunks(stored.snapshot):
        yield inventory_pb2.GetRegisterVersionResponse(chunk=chunk)


def _require_version(connection: Connection, name: Name, digest: bytes) -> Version:
    version = storage.find_version(connection, name.organization, int(name.id), digest_named=digest)
    if version is None:
        raise error(Reason.RESOURCE_NOT_FOUND, resource=str(name))
    return version


def _require_sound(connection: Connection, version: Version, approval: Approval) -> None:
    """Verifies what is about to be approved exactly as every consumer will."""
    approved = storage.list_approved(connection, version.organization)
    last = approved[-1] if approved else None
    if last is not None and last.approval and approval.approved < last.approval.approved:
        raise error(Reason.CLOCK_BEHIND)
    stored = storage.read_version(connection, version)
    verify_version(
        stored.snapshot,
        encode_approval(approval),
        organization=version.organization,
        previous=last.digest if last else None,
    )


def _answer(
    connection: Connection, version: Version, now: datetime
) -> inventory_pb2.ApproveVersionResponse:
    approved = storage.list_approved(connection, version.organization)
    own = next(each for each in approved if each.id == version.id)
    return inventory_pb2.ApproveVersionResponse(
        version=to_version(own, in_effect=version_at(approved, now))
    )
