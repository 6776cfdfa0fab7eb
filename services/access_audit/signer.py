"""The signing keys of the logs and the last checkpoint of each, kept outside the database.

Every organization's key derives from one seed, so the seed is all that must be kept (FORMATS, Log):
HKDF-SHA256(log seed, info = LP("emanet/log-key/v1") ‖ LP(origin), 32 bytes).
"""

from __future__ import annotations

import threading
from pathlib import Path

from emanet.core.checkpoint import Checkpoint, Vkey, format_vkey, open_checkpoint, sign_checkpoint
from emanet.core.encoding import lp
from emanet.core.errors import EmanetError, Reason, error
from services.runtime.files import replace_file
from services.runtime.primitives import Ed25519Signer, ed25519_verify, hkdf_sha256

__all__ = ["CheckpointFiles", "LogKeys"]

_INFO = b"emanet/log-key/v1"


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
    """`<state>/<organization>.checkpoint` and `.vkey`: no database backup brings them back."""

    def __init__(self, folder: Path, keys: LogKeys) -> None:
        """Keeps the folder; nothing is read yet."""
        self._folder = folder
        self._keys = keys

    def read(self, organization: str, origin: str) -> Checkpoint | None:
        """The last checkpoint that was acknowledged here; None when there is no file.

        Raises:
            IntegrityError: LOG_CORRUPT, the file is not a note of this log's key.
            StateError: SECRET_UNUSABLE, the file cannot be read.
        """
        try:
            note = self._path(organization, "checkpoint").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            raise _unusable(organization) from None
        return self._keys.open(note, origin)

    def write(self, organization: str, note: str) -> None:
        """Replaces the checkpoint atomically and durably.

        Raises:
            StateError: SECRET_UNUSABLE, the folder cannot be written.
        """
        self._replace(organization, "checkpoint", note)

    def write_vkey(self, organization: str, origin: str) -> None:
        """Writes the public key for crypto to pin.

        Raises:
            StateError: SECRET_UNUSABLE, the folder cannot be written.
        """
        self._replace(organization, "vkey", f"{format_vkey(self._keys.vkey(origin))}\n")

    def _replace(self, organization: str, suffix: str, text: str) -> None:
        try:
            replace_file(self._path(organization, suffix), text.encode())
        except OSError:
            raise _unusable(organization) from None

    def _path(self, organization: str, suffix: str) -> Path:
        return self._folder / f"{organization}.{suffix}"


def _unusable(organization: str) -> EmanetError:
    return error(Reason.SECRET_UNUSABLE, secret=f"state/{organization}")
