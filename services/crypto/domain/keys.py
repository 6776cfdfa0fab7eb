"""Values of the key life cycle: opened keys, pair keys and what identifies them.

Holders of key bytes are slotted classes whose `repr` shows an id at most; they are never compared,
pickled or logged.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from emanet.core.encoding import b64url_encode
from emanet.core.envelope import KEY_IDS
from emanet.core.keyrow import KeyKind, KeyState

__all__ = [
    "NO_SUBJECT",
    "FreshKey",
    "KeyName",
    "OpenedKey",
    "OpenedPair",
    "Pair",
    "PairCipher",
    "PairIds",
    "PairName",
    "StoredKey",
    "key_name_of_bucket",
    "key_name_of_subject",
]

NO_SUBJECT = ""

PairIds = bytes
"""sid(16) ‖ bid(16), as an envelope holds them."""


class PairCipher(Protocol):
    """AES-256-GCM-SIV under one pair key."""

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Returns ciphertext ‖ tag(16)."""

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Returns the plaintext or raises the primitive's one error."""


class KeyName(NamedTuple):
    """What a key row is found by; the lookup is an HMAC over these and the organization.

    Attributes:
        kind: subject or bucket.
        retention_class: the class.
        namespace: of the subject; empty for buckets and for the no-subject S.
        ref: of the subject, or the bucket; empty for the no-subject S.
    """

    kind: KeyKind
    retention_class: str
    namespace: str
    ref: str

    def __repr__(self) -> str:
        return f"KeyName({self.kind.value!r}, {self.retention_class!r}, ...)"


class PairName(NamedTuple):
    """Which two keys a value needs: class, subject (`{namespace}/{ref}` or empty) and bucket."""

    retention_class: str
    subject: str
    bucket: str

    def __repr__(self) -> str:
        return f"PairName({self.retention_class!r}, ..., {self.bucket!r})"


class StoredKey(NamedTuple):
    """A key row as the database holds it; the columns of FORMATS "Key row" in their order.

    A tombstone has neither lookup, epoch, row version nor wrapped.
    """

    id: bytes
    organization: str
    kind: KeyKind
    retention_class: str
    bucket: str
    state: KeyState
    lookup: bytes | None
    epoch: int | None
    row_version: int | None
    created: int
    destroyed: int | None
    wrapped: bytes | None


class OpenedKey:
    """An unwrapped S or B with what its row authenticates.

    Attributes:
        id: sid or bid, 16 bytes.
        kind: subject or bucket.
        retention_class: the class.
        subject: `{namespace}/{ref}`; empty for the no-subject S and for buckets.
        bucket: `YYYY-MM` or `open` for buckets, else empty.
        key: 32 bytes.
    """

    __slots__ = ("bucket", "id", "key", "kind", "retention_class", "subject")

    def __init__(
        self,
        *,
        id: bytes,  # noqa: A002 - the format's own name
        kind: KeyKind,
        retention_class: str,
        subject: str,
        bucket: str,
        key: bytes,
    ) -> None:
        self.id = id
        self.kind = kind
        self.retention_class = retention_class
        self.subject = subject
        self.bucket = bucket
        self.key = key

    def __repr__(self) -> str:
        return f"OpenedKey({b64url_encode(self.id)})"


class FreshKey(NamedTuple):
    """A key that was just drawn: the row to store, and the key as opening that row would give it.

    Attributes:
        stored: wrapped.
        opened: in the clear.
    """

    stored: StoredKey
    opened: OpenedKey


class OpenedPair(NamedTuple):
    """S and B of one class, authenticated, from which a pair key can be derived.

    Attributes:
        name: class, subject and bucket.
        subject: S.
        bucket: B.
    """

    name: PairName
    subject: OpenedKey
    bucket: OpenedKey


class Pair:
    """One pair key ready for use: the cipher under K, the commitment C, and what S and B bind.

    Attributes:
        head: bytes 0 to 33 of its envelopes.
        ids: of S and B, as an envelope holds them.
        name: class, subject and bucket, from the authenticated rows.
        cipher: under K.
        commitment: C, 32 bytes.
        uses: values sealed by this process with it; bounded by `MAX_PAIR_USES`.
    """

    __slots__ = ("cipher", "commitment", "head", "ids", "name", "uses")

    def __init__(
        self, *, head: bytes, name: PairName, cipher: PairCipher, commitment: bytes
    ) -> None:
        self.head = head
        self.ids: PairIds = head[KEY_IDS]
        self.name = name
        self.cipher = cipher
        self.commitment = commitment
        self.uses = 0

    def __repr__(self) -> str:
        return f"Pair({b64url_encode(self.ids)})"


def key_name_of_subject(retention_class: str, subject: str) -> KeyName:
    """The name of the S of a subject in a class; the empty subject names the no-subject S."""
    namespace, _, ref = subject.partition("/")
    return KeyName(KeyKind.SUBJECT, retention_class, namespace, ref)


def key_name_of_bucket(retention_class: str, bucket: str) -> KeyName:
    """The name of the B of a bucket in a class."""
    return KeyName(KeyKind.BUCKET, retention_class, "", bucket)
