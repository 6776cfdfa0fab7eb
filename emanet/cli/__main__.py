"""The `emanet` command, also as `python -m emanet.cli`.

The wheel's base has the command's name but not what it needs (`pip install "emanet[cli]"`).
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Runs the command; 2 when this Python lacks what it needs."""
    try:
        from emanet.cli.main import main as run
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("emanet"):
            raise
        sys.stderr.write(
            f"error: the emanet command needs {missing.name}, which this Python does not have\n"
            '  → python -m pip install "emanet[cli]"\n'
        )
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())
