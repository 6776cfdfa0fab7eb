"""Makes .venv hold exactly what requirements/dev.txt names; safe to run again and concurrently.

Only the standard library is used, so that a machine with Python >= 3.11, its venv module and a
package index is enough. Usage: python3 scripts/bootstrap.py
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK_FILE = ROOT / "requirements" / "dev.txt"
STAMP = VENV / ".installed"


def main() -> None:
    """Creates the environment when it is missing or older than the lock."""
    if sys.version_info < (3, 11):
        sys.exit("Emanet needs Python 3.11 or later; set PYTHON=python3.11 (or newer) for make.")
    wanted = hashlib.sha256(
        LOCK_FILE.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    ).hexdigest()
    with (ROOT / ".bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two makes side by side: the second waits, then finds it
        if STAMP.is_file() and STAMP.read_text() == wanted:
            return
        print("setting up .venv (once; about a minute) ...", file=sys.stderr, flush=True)
        if not (VENV / "bin" / "python").exists():
            venv.create(VENV, with_pip=True)
        pip("install", "--require-hashes", "-r", str(LOCK_FILE))
        pip("install", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
        STAMP.write_text(wanted)


def pip(*arguments: str) -> None:
    """Runs the environment's pip and stops with its own words when it fails."""
    command = [str(VENV / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(  # noqa: S603 - a fixed program with arguments of this file
        [*command, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"pip {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
