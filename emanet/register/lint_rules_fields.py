"""Lint rules on fields: level, encryption, where they lie, whether anything declares them."""

from __future__ import annotations

from collections.abc import Iterator

from emanet.register.findings import Severity
from emanet.register.lint_rules_scope import Problem, Rule, Scope, quoted
from emanet.register.values import Field, Level, SystemKind

__all__ = ["RULES"]

# Types that identify a person for life or show more than the work needs (KVKK art. 4/2-ç).
# Card data is not stored as a rule (verbis.yaml, data type kart_bilgisi).
_NEEDS_REASON = frozenset(
    {"tckn", "ykn", "pasaport_no", "kimlik_belgesi", "ek_belge", "kart_bilgisi"}
)

_MOST_NAMES = 8


def _level_undecided(scope: Scope) -> Iterator[Problem]:
    for slug, field in scope.register.fields.items():
        if field.level is None:
            yield Problem(
                f"fields/{slug}",
                f"'{slug}' alanının koruma düzeyi seçilmemiş (none, encrypted, sealed, forbidden)",
                f"the level of '{slug}' is not decided (none, encrypted, sealed, forbidden)",
            )


def _field_without_row(scope: Scope) -> Iterator[Problem]:
    held = scope.register.rows_by_field
    for slug, field in scope.register.fields.items():
        if slug not in held and field.level is not Level.FORBIDDEN:
            yield Problem(
                f"fields/{slug}",
                f"'{slug}' hiçbir faaliyet satırında yok: neden tutulduğu belli değil",
                f"'{slug}' is in no row of an activity: nothing says why it is held",
            )


def _forbidden_but_held(scope: Scope) -> Iterator[Problem]:
    for slug, field in scope.register.fields.items():
        if field.level is not Level.FORBIDDEN:
            continue
        for ref in scope.register.rows_by_field.get(slug, ()):
            yield Problem(
                ref.path,
                f"'{slug}' yasak düzeyde, satırda yer alamaz",
                f"'{slug}' is forbidden and cannot be in a row",
            )
        if field.locations:
            where = quoted(str(place) for place in field.locations)
            yield Problem(
                f"fields/{slug}/in",
                f"'{slug}' yasak düzeyde ama {where} içinde duruyor; silinmeli",
                f"'{slug}' is forbidden and yet lies in {where}; remove it there",
            )


def _not_encrypted(scope: Scope) -> Iterator[Problem]:
    for slug, field in scope.register.fields.items():
        if field.level is not Level.NONE or _is_on_paper(scope, field):
            continue
        if scope.is_special(slug):
            yield Problem(
                f"fields/{slug}",
                f"'{slug}' özel nitelikli veri, şifrelenmeden tutulamaz",
                f"'{slug}' is special-category data and must be encrypted",
                "KVKK 6/4; Kurul 31.01.2018 2018/10",
            )
        elif scope.reference.data_types[field.type].encrypt:
            label = scope.reference.data_types[field.type].item
            yield Problem(
                f"fields/{slug}",
                f"'{slug}' ({label.tr}) şifrelenmeden tutuluyor; düzeyi encrypted ya da sealed "
                "olmalı",
                f"'{slug}' ({label.en}) is held unencrypted; make it encrypted or sealed",
            )


def _special_in_ordinary_category(scope: Scope) -> Iterator[Problem]:
    for slug, field in scope.register.fields.items():
        category = scope.category_of(field)
        if field.special and not category.flag("special") and not category.is_free_text:
            yield Problem(
                f"fields/{slug}",
                f"'{slug}' özel nitelikli, ama '{category.tr}' kategorisinde; VERBİS'teki kendi "
                "kategorisi yazılmalı ('category', örneğin saglik_bilgileri)",
                f"'{slug}' is special-category data in the category '{category.en}'; state the "
                "one that VERBİS has for it ('category', for example saglik_bilgileri)",
            )


def _is_on_paper(scope: Scope, field: Field) -> bool:
    """Whether a field lies on paper alone, which locks protect and no cipher."""
    kinds = {
        system.kind
        for place in field.locations
        if (system := scope.register.find_system(place.system)) is not None
    }
    return kinds == {SystemKind.PAPER}


def _sealed_for_staff(scope: Scope) -> Iterator[Problem]:
    for slug, field in scope.register.fields.items():
        if field.level is not Level.SEALED:
            continue
        for ref in scope.register.rows_by_field.get(slug, ()):
            staff = [purpose for purpose in ref.row.purposes if _is_staff_purpose(scope, purpose)]
            if staff:
                yield Problem(
                    f"{ref.path}/purposes",
                    f"'{slug}' mühürlü: anahtarı müşteridedir; {quoted(staff)} ise personelin "
                    "okumasını öngörüyor. Biri kalkmalı",
                    f"'{slug}' is sealed, only the customer has the key, yet {quoted(staff)} "
                    "lets staff read it; one of the two must go",
                )


def _is_staff_purpose(scope: Scope, purpose: str) -> bool:
    """A purpose that a person states with a case for a read."""
    known = scope.register.purposes.get(purpose)
    return known is not None and known.read_needs is not None


def _reason_missing(scope: Scope) -> Iterator[Problem]:
    for slug, field in scope.register.fields.items():
        stored = field.level is not Level.FORBIDDEN
        if stored and field.type in _NEEDS_REASON and not field.because:
            label = scope.reference.data_types[field.type].item
            yield Problem(
                f"fields/{slug}",
                f"'{slug}' ({label.tr}) için neden gerekli olduğu yazılmamış ('because')",
                f"'{slug}' ({label.en}): nothing says why it is needed ('because')",
            )


def _place_missing(scope: Scope) -> Iterator[Problem]:
    """One finding for all: a policy that names no medium names none for every field."""
    missing = [
        slug
        for slug, field in scope.register.fields.items()
        if not field.locations and field.level is not Level.FORBIDDEN
    ]
    if missing:
        names = quoted(missing[:_MOST_NAMES]) + (", …" if len(missing) > _MOST_NAMES else "")
        yield Problem(
            f"fields/{missing[0]}",
            f"kayıt ortamı ('in') yazılmamış {len(missing)} alan: {names}",
            f"fields without a medium ('in'): {len(missing)} ({names})",
        )


RULES = (
    Rule(
        "INV071",
        Severity.ERROR,
        "KVKK 6/1; Sicil Yön. 9/1-c",
        "Özel nitelikli veri VERBİS'teki kendi kategorisindedir.",
        "Special-category data is in the category that VERBİS has for it.",
        _special_in_ordinary_category,
    ),
    Rule(
        "INV037",
        Severity.ERROR,
        "KVKK 12/1",
        "Her alanın koruma düzeyi seçilmiştir.",
        "Every field has a level.",
        _level_undecided,
    ),
    Rule(
        "INV038",
        Severity.ERROR,
        "Sicil Yön. 4/1-h",
        "Her alan en az bir faaliyet satırında yer alır.",
        "Every field is in at least one row.",
        _field_without_row,
    ),
    Rule(
        "INV039",
        Severity.ERROR,
        "KVKK 4/2-ç, 12/1",
        "Yasak düzeydeki alan tutulmaz.",
        "A forbidden field is not held.",
        _forbidden_but_held,
    ),
    Rule(
        "INV040",
        Severity.ERROR,
        "KVKK 12/1",
        "Kimlik belirleyici ve özel nitelikli veri şifreli tutulur.",
        "Identifying and special-category data is encrypted.",
        _not_encrypted,
    ),
    Rule(
        "INV041",
        Severity.ERROR,
        "KVKK 4/2-a; Emanet P6",
        "Mühürlü alan personelin okuduğu bir amaç için bildirilmez.",
        "A sealed field is not declared for a purpose for which staff read.",
        _sealed_for_staff,
    ),
    Rule(
        "INV042",
        Severity.WARNING,
        "KVKK 4/2-ç",
        "Kimlik numarası, kimlik belgesi ve kart bilgisi için gerekçe yazılır.",
        "Identity numbers, documents and card data have a stated reason.",
        _reason_missing,
    ),
    Rule(
        "INV043",
        Severity.WARNING,
        "Silme Yön. 4/1, 6",
        "Her alanın kayıt ortamı bellidir.",
        "Every field has a medium.",
        _place_missing,
    ),
)
