"""A progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["Steps", "showing"]


Steps = Callable[[str], None]
"""Told of each step as it begins."""


@contextmanager
def showing(bench: str, *, total: int) -> Iterator[Steps]:
    """Shows the steps of a bench while it runs; `total` is how many there will be."""
    console = Console(file=sys.stderr)
    columns = (
        TextColumn("{task.fields[bench]}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("", total=total, bench=bench)

        def step(name: str) -> None:
            progress.update(task, description=name, advance=1)

        yield step
