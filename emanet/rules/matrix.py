"""The authorisation matrix (yetki matrisi): a rule set as a table that a manager can sign.

The Authority's Personal Data Security Guide asks for one. Here it is derived from the very rules
that decide, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from emanet.core.leaf_terms import Act, Mode
from emanet.register.reference import reference
from emanet.register.values import Register
from emanet.rules.scope import Scope, scope_of
from emanet.rules.values import (
    ANY_ROLE,
    CaseCondition,
    Counted,
    Effect,
    Limit,
    Per,
    RoleSource,
    Rule,
    RuleSet,
)

__all__ = ["Language", "Matrix", "authorisation_matrix", "format_matrix"]


class Language(StrEnum):
    """The languages in which the matrix is written."""

    TR = "tr"
    EN = "en"


_HEADERS: Mapping[Language, tuple[str, ...]] = MappingProxyType(
    {
        Language.TR: ("Rol", "Erişim amacı", "Alanlar", "İşlemler", "Koşullar", "Kural", "Kip"),
        Language.EN: ("Role", "Purpose", "Fields", "Acts", "Conditions", "Rule", "Mode"),
    }
)
_ACTS_TR: Mapping[Act, str] = MappingProxyType(
    {
        Act.LIST: "listeleme",
        Act.SEARCH: "arama",
        Act.READ_MASKED: "maskeli görme",
        Act.READ: "okuma",
        Act.EXPORT: "dosyaya alma",
        Act.UPDATE: "değiştirme",
        Act.DELETE: "silme",
        Act.DISCLOSE: "dışarıya aktarma",
    }
)
_ACTS_EN: Mapping[Act, str] = MappingProxyType(
    {act: act.value.replace("_", " ") for act in _ACTS_TR}
)
_CASE: Mapping[CaseCondition, tuple[str, str]] = MappingProxyType(
    {
        CaseCondition.REQUIRED: ("dosya gerekir", "needs a case"),
        CaseCondition.OPEN: ("dosya açık", "case is open"),
        CaseCondition.CONCERNS_SUBJECT: ("dosya bu kişiyle ilgili", "case is about this person"),
        CaseCondition.ASSIGNED: (
            "dosya kendisine ya da ekibine atanmış",
            "case is assigned to the actor or the team",
        ),
    }
)
_PER: Mapping[Per, tuple[str, str]] = MappingProxyType(
    {Per.HOUR: ("saatte", "an hour"), Per.DAY: ("günde", "a day"), Per.CASE: ("dosyada", "a case")}
)
_COUNTED: Mapping[Counted, tuple[str, str]] = MappingProxyType(
    {Counted.SUBJECTS: ("kişi", "persons"), Counted.RECORDS: ("kayıt", "records")}
)
_MODES_TR: Mapping[Mode, str] = MappingProxyType(
    {Mode.ENFORCE: "zorunlu", Mode.ALERT: "uyarı", Mode.OBSERVE: "izleme"}
)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A table of texts; every row is as long as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def authorisation_matrix(
    ruleset: RuleSet, register: Register, *, lang: Language = Language.TR
) -> Matrix:
    """Writes a rule set as a table: role, purpose, fields, acts, conditions, rule, mode.

    Patterns stand as the fields that they mean. A rule that means no field has no row.

    Args:
        ruleset: the rules.
        register: the register version that they narrow.
        lang: language of header, labels and conditions.

    Returns:
        Rows by role in the order of the file, then purpose, then rule; deny rules last.
    """
    writer = _Writer(ruleset, scope_of(register), lang)
    order = {role.slug: place for place, role in enumerate(ruleset.roles)}
    keyed = [
        ((rule.effect is Effect.DENY, order.get(role, -1), purpose, rule.id), row)
        for rule in ruleset.rules
        for role in rule.roles
        for purpose in writer.purposes_of(rule)
        if (row := writer.row(rule, role, purpose)) is not None
    ]
    return Matrix(_HEADERS[lang], tuple(row for _, row in sorted(keyed)))


def format_matrix(matrix: Matrix) -> str:
    """The table as Markdown; every line ends with a newline."""
    lines = [_line(matrix.header), _line("---" for _ in matrix.header)]
    lines += [_line(row) for row in matrix.rows]
    return "".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


@dataclass(frozen=True, slots=True)
class _Writer:
    ruleset: RuleSet
    scope: Scope
    lang: Language

    def purposes_of(self, rule: Rule) -> tuple[str, ...]:
        """The purposes of a rule; "" for a deny rule that names none and so covers all."""
        return rule.purposes or ("",)

    def row(self, rule: Rule, role: str, purpose: str) -> tuple[str, ...] | None:
        fields = self._fields(rule, purpose)
        if not fields:
            return None
        return (
            self._role(role),
            self._purpose(purpose),
            "; ".join(fields),
            self._acts(rule),
            "; ".join(self._conditions(rule, role, purpose)),
            rule.id,
            self._mode(self.ruleset.mode_of(rule)),
        )

    def _pick(self, tr: str, en: str) -> str:
        return tr if self.lang is Language.TR else en

    def _label(self, tr: str, en: str, slug: str) -> str:
        label = self._pick(tr, en) or tr or en
        return f"{label} ({slug})" if label else slug

    def _role(self, slug: str) -> str:
        if slug == ANY_ROLE:
            return self._pick("herkes", "everybody")
        role = self.ruleset.role(slug)
        if role is None:
            return slug
        text = self._label(role.tr, role.en, slug)
        return f"{text}, {self._pick('veri işleyen', 'processor')}" if role.outside else text

    def _purpose(self, slug: str) -> str:
        if not slug:
            return self._pick("bütün amaçlar", "every purpose")
        purpose = self.scope.register.purposes.get(slug)
        return self._label(purpose.tr, purpose.en or "", slug) if purpose else slug

    def _fields(self, rule: Rule, purpose: str) -> list[str]:
        purposes = (purpose,) if purpose else tuple(self.scope.purposes)
        matched = {
            slug
            for pattern in rule.patterns
            for one in purposes
            for slug in self.scope.match(pattern, one)
        }
        if rule.effect is Effect.ALLOW:
            matched -= self.scope.closed
        return [self._field(slug) for slug in sorted(matched)]

    def _field(self, slug: str) -> str:
        field = self.scope.register.fields[slug]
        known = reference().data_types.get(field.type)
        tr, en = (known.item.tr, known.item.en) if known else ("", "")
        return self._label(field.tr or tr, field.en or en or "", slug)

    def _acts(self, rule: Rule) -> str:
        words = _ACTS_TR if self.lang is Language.TR else _ACTS_EN
        acts = ", ".join(words[act] for act in words if act in rule.acts)
        acts = acts or self._pick("her işlem", "every act")
        return f"{self._pick('YASAK', 'DENIED')}: {acts}" if rule.effect is Effect.DENY else acts

    def _conditions(self, rule: Rule, role: str, purpose: str) -> list[str]:
        when = rule.when
        found = []
        known = self.ruleset.role(role)
        is_subject = known is not None and known.source is RoleSource.DATA_SUBJECT
        kind = self.scope.purposes.get(purpose, "")
        if kind and rule.effect is Effect.ALLOW and not is_subject:
            case = self.ruleset.case_kind(kind)
            label = self._label(case.tr, case.en, kind) if case else kind
            found.append(f"{self._pick('dosya', 'case')}: {label}")
        found += [self._pick(*_CASE[one]) for one in CaseCondition if one in when.case]
        found += [self._limit(limit) for limit in when.limits]
        if when.work_hours:
            found.append(self._pick("mesai saatinde", "in working hours"))
        if when.own_record is not None:
            found.append(self._own(when.own_record))
        if when.approver:
            found.append(self._pick("başka bir kişinin onayıyla", "another person approves"))
        if rule.excepted:
            listed = ", ".join(rule.excepted)
            found.append(self._pick(f"{listed} kuralı dışında", f"except under {listed}"))
        if rule.unless_approver:
            found.append(
                self._pick("başka bir kişi onaylamadıkça", "unless another person approves")
            )
        return found

    def _limit(self, limit: Limit) -> str:
        per, counted = self._pick(*_PER[limit.per]), self._pick(*_COUNTED[limit.counted])
        return self._pick(
            f"{per} en çok {limit.most} {counted}", f"at most {limit.most} {counted} {per}"
        )

    def _own(self, own: bool) -> str:
        if own:
            return self._pick("yalnız kendi kaydı", "only the own record")
        return self._pick("kendi kaydı değil", "not the own record")

    def _mode(self, mode: Mode) -> str:
        return self._pick(_MODES_TR[mode], mode.value)
