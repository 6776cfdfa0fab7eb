"""Published figures: RFC 6962 trees, the C2SP signed-note example and tile shape, RFC 8785, RFC 9562.

The large vector files are not part of the repository: they are read from `EMANET_VECTORS_DIR`, else
from `../shared/vectors` beside the checkout, and their tests skip, saying so, where neither exists.
What a stranger's clone must be able to check stands here as constants with its source.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from emanet.core import canonical
from emanet.core.checkpoint import format_note, format_vkey, open_note, parse_note, parse_vkey
from emanet.core.errors import EmanetError
from emanet.core.ids import parse_uuid7, uuid7
from emanet.core.merkle import EMPTY_ROOT, CompactRange, leaf_hash
from emanet.core.tiles import ENTRIES, WIDTH, format_index, tiles_of

ROOT = Path(__file__).resolve().parents[2]

# transparency-dev/merkle testonly/constants.go, the reference trees of certificate-transparency.
LEAF_INPUTS_HEX = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
ROOT_OF_EIGHT_HEX = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"

# c2sp.org/signed-note, example.
NOTE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def vectors_dir() -> Path:
    named = os.environ.get("EMANET_VECTORS_DIR")
    folder = Path(named) if named else ROOT.parent / "shared" / "vectors"
    if not folder.is_dir():
        pytest.skip(f"published vectors not found in {folder}; set EMANET_VECTORS_DIR")
    return folder


def published() -> Any:
    return json.loads((vectors_dir() / "rfc6962_roots_and_note.json").read_text(encoding="utf-8"))


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def root_of(inputs_hex: list[str] | tuple[str, ...]) -> str:
    return CompactRange().extend(leaf_hash(bytes.fromhex(each)) for each in inputs_hex).root().hex()


def test_the_reference_tree_of_eight_leaves_has_its_root() -> None:
    """RFC 6962 hashing over the reference leaves gives the reference root."""
    assert root_of(LEAF_INPUTS_HEX) == ROOT_OF_EIGHT_HEX
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_published_roots_of_every_size_hold() -> None:
    """All sizes of the published tree have their roots."""
    data = published()
    for size, root in enumerate(data["root_hash_hex_by_size"]):
        assert root_of(data["leaf_inputs_hex"][:size]) == root


def test_the_signed_note_example_opens() -> None:
    """The example's key and note are read, verified and written again as they were."""
    vkey = parse_vkey(NOTE_VKEY)
    assert open_note(NOTE, vkey, verify) == "This is an example message.\n"
    assert format_vkey(vkey) == NOTE_VKEY
    assert format_note(parse_note(NOTE)) == NOTE
    with pytest.raises(EmanetError):
        open_note(NOTE.replace("example m", "Example m"), vkey, verify)


def test_the_published_note_is_the_one_above() -> None:
    """The constants of this file are the published ones."""
    note = published()["signed_note"]
    assert (note["vkey"], note["note"]) == (NOTE_VKEY, NOTE)


def test_tiles_of_seventy_thousand_leaves_have_the_specified_shape() -> None:
    """c2sp.org/tlog-tiles, "Merkle Tree": 273 full and a partial of 112, 1 and 17, 0 and 1."""
    shape: dict[int, tuple[int, int]] = {}
    for tile in tiles_of(70_000):
        full, partial = shape.get(tile.level, (0, 0))
        shape[tile.level] = (full + 1, partial) if tile.width == WIDTH else (full, tile.width)
    assert shape == {ENTRIES: (273, 112), 0: (273, 112), 1: (1, 17), 2: (0, 1)}
    assert format_index(1_234_067) == "x001/x234/067"


def test_the_published_tile_shape_is_the_one_above() -> None:
    """The figures of this file are the published ones."""
    shape = published()["tile_shape"]
    assert (shape["size"], shape["full_level0"], shape["partial_level0"]) == (70_000, 273, 112)
    assert (shape["full_level1"], shape["partial_level1"], shape["partial_level2"]) == (1, 17, 1)
    assert shape["path_index_1234067"] == format_index(1_234_067)


def test_strings_are_written_as_rfc_8785_writes_them() -> None:
    """RFC 8785 section 3.2.3: the example's strings and literals that our restriction allows."""
    sample = {"string": '\u20ac$\u000f\nA\'B"\\\\"/', "literals": [True, False]}
    written = '{"literals":[true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical.encode(sample) == written.encode()


def test_the_uuid_example_of_rfc_9562_is_built() -> None:
    """RFC 9562 appendix A.6: time 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F."""
    random = (0xCC3 << 68 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    value = uuid7(now_us=0x017F22E279B0 * 1000, random=random)
    assert str(value) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    assert parse_uuid7(str(value)) == value
