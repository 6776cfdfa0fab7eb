"""Reads the members of a canonical JSON object against a closed schema, one by one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from emanet.core.canonical import JsonValue
from emanet.core.encoding import b64url_decode
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.ids import parse_uuid7

__all__ = ["Members"]

_E = TypeVar("_E", bound=StrEnum)


class Members:
    """The members not read yet; `close` refuses what is left.

    Every `take_*` raises CallerError INVALID_FIELD, with the member as the violation, when the
    member is missing or of another type; `take_optional_*` return the empty value when it is
    missing, and refuse an empty value that is written out.
    """

    def __init__(self, value: JsonValue, member: str = "") -> None:
        if not isinstance(value, Mapping):
            raise _malformed(member)
        self._rest = dict(value)

    def __contains__(self, member: str) -> bool:
        """Whether the member is there and was not read yet."""
        return member in self._rest

    def take_text(self, member: str) -> str:
        """A string."""
        value = self._take(member)
        if not isinstance(value, str):
            raise _malformed(member)
        return value

    def take_integer(self, member: str) -> int:
        """An integer; booleans are not integers here."""
        return _integer(self._take(member), member)

    def take_bytes(self, member: str) -> bytes:
        """Bytes written as base64url."""
        return b64url_decode(self.take_text(member))

    def take_uuid7(self, member: str) -> UUID:
        """A UUIDv7."""
        return parse_uuid7(self.take_text(member))

    def take_enum(self, member: str, values: type[_E]) -> _E:
        """A string of a closed set."""
        try:
            return values(self.take_text(member))
        except ValueError:
            raise _malformed(member) from None

    def take_object(self, member: str) -> Members:
        """An object, whose members are read the same way."""
        return Members(self._take(member), member)

    def take_texts(self, member: str) -> tuple[str, ...]:
        """An array of strings."""
        texts: list[str] = []
        for item in self._take_array(member):
            if not isinstance(item, str):
                raise _malformed(member)
            texts.append(item)
        return tuple(texts)

    def take_integers(self, member: str) -> tuple[int, ...]:
        """An array of integers."""
        return tuple(_integer(item, member) for item in self._take_array(member))

    def take_optional_text(self, member: str) -> str:
        """A string that is not empty, or the empty string when the member is missing."""
        if member not in self._rest:
            return ""
        text = self.take_text(member)
        if not text:
            raise _malformed(member)
        return text

    def take_optional_texts(self, member: str) -> tuple[str, ...]:
        """An array that is not empty, or nothing when the member is missing."""
        if member not in self._rest:
            return ()
        texts = self.take_texts(member)
        if not texts:
            raise _malformed(member)
        return texts

    def take_optional_uuid7(self, member: str) -> UUID | None:
        """A UUIDv7, or None when the member is missing."""
        return self.take_uuid7(member) if member in self._rest else None

    def close(self) -> None:
        """Refuses members that the schema does not know."""
        for member in self._rest:
            raise _malformed(member)

    def _take(self, member: str) -> JsonValue:
        if member not in self._rest:
            raise _malformed(member)
        return self._rest.pop(member)

    def _take_array(self, member: str) -> list[JsonValue]:
        value = self._take(member)
        if not isinstance(value, list):
            raise _malformed(member)
        return value


def _integer(value: JsonValue, member: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _malformed(member)
    return value


def _malformed(member: str) -> EmanetError:
    return error(
        Reason.INVALID_FIELD, violations=((member, "missing, unknown or not of its form"),)
    )
