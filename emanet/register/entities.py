"""The entities of a register (DESIGN §5), as immutable values.

A draft may leave things open. Absent is None (or empty); words where a value belongs ("süresiz",
"gerektiği kadar") are `Unresolved`, so that lint can quote them. Codes are those of verbis.yaml;
references between entities are slugs and may dangle in a draft.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from emanet.register.period import Period

__all__ = [
    "Bind",
    "ContactPerson",
    "DestructionPolicy",
    "Duty",
    "Field",
    "Level",
    "Location",
    "Namespace",
    "Organization",
    "Purpose",
    "Registry",
    "Role",
    "Search",
    "System",
    "SystemKind",
    "Unresolved",
]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Words that stand where a value belongs, kept as they were found."""

    text: str


class Level(StrEnum):
    """How a field is protected."""

    NONE = "none"
    ENCRYPTED = "encrypted"
    SEALED = "sealed"
    FORBIDDEN = "forbidden"


class Bind(StrEnum):
    """What an envelope is bound to: its record, or only its subject."""

    RECORD = "record"
    SUBJECT = "subject"


class Search(StrEnum):
    """The normal form under which a field can be searched by blind index."""

    EXACT = "exact"
    TR_NAME = "tr-name"
    EMAIL = "email"
    PHONE = "phone"
    IP = "ip"
    TCKN = "tckn"
    VKN = "vkn"
    IBAN = "iban"
    DOMAIN = "domain"


class Role(StrEnum):
    """Whether the organization decides (veri sorumlusu) or acts for another (veri işleyen)."""

    CONTROLLER = "controller"
    PROCESSOR = "processor"


class Duty(StrEnum):
    """The duty to register in VERBİS (KVKK art. 16)."""

    REGISTERED = "registered"
    EXEMPT = "exempt"


class SystemKind(StrEnum):
    """Kinds of medium (kayıt ortamı, destruction regulation art. 4)."""

    DATABASE = "database"
    FILES = "files"
    MAIL = "mail"
    PAPER = "paper"
    DEVICE = "device"
    CLOUD = "cloud"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Organization:
    """Whose register it is.

    Attributes:
        id: the organization's slug.
        tr, en: its trade name.
        kep: registered e-mail address.
        seat: province of the registered office.
        representative: the representative of a controller abroad (KVKK art. 16/3-a).
    """

    id: str
    tr: str
    en: str | None = None
    kep: str | None = None
    seat: str | None = None
    address: str | None = None
    web: str | None = None
    representative: str | None = None


@dataclass(frozen=True, slots=True)
class Namespace:
    """A way to refer to people (`customers/7`).

    Attributes:
        tckn: whether references may be T.C. numbers; refused elsewhere.
    """

    tr: str
    en: str | None = None
    tckn: bool = False


@dataclass(frozen=True, slots=True)
class ContactPerson:
    """The contact person (irtibat kişisi; registry regulation art. 4, 11).

    Attributes:
        staff: the person id.
    """

    title: str | None = None
    staff: str | None = None


@dataclass(frozen=True, slots=True)
class Registry:
    """The duty to register and what it rests on.

    Attributes:
        ground: the decision that exempts (`Kurul 2025/1572`).
        since: registered since.
        checked: when the exemption was last checked.
        employees, balance_try: yearly employees and balance sheet in TRY, the two thresholds.
        main_activity_special: whether the main activity is special-category processing.
    """

    duty: Duty
    ground: str | None = None
    since: date | None = None
    checked: date | None = None
    employees: int | None = None
    balance_try: int | None = None
    main_activity_special: bool = False
    contact_person: ContactPerson | None = None


@dataclass(frozen=True, slots=True)
class DestructionPolicy:
    """How destruction is organized (destruction regulation art. 6, 7, 11).

    Attributes:
        policy: the policy's reference.
        interval: between two periodic destructions.
        days: the days of the year on which it runs, `MM-DD`.
        backups_gone_after: after this no backup holds a destroyed key any more.
        receipts_kept: how long destruction records are kept (at least three years).
        in_charge: title of the person in charge.
    """

    policy: str | None = None
    interval: Period | None = None
    days: tuple[str, ...] = ()
    backups_gone_after: Period | None = None
    receipts_kept: Period | None = None
    in_charge: str | None = None


@dataclass(frozen=True, slots=True)
class Purpose:
    """A processing purpose (why held) and the access purpose of the same name (why read).

    Attributes:
        verbis: code of processing_purposes, None while not mapped.
        read_needs: the case kind that a read for it must bring.
        withheld_from_subject: the article under which reads for it are left out of the
            person's own report.
        opt_out: channels by which a person refuses it.
    """

    tr: str
    verbis: str | None = None
    en: str | None = None
    read_needs: str | None = None
    withheld_from_subject: str | None = None
    opt_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class System:
    """A medium that holds personal data (kayıt ortamı).

    Attributes:
        at: where it stands.
        country: ISO 3166-1 alpha-2, None where it stands in Türkiye or is not known.
    """

    tr: str
    kind: SystemKind | None = None
    en: str | None = None
    at: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """Where a field lies: `system.collection.column`, `system.collection` or `system`."""

    system: str
    item: str = ""

    def __str__(self) -> str:
        return f"{self.system}.{self.item}" if self.item else self.system


@dataclass(frozen=True, slots=True)
class Field:
    """A logical datum (`customer.email`).

    Attributes:
        type: code of data_types; category, label, validator and mask follow from it.
        level: None while not decided.
        category: code of data_categories where the type's own is not it (a scan that shows an
            illness is Sağlık Bilgileri); None = the type's.
        special: marks data of the category Diğer as special-category.
        locations: key `in` of the manifest.
    """

    type: str
    level: Level | None = None
    tr: str | None = None
    en: str | None = None
    search: Search | None = None
    bind: Bind = Bind.RECORD
    category: str | None = None
    special: bool = False
    locations: tuple[Location, ...] = ()
    because: str | None = None
