"""Reads YAML as people write it here, and refuses what YAML guesses.

The reader keeps every scalar as the text that stands in the file, with its line and column, and
the consumer says what it expects: text, a whole number, true or false, a list, a mapping. So
`no`, `on`, `12:30`, `010` and `2026-02-03` never turn into something else by themselves.

Refused with file and line: duplicate keys, keys that are not text, merge keys, anchors and
aliases (so neither bombs nor cycles exist), tags, directives, a second document, nesting deeper
than 32 levels and files above 1 MiB.

Nodes are immutable and may be shared between threads.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from emanet.core.errors import EmanetError, Reason, error

if TYPE_CHECKING:
    import yaml

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "Node",
    "NodeKind",
    "closest",
    "hints",
    "load",
    "short",
    "walk",
]

MAX_BYTES = 1_048_576
MAX_DEPTH = 32

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_MISSING = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = MappingProxyType({"true": True, "false": False})


class NodeKind(Enum):
    """The three shapes of a YAML node."""

    SCALAR = "scalar"
    MAPPING = "mapping"
    SEQUENCE = "sequence"


class Node:
    """One node of the file, with its place.

    Attributes:
        kind: scalar, mapping or sequence.
        source: the file's name, for messages.
        line: line of the node's first character, from 1; for a value in a mapping the line of
            its key, because that is where a person looks.
        column: column of the same character, from 1.
        quoted: whether a scalar stood in quotes or in a block.
    """

    __slots__ = ("_children", "_entries", "_text", "column", "kind", "line", "quoted", "source")

    def __init__(self, kind: NodeKind, *, source: str, line: int, column: int) -> None:
        self.kind = kind
        self.source = source
        self.line = line
        self.column = column
        self.quoted = False
        self._text = ""
        self._entries: Mapping[str, Node] = MappingProxyType({})
        self._children: tuple[Node, ...] = ()

    def error(self, problem: str, problem_tr: str) -> EmanetError:
        """Builds MANIFEST_INVALID for this place."""
        return _error(self.source, self.line, problem, problem_tr)

    @property
    def is_missing(self) -> bool:
        """Whether the value is empty, `~` or `null` without quotes."""
        return self.kind is NodeKind.SCALAR and not self.quoted and self._text in _MISSING

    def text(self) -> str:
        """The scalar as it stands in the file.

        Raises:
            EmanetError: MANIFEST_INVALID when the node is no scalar, is missing, or is an
                unquoted true or false.
        """
        if self.kind is not NodeKind.SCALAR:
            raise self.error("text expected", "metin bekleniyordu")
        if self.is_missing:
            raise self.error(
                "a value is missing (leave the key out, or quote the text)",
                "değer eksik (anahtarı hiç yazmayın ya da metni tırnak içine alın)",
            )
        if not self.quoted and self._text in _BOOLEANS:
            raise self.error(
                f"text expected, found the truth value {self._text} (quote it if it is text)",
                f"metin bekleniyordu, {self._text} bulundu (metinse tırnak içine alın)",
            )
        return self._text

    def boolean(self) -> bool:
        """The scalar as a truth value: exactly `true` or `false`, unquoted.

        Raises:
            EmanetError: MANIFEST_INVALID for anything else, `yes` and `on` included.
        """
        if self.kind is NodeKind.SCALAR and not self.quoted and self._text in _BOOLEANS:
            return _BOOLEANS[self._text]
        raise self.error("true or false expected", "true ya da false bekleniyordu")

    def integer(self, *, minimum: int = 0, maximum: int = 10**15 - 1) -> int:
        """The scalar as a decimal whole number within the bounds, both included.

        Raises:
            EmanetError: MANIFEST_INVALID for anything else: leading zeros, underscores, 0x1F and
                1:30 are not numbers here.
        """
        if (
            self.kind is NodeKind.SCALAR
            and not self.quoted
            and _INTEGER.fullmatch(self._text)
            and self._text != "-0"
            and minimum <= int(self._text) <= maximum
        ):
            return int(self._text)
        raise self.error(
            f"whole number from {minimum} to {maximum} expected",
            f"{minimum} ile {maximum} arasında tam sayı bekleniyordu",
        )

    def mapping(self) -> Mapping[str, Node]:
        """The entries of a mapping, in file order.

        Raises:
            EmanetError: MANIFEST_INVALID when the node is no mapping.
        """
        if self.kind is not NodeKind.MAPPING:
            raise self.error("mapping expected", "anahtar: değer eşlemesi bekleniyordu")
        return self._entries

    def sequence(self) -> Sequence[Node]:
        """The items of a list.

        Raises:
            EmanetError: MANIFEST_INVALID when the node is no list.
        """
        if self.kind is not NodeKind.SEQUENCE:
            raise self.error("list expected", "liste bekleniyordu")
        return self._children

    def items(self) -> Sequence[Node]:
        """The items of a list, or the node itself where one scalar stands for a list of one."""
        return (self,) if self.kind is NodeKind.SCALAR else self.sequence()

    def closed(self, *, allowed: Iterable[str], required: Iterable[str] = ()) -> Mapping[str, Node]:
        """The entries of a mapping whose keys are a closed set.

        Raises:
            EmanetError: MANIFEST_INVALID for a key outside `allowed` (with the closest one) or a
                missing key of `required`.
        """
        entries = self.mapping()
        known = frozenset(allowed)
        for key, value in entries.items():
            if key not in known:
                hint, hint_tr = hints(key, known)
                raise value.error(
                    f"unknown key {short(key)}{hint}", f"bilinmeyen anahtar {short(key)}{hint_tr}"
                )
        for key in required:
            if key not in entries:
                raise self.error(f"key {key!r} is missing", f"{key!r} anahtarı eksik")
        return entries


def closest(word: str, options: Iterable[str]) -> str | None:
    """The option most like a misspelt or cut-off word, or None when none is near."""
    ordered = sorted(options)
    found = difflib.get_close_matches(word, ordered, n=1, cutoff=0.6)
    longer = [option for option in ordered if len(word) > 2 and option.startswith(word)]
    return next(iter([*found, *longer]), None)


def hints(word: str, options: Iterable[str]) -> tuple[str, str]:
    """The closest option as the end of an English and a Turkish sentence, empty when none is."""
    near = closest(word, options)
    if near is None:
        return "", ""
    return f" (did you mean {near!r}?)", f" (şunu mu demek istediniz: {near!r}?)"


def short(text: str) -> str:
    """The text in quotes for a message, cut after 60 characters and free of identifiers.

    A key or word may be anything that somebody pasted into the wrong place (promise P7).
    """
    told = _scrubbed(text)
    return repr(told if len(told) <= 60 else told[:57] + "...")


def load(text: str, source: str) -> Node:
    """Reads one YAML document.

    Args:
        text: the file's content.
        source: the file's name as messages show it.

    Returns:
        The root node.

    Raises:
        EmanetError: MANIFEST_INVALID with source and line, for everything that the module's text
            names, for broken YAML and for an empty file.
    """
    import yaml  # an extra of the wheel: only those who read manifests need it

    _refuse_size(text, source)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(source)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        line = mark.line + 1 if mark else 1
        detail = broken.problem or "broken YAML"
        raise _error(
            source, line, f"not valid YAML: {detail}", f"geçerli YAML değil: {detail}"
        ) from broken
    except yaml.YAMLError as broken:
        raise _error(
            source, 1, "a character that YAML forbids", "YAML'ın yasakladığı bir karakter"
        ) from broken
    if builder.root is None:
        raise _error(source, 1, "the file is empty", "dosya boş")
    return builder.root


def _refuse_size(text: str, source: str) -> None:
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as broken:
        raise _error(
            source, 1, "the text is not valid Unicode", "metin geçerli Unicode değil"
        ) from broken
    if size > MAX_BYTES:
        raise _error(
            source,
            1,
            f"the file has {size} bytes, more than {MAX_BYTES}",
            f"dosya {size} bayt, sınır {MAX_BYTES}",
        )


def _error(source: str, line: int, problem: str, problem_tr: str) -> EmanetError:
    return error(
        Reason.MANIFEST_INVALID,
        source=source,
        line=str(line),
        problem=_scrubbed(problem),
        problem_tr=_scrubbed(problem_tr),
    )


def _scrubbed(text: str) -> str:
    # Imported here because the redactor brings protobuf along, and errors are rare.
    from emanet.core.redact import scrub

    return scrub(text)


class _Open:
    """A mapping or list whose end has not come yet."""

    __slots__ = ("entries", "items", "key", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.entries: dict[str, Node] = {}
        self.items: list[Node] = []
        self.key: Node | None = None

    def accept(self, child: Node) -> None:
        if self.node.kind is NodeKind.SEQUENCE:
            self.items.append(child)
        elif self.key is None:
            self.key = self._checked_key(child)
        else:
            name = self.key._text
            child.line, child.column = self.key.line, self.key.column
            self.entries[name] = child
            self.key = None

    def _checked_key(self, key: Node) -> Node:
        if key.kind is not NodeKind.SCALAR or key.is_missing:
            raise key.error("a key must be text", "anahtar metin olmalı")
        if key._text == "<<" and not key.quoted:
            raise key.error(
                "merge keys (<<) are not allowed", "birleştirme anahtarı (<<) kullanılamaz"
            )
        if key._text in self.entries:
            first = self.entries[key._text].line
            raise key.error(
                f"key {short(key._text)} stands twice (first in line {first})",
                f"{short(key._text)} anahtarı iki kez yazılmış (ilki {first}. satırda)",
            )
        return key

    def finish(self) -> Node:
        self.node._entries = MappingProxyType(self.entries)
        self.node._children = tuple(self.items)
        return self.node


class _Builder:
    """Turns the parser's events into nodes; holds no more than the open path."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.root: Node | None = None
        self._documents = 0
        self._open: list[_Open] = []

    def take(self, event: yaml.Event) -> None:
        import yaml

        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event, line)
        elif isinstance(event, yaml.AliasEvent):
            raise self._refusal(line, "aliases are not allowed", "takma ad (*) kullanılamaz")
        elif isinstance(event, yaml.NodeEvent):
            self._refuse_decoration(event, line)
            self._start_node(event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._place(self._open.pop().finish())

    def _start_document(self, event: yaml.DocumentStartEvent, line: int) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._refusal(
                line, "a second document is not allowed", "ikinci belge (---) olamaz"
            )
        if event.version or event.tags:
            raise self._refusal(line, "directives are not allowed", "yönerge (%) kullanılamaz")

    def _refuse_decoration(self, event: yaml.NodeEvent, line: int) -> None:
        if event.anchor is not None:
            raise self._refusal(line, "anchors are not allowed", "çapa (&) kullanılamaz")
        if getattr(event, "tag", None) is not None:
            raise self._refusal(line, "tags are not allowed", "etiket (!) kullanılamaz")

    def _start_node(self, event: yaml.NodeEvent, line: int) -> None:
        import yaml

        column = event.start_mark.column + 1 if event.start_mark else 1
        if isinstance(event, yaml.ScalarEvent):
            node = Node(NodeKind.SCALAR, source=self.source, line=line, column=column)
            node._text = event.value
            node.quoted = bool(event.style)
            self._place(node)
            return
        if len(self._open) >= MAX_DEPTH:
            raise self._refusal(
                line,
                f"nested deeper than {MAX_DEPTH} levels",
                f"{MAX_DEPTH} düzeyden derin iç içe yazılmış",
            )
        kind = NodeKind.MAPPING if isinstance(event, yaml.MappingStartEvent) else NodeKind.SEQUENCE
        self._open.append(_Open(Node(kind, source=self.source, line=line, column=column)))

    def _place(self, node: Node) -> None:
        if self._open:
            self._open[-1].accept(node)
        else:
            self.root = node

    def _refusal(self, line: int, problem: str, problem_tr: str) -> EmanetError:
        return _error(self.source, line, problem, problem_tr)


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Yields every node with its path (`activities/account/rows/2/keep`), parents first."""
    yield path, node
    prefix = f"{path}/" if path else ""
    for key, child in node._entries.items():
        yield from walk(child, f"{prefix}{key}")
    for index, child in enumerate(node._children):
        yield from walk(child, f"{prefix}{index}")
