"""Verifies a receipt offline: that an act was in the log when it was answered.

Three things make it evidence: the checkpoint is signed by the log's key, the leaf hash is that of
the record shown, and the leaf is in the tree that the checkpoint names. The last needs the log
itself; without it a receipt is a signed promise, and the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emanet.core.checkpoint import Checkpoint, Vkey, open_checkpoint
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import Leaf, Receipt, decode_leaf
from emanet.core.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from emanet.core.tiles import ENTRIES, WIDTH, Tile, decode_entries, hash_reader
from emanet.verify.directory import LogDirectory, UnreadableFileError
from emanet.verify.signatures import verify_ed25519

__all__ = ["ReceiptEvidence", "verify_receipt"]


@dataclass(frozen=True, slots=True)
class ReceiptEvidence:
    """What holds.

    Attributes:
        checkpoint: of the receipt, its signature verified.
        index: 0-based index of the record.
        leaf: the record, where it was given or read from the log; None otherwise.
        is_in_log: whether the record was found in the log's tree; False says that nobody looked.
    """

    checkpoint: Checkpoint
    index: int
    leaf: Leaf | None
    is_in_log: bool


def verify_receipt(
    receipt: Receipt, vkey: Vkey, *, leaf: bytes | None = None, directory: Path | None = None
) -> ReceiptEvidence:
    """Verifies a receipt against a record, a log, or both.

    Args:
        receipt: as the service gave it.
        vkey: the log's verifier key.
        leaf: the record's bytes.
        directory: an export of the log, of the receipt's size or later.

    Raises:
        IntegrityError: RECEIPT_INVALID when signature, record or place do not hold; LOG_FORK when
            the log has another history than the receipt's checkpoint; LOG_CORRUPT when the log's
            own files do not hold.
        UnavailableError: LOG_BEHIND when the log is smaller than the receipt's.
    """
    try:
        checkpoint = open_checkpoint(receipt.checkpoint, vkey, verify_ed25519)
    except EmanetError as cause:
        raise error(Reason.RECEIPT_INVALID) from cause
    is_inside = receipt.index < checkpoint.size
    if not is_inside or (leaf is not None and leaf_hash(leaf) != receipt.leaf_hash):
        raise error(Reason.RECEIPT_INVALID)
    found = leaf
    if directory is not None:
        found = _find_in_log(receipt, checkpoint, vkey=vkey, files=LogDirectory(directory))
    return ReceiptEvidence(
        checkpoint=checkpoint,
        index=receipt.index,
        leaf=None if found is None else decode_leaf(found),
        is_in_log=directory is not None,
    )


def _find_in_log(
    receipt: Receipt, checkpoint: Checkpoint, *, vkey: Vkey, files: LogDirectory
) -> bytes:
    """The record's bytes, once it and the receipt's tree are proven to be in the log's tree."""
    try:
        newest = open_checkpoint(files.read_checkpoint(), vkey, verify_ed25519)
        if newest.size < checkpoint.size:
            raise error(Reason.LOG_BEHIND)
        hash_at = hash_reader(newest.size, files.read_tile)
        verify_inclusion(
            leaf=hash_at(0, receipt.index),
            index=receipt.index,
            size=newest.size,
            proof=inclusion_proof(receipt.index, newest.size, hash_at),
            root=newest.root,
        )
        grown = consistency_proof(checkpoint.size, newest.size, hash_at)
        data = _read_leaf(files, receipt.index, size=newest.size)
        is_recorded = hash_at(0, receipt.index) == receipt.leaf_hash == leaf_hash(data)
    except UnreadableFileError as cause:
        raise error(Reason.LOG_CORRUPT, problem=f"{cause.path} cannot be read") from cause
    if not is_recorded:
        raise error(Reason.RECEIPT_INVALID)
    try:
        verify_consistency(
            old_size=checkpoint.size,
            old_root=checkpoint.root,
            new_size=newest.size,
            new_root=newest.root,
            proof=grown,
        )
    except EmanetError as cause:
        raise error(Reason.LOG_FORK) from cause
    return data


def _read_leaf(files: LogDirectory, index: int, *, size: int) -> bytes:
    bundle, position = divmod(index, WIDTH)
    tile = Tile(level=ENTRIES, index=bundle, width=min(WIDTH, size - bundle * WIDTH))
    return decode_entries(files.read_tile(tile), tile.width)[position]
