"""Small readers that the parts of `need_to_know.yaml` share; each refuses with file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from emanet.core.errors import EmanetError
from emanet.core.names import is_slug
from emanet.core.strict_yaml import Node, hints

__all__ = [
    "NOT_SUPPORTED",
    "choice",
    "closed_keys",
    "distinct",
    "label",
    "made",
    "not_a_slug",
    "slug",
    "slugs",
    "yes_or_no",
]

# Planned keys: their meaning is fixed in docs/need-to-know.md, and nothing may rely on them yet.
NOT_SUPPORTED = frozenset(
    {"relative", "searches", "second_person", "never_with", "break_glass", "review"}
)

_Word = TypeVar("_Word", bound=StrEnum)
_Made = TypeVar("_Made")
_YES_NO: Mapping[str, bool] = {"yes": True, "no": False}


def closed_keys(
    node: Node, *, allowed: Iterable[str], required: Iterable[str] = ()
) -> Mapping[str, Node]:
    """The entries of a mapping with closed keys.

    Raises:
        EmanetError: MANIFEST_INVALID for an unknown, planned or missing key.
    """
    for key, value in node.mapping().items():
        if key in NOT_SUPPORTED:
            raise value.error(f"{key!r} is not supported yet", f"{key!r} henüz desteklenmiyor")
    return node.closed(allowed=allowed, required=required)


def slug(node: Node) -> str:
    """A slug.

    Raises:
        EmanetError: MANIFEST_INVALID when the text is none.
    """
    text = node.text()
    if not is_slug(text):
        raise not_a_slug(node, text)
    return text


def not_a_slug(node: Node, text: str) -> EmanetError:
    """The refusal of a text that is no slug."""
    return node.error(
        f"{text!r} is not a name (a-z, then a-z, 0-9, '.', '_', '-')",
        f"{text!r} bir ad değil (a-z ile başlar; a-z, 0-9, '.', '_', '-')",
    )


def slugs(node: Node) -> tuple[str, ...]:
    """One slug or a list of slugs without repeats.

    Raises:
        EmanetError: MANIFEST_INVALID for a repeat, an empty list or a text that is no slug.
    """
    return distinct(node, slug)


def distinct(node: Node, read: Callable[[Node], _Made]) -> tuple[_Made, ...]:
    """One value or a list of values, at least one and none twice.

    Raises:
        EmanetError: MANIFEST_INVALID for a repeat or an empty list, and what `read` raises.
    """
    found: list[_Made] = []
    for item in node.items():
        value = read(item)
        if value in found:
            raise item.error(f"{value!s} stands twice", f"{value!s} iki kez yazılmış")
        found.append(value)
    if not found:
        raise node.error("the list is empty", "liste boş")
    return tuple(found)


def choice(node: Node, words: type[_Word]) -> _Word:
    """A word of a closed set.

    Raises:
        EmanetError: MANIFEST_INVALID with the words that are known.
    """
    text = node.text()
    known = [word.value for word in words]
    if text not in known:
        hint, hint_tr = hints(text, known)
        listed = ", ".join(known)
        raise node.error(
            f"unknown word {text!r}{hint}; known are: {listed}",
            f"bilinmeyen sözcük {text!r}{hint_tr}; bilinenler: {listed}",
        )
    return words(text)


def yes_or_no(node: Node) -> bool:
    """The words yes and no, as conditions are written.

    Raises:
        EmanetError: MANIFEST_INVALID for any other word.
    """
    text = node.text()
    if text not in _YES_NO:
        raise node.error("yes or no expected", "yes ya da no bekleniyordu")
    return _YES_NO[text]


def label(entries: Mapping[str, Node], key: str) -> str:
    """An optional text, "" when the key is absent."""
    return entries[key].text() if key in entries else ""


def made(node: Node, build: Callable[[], _Made], problem_tr: str) -> _Made:
    """Builds a value and says where the file is wrong when the value refuses itself.

    Raises:
        EmanetError: MANIFEST_INVALID with the value's own message.
    """
    try:
        return build()
    except ValueError as refused:
        raise node.error(str(refused), problem_tr) from refused
