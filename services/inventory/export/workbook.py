"""Workbooks (ISO/IEC 29500) by XlsxWriter: every value is written as text, never as a formula.

The file holds no time of its making: its dates are the version's own, so that the same version
gives the same bytes.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from datetime import UTC
from enum import Enum
from functools import lru_cache

from xlsxwriter import Workbook
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from services.inventory.export.document import Document

__all__ = ["Look", "Paper", "Sheets"]

_FONT = "Arial"
_CHARS_PER_WIDTH = 1.4
"""Characters of 9 point text in one unit of column width, with what wrapping at words loses."""

_LINE_POINTS = 11.6
_MIN_ROW_POINTS = 15.0
_MAX_ROW_POINTS = 409.0
"""The tallest row of the file format."""

_MAX_CELL_CHARS = 32_000
"""A cell holds 32,767 characters; what is cut says where the rest is."""

_CUT = " … (devamı JSON dosyasında)"
_INK = "#1F2933"
_NAVY = "#1F3A5F"
_STEEL = "#3E5C84"
_SLATE = "#5B6770"
_MIST = "#F4F7FA"
_LINE = "#C5CED8"
_AMBER = "#FFF3CD"
_ROSE = "#8C2F39"
_WHITE = "#FFFFFF"


class Paper(Enum):
    """Paper sizes, by their number in the file format."""

    A3 = 8
    A4 = 9


class Look(Enum):
    """How a cell looks; each look is one format of the workbook."""

    TITLE = "title"
    SUBTITLE = "subtitle"
    NOTICE = "notice"
    GROUP = "group"
    EXTRA_GROUP = "extra_group"
    HEADER = "header"
    EXTRA_HEADER = "extra_header"
    CELL = "cell"
    BAND = "band"
    NUMBER = "number"
    NUMBER_BAND = "number_band"
    UNCERTAIN = "uncertain"
    LINE = "line"
    LABEL = "label"
    FAINT = "faint"
    TICK = "tick"
    BLOCK = "block"
    SPECIAL_BLOCK = "special_block"
    LEGEND = "legend"


_BASE: dict[str, object] = {
    "font_name": _FONT,
    "font_size": 9,
    "font_color": _INK,
    "valign": "top",
    "text_wrap": True,
}
_BOXED = _BASE | {"border": 1, "border_color": _LINE}
_HEAD = _BOXED | {"bold": True, "font_color": _WHITE, "align": "center", "valign": "vcenter"}
_LOOKS: dict[Look, dict[str, object]] = {
    Look.TITLE: _BASE
    | {"bold": True, "font_size": 16, "font_color": _NAVY, "valign": "vcenter", "text_wrap": False},
    Look.SUBTITLE: _BASE | {"font_color": _SLATE, "valign": "vcenter", "text_wrap": False},
    Look.NOTICE: _BASE
    | {"bold": True, "font_color": _ROSE, "bg_color": _AMBER, "border": 1}
    | {"border_color": _LINE, "valign": "vcenter"},
    Look.GROUP: _HEAD | {"bg_color": _NAVY},
    Look.EXTRA_GROUP: _HEAD | {"bg_color": _SLATE},
    Look.HEADER: _HEAD | {"bg_color": _STEEL},
    Look.EXTRA_HEADER: _HEAD | {"bg_color": "#7B8794"},
    Look.CELL: _BOXED,
    Look.BAND: _BOXED | {"bg_color": _MIST},
    Look.NUMBER: _BOXED | {"align": "center", "font_color": _SLATE},
    Look.NUMBER_BAND: _BOXED | {"align": "center", "font_color": _SLATE, "bg_color": _MIST},
    Look.UNCERTAIN: _BOXED | {"bg_color": _AMBER},
    Look.LINE: _BOXED | {"valign": "vcenter"},
    Look.LABEL: _BOXED | {"bold": True, "bg_color": _MIST, "valign": "vcenter"},
    Look.FAINT: _BOXED | {"italic": True, "font_color": _SLATE, "valign": "vcenter"},
    Look.TICK: _BOXED
    | {"align": "center", "valign": "vcenter", "font_size": 11, "font_name": "Segoe UI Symbol"},
    Look.BLOCK: _BOXED
    | {"bold": True, "font_size": 10, "font_color": _WHITE, "bg_color": _STEEL}
    | {"valign": "vcenter"},
    Look.SPECIAL_BLOCK: _BOXED
    | {"bold": True, "font_size": 10, "font_color": _WHITE}
    | {"bg_color": _ROSE, "valign": "vcenter"},
    Look.LEGEND: _BASE | {"italic": True, "font_color": _SLATE, "text_wrap": False},
}


class Sheets:
    """A workbook being made; use it once, then `finish`."""

    def __init__(self, document: Document) -> None:
        """Opens an empty workbook with the document's properties."""
        self._document = document
        self._file = io.BytesIO()
        self._book = Workbook(
            self._file,
            {
                "in_memory": True,
                "constant_memory": False,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
                # Column widths count digits of the default font, so it is one that both
                # spreadsheet programs have or replace by one of the same widths.
                "default_format_properties": {"font_name": _FONT, "font_size": 10},
            },
        )
        self._book.set_properties(
            {
                "title": document.tables[0].title_tr,
                "company": document.organization_tr,
                "subject": f"{document.organization} {document.number}",
                "created": document.effective.astimezone(UTC).replace(tzinfo=None),
            }
        )
        self._formats: dict[Look, CellFormat] = {}

    def format(self, look: Look) -> CellFormat:
        """The workbook's format of a look."""
        if look not in self._formats:
            self._formats[look] = self._book.add_format(_LOOKS[look])
        return self._formats[look]

    def struck(self) -> CellFormat:
        """What a line looks like once it is ticked."""
        return self._book.add_format({"font_color": "#9AA5B1", "font_strikeout": True})

    def add(self, name: str, *, paper: Paper, scale: int | None = None) -> Worksheet:
        """Adds a sheet, landscape, with the document's footer.

        Args:
            name: of the tab, at most 31 characters.
            paper: size.
            scale: of print in per cent; None fits the columns to one page.
        """
        sheet: Worksheet = self._book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(paper.value)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.7)
        sheet.hide_gridlines(2)
        sheet.set_footer(self._footer())
        if scale is None:
            sheet.fit_to_pages(1, 0)
        else:
            sheet.set_print_scale(scale)
        return sheet

    def write_heading(self, sheet: Worksheet, title: str, *, width: int) -> int:
        """Writes title, version and, where there is one, the notice; returns the next row.

        Args:
            sheet: the sheet.
            title: its title.
            width: number of columns that a notice spans.
        """
        document = self._document
        sheet.set_row_pixels(0, 34)
        sheet.write_string(0, 0, title, self.format(Look.TITLE))
        told = f"{document.organization_tr} · {self._version_text()}"
        sheet.write_string(1, 0, told, self.format(Look.SUBTITLE))
        sheet.set_row_pixels(1, 20)
        if not document.notice:
            return 2
        sheet.merge_range(2, 0, 2, width - 1, "", self.format(Look.NOTICE))
        sheet.write_string(2, 0, document.notice, self.format(Look.NOTICE))
        sheet.set_row_pixels(2, 24)
        return 3

    def write(self, sheet: Worksheet, row: int, column: int, text: str, look: Look) -> None:
        """Writes a cell as text."""
        whole = text if len(text) <= _MAX_CELL_CHARS else text[:_MAX_CELL_CHARS] + _CUT
        sheet.write_string(row, column, whole, self.format(look))

    def fit_row(
        self, sheet: Worksheet, row: int, texts: Sequence[str], widths: Sequence[int]
    ) -> float:
        """Makes a row as tall as its tallest text; programs do not agree on doing it themselves.

        Args:
            sheet: the sheet.
            row: its index.
            texts: of its cells.
            widths: of their columns.

        Returns:
            Its height in points.
        """
        lines = max(_count_lines(text, width) for text, width in zip(texts, widths, strict=True))
        points = min(max(lines * _LINE_POINTS + 4, _MIN_ROW_POINTS), _MAX_ROW_POINTS)
        sheet.set_row(row, points)
        return points

    def merge(
        self, sheet: Worksheet, first: tuple[int, int], last: tuple[int, int], text: str, look: Look
    ) -> None:
        """Writes one cell over a range; `first` and `last` are (row, column)."""
        if first != last:
            sheet.merge_range(*first, *last, "", self.format(look))
        self.write(sheet, *first, text, look)

    def finish(self) -> bytes:
        """Closes the workbook and returns its bytes."""
        self._book.close()
        return self._file.getvalue()

    def _version_text(self) -> str:
        document = self._document
        return f"Sürüm {document.number} · Yürürlük {document.effective_text}"

    def _footer(self) -> str:
        document = self._document
        # `&` begins a code in footers, and a footer holds at most 255 characters.
        organization = document.organization_tr[:60].replace("&", "&&")
        return (
            f"&L&7{organization}\n{self._version_text()}"
            f"&C&7SHA-256\n{document.digest.hex()}"
            f"&R&7Sayfa &P / &N"
        )


@lru_cache(maxsize=4096)
def _count_lines(text: str, width: int) -> int:
    """Lines of a text in a column; most cells of a register repeat, hence the cache."""
    chars = max(int(width * _CHARS_PER_WIDTH), 1)
    return sum(
        1 if len(line) <= chars else len(textwrap.wrap(line, chars)) for line in text.split("\n")
    )
