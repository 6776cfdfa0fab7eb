"""The Authority's inventory sheet: super-headers, thirteen columns, then the extra ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from xlsxwriter.worksheet import Worksheet

from emanet.register.verbis import Cell, Column
from services.inventory.export.document import Document
from services.inventory.export.workbook import Look, Paper, Sheets

__all__ = ["render_inventory_workbook"]

_WIDTHS: Mapping[str, int] = MappingProxyType(
    {
        "no": 5,
        "departman": 16,
        "faaliyet": 22,
        "veri_kategorisi": 17,
        "kisisel_veri": 20,
        "ozel_nitelikli_kisisel_veri": 13,
        "isleme_amaci": 36,
        "veri_konusu_kisi_grubu": 24,
        "hukuki_sebep": 38,
        "saklama_suresi": 24,
        "alici_gruplari": 30,
        "yabanci_ulke": 18,
        "idari_tedbirler": 44,
        "teknik_tedbirler": 40,
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
_PRINT_SCALE = 56
_ACTIVITY = "faaliyet"
_LEGEND = (
    "Sarı hücre: dayandığı kaynak doğrulanamadı (doğrulanmadı). Kurula bildirmeden önce teyit edin."
)


def render_inventory_workbook(document: Document) -> bytes:
    """Makes the inventory workbook: one sheet, A3 landscape, extra columns on a second page."""
    sheets = Sheets(document)
    table = document.tables[0]
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
    return sheets.finish()


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
