"""Register manifests: YAML as people write it, to a register and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emanet.core.errors import Reason, error
from emanet.core.strict_yaml import Node, load, walk
from emanet.register.codec import ShapeError
from emanet.register.manifest_text import HEADER, dump_manifest
from emanet.register.values import SECTIONS, Kind, Register, decode_register

__all__ = ["HEADER", "Manifest", "Marks", "dump_manifest", "load_manifest"]


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the parts of a register stand in its manifest.

    Attributes:
        source: the file's name.
        lines: path (`activities/account/rows/2`) → line, from 1.
    """

    source: str
    lines: Mapping[str, int]

    def line_of(self, path: str) -> int:
        """The line of a path, or of the nearest part around it; 1 when there is none."""
        while path:
            line = self.lines.get(path)
            if line is not None:
                return line
            path = path.rpartition("/")[0]
        return 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """A register with the places of its parts."""

    register: Register
    marks: Marks


def load_manifest(text: str, source: str) -> Manifest:
    """Reads a register manifest.

    Args:
        text: the file's content.
        source: the file's name as messages show it.

    Raises:
        EmanetError: MANIFEST_INVALID with file, line and problem for broken YAML, an unknown or
            duplicate key, a wrong type or a code that verbis.yaml does not have.
    """
    root = load(text, source)
    marks = Marks(
        source=source, lines=MappingProxyType({path: node.line for path, node in walk(root)})
    )
    try:
        register = decode_register(_lifted(root))
    except ShapeError as broken:
        raise error(
            Reason.MANIFEST_INVALID,
            source=source,
            line=str(marks.line_of(broken.path)),
            problem=broken.problem,
            problem_tr=broken.problem_tr,
        ) from broken
    return Manifest(register=register, marks=marks)


def _lifted(root: Node) -> dict[str, object]:
    keys = [kind.value for kind in Kind]
    entries = root.closed(allowed=["emanet", *keys], required=["emanet", Kind.ORGANIZATION.value])
    header = entries["emanet"]
    if header.text() != HEADER:
        raise header.error(f"'emanet' must be {HEADER}", f"'emanet' {HEADER} olmalı")
    return {
        kind.value: SECTIONS[kind].lift(entries[kind.value])
        for kind in Kind
        if kind.value in entries
    }
