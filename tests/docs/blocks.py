"""Reads fenced blocks out of Markdown, each with the comment that says what it is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

# The cheapest key derivation that services accept: these tests start them often.
QUICK_START = {"EMANET_RUNTIME_KDF_ITERATIONS": "1", "EMANET_RUNTIME_KDF_MEMORY_KIB": "64"}

_BLOCK = re.compile(
    r"(?:<!-- (?P<purpose>[^>]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        purpose: the words of the comment right above it; empty when there is none.
    """

    purpose: str
    language: str
    text: str


def blocks_of(path: Path) -> list[Block]:
    """The blocks of a page, in order."""
    return [
        Block(found["purpose"] or "", found["language"], found["text"])
        for found in _BLOCK.finditer(path.read_text(encoding="utf-8"))
    ]
