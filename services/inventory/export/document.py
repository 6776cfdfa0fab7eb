"""What is printed: one register version as tables, and the choice of its form.

Everything in a file follows from the version alone, also its dates: the same version gives the
same bytes today and in ten years.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo

from emanet.register.diff import VerbisChange, diff_verbis
from emanet.register.snapshot import Snapshot, Version
from emanet.register.sources import retention_sources
from emanet.register.verbis import Table, VerbisView, inventory_rows, verbis_tables, verbis_view

__all__ = ["Document", "Format", "View", "make_document"]


_TURKIYE = ZoneInfo("Europe/Istanbul")
_EXEMPT = "Kayıt yükümlülüğünden istisna: bu liste VERBİS'e girilmez, yalnız kayıt için tutulur."


class View(StrEnum):
    """Which sheet is wanted."""

    INVENTORY = "inventory"
    VERBIS = "verbis"


class Format(StrEnum):
    """Which file is wanted; the value is the file name's ending."""

    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"

    @property
    def media_type(self) -> str:
        """The registered media type (RFC 7111 for CSV, ISO/IEC 29500 for XLSX)."""
        match self:
            case Format.XLSX:
                return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            case Format.CSV:
                return "text/csv; charset=utf-8; header=present"
            case Format.JSON:
                return "application/json"
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class Document:
    """One version as tables.

    Attributes:
        organization: slug.
        organization_tr: trade name.
        number: of the version.
        digest: SHA-256 of its snapshot, 32 bytes.
        effective: from when it holds.
        view: which sheet.
        tables: the inventory and what its periods rest on, or those of VERBİS in screen order.
        verbis: the VERBİS view behind the tables; None for the inventory.
        before: number of the version before, None in the first one.
        changes: what VERBİS must be told since then; empty where nothing must be.
    """

    organization: str
    organization_tr: str
    number: int
    digest: bytes
    effective: datetime
    view: View
    tables: tuple[Table, ...]
    verbis: VerbisView | None = None
    before: int | None = None
    changes: tuple[VerbisChange, ...] = ()

    @property
    def notice(self) -> str:
        """What a reader must know first; empty when there is nothing."""
        is_exempt = self.verbis is not None and self.verbis.controller.is_exempt
        return _EXEMPT if is_exempt else ""

    @property
    def effective_text(self) -> str:
        """From when the version holds, as people in Türkiye write it: `01.03.2026 09:00`."""
        return f"{self.effective.astimezone(_TURKIYE):%d.%m.%Y %H:%M}"

    def file_name(self, file_format: Format) -> str:
        """A name without spaces and without a person's name: `verbis-cinaralti-3.xlsx`."""
        return f"{self.view.value}-{self.organization}-{self.number}.{file_format.value}"


def make_document(version: Version, *, view: View, before: Snapshot | None = None) -> Document:
    """Derives the tables of a verified version.

    Args:
        version: what is printed.
        view: which sheet.
        before: the snapshot that `version` names as its previous one, for the changes; None for
            the first.
    """
    register = version.snapshot.register
    verbis = verbis_view(register) if view is View.VERBIS else None
    old = None if verbis is None or before is None else verbis_view(before.register)
    # Who was exempt has filed nothing: there is no list of changes, the whole list is entered.
    is_told = (
        verbis is not None
        and old is not None
        and not (verbis.controller.is_exempt or old.controller.is_exempt)
    )
    return Document(
        organization=version.snapshot.organization,
        organization_tr=register.organization.tr,
        number=version.snapshot.number,
        digest=version.digest,
        effective=version.approval.effective,
        view=view,
        tables=(
            (inventory_rows(register), retention_sources(register))
            if verbis is None
            else verbis_tables(verbis)
        ),
        verbis=verbis,
        before=before.number if before is not None and is_told else None,
        changes=(
            diff_verbis(old, verbis) if old is not None and verbis is not None and is_told else ()
        ),
    )
