"""The folder that a run writes to: one run at a time, and nothing of anybody else's is deleted."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examples.demo.houses import UnexpectedError
from examples.demo.installation import Installation

__all__ = ["claim_folder"]

_MARK = ".emanet-demo"
_MOST = 20


@contextmanager
def claim_folder(wanted: Path) -> Iterator[Path]:
    """Gives an empty folder for as long as the block lasts, and no other run the same one.

    What an earlier run left there is stopped and removed. A folder that another run holds is left
    alone; the next name is taken (`demo-2`, `demo-3`).

    Raises:
        UnexpectedError: the folder holds something that no demo has written.
    """
    for turn in range(1, _MOST):
        folder = wanted if turn == 1 else wanted.with_name(f"{wanted.name}-{turn}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f".{folder.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            _empty(folder)
            yield folder
            return
    raise UnexpectedError(f"{_MOST} demos are running beside {wanted}")


def _empty(folder: Path) -> None:
    if folder.exists():
        if any(folder.iterdir()) and not (folder / _MARK).exists():
            raise UnexpectedError(f"{folder} holds something else; name another folder with --var")
        Installation(folder).stop()
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
