"""The register: the whole inventory of one organization as one immutable value.

The entities are in `emanet.register.entities` and `emanet.register.processing` and are offered
here too. Every rule is a pure function over a `Register`; what many of them look up (rows by
field, fields by purpose) is built once with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as member
from enum import StrEnum
from types import MappingProxyType
from typing import cast

from emanet.core.canonical import JsonValue
from emanet.core.errors import Reason, error
from emanet.core.strict_yaml import hints, short
from emanet.register import schema
from emanet.register.codec import Codec, ShapeError
from emanet.register.codec_shapes import MapCodec
from emanet.register.entities import (
    Bind,
    ContactPerson,
    DestructionPolicy,
    Duty,
    Field,
    Level,
    Location,
    Namespace,
    Organization,
    Purpose,
    Registry,
    Role,
    Search,
    System,
    SystemKind,
    Unresolved,
)
from emanet.register.period import Period
from emanet.register.processing import (
    Abroad,
    Activity,
    Claim,
    Collected,
    Decision,
    Declaration,
    Notice,
    Recipient,
    RetentionRule,
)

__all__ = [
    "BUILT_IN_SYSTEM",
    "SECTIONS",
    "Abroad",
    "Activity",
    "Bind",
    "Claim",
    "Collected",
    "ContactPerson",
    "Decision",
    "Declaration",
    "DestructionPolicy",
    "Duty",
    "Entity",
    "Field",
    "Kind",
    "Level",
    "Location",
    "Namespace",
    "Notice",
    "Organization",
    "Period",
    "Purpose",
    "Recipient",
    "Register",
    "Registry",
    "RetentionRule",
    "Role",
    "RowRef",
    "Search",
    "System",
    "SystemKind",
    "Unresolved",
    "empty_register",
    "from_json",
    "to_json",
]

# Emanet's own log is a medium of every organization: it holds the record of employees' accesses.
BUILT_IN_SYSTEM = "emanet"
_BUILT_IN = System(
    tr="Emanet kayıt defteri",
    en="Emanet's log",
    kind=SystemKind.LOG,
)


class Kind(StrEnum):
    """What an edit changes: a section of the register, named as in JSON and manifests."""

    ORGANIZATION = "organization"
    NAMESPACE = "namespaces"
    REGISTRY = "registry"
    DESTRUCTION = "destruction"
    MEASURE = "measures"
    PURPOSE = "purposes"
    SYSTEM = "systems"
    FIELD = "fields"
    RETENTION_RULE = "retention"
    RECIPIENT = "recipients"
    NOTICE = "notices"
    ACTIVITY = "activities"
    CLAIM = "claims"

    @property
    def is_single(self) -> bool:
        """Whether there is one per register; its slug is then the kind's own name."""
        return self in {Kind.ORGANIZATION, Kind.REGISTRY, Kind.DESTRUCTION}


Entity = (
    Organization
    | Namespace
    | Registry
    | DestructionPolicy
    | Purpose
    | System
    | Field
    | RetentionRule
    | Recipient
    | Notice
    | Activity
    | Claim
)

SECTIONS: Mapping[Kind, Codec] = MappingProxyType(
    {
        Kind.ORGANIZATION: schema.ORGANIZATION,
        Kind.NAMESPACE: MapCodec(schema.NAMESPACE),
        Kind.REGISTRY: schema.REGISTRY,
        Kind.DESTRUCTION: schema.DESTRUCTION,
        Kind.MEASURE: schema.MEASURES,
        Kind.PURPOSE: MapCodec(schema.PURPOSE),
        Kind.SYSTEM: MapCodec(schema.SYSTEM),
        Kind.FIELD: MapCodec(schema.FIELD),
        Kind.RETENTION_RULE: MapCodec(schema.RETENTION_RULE),
        Kind.RECIPIENT: MapCodec(schema.RECIPIENT),
        Kind.NOTICE: MapCodec(schema.NOTICE),
        Kind.ACTIVITY: MapCodec(schema.ACTIVITY),
        Kind.CLAIM: MapCodec(schema.CLAIM),
    }
)


@dataclass(frozen=True, slots=True)
class RowRef:
    """One declaration with its place.

    Attributes:
        activity: slug of the activity.
        index: the row's place in it, from 0.
    """

    activity: str
    index: int
    row: Declaration

    @property
    def path(self) -> str:
        """The row's name in errors and findings: `activities/account/rows/2`."""
        return f"activities/{self.activity}/rows/{self.index}"


@dataclass(frozen=True, slots=True)
class Register:
    """An organization's inventory.

    The mappings are by slug, in the slugs' byte order, and read-only. Attributes besides the
    sections are indexes that follow from them and take no part in comparison.

    Attributes:
        measures: codes of measures, in byte order.
        rows: every declaration, by activity and place.
        rows_by_field: field slug → the declarations that hold it.
        fields_by_purpose: purpose slug → the known fields declared for it.
    """

    organization: Organization
    namespaces: Mapping[str, Namespace] = member(default_factory=dict)
    registry: Registry | None = None
    destruction: DestructionPolicy | None = None
    measures: tuple[str, ...] = ()
    purposes: Mapping[str, Purpose] = member(default_factory=dict)
    systems: Mapping[str, System] = member(default_factory=dict)
    fields: Mapping[str, Field] = member(default_factory=dict)
    retention: Mapping[str, RetentionRule] = member(default_factory=dict)
    recipients: Mapping[str, Recipient] = member(default_factory=dict)
    notices: Mapping[str, Notice] = member(default_factory=dict)
    activities: Mapping[str, Activity] = member(default_factory=dict)
    claims: Mapping[str, Claim] = member(default_factory=dict)
    rows: tuple[RowRef, ...] = member(init=False, compare=False, repr=False)
    rows_by_field: Mapping[str, tuple[RowRef, ...]] = member(init=False, compare=False, repr=False)
    fields_by_purpose: Mapping[str, frozenset[str]] = member(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "measures", tuple(sorted(self.measures)))
        for kind, codec in SECTIONS.items():
            if isinstance(codec, MapCodec):
                entries = getattr(self, kind.value)
                ordered = {slug: entries[slug] for slug in sorted(entries)}
                object.__setattr__(self, kind.value, MappingProxyType(ordered))
        rows = tuple(
            RowRef(activity=slug, index=index, row=row)
            for slug, activity in self.activities.items()
            for index, row in enumerate(activity.rows)
        )
        object.__setattr__(self, "rows", rows)
        self._index(rows)

    def _index(self, rows: tuple[RowRef, ...]) -> None:
        by_field: dict[str, list[RowRef]] = {}
        by_purpose: dict[str, set[str]] = {}
        for ref in rows:
            for name in ref.row.fields:
                by_field.setdefault(name, []).append(ref)
            known = self.fields.keys() & set(ref.row.fields)
            for purpose in ref.row.purposes:
                by_purpose.setdefault(purpose, set()).update(known)
        fields = {name: tuple(refs) for name, refs in by_field.items()}
        purposes = {purpose: frozenset(names) for purpose, names in by_purpose.items()}
        object.__setattr__(self, "rows_by_field", MappingProxyType(fields))
        object.__setattr__(self, "fields_by_purpose", MappingProxyType(purposes))

    def find_system(self, slug: str) -> System | None:
        """A medium by slug, the built-in `emanet` included; None when there is none."""
        return _BUILT_IN if slug == BUILT_IN_SYSTEM else self.systems.get(slug)

    def subjects_of(self, ref: RowRef) -> tuple[str, ...]:
        """The groups of data subjects of a row: its own, else those of its activity."""
        return ref.row.subjects or self.activities[ref.activity].subjects


def empty_register(organization: str) -> Register:
    """The draft of an organization that has just been added: only its id."""
    return Register(organization=Organization(id=organization, tr=organization))


def to_json(register: Register) -> dict[str, JsonValue]:
    """The register as canonical JSON values (docs/formats/register.md); empty sections left out."""
    document: dict[str, object] = {}
    for kind, codec in SECTIONS.items():
        section = getattr(register, kind.value)
        if section is not None and section != () and section != {}:
            document[kind.value] = codec.encode(section)
    return cast("dict[str, JsonValue]", document)


def from_json(document: Mapping[str, object]) -> Register:
    """Reads a register from canonical JSON values by the closed schema.

    Raises:
        EmanetError: INVALID_FIELD with the path and the problem of the first value that the
            schema does not know.
    """
    try:
        return decode_register(document)
    except ShapeError as broken:
        raise error(Reason.INVALID_FIELD, violations=((broken.path, broken.problem),)) from broken


def decode_register(document: Mapping[str, object]) -> Register:
    """As `from_json`, for callers that name the place themselves.

    Raises:
        ShapeError: with path and problem in both languages.
    """
    known = [kind.value for kind in Kind]
    for key in document:
        if key not in known:
            hint, hint_tr = hints(key, known)
            raise ShapeError(
                key, f"unknown key {short(key)}{hint}", f"bilinmeyen anahtar {short(key)}{hint_tr}"
            )
    if Kind.ORGANIZATION.value not in document:
        raise ShapeError("", "key 'organization' is missing", "'organization' anahtarı eksik")
    if BUILT_IN_SYSTEM in _section(document, Kind.SYSTEM):
        raise ShapeError(
            f"systems/{BUILT_IN_SYSTEM}",
            f"the system {BUILT_IN_SYSTEM!r} is built in",
            f"{BUILT_IN_SYSTEM!r} sistemi yerleşiktir",
        )
    sections = {
        kind.value: codec.decode(document[kind.value], kind.value)
        for kind, codec in SECTIONS.items()
        if kind.value in document
    }
    return Register(**sections)  # type: ignore[arg-type]  # the codecs return what the attributes hold


def _section(document: Mapping[str, object], kind: Kind) -> Mapping[str, object]:
    section = document.get(kind.value)
    return cast("Mapping[str, object]", section) if isinstance(section, Mapping) else {}
