"""The fake's log: a tree of record ids whose checkpoints have the real form and no signature."""

from __future__ import annotations

from uuid import UUID

from emanet.api.access_audit.v1 import resources_pb2
from emanet.core.checkpoint import (
    Checkpoint,
    Note,
    NoteSignature,
    format_checkpoint,
    format_note,
    format_origin,
)
from emanet.core.merkle import CompactRange, leaf_hash

__all__ = ["UnsignedLog"]

_INSTALLATION = "fake"
_NO_KEY_ID = bytes(4)
_NO_SIGNATURE = bytes(64)


class UnsignedLog:
    """Grows by one leaf a record; its signature bytes are zeros, which no verifier accepts."""

    def __init__(self, organization: str) -> None:
        """Starts empty."""
        self._origin = format_origin(
            installation=_INSTALLATION, organization=organization, generation=1, dev=True
        )
        self._range = CompactRange()

    def append(self, leaf_id: UUID) -> resources_pb2.Receipt:
        """Appends a leaf and returns the receipt under the checkpoint that covers it."""
        digest = leaf_hash(leaf_id.bytes)
        index = self._range.size
        self._range = self._range.append(digest)
        return resources_pb2.Receipt(checkpoint=self.checkpoint(), index=index, leaf_hash=digest)

    def checkpoint(self) -> str:
        """The note of the current size."""
        text = format_checkpoint(
            Checkpoint(origin=self._origin, size=self._range.size, root=self._range.root())
        )
        signature = NoteSignature(name=self._origin, key_id=_NO_KEY_ID, signature=_NO_SIGNATURE)
        return format_note(Note(text=text, signatures=(signature,)))
