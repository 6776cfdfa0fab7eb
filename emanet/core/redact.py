"""The one redactor: renders messages without personal data and scrubs texts of identifiers.

Protobuf's own `str`, `repr` and text_format print fields marked `debug_redact`; a message is
therefore rendered by `summary` only. `scrub` finds what has a form: numbers, addresses, cards. It
cannot find names or free text, so it is the last net under the rule that values are never logged,
not a licence to log them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from emanet.core.identifiers import is_luhn

__all__ = ["REDACTED", "scrub", "summary"]

REDACTED = "<redacted>"

_MAX_ITEMS = 5
_MAX_TEXT = 120
_MAX_DEPTH = 8
_MAX_SUMMARY = 2_000

# Identifiers that Emanet logs itself: kept whole, or a run of digits inside would be cut out.
_KEEP = (
    r"(?P<keep>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b(?=[0-9]*[a-f])[0-9a-f]{32,}\b)"
)
_LONG = re.compile(
    rf"{_KEEP}"
    r"|(?P<iban>\b[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?\b)"
    r"|(?P<card>(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9]))"
)
_SHORT = re.compile(
    rf"{_KEEP}"
    r"|(?P<email>[^\s@<>()\[\]\"',;:=]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<ip>(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
    r"|[0-9A-Fa-f]{0,4})(?![0-9A-Za-z])"
    r"|(?<![0-9])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9]))"
    r"|(?P<phone>(?<![0-9])(?:(?:\+90|0090|90|0)[ ]?\(?[2-58]|\(?5)[0-9]{2}\)?[ -]?[0-9]{3}"
    r"[ -]?[0-9]{2}[ -]?[0-9]{2}(?![0-9])|\+[1-9](?:[ ()-]{0,2}[0-9]){6,14})"
    r"|(?P<tckn>(?<![0-9])[1-9](?:[ ]?[0-9]){10}(?![0-9]))"
)


def summary(message: Message) -> str:
    """Renders a message for a log line: field names, counts, and values that may be shown.

    Fields marked `debug_redact` show as `<redacted>`, bytes as their length, texts scrubbed and cut
    to 120 characters, lists to five items, nesting to eight levels, everything to 2,000 characters.
    """
    text = _message_text(message, 1)
    return text if len(text) <= _MAX_SUMMARY else f"{text[:_MAX_SUMMARY]}…"


def scrub(text: str) -> str:
    """Replaces what looks like a T.C. number, card, IBAN, e-mail, telephone number or IP address.

    Cards are told from other long numbers by their Luhn digit; eleven digits in a row are taken for
    a T.C. number whether or not the check digits fit, because a slip of the finger is personal data
    too. Loopback and unspecified addresses stay, as do UUIDs and hexadecimal digests.
    """
    return _SHORT.sub(_replacement, _LONG.sub(_replacement, text))


def _replacement(match: re.Match[str]) -> str:
    text, kind = match.group(), match.lastgroup
    if kind == "keep":
        return text
    if kind == "card":
        return "<card>" if is_luhn(re.sub(r"[ -]", "", text)) else text
    if kind == "ip":
        return text if _is_harmless_ip(text) else "<ip>"
    return f"<{kind}>"


def _is_harmless_ip(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return True
    return address.is_loopback or address.is_unspecified


def _message_text(message: Message, depth: int) -> str:
    name = message.DESCRIPTOR.name
    if depth > _MAX_DEPTH:
        return f"{name}{{…}}"
    if isinstance(message, AnyMessage):
        return f"{name}{{{message.type_url.rpartition('/')[2]}}}"
    return f"{name}{{{', '.join(_field_texts(message, depth))}}}"


def _field_texts(message: Message, depth: int) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.GetOptions().debug_redact:
            yield f"{field.name}={REDACTED}"
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            yield f"{field.name}=<{len(value)} pairs>"
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            yield f"{field.name}={_list_text(field, value, depth)}"
        else:
            yield f"{field.name}={_value_text(field, value, depth)}"


def _list_text(field: FieldDescriptor, values: Sequence[object], depth: int) -> str:
    shown = [_value_text(field, value, depth) for value in values[:_MAX_ITEMS]]
    if len(values) > _MAX_ITEMS:
        shown.append(f"… {len(values)} in all")
    return f"[{', '.join(shown)}]"


def _value_text(field: FieldDescriptor, value: object, depth: int) -> str:
    if isinstance(value, Message):
        return _message_text(value, depth + 1)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, str):
        text = scrub(value)
        return repr(text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…")
    if field.enum_type is not None and isinstance(value, int):
        known = field.enum_type.values_by_number.get(value)
        return str(value) if known is None else known.name
    return str(value)
