"""Wraps, finds and derives keys: where key rows meet the epoch keys and the lookup key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from emanet.core.envelope import COMMITMENT_BYTES, KEY_ID_BYTES, header_start
from emanet.core.errors import DestroyedError, EmanetError, IntegrityError, Reason, error
from emanet.core.keyrow import (
    KEY_BYTES,
    PAIR_BYTES,
    KeyKind,
    KeyRow,
    KeyState,
    lookup_message,
    pair_info,
    parse_row_plaintext,
    row_aad,
    row_plaintext,
)
from services.crypto.domain.keys import (
    FreshKey,
    KeyName,
    OpenedKey,
    OpenedPair,
    Pair,
    PairName,
    StoredKey,
)
from services.runtime.keyring import EpochKey, KeyProvider
from services.runtime.primitives import (
    NONCE_BYTES,
    GcmSiv,
    HmacSha256,
    SealBrokenError,
    hkdf_sha256,
    is_equal,
    random_bytes,
)

__all__ = ["MAX_PAIR_USES", "Keystore"]

MAX_PAIR_USES: Final = 2**28
"""Values under one pair key (FORMATS, "Keys"). RFC 8452 section 6 would allow more."""

_KEY_END = KEY_BYTES
_FRESH_BYTES = KEY_ID_BYTES + KEY_BYTES + NONCE_BYTES
"""Random bytes of a new row: its id, its key, and the nonce that it is wrapped with."""


class Keystore:
    """Everything that needs a secret of this service; safe for use from several threads."""

    def __init__(self, *, provider: KeyProvider, lookup_key: bytes) -> None:
        self._provider = provider
        self._lookup_key = lookup_key
        self._lookup_tag = HmacSha256(lookup_key).tag

    def __repr__(self) -> str:
        return "Keystore(...)"

    @property
    def provider(self) -> KeyProvider:
        """Holder of the epoch keys."""
        return self._provider

    def lookup(self, organization: str, name: KeyName) -> bytes:
        """The 32 bytes under which the key row of that name is found."""
        message = lookup_message(
            organization=organization,
            kind=name.kind,
            retention_class=name.retention_class,
            namespace=name.namespace,
            ref=name.ref,
        )
        return self._lookup_tag(message)

    def create(self, organization: str, name: KeyName, *, epoch: int, now_us: int) -> StoredKey:
        """`create_all` of one name."""
        names = {self.lookup(organization, name): name}
        (fresh,) = self.create_all(organization, names, epoch=epoch, now_us=now_us)
        return fresh.stored

    def create_all(
        self, organization: str, names: Mapping[bytes, KeyName], *, epoch: int, now_us: int
    ) -> list[FreshKey]:
        """Draws a new key for each lookup and its name, under the epoch; nothing is stored yet.

        Raises:
            DestroyedError: KEY_DESTROYED, the epoch is destroyed.
            StateError: SECRET_UNUSABLE, the epoch key is not at hand.
        """
        epoch_key = self._provider.epoch(organization, epoch)
        random = random_bytes(_FRESH_BYTES * len(names))
        fresh = []
        for start, (lookup, name) in zip(
            range(0, len(random), _FRESH_BYTES), names.items(), strict=True
        ):
            key_id, key, nonce = _cut(random[start : start + _FRESH_BYTES])
            row = KeyRow(
                id=key_id,
                organization=organization,
                kind=name.kind,
                retention_class=name.retention_class,
                bucket=name.ref if name.kind is KeyKind.BUCKET else "",
                state=KeyState.ACTIVE,
                lookup=lookup,
                epoch=epoch,
                row_version=1,
                created=now_us,
            )
            plaintext = row_plaintext(key=key, namespace=name.namespace, ref=name.ref)
            wrapped = epoch_key.wrap(plaintext, row_aad(row), nonce=nonce)
            fresh.append(FreshKey(StoredKey(*row, wrapped), _opened(row, name, key)))
        return fresh

    def open_all(self, rows: Iterable[StoredKey]) -> list[OpenedKey | EmanetError]:
        """Opens rows of one organization; for each its key, or why it does not open.

        Raises:
            StateError: SECRET_UNUSABLE, the epoch keys are not at hand.
        """
        epochs: dict[int, EpochKey] = {}
        opened: list[OpenedKey | EmanetError] = []
        for stored in rows:
            try:
                opened.append(self._open(stored, epochs))
            except (IntegrityError, DestroyedError) as problem:
                opened.append(problem)
        return opened

    def open(self, stored: StoredKey) -> OpenedKey:
        """Unwraps a living row and checks that it is the one that its lookup names.

        Raises:
            IntegrityError: KEY_ROW_CORRUPT, a column was changed, swapped or damaged.
            DestroyedError: KEY_DESTROYED, the row is a tombstone or its epoch is destroyed.
            StateError: SECRET_UNUSABLE, the epoch key is not at hand.
        """
        return self._open(stored, {})

    def _open(self, stored: StoredKey, epochs: dict[int, EpochKey]) -> OpenedKey:
        row = _living(stored)
        epoch_key = epochs.get(row.epoch)
        if epoch_key is None:
            epoch_key = epochs[row.epoch] = self._provider.epoch(row.organization, row.epoch)
        plaintext = _unwrapped(stored, row, epoch_key)
        key, namespace, ref = parse_row_plaintext(plaintext, row.kind)
        name = KeyName(row.kind, row.retention_class, namespace, ref)
        if not is_equal(self.lookup(row.organization, name), row.lookup):
            raise error(Reason.KEY_ROW_CORRUPT)
        if len(key) != KEY_BYTES or (row.kind is KeyKind.BUCKET and ref != row.bucket):
            raise error(Reason.KEY_ROW_CORRUPT)
        return _opened(row, name, key)

    def rewrap(self, stored: StoredKey, *, epoch: int) -> StoredKey:
        """The same row under another epoch, its row version one higher.

        Raises:
            IntegrityError: KEY_ROW_CORRUPT.
            StateError: SECRET_UNUSABLE, KEY_DESTROYED as `open`.
        """
        row = _living(stored)
        epoch_key = self._provider.epoch(row.organization, row.epoch)
        plaintext = _unwrapped(stored, row, epoch_key)
        moved = row._replace(epoch=epoch, row_version=row.row_version + 1)
        wrapped = self._provider.epoch(row.organization, epoch).wrap(plaintext, row_aad(moved))
        return StoredKey(*moved, wrapped)

    def verify_pair(self, *, subject: OpenedKey, bucket: OpenedKey) -> OpenedPair:
        """The two as one, with what they bind together.

        Raises:
            IntegrityError: ENVELOPE_INVALID, the two are not an S and a B of one class.
        """
        if (
            subject.kind is not KeyKind.SUBJECT
            or bucket.kind is not KeyKind.BUCKET
            or subject.retention_class != bucket.retention_class
        ):
            raise error(Reason.ENVELOPE_INVALID)
        name = PairName(subject.retention_class, subject.subject, bucket.bucket)
        return OpenedPair(name, subject, bucket)

    def derive(self, organization: str, opened: OpenedPair) -> Pair:
        """Derives the pair key of S and B (FORMATS, "Pair key")."""
        name, subject, bucket = opened
        okm = hkdf_sha256(
            subject.key + bucket.key,
            info=pair_info(organization=organization, sid=subject.id, bid=bucket.id),
            length=PAIR_BYTES,
        )
        return Pair(
            head=header_start(sid=subject.id, bid=bucket.id),
            name=name,
            cipher=GcmSiv(okm[:_KEY_END]),
            commitment=okm[_KEY_END : _KEY_END + COMMITMENT_BYTES],
        )

    def page_key(self) -> bytes:
        """The key that authenticates page tokens."""
        return hkdf_sha256(self._lookup_key, info=b"emanet/page-token/v1")

    def request_key(self) -> bytes:
        """The key under which requests are compared with their repetitions."""
        return hkdf_sha256(self._lookup_key, info=b"emanet/request-digest/v1")


def _cut(random: bytes) -> tuple[bytes, bytes, bytes]:
    """Id, key and nonce of a new row."""
    key_end = KEY_ID_BYTES + KEY_BYTES
    return random[:KEY_ID_BYTES], random[KEY_ID_BYTES:key_end], random[key_end:]


def _opened(row: KeyRow, name: KeyName, key: bytes) -> OpenedKey:
    has_subject = row.kind is not KeyKind.BUCKET and name.namespace
    return OpenedKey(
        id=row.id,
        kind=row.kind,
        retention_class=row.retention_class,
        subject=f"{name.namespace}/{name.ref}" if has_subject else "",
        bucket=row.bucket,
        key=key,
    )


def _unwrapped(stored: StoredKey, row: KeyRow, epoch_key: EpochKey) -> bytes:
    wrapped = stored.wrapped or b""
    if len(wrapped) <= NONCE_BYTES:
        raise _corrupt()
    try:
        return epoch_key.unwrap(wrapped, row_aad(row))
    except SealBrokenError:
        raise _corrupt() from None


def _living(stored: StoredKey) -> KeyRow:
    if stored.state is KeyState.DESTROYED:
        raise error(Reason.KEY_DESTROYED)
    if stored.lookup is None or stored.epoch is None or stored.row_version is None:
        raise _corrupt()
    return KeyRow(
        stored.id,
        stored.organization,
        stored.kind,
        stored.retention_class,
        stored.bucket,
        stored.state,
        stored.lookup,
        stored.epoch,
        stored.row_version,
        stored.created,
        stored.destroyed,
    )


def _corrupt() -> EmanetError:
    return error(Reason.KEY_ROW_CORRUPT)
