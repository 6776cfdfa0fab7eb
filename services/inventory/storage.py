"""SQL of the inventory: plain functions over one connection; operations own the transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, select, tuple_, update

from emanet.core.encoding import from_micros, micros
from emanet.core.errors import Reason, error
from emanet.register.snapshot import Approval, decode_approval, digest, encode_approval
from services.inventory.domain.drafts import Draft
from services.inventory.domain.versions import Stage, Version
from services.inventory.paging import Position
from services.inventory.tables import (
    draft_editors,
    drafts,
    requests,
    version_editors,
    versions,
)

__all__ = [
    "VersionBytes",
    "add_draft",
    "add_request",
    "add_version",
    "approve_version",
    "drop_requests",
    "find_draft",
    "find_request",
    "find_version",
    "has_organization",
    "last_numbers",
    "list_approved",
    "list_editors",
    "list_versions",
    "read_version",
    "replace_draft",
    "withdraw_submitted",
]

_MAX_VERSIONS = 100_000

_HEAD = (
    versions.c.id,
    versions.c.organization,
    versions.c.number,
    versions.c.digest,
    versions.c.state,
    versions.c.revision,
    versions.c.author,
    versions.c.submit_time,
    versions.c.approver,
    versions.c.approve_time,
    versions.c.effective_time,
    versions.c.approval,
)


@dataclass(frozen=True, slots=True)
class VersionBytes:
    """A version with the bytes that its digest was found to be of."""

    version: Version
    snapshot: bytes
    approval: bytes


def add_draft(connection: Connection, draft: Draft) -> None:
    """Stores an organization's first draft."""
    connection.execute(
        insert(drafts).values(
            organization=draft.organization,
            revision=draft.revision,
            etag=draft.etag,
            register=draft.register,
            update_time=micros(draft.updated),
        )
    )


def find_draft(connection: Connection, organization: str, *, lock: bool = False) -> Draft | None:
    """Returns the draft; with `lock`, everything else done to the organization waits."""
    query = select(
        drafts.c.organization,
        drafts.c.revision,
        drafts.c.etag,
        drafts.c.register,
        drafts.c.update_time,
    ).where(drafts.c.organization == organization)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        return None
    return Draft(
        organization=row.organization,
        revision=row.revision,
        etag=row.etag,
        register=row.register,
        updated=from_micros(row.update_time),
    )


def has_organization(connection: Connection, organization: str) -> bool:
    """Tells whether the organization has a draft, without reading it."""
    found = select(drafts.c.revision).where(drafts.c.organization == organization)
    return connection.execute(found).one_or_none() is not None


def replace_draft(connection: Connection, draft: Draft, *, editor: str) -> None:
    """Stores a changed draft and that this person changed it."""
    connection.execute(
        update(drafts)
        .where(drafts.c.organization == draft.organization)
        .values(
            revision=draft.revision,
            etag=draft.etag,
            register=draft.register,
            update_time=micros(draft.updated),
        )
    )
    owned = (draft_editors.c.organization == draft.organization) & (
        draft_editors.c.person == editor
    )
    changed = connection.execute(update(draft_editors).where(owned).values(revision=draft.revision))
    if not changed.rowcount:
        connection.execute(
            insert(draft_editors).values(
                organization=draft.organization, person=editor, revision=draft.revision
            )
        )


def withdraw_submitted(connection: Connection, organization: str) -> None:
    """Withdraws the submission that waits for an approval, if one does."""
    connection.execute(
        update(versions)
        .where(versions.c.organization == organization, versions.c.state == Stage.SUBMITTED.value)
        .values(state=Stage.WITHDRAWN.value)
    )


def add_version(connection: Connection, version: Version, *, snapshot: bytes) -> None:
    """Stores a submission with its bytes and with who edited the draft until then."""
    connection.execute(
        insert(versions).values(
            id=version.id.bytes,
            organization=version.organization,
            number=version.number,
            digest=version.digest,
            snapshot=snapshot,
            state=version.stage.value,
            revision=version.revision,
            author=version.author,
            submit_time=micros(version.submitted),
        )
    )
    editors = connection.execute(
        select(draft_editors.c.person).where(draft_editors.c.organization == version.organization)
    ).scalars()
    rows = [{"version": version.id.bytes, "person": person} for person in editors]
    if rows:
        connection.execute(insert(version_editors), rows)


def approve_version(connection: Connection, version: Version, approval: Approval) -> None:
    """Stores an approval; editors whose last change is in the version are editors no more."""
    connection.execute(
        update(versions)
        .where(versions.c.id == version.id.bytes)
        .values(
            state=Stage.APPROVED.value,
            approver=approval.approver,
            approve_time=micros(approval.approved),
            effective_time=micros(approval.effective),
            approval=encode_approval(approval),
        )
    )
    connection.execute(
        delete(draft_editors).where(
            draft_editors.c.organization == version.organization,
            draft_editors.c.revision <= version.revision,
        )
    )


def find_version(
    connection: Connection, organization: str, number: int, *, digest_named: bytes
) -> Version | None:
    """Returns the submission of a number that a digest names, the newest when it came twice.

    With an empty digest: the approved one. With a digest that no submission of the number has:
    the newest submission, so that the caller can tell a wrong digest from a wrong number.
    """
    rows = connection.execute(
        select(*_HEAD)
        .where(versions.c.organization == organization, versions.c.number == number)
        .order_by(versions.c.id.desc())
        .limit(_MAX_VERSIONS)
    ).all()
    found = [_version(row) for row in rows]
    if not digest_named:
        return next((each for each in found if each.stage is Stage.APPROVED), None)
    named = (each for each in found if each.digest == digest_named)
    return next(named, found[0] if found else None)


def read_version(connection: Connection, version: Version) -> VersionBytes:
    """Returns a version's bytes.

    Raises:
        IntegrityError: REGISTER_CORRUPT, the snapshot is not what its digest was made of.
    """
    row = connection.execute(
        select(versions.c.snapshot, versions.c.approval).where(versions.c.id == version.id.bytes)
    ).one()
    if digest(row.snapshot) != version.digest:
        raise error(Reason.REGISTER_CORRUPT)
    return VersionBytes(version=version, snapshot=row.snapshot, approval=row.approval or b"")


def list_editors(connection: Connection, version: Version) -> frozenset[str]:
    """Returns who edited what a version holds."""
    people = connection.execute(
        select(version_editors.c.person).where(version_editors.c.version == version.id.bytes)
    ).scalars()
    return frozenset(people)


def list_approved(connection: Connection, organization: str) -> tuple[Version, ...]:
    """Returns the approved versions by number.

    Raises:
        IntegrityError: REGISTER_CORRUPT, an approval is not the one of its row, or a number is
            missing.
    """
    rows = connection.execute(
        select(*_HEAD)
        .where(versions.c.organization == organization, versions.c.state == Stage.APPROVED.value)
        .order_by(versions.c.number)
        .limit(_MAX_VERSIONS)
    ).all()
    if [row.number for row in rows] != list(range(1, len(rows) + 1)):
        raise error(Reason.REGISTER_CORRUPT)
    return tuple(_version(row) for row in rows)


def list_versions(
    connection: Connection, organization: str, *, after: Position | None, limit: int
) -> tuple[Version, ...]:
    """Returns versions, newest first, after a position."""
    query = select(*_HEAD).where(versions.c.organization == organization)
    if after is not None:
        row = tuple_(versions.c.number, versions.c.id)
        query = query.where(row < tuple_(after.number, after.id.bytes))
    query = query.order_by(versions.c.number.desc(), versions.c.id.desc()).limit(limit)
    return tuple(_version(each) for each in connection.execute(query))


def last_numbers(connection: Connection, organizations: Sequence[str]) -> Mapping[str, int]:
    """Returns the highest approved number of each organization that has one."""
    rows = connection.execute(
        select(versions.c.organization, func.max(versions.c.number))
        .where(
            versions.c.organization.in_(organizations),
            versions.c.state == Stage.APPROVED.value,
        )
        .group_by(versions.c.organization)
    )
    return {row[0]: row[1] for row in rows}


def find_request(
    connection: Connection, *, organization: str, caller: str, request_id: bytes
) -> tuple[bytes, bytes] | None:
    """Returns digest and answer of a request that was answered before."""
    row = connection.execute(
        select(requests.c.digest, requests.c.answer).where(
            requests.c.organization == organization,
            requests.c.caller == caller,
            requests.c.request_id == request_id,
        )
    ).one_or_none()
    return None if row is None else (row.digest, row.answer)


def add_request(  # one column each
    connection: Connection,
    *,
    organization: str,
    caller: str,
    request_id: bytes,
    digest: bytes,
    answer: bytes,
    created: datetime,
) -> None:
    """Stores the answer to a request."""
    connection.execute(
        insert(requests).values(
            organization=organization,
            caller=caller,
            request_id=request_id,
            digest=digest,
            answer=answer,
            create_time=micros(created),
        )
    )


def drop_requests(connection: Connection, *, organization: str, before: datetime) -> None:
    """Forgets answers that are older than a time."""
    connection.execute(
        delete(requests).where(
            requests.c.organization == organization, requests.c.create_time < micros(before)
        )
    )


def _version(row: Row[*tuple[Any, ...]]) -> Version:
    approval = None if row.approval is None else decode_approval(row.approval)
    if approval is not None and not _is_of(approval, row):
        raise error(Reason.REGISTER_CORRUPT)
    return Version(
        id=UUID(bytes=row.id),
        organization=row.organization,
        number=row.number,
        digest=row.digest,
        stage=Stage(row.state),
        revision=row.revision,
        author=row.author,
        submitted=from_micros(row.submit_time),
        approval=approval,
    )


def _is_of(approval: Approval, row: Row[*tuple[Any, ...]]) -> bool:
    told = (approval.number, approval.digest, approval.author, approval.approver)
    times = (micros(approval.approved), micros(approval.effective))
    return (*told, *times) == (
        row.number,
        row.digest,
        row.author,
        row.approver,
        row.approve_time,
        row.effective_time,
    )
