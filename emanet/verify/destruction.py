"""Verifies a destruction receipt offline (docs/formats/keys.md, "Destruction receipt").

What holds afterwards: the log says, under its key's signature, that these keys were destroyed, and
before them the epoch that had wrapped them. The rest of the receipt is of its form and no more: the
ground, the times and `evidence`, which states whether copies outside (backups) are gone, are the
word of whoever wrote the receipt.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from emanet.core import canonical
from emanet.core.checkpoint import Vkey
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf import KeyLeaf, KeyOperation, Receipt
from emanet.core.members import Members
from emanet.core.names import parse_name
from emanet.verify.receipt import ReceiptEvidence, verify_receipt

__all__ = ["DestructionEvidence", "is_destruction_receipt", "verify_destruction"]


_VERSION = 1
_COLLECTION = "destructions"
_TERM = "anahtar imhası"


class _Ground(StrEnum):
    SUBJECT_REQUEST = "subject_request"
    RETENTION_ENDED = "retention_ended"


class _Evidence(StrEnum):
    VERIFIED = "verified"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class DestructionEvidence:
    """What holds.

    Attributes:
        destruction: the destruction's resource name.
        classes: the retention classes whose key died.
        evidence: `verified` or `declared`, for copies outside.
        epoch: number of the epoch that had wrapped the keys.
        epoch_log: that the log records its end.
        log: one for each class, in their order.
    """

    destruction: str
    classes: tuple[str, ...]
    evidence: str
    epoch: int
    epoch_log: ReceiptEvidence
    log: tuple[ReceiptEvidence, ...]


def is_destruction_receipt(data: bytes) -> bool:
    """Whether the bytes are a destruction receipt rather than a receipt of the log."""
    try:
        return "destruction" in canonical.decode_object(data)
    except EmanetError:
        return False


def verify_destruction(data: bytes, vkey: Vkey, *, directory: Path) -> DestructionEvidence:
    """Verifies that the log holds a `destroyed` record for each class and key of the receipt.

    In front of them all it must hold the `epoch` record of the epoch that had wrapped the keys.

    Args:
        data: the receipt's canonical JSON.
        vkey: the log's verifier key.
        directory: an export of the log.

    Raises:
        EmanetError: RECEIPT_INVALID when a member or a record does not fit; else as
            `verify_receipt`.
    """
    try:
        document = canonical.decode_object(data)
        receipts = [_receipt(each) for each in _items(document.pop("log", None))]
        epoch_receipt = _receipt(document.pop("epoch_log", {}))
        members = Members(document)
        classes, key_ids = members.take_texts("classes"), members.take_texts("key_ids")
        epoch = members.take_integer("epoch")
        destruction, evidence = _read_rest(members, organization=_organization_of(vkey))
    except EmanetError as cause:
        raise error(Reason.RECEIPT_INVALID) from cause
    if not classes or not len(set(classes)) == len(classes) == len(key_ids) == len(receipts):
        raise error(Reason.RECEIPT_INVALID)
    found = DestructionEvidence(
        destruction=destruction,
        classes=classes,
        evidence=evidence,
        epoch=epoch,
        epoch_log=verify_receipt(epoch_receipt, vkey, directory=directory),
        log=tuple(verify_receipt(each, vkey, directory=directory) for each in receipts),
    )
    if not (_are_destroyed(found, key_ids) and _has_ended_before(found)):
        raise error(Reason.RECEIPT_INVALID)
    return found


def _read_rest(members: Members, *, organization: str) -> tuple[str, str]:
    """Name and evidence, once every member but those of the log is of its form."""
    is_own = members.take_text("organization") == organization
    destruction = members.take_text("destruction")
    name = parse_name(destruction)
    is_named = (name.organization, name.collection) == (organization, _COLLECTION)
    is_known = members.take_integer("v") == _VERSION and members.take_text("term") == _TERM
    members.take_enum("ground", _Ground)
    evidence = members.take_enum("evidence", _Evidence)
    times = [members.take_integer("destroyed"), members.take_integer("epoch_destroyed")]
    if "unreadable_from" in members:
        times.append(members.take_integer("unreadable_from"))
    members.close()
    if not (is_own and is_named and is_known and min(times) >= 0):
        raise error(Reason.RECEIPT_INVALID)
    return destruction, evidence.value


def _organization_of(vkey: Vkey) -> str:
    """The third part of `emanet/<installation>/<organization>/<generation>`."""
    parts = vkey.name.split("/")
    return parts[2] if len(parts) == 4 else ""


def _are_destroyed(found: DestructionEvidence, key_ids: tuple[str, ...]) -> bool:
    return all(
        isinstance(each.leaf, KeyLeaf)
        and each.leaf.operation is KeyOperation.DESTROYED
        and each.leaf.retention_class == name
        and key_id in each.leaf.ids
        for each, name, key_id in zip(found.log, found.classes, key_ids, strict=True)
    )


def _has_ended_before(found: DestructionEvidence) -> bool:
    leaf = found.epoch_log.leaf
    return (
        isinstance(leaf, KeyLeaf)
        and leaf.operation is KeyOperation.EPOCH
        and str(found.epoch) in leaf.ids
        and found.epoch_log.index < min(each.index for each in found.log)
    )


def _items(value: object) -> list[canonical.JsonValue]:
    return value if isinstance(value, list) else []


def _receipt(value: canonical.JsonValue) -> Receipt:
    return Receipt.from_bytes(canonical.encode(value))
