"""What is done to a draft: read, edit, submit. Transactions begin and end here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import structlog
from google.protobuf.message import Message
from sqlalchemy import Connection

from emanet.api.inventory.v1 import inventory_pb2, resources_pb2
from emanet.core.clock import Clock
from emanet.core.errors import Reason, error
from emanet.core.ids import new_uuid7
from emanet.register.edits import Edit, apply_edits
from emanet.register.lint import Severity, lint
from emanet.register.snapshot import decode_snapshot, digest, encode_snapshot
from emanet.register.values import Register, empty_register
from services.inventory import storage
from services.inventory.domain.drafts import Draft, decode_draft, make_draft
from services.inventory.domain.versions import Stage, Version
from services.inventory.idempotency import RequestKey, recall, remember
from services.inventory.messages import to_draft, to_edits, to_version
from services.runtime.database import Database

__all__ = ["Asker", "Drafts"]

_TURKIYE = ZoneInfo("Europe/Istanbul")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Attributes:
        caller: SPIFFE id of the certificate.
        person: person id of the staff token.
    """

    caller: str
    person: str


class Drafts:
    """Operations on the drafts of every organization."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        """Keeps the parts."""
        self._database = database
        self._clock = clock

    async def add_organization(self, organization: str) -> None:
        """Makes an organization known, with an empty draft.

        Raises:
            StateError: ALREADY_INITIALISED, it is known.
        """

        def work(connection: Connection) -> None:
            if storage.has_organization(connection, organization):
                raise error(Reason.ALREADY_INITIALISED, resource=f"organizations/{organization}")
            first = make_draft(empty_register(organization), revision=0, updated=self._clock.now())
            storage.add_draft(connection, first)

        await self._database.write(work)

    async def is_known(self, organization: str) -> bool:
        """Tells whether the organization is set up here."""
        return await self._database.read(lambda c: storage.has_organization(c, organization))

    async def read(self, organization: str) -> resources_pb2.Draft:
        """Reads the draft.

        Raises:
            StateError: ORGANIZATION_MISSING.
            IntegrityError: REGISTER_CORRUPT, a stored byte changed.
        """
        draft = await self._database.read(lambda c: _require_draft(c, organization))
        await asyncio.to_thread(decode_draft, draft)
        return to_draft(draft)

    async def edit(
        self, request: inventory_pb2.EditDraftRequest, *, organization: str, asker: Asker
    ) -> inventory_pb2.EditDraftResponse:
        """Applies edits to the draft that the etag names, all or none.

        Raises:
            CallerError: EDIT_INVALID, INVALID_FIELD, BATCH_TOO_LARGE, VALUE_TOO_LARGE,
                REQUEST_ID_REUSED.
            StateError: ETAG_MISMATCH, ORGANIZATION_MISSING.
        """
        key = _key(request, request.request_id, organization, asker)
        edits = to_edits(request.edits)

        def look(connection: Connection) -> tuple[bytes | None, Draft]:
            return recall(connection, key), _require_draft(connection, organization)

        answered, draft = await self._database.read(look)
        if answered is not None:
            return inventory_pb2.EditDraftResponse.FromString(answered)
        _require_etag(draft, request.etag)
        changed = await asyncio.to_thread(self._changed, draft, edits)
        answer = inventory_pb2.EditDraftResponse(draft=to_draft(changed))
        if request.validate_only:
            return answer

        def work(connection: Connection) -> inventory_pb2.EditDraftResponse:
            locked = _require_draft(connection, organization, lock=True)
            first = recall(connection, key)
            if first is not None:
                return inventory_pb2.EditDraftResponse.FromString(first)
            _require_etag(locked, request.etag)
            storage.replace_draft(connection, changed, editor=asker.person)
            remember(connection, key, answer, now=self._clock.now())
            return answer

        answer = await self._database.write(work)
        _log.info("draft.edited", organization=organization, edits=len(edits))
        return answer

    async def submit(
        self, request: inventory_pb2.SubmitDraftRequest, *, organization: str, asker: Asker
    ) -> inventory_pb2.SubmitDraftResponse:
        """Freezes the draft that the etag names as the next version.

        Raises:
            CallerError: REQUEST_ID_REUSED.
            StateError: REGISTER_FINDINGS with count and rule ids, ETAG_MISMATCH, DRAFT_UNCHANGED,
                ORGANIZATION_MISSING.
        """
        key = _key(request, request.request_id, organization, asker)

        def look(connection: Connection) -> tuple[bytes | None, Draft]:
            return recall(connection, key), _require_draft(connection, organization)

        answered, draft = await self._database.read(look)
        if answered is not None:
            return inventory_pb2.SubmitDraftResponse.FromString(answered)
        _require_etag(draft, request.etag)
        register = await asyncio.to_thread(_clean_register, draft, self._today())

        def work(connection: Connection) -> inventory_pb2.SubmitDraftResponse:
            locked = _require_draft(connection, organization, lock=True)
            first = recall(connection, key)
            if first is not None:
                return inventory_pb2.SubmitDraftResponse.FromString(first)
            _require_etag(locked, request.etag)
            version, snapshot = self._next_version(connection, locked, register, asker.person)
            answer = inventory_pb2.SubmitDraftResponse(version=to_version(version, in_effect=None))
            if not request.validate_only:
                storage.withdraw_submitted(connection, organization)
                storage.add_version(connection, version, snapshot=snapshot)
                remember(connection, key, answer, now=self._clock.now())
            return answer

        answer = await self._database.write(work)
        if not request.validate_only:
            _log.info("version.submitted", organization=organization, number=answer.version.number)
        return answer

    def _changed(self, draft: Draft, edits: Sequence[Edit]) -> Draft:
        register = apply_edits(decode_draft(draft), edits)
        return make_draft(register, revision=draft.revision + 1, updated=self._clock.now())

    def _next_version(
        self, connection: Connection, draft: Draft, register: Register, author: str
    ) -> tuple[Version, bytes]:
        approved = storage.list_approved(connection, draft.organization)
        last = approved[-1] if approved else None
        snapshot = encode_snapshot(
            organization=draft.organization,
            number=len(approved) + 1,
            previous=last.digest if last else None,
            register=register,
        )
        if last is not None and _is_unchanged(connection, last, register):
            raise error(Reason.DRAFT_UNCHANGED)
        version = Version(
            id=new_uuid7(self._clock),
            organization=draft.organization,
            number=len(approved) + 1,
            digest=digest(snapshot),
            stage=Stage.SUBMITTED,
            revision=draft.revision,
            author=author,
            submitted=self._clock.now(),
        )
        return version, snapshot

    def _today(self) -> date:
        return self._clock.now().astimezone(_TURKIYE).date()


def _clean_register(draft: Draft, today: date) -> Register:
    register = decode_draft(draft)
    errors = [found for found in lint(register, today=today) if found.severity is Severity.ERROR]
    if errors:
        rules = ", ".join(sorted({found.rule for found in errors}))
        raise error(Reason.REGISTER_FINDINGS, count=str(len(errors)), rules=rules)
    return register


def _is_unchanged(connection: Connection, last: Version, register: Register) -> bool:
    stored = storage.read_version(connection, last)
    return decode_snapshot(stored.snapshot).register == register


def _require_draft(connection: Connection, organization: str, *, lock: bool = False) -> Draft:
    draft = storage.find_draft(connection, organization, lock=lock)
    if draft is None:
        raise error(Reason.ORGANIZATION_MISSING, organization=organization)
    return draft


def _require_etag(draft: Draft, etag: str) -> None:
    if draft.etag != etag:
        raise error(Reason.ETAG_MISMATCH)


def _key(message: Message, request_id: str, organization: str, asker: Asker) -> RequestKey:
    return RequestKey.of(
        message,
        request_id=request_id,
        organization=organization,
        caller=asker.caller,
        person=asker.person,
    )
