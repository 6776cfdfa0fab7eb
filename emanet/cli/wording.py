"""What the command line says, in English and Turkish side by side.

Help texts are in `wording_help`; errors have their own catalogue in `emanet.core.reasons`.
Headers of tables are words parted by `|`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from emanet.cli.language import Lang

__all__ = ["HELP_HEADINGS", "WORDS", "say"]

# ruff: noqa: E501, ISC004 - one row a text, both languages beside each other
# fmt: off
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "error": ("error", "hata"),
    "usage.help": ("see: {path} --help", "bakınız: {path} --help"),
    "usage.option": ("there is no option {name}", "{name} diye bir seçenek yok"),
    "usage.command": ("there is no command {name}", "böyle bir komut yok: {name}"),
    "usage.missing": ("{name} is missing", "{name} eksik"),
    "usage.bad": ("the value of {name} is not valid", "{name} için verilen değer geçerli değil"),
    "problem.value": ("{name} is not of its form", "{name} değeri biçime uymuyor"),
    "problem.value.next": ("write it like this: {form}", "şöyle yazın: {form}"),
    "problem.unread": ("{file} cannot be read ({why})", "{file} okunamıyor ({why})"),
    "problem.unread.next": ("check name and permissions", "adı ve izinleri denetleyin"),
    "problem.unwritten": ("{file} cannot be written ({why})", "{file} yazılamıyor ({why})"),
    "problem.unwritten.next": ("check name and permissions", "adı ve izinleri denetleyin"),
    "problem.no_endpoints": ("nothing runs here: {file} does not exist", "burada çalışan kurulum yok: {file} bulunamadı"),
    "problem.no_endpoints.next": ("run `emanet up`, or set EMANET_ENDPOINTS", "`emanet up` çalıştırın ya da EMANET_ENDPOINTS verin"),
    "problem.no_organization": ("no organization is named", "kuruluş belirtilmedi"),
    "problem.no_organization.next": ("add --organization ID, or set EMANET_ORGANIZATION", "--organization KİMLİK ekleyin ya da EMANET_ORGANIZATION verin"),
    "problem.already_up": ("already running as process {pid}", "zaten çalışıyor (süreç {pid})"),
    "problem.already_up.next": ("stop it first: emanet down", "önce durdurun: emanet down"),
    "problem.not_started": ("the services did not start:\n  {told}", "servisler başlamadı:\n  {told}"),
    "problem.not_started.next": ("all of it is in {log}", "tamamı {log} dosyasında"),
    "problem.nothing_submitted": ("no submitted version awaits approval", "onay bekleyen sunulmuş sürüm yok"),
    "problem.nothing_submitted.next": ("submit the draft first: emanet inventory submit", "önce taslağı sunun: emanet inventory submit"),
    # -- up, down, status, dev ---------------------------------------------------------------------
    "up.starting": ("starting the services", "servisler başlatılıyor"),
    "up.started": ("services up in {seconds} s", "servisler {seconds} sn'de açıldı"),
    "up.foreground": ("running; Ctrl-C stops all three", "çalışıyor; Ctrl-C üçünü de durdurur"),
    "up.embedded": (
        "Embedded, for development: this OS user holds log, signer and keys, so P3 and P4\n"
        "do not hold against this user.",
        "Gömülü geliştirme kipi: kayıt defteri, imza anahtarı ve veri anahtarları bu işletim\n"
        "sistemi kullanıcısındadır; P3 ve P4 bu kullanıcıya karşı geçerli değildir."),
    "up.exports": ("For your applications:", "Uygulamalarınız için:"),
    "up.unnamed": (
        "warning: {file} gives organization {organization} to no application;\n"
        "  calls for it will be refused until you add it there",
        "uyarı: {file} dosyasında {organization} kuruluşu hiçbir uygulamada yok;\n"
        "  oraya ekleyene dek bu kuruluşa ait çağrılar reddedilir"),
    "down.stopped": ("stopped: {names}", "durduruldu: {names}"),
    "down.nothing": ("nothing runs under {var}", "{var} altında çalışan bir şey yok"),
    "status.title": ("installation {installation}, mode {mode}", "kurulum {installation}, kip {mode}"),
    "status.services": ("service|address|version|state", "servis|adres|sürüm|durum"),
    "status.up": ("up", "çalışıyor"),
    "status.organizations": (
        "organization|register|rules|log|review|contact|warnings",
        "kuruluş|envanter|kural|kayıt|inceleme|temas|uyarılar"),
    "status.nobody": (
        "no organization answers; `emanet up --organization ID` adds one",
        "yanıt veren kuruluş yok; `emanet up --organization KİMLİK` ile ekleyin"),
    "status.promises.dev": (
        "Promises now: embedded, mode dev. One OS user holds log, signer and keys:\n"
        "  P3 (no record changes unnoticed) does not hold against this user;\n"
        "  P4 (retention ends in destruction) does not hold against this user.",
        "Şu an geçerli sözler: gömülü, geliştirme kipi. Kayıt defteri, imza anahtarı ve veri\n"
        "anahtarları tek bir işletim sistemi kullanıcısında:\n"
        "  P3 (kayıt fark edilmeden değişmez) bu kullanıcıya karşı geçerli değil;\n"
        "  P4 (saklama imhayla biter) bu kullanıcıya karşı geçerli değil."),
    "status.promises.production": (
        "Promises now: P3 holds against everybody who does not also hold the signing key, the\n"
        "  database's owner included. Against one who does, only up to the last checkpoint\n"
        "  that somebody outside has kept; no witness is set up.",
        "Şu an geçerli sözler: P3, imza anahtarını da elinde tutmayan herkese (veritabanı\n"
        "  sahibi dâhil) karşı geçerli. Anahtarı tutana karşı yalnız dışarıda birinin sakladığı\n"
        "  son denetim noktasına dek; tanık kurulmamış."),
    "dev.certs": ("{count} certificates made in {folder}", "{folder} içinde {count} sertifika üretildi"),
    "dev.written": ("{file} written", "{file} yazıldı"),
    "dev.kept": ("{file} kept as it is", "{file} olduğu gibi bırakıldı"),
    # -- inventory ---------------------------------------------------------------------------------
    "plan.nothing": ("the draft is what the manifest says", "taslak manifestle aynı"),
    "plan.count": ("{count} edits", "{count} değişiklik"),
    "apply.progress": ("editing the draft", "taslak değiştiriliyor"),
    "apply.done": (
        "{count} edits applied; lint: {errors} errors, {warnings} warnings",
        "{count} değişiklik uygulandı; denetim: {errors} hata, {warnings} uyarı"),
    "apply.has_errors": (
        "errors refuse submission; see: emanet inventory lint {file}",
        "hatalar sunmayı engeller; bakınız: emanet inventory lint {file}"),
    "submit.done": (
        "version {number} submitted; another person approves it with:",
        "{number}. sürüm sunuldu; başka bir kişi şu komutla onaylar:"),
    "approve.ask": (
        "Version {number}, submitted by {author}. Nothing is approved yet; to approve this:",
        "{number}. sürüm, sunan {author}. Henüz onaylanmadı; bunu onaylamak için:"),
    "approve.done": (
        "version {number} approved, in effect from {effective} (time of Türkiye)",
        "{number}. sürüm onaylandı, yürürlük {effective} (Türkiye saati)"),
    "versions.none": ("no version yet", "henüz sürüm yok"),
    "versions.header": (
        "no|state|submitted|in effect|author, approver|digest",
        "no|durum|sunuldu|yürürlük|sunan, onaylayan|özet"),
    "state.submitted": ("submitted", "sunuldu"),
    "state.withdrawn": ("withdrawn", "geri çekildi"),
    "state.approved": ("approved", "onaylandı"),
    "state.effective": ("in effect", "yürürlükte"),
    "state.superseded": ("superseded", "yerini yenisi aldı"),
    "state.applied": ("applied", "uygulandı"),
    "state.active": ("active", "etkin"),
    "export.done": ("{file} written (register version {number})", "{file} yazıldı (envanter sürümü {number})"),
    # -- rules -------------------------------------------------------------------------------------
    "rules.tested": ("{held} of {all} examples hold", "{all} örnekten {held} tanesi tutuyor"),
    "rules.applied": (
        "rule set {number} applied; another person activates it with:",
        "{number}. kural kümesi uygulandı; başka bir kişi şu komutla etkinleştirir:"),
    "rules.ask": (
        "Rule set {number}. Nothing is activated yet; to activate what you read above:",
        "{number}. kural kümesi. Henüz etkinleşmedi; yukarıda okuduğunuzu etkinleştirmek için:"),
    "rules.activated": (
        "rule set {number} active; log record {index}", "{number}. kural kümesi etkin; kayıt {index}"),
    "rules.none": ("no rule set yet", "henüz kural kümesi yok"),
    "rules.header": ("no|state|applied|activated|digest", "no|durum|uygulandı|etkinleşti|özet"),
})
# fmt: on

HELP_HEADINGS = (
    ("Usage:", "Kullanım:"),
    ("Options:", "Seçenekler:"),
    ("Commands:", "Komutlar:"),
    ("Arguments:", "Değişkenler:"),
    ("Show this message and exit.", "Bu yardımı göster."),
    ("required]", "zorunlu]"),
    ("default: ", "varsayılan: "),
    ("env var:", "ortam:"),
)
"""The framework's own words in help, and ours for them."""


def say(key: str, *, lang: Lang, **values: object) -> str:
    """A text in a language, its `{names}` filled."""
    english, turkish = WORDS[key]
    return (turkish if lang is Lang.TR else english).format_map(values)
