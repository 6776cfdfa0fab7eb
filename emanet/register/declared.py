"""What a register declares: which field for which purpose, in which row."""

from __future__ import annotations

from emanet.register.values import Register, RowRef

__all__ = ["declared_fields", "match_pattern", "purposes_of", "rows_for", "subject_groups"]


def rows_for(register: Register, *, field: str, purpose: str) -> tuple[RowRef, ...]:
    """The rows that hold a field for a purpose; empty when the register declares none.

    A field that the register does not know is held by no row.
    """
    if field not in register.fields:
        return ()
    refs = register.rows_by_field.get(field, ())
    return tuple(ref for ref in refs if purpose in ref.row.purposes)


def declared_fields(register: Register, purpose: str) -> frozenset[str]:
    """The known fields that any row holds for a purpose."""
    return register.fields_by_purpose.get(purpose, frozenset())


def purposes_of(register: Register, field: str) -> frozenset[str]:
    """The purposes for which any row holds a field."""
    if field not in register.fields:
        return frozenset()
    refs = register.rows_by_field.get(field, ())
    return frozenset(purpose for ref in refs for purpose in ref.row.purposes)


def match_pattern(register: Register, *, pattern: str, purpose: str) -> frozenset[str]:
    """The fields that a pattern means: the matching ones *declared for that purpose*.

    Args:
        register: the register in effect.
        pattern: `*` for all, `customer.*` for all below `customer.`, else one field's slug.
        purpose: the access purpose.
    """
    declared = declared_fields(register, purpose)
    if pattern == "*":
        return declared
    if pattern.endswith(".*"):
        prefix = pattern[:-1]
        return frozenset(name for name in declared if name.startswith(prefix))
    return declared & {pattern}


def subject_groups(register: Register, field: str) -> frozenset[str]:
    """The groups of data subjects whose data a field holds, over all its rows.

    A field with any group has a subject for every value; crypto refuses one without.
    """
    refs = register.rows_by_field.get(field, ())
    return frozenset(group for ref in refs for group in register.subjects_of(ref))
