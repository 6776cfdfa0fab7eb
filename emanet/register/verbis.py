"""The VERBİS view: what the register says in the registry's own words and grain.

One entry per data category with the union of purposes, groups of data subjects and groups of
recipients, whether any of it goes abroad, and the longest retention (registry regulation
art. 9/1; that purposes and groups hang on each category is our reading of the screens). Only rows
in which the organization is the controller count. Nothing is entered twice: a filing is derived
from the register, and so is the list of its changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from emanet.register.period import Period
from emanet.register.reference import Item, reference
from emanet.register.retention import CREATION_EVENTS
from emanet.register.sheet import Cell, Column, Table, inventory_rows, used_laws
from emanet.register.values import Duty, Register, RetentionRule, Role, RowRef, Unresolved
from emanet.register.wording import UNVERIFIED, word_retention

__all__ = [
    "Cell",
    "Choice",
    "Column",
    "Controller",
    "LongestRetention",
    "Table",
    "VerbisCategory",
    "VerbisView",
    "inventory_rows",
    "verbis_tables",
    "verbis_view",
]

_HOME = "TR"
_RECORD_CREATED = "record_created"


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a VERBİS list.

    Attributes:
        code: the list's code; `diger` may stand several times with different words.
        order: its place on the screen.
        words: what is typed beside it where it is Diğer, else empty.
    """

    order: int
    code: str
    tr: str
    en: str
    words: str = ""

    @property
    def label(self) -> str:
        """The label with the words typed beside it."""
        return f"{self.tr}: {self.words}" if self.words else self.tr


@dataclass(frozen=True, slots=True)
class LongestRetention:
    """The longest retention of a category (azami süre).

    Attributes:
        tr, en: in words.
        is_resolved: false where a row still has no period; such a category cannot be filed.
        is_uncertain: whether a law behind it could not be confirmed.
    """

    tr: str
    en: str
    is_resolved: bool
    is_uncertain: bool


@dataclass(frozen=True, slots=True)
class VerbisCategory:
    """One data category as VERBİS asks for it.

    Attributes:
        category: the category; for Diğer one entry per type of data, named by it.
        special: whether it holds special-category data; such an entry is never merged away.
        countries: ISO codes of where it goes, sorted.
    """

    category: Choice
    special: bool
    purposes: tuple[Choice, ...]
    subjects: tuple[Choice, ...]
    recipients: tuple[Choice, ...]
    abroad: bool
    countries: tuple[str, ...]
    retention: LongestRetention


@dataclass(frozen=True, slots=True)
class Controller:
    """The controller's own lines.

    Attributes:
        is_exempt: exempt from the registry: nothing is filed, the view is for the record only.
        ground: what exempts it.
        contact: title of the contact person; a name is never in the register.
        contact_id: person id of the contact person, to see a change; never printed.
        since: registered since.
    """

    id: str
    tr: str
    kep: str | None
    address: str | None
    representative: str | None
    is_exempt: bool
    ground: str | None
    contact: str | None
    contact_id: str | None
    since: date | None


@dataclass(frozen=True, slots=True)
class VerbisView:
    """What VERBİS is told: controller, categories in screen order, measures once."""

    controller: Controller
    categories: tuple[VerbisCategory, ...]
    measures: tuple[Choice, ...]


def verbis_view(register: Register) -> VerbisView:
    """Derives the VERBİS view; the same register gives the same view, in screen order."""
    rows: dict[tuple[Choice, bool], list[tuple[RowRef, str]]] = {}
    for ref, field in _controller_data(register):
        rows.setdefault(_category_of(register, field), []).append((ref, field))
    keys = sorted(rows, key=lambda key: (key[0].order, key[0].words, key[1]))
    measures = reference().lists["measures"]
    return VerbisView(
        controller=_controller(register),
        categories=tuple(_category(register, key, rows[key]) for key in keys),
        measures=_choices(measures[code] for code in register.measures),
    )


def verbis_tables(view: VerbisView) -> tuple[Table, ...]:
    """The view as three tables to click through: controller, categories, measures."""
    return (_controller_table(view), _category_table(view), _measure_table(view))


def _controller_data(register: Register) -> Iterator[tuple[RowRef, str]]:
    for ref in register.rows:
        if register.activities[ref.activity].role is not Role.PROCESSOR:
            for field in ref.row.fields:
                if field in register.fields:
                    yield ref, field


def _category_of(register: Register, slug: str) -> tuple[Choice, bool]:
    field = register.fields[slug]
    category = reference().category_of(field.type, field.category)
    words = field.tr or reference().data_types[field.type].item.tr if category.is_free_text else ""
    return _choice(category, words), category.flag("special") or field.special


def _category(
    register: Register, key: tuple[Choice, bool], data: Sequence[tuple[RowRef, str]]
) -> VerbisCategory:
    category, special = key
    refs = list(dict.fromkeys((ref.activity, ref.index) for ref, _ in data))
    by_place = {(ref.activity, ref.index): ref for ref, _ in data}
    rows = [by_place[place] for place in refs]
    countries = _countries(register, data)
    return VerbisCategory(
        category=category,
        special=special,
        purposes=_unique(_purposes(register, rows)),
        subjects=_unique(_subjects(register, rows)),
        recipients=_unique(_recipients(register, rows)),
        abroad=countries is not None,
        countries=countries or (),
        retention=_longest(register, rows),
    )


def _purposes(register: Register, rows: Iterable[RowRef]) -> Iterator[Choice]:
    known = reference().lists["processing_purposes"]
    for ref in rows:
        for slug in ref.row.purposes:
            purpose = register.purposes.get(slug)
            if purpose is not None and purpose.verbis is not None:
                yield _choice(known[purpose.verbis], purpose.tr)


def _subjects(register: Register, rows: Iterable[RowRef]) -> Iterator[Choice]:
    lists = reference()
    for ref in rows:
        for code in register.subjects_of(ref):
            yield _choice(lists.subject_group(code), lists.subject_label(code).tr)


def _recipients(register: Register, rows: Iterable[RowRef]) -> Iterator[Choice]:
    known = reference().lists["recipient_groups"]
    for ref in rows:
        for slug in ref.row.to:
            recipient = register.recipients.get(slug)
            if recipient is not None and recipient.group is not None:
                yield _choice(known[recipient.group], recipient.tr)


def _countries(register: Register, data: Iterable[tuple[RowRef, str]]) -> tuple[str, ...] | None:
    """Where the data goes; None when none of it leaves, empty when the country is not stated."""
    found: set[str | None] = set()
    for ref, field in data:
        for slug in ref.row.to:
            recipient = register.recipients.get(slug)
            if recipient is not None and recipient.abroad is not None:
                found.add(recipient.abroad.country)
        for place in register.fields[field].locations:
            system = register.find_system(place.system)
            if system is not None and system.country not in (None, _HOME):
                found.add(system.country)
    return tuple(sorted(country for country in found if country)) if found else None


def _longest(register: Register, rows: Iterable[RowRef]) -> LongestRetention:
    """The longest of all, in one order: no period at all, then by length, then by start.

    Of two periods of one length the one that runs from a later event is the longer: from the
    record, from the end of its year, from an event that is still to come (registry regulation
    art. 9/4; domain note on comparable units).
    """
    rules = [_rule_of(register, ref) for ref in rows]
    longest = max(rules, key=_length, default=None)
    laws = list(used_laws(longest)) if isinstance(longest, RetentionRule) else []
    return LongestRetention(
        tr=word_retention(longest, lang="tr"),
        en=word_retention(longest, lang="en"),
        is_resolved=isinstance(longest, RetentionRule) and isinstance(longest.keep, Period),
        is_uncertain=any(not verified for _, verified in laws),
    )


def _rule_of(register: Register, ref: RowRef) -> RetentionRule | Unresolved | None:
    keep = ref.row.keep
    return register.retention.get(keep) if isinstance(keep, str) else keep


def _length(rule: RetentionRule | Unresolved | None) -> tuple[bool, Period, int, str]:
    if not isinstance(rule, RetentionRule) or not isinstance(rule.keep, Period):
        return (True, Period(), 0, "")
    rank = 0 if rule.start == _RECORD_CREATED else 1 if rule.start in CREATION_EVENTS else 2
    return (False, rule.keep, rank, rule.start or "")


def _controller(register: Register) -> Controller:
    registry = register.registry
    contact = None if registry is None else registry.contact_person
    return Controller(
        id=register.organization.id,
        tr=register.organization.tr,
        kep=register.organization.kep,
        address=register.organization.address or register.organization.seat,
        representative=register.organization.representative,
        is_exempt=registry is not None and registry.duty is Duty.EXEMPT,
        ground=None if registry is None else registry.ground,
        contact=None if contact is None else contact.title,
        contact_id=None if contact is None else contact.staff,
        since=None if registry is None else registry.since,
    )


def _choice(item: Item, words: str = "") -> Choice:
    return Choice(
        order=item.order,
        code=item.code,
        tr=item.tr,
        en=item.en,
        words=words if item.is_free_text else "",
    )


def _choices(items: Iterable[Item]) -> tuple[Choice, ...]:
    return _unique(_choice(item) for item in items)


def _unique(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    return tuple(sorted(set(choices), key=lambda choice: (choice.order, choice.words)))


def _controller_table(view: VerbisView) -> Table:
    controller = view.controller
    lines = [
        ("Veri sorumlusu", controller.tr),
        ("Sicil durumu", _duty(controller)),
        ("KEP adresi", controller.kep),
        ("Adres", controller.address),
        ("Veri sorumlusu temsilcisi", controller.representative),
        ("İrtibat kişisi (unvan)", controller.contact),
        ("Sicile kayıt tarihi", controller.since and f"{controller.since:%d.%m.%Y}"),
    ]
    rows = tuple((Cell((label,)), Cell((value,) if value else ())) for label, value in lines)
    columns = (Column("baslik", "Başlık", "Heading"), Column("deger", "Değer", "Value"))
    return Table(title_tr="Veri sorumlusu", columns=columns, rows=rows)


def _duty(controller: Controller) -> str:
    if not controller.is_exempt:
        return "Kayıtla yükümlü"
    return f"Kayıttan istisna ({controller.ground or 'dayanağı yazılmamış'}); VERBİS'e girilmez"


def _category_table(view: VerbisView) -> Table:
    columns = (
        Column("veri_kategorisi", "Veri kategorisi", "Data category"),
        Column("ozel_nitelikli", "Özel nitelikli", "Special category"),
        Column("isleme_amaclari", "Veri işleme amaçları", "Processing purposes"),
        Column("kisi_gruplari", "Veri konusu kişi grupları", "Data-subject groups"),
        Column("alici_gruplari", "Veri aktarım alıcı grupları", "Recipient groups"),
        Column("yabanci_ulke", "Yabancı ülkelere aktarım", "Transfer to foreign countries"),
        Column("azami_sure", "Azami muhafaza edilme süresi", "Longest retention period"),
    )
    rows = tuple(_category_cells(entry) for entry in view.categories)
    return Table(title_tr="Veri kategorileri", columns=columns, rows=rows)


def _category_cells(entry: VerbisCategory) -> tuple[Cell, ...]:
    retention = entry.retention
    text = f"{retention.tr} ({UNVERIFIED['tr']})" if retention.is_uncertain else retention.tr
    abroad = f"Evet: {', '.join(entry.countries)}" if entry.countries else "Evet"
    return (
        Cell((entry.category.label,)),
        Cell(("Evet" if entry.special else "Hayır",)),
        _labels(entry.purposes),
        _labels(entry.subjects),
        _labels(entry.recipients),
        Cell((abroad if entry.abroad else "Hayır",)),
        Cell((text,), is_uncertain=retention.is_uncertain),
    )


def _measure_table(view: VerbisView) -> Table:
    columns = (Column("tedbir", "Veri güvenliği tedbirleri", "Data-security measures"),)
    rows = tuple((Cell((choice.label,)),) for choice in view.measures)
    return Table(title_tr="Veri güvenliği tedbirleri", columns=columns, rows=rows)


def _labels(choices: Iterable[Choice]) -> Cell:
    return Cell(tuple(choice.label for choice in choices))
