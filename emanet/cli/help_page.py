"""Renders docs/cli.md from the program, so that the two cannot differ."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import redirect_stdout

from emanet.cli.main import GROUPS, main

__all__ = ["render_help_page"]

_INTRODUCTION = """\
# The `emanet` command

Rendered from the program; `make docs` writes it anew and a test compares the two. Every command
speaks Turkish too (`--lang tr`, or a Turkish `LANG`) and answers programs with `--json`.

| exit status | meaning |
|---|---|
| 0 | done, or it is so |
| 1 | the thing asked about is not so: lint found an error, the log does not hold, access denied |
| 2 | usage or environment: an option, a file, a certificate, a token, a service that is down |

Who acts: `--app` names the certificate (`EMANET_CERTS_DIR`), `--token`, `EMANET_TOKEN` or
`EMANET_TOKEN_FILE` the person, `--organization` or `EMANET_ORGANIZATION` the organization. Where
the services are: `EMANET_ENDPOINTS`, else the local installation under `EMANET_VAR_DIR` (`./var`).
`emanet up` hands settings of services (`EMANET_RUNTIME_…`, [configuration.md](configuration.md)) on
to them, but for those that it decides itself.
"""


def render_help_page() -> str:
    """The content of docs/cli.md: every command's help, in English."""
    parts = [_INTRODUCTION, *_sections()]
    return "\n".join(parts)


def _sections() -> Iterator[str]:
    yield _section("emanet", [])
    for group in GROUPS:
        words = [group.name] if group.name else []
        if group.name:
            yield _section(f"emanet {group.name}", words)
        for command in group.commands:
            yield _section(f"emanet {' '.join([*words, command.name])}", [*words, command.name])


def _section(title: str, words: list[str]) -> str:
    level = "##" if len(words) < 2 else "###"
    return f"{level} `{title}`\n\n```text\n{_help(words)}```\n"


def _help(words: list[str]) -> str:
    """What `--help` prints at 80 columns."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        with redirect_stdout(io.StringIO()) as shown:
            main(["--lang", "en", *words, "--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return "".join(f"{line.rstrip()}\n" for line in shown.getvalue().splitlines())
