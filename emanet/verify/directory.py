"""An exported log as files: reads each whole or refuses it, and knows which belong there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from emanet.core.errors import EmanetError
from emanet.core.tiles import ENTRIES, HEIGHT, WIDTH, Tile, parse_path

__all__ = ["CHECKPOINT", "LogDirectory", "UnreadableFileError"]

CHECKPOINT = "checkpoint"

_MAX_CHECKPOINT_BYTES = 262_144
_MAX_TILE_BYTES = WIDTH * 32
_MAX_ENTRIES_BYTES = WIDTH * (2 + 65_535)


class UnreadableFileError(Exception):
    """A file is missing, no plain file, or longer than any of its kind.

    Attributes:
        path: below the directory.
        is_missing: whether there is no such file.
    """

    def __init__(self, path: str, *, is_missing: bool) -> None:
        self.path = path
        self.is_missing = is_missing
        super().__init__(path)


class LogDirectory:
    """The directory of docs/formats/log.md, "Export directory"."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read_checkpoint(self) -> str:
        """The signed note.

        Raises:
            UnreadableFileError: missing, too long, or no UTF-8.
        """
        data = self._read(CHECKPOINT, limit=_MAX_CHECKPOINT_BYTES)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as cause:
            raise UnreadableFileError(CHECKPOINT, is_missing=False) from cause

    def read_tile(self, tile: Tile) -> bytes:
        """The bytes of a tile; its width is not checked.

        Raises:
            UnreadableFileError: missing or too long.
        """
        limit = _MAX_ENTRIES_BYTES if tile.level == ENTRIES else _MAX_TILE_BYTES
        return self._read(tile.path, limit=limit)

    def extra_files(self, size: int) -> Iterator[str]:
        """Paths of files that a log of this size does not have, links included.

        Their names are a stranger's: what a terminal would obey or hide is written as an escape.
        """
        for folder, folders, names in os.walk(self._root):
            folders.sort()
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            for name in sorted([*names, *links]):
                path = (Path(folder) / name).relative_to(self._root).as_posix()
                if path != CHECKPOINT and not _belongs(path, size):
                    yield _printable(path)

    def _read(self, path: str, *, limit: int) -> bytes:
        target = self._root / path
        try:
            # A pipe or device would never end, or never begin.
            if not stat.S_ISREG(target.stat().st_mode):
                raise UnreadableFileError(path, is_missing=False)
            with target.open("rb") as file:
                data = file.read(limit + 1)
        except FileNotFoundError as cause:
            raise UnreadableFileError(path, is_missing=True) from cause
        except OSError as cause:
            raise UnreadableFileError(path, is_missing=False) from cause
        if len(data) > limit:
            raise UnreadableFileError(path, is_missing=False)
        return data


def _printable(path: str) -> str:
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in path
    )


def _belongs(path: str, size: int) -> bool:
    try:
        tile = parse_path(path)
    except EmanetError:
        return False
    full, rest = divmod(size >> (HEIGHT * max(tile.level, 0)), WIDTH)
    if tile.width == WIDTH:
        return tile.index < full
    return tile.index == full and tile.width == rest
