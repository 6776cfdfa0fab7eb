"""Epoch keys: what wraps the keys of the database, and never lies in a database itself.

A provider creates, uses and destroys the epoch keys of each organization. The passphrase provider
keeps one JSON file per organization, outside the database's folder and its backups; the layout is
in docs/formats/keys.md:

    {"v":1, "organization", "service",
     "kdf": {"name":"argon2id", "salt", "iterations", "lanes", "memory_kib"},
     "epochs": [{"id", "state": "active"|"destroyed", "created", "wrapped"?, "destroyed"?}],
     "check"}

The KEK comes from the passphrase and wraps each epoch key; `check` is an HMAC under it over the
rest, so that an edited file is refused. A destroyed epoch keeps its number and times and loses
`wrapped`; the newest hundred of them stay in the file, so that it does not grow for ever.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from emanet.core.clock import Clock
from emanet.core.encoding import from_micros
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.keyrow import epoch_aad
from services.runtime.epochfile import (
    SALT_BYTES,
    EpochFile,
    EpochRow,
    KdfCost,
    decode_file,
    encode_file,
)
from services.runtime.files import create_file, replace_file
from services.runtime.primitives import (
    KEY_BYTES,
    NONCE_BYTES,
    GcmSiv,
    SealBrokenError,
    argon2id,
    random_bytes,
    sha256,
)

__all__ = ["EpochEvidence", "EpochKey", "KdfCost", "KeyProvider", "PassphraseKeyring"]


_LISTED_DESTROYED = 100
"""Destroyed epochs that stay in the file: more than any interrupted destruction asks for again."""


@dataclass(frozen=True, slots=True)
class EpochEvidence:
    """What a provider can show about a destroyed epoch.

    Attributes:
        organization: whose epoch it was.
        epoch: its number.
        destroyed: when the provider let it go.
        provider: `passphrase-file`.
        digest: SHA-256 of the file that no longer holds it, after a read-back.
    """

    organization: str
    epoch: int
    destroyed: datetime
    provider: str
    digest: bytes


class EpochKey:
    """One opened epoch key; wraps and unwraps in memory, safe for use from several threads."""

    __slots__ = ("_cipher", "epoch")

    def __init__(self, epoch: int, key: bytes) -> None:
        self.epoch = epoch
        self._cipher = GcmSiv(key)

    def __repr__(self) -> str:
        return f"EpochKey(epoch={self.epoch})"

    def wrap(self, plaintext: bytes, aad: bytes, *, nonce: bytes | None = None) -> bytes:
        """Returns nonce(12) ‖ ciphertext ‖ tag(16).

        Args:
            plaintext: the key material to protect.
            aad: bound, not hidden; the same bytes are needed to unwrap.
            nonce: 12 random bytes that were drawn with others in one call; drawn here if omitted.
        """
        used = random_bytes(NONCE_BYTES) if nonce is None else nonce
        return used + self._cipher.seal(used, plaintext, aad)

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """Returns the plaintext.

        Raises:
            SealBrokenError: other key, other aad, or changed bytes. The caller answers with its
                own reason (KEY_ROW_CORRUPT, PSEUDONYM_CORRUPT).
        """
        return self._cipher.open(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], aad)


class KeyProvider(Protocol):
    """Creates, opens and destroys the epoch keys of organizations."""

    def create_organization(self, organization: str) -> int:
        """Creates the organization's first epoch and returns its number, 1.

        Raises:
            StateError: ALREADY_INITIALISED, it has epochs.
        """

    def create_epoch(self, organization: str) -> int:
        """Creates the next epoch, which becomes the active one, and returns its number."""

    def active_epoch(self, organization: str) -> EpochKey:
        """Returns the newest epoch, the one that new wrappings use."""

    def epoch(self, organization: str, epoch: int) -> EpochKey:
        """Returns one epoch.

        Raises:
            DestroyedError: KEY_DESTROYED, it is destroyed.
            StateError: SECRET_UNUSABLE, it or the organization is unknown to the provider.
        """

    def destroy_epoch(self, organization: str, epoch: int) -> EpochEvidence:
        """Destroys one epoch for ever; a repetition returns the same time.

        Raises:
            StateError: SECRET_UNUSABLE, it is unknown; VERSION_STATE, it is the active one.
        """

    def organizations(self) -> tuple[str, ...]:
        """Returns the organizations that have epochs, sorted."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    stamp: tuple[int, int, int]
    content: EpochFile
    keys: Mapping[int, EpochKey]


class PassphraseKeyring:
    """Epoch keys in files under a passphrase; safe for use from several threads.

    The KEK is derived once per salt and cost and kept in memory (64 MiB and about 0.2 s each with
    the default cost). A file that another process has changed is read again at the next use.
    """

    def __init__(
        self,
        *,
        folder: Path,
        service: str,
        passphrase: bytes,
        cost: KdfCost,
        clock: Clock,
        database_folder: Path | None = None,
    ) -> None:
        """Opens nothing yet.

        Args:
            folder: of the epoch files.
            service: short service name; bound into every wrapping.
            passphrase: the root secret.
            cost: of new files; existing files carry their own.
            clock: for the times in the file.
            database_folder: of SQLite; None when the database is no file.

        Raises:
            StateError: CONFIG_INVALID, the epoch folder lies inside the database's folder, whose
                backups would keep destroyed keys alive.
        """
        if database_folder is not None and _is_inside(folder, database_folder):
            raise error(
                Reason.CONFIG_INVALID, problem="the epochs folder lies in the database's folder"
            )
        self._folder = folder
        self._service = service
        self._passphrase = passphrase
        self._cost = cost
        self._clock = clock
        self._loaded: dict[str, _Loaded] = {}
        self._keks: dict[tuple[bytes, KdfCost], bytes] = {}
        self._mutex = threading.RLock()

    def __repr__(self) -> str:
        return f"PassphraseKeyring(service={self._service!r})"

    def create_organization(self, organization: str) -> int:
        """Creates the organization's file with epoch 1.

        Raises:
            StateError: ALREADY_INITIALISED, the file exists.
        """
        with self._mutex, self._exclusive():
            salt = random_bytes(SALT_BYTES)
            kek = self._kek(salt, self._cost)
            content = EpochFile(
                organization=organization,
                service=self._service,
                salt=salt,
                cost=self._cost,
                epochs=(self._new_row(organization, 1, kek),),
            )
            try:
                create_file(self._path(organization), encode_file(content, kek))
            except FileExistsError:
                raise error(
                    Reason.ALREADY_INITIALISED, resource=f"organizations/{organization}"
                ) from None
            return 1

    def create_epoch(self, organization: str) -> int:
        """Appends the next epoch to the file; it becomes the active one."""
        with self._mutex, self._exclusive():
            content = self._load(organization).content
            number = content.epochs[-1].epoch + 1
            kek = self._kek(content.salt, content.cost)
            row = self._new_row(organization, number, kek)
            self._replace(content.with_epochs((*_worth_listing(content.epochs), row)), kek)
            return number

    def active_epoch(self, organization: str) -> EpochKey:
        """Returns the newest epoch."""
        with self._mutex:
            loaded = self._load(organization)
            return loaded.keys[loaded.content.epochs[-1].epoch]

    def epoch(self, organization: str, epoch: int) -> EpochKey:
        """Returns one epoch.

        Raises:
            DestroyedError: KEY_DESTROYED.
            StateError: SECRET_UNUSABLE.
        """
        with self._mutex:
            loaded = self._load(organization)
            key = loaded.keys.get(epoch)
            if key is not None:
                return key
            if 1 <= epoch < loaded.content.epochs[-1].epoch:
                raise error(Reason.KEY_DESTROYED)
            raise self._unusable(organization)

    def destroy_epoch(self, organization: str, epoch: int) -> EpochEvidence:
        """Replaces the file by one without the epoch's key, and reads it back.

        The old bytes may survive in free blocks of the medium and in copies of the file: the
        promise reaches as far as the file system and the operator's backup policy.

        Raises:
            StateError: SECRET_UNUSABLE, unknown epoch; VERSION_STATE, the active one.
        """
        with self._mutex, self._exclusive():
            content = self._load(organization).content
            row = self._row(content, epoch)
            if row == content.epochs[-1]:
                raise error(Reason.VERSION_STATE, resource=f"epoch {epoch}", state="active")
            if row.destroyed is None:
                kek = self._kek(content.salt, content.cost)
                gone = row.as_destroyed(self._clock.now())
                rows = tuple(gone if item == row else item for item in content.epochs)
                self._replace(content.with_epochs(rows), kek)
            loaded = self._load(organization)
            read_back = self._row(loaded.content, epoch)
            if read_back.destroyed is None or epoch in loaded.keys:
                raise self._unusable(organization)
            return EpochEvidence(
                organization=organization,
                epoch=epoch,
                destroyed=from_micros(read_back.destroyed),
                provider="passphrase-file",
                digest=sha256(self._path(organization).read_bytes()),
            )

    def organizations(self) -> tuple[str, ...]:
        """Returns the organizations that have a file, sorted."""
        return tuple(sorted(path.stem for path in self._folder.glob("[a-z]*.json")))

    def _load(self, organization: str) -> _Loaded:
        path = self._path(organization)
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._loaded.get(organization)
            if known is not None and known.stamp == stamp:
                return known
            data = path.read_bytes()
        except OSError:
            raise self._unusable(organization) from None
        loaded = _Loaded(stamp, *self._opened(organization, data))
        self._loaded[organization] = loaded
        return loaded

    def _opened(self, organization: str, data: bytes) -> tuple[EpochFile, dict[int, EpochKey]]:
        try:
            content, verify = decode_file(data)
            kek = self._kek(content.salt, content.cost)
            verify(kek)
            if (content.organization, content.service) != (organization, self._service):
                raise self._unusable(organization)
            keys = {
                row.epoch: EpochKey(row.epoch, self._unwrapped(organization, row, kek))
                for row in content.epochs
                if row.wrapped is not None
            }
        except (EmanetError, SealBrokenError, ValueError):
            raise self._unusable(organization) from None
        if content.epochs[-1].epoch not in keys:
            raise self._unusable(organization)
        return content, keys

    def _unwrapped(self, organization: str, row: EpochRow, kek: bytes) -> bytes:
        wrapped = row.wrapped or b""
        key = GcmSiv(kek).open(
            wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], self._aad(organization, row.epoch)
        )
        if len(key) != KEY_BYTES:
            raise SealBrokenError
        return key

    def _new_row(self, organization: str, epoch: int, kek: bytes) -> EpochRow:
        nonce = random_bytes(NONCE_BYTES)
        sealed = GcmSiv(kek).seal(nonce, random_bytes(KEY_BYTES), self._aad(organization, epoch))
        return EpochRow.new(epoch, created=self._clock.now(), wrapped=nonce + sealed)

    def _replace(self, content: EpochFile, kek: bytes) -> None:
        replace_file(self._path(content.organization), encode_file(content, kek))
        self._loaded.pop(content.organization, None)

    def _row(self, content: EpochFile, epoch: int) -> EpochRow:
        for row in content.epochs:
            if row.epoch == epoch:
                return row
        raise self._unusable(content.organization)

    def _kek(self, salt: bytes, cost: KdfCost) -> bytes:
        kek = self._keks.get((salt, cost))
        if kek is None:
            kek = argon2id(
                self._passphrase,
                salt=salt,
                iterations=cost.iterations,
                lanes=cost.lanes,
                memory_kib=cost.memory_kib,
            )
            self._keks[(salt, cost)] = kek
        return kek

    def _aad(self, organization: str, epoch: int) -> bytes:
        return epoch_aad(service=self._service, organization=organization, epoch=epoch)

    def _path(self, organization: str) -> Path:
        return self._folder / f"{organization}.json"

    def _unusable(self, organization: str) -> EmanetError:
        return error(Reason.SECRET_UNUSABLE, secret=f"epochs/{organization}.json")

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Keeps a second process from changing the folder's files at the same time.

        What a killed process left half-way is removed: it may hold a key that is destroyed later.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            for left in self._folder.glob(".*.json.*"):
                left.unlink()
            yield
        finally:
            os.close(descriptor)


def _is_inside(folder: Path, other: Path) -> bool:
    inner, outer = folder.resolve(), other.resolve()
    return inner == outer or outer in inner.parents


def _worth_listing(rows: tuple[EpochRow, ...]) -> tuple[EpochRow, ...]:
    """All living epochs and the newest destroyed ones."""
    destroyed = [row.epoch for row in rows if row.destroyed is not None]
    old = set(destroyed[:-_LISTED_DESTROYED])
    return tuple(row for row in rows if row.epoch not in old)
