"""Turns values into canonical JSON and back, and YAML nodes into that JSON, by one schema.

A codec knows three ways: `lift` (a YAML node, as people write it, to canonical JSON), `decode`
(canonical JSON to the value, refusing what the schema does not know) and `encode` (the value to
canonical JSON). Paths in errors are those of the JSON (`activities/account/rows/2/keep`).
"""

# ruff: noqa: D102 -- the methods of every codec are described once, in the protocol Codec

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Protocol

from emanet.core.strict_yaml import Node, hints, short
from emanet.register.entities import Location, Unresolved
from emanet.register.period import Period, parse_period
from emanet.register.reference import reference

__all__ = [
    "SLUG",
    "ArticleCodec",
    "ChoiceCodec",
    "CodeCodec",
    "Codec",
    "DateCodec",
    "LocationCodec",
    "OpenCodec",
    "PatternCodec",
    "PeriodCodec",
    "ShapeError",
    "TextCodec",
    "TruthCodec",
    "WholeCodec",
]

SLUG = re.compile(r"[a-z][a-z0-9._-]{0,62}")
MAX_TEXT = 2_000
_FORBIDDEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


class ShapeError(ValueError):
    """A value that the schema does not know; the callers turn it into their own reason.

    Attributes:
        path: where, in the register's JSON.
        problem, problem_tr: what is wrong, in English and Turkish.
    """

    def __init__(self, path: str, problem: str, problem_tr: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem
        self.problem_tr = problem_tr


class Codec(Protocol):
    """What every codec can do."""

    def lift(self, node: Node) -> object:
        """A YAML node as canonical JSON; EmanetError with the line for a wrong shape."""

    def decode(self, value: object, path: str) -> object:
        """Canonical JSON as a value; ShapeError with the path for what is not allowed."""

    def encode(self, value: object) -> object:
        """A value as canonical JSON."""


class _Scalar:
    """A codec whose YAML, JSON and manifest forms are the same text."""

    def lift(self, node: Node) -> object:
        return node.text()

    def encode(self, value: object) -> object:
        return str(value)


class TextCodec(_Scalar):
    """Words: NFC, one to 2,000 characters, no control characters but line feeds."""

    def decode(self, value: object, path: str) -> str:
        text = _string(value, path)
        if len(text) > MAX_TEXT:
            raise ShapeError(
                path,
                f"text longer than {MAX_TEXT} characters",
                f"metin {MAX_TEXT} karakterden uzun",
            )
        if not unicodedata.is_normalized("NFC", text):
            raise ShapeError(path, "text is not in Unicode form NFC", "metin Unicode NFC değil")
        if any(unicodedata.category(char) in _FORBIDDEN for char in text if char != "\n"):
            raise ShapeError(path, "control character in a text", "metinde denetim karakteri var")
        return text


class PatternCodec(_Scalar):
    """Text of one pattern, a slug for example.

    Args:
        pattern: the whole text must match.
        name, name_tr: what is expected, for messages.
    """

    def __init__(self, pattern: re.Pattern[str], name: str, name_tr: str) -> None:
        self.pattern = pattern
        self._name = name
        self._name_tr = name_tr

    def decode(self, value: object, path: str) -> str:
        text = _string(value, path)
        if not self.pattern.fullmatch(text):
            raise ShapeError(
                path,
                f"{short(text)} is not {self._name}",
                f"{short(text)} {self._name_tr} değil",
            )
        return text


class ChoiceCodec(_Scalar):
    """One word of a closed enumeration."""

    def __init__(self, choices: type[StrEnum]) -> None:
        self._choices = choices

    def decode(self, value: object, path: str) -> StrEnum:
        text = _string(value, path)
        options = [str(choice.value) for choice in self._choices]
        if text not in options:
            raise unknown_code(path, text=text, options=options, listing=", ".join(options))
        return self._choices(text)


class CodeCodec(_Scalar):
    """A code of one or several lists of verbis.yaml, or one of some further words."""

    def __init__(self, *lists: str, words: Iterable[str] = ()) -> None:
        self._lists = lists
        self._words = frozenset(words)

    def decode(self, value: object, path: str) -> str:
        text = _string(value, path)
        if text not in self._words:
            known = reference().lists
            if not any(text in known[name] for name in self._lists):
                options = reference().codes(*self._lists) | self._words
                raise unknown_code(
                    path, text=text, options=options, listing=" / ".join(self._lists)
                )
        return text


class ArticleCodec(_Scalar):
    """A processing condition as lawyers write it (`5/2-ç`); its code is read too."""

    def lift(self, node: Node) -> object:
        text = node.text()
        basis = reference().legal_bases.get(text)
        return basis.article if basis else text

    def decode(self, value: object, path: str) -> str:
        text = _string(value, path)
        articles = reference().bases_by_article
        if text not in articles:
            raise unknown_code(path, text=text, options=articles, listing="legal_bases")
        return text


class DateCodec(_Scalar):
    """A calendar day, `YYYY-MM-DD`."""

    def decode(self, value: object, path: str) -> date:
        text = _string(value, path)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        if day is None or day.isoformat() != text:
            raise ShapeError(
                path,
                f"{short(text)} is not a day of the calendar (YYYY-MM-DD)",
                f"{short(text)} takvim günü değil (YYYY-AA-GG)",
            )
        return day


class PeriodCodec(_Scalar):
    """A calendar period in ISO 8601; written in its shortest form.

    Args:
        only: the one period that is allowed, None for any.
    """

    def __init__(self, *, only: Period | None = None) -> None:
        self._only = only

    def decode(self, value: object, path: str) -> Period:
        text = _string(value, path)
        try:
            period = parse_period(text)
        except ValueError as broken:
            raise ShapeError(
                path,
                f"{short(text)} is not a period: {broken}",
                f"{short(text)} süre değil; P10Y, P6M ya da P35D gibi yazılır",
            ) from broken
        if self._only is not None and period != self._only:
            raise ShapeError(
                path, f"only {self._only} is possible", f"yalnız {self._only} olabilir"
            )
        return period


class TruthCodec:
    """True or false."""

    def lift(self, node: Node) -> object:
        return node.boolean()

    def decode(self, value: object, path: str) -> bool:
        if not isinstance(value, bool):
            raise ShapeError(path, "true or false expected", "true ya da false bekleniyordu")
        return value

    def encode(self, value: object) -> object:
        return value


class WholeCodec:
    """A whole number within bounds, both included."""

    def __init__(self, *, minimum: int = 0, maximum: int = 10**15 - 1) -> None:
        self._minimum = minimum
        self._maximum = maximum

    def lift(self, node: Node) -> object:
        return node.integer(minimum=self._minimum, maximum=self._maximum)

    def decode(self, value: object, path: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ShapeError(path, "whole number expected", "tam sayı bekleniyordu")
        if not self._minimum <= value <= self._maximum:
            raise ShapeError(
                path,
                f"number outside {self._minimum} to {self._maximum}",
                f"sayı {self._minimum} ile {self._maximum} arasında değil",
            )
        return value

    def encode(self, value: object) -> object:
        return value


class LocationCodec(_Scalar):
    """Where a field lies: `system.collection.column`; everything after the first dot is free."""

    def decode(self, value: object, path: str) -> Location:
        text = TextCodec().decode(value, path)
        system, dot, item = text.partition(".")
        if not SLUG.fullmatch(system) or bool(dot) != bool(item) or "\n" in text:
            raise ShapeError(
                path,
                f"{short(text)} is not a place (system.collection.column)",
                f"{short(text)} bir yer değil (sistem.tablo.sütun)",
            )
        return Location(system=system, item=item)


class OpenCodec:
    """A value that a draft may leave as words.

    Text that looks like a value must be one; anything else is `Unresolved`, in JSON
    `{"unresolved": words}`.
    """

    def __init__(self, codec: Codec, *, looks_like: re.Pattern[str]) -> None:
        self._codec = codec
        self._looks_like = looks_like

    def lift(self, node: Node) -> object:
        value = self._codec.lift(node)
        return value if self._looks_like.match(str(value)) else {"unresolved": value}

    def decode(self, value: object, path: str) -> object:
        if not isinstance(value, Mapping):
            return self._codec.decode(value, path)
        if set(value) != {"unresolved"}:
            raise ShapeError(
                path, "only the key 'unresolved' fits here", "yalnız 'unresolved' olur"
            )
        words = TextCodec().decode(value["unresolved"], path)
        if self._looks_like.match(words):
            raise ShapeError(
                path,
                f"{short(words)} is a value, not an open point",
                f"{short(words)} bir değer, açık nokta değil",
            )
        return Unresolved(words)

    def encode(self, value: object) -> object:
        if isinstance(value, Unresolved):
            return {"unresolved": value.text}
        return self._codec.encode(value)


def _string(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise ShapeError(path, "text expected", "metin bekleniyordu")
    if not value:
        raise ShapeError(path, "the text is empty", "metin boş")
    return value


def unknown_code(path: str, *, text: str, options: Iterable[str], listing: str) -> ShapeError:
    hint, hint_tr = hints(text, options)
    return ShapeError(
        path,
        f"{short(text)} is not a code of {listing}{hint}",
        f"{short(text)} {listing} listesinde yok{hint_tr}",
    )
