"""CSV for people with a Turkish spreadsheet, JSON for programs.

CSV: UTF-8 with byte order mark, `;`, CRLF, every cell quoted. A cell that a spreadsheet would take
for a formula begins with an apostrophe (OWASP, CSV injection): the first character is one of
`= + - @`, tab or line break, or their full-width forms.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator

from emanet.core.encoding import b64url_encode, micros
from emanet.register.verbis import Table
from services.inventory.export.document import Document, View

__all__ = ["neutralised", "render_csv", "render_json"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def render_csv(document: Document) -> bytes:
    """The inventory as one row per datum; the VERBİS view as one row per entry to click."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    rows = (
        _inventory_lines(document.tables[0])
        if document.view is View.INVENTORY
        else _verbis_lines(document.tables)
    )
    for row in rows:
        writer.writerow([neutralised(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def render_json(document: Document) -> bytes:
    """Tables as lists of objects, column code → the cell's lines; UTF-8, sorted keys."""
    value = {
        "v": 1,
        "view": document.view.value,
        "organization": document.organization,
        "number": document.number,
        "digest": b64url_encode(document.digest),
        "effective": micros(document.effective),
        "tables": [_json_table(table) for table in document.tables],
    }
    return (json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n").encode()


def neutralised(text: str) -> str:
    """The text so that no spreadsheet runs it; other text unchanged."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _inventory_lines(table: Table) -> Iterator[list[str]]:
    yield [column.tr for column in table.columns]
    for row in table.rows:
        yield [cell.text for cell in row]


def _verbis_lines(tables: Iterable[Table]) -> Iterator[list[str]]:
    yield ["Bölüm", "Kayıt", "Başlık", "Seçim"]
    for table in tables:
        # A table of one column is a plain list; otherwise the first cell names the row.
        named = len(table.columns) > 1
        for row in table.rows:
            entries = list(zip(table.columns, row, strict=True))
            for column, cell in entries[1:] if named else entries:
                for line in cell.lines:
                    yield [table.title_tr, row[0].text if named else "", column.tr, line]


def _json_table(table: Table) -> dict[str, object]:
    return {
        "title": table.title_tr,
        "columns": [
            {
                "code": column.code,
                "tr": column.tr,
                "en": column.en,
                "group": column.group_tr,
                "extra": column.is_extra,
            }
            for column in table.columns
        ],
        "rows": [
            {
                column.code: list(cell.lines)
                for column, cell in zip(table.columns, row, strict=True)
                if cell.lines
            }
            for row in table.rows
        ],
        "uncertain": [
            [index, column.code]
            for index, row in enumerate(table.rows)
            for column, cell in zip(table.columns, row, strict=True)
            if cell.is_uncertain
        ],
    }
