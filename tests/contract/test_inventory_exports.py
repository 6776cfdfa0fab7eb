"""Exports: the register in effect at a time, as files that never change again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from emanet.api.inventory.v1 import inventory_pb2
from emanet.core.errors import CallerError, IntegrityError, Reason, StateError
from emanet.register.verbis import inventory_rows, verbis_view
from tests.fakes.inventory_world import (
    MANIFEST,
    NOW,
    ORGANIZATION,
    InventoryReplica,
    open_replica,
    register_of,
)

INVENTORY, VERBIS = inventory_pb2.EXPORT_VIEW_INVENTORY, inventory_pb2.EXPORT_VIEW_VERBIS
XLSX, CSV, JSON = (
    inventory_pb2.EXPORT_FORMAT_XLSX,
    inventory_pb2.EXPORT_FORMAT_CSV,
    inventory_pb2.EXPORT_FORMAT_JSON,
)
OTHER = MANIFEST.replace("Müşteri paneli", "Yeni panel").replace("Hukuk Müşaviri", "Uyum Müdürü")


@pytest.fixture
def replica(database_url: str) -> Iterator[InventoryReplica]:
    with open_replica(database_url) as opened:
        yield opened


@pytest.fixture
async def inventory(replica: InventoryReplica) -> InventoryReplica:
    await replica.drafts.add_organization(ORGANIZATION)
    return replica


@pytest.mark.parametrize(
    ("view", "file_format"), list(product((INVENTORY, VERBIS), (XLSX, CSV, JSON)))
)
async def test_an_export_for_a_past_time_never_changes(
    inventory: InventoryReplica, view: int, file_format: int
) -> None:
    """The same version gives the same bytes, years later and after other versions."""
    await inventory.publish()
    then = inventory.clock.now()
    first, data = await inventory.exported(view, file_format)
    assert first.digest == hashlib.sha256(data).digest()
    await inventory.publish(OTHER)
    inventory.clock.advance(timedelta(days=4000))
    again, same = await inventory.exported(view, file_format, at=then)
    assert (again, same) == (first, data)
    assert again.number == 1
    newer, other = await inventory.exported(view, file_format)
    assert newer.number == 2
    assert other != data


async def test_before_the_first_version_there_is_nothing_to_export(
    inventory: InventoryReplica,
) -> None:
    """Also for a time before it; a draft is never exported."""
    with pytest.raises(StateError) as missing:
        await inventory.exported(INVENTORY, CSV)
    assert missing.value.reason is Reason.REGISTER_MISSING
    await inventory.publish()
    with pytest.raises(StateError):
        await inventory.exported(INVENTORY, CSV, at=NOW - timedelta(days=1))


async def test_an_unknown_view_or_format_is_refused(inventory: InventoryReplica) -> None:
    """New values of the contract are not guessed."""
    for view, file_format in ((9, CSV), (INVENTORY, 9)):
        with pytest.raises(CallerError) as refused:
            await inventory.exported(view, file_format)
        assert refused.value.reason is Reason.INVALID_FIELD


async def test_validate_only_sends_the_description_alone(inventory: InventoryReplica) -> None:
    """A dry run tells digest and name of the file, without the file."""
    await inventory.publish()
    whole, _ = await inventory.exported(INVENTORY, XLSX)
    request = inventory_pb2.ExportInventoryRequest(view=INVENTORY, format=XLSX, validate_only=True)
    parts = list(await inventory.exports.export(request, organization=ORGANIZATION))
    assert parts == [whole]
    assert whole.file_name == "inventory-cinar-1.xlsx"


async def test_a_corrupt_version_is_not_exported(inventory: InventoryReplica) -> None:
    """An auditor gets no file of bytes that nobody approved."""
    await inventory.publish()

    def tamper(connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE versions DISABLE TRIGGER USER"))
        else:
            connection.execute(text("DROP TRIGGER versions_keep_content"))
            connection.execute(text("DROP TRIGGER versions_no_gap"))
        data = bytes(connection.execute(text("SELECT snapshot FROM versions")).scalar_one())
        forged = data.replace(b"5/2-c", b"5/2-f")
        connection.execute(text("UPDATE versions SET snapshot = :d"), {"d": forged})

    inventory.database.write_now(tamper)
    with pytest.raises(IntegrityError) as found:
        await inventory.exported(INVENTORY, CSV)
    assert found.value.reason is Reason.REGISTER_CORRUPT


def _sheet(data: bytes, name: str) -> list[list[object]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(name).to_python()


async def test_the_inventory_workbook_reads_back_as_the_register(
    inventory: InventoryReplica,
) -> None:
    """An independent reader finds the Authority's columns in order and every datum."""
    await inventory.publish()
    _, data = await inventory.exported(INVENTORY, XLSX)
    rows = _sheet(data, "Envanter")
    table = inventory_rows(register_of())
    assert rows[0][0] == "KİŞİSEL VERİ İŞLEME ENVANTERİ"
    assert rows[3][1:] == [column.tr for column in table.columns][1:]
    body = rows[4 : 4 + len(table.rows)]
    places = {column.code: index for index, column in enumerate(table.columns)}
    for found, expected in zip(body, table.rows, strict=True):
        for code in ("faaliyet", "kisisel_veri", "hukuki_sebep", "saklama_suresi"):
            assert found[places[code]] == expected[places[code]].text
    assert [row[0] for row in body] == [1.0, 2.0, 3.0]
    assert any("doğrulanmadı" in str(cell) for row in body for cell in row)


async def test_the_verbis_workbook_lists_every_choice_in_screen_order(
    inventory: InventoryReplica,
) -> None:
    """Each category, purpose, group and measure of the view is a line to click."""
    await inventory.publish()
    _, data = await inventory.exported(VERBIS, XLSX)
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    assert book.sheet_names == ["Sicil bilgisi", "Kategoriler", "Tedbirler", "Özet"]
    view = verbis_view(register_of())
    lines = [row for row in _sheet(data, "Kategoriler") if any(row)]
    blocks = [str(row[0]) for row in lines if re.match(r"[0-9]+\. ", str(row[0]))]
    assert [block.split(". ", 1)[1] for block in blocks] == [
        entry.category.label for entry in view.categories
    ]
    choices = [str(row[2]) for row in lines]
    for entry in view.categories:
        for choice in (*entry.purposes, *entry.subjects, *entry.recipients):
            assert choice.label in choices
    measures = [row[1] for row in _sheet(data, "Tedbirler")]
    assert measures[-len(view.measures) :] == [choice.label for choice in view.measures]


async def test_an_exempt_controller_is_told_not_to_file(inventory: InventoryReplica) -> None:
    """The list of somebody who is exempt says so on every sheet."""
    exempt = MANIFEST.replace(
        "{duty: registered, since: 2021-12-30,",
        "{duty: exempt, ground: Kurul 2025/1572, checked: 2026-01-05, employees: 12,"
        " balance_try: 4000000,",
    ).replace("interval: P6M", "interval: P3M")
    await inventory.publish(exempt)
    _, data = await inventory.exported(VERBIS, XLSX)
    for name in ("Sicil bilgisi", "Kategoriler", "Tedbirler", "Özet"):
        assert "istisna" in str(_sheet(data, name)[2][0])


HOSTILE = ("=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(A1)", "＝1")


async def test_no_cell_is_a_formula(inventory: InventoryReplica) -> None:
    """Labels that look like formulas stay text in the workbook and are disarmed in CSV."""
    for index, word in enumerate(HOSTILE):
        hostile = MANIFEST.replace("department: Müşteri İlişkileri", f'department: "{word}"')
        await inventory.publish(hostile.replace("Müşteri paneli", f"Panel {index}"))
        _, data = await inventory.exported(INVENTORY, XLSX)
        assert _sheet(data, "Envanter")[4][1] == word
        _, sheet = await inventory.exported(INVENTORY, CSV)
        cells = list(csv.reader(io.StringIO(sheet.decode("utf-8-sig")), delimiter=";"))
        assert cells[1][1] == f"'{word}"


async def test_verbis_changes_are_listed_since_the_version_before(
    inventory: InventoryReplica,
) -> None:
    """The first version is entered whole; from the second one on the changes stand in front."""
    await inventory.publish()
    _, first = await inventory.exported(VERBIS, XLSX)
    await inventory.publish(OTHER)
    _, second = await inventory.exported(VERBIS, XLSX)
    names = [
        CalamineWorkbook.from_filelike(io.BytesIO(data)).sheet_names for data in (first, second)
    ]
    assert names[1] == ["Değişiklikler", *names[0]]
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(second)).get_sheet_by_name("Değişiklikler")
    lines = [row[1:5] for row in sheet.to_python() if row[0] == "☐"]
    assert lines == [
        ["Sicil bilgisi", "İrtibat kişisi (unvan)", "Değiştir", "Hukuk Müşaviri → Uyum Müdürü"]
    ]


async def test_csv_is_what_a_turkish_spreadsheet_opens(inventory: InventoryReplica) -> None:
    """Byte order mark, semicolons, CRLF, Turkish letters intact."""
    await inventory.publish()
    _, data = await inventory.exported(INVENTORY, CSV)
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.endswith(b'"\r\n')
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=";"))
    assert {len(row) for row in rows} == {23}
    assert rows[1][1] == "Müşteri İlişkileri"


async def test_json_names_version_and_every_cell(inventory: InventoryReplica) -> None:
    """A program reads the same cells by stable names, and what could not be confirmed."""
    await inventory.publish()
    first, data = await inventory.exported(INVENTORY, JSON)
    value = json.loads(data)
    assert (value["view"], value["organization"], value["number"]) == ("inventory", "cinar", 1)
    table, sources = value["tables"]
    assert {row["durum"][0] for row in sources["rows"]} >= {"Doğrulanmadı; hukukçuya sorulmalı"}
    assert table["rows"][0]["kisisel_veri"] == ["Ad soyad"]
    assert [2, "saklama_suresi"] in table["uncertain"]
    assert first.media_type == "application/json"
