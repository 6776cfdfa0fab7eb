"""Checks what no linter knows: module length, committed clutter, documents that name every file.

Exits 1 with one line a finding.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 400
# One page each: tables whose rows belong together, and tests that share one subject.
LONGER = ("emanet/core/reasons.py", "emanet/api/", "tests/")


def main() -> int:
    """Prints findings and returns the exit code."""
    tracked = subprocess.run(
        ["git", "ls-files"],  # noqa: S607 - git from the PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    findings = [*_long_modules(tracked), *_clutter(tracked), *_locks()]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def _long_modules(tracked: list[str]) -> list[str]:
    found = []
    for name in tracked:
        if not name.endswith(".py") or name.startswith(LONGER):
            continue
        if not (ROOT / name).exists():
            continue
        lines = len((ROOT / name).read_text(encoding="utf-8").splitlines())
        if lines > MAX_LINES:
            found.append(f"{name}: {lines} lines, more than {MAX_LINES}")
    return found


def _clutter(tracked: list[str]) -> list[str]:
    endings = (".pyc", ".db", ".db-wal", ".pem", ".key", ".log", ".xlsx")
    return [f"{name}: generated file in the tree" for name in tracked if name.endswith(endings)]


def _locks() -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: a lock must not name an index"
        for path in sorted((ROOT / "requirements").glob("*.txt"))
        if "://" in path.read_text(encoding="utf-8")
    ]


if __name__ == "__main__":
    sys.exit(main())
