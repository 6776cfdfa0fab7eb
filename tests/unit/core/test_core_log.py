"""Tiles, checkpoints, notes, stored proofs."""

from __future__ import annotations

import base64
import dataclasses

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from emanet.core import tiles
from emanet.core.checkpoint import (
    MAX_SIGNATURES,
    Checkpoint,
    Note,
    NoteSignature,
    Vkey,
    format_note,
    format_origin,
    format_vkey,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    sign_checkpoint,
)
from emanet.core.errors import EmanetError, Reason
from emanet.core.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from emanet.core.proof import StoredProof, format_proof, open_proof, parse_proof

ORIGIN = "emanet/demo/cinaralti/1"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
VKEY = Vkey(
    name=ORIGIN, public_key=PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
LEAVES = tuple(leaf_hash(number.to_bytes(3, "big")) for number in range(1_500))


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def signed(size: int) -> str:
    root = CompactRange().extend(LEAVES[:size]).root()
    return sign_checkpoint(Checkpoint(origin=ORIGIN, size=size, root=root), VKEY, PRIVATE.sign)


def test_a_signed_checkpoint_opens_under_its_key() -> None:
    """What was signed is what comes back."""
    checkpoint = open_checkpoint(signed(7), VKEY, verify)
    assert checkpoint == Checkpoint(
        origin=ORIGIN, size=7, root=CompactRange().extend(LEAVES[:7]).root()
    )


@given(st.data())
def test_a_changed_character_of_a_note_refuses_it(data: st.DataObject) -> None:
    """Nothing in a checkpoint's note can be changed."""
    note = signed(7)
    position = data.draw(st.integers(0, len(note) - 1))
    replacement = data.draw(st.sampled_from("0A/+= \n—x").filter(lambda c: c != note[position]))
    with pytest.raises(EmanetError):
        open_checkpoint(note[:position] + replacement + note[position + 1 :], VKEY, verify)


@given(st.data())
def test_a_note_that_is_cut_or_longer_is_refused(data: st.DataObject) -> None:
    """A note ends where its signatures end."""
    note = signed(7)
    cut = note[: data.draw(st.integers(0, len(note) - 1))]
    for changed in (cut, note + "x", note + "\n", "\n" + note):
        with pytest.raises(EmanetError):
            open_checkpoint(changed, VKEY, verify)


def test_unknown_signatures_are_ignored_and_a_wrong_known_one_refuses() -> None:
    """Witnesses may sign too; a bad signature under our name and id is never passed over."""
    note = parse_note(signed(7))
    own = note.signatures[0]
    stranger = NoteSignature(name="witness.example", key_id=b"abcd", signature=b"any")
    namesake = NoteSignature(name=ORIGIN, key_id=b"abcd", signature=b"any")
    many = Note(text=note.text, signatures=(stranger, namesake, *(stranger,) * 13, own))
    assert open_checkpoint(format_note(many), VKEY, verify).size == 7
    wrong = dataclasses.replace(own, signature=OTHER.sign(note.text.encode()))
    for signatures in ((stranger,), (wrong,), (own, wrong), (wrong, own)):
        with pytest.raises(EmanetError):
            open_checkpoint(format_note(Note(text=note.text, signatures=signatures)), VKEY, verify)


def test_the_number_of_signatures_is_bounded() -> None:
    """A hundred signatures are read, one more is not."""
    signature = NoteSignature(name="w", key_id=b"abcd", signature=b"s")
    for count, fits in ((MAX_SIGNATURES, True), (MAX_SIGNATURES + 1, False)):
        text = format_note(Note(text="t\n", signatures=(signature,) * count))
        if fits:
            assert len(parse_note(text).signatures) == count
        else:
            with pytest.raises(EmanetError):
                parse_note(text)


def test_another_logs_checkpoint_is_refused() -> None:
    """Origin and key name must be one, on signing and on opening."""
    foreign = Checkpoint(origin="emanet/demo/cinaralti/2", size=0, root=EMPTY_ROOT)
    with pytest.raises(EmanetError):
        sign_checkpoint(foreign, VKEY, PRIVATE.sign)
    text = f"{foreign.origin}\n0\n{base64.b64encode(EMPTY_ROOT).decode()}\n"
    signature = NoteSignature(
        name=ORIGIN, key_id=VKEY.key_id, signature=PRIVATE.sign(text.encode())
    )
    with pytest.raises(EmanetError):
        open_checkpoint(format_note(Note(text=text, signatures=(signature,))), VKEY, verify)


ROOT = base64.b64encode(LEAVES[0]).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        f"a\n1\n{ROOT}",
        f"a\n1\n{ROOT}\nextension\n",
        f"a\n01\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n1 \n{ROOT}\n",
        f"a\n١\n{ROOT}\n",
        f"a\n9223372036854775808\n{ROOT}\n",
        f"a\n0\n{ROOT}\n",
        f"\n1\n{ROOT}\n",
        f"a b\n1\n{ROOT}\n",
        f"a+b\n1\n{ROOT}\n",
        "a\n1\nAAAA\n",
        f"a\n1\n{ROOT.replace('=', '')}\n",
        f"a\n1\n {ROOT}\n",
    ],
)
def test_texts_that_are_not_three_lines_are_no_checkpoint(text: str) -> None:
    """Extension lines, other numbers and other roots are refused."""
    with pytest.raises(EmanetError) as caught:
        parse_checkpoint(text)
    assert caught.value.reason is Reason.LOG_CORRUPT


def test_vkeys_round_trip_and_bind_name_and_key() -> None:
    """A line with another name, id, algorithm or key is refused."""
    line = format_vkey(VKEY)
    assert parse_vkey(line) == parse_vkey(f"{line}\n") == VKEY
    name, key_id, key = line.split("+", 2)
    wrong_algorithm = base64.b64encode(b"\x02" + VKEY.public_key).decode()
    for changed in (
        f"{name}x+{key_id}+{key}",
        f"{name}+{key_id.upper()}+{key}",
        f"{name}+00000000+{key}",
        f"{name}+{key_id}+{wrong_algorithm}",
        f"{name}+{key_id}+{key[:-4]}",
        f"{name}+{key_id}",
        "",
        f"{line}\n\n",
        f"{line} ",
        f"+{key_id}+{key}",
    ):
        with pytest.raises(EmanetError):
            parse_vkey(changed)


def test_origins_name_installation_organization_generation_and_mode() -> None:
    """A development log never has the origin of a real one."""
    parts = {"installation": "demo", "organization": "cinaralti", "generation": 1}
    assert format_origin(**parts, dev=False) == ORIGIN
    assert format_origin(**parts, dev=True) == "emanet-dev/demo/cinaralti/1"
    for change in ({"installation": "De mo"}, {"organization": "a/b"}, {"generation": 0}):
        with pytest.raises(EmanetError):
            format_origin(**{**parts, **change}, dev=False)


@given(st.sampled_from([tiles.ENTRIES, 0, 1, 5, 63]), st.integers(0, 10**12), st.integers(1, 256))
def test_tile_paths_round_trip(level: int, index: int, width: int) -> None:
    """A tile's path is read as its place."""
    tile = tiles.Tile(level=level, index=index, width=width)
    assert tiles.parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/007",
        "tile/64/000",
        "tile/00/000",
        "tile/data/000",
        "tile/0/000/",
        "../tile/0/000",
        "tile/0/000\n",
        "tile/0/x1/000",
        "tile/-1/000",
    ],
)
def test_other_paths_are_no_tiles(path: str) -> None:
    """Every tile has one path."""
    with pytest.raises(EmanetError):
        tiles.parse_path(path)


@given(st.integers(0, 200_000))
def test_the_tiles_of_a_size_hold_every_hash_once(size: int) -> None:
    """Widths add up to the leaves of each level, only the last tile of a level is partial."""
    widths: dict[int, list[int]] = {}
    for tile in tiles.tiles_of(size):
        assert tile.index == len(widths.setdefault(tile.level, []))
        widths[tile.level].append(tile.width)
    assert all(width == 256 for level in widths.values() for width in level[:-1])
    expected, count, level = {}, size, 0
    if size:
        expected[tiles.ENTRIES] = size
    while count:
        expected[level] = count
        count, level = count // 256, level + 1
    assert {level: sum(row) for level, row in widths.items()} == expected


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=256), st.data())
def test_entries_tiles_round_trip_and_are_never_cut(
    leaves: list[bytes], data: st.DataObject
) -> None:
    """Leaves come back; a cut tile or another number of leaves is refused."""
    written = tiles.encode_entries(leaves)
    assert tiles.decode_entries(written, len(leaves)) == tuple(leaves)
    for changed, width in (
        (written[:-1], len(leaves)),
        (written, len(leaves) + 1),
        (written + b"\0", len(leaves)),
    ):
        with pytest.raises(EmanetError):
            tiles.decode_entries(changed, width)


@pytest.mark.parametrize("leaves", [[], [b""] * 257, [bytes(65_536)]])
def test_tiles_of_impossible_content_are_not_written(leaves: list[bytes]) -> None:
    """A tile has 1 to 256 leaves, each below 64 KiB."""
    with pytest.raises(EmanetError):
        tiles.encode_entries(leaves)
    with pytest.raises(EmanetError):
        tiles.encode_hashes(leaves)


def stored_tiles(size: int) -> dict[str, bytes]:
    rows = {0: list(LEAVES[:size])}
    while len(rows[max(rows)]) >= 256:
        below = rows[max(rows)]
        rows[len(rows)] = [
            CompactRange().extend(below[i : i + 256]).root()
            for i in range(0, len(below) - 255, 256)
        ]
    return {
        tile.path: tiles.encode_hashes(
            rows[tile.level][tile.index * 256 : tile.index * 256 + tile.width]
        )
        for tile in tiles.tiles_of(size)
        if tile.level != tiles.ENTRIES
    }


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 1_100, 1_500])
def test_proofs_from_tiles_hold(size: int) -> None:
    """Tiles are enough for inclusion and consistency proofs of their size."""
    files = stored_tiles(size)
    hash_at = tiles.hash_reader(size, lambda tile: files[tile.path])
    root = CompactRange().extend(LEAVES[:size]).root()
    for index in {0, size // 3, size - 1}:
        proof = inclusion_proof(index, size, hash_at)
        verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=root)
    for old in {1, size // 2, max(size - 1, 1), size} - {0}:
        verify_consistency(
            old_size=old,
            old_root=CompactRange().extend(LEAVES[:old]).root(),
            new_size=size,
            new_root=root,
            proof=consistency_proof(old, size, hash_at),
        )


def test_tiles_of_another_length_and_missing_subtrees_are_refused() -> None:
    """A short tile is corrupt, and no hash is invented for leaves that are not there."""
    files = stored_tiles(300)
    hash_at = tiles.hash_reader(300, lambda tile: files[tile.path][:-1])
    with pytest.raises(EmanetError):
        hash_at(0, 0)
    with pytest.raises(EmanetError):
        tiles.hash_reader(300, lambda tile: files[tile.path])(0, 300)


def proof_of(index: int, size: int) -> StoredProof:
    files = stored_tiles(size)
    path = inclusion_proof(index, size, tiles.hash_reader(size, lambda tile: files[tile.path]))
    return StoredProof(index=index, path=path, checkpoint=signed(size))


def test_stored_proofs_open_offline_for_their_leaf_only() -> None:
    """Another leaf, index, path or key is refused."""
    proof = parse_proof(format_proof(proof_of(5, 11)))
    assert open_proof(proof, leaf_hash=LEAVES[5], vkey=VKEY, verify=verify).size == 11
    stranger = dataclasses.replace(
        VKEY, public_key=OTHER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    )
    for changed, leaf, vkey in (
        (proof, LEAVES[6], VKEY),
        (dataclasses.replace(proof, index=6), LEAVES[5], VKEY),
        (dataclasses.replace(proof, path=proof.path[:-1]), LEAVES[5], VKEY),
        (proof, LEAVES[5], stranger),
        (dataclasses.replace(proof, checkpoint=signed(10)), LEAVES[5], VKEY),
    ):
        with pytest.raises(EmanetError):
            open_proof(changed, leaf_hash=leaf, vkey=vkey, verify=verify)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("index 5", "index 05"),
        ("index 5", "index -5"),
        ("index 5", "extra QQ==\nindex 5"),
        ("index 5\n", "index 5\nAAAA\n"),
        ("\n\n", "\n"),
    ],
)
def test_other_texts_are_no_stored_proofs(old: str, new: str) -> None:
    """Other versions, numbers, extra lines and hashes of another length are refused."""
    text = format_proof(proof_of(5, 11))
    with pytest.raises(EmanetError):
        parse_proof(text.replace(old, new, 1) if old != "\n\n" else text.replace("\n\n", "\n"))
