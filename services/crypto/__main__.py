"""`python -m services.crypto init|add-organization|migrate|serve`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from services.crypto.server import definition
from services.runtime.command import run

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Runs one command and returns the exit status.

    `--vkey-file FILE`, once for each organization, belongs to `init ORGANIZATION` and
    `add-organization`: the organization's log key is pinned then and there, so that nobody can put
    another log in its place later.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--vkey-file", type=Path, action="append", default=[])
    own, rest = parser.parse_known_args(arguments)
    return run(definition(vkey_files=own.vkey_file), rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
