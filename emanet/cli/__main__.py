"""`python -m emanet.cli`, the same as `emanet`."""

from __future__ import annotations

import sys

from emanet.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
