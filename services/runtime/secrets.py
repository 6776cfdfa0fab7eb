"""Root secrets: one file each, 32 random bytes as base64url text, readable by the owner.

A missing or unusable secret is never replaced: the data that it opened would be lost.
"""

from __future__ import annotations

import stat
from pathlib import Path

from emanet.core.encoding import b64url_decode, b64url_encode
from emanet.core.errors import EmanetError, Reason, error
from services.runtime.files import create_file
from services.runtime.primitives import KEY_BYTES, random_bytes

__all__ = ["create_secret", "read_key", "read_passphrase", "require_private"]

_FORBIDDEN_BITS = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO
"""Group read is allowed: orchestrators hand secrets to a non-root process through its group."""

_MIN_PASSPHRASE_BYTES = 16
_MAX_SECRET_BYTES = 4_096


def create_secret(path: Path) -> None:
    """Writes 32 new random bytes with mode 0600; an existing secret is checked and kept.

    Raises:
        StateError: SECRET_UNUSABLE, a file is there and cannot serve as a secret.
    """
    if path.exists():
        read_passphrase(path)
        return
    create_file(path, b64url_encode(random_bytes(KEY_BYTES)).encode("ascii") + b"\n")


def read_key(path: Path) -> bytes:
    """Reads a secret of exactly 32 bytes (43 base64url characters).

    Raises:
        StateError: SECRET_UNUSABLE, it is missing, readable by others, or no such text.
    """
    try:
        key = b64url_decode(_content(path).decode("ascii"))
    except (EmanetError, UnicodeDecodeError):
        raise _unusable(path) from None
    if len(key) != KEY_BYTES:
        raise _unusable(path)
    return key


def read_passphrase(path: Path) -> bytes:
    """Reads a passphrase of at least 16 bytes; white space around it does not count.

    Raises:
        StateError: SECRET_UNUSABLE, it is missing, readable by others, or too short.
    """
    passphrase = _content(path)
    if len(passphrase) < _MIN_PASSPHRASE_BYTES:
        raise _unusable(path)
    return passphrase


def require_private(path: Path) -> None:
    """Verifies that a file is there and that nobody but owner and group may read it.

    Raises:
        StateError: SECRET_UNUSABLE.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        raise _unusable(path) from None
    if mode & _FORBIDDEN_BITS:
        raise _unusable(path)


def _content(path: Path) -> bytes:
    require_private(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_SECRET_BYTES + 1)
    except OSError:
        raise _unusable(path) from None
    if len(content) > _MAX_SECRET_BYTES:
        raise _unusable(path)
    return content.strip()


def _unusable(path: Path) -> EmanetError:
    return error(Reason.SECRET_UNUSABLE, secret=path.name)
