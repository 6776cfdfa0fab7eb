"""Small files that must survive a crash whole: written beside, synced, then put in place."""

from __future__ import annotations

import os
from pathlib import Path

from services.runtime.primitives import random_bytes

__all__ = ["create_file", "replace_file"]


def create_file(path: Path, content: bytes) -> None:
    """Writes a new file durably with mode 0600.

    Raises:
        FileExistsError: the file exists; it is left as it was.
        OSError: the folder cannot be written.
    """
    temporary = _written(path, content)
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink()
    _sync_folder(path.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Replaces a file atomically and durably, mode 0600: a reader sees the old or the new one.

    Raises:
        OSError: the folder cannot be written; the old file is left as it was.
    """
    temporary = _written(path, content)
    try:
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{random_bytes(6).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return temporary


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
