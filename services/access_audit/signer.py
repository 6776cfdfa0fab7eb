"""The signing keys of the logs and the last checkpoint of each, kept outside the database.

Every organization's key derives from one seed, so the seed is all that must be kept (FORMATS, Log):
HKDF-SHA256(log seed, info = LP("emanet/log-key/v1") ‖ LP(origin), 32 bytes).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from emanet.core.checkpoint import Checkpoint, Vkey, format_vkey, open_checkpoint, sign_checkpoint
from emanet.core.encoding import lp
from emanet.core.errors import EmanetError, Reason, error
from services.runtime.files import replace_file
from services.runtime.primitives import Ed25519Signer, ed25519_verify, hkdf_sha256

__all__ = ["CheckpointFiles", "LogKeys"]

_INFO = b"emanet/log-key/v1"
_DURABLE_EVERY_S = 1.0
_LATEST_BYTES = 512
"""A note of one signature is below 400 bytes; one block of the disk is written whole."""

_log = structlog.get_logger(__name__)


class LogKeys:
    """Derives and remembers the signing key of each log; safe for use from several threads."""

    def __init__(self, seed: bytes) -> None:
        """Keeps the 32-byte seed."""
        self._seed = seed
        self._keys: dict[str, tuple[Ed25519Signer, Vkey]] = {}
        self._mutex = threading.Lock()

    def __repr__(self) -> str:
        return "LogKeys(...)"

    def vkey(self, origin: str) -> Vkey:
        """The public half of a log's key; its name is the origin."""
        return self._key(origin)[1]

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed note; the same checkpoint always gives the same note."""
        signer, vkey = self._key(checkpoint.origin)
        return sign_checkpoint(checkpoint, vkey, signer.sign)

    def open(self, note: str, origin: str) -> Checkpoint:
        """The checkpoint of a note that this key signed.

        Raises:
            IntegrityError: LOG_CORRUPT.
        """
        return open_checkpoint(note, self.vkey(origin), ed25519_verify)

    def _key(self, origin: str) -> tuple[Ed25519Signer, Vkey]:
        with self._mutex:
            known = self._keys.get(origin)
            if known is None:
                seed = hkdf_sha256(self._seed, info=lp(_INFO, origin.encode()))
                signer = Ed25519Signer(seed)
                known = (signer, Vkey(name=origin, public_key=signer.public_key))
                self._keys[origin] = known
            return known


class CheckpointFiles:
    """The last checkpoint of each log, in files that no database backup brings back.

    `<state>/<organization>.checkpoint` is replaced durably at most once a second;
    `<organization>.checkpoint.latest` is overwritten in place before every answer and is not
    waited for. A killed process loses neither; a power failure may lose the second, and then the
    first still knows the log of a second before. `<organization>.vkey` is for crypto to pin.
    """

    def __init__(
        self,
        folder: Path,
        keys: LogKeys,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keeps the folder; nothing is read yet."""
        self._folder = folder
        self._keys = keys
        self._monotonic = monotonic
        self._latest: dict[str, int] = {}
        self._durable_at: dict[str, float] = {}

    def read(self, organization: str, origin: str) -> Checkpoint | None:
        """The largest checkpoint that was acknowledged here; None when there is no file.

        Raises:
            IntegrityError: LOG_CORRUPT, the durable file is not a note of this log's key.
            StateError: SECRET_UNUSABLE, a file cannot be read.
        """
        durable = self._read(organization, "checkpoint")
        saved = None if durable is None else self._keys.open(durable, origin)
        latest = self._read(organization, "checkpoint.latest")
        if latest is None:
            return saved
        try:
            newest = self._keys.open(latest.rstrip("\x00"), origin)
        except EmanetError:
            # Torn by a power failure: the durable file stands for it.
            _log.warning("checkpoint.torn", organization=organization)
            return saved
        return newest if saved is None or newest.size > saved.size else saved

    def write(self, organization: str, note: str) -> None:
        """Keeps a checkpoint; called before anybody hears of it.

        Raises:
            StateError: SECRET_UNUSABLE, the folder cannot be written.
        """
        try:
            self._overwrite(organization, note.encode())
            now = self._monotonic()
            if now - self._durable_at.get(organization, -_DURABLE_EVERY_S) >= _DURABLE_EVERY_S:
                replace_file(self._path(organization, "checkpoint"), note.encode())
                self._durable_at[organization] = now
        except OSError:
            raise _unusable(organization) from None

    def write_vkey(self, organization: str, origin: str) -> None:
        """Writes the public key for crypto to pin.

        Raises:
            StateError: SECRET_UNUSABLE, the folder cannot be written.
        """
        line = f"{format_vkey(self._keys.vkey(origin))}\n"
        try:
            replace_file(self._path(organization, "vkey"), line.encode())
        except OSError:
            raise _unusable(organization) from None

    def close(self) -> None:
        """Closes the files that stay open between commits."""
        for descriptor in self._latest.values():
            os.close(descriptor)
        self._latest.clear()

    def _overwrite(self, organization: str, note: bytes) -> None:
        """One write of one block, so that a reader finds the old note or the new one."""
        descriptor = self._latest.get(organization)
        if descriptor is None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._path(organization, "checkpoint.latest")
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._latest[organization] = descriptor
        os.pwrite(descriptor, note.ljust(_LATEST_BYTES, b"\x00"), 0)

    def _read(self, organization: str, suffix: str) -> str | None:
        try:
            return self._path(organization, suffix).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            raise _unusable(organization) from None

    def _path(self, organization: str, suffix: str) -> Path:
        return self._folder / f"{organization}.{suffix}"


def _unusable(organization: str) -> EmanetError:
    return error(Reason.SECRET_UNUSABLE, secret=f"state/{organization}")
