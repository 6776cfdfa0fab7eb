"""What crypto believes of the log: receipts, leaves and the largest checkpoint known.

Pure. An answer of access_audit counts only when its checkpoint is signed by the pinned key, is not
older than what was known when the request was sent, and its leaf says exactly what was asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from emanet.core.checkpoint import Checkpoint, Verify, Vkey, open_checkpoint
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import (
    AccessLeaf,
    Act,
    KeyLeaf,
    KeyOperation,
    Leaf,
    Receipt,
    Verdict,
    decode_leaf,
)
from emanet.core.merkle import leaf_hash

__all__ = [
    "KnownLog",
    "Question",
    "verify_allowed",
    "verify_checkpoint",
    "verify_key_leaf",
    "verify_receipt",
]


class KnownLog(NamedTuple):
    """The largest signed tree that was seen: size and root."""

    size: int
    root: bytes


class Question(NamedTuple):
    """What an access leaf must say before a value is opened on it."""

    attempt: UUID
    organization: str
    application: str
    purpose: str
    act: Act
    fields: frozenset[str]
    values: int
    register: int


def verify_checkpoint(note: str, *, vkey: Vkey, known: KnownLog, verify: Verify) -> Checkpoint:
    """The checkpoint of a signed note that is not older than what is known.

    Args:
        note: the signed note.
        vkey: the pinned key.
        known: the largest tree known when the request was sent.
        verify: Ed25519.

    Raises:
        UnavailableError: LOG_BEHIND, the tree is smaller than the known one.
        IntegrityError: LOG_FORK, the same size has another root; RECEIPT_INVALID, the note is
            malformed or not signed by the pinned key.
    """
    try:
        checkpoint = open_checkpoint(note, vkey, verify)
    except EmanetError as cause:
        raise error(Reason.RECEIPT_INVALID) from cause
    if checkpoint.size < known.size:
        raise error(Reason.LOG_BEHIND)
    if checkpoint.size == known.size and checkpoint.root != known.root:
        raise error(Reason.LOG_FORK)
    return checkpoint


def verify_receipt(
    receipt: Receipt, leaf: bytes, *, vkey: Vkey, known: KnownLog, verify: Verify
) -> tuple[Checkpoint, Leaf]:
    """The checkpoint and the leaf of a receipt that fit one another.

    That the leaf is under the checkpoint's root is the log's signed word until the consistency
    and inclusion proofs in the background.

    Raises:
        UnavailableError: LOG_BEHIND.
        IntegrityError: LOG_FORK; RECEIPT_INVALID, leaf, hash, index or note do not fit.
    """
    checkpoint = verify_checkpoint(receipt.checkpoint, vkey=vkey, known=known, verify=verify)
    if receipt.index >= checkpoint.size or leaf_hash(leaf) != receipt.leaf_hash:
        raise error(Reason.RECEIPT_INVALID)
    try:
        return checkpoint, decode_leaf(leaf)
    except EmanetError as cause:
        raise error(Reason.RECEIPT_INVALID) from cause


def verify_allowed(leaf: Leaf, question: Question) -> None:
    """Raises unless the leaf allows exactly what was asked.

    Raises:
        IntegrityError: RECEIPT_INVALID for another attempt, purpose, act, application, count or
            set of fields, another register version, or a verdict other than allow.
    """
    if not isinstance(leaf, AccessLeaf):
        raise error(Reason.RECEIPT_INVALID)
    said = Question(
        attempt=leaf.id,
        organization=leaf.organization,
        application=leaf.app,
        purpose=leaf.purpose,
        act=leaf.act,
        fields=frozenset(leaf.target.fields),
        values=leaf.target.values,
        register=leaf.decision.register,
    )
    if said != question or leaf.decision.verdict is not Verdict.ALLOW:
        raise error(Reason.RECEIPT_INVALID)


def verify_key_leaf(
    leaf: Leaf,
    *,
    leaf_id: UUID,
    organization: str,
    operation: KeyOperation,
    retention_class: str,
    ids: Iterable[str],
) -> None:
    """Raises unless the leaf is the step in the life of these keys or epochs that was asked for.

    Raises:
        IntegrityError: RECEIPT_INVALID.
    """
    if (
        not isinstance(leaf, KeyLeaf)
        or (leaf.id, leaf.organization) != (leaf_id, organization)
        or (leaf.operation, leaf.retention_class) != (operation, retention_class)
        or set(leaf.ids) != set(ids)
    ):
        raise error(Reason.RECEIPT_INVALID)
