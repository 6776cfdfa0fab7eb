"""How the values of a field are protected, read once from a register version.

Encrypt and Decrypt follow it, and so does the in-memory fake of `emanet.testing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from emanet.core.errors import EmanetError, Reason, error
from emanet.core.names import parse_subject
from emanet.register.period import ISTANBUL
from emanet.register.retention import OPEN_BUCKET, class_of, is_open_class, missing_retention
from emanet.register.values import Bind, Field, Level, Register

__all__ = ["FieldRule", "RegisterView", "bucket_month", "verify_subject"]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How values of one field are protected.

    Attributes:
        field: the field's slug.
        level: its level; None while not decided.
        data_type: code of the data type, for masks.
        retention_class: rule slugs joined by `+`; empty where a row has no rule.
        is_open: whether the class uses the open bucket.
        needs_subject: whether any row that holds it has subject groups.
        binds_subject: whether the envelope is bound to its subject only.
        refusal: why the field cannot be encrypted; None when it can.
    """

    field: str
    level: Level | None
    data_type: str
    retention_class: str
    is_open: bool
    needs_subject: bool
    binds_subject: bool
    refusal: EmanetError | None

    def bucket(self, month: str) -> str:
        """The bucket of a value whose start lies in that month (`YYYY-MM`)."""
        return OPEN_BUCKET if self.is_open else month


@dataclass(frozen=True, slots=True)
class RegisterView:
    """One register version as encryption uses it; rules of fields are computed once.

    Attributes:
        number: the version's number.
        register: the whole value.
        fields: slug → rule, every field of the register.
    """

    number: int
    register: Register
    fields: Mapping[str, FieldRule]

    @classmethod
    def of(cls, number: int, register: Register) -> RegisterView:
        """Builds the view; costs one pass over the register's rows."""
        rules = {slug: _rule(register, slug, field) for slug, field in register.fields.items()}
        return cls(number=number, register=register, fields=MappingProxyType(rules))

    def rule(self, field: str) -> FieldRule:
        """The rule of a field.

        Raises:
            CallerError: UNKNOWN_FIELD.
        """
        rule = self.fields.get(field)
        if rule is None:
            raise error(Reason.UNKNOWN_FIELD, field=_shown(field))
        return rule


def verify_subject(register: Register, rule: FieldRule, subject: str) -> None:
    """Raises unless the subject is one that a value of the field may be encrypted for.

    Raises:
        CallerError: INVALID_SUBJECT, it is malformed, of a namespace that the register does not
            declare, looks like a T.C. number where that is not declared, or is missing although
            the field's rows name groups of data subjects; TEXT_NOT_NFC.
    """
    if not subject:
        if rule.needs_subject:
            raise error(Reason.INVALID_SUBJECT, field=rule.field)
        return
    namespace = register.namespaces.get(subject.partition("/")[0])
    if namespace is None:
        raise error(Reason.INVALID_SUBJECT, field=rule.field)
    parse_subject(subject, allow_identity_number=namespace.tckn)


def bucket_month(start: datetime) -> str:
    """The month of a start in Europe/Istanbul, `YYYY-MM`."""
    local = start.astimezone(ISTANBUL)
    return f"{local.year:04}-{local.month:02}"


def _rule(register: Register, slug: str, field: Field) -> FieldRule:
    retention_class = class_of(register, slug) or ""
    rows = register.rows_by_field.get(slug, ())
    return FieldRule(
        field=slug,
        level=field.level,
        data_type=field.type,
        retention_class=retention_class,
        is_open=bool(retention_class) and is_open_class(register, retention_class),
        needs_subject=any(register.subjects_of(ref) for ref in rows),
        binds_subject=field.bind is Bind.SUBJECT,
        refusal=_refusal(register, slug, field),
    )


def _refusal(register: Register, slug: str, field: Field) -> EmanetError | None:
    place = f"fields/{slug}"
    match field.level:
        case Level.FORBIDDEN:
            return error(Reason.FIELD_FORBIDDEN, field=slug, row=place)
        case Level.SEALED:
            return error(Reason.FIELD_SEALED, field=slug, row=place)
        case Level.NONE | None:
            return error(Reason.FIELD_NOT_ENCRYPTED, field=slug, row=place)
        case Level.ENCRYPTED:
            row = missing_retention(register, slug)
            if row is not None:
                return error(Reason.FIELD_WITHOUT_RETENTION, field=slug, row=row)
            return None


def _shown(field: str) -> str:
    """A field's name for metadata: anything that is not a slug could be a misplaced value."""
    return field if len(field) <= 63 and field.replace(".", "").isidentifier() else "?"
