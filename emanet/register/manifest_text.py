"""Writes a register as a manifest: one line per entity, one per row, in the schema's order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from emanet.register.values import Kind, Register, to_json

__all__ = ["HEADER", "dump_manifest"]

HEADER = "register/v1"

# What YAML reads back as the same text without quotes, in block and in flow style alike. Words
# that older readers take for truth values, nothing or numbers are quoted all the same.
_PLAIN = re.compile(r"[^\W_][\w ./()+;'-]*", re.UNICODE)
_AMBIGUOUS = re.compile(r"(?i)true|false|yes|no|on|off|y|n|null|[0-9.+_e-]+|0x[0-9a-f]+|0o[0-7]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OPEN_MEMBERS = frozenset({"keep", "basis"})


def dump_manifest(register: Register) -> str:
    """The register as manifest text; `load_manifest` reads the same register from it."""
    document = to_json(register)
    lines = [f"emanet: {HEADER}"]
    for kind in Kind:
        section = document.get(kind.value)
        if section is None:
            continue
        if kind is Kind.ACTIVITY and isinstance(section, Mapping):
            lines.extend(_activities(section))
        elif isinstance(section, Mapping) and not kind.is_single:
            lines.append(f"{kind.value}:")
            lines.extend(f"  {_scalar(slug)}: {_flow(entity)}" for slug, entity in section.items())
        else:
            lines.append(f"{kind.value}: {_flow(section)}")
    return "\n".join(lines) + "\n"


def _activities(section: Mapping[str, object]) -> Iterator[str]:
    yield f"{Kind.ACTIVITY.value}:"
    for slug, activity in section.items():
        if not isinstance(activity, Mapping):
            continue
        yield f"  {_scalar(slug)}:"
        for key, value in activity.items():
            if key == "rows" and isinstance(value, list):
                yield "    rows:"
                yield from (f"      - {_flow(row)}" for row in value)
            else:
                yield f"    {key}: {_flow(value)}"


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(_members(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _scalar(str(value))


def _members(value: Mapping[str, object]) -> Iterable[str]:
    for key, part in value.items():
        if key in _OPEN_MEMBERS and isinstance(part, Mapping):
            yield f"{key}: {_scalar(str(part['unresolved']))}"
        else:
            yield f"{_scalar(key)}: {_flow(part)}"


def _scalar(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and not text.endswith(" ")
    if is_plain and (_DAY.fullmatch(text) or not _AMBIGUOUS.fullmatch(text)):
        return text
    # A JSON string is a double-quoted YAML scalar. What does not print is escaped; JSON's own
    # escapes would write surrogates, which YAML refuses.
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)
