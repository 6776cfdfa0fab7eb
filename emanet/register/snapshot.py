"""Register versions as bytes: snapshot, approval, and what binds them (docs/formats/register.md).

The bytes are stored as they were made and are never written anew; every check works on them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from emanet.core import canonical
from emanet.core.canonical import JsonObject, JsonValue
from emanet.core.encoding import b64url_decode, b64url_encode, from_micros, micros
from emanet.core.errors import EmanetError, Reason, error
from emanet.register.codec import ShapeError
from emanet.register.values import Register, decode_register, to_json

__all__ = [
    "Approval",
    "Snapshot",
    "Version",
    "decode_approval",
    "decode_snapshot",
    "digest",
    "encode_approval",
    "encode_snapshot",
    "in_effect",
    "verify_version",
]

FORMAT_VERSION = 1
DIGEST_BYTES = 32

_SNAPSHOT_KEYS = frozenset({"v", "organization", "number", "register"})
_APPROVAL_KEYS = frozenset({"number", "digest", "author", "approver", "approved", "effective"})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of an organization's register.

    Attributes:
        number: from 1.
        previous: digest of the snapshot before, 32 bytes; None in number 1 only.
    """

    organization: str
    number: int
    previous: bytes | None
    register: Register


@dataclass(frozen=True, slots=True)
class Approval:
    """The second person's act.

    Attributes:
        number: the version's number.
        digest: SHA-256 of its snapshot, 32 bytes.
        author, approver: person ids; two different persons.
        approved, effective: aware UTC times of microsecond precision; effective ≥ approved.
    """

    number: int
    digest: bytes
    author: str
    approver: str
    approved: datetime
    effective: datetime

    def __post_init__(self) -> None:
        if self.number < 1 or len(self.digest) != DIGEST_BYTES:
            raise ValueError("an approval names a number from 1 and a digest of 32 bytes")
        if not self.author or not self.approver or self.author == self.approver:
            raise ValueError("author and approver are two persons")
        if self.effective < self.approved:
            raise ValueError("a version is not in effect before it is approved")


@dataclass(frozen=True, slots=True)
class Version:
    """A verified snapshot with its verified approval, and the digests of their bytes."""

    snapshot: Snapshot
    digest: bytes
    approval: Approval
    approval_digest: bytes


def digest(data: bytes) -> bytes:
    """SHA-256 of a snapshot's or an approval's bytes."""
    return hashlib.sha256(data).digest()


def encode_snapshot(
    *, organization: str, number: int, previous: bytes | None, register: Register
) -> bytes:
    """Writes a snapshot: canonical JSON {v, organization, number, previous?, register}.

    Raises:
        ValueError: when the number and the presence of `previous` do not belong together, or the
            register is another organization's.
    """
    if (number == 1) != (previous is None) or number < 1:
        raise ValueError("the first version alone has no previous one")
    if register.organization.id != organization:
        raise ValueError("the register belongs to another organization")
    document: dict[str, JsonValue] = {
        "v": FORMAT_VERSION,
        "organization": organization,
        "number": number,
        "register": to_json(register),
    }
    if previous is not None:
        document["previous"] = b64url_encode(previous)
    return canonical.encode(document)


def decode_snapshot(data: bytes) -> Snapshot:
    """Reads a snapshot's bytes.

    Raises:
        EmanetError: REGISTER_CORRUPT when they are no snapshot of this format version.
    """
    document = _object(data)
    if set(document) - {"previous"} != _SNAPSHOT_KEYS or _number(document["v"]) != FORMAT_VERSION:
        raise error(Reason.REGISTER_CORRUPT)
    number = _number(document["number"])
    previous = _digest(document["previous"]) if "previous" in document else None
    register = document["register"]
    if (number == 1) != (previous is None) or not isinstance(register, dict):
        raise error(Reason.REGISTER_CORRUPT)
    try:
        value = decode_register(register)
    except ShapeError as broken:
        raise error(Reason.REGISTER_CORRUPT) from broken
    if value.organization.id != document["organization"]:
        raise error(Reason.REGISTER_CORRUPT)
    return Snapshot(
        organization=value.organization.id, number=number, previous=previous, register=value
    )


def encode_approval(approval: Approval) -> bytes:
    """Writes canonical JSON {number, digest, author, approver, approved, effective}."""
    return canonical.encode(
        {
            "number": approval.number,
            "digest": b64url_encode(approval.digest),
            "author": approval.author,
            "approver": approval.approver,
            "approved": micros(approval.approved),
            "effective": micros(approval.effective),
        }
    )


def decode_approval(data: bytes) -> Approval:
    """Reads an approval's bytes.

    Raises:
        EmanetError: REGISTER_CORRUPT when they are no approval, when author and approver are the
            same person, or when it takes effect before it was given.
    """
    document = _object(data)
    if set(document) != _APPROVAL_KEYS:
        raise error(Reason.REGISTER_CORRUPT)
    try:
        return Approval(
            number=_number(document["number"]),
            digest=_digest(document["digest"]),
            author=_person(document["author"]),
            approver=_person(document["approver"]),
            approved=from_micros(_number(document["approved"])),
            effective=from_micros(_number(document["effective"])),
        )
    except ValueError as broken:
        raise error(Reason.REGISTER_CORRUPT) from broken


def verify_version(
    snapshot: bytes, approval: bytes, *, organization: str, previous: bytes | None
) -> Version:
    """Verifies that a snapshot follows the one before and is what two persons agreed on.

    Args:
        snapshot: the snapshot's bytes as stored or received.
        approval: the approval's bytes.
        organization: whose version it must be.
        previous: digest of the approved snapshot before, None for number 1.

    Raises:
        EmanetError: REGISTER_CORRUPT for anything that does not fit.
    """
    own_digest = digest(snapshot)
    agreed = decode_approval(approval)
    if agreed.digest != own_digest:
        raise error(Reason.REGISTER_CORRUPT)
    value = decode_snapshot(snapshot)
    facts = (value.organization, value.number, value.previous)
    if facts != (organization, agreed.number, previous):
        raise error(Reason.REGISTER_CORRUPT)
    return Version(
        snapshot=value, digest=own_digest, approval=agreed, approval_digest=digest(approval)
    )


def in_effect(approvals: Iterable[Approval], at: datetime) -> Approval | None:
    """The approval in effect at a time: the highest number with effective ≤ `at`, or None."""
    running = (approval for approval in approvals if approval.effective <= at)
    return max(running, key=lambda approval: approval.number, default=None)


def _object(data: bytes) -> JsonObject:
    try:
        return canonical.decode_object(data)
    except EmanetError as broken:
        raise error(Reason.REGISTER_CORRUPT) from broken


def _number(value: JsonValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise error(Reason.REGISTER_CORRUPT)
    return value


def _digest(value: JsonValue) -> bytes:
    try:
        found = b64url_decode(value) if isinstance(value, str) else b""
    except EmanetError as broken:
        raise error(Reason.REGISTER_CORRUPT) from broken
    if len(found) != DIGEST_BYTES:
        raise error(Reason.REGISTER_CORRUPT)
    return found


def _person(value: JsonValue) -> str:
    if not isinstance(value, str) or not value:
        raise error(Reason.REGISTER_CORRUPT)
    return value
