"""Byte encodings that every Emanet format is built from (docs/formats/encodings.md).

`LP(x)` is a uint32 big-endian length followed by the bytes; a sequence of them is injective, so two
different lists of parts never give the same bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from struct import Struct

from emanet.core.errors import EmanetError, Reason, error

__all__ = [
    "MAX_INTEGER",
    "b64url_decode",
    "b64url_encode",
    "from_micros",
    "lp",
    "micros",
    "read_lp",
    "require_nfc",
    "u64",
]

# Above 2**53 - 1 JSON readers disagree about an integer (RFC 8785 section 3.2.2.3).
MAX_INTEGER = 2**53 - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_MICROS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_MIN_MICROS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LENGTH = Struct(">I")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_B64URL = re.compile(r"[A-Za-z0-9_-]*\Z")


def lp(*parts: bytes) -> bytes:
    """Concatenates the length-prefixed parts: uint32 big-endian length ‖ bytes, for each part."""
    pieces: list[bytes] = []
    for part in parts:
        pieces.append(_LENGTH.pack(len(part)))
        pieces.append(part)
    return b"".join(pieces)


def read_lp(data: bytes, count: int) -> tuple[bytes, ...]:
    """Reads exactly `count` length-prefixed parts that fill `data`.

    Raises:
        CallerError: INVALID_FIELD when a part is cut off or bytes are left over.
    """
    parts: list[bytes] = []
    size = len(data)
    end = 0
    for _ in range(count):
        start = end + _LENGTH.size
        if start > size:
            raise _invalid("a length-prefixed part is cut off")
        end = start + _LENGTH.unpack_from(data, end)[0]
        if end > size:
            raise _invalid("a length-prefixed part is cut off")
        parts.append(data[start:end])
    if end != size:
        raise _invalid("bytes are left after the last length-prefixed part")
    return tuple(parts)


def u64(number: int) -> bytes:
    """Encodes an integer of 0 to 2**64 - 1 as 8 bytes big-endian.

    Raises:
        CallerError: INVALID_FIELD when the number is out of range.
    """
    if not 0 <= number < 2**64:
        raise _invalid("an integer does not fit 8 unsigned bytes")
    return number.to_bytes(8, "big")


def b64url_encode(data: bytes) -> str:
    """Encodes bytes as base64url (RFC 4648 section 5) without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64url_decode(text: str) -> bytes:
    """Decodes base64url without padding; every byte string has exactly one accepted text.

    Raises:
        CallerError: INVALID_FIELD for padding, another alphabet, white space, an impossible
            length, or spare bits that are not zero (RFC 4648 section 3.5).
    """
    if not _B64URL.match(text) or len(text) % 4 == 1:
        raise _invalid("not base64url without padding")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as cause:
        raise _invalid("not base64url without padding") from cause
    if len(text) % 4 and b64url_encode(data) != text:
        raise _invalid("base64url with spare bits that are not zero")
    return data


def require_nfc(text: str) -> str:
    """Returns the text unchanged when it is in Unicode normal form C and encodable as UTF-8.

    Text is refused, never repaired: a repaired text would no longer be what the caller signed.

    Raises:
        CallerError: TEXT_NOT_NFC when it is not NFC; INVALID_FIELD for a lone surrogate.
    """
    if text.isascii():
        return text
    if not unicodedata.is_normalized("NFC", text):
        raise error(Reason.TEXT_NOT_NFC)
    if _LONE_SURROGATE.search(text):
        raise _invalid("a text holds a lone surrogate")
    return text


def micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01T00:00:00Z of an aware datetime; exact, leap seconds ignored.

    Raises:
        CallerError: INVALID_FIELD when the datetime has no time zone.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise _invalid("a time has no time zone")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(number: int) -> datetime:
    """The aware UTC datetime of `number` microseconds since 1970-01-01T00:00:00Z.

    Raises:
        CallerError: INVALID_FIELD outside the years 1 to 9999.
    """
    if not _MIN_MICROS <= number <= _MAX_MICROS:
        raise _invalid("a time is outside the years 1 to 9999")
    return _EPOCH + timedelta(microseconds=number)


def _invalid(problem: str) -> EmanetError:
    return error(Reason.INVALID_FIELD, violations=(("", problem),))
