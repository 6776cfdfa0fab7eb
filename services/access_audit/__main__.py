"""`python -m services.access_audit`."""

from __future__ import annotations

import sys

from services.access_audit.server import DEFINITION
from services.runtime.command import run

if __name__ == "__main__":
    sys.exit(run(DEFINITION))
