"""The VERBİS view and the Authority's sheet."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from register_strategies import registers, whole_registers

from emanet.register.manifest import load_manifest
from emanet.register.period import parse_period
from emanet.register.reference import reference
from emanet.register.sources import retention_sources
from emanet.register.values import RetentionRule, Unresolved
from emanet.register.verbis import Table, inventory_rows, verbis_tables, verbis_view
from emanet.register.wording import word_period, word_retention, word_start

HERE = Path(__file__).parent
CLEAN = (HERE / "clean.register.yaml").read_text("utf-8")
ORGANIZATIONS = HERE.parents[2] / "examples" / "organizations"


def register(*replacements: tuple[str, str]):
    text = CLEAN
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return load_manifest(text, "deneme.yaml").register


def category(code: str, *replacements: tuple[str, str]):
    view = verbis_view(register(*replacements))
    (found,) = [each for each in view.categories if each.category.code == code]
    return found


@whole_registers
@given(registers())
def test_any_draft_can_be_shown(any_register) -> None:
    """Drafts with dangling names and open values still have a view and a sheet, the same twice."""
    view = verbis_view(any_register)
    assert view == verbis_view(any_register)
    sheet = inventory_rows(any_register)
    assert sheet == inventory_rows(any_register)
    assert len(sheet.rows) == sum(len(ref.row.fields) for ref in any_register.rows)
    assert all(isinstance(table, Table) for table in verbis_tables(view))
    assert len(retention_sources(any_register).rows) >= len(any_register.retention)
    orders = [each.category.order for each in view.categories]
    assert orders == sorted(orders)


def test_category_unites_purposes_groups_and_recipients() -> None:
    """Kimlik gathers the rows of name and T.C. number, and not the paper on somebody's health."""
    ordinary, special = category("kimlik"), category("saglik_bilgileri")
    assert [purpose.code for purpose in ordinary.purposes] == [
        "mal_hizmet_uretim_operasyon",
        "yetkili_kurumlara_bilgi",
    ]
    assert [group.tr for group in ordinary.subjects] == ["Ürün veya Hizmet Alan Kişi"]
    assert [group.code for group in ordinary.recipients] == ["yetkili_kamu_kurum"]
    assert special.special
    assert not special.recipients


def test_special_data_is_never_merged_away() -> None:
    """A scan is Kimlik by its type; what it shows of a person's health is filed as that."""
    kinds = [(each.category.code, each.special) for each in verbis_view(register()).categories]
    assert ("kimlik", False) in kinds
    assert ("saglik_bilgileri", True) in kinds
    unmapped = register(("category: saglik_bilgileri", "special: true"))
    kinds = [(each.category.code, each.special) for each in verbis_view(unmapped).categories]
    assert {("kimlik", False), ("kimlik", True)} <= set(kinds)


def test_processor_rows_are_not_told_to_verbis() -> None:
    """Message bodies are held for customers: not in the view, but in the inventory."""
    assert "diger" not in {each.category.code for each in verbis_view(register()).categories}
    as_controller = ("role: processor\n    on_behalf_of", "role: controller\n    on_behalf_of")
    other = category("diger", as_controller)
    assert other.category.words == "Gönderilen mesaj içeriği"
    assert [group.label for group in other.subjects] == [
        "Diğer: Mesaj alıcısı (müşterinin hedef kitlesi)"
    ]
    roles = [row[column("rol")].text for row in inventory_rows(register()).rows]
    assert "Veri işleyen" in roles


def test_abroad_is_true_when_any_row_goes_abroad() -> None:
    """One row to a recipient abroad, or one place abroad, is enough."""
    contact = category("iletisim")
    assert contact.abroad
    assert contact.countries == ("DE",)
    assert not category("islem_guvenligi").abroad
    stored = category("islem_guvenligi", ("kind: database, at: Bolu", "kind: cloud, country: US"))
    assert stored.countries == ("US",)


@pytest.mark.parametrize(
    ("first", "second", "longest"),
    [
        (
            ("P2Y", "record_created"),
            ("P3Y", "record_created"),
            "kaydın oluşmasından itibaren 3 yıl",
        ),
        (
            ("P10Y", "record_created"),
            ("P10Y", "end_of_calendar_year"),
            "takvim yılının sonundan itibaren 10 yıl",
        ),
        (
            ("P10Y", "end_of_calendar_year"),
            ("P10Y", "contract_ended"),
            "sözleşmenin bitiminden itibaren 10 yıl",
        ),
        (
            ("P24M", "record_created"),
            ("P730D", "record_created"),
            "kaydın oluşmasından itibaren 2 yıl",
        ),
        (
            ("P1Y", "contract_ended"),
            ("P2Y", "record_created"),
            "kaydın oluşmasından itibaren 2 yıl",
        ),
    ],
)
def test_longest_retention_has_one_order(first, second, longest: str) -> None:
    """By length first; of equal lengths the later start is longer, an event after any date."""
    for one, other in ((first, second), (second, first)):
        found = category(
            "islem_guvenligi",
            ("keep: P15M, from: record_created", f"keep: {one[0]}, from: {one[1]}"),
            ("keep: P3Y, from: record_created", f"keep: {other[0]}, from: {other[1]}"),
        )
        assert found.retention.tr == longest


def test_open_period_is_shown_as_open() -> None:
    """What has no number yet is the longest of all and is never hidden behind one."""
    found = category("iletisim", ("keep: P8Y", "keep: süresiz"))
    assert not found.retention.is_resolved
    assert found.retention.tr == "belirlenmemiş ('süresiz')"


def test_unverified_law_is_printed_as_such() -> None:
    """A period that rests on an unconfirmed rule says doğrulanmadı in view and sheet."""
    unverified = ("rules: [y5809_islem_kaydi]", "rules: [y5809_islem_kaydi, genel_guvenlik_logu]")
    assert category("islem_guvenligi", unverified).retention.is_uncertain
    sheet = inventory_rows(register(unverified))
    cells = [row[column("saklama_suresi")] for row in sheet.rows]
    marked = [cell for cell in cells if cell.is_uncertain]
    assert [cell.text for cell in marked] == ["kaydın oluşmasından itibaren 3 yıl (doğrulanmadı)"]


def test_measures_are_listed_once_in_screen_order() -> None:
    """Measures belong to the controller, not to categories."""
    measures = verbis_view(register()).measures
    assert [measure.order for measure in measures] == sorted(measure.order for measure in measures)
    assert len(measures) == 4


def test_exempt_organization_is_flagged() -> None:
    """The view of an exempt organization says that it is not filed."""
    view = verbis_view(register(("duty: registered", "duty: exempt\n  ground: Kurul 2025/1572")))
    assert view.controller.is_exempt
    about = {row[0].text: row[1].text for row in verbis_tables(view)[0].rows}
    assert about["Sicil durumu"].startswith("Kayıttan istisna (Kurul 2025/1572)")


def test_sheet_has_the_official_columns_first() -> None:
    """After the row number the thirteen columns stand in the Authority's order, then extras."""
    columns = inventory_rows(register()).columns
    official = [item.tr for item in reference().lists["inventory_columns"].values()]
    assert [each.tr for each in columns[1:14]] == official
    assert not any(each.is_extra for each in columns[:14])
    assert all(each.is_extra for each in columns[14:])
    groups = list(dict.fromkeys(each.group_tr for each in columns[1:14]))
    assert groups == [
        "ORGANİZASYON",
        "SÜREÇ",
        "KİŞİSEL VERİ",
        "SAKLAMA ve İMHA",
        "AKTARMA",
        "ALINAN GÜVENLİK TEDBİRLERİ",
    ]


def test_sheet_row_holds_what_the_register_says() -> None:
    """One row per datum and activity row, in words that the Authority uses."""
    sheet = inventory_rows(register())
    row = {each.code: cell for each, cell in zip(sheet.columns, sheet.rows[5], strict=True)}
    assert row["no"].text == "6"
    assert row["kisisel_veri"].text == "E-posta adresi"
    assert row["isleme_amaci"].text == "Ürün / Hizmetlerin Pazarlama Süreçlerinin Yürütülmesi"
    assert (
        row["veri_konusu_kisi_grubu"].text == "Ürün veya Hizmet Alan Kişi: Bireysel müşteri / üye"
    )
    assert row["hukuki_sebep"].lines == ("İlgili kişinin açık rızası (5/1)", "AR-2")
    assert row["alici_gruplari"].text == "Tedarikçiler: Posta GmbH"
    assert row["yabanci_ulke"].text == "E-posta adresi: DE"
    assert row["aktarim_dayanagi"].text == "Standart sözleşme"
    assert "Şifreleme" in row["teknik_tedbirler"].lines
    assert "Kişisel Veri İşleme Envanteri Hazırlanması" in row["idari_tedbirler"].lines
    special = {each.code: cell for each, cell in zip(sheet.columns, sheet.rows[3], strict=True)}
    assert special["ozel_nitelikli_kisisel_veri"].text == special["kisisel_veri"].text


def test_sheet_names_another_activity_and_a_law_once() -> None:
    """People read the activity's name, not its slug; a law that is basis and period stands once."""
    sheet = inventory_rows(
        register(
            (
                "{from: ilgili_kisi, by: Form, automatic: true}",
                "{from: diger_faaliyet, by: messages}",
            ),
            ("law: VUK 230", "law: 6102 (TTK) m.82/5-6"),
        )
    )
    row = {each.code: cell for each, cell in zip(sheet.columns, sheet.rows[2], strict=True)}
    assert row["kaynak_elde_etme"].lines == ("Başka bir işleme faaliyeti", "İletiler")
    assert row["ilgili_mevzuat"].lines == ("6102 (TTK) m.82/5-6", "213 (VUK) m.253")


def test_sources_tell_law_number_and_how_sure_it_is() -> None:
    """Every law behind a period with its own number, unconfirmed ones marked; no person id."""
    decided = "rules: [genel_guvenlik_logu], decided: {by: s-7, on: 2026-01-02, why: Ölçü}"
    table = retention_sources(register(("rules: [y5809_islem_kaydi]", decided)))
    rows = {(row[0].text, row[2].text): row for row in table.rows}
    traffic = rows["traffic", "5651 m.6/1-b"]
    assert traffic[4].text == "kaydın oluşmasından itibaren en az 6 ay, en çok 2 yıl"
    assert rows["offers", "Mevzuata dayanmıyor"][6].text == "İtiraz süresi"
    staff = rows["staff", "6698 m.12"]
    assert staff[5].is_uncertain
    assert staff[6].text == "02.01.2026: Ölçü"
    assert not any("s-7" in cell.text for row in table.rows for cell in row)


def column(code: str) -> int:
    return [each.code for each in inventory_rows(register()).columns].index(code)


@pytest.mark.parametrize(
    "name", ["registrar", "hosting", "bulk-messaging", "chat-bot", "web-agency"]
)
def test_examples_fill_every_required_cell(name: str) -> None:
    """In a repaired register no required cell of the official sheet is empty or undecided."""
    text = (ORGANIZATIONS / name / "register.yaml").read_text("utf-8")
    sheet = inventory_rows(load_manifest(text, name).register)
    for row in sheet.rows:
        for each, cell in zip(sheet.columns[:14], row, strict=False):
            assert cell.lines, (name, row[0].text, each.code)
            assert "elirlenmemiş" not in cell.text, (name, row[0].text, each.code)


@pytest.mark.parametrize(
    ("period", "tr", "en"),
    [
        ("P10Y", "10 yıl", "10 years"),
        ("P20M", "1 yıl 8 ay", "1 year 8 months"),
        ("P1M35D", "1 ay 35 gün", "1 month 35 days"),
        ("P0D", "0 gün", "0 days"),
    ],
)
def test_periods_are_worded(period: str, tr: str, en: str) -> None:
    """Periods in words, in both languages."""
    assert word_period(parse_period(period), lang="tr") == tr
    assert word_period(parse_period(period), lang="en") == en


def test_every_start_event_of_the_law_has_words() -> None:
    """No start event of a known rule is shown as a bare slug; an unknown one is."""
    known = {law.start_event for law in reference().retention_rules.values()}
    bare = {event for event in known if "'" in word_start(event, lang="tr")}
    assert bare == set()
    assert word_start("hosting_stopped", lang="tr") == "'hosting_stopped' olayından"
    assert word_start(None, lang="en") == "an event not stated"


def test_open_retention_keeps_its_words() -> None:
    """A rule that is not resolved is shown with the words that stand there."""
    assert word_retention(None, lang="en") == "not determined"
    assert (
        word_retention(RetentionRule(keep=Unresolved("süresiz")), lang="en")
        == "undecided ('süresiz')"
    )
