"""Two readers written apart, one from the pages alone, accept and refuse the same bytes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from hypothesis import given, settings
from hypothesis import strategies as st

from emanet.core import canonical
from emanet.core.checkpoint import open_checkpoint, parse_vkey
from emanet.core.disclosure import decode_disclosure, verify_disclosure
from emanet.core.envelope import parse_envelope
from emanet.core.errors import EmanetError
from emanet.core.leaf import decode_leaf
from emanet.verify import verify_destruction
from emanet.verify.access_pattern import read_accesses
from emanet.verify.signatures import verify_ed25519
from tests.conformance import independent_decoder as pages
from tests.conformance.independent_leaf import read_destruction, read_leaf

VECTORS = Path(__file__).resolve().parents[2] / "docs" / "formats" / "vectors"
LEAF = json.loads((VECTORS / "leaf.json").read_text(encoding="utf-8"))
LEAVES = [json.loads(each["json"]) for each in LEAF["leaves"]]
LOG = json.loads((VECTORS / "log.json").read_text(encoding="utf-8"))
ENVELOPES = json.loads((VECTORS / "envelope.json").read_text(encoding="utf-8"))

# What a careless reader lets through: neighbours of limits, other types, other writings.
ODD_NUMBERS = [0, 1, -1, 8_192, 8_193, 2**53 - 1, 2**53, True, False, None, 1.5]
ODD_TEXTS = ["", "a", "A", "ç", "0", "01", "A" * 22, "A" * 32, "A" * 43, "a" * 63, "a" * 64]
ODD_TEXTS += ["deny", "observe", "CASE", "e\u0301", "epoch", "destroyed", "9" * 15, "9" * 16]
ODD_LISTS = [[], ["a"], ["a", "a"], ["A"], ["CASE"], [1, 2], [2, 1], ["a"] * 65]
ODD_LISTS += [["2", "10"], ["10", "2"], ["A" * 22]]
ODD = st.sampled_from([*ODD_NUMBERS, *ODD_TEXTS, *ODD_LISTS, {}])


# The reader of the pages is short: it lets Python find what is missing or of another type.
REFUSALS = (ValueError, LookupError, TypeError, AttributeError, RecursionError, InvalidSignature)


def agree(
    ours: Callable[[Any], object], theirs: Callable[[Any], object], value: object
) -> tuple[bool, bool]:
    """Whether each accepts; only their own kinds of refusal count."""
    try:
        ours(value)
        first = True
    except EmanetError:
        first = False
    try:
        theirs(value)
        second = True
    except REFUSALS:
        second = False
    return first, second


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@st.composite
def changed_leaves(draw: st.DrawFn) -> bytes:
    """A leaf with one or two members dropped, doubled, replaced or added, written canonically."""
    leaf = copy.deepcopy(draw(st.sampled_from(LEAVES)))
    for _ in range(draw(st.integers(1, 2))):
        container, key = draw(st.sampled_from(list(places(leaf))))
        match draw(st.sampled_from(["drop", "odd", "add", "double", "reverse"])):
            case "drop":
                del container[key]
            case "add" if isinstance(container, dict):
                names = ["x", "role", "reasons", "bg", "class", "n", "d"]
                container[draw(st.sampled_from(names))] = copy.copy(draw(ODD))
            case "double" if isinstance(container, list):
                container.append(container[key])
            case "reverse" if isinstance(container, list):
                container.reverse()
            case _:
                container[key] = copy.copy(draw(ODD))
        if not leaf:
            break
    return pages.write_json(leaf)


@st.composite
def changed_bytes(draw: st.DrawFn, seeds: list[bytes], pieces: list[bytes]) -> bytes:
    """Bytes with up to three places overwritten, cut out, repeated or filled with a piece."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 6)))
        piece = draw(
            st.sampled_from([b"", bytes(data[start:end]) * 2, *pieces]) | st.binary(max_size=2)
        )
        data[start:end] = piece
    return bytes(data)


@given(data=changed_leaves())
@settings(max_examples=600)
def test_both_take_the_same_leaves(data: bytes) -> None:
    """The closed schema is on the page, all of it; the verifier's short way takes no more."""
    ours, theirs = agree(decode_leaf, read_leaf, data)
    assert ours is theirs
    assert ours or list(read_accesses([data])) == [None]


def test_both_refuse_what_the_vectors_refuse() -> None:
    """Every refused leaf of the vectors is refused by the reader of the pages too."""
    for each in LEAF["refused"]:
        assert agree(decode_leaf, read_leaf, each["json"].encode()) == (False, False), each["why"]


JSON_SEEDS = [
    b'{"a":[1,-5,true],"b":{"c":"x\\u0001\\n\xc3\xa7\\"\\\\"}}',
    b"[" * 16 + b"]" * 16,
    b"[9007199254740991,-9007199254740991,0]",
    '"İı€𝄞"'.encode(),
]
JSON_PIECES = [
    b"-0",
    b"1e5",
    b"1.0",
    b" ",
    b"null",
    b"NaN",
    b"\\u00e7",
    b"\\ud800",
    b"\\/",
    b"[",
    b"]",
]
JSON_PIECES += [
    b"\xef\xbb\xbf",
    b'"a":1,',
    b"e\xcc\x81",
    b"9" * 17,
    b"9" * 5_000,
    b"[" * 3_000,
    b"{}",
]


@given(data=changed_bytes(JSON_SEEDS, JSON_PIECES))
@settings(max_examples=600)
def test_both_take_the_same_json(data: bytes) -> None:
    """Canonical JSON has no corner that the page leaves open."""
    ours, theirs = agree(canonical.decode, pages.read_json, data)
    assert ours is theirs


NOTE_PIECES = [
    b"\n",
    b"\n\n",
    b"\xe2\x80\x94 x AAAAAAAA\n",
    b"\t",
    b"\x00",
    b"\xc2\x85",
    b" ",
    b"+",
    b"=",
    b"0",
]


@given(data=changed_bytes([note.encode() for note in LOG["checkpoints"].values()], NOTE_PIECES))
def test_both_take_the_same_checkpoints(data: bytes) -> None:
    """A note is split, signed and read in one way."""
    note, vkey = data.decode("utf-8", "replace"), parse_vkey(LOG["vkey"])
    ours, theirs = agree(
        lambda text: open_checkpoint(text, vkey, verify_ed25519),
        lambda text: pages.open_checkpoint(text, LOG["vkey"]),
        note,
    )
    assert ours is theirs


@given(
    data=changed_bytes(
        [b"emn1.AQEAAA" + b"A" * 124, b"emn1.AQE" + b"A" * 123], [b"=", b"-", b"+", b"B"]
    )
)
def test_both_take_the_same_envelopes(data: bytes) -> None:
    """Text and bytes, one length, one spelling."""
    for value in (data, data.decode("latin-1")):
        ours, theirs = agree(parse_envelope, pages.read_envelope, value)
        assert ours is theirs


@given(data=changed_bytes([LEAF["disclosed"].encode()], [b'"', b",", b"[", b"]", b"A"]))
def test_both_take_the_same_disclosures(data: bytes) -> None:
    """No entry is added, dropped, exchanged or changed for either."""
    leaf = LEAVES[1]
    ours, theirs = agree(
        lambda shown: verify_disclosure(
            decode_disclosure(shown), entries=leaf["n"], entries_root=pages.unb64url(leaf["d"])
        ),
        lambda shown: pages.read_disclosure(shown, leaf),
        data,
    )
    assert ours is theirs


def test_both_believe_the_vectors_destruction_receipt(tmp_path: Path) -> None:
    """Over the exported log both take it, and refuse it with its proofs exchanged."""
    for path, content in LOG["export"].items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if path == "checkpoint" else bytes.fromhex(content))
    leaves = [each["json"].encode() for each in LEAF["leaves"]]
    vkey = LOG["vkey"]
    good = json.loads(LOG["destruction_receipt"])
    (proof,) = good["log"]
    changes = {"epoch_log": proof, "log": [good["epoch_log"]]}, {"epoch": 2}, {"classes": ["a"]}
    for change in ({}, *changes):
        data = pages.write_json(good | change)
        ours, theirs = agree(
            lambda data: verify_destruction(data, parse_vkey(vkey), directory=tmp_path),
            lambda data: read_destruction(data, leaves, vkey),
            data,
        )
        assert ours is theirs is (not change), change
