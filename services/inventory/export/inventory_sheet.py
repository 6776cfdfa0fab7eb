"""The Authority's inventory sheet: super-headers, thirteen columns, the extra ones; its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from xlsxwriter.worksheet import Worksheet

from emanet.register.verbis import Cell, Column, Table
from services.inventory.export.document import Document
from services.inventory.export.workbook import Look, Paper, Sheets

__all__ = ["render_inventory_workbook"]

_WIDTHS: Mapping[str, int] = MappingProxyType(
    {
        "no": 5,
        "departman": 14,
        "faaliyet": 16,
        "veri_kategorisi": 12,
        "kisisel_veri": 16,
        "ozel_nitelikli_kisisel_veri": 11,
        "isleme_amaci": 26,
        "veri_konusu_kisi_grubu": 18,
        "hukuki_sebep": 28,
        "saklama_suresi": 17,
        "alici_gruplari": 19,
        "yabanci_ulke": 14,
        "idari_tedbirler": 24,
        "teknik_tedbirler": 24,
        "fiziksel_dijital": 12,
        "bulundugu_yer": 22,
        "ilgili_mevzuat": 24,
        "rol": 15,
        "kaynak_elde_etme": 22,
        "veri_kayit_sistemi": 30,
        "imha_yontemi": 13,
        "aydinlatma_metni": 24,
        "aktarim_dayanagi": 22,
    }
)
_OTHER_WIDTH = 20
_JOINED = frozenset({"idari_tedbirler", "teknik_tedbirler"})
"""Long lists that are the same in every row: a line of their own each would only make it tall."""

_FROZEN_COLUMNS = 5
_PRINT_SCALE = 76
"""The thirteen columns fill an A3 page; nine point text prints at seven."""

_SOURCE_WIDTHS = (16, 22, 24, 26, 28, 22, 34)
_ACTIVITY = "faaliyet"
_LEGEND = (
    "Sarı hücre: dayandığı kaynak doğrulanamadı (doğrulanmadı). Kurula bildirmeden önce teyit edin."
)


def render_inventory_workbook(document: Document) -> bytes:
    """Makes the workbook: the inventory (A3, extra columns on further pages) and its sources."""
    sheets = Sheets(document)
    table, *others = document.tables
    _write_inventory(sheets, table)
    for sources in others:
        _write_sources(sheets, sources)
    return sheets.finish()


def _write_inventory(sheets: Sheets, table: Table) -> None:
    sheet = sheets.add("Envanter", paper=Paper.A3, scale=_PRINT_SCALE)
    for index, column in enumerate(table.columns):
        sheet.set_column(index, index, _width(column))
    top = sheets.write_heading(sheet, table.title_tr, width=len(table.columns))
    _write_header(sheets, sheet, table.columns, top)
    first = top + 2
    _write_rows(sheets, sheet, table.columns, table.rows, first)
    last = first + len(table.rows)
    if any(cell.is_uncertain for row in table.rows for cell in row):
        sheets.write(sheet, last + 1, 0, _LEGEND, Look.LEGEND)
    sheet.autofilter(first - 1, 0, max(last - 1, first), len(table.columns) - 1)
    sheet.freeze_panes(first, _FROZEN_COLUMNS)
    sheet.repeat_rows(top, first - 1)
    sheet.repeat_columns(0, _FROZEN_COLUMNS - 1)
    sheet.set_v_pagebreaks([sum(not column.is_extra for column in table.columns)])


def _write_sources(sheets: Sheets, table: Table) -> None:
    """Writes what the periods rest on; a yellow cell was not confirmed at its source."""
    sheet = sheets.add("Dayanaklar", paper=Paper.A4)
    for index, width in enumerate(_SOURCE_WIDTHS):
        sheet.set_column(index, index, width)
    top = sheets.write_heading(sheet, table.title_tr, width=len(table.columns))
    for index, column in enumerate(table.columns):
        sheets.write(sheet, top, index, column.tr, Look.HEADER)
    sheet.set_row_pixels(top, 30)
    sheet.freeze_panes(top + 1, 1)
    sheet.repeat_rows(top)
    for offset, row in enumerate(table.rows, start=top + 1):
        for index, cell in enumerate(row):
            look = Look.UNCERTAIN if cell.is_uncertain else Look.CELL
            sheets.write(sheet, offset, index, cell.text, look)
        sheets.fit_row(sheet, offset, [cell.text for cell in row], _SOURCE_WIDTHS)


def _write_header(sheets: Sheets, sheet: Worksheet, columns: Sequence[Column], top: int) -> None:
    sheet.set_row_pixels(top, 24)
    sheet.set_row_pixels(top + 1, 46)
    start = 0
    for group, members in groupby(columns, key=lambda column: column.group_tr):
        count = len(tuple(members))
        last = start + count - 1
        is_extra = columns[start].is_extra
        if group:
            look = Look.EXTRA_GROUP if is_extra else Look.GROUP
            sheets.merge(sheet, (top, start), (top, last), group, look)
            for index in range(start, last + 1):
                header = Look.EXTRA_HEADER if is_extra else Look.HEADER
                sheets.write(sheet, top + 1, index, columns[index].tr, header)
        else:
            for index in range(start, last + 1):
                sheets.merge(sheet, (top, index), (top + 1, index), columns[index].tr, Look.GROUP)
        start = last + 1


def _write_rows(
    sheets: Sheets,
    sheet: Worksheet,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    first: int,
) -> None:
    """Writes the rows; those of one activity share a shade."""
    widths = [_width(column) for column in columns]
    activity = next((index for index, column in enumerate(columns) if column.code == _ACTIVITY), 0)
    shade, before = True, None
    for offset, row in enumerate(rows):
        shade = shade if row[activity].lines == before else not shade
        before = row[activity].lines
        texts = [_text(column, cell) for column, cell in zip(columns, row, strict=True)]
        for index, (column, cell) in enumerate(zip(columns, row, strict=True)):
            place = (first + offset, index)
            if column.code == "no" and cell.text.isdecimal():
                look = Look.NUMBER_BAND if shade else Look.NUMBER
                sheet.write_number(*place, int(cell.text), sheets.format(look))
            else:
                look = Look.UNCERTAIN if cell.is_uncertain else Look.BAND if shade else Look.CELL
                sheets.write(sheet, *place, texts[index], look)
        sheets.fit_row(sheet, first + offset, texts, widths)


def _text(column: Column, cell: Cell) -> str:
    return "; ".join(cell.lines) if column.code in _JOINED else cell.text


def _width(column: Column) -> int:
    return _WIDTHS.get(column.code, _OTHER_WIDTH)
