"""Canonical JSON: RFC 8785 restricted to what two independent programs cannot read differently.

Objects with ASCII keys, arrays, strings, booleans and integers |n| < 2**53; no floats, no null, no
`-0`; at most 16 levels. Bytes once written are stored and never written anew to verify a digest.
The format is docs/formats/encodings.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeAlias

from emanet.core.encoding import MAX_INTEGER, require_nfc
from emanet.core.errors import EmanetError, Reason, error

__all__ = ["MAX_DEPTH", "JsonObject", "JsonValue", "decode", "decode_object", "encode", "write"]

MAX_DEPTH = 16

JsonValue: TypeAlias = "str | int | bool | Sequence[JsonValue] | Mapping[str, JsonValue]"
JsonObject: TypeAlias = "Mapping[str, JsonValue]"

_encode_text = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


def encode(value: JsonValue) -> bytes:
    """Checks the value against the restrictions and writes its one canonical form.

    Raises:
        CallerError: INVALID_FIELD for a value outside the restrictions; TEXT_NOT_NFC for a text
            that is not in normal form C.
    """
    _require_value(value, 1)
    return write(value)


def write(value: JsonValue) -> bytes:
    """Writes a value whose parts were checked before; for builders of closed schemas only."""
    return _encode_text(value).encode("utf-8")


def decode(data: bytes) -> JsonValue:
    """Reads canonical JSON and refuses every other way of writing the same value.

    Raises:
        CallerError: INVALID_FIELD for anything that `encode` would not have written: invalid UTF-8,
            a byte order mark, duplicate keys, lone surrogates, floats, null, `-0`, white space,
            another key order, other escapes, trailing bytes; TEXT_NOT_NFC for text not in NFC.
    """
    try:
        text = data.decode("utf-8")
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=_unique_object,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except EmanetError:
        raise
    except (ValueError, RecursionError) as cause:
        raise _invalid("not canonical JSON") from cause
    _require_value(value, 1)
    if write(value) != data:
        raise _invalid("JSON is not in canonical form")
    return value


def decode_object(data: bytes) -> dict[str, JsonValue]:
    """Reads canonical JSON whose outermost value is an object; raises like `decode`."""
    value = decode(data)
    if not isinstance(value, dict):
        raise _invalid("canonical JSON is not an object")
    return value


def _require_value(value: object, depth: int) -> None:
    if isinstance(value, str):
        require_nfc(value)
    elif isinstance(value, bool):
        return
    elif isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise _invalid("an integer is not below 2**53 in size")
    elif isinstance(value, Mapping | list | tuple):
        _require_container(value, depth)
    else:
        raise _invalid("canonical JSON has no such value type")


def _require_container(
    value: Mapping[object, object] | list[object] | tuple[object, ...], depth: int
) -> None:
    if depth > MAX_DEPTH:
        raise _invalid(f"JSON is nested deeper than {MAX_DEPTH} levels")
    if not isinstance(value, Mapping):
        for item in value:
            _require_value(item, depth + 1)
        return
    for key, item in value.items():
        if not isinstance(key, str) or not key or not key.isascii():
            raise _invalid("a JSON key is not ASCII text")
        _require_value(item, depth + 1)


def _unique_object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _invalid("a JSON object has a key twice")
    return members


def _refuse_number(_: str) -> NoReturn:
    raise _invalid("canonical JSON has integers only")


def _invalid(problem: str) -> EmanetError:
    return error(Reason.INVALID_FIELD, violations=(("", problem),))
