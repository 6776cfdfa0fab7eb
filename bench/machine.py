"""Where a number was measured: machine, versions, commit, and what one durable write costs here."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from bench.measures import percentile

__all__ = ["describe"]

_PACKAGES = ("grpcio", "protobuf", "cryptography", "sqlalchemy", "psycopg")
_SYNCS = 50


def describe(checkout: Path) -> dict[str, str | int | float]:
    """Describes this machine and this checkout; PostgreSQL's version is added by who starts it."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu(),
        "load": round(os.getloadavg()[0], 2),
        "sync_ms": round(_sync_ms(), 3),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in _PACKAGES},
        "commit": _git(checkout, "rev-parse", "--short=12", "HEAD") or "unknown",
        "changed": len(
            _git(checkout, "status", "--porcelain", "--untracked-files=no").splitlines()
        ),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _sync_ms() -> float:
    """The median time of writing 4 KiB and waiting for the disk, where benches keep databases."""
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_SYNCS):
            started = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started)
    return percentile(times, 0.5) * 1000


def _git(checkout: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=checkout, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
