"""Writes an exported log: whole or not at all, and nowhere but in its directory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emanet.cli.arguments import error_name
from emanet.cli.problems import CommandError
from emanet.core.errors import Reason, error
from emanet.core.tiles import parse_path, tiles_of

if TYPE_CHECKING:
    from emanet.api.access_audit.v1.log_pb2 import ExportLogResponse

__all__ = ["Exported", "write_export"]

_CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        size: number of records.
        vkey: the verifier key's line, as the service says it; compare it with one kept elsewhere.
    """

    size: int
    vkey: str


def write_export(
    parts: Iterable[ExportLogResponse],
    directory: Path,
    *,
    replaces: bool,
    progress: Callable[[int, int], None],
) -> Exported:
    """Writes the files into a folder beside the directory and moves it there at the end.

    Args:
        parts: the service's stream; its first message has size and key.
        directory: must not exist, or be an earlier export when `replaces`.
        replaces: whether an earlier export may be replaced.
        progress: told (files begun, files in all).

    Raises:
        CommandError: the directory exists, or cannot be written.
        IntegrityError: LOG_CORRUPT for a path that is none of a log's, or a stream without end.
    """
    _require_free(directory, replaces=replaces)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    except OSError as cause:
        raise CommandError("unwritten", file=directory, why=error_name(cause)) from cause
    try:
        exported = _write_parts(parts, staging, progress=progress)
        _move(staging, directory)
    except OSError as cause:
        raise CommandError("unwritten", file=directory, why=error_name(cause)) from cause
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return exported


def _require_free(directory: Path, *, replaces: bool) -> None:
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    if not replaces or not (directory / _CHECKPOINT).is_file():
        raise CommandError("exists", file=directory)


def _write_parts(
    parts: Iterable[ExportLogResponse], staging: Path, *, progress: Callable[[int, int], None]
) -> Exported:
    exported: Exported | None = None
    total, written, last = 0, 0, ""
    for part in parts:
        if exported is None:
            exported = Exported(size=part.tree_size, vkey=part.vkey)
            total = sum(1 for _ in tiles_of(part.tree_size)) + 1
        if not part.path:
            continue
        if part.path != last:
            written, last = written + 1, part.path
            progress(written, total)
        _append(staging, part.path, part.chunk)
    if exported is None or last != _CHECKPOINT:
        raise error(Reason.LOG_CORRUPT, problem="the export ended before its checkpoint")
    return exported


def _append(staging: Path, path: str, chunk: bytes) -> None:
    """Appends to a file; the path comes from the service and is checked to be a log's own."""
    if path != _CHECKPOINT:
        parse_path(path)
    target = staging / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("ab") as file:
        file.write(chunk)


def _move(staging: Path, directory: Path) -> None:
    staging.chmod(0o755)
    if directory.exists():
        old = staging.with_name(f"{staging.name}.old")
        os.replace(directory, old)  # noqa: PTH105 (the same call as below, side by side)
        os.replace(staging, directory)  # noqa: PTH105
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(staging, directory)  # noqa: PTH105
