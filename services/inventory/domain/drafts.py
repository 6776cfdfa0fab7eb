"""The draft: the one mutable register of an organization, changed under its etag."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from emanet.core import canonical
from emanet.core.encoding import b64url_encode, lp, u64
from emanet.core.errors import EmanetError, Reason, error
from emanet.register.values import Register, from_json, to_json

__all__ = ["MAX_REGISTER_BYTES", "Draft", "decode_draft", "make_draft"]

MAX_REGISTER_BYTES = 3 * 1024 * 1024
"""Canonical JSON of a draft's register; with its frame it fits a message of 4 MiB."""

_ETAG_BYTES = 18


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it is stored.

    Attributes:
        organization: slug.
        revision: 0 when it was made, one more with each change.
        etag: names exactly this content at this revision.
        register: canonical JSON.
        updated: the last change.
    """

    organization: str
    revision: int
    etag: str
    register: bytes
    updated: datetime


def make_draft(register: Register, *, revision: int, updated: datetime) -> Draft:
    """Builds a draft of a register.

    Raises:
        CallerError: VALUE_TOO_LARGE, its canonical JSON is longer than 3 MiB.
    """
    data = canonical.encode(to_json(register))
    if len(data) > MAX_REGISTER_BYTES:
        raise error(Reason.VALUE_TOO_LARGE, limit=str(MAX_REGISTER_BYTES))
    organization = register.organization.id
    return Draft(
        organization=organization,
        revision=revision,
        etag=_etag(organization, revision, data),
        register=data,
        updated=updated,
    )


def decode_draft(draft: Draft) -> Register:
    """Reads a stored draft's register.

    Raises:
        IntegrityError: REGISTER_CORRUPT, a byte of it is not what was stored.
    """
    if _etag(draft.organization, draft.revision, draft.register) != draft.etag:
        raise error(Reason.REGISTER_CORRUPT)
    try:
        return from_json(canonical.decode_object(draft.register))
    except EmanetError as broken:
        raise error(Reason.REGISTER_CORRUPT) from broken


def _etag(organization: str, revision: int, register: bytes) -> str:
    named = lp(b"emanet/draft/v1", organization.encode(), u64(revision), register)
    return b64url_encode(hashlib.sha256(named).digest()[:_ETAG_BYTES])
