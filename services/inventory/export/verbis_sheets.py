"""The VERBİS workbook: what to click, in screen order, line by line, and a summary.

VERBİS takes no upload. Somebody sits before the screen and enters the register; each line of the
click lists is one entry with a box to tick, and a ticked line is struck out.
"""

from __future__ import annotations

from types import MappingProxyType

from xlsxwriter.worksheet import Worksheet

from emanet.register.diff import Act, VerbisChange
from emanet.register.verbis import Table, VerbisCategory, VerbisView
from services.inventory.export.document import Document
from services.inventory.export.workbook import Look, Paper, Sheets

__all__ = ["render_verbis_workbook"]

_TICK, _TICKED = "☐", "☑"
_TICK_WIDTH, _TITLE_WIDTH, _CHOICE_WIDTH = 9, 34, 86
_MEASURE_WIDTH = _TITLE_WIDTH + _CHOICE_WIDTH
_PAGE_POINTS = 490.0
"""What an A4 page lying on its side holds between these margins, with a line to spare."""

_HEADING_POINTS, _HEAD_POINTS, _BLOCK_POINTS = 64.0, 23.0, 18.0
"""Title and header row; the header row alone, which every page repeats; a category's line."""

_NOTHING = "Seçim yapılmaz"
_NOT_STATED = "Belirtilmemiş"
_SPECIAL = "özel nitelikli"
_SKIPPED = "ozel_nitelikli"
"""The category itself says it; VERBİS asks for no such entry."""

_CHANGE_WIDTHS = (26, 30, 12, 72)
_SINCE = (
    "Önceki sürümle karşılaştırılmıştır. O sürüm VERBİS'e girilmediyse sonraki sayfalardaki "
    "listenin tamamı girilir."
)
_UNCHANGED = "Sicil içeriği değişmedi"
_ACTS = MappingProxyType({Act.ADDED: "Ekle", Act.REMOVED: "Çıkar", Act.CHANGED: "Değiştir"})
_HEADINGS = MappingProxyType(
    {
        "category": "Veri kategorisi",
        "purposes": "Veri işleme amaçları",
        "subjects": "Veri konusu kişi grupları",
        "recipients": "Veri aktarım alıcı grupları",
        "abroad": "Yabancı ülkelere aktarım",
        "retention": "Azami muhafaza edilme süresi",
        "measures": "Veri güvenliği tedbirleri",
        "tr": "Veri sorumlusu",
        "kep": "KEP adresi",
        "address": "Adres",
        "representative": "Veri sorumlusu temsilcisi",
        "contact": "İrtibat kişisi (unvan)",
    }
)

_SUMMARY_WIDTHS = (22, 11, 44, 30, 34, 16, 30)


def render_verbis_workbook(document: Document, view: VerbisView) -> bytes:
    """Makes the workbook: changes, controller, categories, measures to click; the summary."""
    sheets = Sheets(document)
    controller, categories, measures = document.tables
    if document.before is not None:
        _write_changes(sheets, document)
    _write_controller(sheets, controller)
    _write_categories(sheets, categories, view)
    _write_measures(sheets, measures)
    _write_summary(sheets, categories)
    return sheets.finish()


def _write_changes(sheets: Sheets, document: Document) -> None:
    """What to enter anew, in screen order: the whole list is only needed the first time."""
    sheet = sheets.add("Değişiklikler", paper=Paper.A4)
    widths = (_TICK_WIDTH, *_CHANGE_WIDTHS)
    _set_widths(sheet, widths)
    title = f"VERBİS: sürüm {document.before} sonrasındaki değişiklikler"
    row = sheets.write_heading(sheet, title, width=len(widths))
    sheets.merge(sheet, (row, 0), (row, len(widths) - 1), _SINCE, Look.LEGEND)
    row = _write_head(sheets, sheet, row + 1, ("Girildi", "Bölüm", "Başlık", "İşlem", "Seçim"))
    first = row
    for change in document.changes:
        what = f"{change.old} → {change.new}" if change.old and change.new else ""
        cells = (
            _section(change),
            _HEADINGS[change.item],
            _ACTS[change.act],
            what or change.new or change.old,
        )
        _write_tick(sheets, sheet, row, is_entry=True)
        for column, text in enumerate(cells, start=1):
            sheets.write(sheet, row, column, text, Look.LABEL if column == 1 else Look.LINE)
        sheets.fit_row(sheet, row, cells, _CHANGE_WIDTHS)
        row += 1
    if not document.changes:
        sheets.write(sheet, row, 1, _UNCHANGED, Look.FAINT)
    _finish_list(sheets, sheet, first=first, last=row - 1, width=len(widths))


def _section(change: VerbisChange) -> str:
    if change.entry is not None:
        return change.entry.label
    return "Tedbirler" if change.item == "measures" else "Sicil bilgisi"


def _write_controller(sheets: Sheets, table: Table) -> None:
    sheet = sheets.add("Sicil bilgisi", paper=Paper.A4)
    _set_widths(sheet, (_TICK_WIDTH, _TITLE_WIDTH, _CHOICE_WIDTH))
    row = sheets.write_heading(sheet, "VERBİS: sicil bilgisi", width=3)
    row = _write_head(sheets, sheet, row, ("Girildi", *(column.tr for column in table.columns)))
    first = row
    for label, value in table.rows:
        _write_tick(sheets, sheet, row, is_entry=bool(value.lines))
        sheets.write(sheet, row, 1, label.text, Look.LABEL)
        sheets.write(
            sheet, row, 2, value.text or _NOT_STATED, Look.LINE if value.lines else Look.FAINT
        )
        sheets.fit_row(sheet, row, (value.text,), (_CHOICE_WIDTH,))
        row += 1
    _finish_list(sheets, sheet, first=first, last=row - 1, width=3)


def _write_categories(sheets: Sheets, table: Table, view: VerbisView) -> None:
    """Writes a block for each category; a block that fits a page is not torn over two."""
    sheet = sheets.add("Kategoriler", paper=Paper.A4, scale=100)
    _set_widths(sheet, (_TICK_WIDTH, _TITLE_WIDTH, _CHOICE_WIDTH))
    row = sheets.write_heading(sheet, "VERBİS: veri kategorileri", width=3)
    row = _write_head(sheets, sheet, row, ("Girildi", "Başlık", "Seçim"))
    first, used, breaks = row, _HEADING_POINTS, []
    for number, (entry, cells) in enumerate(zip(view.categories, table.rows, strict=True), start=1):
        start = row
        lines = list(zip(table.columns, cells, strict=True))[1:]
        row = _write_block(sheets, sheet, row, f"{number}. {_block_title(entry)}", entry)
        height = _BLOCK_POINTS
        for column, cell in lines:
            if column.code == _SKIPPED:
                continue
            for index, line in enumerate(cell.lines or (_NOTHING,)):
                _write_tick(sheets, sheet, row, is_entry=bool(cell.lines))
                sheets.write(sheet, row, 1, "" if index else column.tr, Look.LABEL)
                look = Look.UNCERTAIN if cell.is_uncertain else Look.LINE
                sheets.write(sheet, row, 2, line, look if cell.lines else Look.FAINT)
                height += sheets.fit_row(sheet, row, (line,), (_CHOICE_WIDTH,))
                row += 1
        used += height
        if used > _PAGE_POINTS and start > first:
            breaks.append(start)
            used = _HEAD_POINTS + height
        used %= _PAGE_POINTS
    sheet.set_h_pagebreaks(breaks)
    _finish_list(sheets, sheet, first=first, last=row - 1, width=3)


def _write_block(
    sheets: Sheets, sheet: Worksheet, row: int, title: str, entry: VerbisCategory
) -> int:
    look = Look.SPECIAL_BLOCK if entry.special else Look.BLOCK
    sheets.merge(sheet, (row, 0), (row, 2), title, look)
    sheet.set_row_pixels(row, 24)
    return row + 1


def _block_title(entry: VerbisCategory) -> str:
    label = entry.category.label
    return f"{label} ({_SPECIAL})" if entry.special else label


def _write_measures(sheets: Sheets, table: Table) -> None:
    sheet = sheets.add("Tedbirler", paper=Paper.A4)
    _set_widths(sheet, (_TICK_WIDTH, _MEASURE_WIDTH))
    row = sheets.write_heading(sheet, "VERBİS: veri güvenliği tedbirleri", width=2)
    row = _write_head(sheets, sheet, row, ("Girildi", "Tedbir"))
    first = row
    for (cell,) in table.rows:
        _write_tick(sheets, sheet, row, is_entry=True)
        sheets.write(sheet, row, 1, cell.text, Look.LINE)
        sheets.fit_row(sheet, row, (cell.text,), (_MEASURE_WIDTH,))
        row += 1
    _finish_list(sheets, sheet, first=first, last=row - 1, width=2)


def _write_summary(sheets: Sheets, table: Table) -> None:
    sheet = sheets.add("Özet", paper=Paper.A4)
    _set_widths(sheet, _SUMMARY_WIDTHS)
    row = sheets.write_heading(sheet, "VERBİS: özet", width=len(table.columns))
    row = _write_head(sheets, sheet, row, tuple(column.tr for column in table.columns))
    for number, cells in enumerate(table.rows):
        for column, cell in enumerate(cells):
            shade = Look.BAND if number % 2 else Look.CELL
            look = Look.UNCERTAIN if cell.is_uncertain else shade
            sheets.write(sheet, row + number, column, cell.text, look)
        sheets.fit_row(sheet, row + number, [cell.text for cell in cells], _SUMMARY_WIDTHS)


def _write_head(sheets: Sheets, sheet: Worksheet, row: int, titles: tuple[str, ...]) -> int:
    """Writes the header row, freezes it and prints it on every page; returns the next row."""
    for column, title in enumerate(titles):
        sheets.write(sheet, row, column, title, Look.HEADER)
    sheet.set_row_pixels(row, 30)
    sheet.freeze_panes(row + 1, 0)
    sheet.repeat_rows(row)
    return row + 1


def _write_tick(sheets: Sheets, sheet: Worksheet, row: int, *, is_entry: bool) -> None:
    sheets.write(sheet, row, 0, _TICK if is_entry else "", Look.TICK)


def _finish_list(sheets: Sheets, sheet: Worksheet, *, first: int, last: int, width: int) -> None:
    """Offers the two boxes in the first column and strikes out what is ticked."""
    if last < first:
        return
    choices = {"validate": "list", "source": [_TICK, _TICKED], "ignore_blank": True}
    sheet.data_validation(first, 0, last, 0, choices)
    ticked = {
        "type": "formula",
        "criteria": f'=$A{first + 1}="{_TICKED}"',
        "format": sheets.struck(),
    }
    sheet.conditional_format(first, 1, last, width - 1, ticked)


def _set_widths(sheet: Worksheet, widths: tuple[int, ...]) -> None:
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
