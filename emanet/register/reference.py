"""The VERBİS and KVKK reference lists (`data/verbis.yaml`), looked up by code or by article.

The file is package data and is never changed at run time; every list or item keeps its `status`
(sourced, knowledge, uncertain), which exports print as "doğrulanmadı" where it is uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TypeVar

from emanet.core.text import label_key
from emanet.register.period import Period, parse_period

__all__ = [
    "DataType",
    "Direction",
    "Item",
    "LegalBasis",
    "LegalRule",
    "Mechanism",
    "Reference",
    "reference",
]


_Entry = TypeVar("_Entry")


class Direction(StrEnum):
    """What a retention rule of the law asks for."""

    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    RANGE = "range"
    CEILING_OF_INTEREST = "ceiling_of_interest"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list.

    Attributes:
        code: ASCII slug, unique in its list.
        tr: the label as VERBİS prints it, letter for letter.
        en: our translation.
        order: the place on the VERBİS screen, 0 where the list has none.
        status: sourced, knowledge or uncertain (the item's own, else the list's).
        attributes: what the file says about it besides, as plain YAML values.
    """

    code: str
    tr: str
    en: str
    order: int
    status: str
    attributes: Mapping[str, object]

    @property
    def is_free_text(self) -> bool:
        """Whether VERBİS asks for words beside this choice (Diğer)."""
        return self.attributes.get("free_text") is True

    def text(self, key: str) -> str | None:
        """An attribute that is text, or None where the file has none."""
        value = self.attributes.get(key)
        return value if isinstance(value, str) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """An attribute that is a list of texts, empty where the file has none."""
        value = self.attributes.get(key)
        return tuple(str(part) for part in value) if isinstance(value, list) else ()

    def flag(self, key: str) -> bool:
        """An attribute that is true or false, false where the file has none."""
        return self.attributes.get(key) is True


@dataclass(frozen=True, slots=True)
class DataType:
    """A type of personal data and where VERBİS counts it.

    Attributes:
        category: the VERBİS category's item; `special` says whether the type is of a special
            category (KVKK art. 6/1).
        encrypt: whether encryption is recommended by default.
        mask: the mask's pattern, None where the type has none.
        validator: the name of an identifier rule, None where the type has none.
    """

    item: Item
    category: Item
    special: bool
    encrypt: bool
    mask: str | None
    validator: str | None

    @property
    def code(self) -> str:
        """The type's code."""
        return self.item.code


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """A processing condition of KVKK art. 5 or art. 6.

    Attributes:
        article: as lawyers write it (`5/2-ç`); unique.
        special: whether it can carry special-category data (art. 6/3).
        is_consent: explicit consent, the last resort.
        needs: law_reference or balancing_test, empty where nothing more is asked.
    """

    item: Item
    article: str
    special: bool
    is_consent: bool
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A ground for transfer abroad (KVKK art. 9 after law 7499).

    Attributes:
        tier: 1 adequacy, 2 appropriate safeguard, 3 occasional derogation.
        board_permission: whether the Board must permit it first.
        notify_business_days: business days from signature to notification, None where no
            notification is due.
    """

    item: Item
    tier: int
    article: str
    board_permission: bool
    notify_business_days: int | None


@dataclass(frozen=True, slots=True)
class LegalRule:
    """What a law says about how long something is kept.

    Attributes:
        law: the law's number or short name.
        article: None where the source names none.
        direction: must keep at least, must not keep longer, both, or neither.
        shortest: the least period that must be kept (minimum; start of a range), else None.
        longest: the most that may be kept (maximum; end of a range), else None.
        period: the one number that the file prints, None for ranges and open rules.
        start_event: from when the period runs.
        applies_to: data types that the rule suggests itself for; only a suggestion.
        is_uncertain: whether the source could not be confirmed.
    """

    item: Item
    law: str
    article: str | None
    direction: Direction
    shortest: Period | None
    longest: Period | None
    period: Period | None
    start_event: str
    applies_to: tuple[str, ...]
    is_uncertain: bool

    @property
    def code(self) -> str:
        """The rule's code."""
        return self.item.code

    @property
    def is_floor(self) -> bool:
        """Whether the law asks to keep something at least so long."""
        return self.direction in {Direction.MINIMUM, Direction.RANGE}

    @property
    def citation(self) -> str:
        """Law and article as one text: `6102 (TTK) m.82/5-6`."""
        return f"{self.law} m.{self.article}" if self.article else self.law


@dataclass(frozen=True, slots=True)
class Reference:
    """All lists of the file.

    Attributes:
        lists: list name → code → item, in file order.
        data_types, legal_bases, mechanisms, retention_rules: code → typed entry.
        bases_by_article: article → legal basis.
    """

    lists: Mapping[str, Mapping[str, Item]]
    data_types: Mapping[str, DataType]
    legal_bases: Mapping[str, LegalBasis]
    bases_by_article: Mapping[str, LegalBasis]
    mechanisms: Mapping[str, Mechanism]
    retention_rules: Mapping[str, LegalRule]

    def codes(self, *names: str) -> frozenset[str]:
        """The codes of one or several lists."""
        return frozenset(code for name in names for code in self.lists[name])

    def category_of(self, data_type: str, stated: str | None) -> Item:
        """The VERBİS category of a datum: the stated one, else its type's.

        Args:
            data_type: code of data_types.
            stated: code of data_categories, or None.
        """
        if stated is None:
            return self.data_types[data_type].category
        return self.lists["data_categories"][stated]

    def find_item(self, name: str, code: str) -> Item | None:
        """The item of a list, None when the list has no such code."""
        return self.lists[name].get(code)

    def match_label(self, name: str, label: str) -> tuple[Item, ...]:
        """The items of a list whose Turkish label is spelt like this.

        Case, circumflexes, spacing and punctuation do not count; a label that the file corrects
        is found under both spellings. Two are found where art. 5 and art. 6 share a wording.
        """
        return _by_label(name).get(label_key(label), ())

    def subject_group(self, code: str) -> Item:
        """The VERBİS group of a group or sub-group of data subjects.

        Raises:
            KeyError: when neither list has the code.
        """
        groups = self.lists["data_subject_groups"]
        subgroup = self.lists["data_subject_subgroups"].get(code)
        return (
            groups[code] if subgroup is None else groups[str(subgroup.attributes["verbis_group"])]
        )

    def subject_label(self, code: str) -> Item:
        """The item of a group or sub-group itself, with its own label.

        Raises:
            KeyError: when neither list has the code.
        """
        subgroup = self.lists["data_subject_subgroups"].get(code)
        return subgroup or self.lists["data_subject_groups"][code]


@cache
def reference() -> Reference:
    """The reference lists, read once per process (about 30 ms)."""
    lists = MappingProxyType(dict(_lists(_document())))
    categories = lists["data_categories"]
    bases = {code: _legal_basis(item) for code, item in lists["legal_bases"].items()}
    return Reference(
        lists=lists,
        data_types=_frozen(lists["data_types"], lambda item: _data_type(item, categories)),
        legal_bases=MappingProxyType(bases),
        bases_by_article=MappingProxyType({basis.article: basis for basis in bases.values()}),
        mechanisms=_frozen(lists["transfer_mechanisms"], _mechanism),
        retention_rules=_frozen(lists["retention_rules"], _legal_rule),
    )


@cache
def _by_label(name: str) -> Mapping[str, tuple[Item, ...]]:
    found: dict[str, tuple[Item, ...]] = {}
    for item in reference().lists[name].values():
        for key in {label_key(item.tr), label_key(item.text("tr_corrected") or item.tr)}:
            found[key] = (*found.get(key, ()), item)
    return MappingProxyType(found)


def _document() -> Mapping[str, object]:
    import yaml  # an extra of the wheel, as in emanet.core.strict_yaml

    text = resources.files("emanet.register").joinpath("data/verbis.yaml").read_text("utf-8")
    # The file is ours, and the loader is the safe one: it builds plain values only.
    document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return MappingProxyType(dict(document))


def _lists(document: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, Item]]]:
    for name, entries in document.items():
        if not isinstance(entries, list):
            continue
        about = document.get(f"{name}_status")
        status = about.get("status") if isinstance(about, dict) else None
        items = (_item(entry, status=str(status or "knowledge")) for entry in entries)
        yield name, MappingProxyType({item.code: item for item in items})


def _item(entry: Mapping[str, object], *, status: str) -> Item:
    order = entry.get("order")
    return Item(
        code=str(entry["code"]),
        tr=str(entry["tr"]),
        en=str(entry.get("en", entry["tr"])),
        order=order if isinstance(order, int) else 0,
        status=str(entry.get("status", status)),
        attributes=MappingProxyType(dict(entry)),
    )


def _frozen(items: Mapping[str, Item], build: Callable[[Item], _Entry]) -> Mapping[str, _Entry]:
    return MappingProxyType({code: build(item) for code, item in items.items()})


def _data_type(item: Item, categories: Mapping[str, Item]) -> DataType:
    category = categories[str(item.attributes["category"])]
    return DataType(
        item=item,
        category=category,
        special=category.flag("special"),
        encrypt=item.flag("encrypt"),
        mask=item.text("mask"),
        validator=item.text("validator"),
    )


def _legal_basis(item: Item) -> LegalBasis:
    return LegalBasis(
        item=item,
        article=str(item.attributes["article"]),
        special=item.attributes["scope"] == "art6",
        is_consent=item.flag("last_resort"),
        needs=item.texts("needs"),
    )


def _mechanism(item: Item) -> Mechanism:
    days = item.attributes["notify_business_days"]
    return Mechanism(
        item=item,
        tier=int(str(item.attributes["tier"])),
        article=str(item.attributes["article"]),
        board_permission=item.flag("board_permission"),
        notify_business_days=days if isinstance(days, int) else None,
    )


def _legal_rule(item: Item) -> LegalRule:
    direction = Direction(str(item.attributes["direction"]))
    period = _period(item, "period")
    shortest = {Direction.MINIMUM: period, Direction.RANGE: _period(item, "period_min")}
    longest = {Direction.MAXIMUM: period, Direction.RANGE: _period(item, "period_max")}
    return LegalRule(
        item=item,
        law=str(item.attributes["law"]),
        article=item.text("article"),
        direction=direction,
        shortest=shortest.get(direction),
        longest=longest.get(direction),
        period=period,
        start_event=str(item.attributes["start_event"]),
        applies_to=item.texts("applies_to"),
        is_uncertain=item.status == "uncertain",
    )


def _period(item: Item, key: str) -> Period | None:
    text = item.text(key)
    return None if text is None else parse_period(text)
