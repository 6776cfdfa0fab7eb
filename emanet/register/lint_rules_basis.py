"""Lint rules on the legal basis of a row (KVKK art. 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from emanet.register.findings import Severity
from emanet.register.lint_rules_scope import Problem, Rule, Scope, quoted
from emanet.register.values import RowRef, Unresolved

__all__ = ["MARKETING", "RULES"]

# VERBİS purposes whose messages are commercial electronic messages (law 6563 art. 2/1-c).
MARKETING = frozenset({"urun_hizmet_pazarlama", "reklam_kampanya_promosyon"})

# Purposes for which another basis of art. 5/2 is the ordinary one. Consent for them misleads,
# because the controller would go on without it (verbis.yaml: consent is the last resort).
_ORDINARY_BASIS = MappingProxyType(
    {
        "finans_muhasebe": "5/2-ç",
        "yetkili_kurumlara_bilgi": "5/2-ç",
        "saklama_arsiv": "5/2-ç",
        "mevzuata_uygunluk": "5/2-ç",
        "hukuk_isleri": "5/2-e",
        "sozlesme": "5/2-c",
        "mal_hizmet_satis": "5/2-c",
        "mal_hizmet_uretim_operasyon": "5/2-c",
        "satis_sonrasi_destek": "5/2-c",
        "talep_sikayet": "5/2-c",
        "lojistik": "5/2-c",
        "bilgi_guvenligi": "5/2-f",
        "erisim_yetkileri": "5/2-f",
        "ic_denetim_sorusturma": "5/2-f",
        "veri_sorumlusu_operasyon_guvenligi": "5/2-f",
    }
)

# The number is ours: no source gives one, and rows with more read like a list of all that is done.
_MOST_PURPOSES = 3


def _basis_missing(scope: Scope) -> Iterator[Problem]:
    for ref in scope.controller_rows:
        if ref.row.basis is None:
            yield Problem(
                ref.path,
                "satırın hukuki sebebi yok; 5 ya da 6. maddedeki şartlardan biri yazılmalı",
                "the row has no legal basis; name a condition of art. 5 or 6",
            )


def _basis_unresolved(scope: Scope) -> Iterator[Problem]:
    for ref in scope.controller_rows:
        basis = ref.row.basis
        if isinstance(basis, Unresolved):
            yield Problem(
                f"{ref.path}/basis",
                f"'{basis.text}' bir hukuki sebep değil; madde yazılmalı (örneğin 5/2-c)",
                f"'{basis.text}' is no legal basis; write the article (for example 5/2-c)",
            )


def _special_without_article_6(scope: Scope) -> Iterator[Problem]:
    for ref in scope.controller_rows:
        basis = scope.basis_of(ref)
        special = [field for field in ref.row.fields if scope.is_special(field)]
        if special and (basis is None or not basis.special):
            names = quoted(special)
            yield Problem(
                f"{ref.path}/basis",
                f"{names} özel nitelikli veri; satır 6/3'teki bir şarta dayanmalı",
                f"{names}: special-category data; the row needs a condition of art. 6/3",
            )
        elif basis is not None and basis.special and not special:
            yield Problem(
                f"{ref.path}/basis",
                f"{basis.article} özel nitelikli veri içindir, satırda ise böyle veri yok; "
                "5. maddedeki şartlardan biri yazılmalı",
                f"{basis.article} is for special-category data, of which the row has none; name "
                "a condition of art. 5",
                "KVKK 5",
            )


def _law_missing(scope: Scope) -> Iterator[Problem]:
    for ref in scope.controller_rows:
        basis = scope.basis_of(ref)
        if basis is not None and "law_reference" in basis.needs and not ref.row.law:
            yield Problem(
                ref.path,
                f"{basis.article} kanun maddesi ister; 'law' yazılmamış",
                f"{basis.article} rests on another law; 'law' does not name it",
                f"KVKK {basis.article}",
            )


def _balance_missing(scope: Scope) -> Iterator[Problem]:
    for ref in scope.controller_rows:
        basis = scope.basis_of(ref)
        if basis is not None and "balancing_test" in basis.needs and not ref.row.balance_test:
            yield Problem(
                ref.path,
                f"{basis.article} meşru menfaat dengesi ister; 'balance_test' yazılmamış",
                f"{basis.article} needs a balancing test; 'balance_test' does not name one",
                f"KVKK {basis.article}",
            )


def _consent_text_missing(scope: Scope) -> Iterator[Problem]:
    for ref in scope.controller_rows:
        basis = scope.basis_of(ref)
        if basis is not None and basis.is_consent and not ref.row.consent:
            yield Problem(
                ref.path,
                "açık rıza metni gösterilmemiş; 'consent' ile metnin numarasını yazın",
                "no consent text is named; give its reference under 'consent'",
            )


def _consent_where_another_fits(scope: Scope) -> Iterator[Problem]:
    for ref in scope.controller_rows:
        basis = scope.basis_of(ref)
        if basis is None or not basis.is_consent or basis.special:
            continue
        fits = {
            purpose: _ORDINARY_BASIS[code]
            for purpose in ref.row.purposes
            if (code := scope.verbis_of(purpose)) in _ORDINARY_BASIS and code is not None
        }
        if fits:
            names, articles = quoted(fits), ", ".join(sorted(set(fits.values())))
            yield Problem(
                f"{ref.path}/basis",
                f"{names} için açık rıza gerekmez, {articles} uyar; "
                "rıza istemek kişiyi yanıltır ve geri alınınca iş durur",
                f"{names} needs no consent, {articles} fits; asking for it misleads people "
                "and a withdrawal would stop the work",
            )


def _bundled_purposes(scope: Scope) -> Iterator[Problem]:
    for ref in scope.register.rows:
        if len(ref.row.purposes) > _MOST_PURPOSES:
            count = len(ref.row.purposes)
            yield Problem(
                f"{ref.path}/purposes",
                f"tek satırda {count} amaç var; amaç başına hukuki sebep ve süre ayrılmalı "
                f"(en çok {_MOST_PURPOSES})",
                f"{count} purposes in one row; give each its own basis and period "
                f"(at most {_MOST_PURPOSES})",
            )


def _bundled_consent(scope: Scope) -> Iterator[Problem]:
    for ref in scope.controller_rows:
        basis = scope.basis_of(ref)
        if basis is not None and basis.is_consent and len(ref.row.purposes) > 1:
            yield Problem(
                f"{ref.path}/purposes",
                f"tek rızayla {len(ref.row.purposes)} amaç; açık rıza belirli bir konuya ilişkin "
                "olur, her amaç için ayrı satır ve ayrı rıza gerekir",
                f"one consent for {len(ref.row.purposes)} purposes; consent is given for a "
                "specific matter, so each purpose needs its own row and consent",
            )
    yield from _consent_shared(scope)


def _consent_shared(scope: Scope) -> Iterator[Problem]:
    """One consent text behind rows of different purposes: the same bundle, written apart."""
    first: dict[str, RowRef] = {}
    for ref in scope.controller_rows:
        basis, text = scope.basis_of(ref), ref.row.consent
        if basis is None or not basis.is_consent or not text:
            continue
        other = first.setdefault(text, ref)
        if set(other.row.purposes) != set(ref.row.purposes):
            yield Problem(
                f"{ref.path}/consent",
                f"'{text}' rızası başka bir amaç için de kullanılıyor ({other.path}); her amaç "
                "için ayrı rıza gerekir",
                f"consent '{text}' is used for another purpose too ({other.path}); each purpose "
                "needs a consent of its own",
            )


def _marketing_without_consent(scope: Scope) -> Iterator[Problem]:
    for ref in scope.controller_rows:
        basis = scope.basis_of(ref)
        names = [slug for slug in ref.row.purposes if scope.verbis_of(slug) in MARKETING]
        if names and basis is not None and not basis.is_consent:
            yield Problem(
                f"{ref.path}/basis",
                f"{quoted(names)}: ticari elektronik ileti önceden onay ister (tacir ve esnaf "
                "dışında); ayrı satırda 5/1'e dayandırın",
                f"{quoted(names)}: commercial messages need prior consent (merchants and "
                "tradesmen excepted); use a row of its own on 5/1",
            )


RULES = (
    Rule(
        "INV001",
        Severity.ERROR,
        "KVKK 5, 6",
        "Her satırın hukuki sebebi vardır.",
        "Every row has a legal basis.",
        _basis_missing,
    ),
    Rule(
        "INV005",
        Severity.ERROR,
        "KVKK 5, 6",
        "Hukuki sebep kanun maddesiyle yazılır, sözle değil.",
        "A legal basis is an article, not words.",
        _basis_unresolved,
    ),
    Rule(
        "INV006",
        Severity.ERROR,
        "KVKK 6/3",
        "Özel nitelikli veri 6/3'teki bir şarta dayanır.",
        "Special-category data rests on a condition of art. 6/3.",
        _special_without_article_6,
    ),
    Rule(
        "INV007",
        Severity.ERROR,
        "KVKK 5/2-a, 5/2-ç, 6/3-b, 6/3-f",
        "Kanuna dayanan satır kanun maddesini gösterir.",
        "A row that rests on another law names its article.",
        _law_missing,
    ),
    Rule(
        "INV008",
        Severity.ERROR,
        "KVKK 5/2-f",
        "Meşru menfaate dayanan satır denge testini gösterir.",
        "A row on legitimate interest names its balancing test.",
        _balance_missing,
    ),
    Rule(
        "INV009",
        Severity.ERROR,
        "KVKK 3/1-a, 5/1",
        "Açık rızaya dayanan satır rıza metnini gösterir.",
        "A row on consent names the consent text.",
        _consent_text_missing,
    ),
    Rule(
        "INV010",
        Severity.WARNING,
        "KVKK 5/2",
        "Başka bir şart uyuyorsa açık rıza istenmez.",
        "Consent is not asked for where another basis fits.",
        _consent_where_another_fits,
    ),
    Rule(
        "INV011",
        Severity.WARNING,
        "KVKK 4/2-c",
        "Bir satıra çok sayıda amaç sıkıştırılmaz.",
        "Purposes are not squeezed into one row.",
        _bundled_purposes,
    ),
    Rule(
        "INV012",
        Severity.ERROR,
        "KVKK 3/1-a",
        "Açık rıza tek bir amaç içindir.",
        "Consent is for one purpose.",
        _bundled_consent,
    ),
    Rule(
        "INV016",
        Severity.WARNING,
        "6563 m.6; KVKK 5/1",
        "Tanıtım iletisi açık rızaya dayanır.",
        "Marketing messages rest on consent.",
        _marketing_without_consent,
    ),
)
