"""P7: looks for every generated value, byte by byte, in every file that the demo has written.

Each value is looked for as UTF-8 and as JSON escapes it; zipped files (workbooks) are opened. A
needle of at least 11 bytes holds one of the 8-byte words that start at every fourth byte of a file,
so that whole files are compared with all needles at once; what fits is compared in full.
"""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from emanet.register.values import Level
from examples.demo.attacks import Attempt, Scene
from examples.demo.houses import HOUSES, House
from examples.demo.people import GENERATORS, SEARCHED_TYPES, make_customer
from examples.demo.store import CUSTOMERS, Store

__all__ = ["Needles", "protected_values", "search_everywhere"]

_WORD = 8
_STRIDE = 4
_SHORTEST = _WORD + _STRIDE - 1
_CHUNK = 1 << 16
# Plain values that are long and strange enough: finding them shows that the search works.
_PLAIN_TYPES = frozenset({"faks", "web_sitesi", "siparis", "cerez", "alan_adi_kaydi"})


class Needles:
    """Texts to look for."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Prepares the texts.

        Raises:
            ValueError: for a text that is too short to be found for sure.
        """
        self.count = 0
        self._index: dict[int, list[tuple[bytes, str]]] = {}
        self._longest = 0
        for text in set(texts):
            self.count += 1
            for needle in {text.encode(), json.dumps(text)[1:-1].encode()}:
                if len(needle) < _SHORTEST:
                    raise ValueError("a needle has at least 11 bytes")
                self._longest = max(self._longest, len(needle))
                for offset in range(_STRIDE):
                    word = int.from_bytes(needle[offset : offset + _WORD], "little")
                    self._index.setdefault(word, []).append((needle, text))

    def find(self, data: bytes) -> set[str]:
        """The texts that occur in some bytes."""
        found: set[str] = set()
        for start in range(0, len(data), _CHUNK):
            piece = data[start : start + _CHUNK + self._longest]
            for word in self._index.keys() & _words(piece):
                found.update(text for needle, text in self._index[word] if needle in piece)
        return found


def _words(piece: bytes) -> set[int]:
    words: set[int] = set()
    for offset in range(0, _WORD, _STRIDE):
        end = offset + (len(piece) - offset) // _WORD * _WORD
        # The native order is little-endian wherever grpcio is built.
        words.update(memoryview(piece[offset:end]).cast("Q"))
    return words


def search_everywhere(scene: Scene) -> Attempt:
    """Looks for every value: protected ones nowhere, plain ones only where the register says."""
    protected, plain = Needles(protected_values(scene.stores)), Needles(_plain(scene.stores))
    files = sorted(path for path in scene.installation.var.rglob("*") if path.is_file())
    read, found_plain = 0, set[str]()
    for path in files:
        inside = path.relative_to(scene.installation.var)
        for data in _contents(path):
            read += len(data)
            leaked = protected.find(data)
            scene.expect(not leaked, f"{inside}: {len(leaked)} protected values in clear")
            shown = plain.find(data)
            found_plain |= shown
            scene.expect(not shown or inside.parts[0] == "app", f"{inside}: plain values")
    scene.expect(len(found_plain) == plain.count, "the search does not see what is there")
    return scene.attempt(
        "P7",
        customers=CUSTOMERS * len(HOUSES),
        values=protected.count,
        plain=plain.count,
        files=len(files),
        megabytes=round(read / 1e6),
    )


def protected_values(stores: Mapping[str, Store]) -> Iterator[str]:
    """Every generated value that may lie nowhere in clear, sealed messages included."""
    for store in stores.values():
        for column, _, text in store.values():
            if column.level is Level.ENCRYPTED and column.data_type in SEARCHED_TYPES:
                yield _form(column.data_type, text)
        yield from _sealed(store.house)


def _plain(stores: Mapping[str, Store]) -> Iterator[str]:
    for store in stores.values():
        for column, _, text in store.values():
            if column.level is Level.NONE and column.data_type in _PLAIN_TYPES:
                yield text


def _sealed(house: House) -> Iterator[str]:
    """What customers would have written: generated to be looked for, and never given to anybody."""
    for slug, field in house.register.fields.items():
        if field.level is Level.SEALED:
            for number in range(1, CUSTOMERS + 1):
                dice = random.Random(f"emanet-demo/{house.id}/{slug}/{number}")
                yield GENERATORS[field.type](make_customer(house.id, number), dice)


def _form(data_type: str, text: str) -> str:
    """A telephone number without its prefix, so that every way of writing it is found."""
    return text.lstrip("+")[1:] if data_type in {"cep_telefonu", "mesaj_alici_numarasi"} else text


def _contents(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    yield data
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield archive.read(name)
