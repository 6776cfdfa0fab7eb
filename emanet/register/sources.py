"""What the periods of a register rest on, as a table: law, its number, and how sure we are.

A number in law that nobody has read at its source must not look like one that somebody has: every
rule carries the status of verbis.yaml (registry regulation art. 9/4 asks for the law's period; a
wrong one is the controller's fault, not the list's).
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from emanet.register.period import Period
from emanet.register.reference import Direction, LegalRule, reference
from emanet.register.sheet import Cell, Column, Table
from emanet.register.values import Register, RetentionRule
from emanet.register.wording import is_verified, word_period, word_retention, word_start

__all__ = ["retention_sources"]

_COLUMNS = (
    Column("saklama_kurali", "Saklama kuralı", "Retention rule"),
    Column("saklama_suresi", "Saklama süresi", "Retention period"),
    Column("mevzuat", "Mevzuat", "Legislation"),
    Column("dayanak", "Dayanak", "Ground"),
    Column("kanundaki_sure", "Mevzuattaki süre", "Period in legislation"),
    Column("durum", "Doğrulama durumu", "State of verification"),
    Column("gerekce", "Karar ve gerekçe", "Decision and reason"),
)
_STATUS = MappingProxyType(
    {
        "sourced": "Yayımlanmış bir kaynakta görüldü",
        "knowledge": "Genel bilgi; kaynağından okunmadı",
        "uncertain": "Doğrulanmadı; hukukçuya sorulmalı",
    }
)
_AT_LEAST, _AT_MOST = "en az", "en çok"
_ONLY_SUPPORTS = MappingProxyType(
    {
        Direction.CEILING_OF_INTEREST: "saklama ödevi değil, dayanak",
        Direction.POLICY: "mevzuatta süre yok, uygulama",
    }
)
_NO_LAW = "Mevzuata dayanmıyor"


def retention_sources(register: Register) -> Table:
    """One row for each law behind each retention rule, in the register's order.

    A rule that names no law has one row, which says so. Who decided is left out: the workbook is
    passed on, and person ids stay in the register.
    """
    rows = tuple(row for slug, rule in register.retention.items() for row in _rows(slug, rule))
    return Table(title_tr="DAYANAKLAR", columns=_COLUMNS, rows=rows)


def _rows(slug: str, rule: RetentionRule) -> Iterator[tuple[Cell, ...]]:
    name = Cell((rule.tr or slug,))
    period = Cell((word_retention(rule, lang="tr"),))
    reason = Cell(_reasons(rule))
    for code in rule.rules:
        law = reference().retention_rules[code]
        doubtful = not is_verified(law.item.status)
        yield (
            name,
            period,
            Cell((law.citation,)),
            Cell((law.item.tr,)),
            Cell((_in_law(law),)),
            Cell((_STATUS.get(law.item.status, law.item.status),), is_uncertain=doubtful),
            reason,
        )
    if not rule.rules:
        yield (name, period, Cell((_NO_LAW,)), Cell(), Cell(), Cell(), reason)


def _reasons(rule: RetentionRule) -> tuple[str, ...]:
    lines = [] if rule.because is None else [rule.because]
    if rule.decided is not None:
        lines.append(f"{rule.decided.on:%d.%m.%Y}: {rule.decided.why}")
    if rule.instructed_by is not None:
        lines.append("Veri sorumlusunun talimatı")
    return tuple(lines)


def _in_law(law: LegalRule) -> str:
    parts = [
        f"{word} {word_period(period, lang='tr')}"
        for word, period in ((_AT_LEAST, law.shortest), (_AT_MOST, law.longest))
        if period is not None
    ]
    if not parts and isinstance(law.period, Period):
        parts = [word_period(law.period, lang="tr")]
    if not parts:
        return "sayı vermiyor"
    start = word_start(law.start_event, lang="tr")
    note = _ONLY_SUPPORTS.get(law.direction)
    return f"{start} itibaren {', '.join(parts)}" + (f" ({note})" if note else "")
