"""Verifies a destruction receipt offline (docs/formats/keys.md, "Destruction receipt").

What holds afterwards: the log says, under its key's signature, that these keys were destroyed.
Whether copies of them exist outside (backups) is what `evidence` states, not what this proves.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emanet.core import canonical
from emanet.core.checkpoint import Vkey
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import KeyLeaf, KeyOperation, Receipt
from emanet.core.members import Members
from emanet.verify.receipt import ReceiptEvidence, verify_receipt

__all__ = ["DestructionEvidence", "is_destruction_receipt", "verify_destruction"]


@dataclass(frozen=True, slots=True)
class DestructionEvidence:
    """What holds.

    Attributes:
        destruction: the destruction's resource name.
        classes: the retention classes whose key died.
        evidence: `verified` or `declared`, for copies outside.
        log: one for each class, in their order.
    """

    destruction: str
    classes: tuple[str, ...]
    evidence: str
    log: tuple[ReceiptEvidence, ...]


def is_destruction_receipt(data: bytes) -> bool:
    """Whether the bytes are a destruction receipt rather than a receipt of the log."""
    try:
        return "destruction" in canonical.decode_object(data)
    except EmanetError:
        return False


def verify_destruction(data: bytes, vkey: Vkey, *, directory: Path) -> DestructionEvidence:
    """Verifies that the log holds a `destroyed` record for each class and key of the receipt.

    Args:
        data: the receipt's canonical JSON.
        vkey: the log's verifier key.
        directory: an export of the log.

    Raises:
        EmanetError: RECEIPT_INVALID when a member or a record does not fit; else as
            `verify_receipt`.
    """
    try:
        members = Members(canonical.decode(data))
        document = canonical.decode_object(data)
        classes, key_ids = members.take_texts("classes"), members.take_texts("key_ids")
        receipts = [_receipt(each) for each in _items(document.get("log"))]
        found = DestructionEvidence(
            destruction=members.take_text("destruction"),
            classes=classes,
            evidence=members.take_text("evidence"),
            log=tuple(verify_receipt(each, vkey, directory=directory) for each in receipts),
        )
        is_own = members.take_text("organization") == vkey.name.split("/")[2]
    except IndexError as cause:
        raise error(Reason.RECEIPT_INVALID) from cause
    except EmanetError as cause:
        if cause.reason is Reason.INVALID_FIELD:
            raise error(Reason.RECEIPT_INVALID) from cause
        raise
    is_whole = bool(classes) and len(classes) == len(key_ids) == len(receipts)
    if not is_own or not is_whole or not _are_destroyed(found, key_ids):
        raise error(Reason.RECEIPT_INVALID)
    return found


def _are_destroyed(found: DestructionEvidence, key_ids: tuple[str, ...]) -> bool:
    return all(
        isinstance(each.leaf, KeyLeaf)
        and each.leaf.operation is KeyOperation.DESTROYED
        and each.leaf.retention_class == name
        and key_id in each.leaf.ids
        for each, name, key_id in zip(found.log, found.classes, key_ids, strict=True)
    )


def _items(value: object) -> list[canonical.JsonValue]:
    return value if isinstance(value, list) else []


def _receipt(value: canonical.JsonValue) -> Receipt:
    return Receipt.from_bytes(canonical.encode(value))
