"""`python -m services.inventory`."""

from __future__ import annotations

import sys

from services.inventory.server import DEFINITION
from services.runtime.command import run

if __name__ == "__main__":
    sys.exit(run(DEFINITION))
