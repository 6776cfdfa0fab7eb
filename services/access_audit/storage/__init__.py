"""SQL of the access audit, a module for each group of tables; the caller owns the transaction."""

from services.access_audit.storage import (
    access,
    bulk,
    cases,
    epochs,
    log,
    pseudonyms,
    registers,
    retention,
    rules,
    tiles,
)

__all__ = [
    "access",
    "bulk",
    "cases",
    "epochs",
    "log",
    "pseudonyms",
    "registers",
    "retention",
    "rules",
    "tiles",
]
