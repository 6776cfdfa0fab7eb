"""RFC 6962 Merkle trees over SHA-256: roots, compact ranges, inclusion and consistency proofs.

Log:      leaf = SHA-256(0x00 ‖ leaf bytes),            node = SHA-256(0x01 ‖ left ‖ right)
Entries:  leaf = SHA-256(0x02 ‖ salt ‖ canonical JSON), node = SHA-256(0x03 ‖ left ‖ right)

The prefixes keep the two kinds of tree, and leaves and nodes, apart. The root of zero leaves is
SHA-256 of nothing (RFC 6962 section 2.1). A proof shows that a leaf is in the tree of a root; it
does not show who signed the root: that is the checkpoint's part.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from emanet.core.errors import EmanetError, Reason, error

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "SALT_BYTES",
    "CompactRange",
    "HashAt",
    "consistency_proof",
    "entries_proof",
    "entries_root",
    "entry_hash",
    "entry_node_hash",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "verify_consistency",
    "verify_entry",
    "verify_inclusion",
]

HASH_BYTES = 32
SALT_BYTES = 16
EMPTY_ROOT = hashlib.sha256(b"").digest()

# Hash of the complete subtree (level, index): it covers the leaves index·2^level up to, and not
# including, (index+1)·2^level. Level 0 is the leaf hashes.
HashAt = Callable[[int, int], bytes]
_NodeHash = Callable[[bytes, bytes], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """The log's hash of a leaf's bytes: SHA-256(0x00 ‖ leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The log's hash of two subtrees: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def entry_hash(salt: bytes, entry: bytes) -> bytes:
    """The hash of one entry: SHA-256(0x02 ‖ salt(16) ‖ canonical JSON of `[key, value]`).

    Raises:
        CallerError: INVALID_FIELD when the salt is not 16 bytes long.
    """
    if len(salt) != SALT_BYTES:
        raise error(Reason.INVALID_FIELD, violations=(("salt", "a salt is 16 bytes"),))
    return hashlib.sha256(b"\x02" + salt + entry).digest()


def entry_node_hash(left: bytes, right: bytes) -> bytes:
    """The entries tree's hash of two subtrees: SHA-256(0x03 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x03" + left + right).digest()


def entries_root(hashes: Sequence[bytes]) -> bytes:
    """The RFC 6962-shaped root over entry hashes in the given order; EMPTY_ROOT for none."""
    if not hashes:
        return EMPTY_ROOT
    sha256 = hashlib.sha256
    level = list(hashes)
    # Pairing from the left and carrying an odd last hash upwards gives the shape of RFC 6962.
    while len(level) > 1:
        paired = [
            sha256(b"\x03" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)
        ]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


@dataclass(frozen=True, slots=True)
class CompactRange:
    """The frontier of a log: what is needed to append to it and to know its root.

    Attributes:
        size: number of leaves, 0 to 2**63 - 1.
        hashes: roots of the complete subtrees from left to right, one for each one-bit of `size`.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuses a size out of range and a number of hashes that is not the size's bit count."""
        if not 0 <= self.size < 2**63 or self.size.bit_count() != len(self.hashes):
            raise _corrupt("a compact range does not fit its size")

    def append(self, leaf: bytes) -> CompactRange:
        """The range with one more leaf hash; O(log size)."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> CompactRange:
        """The range with more leaf hashes, in order."""
        size = self.size
        stack = list(self.hashes)
        for leaf in leaves:
            if len(leaf) != HASH_BYTES:
                raise _corrupt("a leaf hash is not 32 bytes")
            node = leaf
            carry = size
            while carry & 1:
                node = node_hash(stack.pop(), node)
                carry >>= 1
            stack.append(node)
            size += 1
        return CompactRange(size=size, hashes=tuple(stack))

    def root(self) -> bytes:
        """The RFC 6962 root of the tree of this size."""
        if not self.hashes:
            return EMPTY_ROOT
        node = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            node = node_hash(left, node)
        return node

    def to_bytes(self) -> bytes:
        """Offset 0: size (8, big-endian); offset 8: the hashes (32 each) from left to right."""
        return self.size.to_bytes(8, "big") + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, data: bytes) -> CompactRange:
        """Reads `to_bytes`.

        Raises:
            IntegrityError: LOG_CORRUPT when the length does not fit the size.
        """
        if len(data) < 8 or (len(data) - 8) % HASH_BYTES:
            raise _corrupt("a compact range is cut off")
        hashes = tuple(data[i : i + HASH_BYTES] for i in range(8, len(data), HASH_BYTES))
        return cls(size=int.from_bytes(data[:8], "big"), hashes=hashes)


def inclusion_proof(index: int, size: int, hash_at: HashAt) -> tuple[bytes, ...]:
    """The audit path of leaf `index` in the tree of `size` leaves (RFC 6962 section 2.1.1).

    Args:
        index: 0-based leaf index, below `size`.
        size: number of leaves of the tree that the proof is for.
        hash_at: returns the hash of a complete subtree; called O(log² size) times.

    Raises:
        CallerError: INVALID_FIELD when the index is not in the tree.
    """
    if not 0 <= index < size:
        raise _out_of_tree()
    return tuple(_path(index, size, hash_at, node_hash))


def consistency_proof(old_size: int, new_size: int, hash_at: HashAt) -> tuple[bytes, ...]:
    """The proof that the tree of `new_size` begins with the tree of `old_size` (section 2.1.2).

    Empty for equal sizes and for an empty old tree.

    Raises:
        CallerError: INVALID_FIELD when the sizes are not 0 ≤ old ≤ new.
    """
    if not 0 <= old_size <= new_size:
        raise _out_of_tree()
    if old_size in (0, new_size):
        return ()
    proof: list[bytes] = []
    start, end, known = 0, new_size, True
    # Walk down to the old size; `known` says that the subtree's left edge is still the old root.
    while old_size != end:
        split = start + _split(end - start)
        if old_size <= split:
            proof.append(_range_root(split, end, hash_at, node_hash))
            end = split
        else:
            proof.append(_range_root(start, split, hash_at, node_hash))
            start, known = split, False
    if not known:
        proof.append(_range_root(start, end, hash_at, node_hash))
    proof.reverse()
    return tuple(proof)


def entries_proof(hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of entry `index` in the entries tree over `hashes`.

    Raises:
        CallerError: INVALID_FIELD when the index is not in the tree.
    """
    if not 0 <= index < len(hashes):
        raise _out_of_tree()
    levels = {0: list(hashes)}

    def hash_at(level: int, position: int) -> bytes:
        if level not in levels:
            hash_at(level - 1, 0)
            below = levels[level - 1]
            levels[level] = [
                entry_node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)
            ]
        return levels[level][position]

    return tuple(_path(index, len(hashes), hash_at, entry_node_hash))


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raises unless the leaf hash is at `index` in the tree of `size` leaves with that root.

    Raises:
        IntegrityError: LOG_CORRUPT when the proof does not lead from the leaf to the root.
    """
    _verify_path(leaf=leaf, index=index, size=size, proof=proof, root=root, node=node_hash)


def verify_entry(
    *, entry: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raises unless the entry hash is at `index` of the `size` entries with that root.

    Raises:
        IntegrityError: LOG_CORRUPT when the proof does not lead from the entry to the root.
    """
    _verify_path(leaf=entry, index=index, size=size, proof=proof, root=root, node=entry_node_hash)


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Raises unless the new tree begins with the old one (RFC 9162 section 2.1.4.2).

    Raises:
        IntegrityError: LOG_CORRUPT when the proof does not hold; LOG_FORK when sizes are equal and
            roots are not.
    """
    if not 0 <= old_size <= new_size:
        raise _corrupt("the log is smaller than it was")
    if old_size == new_size:
        if not hmac.compare_digest(old_root, new_root):
            raise error(Reason.LOG_FORK)
        _require(not proof)
        return
    if old_size == 0:
        _require(not proof and old_root == EMPTY_ROOT)
        return
    _verify_growth(old_size, old_root, new_size, new_root, list(proof))


def _verify_growth(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: list[bytes]
) -> None:
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    _require(bool(path) and all(len(node) == HASH_BYTES for node in path))
    first, last = old_size - 1, new_size - 1
    while first & 1:
        first >>= 1
        last >>= 1
    old = new = path[0]
    for node in path[1:]:
        _require(last > 0)
        if first & 1 or first == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while first and not first & 1:
                first >>= 1
                last >>= 1
        else:
            new = node_hash(new, node)
        first >>= 1
        last >>= 1
    _require(last == 0)
    _require(hmac.compare_digest(old, old_root) and hmac.compare_digest(new, new_root))


def _verify_path(
    *, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes, node: _NodeHash
) -> None:
    _require(0 <= index < size and len(leaf) == HASH_BYTES)
    _require(all(len(sibling) == HASH_BYTES for sibling in proof))
    current, first, last = leaf, index, size - 1
    for sibling in proof:
        _require(last > 0)
        if first & 1 or first == last:
            current = node(sibling, current)
            while first and not first & 1:
                first >>= 1
                last >>= 1
        else:
            current = node(current, sibling)
        first >>= 1
        last >>= 1
    _require(last == 0 and hmac.compare_digest(current, root))


def _path(index: int, size: int, hash_at: HashAt, node: _NodeHash) -> list[bytes]:
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(_range_root(split, end, hash_at, node))
            end = split
        else:
            path.append(_range_root(start, split, hash_at, node))
            start = split
    path.reverse()
    return path


def _range_root(start: int, end: int, hash_at: HashAt, node: _NodeHash) -> bytes:
    # `start` is a multiple of the first (largest) power of two inside, so every piece is aligned.
    pieces: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        pieces.append(hash_at(level, start >> level))
        start += 1 << level
    root = pieces.pop()
    while pieces:
        root = node(pieces.pop(), root)
    return root


def _split(size: int) -> int:
    """The largest power of two below `size` (RFC 6962 section 2.1); `size` is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _require(holds: bool) -> None:
    if not holds:
        raise _corrupt("a Merkle proof does not lead to the root")


def _corrupt(problem: str) -> EmanetError:
    return error(Reason.LOG_CORRUPT, problem=problem)


def _out_of_tree() -> EmanetError:
    return error(Reason.INVALID_FIELD, violations=(("index", "not inside the tree"),))
