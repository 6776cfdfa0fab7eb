"""Files are text: nothing in them runs, nothing is lost in them."""

from __future__ import annotations

import csv
import io
import unicodedata
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from emanet.register.verbis import Cell, Column, Table
from services.inventory.export.document import Document, Format, View
from services.inventory.export.inventory_sheet import render_inventory_workbook
from services.inventory.export.text_files import neutralised, render_csv
from services.inventory.operations.versions import CHUNK_BYTES, chunks

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=40
).map(lambda text: unicodedata.normalize("NFC", text))
COLUMNS = (Column("no", "No", "No"), Column("faaliyet", "Faaliyet", "Activity", "SÜREÇ"))


def document(*cells: str, organization: str = "Çınar A.Ş.") -> Document:
    rows = tuple(
        (Cell((str(number),)), Cell(tuple(text.split("\n"))))
        for number, text in enumerate(cells, start=1)
    )
    return Document(
        organization="cinar",
        organization_tr=organization,
        number=3,
        digest=bytes(32),
        effective=datetime(2026, 3, 1, tzinfo=UTC),
        view=View.INVENTORY,
        tables=(Table(title_tr="ENVANTER", columns=COLUMNS, rows=rows),),
    )


@given(st.lists(texts, min_size=1, max_size=4))
def test_a_csv_cell_never_starts_a_formula_and_reads_back(cells: list[str]) -> None:
    """What is read is what was written, an apostrophe before whatever could run."""
    data = render_csv(document(*cells)).decode("utf-8-sig")
    read = [row[1] for row in csv.reader(io.StringIO(data, newline=""), delimiter=";")][1:]
    assert read == [neutralised(text) for text in cells]
    assert all(not text.startswith(("=", "+", "-", "@")) for text in read)


@given(st.lists(texts.filter(str.strip), min_size=1, max_size=4))
def test_a_workbook_cell_is_the_text_and_no_formula(cells: list[str]) -> None:
    """An independent reader sees every text as a text; the same cells give the same bytes."""
    data = render_inventory_workbook(document(*cells))
    assert data == render_inventory_workbook(document(*cells))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert [row[1] for row in sheet[4 : 4 + len(cells)]] == cells


def test_a_text_too_long_for_a_cell_says_that_it_is_cut() -> None:
    """The file format ends a cell at 32,767 characters; silence would be a loss."""
    data = render_inventory_workbook(document("a" * 40_000))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert str(sheet[4][1]).endswith("(devamı JSON dosyasında)")


def test_footer_codes_in_a_trade_name_are_text() -> None:
    """`&` begins a code in footers; `A & B` prints as it is written."""
    data = render_inventory_workbook(document("x", organization="A & B" + "ş" * 300))
    assert data.startswith(b"PK")


@given(st.integers(0, 3 * CHUNK_BYTES + 1))
def test_chunks_add_up_and_none_is_above_a_mebibyte(size: int) -> None:
    """A stream of chunks is the bytes, also for none."""
    data = bytes(size)
    parts = list(chunks(data))
    assert b"".join(parts) == data
    assert all(len(part) <= CHUNK_BYTES for part in parts)
    assert len(parts) == max(1, -(-size // CHUNK_BYTES))


def test_file_names_hold_slug_and_number_only() -> None:
    """No trade name, no person, no time."""
    assert document("x").file_name(Format.CSV) == "inventory-cinar-3.csv"
