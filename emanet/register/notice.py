"""The notice of a change: what changed for whom, from when, and by when VERBİS must know."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

from emanet.register.diff import Act, Change, VerbisChange, diff, diff_verbis
from emanet.register.notice_words import word_change, word_group
from emanet.register.period import ISTANBUL
from emanet.register.reference import reference
from emanet.register.values import Kind, Register, empty_register
from emanet.register.verbis import verbis_view

__all__ = ["ChangeNotice", "change_notice"]

_WIDTH = 100
_LANGUAGES = ("tr", "en")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIGNS = MappingProxyType({Act.ADDED: "+", Act.REMOVED: "-", Act.CHANGED: "~"})
_SECTIONS = MappingProxyType(
    {
        Kind.ORGANIZATION: ("Kuruluş", "Organization"),
        Kind.NAMESPACE: ("Kişi adlandırma alanları", "Subject namespaces"),
        Kind.REGISTRY: ("Sicil", "Registry"),
        Kind.DESTRUCTION: ("İmha", "Destruction"),
        Kind.MEASURE: ("Tedbirler", "Measures"),
        Kind.PURPOSE: ("Amaçlar", "Purposes"),
        Kind.SYSTEM: ("Kayıt ortamları", "Media"),
        Kind.FIELD: ("Alanlar", "Fields"),
        Kind.RETENTION_RULE: ("Saklama süreleri", "Retention rules"),
        Kind.RECIPIENT: ("Alıcılar", "Recipients"),
        Kind.NOTICE: ("Aydınlatma metinleri", "Privacy notices"),
        Kind.ACTIVITY: ("Faaliyetler", "Activities"),
        Kind.CLAIM: ("Taahhütler", "Claims"),
    }
)
_ITEMS = MappingProxyType(
    {
        "category": ("veri kategorisi", "data category"),
        "purposes": ("işleme amacı", "purpose"),
        "subjects": ("kişi grubu", "data-subject group"),
        "recipients": ("alıcı grubu", "recipient group"),
        "abroad": ("yabancı ülkelere aktarım", "transfer abroad"),
        "retention": ("azami süre", "longest retention"),
        "measures": ("tedbir", "measure"),
        "tr": ("veri sorumlusunun adı", "name of the controller"),
        "kep": ("KEP adresi", "registered e-mail"),
        "address": ("adres", "address"),
        "representative": ("temsilci", "representative"),
        "contact": ("irtibat kişisi", "contact person"),
    }
)


_CHANGE_OF_ENTRY = ("Sicil Yön. 13: yedi gün", "registry regulation art. 13: seven days")
_LATE_ENTRY = (
    "Sicil Yön. 8/2: yükümlü olduktan sonra otuz gün",
    "registry regulation art. 8/2: thirty days after becoming liable",
)


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """What a new version changes.

    Attributes:
        organization: the organization's slug.
        effective: from when the new register holds, aware.
        happened: the day of the change in Türkiye: the earlier of effective time and first
            observation in the systems.
        changes: every difference.
        verbis_changes: those of what VERBİS is told; empty for an exempt organization.
        verbis_deadline: last day to tell VERBİS (registry regulation art. 13: within seven days
            of the change; art. 8/2: within thirty of becoming liable); None where nothing must be.
        tr, en: the notice as text, lines ending with a line feed; without person ids.
    """

    organization: str
    effective: datetime
    happened: date
    changes: tuple[Change, ...]
    verbis_changes: tuple[VerbisChange, ...]
    verbis_deadline: date | None
    tr: str
    en: str


def change_notice(
    a: Register, b: Register, *, effective: datetime, observed: datetime | None = None
) -> ChangeNotice:
    """Writes the notice of the change from one version to the next.

    Args:
        a: the version before; `empty_register` for the first one.
        b: the new version.
        effective: from when `b` holds, aware.
        observed: when the systems were first seen to do what `b` says, aware; None = not before.

    Returns:
        The notice; the same input gives the same texts.
    """
    moment = effective if observed is None else min(effective, observed)
    happened = moment.astimezone(ISTANBUL).date()
    before, view = verbis_view(a), verbis_view(b)
    was_exempt = before.controller.is_exempt
    if was_exempt:  # nothing has ever been filed: everything is told, to a longer clock
        before = verbis_view(empty_register(a.organization.id))
    told = () if view.controller.is_exempt else diff_verbis(before, view)
    term = "verbis_kayit_sonradan" if was_exempt else "verbis_degisiklik"
    days = reference().lists["deadlines"][term].attributes["value"]
    deadline = happened + timedelta(days=int(str(days))) if told else None
    changes = diff(a, b)
    page = _Page(
        register=b,
        effective=effective,
        happened=happened,
        changes=changes,
        told=told,
        deadline=deadline,
        ground=view.controller.ground if view.controller.is_exempt else None,
        is_exempt=view.controller.is_exempt,
        was_exempt=was_exempt,
        is_first=not a.activities,
    )
    return ChangeNotice(
        organization=b.organization.id,
        effective=effective,
        happened=happened,
        changes=changes,
        verbis_changes=told,
        verbis_deadline=deadline,
        tr=_text(page, lang=0),
        en=_text(page, lang=1),
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """What both texts say."""

    register: Register
    effective: datetime
    happened: date
    changes: tuple[Change, ...]
    told: tuple[VerbisChange, ...]
    deadline: date | None
    ground: str | None
    is_exempt: bool
    was_exempt: bool
    is_first: bool


def _text(page: _Page, *, lang: int) -> str:
    organization = page.register.organization
    name = organization.tr if lang == 0 else organization.en or organization.tr
    effective = page.effective.astimezone(ISTANBUL)
    lines = [
        (f"DEĞİŞİKLİK BİLDİRİMİ: {name}", f"NOTICE OF CHANGE: {name}")[lang],
        (
            f"Yürürlük: {effective:%d.%m.%Y %H:%M} (Türkiye saati)",
            f"In effect from {effective:%Y-%m-%d %H:%M} (time of Türkiye)",
        )[lang],
        "",
        *_verbis_lines(page, lang),
        "",
        *_group_lines(page.changes, lang),
        "",
        *_change_lines(page, lang),
    ]
    return "\n".join(lines) + "\n"


def _verbis_lines(page: _Page, lang: int) -> Iterator[str]:
    yield "VERBİS"
    if page.is_exempt:
        ground = page.ground or ("dayanağı yazılmamış", "ground not stated")[lang]
        yield (
            f"  Sicile kayıttan istisna ({ground}): bildirim gerekmez.",
            f"  Exempt from the registry ({ground}): nothing to notify.",
        )[lang]
        if not page.was_exempt and not page.is_first:
            yield (
                "  Kayıtlıysa Sicilden silinme istenir; eski yükümlülükler sürer (Sicil Yön. 14).",
                "  If registered, ask for removal; past duties remain (registry regulation 14).",
            )[lang]
    elif page.deadline is None:
        yield ("  Sicil içeriği değişmedi.", "  What VERBİS holds does not change.")[lang]
    else:
        tr = f"  VERBİS'e son gün: {page.deadline:%d.%m.%Y} (değişiklik {page.happened:%d.%m.%Y})"
        month = _MONTHS[page.deadline.month - 1]  # strftime would follow the machine's locale
        by = f"{page.deadline.day} {month} {page.deadline.year}"
        en = f"  VERBİS by {by} (changed {page.happened})"
        article = (_LATE_ENTRY if page.was_exempt else _CHANGE_OF_ENTRY)[lang]
        yield f"{(tr, en)[lang]}; {article}."
        if page.is_first:
            yield from _first_lines(page, lang)
        yield (
            "  + seçilir, - seçimi kaldırılır, ~ değiştirilir:",
            "  + to select, - to deselect, ~ to change:",
        )[lang]
    for change in page.told:
        where = "" if change.entry is None else f"{change.entry.label} · "
        words = f"{where}{_ITEMS[change.item][lang]}: {_arrow(change.old, change.new)}"
        yield from _wrapped(f"  {_SIGNS[change.act]} {words}")


def _first_lines(page: _Page, lang: int) -> Iterator[str]:
    """The first version changes nothing that we know of; it is what VERBİS has to say."""
    since = page.register.registry.since if page.register.registry is not None else None
    if since is None:
        yield (
            "  İlk sürüm: kayıt işlemeye başlamadan önce yapılır (Sicil Yön. 8/1).",
            "  First version: register before processing begins (registry regulation art. 8/1).",
        )[lang]
    else:
        tr = f"İlk sürüm: {since:%d.%m.%Y} tarihli kayıtla karşılaştırılır, farkı girilir."
        en = f"First version: compare with what VERBİS holds since {since}; enter what differs."
        yield f"  {(tr, en)[lang]}"


def _group_lines(changes: Iterable[Change], lang: int) -> Iterator[str]:
    yield ("KİMİ İLGİLENDİRİR", "WHOM IT CONCERNS")[lang]
    counts: dict[str, int] = {}
    for change in changes:
        for code in change.concerns:
            counts[code] = counts.get(code, 0) + 1
    if not counts:
        yield ("  Kimsenin verisini değiştirmiyor.", "  Nobody's data changes.")[lang]
    for code in sorted(counts, key=lambda code: (reference().subject_group(code).order, code)):
        count = counts[code]
        word = ("değişiklik", "change" if count == 1 else "changes")[lang]
        yield f"  {word_group(code, lang=_LANGUAGES[lang])}: {count} {word}"


def _change_lines(page: _Page, lang: int) -> Iterator[str]:
    yield ("NE DEĞİŞTİ", "WHAT CHANGES")[lang]
    section: Kind | None = None
    register = page.register
    everybody = {code for ref in register.rows for code in register.subjects_of(ref)}
    for change in page.changes:
        if change.kind is not section:
            section = change.kind
            yield f"  {_SECTIONS[section][lang]}"
        yield from _wrapped(
            f"    {_SIGNS[change.act]} {_sentence(change, register, everybody, lang)}"
        )
    if section is None:
        yield ("  Hiçbir şey.", "  Nothing.")[lang]


def _sentence(change: Change, register: Register, everybody: Set[str], lang: int) -> str:
    words = word_change(change, register, lang=_LANGUAGES[lang])
    if len(everybody) > 1 and everybody <= set(change.concerns):
        whom = ("herkes", "everybody")[lang]
    else:
        whom = ", ".join(word_group(code, lang=_LANGUAGES[lang]) for code in change.concerns)
    return f"{words}  [{whom}]" if whom else words


def _arrow(old: str, new: str) -> str:
    return f"{old} → {new}" if old and new else old or new


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(
        line,
        width=_WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
