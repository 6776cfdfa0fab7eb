"""Where the fake keeps what it "encrypts": in this process's memory, in clear.

An envelope of the fake has the real layout and length (docs/formats/envelope.md) and random bytes
in place of the ciphertext; the plaintext never leaves the process. Nothing here protects anything.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from emanet.core.envelope import (
    COMMITMENT_BYTES,
    KEY_ID_BYTES,
    NONCE_BYTES,
    TAG_BYTES,
    TEXT_PREFIX,
    ValueType,
    header,
    parse_envelope,
    seal_bytes,
)
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.names import Collection, format_name

__all__ = ["KeyPair", "UnsafeMemoryVault", "Value"]


class Value(NamedTuple):
    """A plaintext with its type; text is kept as UTF-8."""

    value_type: ValueType
    data: bytes


class KeyPair(NamedTuple):
    """What the two keys of an envelope tell of it."""

    retention_class: str
    subject: str
    bucket: str


class _Kept(NamedTuple):
    field: str
    record: str
    value: Value


class UnsafeMemoryVault:
    """Keys and plaintexts of one organization; not for threads without a lock around it."""

    def __init__(self, organization: str) -> None:
        """Starts empty."""
        self._organization = organization
        self._subject_ids: dict[tuple[str, str], bytes] = {}
        self._bucket_ids: dict[tuple[str, str], bytes] = {}
        self._pairs: dict[tuple[bytes, bytes], KeyPair] = {}
        self._kept: dict[bytes, _Kept] = {}
        self._destroyed: dict[bytes, str] = {}

    def __repr__(self) -> str:
        return "UnsafeMemoryVault(...)"

    def seal(self, pair: KeyPair, *, field: str, record: str, value: Value) -> bytes:
        """Keeps a value and returns the envelope that stands for it."""
        sid = self._subject_ids.setdefault((pair.retention_class, pair.subject), _new_key_id())
        bid = self._bucket_ids.setdefault((pair.retention_class, pair.bucket), _new_key_id())
        self._pairs[sid, bid] = pair
        head = header(sid=sid, bid=bid, nonce=os.urandom(NONCE_BYTES))
        envelope = seal_bytes(
            header=head,
            commitment=os.urandom(COMMITMENT_BYTES),
            sealed=os.urandom(len(value.data) + TAG_BYTES),
        )
        self._kept[envelope] = _Kept(field=field, record=record, value=value)
        return envelope

    def find(self, data: bytes) -> KeyPair | EmanetError:
        """The keys of an envelope, raw or the ASCII bytes of its text.

        Returns:
            The keys, KEY_DESTROYED with the destruction's name, or the uniform ENVELOPE_INVALID.
        """
        try:
            parsed = parse_envelope(_raw(data))
        except EmanetError as broken:
            return broken
        destruction = self._destroyed.get(parsed.sid)
        if destruction is not None:
            return error(Reason.KEY_DESTROYED, destruction=destruction)
        return self._pairs.get((parsed.sid, parsed.bid)) or error(Reason.ENVELOPE_INVALID)

    def open(self, data: bytes, *, field: str, record: str) -> Value | None:
        """The value of an envelope whose keys were found; None when it belongs elsewhere."""
        kept = self._kept.get(_raw(data))
        if kept is None or (kept.field, kept.record) != (field, record):
            return None
        return kept.value

    def destroy_subject(self, subject: str, *, retention_class: str, destruction: str) -> str:
        """Destroys keys of a subject; values encrypted later get new ones.

        Args:
            subject: `{namespace}/{ref}`.
            retention_class: of which class; empty = of every class.
            destruction: UUIDv7 of the destruction.

        Returns:
            The destruction's name.
        """
        name = format_name(self._organization, Collection.DESTRUCTIONS.value, destruction)
        names = [
            (known_class, owner)
            for known_class, owner in self._subject_ids
            if owner == subject and retention_class in ("", known_class)
        ]
        dead = {self._subject_ids.pop(key) for key in names}
        self._destroyed.update(dict.fromkeys(dead, name))
        self._kept = {
            envelope: kept
            for envelope, kept in self._kept.items()
            if parse_envelope(envelope).sid not in dead
        }
        return name


def _raw(data: bytes) -> bytes:
    """Raw bytes of either form; what is neither stays as it is and fits no value.

    Raises:
        IntegrityError: ENVELOPE_INVALID for a text that is no envelope.
    """
    if not data.startswith(TEXT_PREFIX.encode()):
        return data
    parsed = parse_envelope(data.decode("ascii", "replace"))
    return seal_bytes(header=parsed.header, commitment=parsed.commitment, sealed=parsed.sealed)


def _new_key_id() -> bytes:
    return os.urandom(KEY_ID_BYTES)
