"""The `emanet` command, also as `python -m emanet.cli`.

The wheel's base has the command's name but not what it needs (`pip install "emanet[cli]"`).
"""

from __future__ import annotations

import sys

__all__ = ["main"]

_INTERRUPTED = 130
"""128 + SIGINT, as shells say it."""


def main() -> int:
    """Runs the command; 2 when this Python lacks what it needs, 130 after Ctrl-C."""
    try:
        from emanet.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("emanet"):
            raise
        sys.stderr.write(
            f"error: the emanet command needs {missing.name}, which this Python does not have\n"
            '  → python -m pip install "emanet[cli]"\n'
        )
        return 2


if __name__ == "__main__":
    sys.exit(main())
