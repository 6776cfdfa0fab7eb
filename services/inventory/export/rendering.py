"""One way from a document to its file."""

from __future__ import annotations

from typing import assert_never

from services.inventory.export.document import Document, Format
from services.inventory.export.inventory_sheet import render_inventory_workbook
from services.inventory.export.text_files import render_csv, render_json
from services.inventory.export.verbis_sheets import render_verbis_workbook

__all__ = ["render"]


def render(document: Document, file_format: Format) -> bytes:
    """Makes the file; the same document gives the same bytes."""
    match file_format:
        case Format.XLSX:
            if document.verbis is not None:
                return render_verbis_workbook(document, document.verbis)
            return render_inventory_workbook(document)
        case Format.CSV:
            return render_csv(document)
        case Format.JSON:
            return render_json(document)
        case _:
            assert_never(file_format)
