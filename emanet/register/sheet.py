"""The Authority's inventory workbook as a table of cells: 13 columns and what others add.

Columns and their order are those of the Authority's sample sheet "KİŞİSEL VERİ İŞLEME ENVANTERİ"
(verbis.yaml `inventory_columns`); the extra columns stand after them, so that the first thirteen
can be copied as they are. One row is one datum in one row of an activity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emanet.register.reference import Item, Reference, reference
from emanet.register.values import (
    Field,
    Recipient,
    Register,
    RetentionRule,
    Role,
    RowRef,
    SystemKind,
    Unresolved,
)
from emanet.register.wording import UNVERIFIED, is_verified, word_retention

__all__ = ["Cell", "Column", "Table", "inventory_rows", "used_laws"]

_TITLE = "KİŞİSEL VERİ İŞLEME ENVANTERİ"
_EXTRA_GROUP = "EK BİLGİLER"
_NONE = "Yok"
_NOT_GIVEN = "Aktarılmıyor"
_NOT_STATED = "Belirlenmemiş"
_ROLES = {Role.CONTROLLER: "Veri sorumlusu", Role.PROCESSOR: "Veri işleyen"}
_HOME = "TR"
_FROM_ANOTHER_ACTIVITY = "diger_faaliyet"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        lines: its values, one a line; empty = an empty cell.
        is_uncertain: whether a value in it could not be confirmed (its line says so).
    """

    lines: tuple[str, ...] = ()
    is_uncertain: bool = False

    @property
    def text(self) -> str:
        """The cell's text, values separated by line feeds."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        code: stable name, for JSON.
        group_tr: the super-header above it, empty where there is none; neighbours with the same
            one share it.
        is_extra: whether it is not in the Authority's sample.
    """

    code: str
    tr: str
    en: str
    group_tr: str = ""
    is_extra: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of cells; every row has one cell per column."""

    title_tr: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("every row has one cell per column")


def inventory_rows(register: Register) -> Table:
    """The whole inventory, processor rows included, as the Authority's sheet.

    Rows are in the order of activities, rows and fields of the register. Names that lead nowhere
    in a draft are shown as they are written.
    """
    sheet = _Sheet(register, reference())
    columns = sheet.columns()
    rows = tuple(
        (Cell((str(number),)), *(cells[column.code] for column in columns[1:]))
        for number, cells in enumerate(sheet.rows(), start=1)
    )
    return Table(title_tr=_TITLE, columns=columns, rows=rows)


def used_laws(rule: RetentionRule | None) -> Iterator[tuple[str, bool]]:
    """The laws behind a retention rule: citation, and whether it is verified."""
    for code in () if rule is None else rule.rules:
        law = reference().retention_rules[code]
        yield law.citation, is_verified(law.item.status)


class _Sheet:
    """Makes the cells of one register; each method fills one or a few columns."""

    def __init__(self, register: Register, lists: Reference) -> None:
        self._register = register
        self._lists = lists
        administrative, technical = _measures(register, lists)
        self._measures = {
            "idari_tedbirler": _cell(administrative),
            "teknik_tedbirler": _cell(technical),
        }

    def columns(self) -> tuple[Column, ...]:
        official = (
            Column(item.code, item.tr, item.en, item.text("group_tr") or "")
            for item in self._lists.lists["inventory_columns"].values()
        )
        extra = (
            Column(item.code, item.tr, item.en, _EXTRA_GROUP, is_extra=True)
            for item in self._lists.lists["inventory_columns_extra"].values()
        )
        return (Column("no", "No", "No"), *official, *extra)

    def rows(self) -> Iterator[dict[str, Cell]]:
        for ref in self._register.rows:
            shared = {
                **self._measures,
                **self._activity(ref),
                **self._grounds(ref),
                **self._retention(ref),
            }
            for slug in ref.row.fields:
                field = self._register.fields.get(slug)
                yield {
                    **shared,
                    **self._datum(slug, field),
                    **self._places(field),
                    **self._transfers(ref, slug, field),
                }

    def _activity(self, ref: RowRef) -> dict[str, Cell]:
        activity = self._register.activities[ref.activity]
        notice = self._register.notices.get(activity.notice or "")
        shown = [] if notice is None else [f"{activity.notice} sürüm {notice.version or '?'}"]
        if notice is not None and notice.effective is not None:
            shown.append(f"yürürlük {notice.effective:%d.%m.%Y}")
        collected = activity.collected
        source = None if collected is None else collected.source
        origin = self._label("collection_sources", source) if source else _NOT_STATED
        return {
            "departman": _cell([activity.department or _NOT_STATED]),
            "faaliyet": _cell([activity.tr]),
            "rol": _cell([_ROLES[activity.role] if activity.role else _NOT_STATED]),
            "kaynak_elde_etme": _cell([origin, *_given(self._collected_by(ref))]),
            "veri_konusu_kisi_grubu": _cell(self._subjects(ref)),
            "aydinlatma_metni": _cell([", ".join(shown)] if shown else [_NONE]),
        }

    def _collected_by(self, ref: RowRef) -> str | None:
        """The form or device, or the other activity by its name."""
        collected = self._register.activities[ref.activity].collected
        by = None if collected is None else collected.by
        other = self._register.activities.get(by or "")
        is_activity = collected is not None and collected.source == _FROM_ANOTHER_ACTIVITY
        return other.tr if is_activity and other is not None else by

    def _subjects(self, ref: RowRef) -> list[str]:
        """The VERBİS group, with our sub-group beside it where one is stated."""
        labels = []
        for code in self._register.subjects_of(ref):
            group, own = self._lists.subject_group(code), self._lists.subject_label(code)
            labels.append(group.tr if own.code == group.code else f"{group.tr}: {own.tr}")
        return labels or [_NOT_STATED]

    def _grounds(self, ref: RowRef) -> dict[str, Cell]:
        purposes = [self._purpose(ref, slug) for slug in ref.row.purposes]
        laws = [*_given(ref.row.law)]
        laws += [
            citation if verified else f"{citation} ({UNVERIFIED['tr']})"
            for citation, verified in used_laws(self._rule(ref))
        ]
        return {
            "isleme_amaci": _cell(_distinct(purposes) or [_NOT_STATED]),
            "hukuki_sebep": _cell(self._basis(ref)),
            "ilgili_mevzuat": _cell(_distinct(laws), mark=UNVERIFIED["tr"]),
        }

    def _purpose(self, ref: RowRef, slug: str) -> str:
        """The VERBİS purpose; our own words in a processor's row, which VERBİS is not told."""
        purpose = self._register.purposes.get(slug)
        if purpose is not None and purpose.verbis is not None:
            return self._label("processing_purposes", purpose.verbis)
        name = slug if purpose is None else purpose.tr
        if self._register.activities[ref.activity].role is Role.PROCESSOR:
            return name
        return f"{name} (VERBİS karşılığı yok)"

    def _basis(self, ref: RowRef) -> list[str]:
        basis = ref.row.basis
        if isinstance(basis, str):
            article = self._lists.bases_by_article[basis]
            extra = _given(ref.row.consent) + _given(ref.row.balance_test)
            return [f"{article.item.tr} ({article.article})", *extra]
        if isinstance(basis, Unresolved):
            return [f"{_NOT_STATED} ('{basis.text}')"]
        if self._register.activities[ref.activity].role is Role.PROCESSOR:
            return ["Veri sorumlusunun talimatı (veri işleyen)"]
        return [_NOT_STATED]

    def _retention(self, ref: RowRef) -> dict[str, Cell]:
        rule = self._rule(ref)
        words = ref.row.keep if isinstance(ref.row.keep, Unresolved) else rule
        text = word_retention(words, lang="tr")
        unverified = any(not verified for _, verified in used_laws(rule))
        lines = [f"{text} ({UNVERIFIED['tr']})" if unverified else text]
        method = None if rule is None else rule.dispose
        disposal = self._label("disposal_methods", method) if method else _NOT_STATED
        return {
            "saklama_suresi": Cell(tuple(lines), is_uncertain=unverified),
            "imha_yontemi": _cell([disposal]),
        }

    def _rule(self, ref: RowRef) -> RetentionRule | None:
        keep = ref.row.keep
        return self._register.retention.get(keep) if isinstance(keep, str) else None

    def _datum(self, slug: str, field: Field | None) -> dict[str, Cell]:
        if field is None:
            return {
                "veri_kategorisi": _cell([_NOT_STATED]),
                "kisisel_veri": _cell([slug]),
                "ozel_nitelikli_kisisel_veri": _cell([_NONE]),
            }
        kind = self._lists.data_types[field.type]
        label = field.tr or kind.item.tr
        category = self._lists.category_of(field.type, field.category)
        special = category.flag("special") or field.special
        return {
            "veri_kategorisi": _cell([category.tr]),
            "kisisel_veri": _cell([label]),
            "ozel_nitelikli_kisisel_veri": _cell([label if special else _NONE]),
        }

    def _places(self, field: Field | None) -> dict[str, Cell]:
        locations = () if field is None else field.locations
        known = [
            (place, system)
            for place in locations
            if (system := self._register.find_system(place.system)) is not None
        ]
        on_paper = [system.kind is SystemKind.PAPER for _, system in known]
        values = {(True, False): "Fiziksel", (False, True): "Dijital", (True, True): None}
        form = values.get((any(on_paper), not all(on_paper)), _NOT_STATED)
        return {
            "fiziksel_dijital": _cell([form or "Fiziksel ve Dijital"]),
            "bulundugu_yer": _cell(_distinct(system.at or system.tr for _, system in known)),
            "veri_kayit_sistemi": _cell(f"{system.tr} ({place})" for place, system in known),
        }

    def _transfers(self, ref: RowRef, slug: str, field: Field | None) -> dict[str, Cell]:
        known = [
            recipient
            for name in ref.row.to
            if (recipient := self._register.recipients.get(name)) is not None
        ]
        label = slug
        if field is not None:
            label = field.tr or self._lists.data_types[field.type].item.tr
        countries = [f"{label}: {country}" for country in self._countries(known, field)]
        mechanisms = [
            self._label("transfer_mechanisms", recipient.abroad.mechanism)
            for recipient in known
            if recipient.abroad is not None and recipient.abroad.mechanism is not None
        ]
        return {
            "alici_gruplari": _cell([self._recipient(part) for part in known] or [_NOT_GIVEN]),
            "yabanci_ulke": _cell(countries or [_NOT_GIVEN]),
            "aktarim_dayanagi": _cell(_distinct(mechanisms)),
        }

    def _countries(self, recipients: Iterable[Recipient], field: Field | None) -> list[str]:
        countries = [
            part.abroad.country or _NOT_STATED for part in recipients if part.abroad is not None
        ]
        for place in () if field is None else field.locations:
            system = self._register.find_system(place.system)
            if system is not None and system.country not in (None, _HOME):
                countries.append(system.country or "")
        return _distinct(countries)

    def _recipient(self, recipient: Recipient) -> str:
        if recipient.group is None:
            return recipient.tr
        return f"{self._label('recipient_groups', recipient.group)}: {recipient.tr}"

    def _label(self, name: str, code: str | None) -> str:
        item = self._lists.find_item(name, code or "")
        return code or "" if item is None else _marked(item)


def _measures(register: Register, lists: Reference) -> tuple[list[str], list[str]]:
    """Administrative and technical measures by their short names in the Authority's guide.

    A measure of VERBİS that the guide has no short name for is printed as VERBİS words it. Three
    of the guide's measures have no VERBİS statement and follow from the register itself: it is
    the inventory, it may hold a destruction policy, and it may say that VERBİS was told.
    """
    guide = lists.lists["guide_measures"]
    by_fact = {
        "g_envanter": True,
        "g_imha": register.destruction is not None,
        "g_verbis_bildirim": register.registry is not None and register.registry.since is not None,
    }
    taken = set(register.measures)
    named = {code for item in guide.values() for code in item.texts("verbis")}
    found = [
        item
        for item in guide.values()
        if by_fact.get(item.code, not taken.isdisjoint(item.texts("verbis")))
    ]
    statements = lists.lists["measures"]
    found += [statements[code] for code in statements if code in taken and code not in named]
    administrative = [item.tr for item in found if item.text("kind") == "administrative"]
    technical = [item.tr for item in found if item.text("kind") != "administrative"]
    return administrative, technical


def _cell(lines: Iterable[str], *, mark: str | None = None) -> Cell:
    kept = tuple(lines)
    return Cell(kept, is_uncertain=mark is not None and any(mark in line for line in kept))


def _given(text: str | None) -> list[str]:
    return [] if text is None else [text]


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _marked(item: Item) -> str:
    return item.tr if is_verified(item.status) else f"{item.tr} ({UNVERIFIED['tr']})"
