"""Time-ordered identifiers: UUID version 7 (RFC 9562 section 5.7), 36 lower-case characters.

bits   0-47  Unix time in milliseconds, big-endian
bits  48-51  version 7
bits  52-63  random
bits  64-65  variant 0b10
bits  66-127 random
"""

from __future__ import annotations

import os
import re
from uuid import UUID

from emanet.core.clock import Clock
from emanet.core.encoding import micros
from emanet.core.errors import Reason, error

__all__ = ["RANDOM_BYTES", "new_uuid7", "parse_uuid7", "uuid7", "uuid7_micros"]

RANDOM_BYTES = 10

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")


def uuid7(*, now_us: int, random: bytes) -> UUID:
    """Builds a UUIDv7 of a time in microseconds since 1970 and 10 random bytes (74 bits are used).

    Raises:
        CallerError: INVALID_FIELD for a time before 1970 or after the year 10889, or when `random`
            is not 10 bytes long.
    """
    milliseconds = now_us // 1000
    if not 0 <= milliseconds < 2**48 or len(random) != RANDOM_BYTES:
        raise error(
            Reason.INVALID_FIELD, violations=(("id", "no UUIDv7 of that time or randomness"),)
        )
    bits = int.from_bytes(random, "big")
    high = milliseconds << 16 | 0x7000 | bits >> 68
    low = 0x8000000000000000 | bits & 0x3FFFFFFFFFFFFFFF
    return UUID(int=high << 64 | low)


def new_uuid7(clock: Clock) -> UUID:
    """A fresh UUIDv7 of the clock's time and the operating system's randomness."""
    return uuid7(now_us=micros(clock.now()), random=os.urandom(RANDOM_BYTES))


def parse_uuid7(text: str) -> UUID:
    """Reads a UUIDv7 in its one form: 36 lower-case characters.

    Raises:
        CallerError: INVALID_FIELD for any other text, other versions and variants included.
    """
    if not _UUID7.match(text):
        raise error(Reason.INVALID_FIELD, violations=(("id", "not a lower-case UUIDv7"),))
    return UUID(text)


def uuid7_micros(value: UUID) -> int:
    """The time inside a UUIDv7 in microseconds since 1970; its resolution is one millisecond."""
    return (value.int >> 80) * 1000
