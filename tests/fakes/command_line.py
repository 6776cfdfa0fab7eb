"""Runs the `emanet` command inside the test's process, with its own environment and streams."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from emanet.cli.main import main

_OURS = ("EMANET_", "LC_", "LANG", "COLUMNS")


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class CommandLine:
    """A command line whose environment is `environ` and nothing of ours besides."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self.environ = {"LANG": "C.UTF-8", "COLUMNS": "80", **(environ or {})}

    def __call__(self, *arguments: object, stdin: bytes = b"", **environ: str) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        out.buffer = io.BytesIO()  # type: ignore[attr-defined]
        with _surroundings({**self.environ, **environ}, stdin=stdin, out=out, err=err):
            status = main([str(argument) for argument in arguments])
        raw = out.buffer.getvalue().decode("utf-8", "replace")  # type: ignore[attr-defined]
        return Answer(status=status, out=out.getvalue() + raw, err=err.getvalue())


@contextmanager
def _surroundings(
    environ: Mapping[str, str], *, stdin: bytes, out: io.StringIO, err: io.StringIO
) -> Iterator[None]:
    before = dict(os.environ)
    streams = sys.stdin, sys.stdout, sys.stderr
    for name in before:
        if name.startswith(_OURS):
            del os.environ[name]
    os.environ.update(environ)
    sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(stdin)), out, err
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        os.environ.clear()
        os.environ.update(before)
