"""What callers give and get: values to encrypt, envelopes, opened rows, records of reads."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emanet.core.errors import EmanetError

__all__ = ["AccessToRecord", "CaseState", "OpenedRow", "Plain", "Sealed", "ToEncrypt", "ToOpen"]

Plain = str | bytes
"""A plaintext: text (Unicode normal form C) or bytes, at most 64 KiB; the type is bound."""


@dataclass(frozen=True, slots=True)
class ToEncrypt:
    """One value to encrypt.

    Attributes:
        field: the field's slug.
        value: the plaintext.
        subject: `{namespace}/{ref}`.
        record: the record that it lies in; empty = the subject. Decrypt must name the same.
        start: when its retention starts to count, aware; None = now.
    """

    field: str
    value: Plain = dataclasses.field(repr=False)
    subject: str = dataclasses.field(default="", repr=False)
    record: str = dataclasses.field(default="", repr=False)
    start: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """One encrypted value.

    Attributes:
        envelope: bytes to store; the plaintext's length plus 94.
        tokens: blind-index tokens to store beside it; empty until blind indexes come.
    """

    envelope: bytes
    tokens: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class ToOpen:
    """One envelope to open; `subject`, when given, is compared with the key's."""

    field: str
    envelope: bytes | str
    subject: str = dataclasses.field(default="", repr=False)
    record: str = dataclasses.field(default="", repr=False)


class OpenedRow(dict[str, Plain | None]):
    """The opened columns of one row by field; None where there is no value to show.

    Attributes:
        errors: why a field could not be opened (`DestroyedError`, `IntegrityError`).
    """

    __slots__ = ("errors",)

    def __init__(
        self, values: Mapping[str, Plain | None], errors: Mapping[str, EmanetError]
    ) -> None:
        super().__init__(values)
        self.errors: Mapping[str, EmanetError] = MappingProxyType(dict(errors))


@dataclass(frozen=True, slots=True)
class AccessToRecord:
    """One access that has happened elsewhere and is to be recorded.

    Attributes:
        fields: slugs that were read.
        subjects: whose.
        action: its nature, as in `record_read`.
        time: when it happened, aware.
        count: how many values a field and subject.
        id: UUIDv7 text; the same id with the same content is one record. Empty = a new one.
    """

    fields: tuple[str, ...]
    subjects: tuple[str, ...] = dataclasses.field(repr=False)
    time: dt.datetime
    action: str = "read"
    count: int = 1
    id: str = ""


@dataclass(frozen=True, slots=True)
class CaseState:
    """A case as its application knows it, pushed with `put_cases`.

    Attributes:
        kind, ref: which case.
        opened_by: party as the rules name it: `customer`, `system`, or a role.
        opened: when, aware.
        subjects: whom it is about.
        assignees: person ids.
        teams: groups (`group:destek`).
        opener: person id, when a member of staff opened it.
        closed: when; None while it is open.
    """

    kind: str
    ref: str = dataclasses.field(repr=False)
    opened_by: str
    opened: dt.datetime
    subjects: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    assignees: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    teams: tuple[str, ...] = ()
    opener: str = dataclasses.field(default="", repr=False)
    closed: dt.datetime | None = None
