r"""Stored inclusion proofs: C2SP tlog-proof (docs/formats/log.md, "Stored proof").

    c2sp.org/tlog-proof@v1\n
    index <decimal>\n
    <base64 hash>\n        one line for each hash of the audit path
    \n
    <checkpoint note>

A proof that opens shows that the leaf is in the signed tree; it needs no network and no server.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from emanet.core.checkpoint import Checkpoint, Verify, Vkey, open_checkpoint
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.merkle import HASH_BYTES, verify_inclusion

__all__ = ["StoredProof", "format_proof", "open_proof", "parse_proof"]

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})\Z")
_MAX_PATH = 63


@dataclass(frozen=True, slots=True)
class StoredProof:
    """An inclusion proof with the checkpoint that it leads to.

    Attributes:
        index: 0-based index of the leaf.
        path: audit path from the leaf upwards, at most 63 hashes.
        checkpoint: the signed note.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    def __post_init__(self) -> None:
        """Refuses malformed parts with LOG_CORRUPT."""
        if not 0 <= self.index < 2**63 or len(self.path) > _MAX_PATH:
            raise _corrupt()
        if any(len(each) != HASH_BYTES for each in self.path):
            raise _corrupt()


def format_proof(proof: StoredProof) -> str:
    """Writes the proof's text, to be stored as `*.tlog-proof`."""
    lines = [_FIRST_LINE, f"index {proof.index}"]
    lines += [base64.b64encode(each).decode() for each in proof.path]
    return "\n".join(lines) + f"\n\n{proof.checkpoint}"


def parse_proof(text: str) -> StoredProof:
    """Reads `format_proof`; nothing is verified yet.

    Raises:
        IntegrityError: LOG_CORRUPT for any other text, `extra` lines included: Emanet writes none.
    """
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or len(lines) < 2 or lines[0] != _FIRST_LINE:
        raise _corrupt()
    match = _INDEX.match(lines[1])
    if not match:
        raise _corrupt()
    path = tuple(_hash(line) for line in lines[2:])
    return StoredProof(index=int(match.group(1)), path=path, checkpoint=checkpoint)


def open_proof(proof: StoredProof, *, leaf_hash: bytes, vkey: Vkey, verify: Verify) -> Checkpoint:
    """The checkpoint, once signature and audit path hold for the leaf hash.

    Raises:
        IntegrityError: LOG_CORRUPT when the signature or the path does not hold.
    """
    checkpoint = open_checkpoint(proof.checkpoint, vkey, verify)
    verify_inclusion(
        leaf=leaf_hash,
        index=proof.index,
        size=checkpoint.size,
        proof=proof.path,
        root=checkpoint.root,
    )
    return checkpoint


def _hash(line: str) -> bytes:
    try:
        data = base64.b64decode(line.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise _corrupt() from None
    if base64.b64encode(data).decode() != line:
        raise _corrupt()
    return data


def _corrupt() -> EmanetError:
    return error(Reason.LOG_CORRUPT, problem="the stored proof is malformed")
