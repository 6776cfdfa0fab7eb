"""What a register permits, in the shape that rules need: the frame that no rule can leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emanet.register.declared import match_pattern
from emanet.register.values import Level, Register

__all__ = ["Scope", "scope_of"]

_NO_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scope:
    """The declared half of every decision.

    Attributes:
        register: the version itself.
        purposes: access purpose -> case kind that a read must bring, "" where none is asked.
        declared: purpose -> field -> paths of the rows that declare the field for it.
        fields: every field of the register.
        holders: field -> paths of all rows that hold it, whatever the purpose.
        closed: fields that nobody here may be given: sealed to the customer's key, or forbidden.
        recipients: (purpose, field) -> recipients that row and recipient both allow.
        each_needs: recipient -> case kind that each disclosure to it must bring.
    """

    register: Register
    purposes: Mapping[str, str]
    declared: Mapping[str, Mapping[str, tuple[str, ...]]]
    fields: frozenset[str]
    holders: Mapping[str, tuple[str, ...]]
    closed: frozenset[str]
    recipients: Mapping[tuple[str, str], frozenset[str]]
    each_needs: Mapping[str, str]

    def match(self, pattern: str, purpose: str) -> frozenset[str]:
        """The fields that a pattern means among those declared for a purpose."""
        declared = self.declared.get(purpose, _NO_FIELDS)
        matched = match_pattern(self.register, pattern=pattern, purpose=purpose)
        return matched.intersection(declared)

    def recipients_of(self, fields: tuple[str, ...], purpose: str) -> frozenset[str]:
        """Recipients that may get every one of the fields for the purpose."""
        allowed = [self.recipients.get((purpose, slug), frozenset()) for slug in fields]
        return frozenset.intersection(*allowed) if allowed else frozenset()


def scope_of(register: Register) -> Scope:
    """Reads the frame from a register version.

    A field of level `forbidden` counts as declared for nothing.
    """
    levels = {slug: entry.level for slug, entry in register.fields.items()}
    forbidden = {slug for slug, level in levels.items() if level is Level.FORBIDDEN}
    sealed = {slug for slug, level in levels.items() if level is Level.SEALED}
    declared: dict[str, dict[str, list[str]]] = {purpose: {} for purpose in register.purposes}
    recipients: dict[tuple[str, str], set[str]] = {}
    for ref in register.rows:
        slugs = set(ref.row.fields).intersection(levels) - forbidden
        for purpose in set(ref.row.purposes).intersection(declared):
            agreed = _agreed(register, ref.row.to, purpose)
            for slug in slugs:
                declared[purpose].setdefault(slug, []).append(ref.path)
                recipients.setdefault((purpose, slug), set()).update(agreed)
    return Scope(
        register=register,
        purposes=MappingProxyType(
            {slug: purpose.read_needs or "" for slug, purpose in register.purposes.items()}
        ),
        declared={
            purpose: {slug: tuple(paths) for slug, paths in fields.items()}
            for purpose, fields in declared.items()
        },
        fields=frozenset(register.fields),
        holders=MappingProxyType(
            {
                slug: tuple(dict.fromkeys(ref.path for ref in refs))
                for slug, refs in register.rows_by_field.items()
            }
        ),
        closed=frozenset(forbidden | sealed),
        recipients=MappingProxyType({key: frozenset(names) for key, names in recipients.items()}),
        each_needs=MappingProxyType(
            {slug: entry.each_needs or "" for slug, entry in register.recipients.items()}
        ),
    )


def _agreed(register: Register, names: tuple[str, ...], purpose: str) -> set[str]:
    return {
        name
        for name in names
        if name in register.recipients and purpose in register.recipients[name].may_use_for
    }
