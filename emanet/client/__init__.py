"""The client library: what internal applications import.

from emanet.client import Case, Emanet, errors
"""

from emanet.client.aio import AsyncEmanet
from emanet.client.reading import Case
from emanet.client.sync import Emanet
from emanet.client.values import (
    AccessToRecord,
    CaseState,
    OpenedRow,
    Plain,
    Sealed,
    ToEncrypt,
    ToOpen,
)
from emanet.core import errors

__all__ = [
    "AccessToRecord",
    "AsyncEmanet",
    "Case",
    "CaseState",
    "Emanet",
    "OpenedRow",
    "Plain",
    "Sealed",
    "ToEncrypt",
    "ToOpen",
    "errors",
]
