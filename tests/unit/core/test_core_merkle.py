"""Merkle trees against RFC 6962 as the text defines it, for every size up to 200."""

from __future__ import annotations

import functools
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.core.errors import EmanetError, Reason
from emanet.core.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_proof,
    entries_proof,
    entries_root,
    entry_hash,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_entry,
    verify_inclusion,
)

MOST = 200
LEAVES = tuple(leaf_hash(number.to_bytes(2, "big")) for number in range(MOST))
sizes = st.integers(1, MOST)


@functools.cache
def naive_root(start: int, end: int, prefix: bytes = b"\x01") -> bytes:
    """MTH of RFC 6962 section 2.1 over the leaves from start to end."""
    if end - start == 0:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return LEAVES[start]
    split = 1
    while split * 2 < end - start:
        split *= 2
    left, right = naive_root(start, start + split, prefix), naive_root(start + split, end, prefix)
    return hashlib.sha256(prefix + left + right).digest()


def hash_at(level: int, index: int) -> bytes:
    return naive_root(index << level, (index + 1) << level)


def changed(data: bytes, position: int) -> bytes:
    flipped = bytearray(data)
    flipped[position % len(data)] ^= 1
    return bytes(flipped)


def test_appending_gives_the_root_of_every_size() -> None:
    """A compact range has the RFC's root at each size, one leaf at a time or many."""
    grown = CompactRange()
    assert grown.root() == EMPTY_ROOT
    for size in range(1, MOST + 1):
        grown = grown.append(LEAVES[size - 1])
        assert grown.root() == naive_root(0, size)
        assert CompactRange().extend(LEAVES[:size]) == grown


@given(st.integers(0, MOST), st.integers(0, MOST))
def test_ranges_are_stored_and_continued(first: int, second: int) -> None:
    """A range read back from its bytes goes on where it stopped."""
    first, second = sorted((first, second))
    stored = CompactRange().extend(LEAVES[:first]).to_bytes()
    resumed = CompactRange.from_bytes(stored)
    assert resumed.to_bytes() == stored
    assert resumed.extend(LEAVES[first:second]).root() == naive_root(0, second)


@given(st.integers(0, MOST), st.integers(-40, 40).filter(bool))
def test_ranges_of_another_length_are_refused(size: int, change: int) -> None:
    """Stored bytes that do not fit their size are corrupt."""
    stored = CompactRange().extend(LEAVES[:size]).to_bytes()
    cut = stored[:change] if change < 0 else stored + bytes(change)
    with pytest.raises(EmanetError) as caught:
        CompactRange.from_bytes(cut)
    assert caught.value.reason is Reason.LOG_CORRUPT


def test_hashes_of_another_length_are_not_appended() -> None:
    """A leaf hash is 32 bytes."""
    with pytest.raises(EmanetError):
        CompactRange().append(b"short")


def test_every_leaf_of_every_size_has_an_inclusion_proof() -> None:
    """All proofs up to 70 leaves verify, and not for the neighbouring index."""
    for size in range(1, 71):
        root = naive_root(0, size)
        for index in range(size):
            proof = inclusion_proof(index, size, hash_at)
            verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=root)
            with pytest.raises(EmanetError):
                verify_inclusion(
                    leaf=LEAVES[index], index=index + 1, size=size, proof=proof, root=root
                )


@given(sizes, st.data())
def test_inclusion_proofs_verify_and_bind_every_part(size: int, data: st.DataObject) -> None:
    """Another leaf, root, hash, length or size makes the proof fail."""
    index = data.draw(st.integers(0, size - 1))
    root, proof = naive_root(0, size), inclusion_proof(index, size, hash_at)
    good = {"leaf": LEAVES[index], "index": index, "size": size, "proof": proof, "root": root}
    verify_inclusion(**good)
    position = data.draw(st.integers(0, 31))
    wrong = [
        {"leaf": changed(LEAVES[index], position)},
        {"root": changed(root, position)},
        {"size": 0},
        {"index": -1},
        {"index": size},
        {"leaf": b""},
        {"proof": (*proof, LEAVES[0])},
        {"proof": (b"", *proof[1:])},
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        wrong.append({"proof": (*proof[:at], changed(proof[at], position), *proof[at + 1 :])})
        wrong.append({"proof": proof[:-1]})
    for change in wrong:
        if change.get("proof") == (b"",) and not proof:
            continue
        with pytest.raises(EmanetError) as caught:
            verify_inclusion(**{**good, **change})
        assert caught.value.reason is Reason.LOG_CORRUPT


def test_every_pair_of_sizes_has_a_consistency_proof() -> None:
    """All pairs up to 64 verify; the largest tree is consistent with every smaller one."""
    pairs = [(old, new) for new in range(65) for old in range(new + 1)]
    pairs += [(old, MOST) for old in range(MOST + 1)]
    for old, new in pairs:
        proof = consistency_proof(old, new, hash_at)
        verify_consistency(
            old_size=old,
            old_root=naive_root(0, old),
            new_size=new,
            new_root=naive_root(0, new),
            proof=proof,
        )


@given(sizes, sizes, st.data())
def test_consistency_proofs_bind_every_part(one: int, two: int, data: st.DataObject) -> None:
    """Another root, hash or length makes the proof fail; a smaller log never passes."""
    old, new = sorted((one, two))
    old_root, new_root = naive_root(0, old), naive_root(0, new)
    proof = consistency_proof(old, new, hash_at)
    good = {
        "old_size": old,
        "old_root": old_root,
        "new_size": new,
        "new_root": new_root,
        "proof": proof,
    }
    position = data.draw(st.integers(0, 31))
    wrong = [
        {"old_root": changed(old_root, position)},
        {"new_root": changed(new_root, position)},
        {"proof": (*proof, old_root)},
        {"old_size": new + 1},
        {"old_size": -1},
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        wrong.append({"proof": (*proof[:at], changed(proof[at], position), *proof[at + 1 :])})
        wrong.append({"proof": proof[:-1]})
    for change in wrong:
        with pytest.raises(EmanetError):
            verify_consistency(**{**good, **change})


def test_two_roots_of_one_size_are_a_fork() -> None:
    """The same size with another root is its own reason."""
    with pytest.raises(EmanetError) as caught:
        verify_consistency(
            old_size=3, old_root=naive_root(0, 3), new_size=3, new_root=naive_root(1, 4), proof=()
        )
    assert caught.value.reason is Reason.LOG_FORK


def test_an_empty_log_is_the_beginning_of_every_log() -> None:
    """From size 0 only the empty root and the empty proof pass."""
    verify_consistency(
        old_size=0, old_root=EMPTY_ROOT, new_size=5, new_root=naive_root(0, 5), proof=()
    )
    with pytest.raises(EmanetError):
        verify_consistency(
            old_size=0, old_root=LEAVES[0], new_size=5, new_root=naive_root(0, 5), proof=()
        )


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_leaves_outside_the_tree_have_no_proof(index: int, size: int) -> None:
    """An index that the tree does not have is the caller's error."""
    with pytest.raises(EmanetError):
        inclusion_proof(index, size, hash_at)
    with pytest.raises(EmanetError):
        entries_proof(LEAVES[:size], index)


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 1)])
def test_sizes_out_of_order_have_no_proof(old: int, new: int) -> None:
    """Consistency goes from smaller to larger."""
    with pytest.raises(EmanetError):
        consistency_proof(old, new, hash_at)


def test_entries_have_the_shape_of_rfc_6962_and_single_proofs() -> None:
    """Root and proof of every entry hold for every count, and never in the log's tree."""
    assert entries_root([]) == EMPTY_ROOT
    for size in range(1, 41):
        hashes = LEAVES[:size]
        root = entries_root(hashes)
        assert root == naive_root(0, size, b"\x03")
        for index in range(size):
            good = {
                "index": index,
                "size": size,
                "proof": entries_proof(hashes, index),
                "root": root,
            }
            verify_entry(entry=hashes[index], **good)
            with pytest.raises(EmanetError):
                verify_entry(entry=changed(hashes[index], index), **good)
            if size > 1:
                with pytest.raises(EmanetError):
                    verify_inclusion(leaf=hashes[index], **good)


@given(st.binary(max_size=40))
def test_the_kinds_of_hash_never_meet(data: bytes) -> None:
    """A leaf, a node and an entry over the same bytes have different hashes."""
    salt = bytes(16)
    assert (
        len({leaf_hash(salt + data), entry_hash(salt, data), hashlib.sha256(salt + data).digest()})
        == 3
    )


@pytest.mark.parametrize("size", [0, 15, 17])
def test_entries_without_their_own_salt_are_not_hashed(size: int) -> None:
    """A salt is 16 bytes."""
    with pytest.raises(EmanetError):
        entry_hash(bytes(size), b"[]")
