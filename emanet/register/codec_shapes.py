"""Codecs of lists, of entities by slug and of entities (see `emanet.register.codec`)."""

# ruff: noqa: D102 -- the methods of every codec are described once, in the protocol Codec

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields

from emanet.core.strict_yaml import Node, hints, short
from emanet.register.codec import SLUG, Codec, ShapeError

__all__ = ["ListCodec", "MapCodec", "Member", "ObjectCodec"]


class ListCodec:
    """A list without repetition; a manifest may write one scalar for a list of one."""

    def __init__(self, item: Codec, *, minimum: int = 0, distinct: bool = True) -> None:
        self._item = item
        self._minimum = minimum
        self._distinct = distinct

    def lift(self, node: Node) -> object:
        return [self._item.lift(child) for child in node.items()]

    def decode(self, value: object, path: str) -> tuple[object, ...]:
        if not isinstance(value, list | tuple):
            raise ShapeError(path, "list expected", "liste bekleniyordu")
        if len(value) < self._minimum:
            raise ShapeError(path, "the list is empty", "liste boş")
        decoded = tuple(
            self._item.decode(part, f"{path}/{index}") for index, part in enumerate(value)
        )
        if self._distinct:
            _verify_distinct(decoded, value, path)
        return decoded

    def encode(self, value: object) -> object:
        return [self._item.encode(part) for part in _iterable(value)]


def _verify_distinct(decoded: Sequence[object], value: Sequence[object], path: str) -> None:
    """Raises where a part stands twice; linear, because a list may hold thousands of names."""
    seen: set[object] = set()
    for index, part in enumerate(decoded):
        if part in seen:
            shown = short(str(value[index]))
            raise ShapeError(
                f"{path}/{index}",
                f"{shown} stands twice in the list",
                f"{shown} listede iki kez var",
            )
        seen.add(part)


class MapCodec:
    """Entities by slug, kept in the slugs' byte order."""

    def __init__(self, item: Codec) -> None:
        self.item = item

    def lift(self, node: Node) -> object:
        return {key: self.item.lift(child) for key, child in node.mapping().items()}

    def decode(self, value: object, path: str) -> dict[str, object]:
        entries = _mapping(value, path)
        for key in entries:
            if not SLUG.fullmatch(key):
                raise ShapeError(
                    f"{path}/{key}",
                    f"{short(key)} is not a name ([a-z][a-z0-9._-]*, at most 63)",
                    f"{short(key)} ad değil ([a-z][a-z0-9._-]*, en çok 63)",
                )
        return {key: self.item.decode(entries[key], f"{path}/{key}") for key in sorted(entries)}

    def encode(self, value: object) -> object:
        return {key: self.item.encode(part) for key, part in _mapping(value, "").items()}


@dataclass(frozen=True, slots=True)
class Member:
    """One key of an object: its name in JSON, its attribute and its codec."""

    key: str
    codec: Codec
    attribute: str = ""
    required: bool = False


class ObjectCodec:
    """An entity: a closed set of keys; keys whose value is the default are left out."""

    def __init__(self, build: Callable[..., object], *members: Member) -> None:
        self._build = build
        self.members = {member.key: member for member in members}
        self._attributes = {m.key: m.attribute or m.key for m in members}
        self._defaults = {field.name: field.default for field in fields(build)}  # type: ignore[arg-type]  # every builder here is a dataclass
        self._required = tuple(member.key for member in members if member.required)

    def lift(self, node: Node) -> object:
        entries = node.closed(allowed=self.members, required=self._required)
        return {key: self.members[key].codec.lift(child) for key, child in entries.items()}

    def decode(self, value: object, path: str) -> object:
        entries = _mapping(value, path)
        for key in entries:
            if key not in self.members:
                hint, hint_tr = hints(key, self.members)
                raise ShapeError(
                    f"{path}/{key}",
                    f"unknown key {short(key)}{hint}",
                    f"bilinmeyen anahtar {short(key)}{hint_tr}",
                )
        for key in self._required:
            if key not in entries:
                raise ShapeError(path, f"key {key!r} is missing", f"{key!r} anahtarı eksik")
        return self._build(
            **{
                self._attributes[key]: self.members[key].codec.decode(part, f"{path}/{key}")
                for key, part in entries.items()
            }
        )

    def encode(self, value: object) -> object:
        encoded: dict[str, object] = {}
        for key, attribute in self._attributes.items():
            part = getattr(value, attribute)
            default = self._defaults[attribute]
            if default is MISSING or (part != default and part is not None):
                encoded[key] = self.members[key].codec.encode(part)
        return encoded


def _mapping(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ShapeError(path, "mapping expected", "eşleme bekleniyordu")
    return value


def _iterable(value: object) -> Iterable[object]:
    if not isinstance(value, list | tuple):
        raise TypeError("a list codec encodes lists")
    return value
