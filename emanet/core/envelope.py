"""The envelope of one encrypted value, version 1 (docs/formats/envelope.md).

    offset  length
         0       1  version 0x01
         1       1  suite   0x01 AES-256-GCM-SIV
         2      16  sid     id of the subject key S
        18      16  bid     id of the bucket key B
        34      12  nonce   random
        46      32  commitment C, compared in constant time before decryption
        78       n  ciphertext, 0 ≤ n ≤ 65,536
      78+n      16  tag

Text form: `emn1.` and the bytes as base64url without padding. Every malformed input gives the one
error ENVELOPE_INVALID, which does not say what was wrong. Parsing proves nothing: only opening with
the right key and AAD shows that the value is what was encrypted, where it was encrypted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from emanet.core.encoding import b64url_decode, b64url_encode, lp
from emanet.core.errors import EmanetError, Reason, error

__all__ = [
    "COMMITMENT",
    "COMMITMENT_BYTES",
    "HEADER",
    "HEADER_BYTES",
    "KEY_IDS",
    "KEY_ID_BYTES",
    "MAX_PLAINTEXT_BYTES",
    "NONCE",
    "NONCE_BYTES",
    "OVERHEAD_BYTES",
    "SEALED",
    "SUITE_AES_256_GCM_SIV",
    "TAG_BYTES",
    "TEXT_PREFIX",
    "VERSION",
    "Envelope",
    "ValueType",
    "aad",
    "format_envelope",
    "header",
    "header_start",
    "is_envelope",
    "parse_envelope",
    "seal_bytes",
    "to_text",
]

VERSION = 0x01
SUITE_AES_256_GCM_SIV = 0x01
KEY_ID_BYTES = 16
NONCE_BYTES = 12
HEADER_BYTES = 46
COMMITMENT_BYTES = 32
TAG_BYTES = 16
OVERHEAD_BYTES = 94
MAX_PLAINTEXT_BYTES = 65_536
TEXT_PREFIX = "emn1."

HEADER = slice(0, 46)
KEY_IDS = slice(2, 34)
NONCE = slice(34, 46)
COMMITMENT = slice(46, 78)
SEALED = slice(78, None)
"""Where the parts of an envelope's bytes lie; the key ids are sid ‖ bid. A batch cuts a thousand
envelopes by them without a value for each."""

_AAD_LABEL = b"emanet/aad/v1"
_MAX_BYTES = MAX_PLAINTEXT_BYTES + OVERHEAD_BYTES
_FIRST_TWO_BYTES = bytes((VERSION, SUITE_AES_256_GCM_SIV))


class ValueType(StrEnum):
    """What the plaintext is; the AAD binds it, so text never comes back as bytes or the reverse."""

    TEXT = "text"
    BYTES = "bytes"


class Envelope(NamedTuple):
    """The parts of an envelope. A named tuple, because a batch parses a thousand of them.

    Attributes:
        header: bytes 0 to 45, which the AAD binds.
        commitment: 32 bytes.
        sealed: ciphertext of 0 to 65,536 bytes and the tag of 16, as AEAD interfaces take them.
    """

    header: bytes
    commitment: bytes
    sealed: bytes

    @property
    def version(self) -> int:
        """0x01."""
        return self.header[0]

    @property
    def suite(self) -> int:
        """0x01, AES-256-GCM-SIV."""
        return self.header[1]

    @property
    def sid(self) -> bytes:
        """Id of S, 16 bytes."""
        return self.header[2:18]

    @property
    def bid(self) -> bytes:
        """Id of B, 16 bytes."""
        return self.header[18:34]

    @property
    def nonce(self) -> bytes:
        """12 bytes."""
        return self.header[NONCE]

    @property
    def ciphertext(self) -> bytes:
        """0 to 65,536 bytes."""
        return self.sealed[:-TAG_BYTES]

    @property
    def tag(self) -> bytes:
        """16 bytes."""
        return self.sealed[-TAG_BYTES:]


def is_envelope(data: bytes) -> bool:
    """Tells whether the bytes have length, version and suite of an envelope."""
    return OVERHEAD_BYTES <= len(data) <= _MAX_BYTES and data.startswith(_FIRST_TWO_BYTES)


def parse_envelope(value: bytes | str) -> Envelope:
    """Reads an envelope from raw bytes or its `emn1.` text; exact lengths, no trailing bytes.

    Raises:
        IntegrityError: ENVELOPE_INVALID for anything else, unknown versions and suites included.
    """
    data = _from_text(value) if isinstance(value, str) else value
    if not is_envelope(data):
        raise _invalid()
    return Envelope(data[HEADER], data[COMMITMENT], data[SEALED])


def format_envelope(envelope: Envelope) -> bytes:
    """Writes the envelope's bytes.

    Raises:
        IntegrityError: ENVELOPE_INVALID when a part has the wrong length or value.
    """
    data = envelope.header + envelope.commitment + envelope.sealed
    if parse_envelope(data) != envelope:
        raise _invalid()
    return data


def to_text(value: Envelope | bytes) -> str:
    """The text form: `emn1.` and base64url without padding.

    Raises:
        IntegrityError: ENVELOPE_INVALID when the value is not an envelope.
    """
    if isinstance(value, Envelope):
        return TEXT_PREFIX + b64url_encode(format_envelope(value))
    parse_envelope(value)
    return TEXT_PREFIX + b64url_encode(value)


def header(*, sid: bytes, bid: bytes, nonce: bytes) -> bytes:
    """Bytes 0 to 45 of a new envelope of suite 0x01.

    Raises:
        IntegrityError: ENVELOPE_INVALID when a part has the wrong length.
    """
    data = header_start(sid=sid, bid=bid) + nonce
    if len(data) != HEADER_BYTES:
        raise _invalid()
    return data


def header_start(*, sid: bytes, bid: bytes) -> bytes:
    """Bytes 0 to 33 of every envelope of suite 0x01 under two keys; the nonce follows.

    Raises:
        IntegrityError: ENVELOPE_INVALID when an id has the wrong length.
    """
    if len(sid) != KEY_ID_BYTES or len(bid) != KEY_ID_BYTES:
        raise _invalid()
    return _FIRST_TWO_BYTES + sid + bid


def seal_bytes(*, header: bytes, commitment: bytes, sealed: bytes) -> bytes:
    """The envelope's bytes from its header, the commitment and ciphertext ‖ tag.

    Raises:
        IntegrityError: ENVELOPE_INVALID when a part has the wrong length.
    """
    data = header + commitment + sealed
    if (
        len(header) != HEADER_BYTES
        or len(commitment) != COMMITMENT_BYTES
        or not OVERHEAD_BYTES <= len(data) <= _MAX_BYTES
    ):
        raise _invalid()
    return data


def aad(
    header: bytes, *, organization: str, field: str, record: str, value_type: ValueType
) -> bytes:
    """The associated data of one value.

    LP("emanet/aad/v1") ‖ LP(bytes 0 to 45) ‖ LP(organization) ‖ LP(field) ‖ LP(record) ‖
    LP(value type). It authenticates where the value belongs and hides nothing. Purpose is not in
    it: a purpose belongs to a reading, not to a value.

    Args:
        header: bytes 0 to 45 of the envelope.
        organization: bare slug.
        field: bare slug.
        record: what the value is bound to; empty only for fields with `bind: subject`.
        value_type: text or bytes.
    """
    return lp(
        _AAD_LABEL,
        header,
        organization.encode(),
        field.encode(),
        record.encode(),
        value_type.encode(),
    )


def _from_text(text: str) -> bytes:
    if not text.startswith(TEXT_PREFIX):
        raise _invalid()
    try:
        return b64url_decode(text[len(TEXT_PREFIX) :])
    except EmanetError:
        raise _invalid() from None


def _invalid() -> EmanetError:
    return error(Reason.ENVELOPE_INVALID)
