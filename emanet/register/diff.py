"""What differs between two registers, and between what VERBİS is told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from emanet.register.reference import reference
from emanet.register.values import Kind, Register, RowRef, to_json
from emanet.register.verbis import Choice, Controller, VerbisCategory, VerbisView

__all__ = ["Act", "Change", "VerbisChange", "diff", "diff_verbis"]

_Object = Mapping[str, object]


class Act(StrEnum):
    """What happened to a part of the register."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        path: the place (`retention/contract/keep`); of a removed row the place in the old one.
        kind: the section.
        slug: the entity's slug; the section's name where there is one entity only; of a measure
            its code.
        old, new: the canonical JSON values; None where the part was or is absent.
        concerns: codes of the groups of data subjects that it touches, in VERBİS order.
    """

    act: Act
    path: str
    kind: Kind
    slug: str
    old: object
    new: object
    concerns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerbisChange:
    """One difference in what VERBİS is told.

    Attributes:
        entry: the data category, or None for the controller's own lines and the measures.
        item: what of it: `category`, `purposes`, `subjects`, `recipients`, `abroad`,
            `retention`, `measures` or a line of the controller (`tr`, `kep`, `address`,
            `representative`, `contact`).
        old, new: labels in Turkish, as VERBİS words them; empty where there was or is none.
    """

    act: Act
    entry: Choice | None
    item: str
    old: str
    new: str


def diff(a: Register, b: Register) -> tuple[Change, ...]:
    """Lists what must change in `a` to become `b`, in the order of sections, slugs and keys.

    Whole entities and rows are added or removed; within an entity that both have, each key is a
    change of its own. Rows have no names: equal rows are the same row wherever they stand, then
    those with the same fields and purposes, then those with the same fields. Equal registers
    give no changes.
    """
    old, new = to_json(a), to_json(b)
    changes: list[Change] = []
    concerns = _Concerns(a, b)
    for kind in Kind:
        before, after = old.get(kind.value), new.get(kind.value)
        if before == after:
            continue
        if kind is Kind.MEASURE:
            changes += _measure_changes(before, after, concerns=concerns.of(kind, kind.value))
        elif kind.is_single:
            groups = concerns.of(kind, kind.value)
            entity = _Entity(kind=kind, slug=kind.value, path=kind.value, concerns=groups)
            changes += _entity_changes(entity, before, after)
        else:
            changes += _section_changes(
                kind, concerns, before=_object(before), after=_object(after)
            )
    return tuple(changes)


def diff_verbis(old: VerbisView, new: VerbisView) -> tuple[VerbisChange, ...]:
    """Lists what VERBİS must be told: controller, then categories in screen order, then measures.

    Registration dates and whether the controller is exempt are not content of the filing.
    """
    changes = [
        VerbisChange(_act(before, after), None, item, before or "", after or "")
        for item in ("tr", "kep", "address", "representative", "contact")
        for before, after in [(_line(old, item), _line(new, item))]
        if before != after
    ]
    changes += _contact_replaced(old.controller, new.controller)
    before_by_key = {_key(entry): entry for entry in old.categories}
    after_by_key = {_key(entry): entry for entry in new.categories}
    for key in sorted(before_by_key.keys() | after_by_key.keys()):
        changes += _category_changes(before_by_key.get(key), after_by_key.get(key))
    changes += _choice_changes(None, "measures", old.measures, new.measures)
    return tuple(changes)


def _contact_replaced(old: Controller, new: Controller) -> Iterator[VerbisChange]:
    """Another contact person under the same title: VERBİS holds the person, not the title."""
    ids = {old.contact_id, new.contact_id}
    if new.contact is not None and new.contact == old.contact and None not in ids and len(ids) > 1:
        yield VerbisChange(Act.CHANGED, None, "contact", new.contact, f"{new.contact} (başka kişi)")


def _line(view: VerbisView, item: str) -> str | None:
    """A line of the controller; a name that is only the slug of an empty draft is none."""
    value: str | None = getattr(view.controller, item)
    return None if item == "tr" and value == view.controller.id else value


@dataclass(frozen=True, slots=True)
class _Entity:
    """Where changes of one entity are filed."""

    kind: Kind
    slug: str
    path: str
    concerns: tuple[str, ...]

    def change(self, old: object, new: object, *, below: str = "") -> Change:
        path = f"{self.path}/{below}" if below else self.path
        return Change(_act(old, new), path, self.kind, self.slug, old, new, self.concerns)


def _act(old: object, new: object) -> Act:
    if old is None:
        return Act.ADDED
    return Act.REMOVED if new is None else Act.CHANGED


def _object(value: object) -> _Object:
    return cast("_Object", value) if isinstance(value, Mapping) else {}


def _measure_changes(old: object, new: object, *, concerns: tuple[str, ...]) -> Iterator[Change]:
    before = cast("Sequence[str]", old or [])
    after = cast("Sequence[str]", new or [])
    for code in reference().lists["measures"]:
        if (code in before) is not (code in after):
            entity = _Entity(
                kind=Kind.MEASURE, slug=code, path=f"measures/{code}", concerns=concerns
            )
            was, is_now = (code, None) if code in before else (None, code)
            yield entity.change(was, is_now)


def _section_changes(
    kind: Kind, concerns: _Concerns, *, before: _Object, after: _Object
) -> Iterator[Change]:
    for slug in sorted(before.keys() | after.keys()):
        old, new = before.get(slug), after.get(slug)
        if old != new:
            entity = _Entity(
                kind=kind,
                slug=slug,
                path=f"{kind.value}/{slug}",
                concerns=concerns.of(kind, slug),
            )
            yield from _entity_changes(entity, old, new)


def _entity_changes(entity: _Entity, old: object, new: object) -> Iterator[Change]:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        yield entity.change(old, new)
        return
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if entity.kind is Kind.ACTIVITY and key == "rows":
            yield from _row_changes(entity, _rows(before), _rows(after))
        else:
            yield entity.change(before, after, below=key)


def _rows(value: object) -> list[_Object]:
    return list(cast("Sequence[_Object]", value or []))


def _row_changes(
    entity: _Entity, old: Sequence[_Object], new: Sequence[_Object]
) -> Iterator[Change]:
    pairs, removed, added = _paired(old, new)
    for index in removed:
        yield entity.change(old[index], None, below=f"rows/{index}")
    for before, after in pairs:
        for key in sorted(old[before].keys() | new[after].keys()):
            was, is_now = old[before].get(key), new[after].get(key)
            if was != is_now:
                yield entity.change(was, is_now, below=f"rows/{after}/{key}")
    for index in added:
        yield entity.change(None, new[index], below=f"rows/{index}")


def _paired(
    old: Sequence[_Object], new: Sequence[_Object]
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pairs of places of one row, places only in the old list, places only in the new one."""
    likenesses: tuple[Callable[[_Object], object], ...] = (
        lambda row: row,
        lambda row: (row.get("fields"), row.get("purposes")),
        lambda row: row.get("fields"),
    )
    pairs: list[tuple[int, int]] = []
    left, right = list(range(len(old))), list(range(len(new)))
    for likeness in likenesses:
        for index in list(left):
            match = next((at for at in right if likeness(old[index]) == likeness(new[at])), None)
            if match is not None:
                pairs.append((index, match))
                left.remove(index)
                right.remove(match)
    return sorted(pairs, key=lambda pair: pair[1]), left, right


class _Concerns:
    """Which groups of data subjects the parts of two registers touch, in either of them."""

    def __init__(self, a: Register, b: Register) -> None:
        self._everybody: set[str] = set()
        self._by_part: dict[tuple[Kind, str], set[str]] = {}
        for register in (a, b):
            for ref in register.rows:
                self._add(_parts(register, ref), register.subjects_of(ref))
            for slug, activity in register.activities.items():
                self._add([(Kind.ACTIVITY, slug)], activity.subjects)
            for slug, notice in register.notices.items():
                self._add([(Kind.NOTICE, slug)], notice.to)

    def of(self, kind: Kind, slug: str) -> tuple[str, ...]:
        """The groups of the rows that use an entity; of what holds for all rows, every group."""
        one = self._by_part.get((kind, slug), set())
        found = self._everybody if kind in _HOLDS_FOR_ALL else one
        lists = reference()
        return tuple(sorted(found, key=lambda code: (lists.subject_group(code).order, code)))

    def _add(self, parts: Iterable[tuple[Kind, str]], groups: Iterable[str]) -> None:
        self._everybody.update(groups)
        for part in parts:
            self._by_part.setdefault(part, set()).update(groups)


# What holds for every row; other sections count through the rows that use their entities, and
# registry, namespaces and claims change nobody's data.
_HOLDS_FOR_ALL = frozenset({Kind.ORGANIZATION, Kind.DESTRUCTION, Kind.MEASURE})


def _parts(register: Register, ref: RowRef) -> Iterator[tuple[Kind, str]]:
    """The entities that a row uses."""
    yield Kind.ACTIVITY, ref.activity
    notice = register.activities[ref.activity].notice
    if notice is not None:
        yield Kind.NOTICE, notice
    if isinstance(ref.row.keep, str):
        yield Kind.RETENTION_RULE, ref.row.keep
    for slug in ref.row.purposes:
        yield Kind.PURPOSE, slug
    for slug in ref.row.to:
        yield Kind.RECIPIENT, slug
    for slug in ref.row.fields:
        yield Kind.FIELD, slug
        if slug in register.fields:
            for place in register.fields[slug].locations:
                yield Kind.SYSTEM, place.system


def _key(entry: VerbisCategory) -> tuple[int, str, bool]:
    return (entry.category.order, entry.category.words, entry.special)


def _category_changes(
    old: VerbisCategory | None, new: VerbisCategory | None
) -> Iterator[VerbisChange]:
    entry = new or old
    if entry is None or old == new:
        return
    category = entry.category
    if old is None or new is None:
        was = "" if old is None else category.label
        yield VerbisChange(
            _act(old, new), category, "category", was, "" if new is None else category.label
        )
    for item in ("purposes", "subjects", "recipients"):
        before: tuple[Choice, ...] = () if old is None else getattr(old, item)
        after: tuple[Choice, ...] = () if new is None else getattr(new, item)
        if new is not None:
            yield from _choice_changes(category, item, before, after)
    if new is not None:
        yield from _line_changes(category, old, new)


def _line_changes(
    category: Choice, old: VerbisCategory | None, new: VerbisCategory
) -> Iterator[VerbisChange]:
    for item, line in (("abroad", _abroad), ("retention", _retention)):
        before, after = "" if old is None else line(old), line(new)
        if before != after:
            yield VerbisChange(_act(before or None, after), category, item, before, after)


def _abroad(entry: VerbisCategory) -> str:
    return "Evet" if entry.abroad else "Hayır"


def _retention(entry: VerbisCategory) -> str:
    return entry.retention.tr


def _choice_changes(
    entry: Choice | None, item: str, old: Iterable[Choice], new: Iterable[Choice]
) -> Iterator[VerbisChange]:
    before, after = list(old), list(new)
    for choice in before:
        if choice not in after:
            yield VerbisChange(Act.REMOVED, entry, item, choice.label, "")
    for choice in after:
        if choice not in before:
            yield VerbisChange(Act.ADDED, entry, item, "", choice.label)
