"""Writes the pages of docs/ that are rendered from the program: `make docs`.

Each page is compared with the program by a test under tests/docs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.page import render_performance
from emanet.cli.help_page import render_help_page
from emanet.core.reason_page import render_reasons
from emanet.register.lint import render_rules
from services.access_audit.authorisation import ROWS as ACCESS_AUDIT_ROWS
from services.access_audit.config import AccessAuditSettings
from services.crypto.authorisation import ROWS as CRYPTO_ROWS
from services.crypto.config import CryptoSettings
from services.inventory.authorisation import ROWS as INVENTORY_ROWS
from services.inventory.config import InventorySettings
from services.runtime.authorisation import render
from services.runtime.configuration import render_configuration

DOCS = Path(__file__).resolve().parent.parent / "docs"
SETTINGS = (InventorySettings, AccessAuditSettings, CryptoSettings)
AUTHORISATION = """# Who may call what

One interceptor enforces this table; it is rendered from the rows that the services run with.
Identity is the one SPIFFE id of the certificate (`/app/NAME` or `/service/NAME`); duties come from
the staff token's groups through `principals.yaml`, for each organization. A fresh log-in is one of
the last five minutes. `staff token: optional` means that the actor of the request decides whether
one is needed. Besides, an application touches only its own organizations, pushes only the case
kinds (`owns_cases`) and retention events (`owns_events`) that `principals.yaml` gives it, and
speaks for a data subject or for itself only where `may_assert` says so.

"""
PAGES: Mapping[str, Callable[[], str]] = {
    "authorisation.md": lambda: (
        AUTHORISATION + render([*INVENTORY_ROWS, *ACCESS_AUDIT_ROWS, *CRYPTO_ROWS])
    ),
    "cli.md": render_help_page,
    "configuration.md": lambda: render_configuration(SETTINGS),
    "errors.md": render_reasons,
    "lint-rules.md": render_rules,
    "performance.md": lambda: render_performance(DOCS.parent),
}


def main() -> None:
    """Writes every page."""
    for name, rendered in PAGES.items():
        (DOCS / name).write_text(rendered(), encoding="utf-8")


if __name__ == "__main__":
    main()
