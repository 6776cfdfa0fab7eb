"""Messages around stored keys: pair derivation, key rows, epochs (docs/formats/keys.md).

Only byte strings are built here; HKDF, HMAC and AES-256-GCM-SIV are the caller's part.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from emanet.core.encoding import lp, read_lp, u64
from emanet.core.errors import EmanetError, Reason, error

__all__ = [
    "KEY_BYTES",
    "OPEN_BUCKET",
    "PAIR_BYTES",
    "KeyKind",
    "KeyRow",
    "KeyState",
    "epoch_aad",
    "log_key_info",
    "lookup_message",
    "pair_info",
    "parse_row_plaintext",
    "row_aad",
    "row_plaintext",
]

KEY_BYTES = 32
PAIR_BYTES = 64
OPEN_BUCKET = "open"

_LP_NUMBERS = struct.Struct(">IQIQIQ")
_ROW_LABEL = lp(b"emanet/row/v1")
_MAX_TEXTS = 4_096


class KeyKind(StrEnum):
    """What a key row holds: S, B, or the pair key that a hold keeps."""

    SUBJECT = "subject"
    BUCKET = "bucket"
    PAIR = "pair"


class KeyState(StrEnum):
    """The life of a key row; `destroyed` is final."""

    ACTIVE = "active"
    HELD = "held"
    DESTROYED = "destroyed"


class KeyRow(NamedTuple):
    """The columns of a living key row that its AAD binds: all except `wrapped`, in this order.

    A named tuple, because a batch opens a thousand of them.

    Attributes:
        id: 16 random bytes; the sid or bid of envelopes.
        organization: bare slug.
        kind: subject, bucket or pair.
        retention_class: rule slugs sorted bytewise and joined by `+` (column `class`).
        bucket: `YYYY-MM` or `open` for buckets and pairs, empty for subjects.
        state: active or held; a destroyed row has nothing wrapped.
        lookup: 32 bytes.
        epoch: decimal id of the epoch key that wraps the row.
        row_version: 1 for a new row, one more with every wrapping.
        created: microseconds UTC.
        destroyed: microseconds UTC; None (written as the empty string) while the row lives.
    """

    id: bytes
    organization: str
    kind: KeyKind
    retention_class: str
    bucket: str
    state: KeyState
    lookup: bytes
    epoch: int
    row_version: int
    created: int
    destroyed: int | None = None


def row_aad(row: KeyRow) -> bytes:
    """LP("emanet/row/v1") ‖ LP of every column of `KeyRow` in its order; integers are 8 bytes.

    Raises:
        IntegrityError: KEY_ROW_CORRUPT, an integer does not fit 8 unsigned bytes.
    """
    try:
        numbers = _LP_NUMBERS.pack(8, row.epoch, 8, row.row_version, 8, row.created)
    except struct.error:
        raise error(Reason.KEY_ROW_CORRUPT) from None
    return b"".join(
        (
            _ROW_LABEL,
            lp(row.id),
            _lp_texts(row.organization, row.kind, row.retention_class, row.bucket, row.state),
            lp(row.lookup),
            numbers,
            lp(b"" if row.destroyed is None else u64(row.destroyed)),
        )
    )


def row_plaintext(*, key: bytes, namespace: str, ref: str) -> bytes:
    """What is wrapped in a row: key ‖ LP(namespace) ‖ LP(ref); 64 key bytes for a pair, else 32.

    Namespace and ref are those of the lookup: for buckets the empty string and the bucket, for the
    no-subject S both empty.
    """
    return key + lp(namespace.encode(), ref.encode())


def parse_row_plaintext(data: bytes, kind: KeyKind) -> tuple[bytes, str, str]:
    """Key, namespace and reference of `row_plaintext`.

    Raises:
        IntegrityError: KEY_ROW_CORRUPT for any other bytes.
    """
    size = PAIR_BYTES if kind is KeyKind.PAIR else KEY_BYTES
    try:
        namespace, ref = read_lp(data[size:], 2)
        return data[:size], namespace.decode("utf-8"), ref.decode("utf-8")
    except (EmanetError, UnicodeDecodeError):
        raise error(Reason.KEY_ROW_CORRUPT) from None


def lookup_message(
    *, organization: str, kind: KeyKind, retention_class: str, namespace: str, ref: str
) -> bytes:
    """What HMAC-SHA256 under the lookup key is taken of to find a key row.

    LP("emanet/lookup/v1") ‖ LP(organization) ‖ LP(kind) ‖ LP(class) ‖ LP(namespace) ‖ LP(ref).
    """
    start = _lp_texts("emanet/lookup/v1", organization, kind, retention_class, namespace)
    return start + lp(ref.encode())


def pair_info(*, organization: str, sid: bytes, bid: bytes) -> bytes:
    """HKDF info of a pair key: LP("emanet/pair/v1") ‖ LP(organization) ‖ sid(16) ‖ bid(16).

    K(32) ‖ C(32) = HKDF-SHA256(IKM = S ‖ B, salt = 32 zero bytes, this info, 64 bytes).
    """
    return _lp_texts("emanet/pair/v1", organization) + sid + bid


def epoch_aad(*, service: str, organization: str, epoch: int) -> bytes:
    """LP("emanet/epoch/v1") ‖ LP(service) ‖ LP(organization) ‖ LP(decimal epoch id)."""
    return lp(b"emanet/epoch/v1", service.encode(), organization.encode(), str(epoch).encode())


def log_key_info(origin: str) -> bytes:
    """HKDF info of a log's Ed25519 seed: LP("emanet/log-key/v1") ‖ LP(origin)."""
    return lp(b"emanet/log-key/v1", origin.encode())


@lru_cache(maxsize=_MAX_TEXTS)
def _lp_texts(*texts: str) -> bytes:
    """`lp` of texts that a thousand rows of a batch have in common; none of them names a person."""
    return lp(*(text.encode() for text in texts))
