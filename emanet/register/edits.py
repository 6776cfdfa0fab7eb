"""Typed edits: what changes a draft, and the list of them that turns one register into another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emanet.core import canonical
from emanet.core.canonical import JsonObject
from emanet.core.errors import EmanetError, Reason, error
from emanet.register.codec import ShapeError
from emanet.register.values import Kind, Register, decode_register, to_json

__all__ = ["MAX_VALUE_BYTES", "Edit", "apply_edits", "parse_edit", "plan"]

MAX_VALUE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: puts a whole entity or removes it.

    Attributes:
        kind: the entity's section.
        slug: its slug; for a measure its code, for a kind of which there is one the kind's own
            name (`registry`).
        value: the entity as canonical JSON (`{}` for a measure), None to remove it.
    """

    kind: Kind
    slug: str
    value: JsonObject | None

    @property
    def put(self) -> bytes | None:
        """The value's canonical bytes, as they cross the wire; None for a removal."""
        return None if self.value is None else canonical.encode(self.value)


def parse_edit(kind: Kind, slug: str, *, put: bytes | None) -> Edit:
    """Reads an edit from the wire; whether the value fits the schema shows when it is applied.

    Raises:
        EmanetError: EDIT_INVALID when the value is no canonical JSON object or above 64 KiB.
    """
    if put is None:
        return Edit(kind=kind, slug=slug, value=None)
    if len(put) > MAX_VALUE_BYTES:
        raise _invalid(0, kind=kind, slug=slug, problem=f"more than {MAX_VALUE_BYTES} bytes")
    try:
        value = canonical.decode_object(put)
    except EmanetError as broken:
        raise _invalid(0, kind=kind, slug=slug, problem="not a canonical JSON object") from broken
    return Edit(kind=kind, slug=slug, value=value)


def plan(old: Register, new: Register) -> tuple[Edit, ...]:
    """The edits that turn `old` into `new`, by kind and slug; empty when they are equal.

    Raises:
        EmanetError: EDIT_INVALID when the two belong to different organizations.
    """
    if old.organization.id != new.organization.id:
        raise _foreign(0)
    before, after = _sections(to_json(old)), _sections(to_json(new))
    edits: list[Edit] = []
    for kind in Kind:
        for slug in sorted(before[kind].keys() | after[kind].keys()):
            value = after[kind].get(slug)
            if value != before[kind].get(slug):
                edits.append(Edit(kind=kind, slug=slug, value=value))
    return tuple(edits)


def apply_edits(register: Register, edits: Sequence[Edit]) -> Register:
    """The register after the edits, applied in order, all or none.

    Raises:
        EmanetError: EDIT_INVALID with the edit's index (from 0), kind and slug, when a value does
            not fit the schema, a removed entity does not exist, a slug does not fit its kind, or
            the organization is removed or gets another id.
    """
    sections = {kind: dict(entries) for kind, entries in _sections(to_json(register)).items()}
    for index, edit in enumerate(edits):
        _apply(sections[edit.kind], edit, index=index)
    organization = sections[Kind.ORGANIZATION][Kind.ORGANIZATION.value]
    if organization.get("id") != register.organization.id:
        raise _foreign(_index_of(edits, f"{Kind.ORGANIZATION}/{Kind.ORGANIZATION}"))
    try:
        return decode_register(_document(sections))
    except ShapeError as broken:
        index = _index_of(edits, broken.path)
        edit = edits[index]
        problem = f"{broken.path}: {broken.problem}"
        raise _invalid(index, kind=edit.kind, slug=edit.slug, problem=problem) from broken


_Entries = Mapping[str, JsonObject]


def _sections(document: JsonObject) -> dict[Kind, _Entries]:
    return {kind: _entries(kind, document.get(kind.value)) for kind in Kind}


def _entries(kind: Kind, section: object) -> _Entries:
    if isinstance(section, Mapping):
        return {kind.value: section} if kind.is_single else section
    if isinstance(section, list):
        return {str(code): {} for code in section}
    return {}


def _document(sections: Mapping[Kind, _Entries]) -> dict[str, object]:
    document: dict[str, object] = {}
    for kind, entries in sections.items():
        if kind.is_single and entries:
            document[kind.value] = entries[kind.value]
        elif kind is Kind.MEASURE:
            document[kind.value] = sorted(entries)
        elif entries:
            document[kind.value] = entries
    return document


def _apply(entries: dict[str, JsonObject], edit: Edit, *, index: int) -> None:
    problem = _misfit(entries, edit)
    if problem is not None:
        raise _invalid(index, kind=edit.kind, slug=edit.slug, problem=problem)
    if edit.value is None:
        del entries[edit.slug]
    else:
        entries[edit.slug] = edit.value


def _misfit(entries: _Entries, edit: Edit) -> str | None:
    if edit.kind.is_single and edit.slug != edit.kind.value:
        return f"there is one {edit.kind.value}; its slug is {edit.kind.value!r}"
    if edit.value is None and edit.kind is Kind.ORGANIZATION:
        return "the organization cannot be removed"
    if edit.value is None and edit.slug not in entries:
        return "it does not exist"
    if edit.value and edit.kind is Kind.MEASURE:
        return "a measure has no members"
    return None


def _index_of(edits: Sequence[Edit], path: str) -> int:
    """The last edit that put what stands at a path; 0 when none is found."""
    found = 0
    for index, edit in enumerate(edits):
        own = edit.kind.value if edit.kind.is_single else f"{edit.kind.value}/{edit.slug}"
        is_measure = edit.kind is Kind.MEASURE and path.startswith(f"{edit.kind.value}/")
        if path == own or path.startswith(f"{own}/") or is_measure:
            found = index
    return found


def _foreign(index: int) -> EmanetError:
    problem = "the organization's id cannot change"
    kind = Kind.ORGANIZATION
    return _invalid(index, kind=kind, slug=kind.value, problem=problem)


def _invalid(index: int, *, kind: Kind, slug: str, problem: str) -> EmanetError:
    return error(Reason.EDIT_INVALID, index=str(index), kind=kind.value, slug=slug, problem=problem)
