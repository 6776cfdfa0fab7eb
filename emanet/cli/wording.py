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
    "why.ENOENT": ("it does not exist", "böyle bir dosya yok"),
    "why.EACCES": ("not permitted", "izin yok"),
    "why.EPERM": ("not permitted", "izin yok"),
    "why.EISDIR": ("it is a directory", "bu bir klasör"),
    "why.ENOTDIR": ("a part of its path is no directory", "yolun bir parçası klasör değil"),
    "why.NOT_A_DIRECTORY": ("it is not a directory", "bu bir klasör değil"),
    "why.EROFS": ("the disk is read-only", "disk salt okunur"),
    "why.ENOSPC": ("the disk is full", "disk dolu"),
    "why.UTF-8": ("it is not UTF-8 text", "UTF-8 metin değil"),
    "problem.unexpected": ("something unforeseen happened ({kind} in {place})", "beklenmeyen bir hata oldu ({kind}, {place})"),
    "problem.unexpected.next": ("report this line and the command; it is a bug of Emanet", "bu satırı ve komutu bildirin; Emanet'in bir hatasıdır"),
    "problem.unwritten": ("{file} cannot be written ({why})", "{file} yazılamıyor ({why})"),
    "problem.unwritten.next": ("check name and permissions", "adı ve izinleri denetleyin"),
    "problem.no_endpoints": ("nothing runs here: {file} does not exist", "burada çalışan kurulum yok: {file} bulunamadı"),
    "problem.no_endpoints.next": ("run `emanet up`, or set EMANET_ENDPOINTS", "`emanet up` çalıştırın ya da EMANET_ENDPOINTS verin"),
    "problem.bad_endpoints": ("{file} is not an endpoints file", "{file} bir uç nokta dosyası değil"),
    "problem.bad_endpoints.next": ("EMANET_ENDPOINTS names the file that `emanet up` writes (var/run/endpoints.json)", "EMANET_ENDPOINTS, `emanet up` komutunun yazdığı dosyayı göstermeli (var/run/endpoints.json)"),
    "problem.no_certificate": ("there is no certificate for application {app}: {file} cannot be read", "{app} uygulamasının sertifikası yok: {file} okunamıyor"),
    "problem.no_certificate.next": ("name another --app, set EMANET_CERTS_DIR, or for development: emanet dev certs --app {app}", "başka bir --app verin, EMANET_CERTS_DIR ayarlayın ya da geliştirme için: emanet dev certs --app {app}"),
    "problem.no_server_packages": ("this Python has the command but not what the services need ({module})", "bu Python'da komut var ama servislerin gerektirdiği paketler yok ({module})"),
    "problem.no_server_packages.next": ("run `make setup` in {checkout} and use {checkout}/.venv/bin/emanet", "{checkout} içinde `make setup` çalıştırıp {checkout}/.venv/bin/emanet kullanın"),
    "problem.two_answers": ("--output - writes the sheet itself to standard output, so --json has no place there", "--output - çizelgenin kendisini standart çıktıya yazar; --json ile birlikte olmaz"),
    "problem.two_answers.next": ("leave one of them out; --format json is the sheet as JSON", "birini çıkarın; çizelgenin JSON hâli --format json ile alınır"),
    "problem.not_receipt": ("{file} is not a receipt", "{file} bir makbuz değil"),
    "problem.not_receipt.next": ("give the JSON of an answer, or what `emanet destruction show --receipt` wrote", "bir yanıtın JSON'unu ya da `emanet destruction show --receipt` çıktısını verin"),
    "problem.no_organization": ("no organization is named", "kuruluş belirtilmedi"),
    "problem.no_organization.next": ("add --organization ID, or set EMANET_ORGANIZATION", "--organization KİMLİK ekleyin ya da EMANET_ORGANIZATION verin"),
    "problem.no_principals": ("there is no {file}", "{file} yok"),
    "problem.no_principals.next": ("make it first: emanet dev certs --organization ID", "önce üretin: emanet dev certs --organization KİMLİK"),
    "problem.already_up": ("already running as process {pid}", "zaten çalışıyor (süreç {pid})"),
    "problem.already_up.next": ("stop it first: emanet down", "önce durdurun: emanet down"),
    "problem.not_started": ("the services did not start:\n  {told}", "servisler başlamadı:\n  {told}"),
    "problem.not_started.next": ("all of it is in {log}", "tamamı {log} dosyasında"),
    "problem.nothing_submitted": ("no submitted version awaits approval", "onay bekleyen sunulmuş sürüm yok"),
    "problem.nothing_submitted.next": ("submit the draft first: emanet inventory submit", "önce taslağı sunun: emanet inventory submit"),
    "problem.exists": ("{file} exists already", "{file} zaten var"),
    "problem.exists.next": ("name another directory, or add --replace for an earlier export", "başka bir klasör verin ya da önceki dökümün yerine --replace ekleyin"),
    "problem.file_or_options": ("cases come from one file, or from --kind and --ref", "dosya kaydı (case) ya bir JSON dosyasından ya da --kind ve --ref ile verilir"),
    "problem.file_or_options.next": ("see: emanet cases put --help", "bakınız: emanet cases put --help"),
    "problem.not_json": ("{file} is not JSON", "{file} JSON değil"),
    "problem.not_json.next": ("correct the line", "satırı düzeltin"),
    "problem.not_cases": ("{file} holds something that is no case", "{file} içinde dosya kaydı (case) olmayan bir şey var"),
    "problem.not_cases.next": ("keys of a case: {keys}", "bir dosya kaydının anahtarları: {keys}"),
    "problem.case_incomplete": ("a case lacks kind, ref or the time it was opened, or has a value of another type", "bir dosya kaydında kind, ref ya da opened eksik ya da bir değerin türü yanlış"),
    "problem.case_incomplete.next": ("see docs/cli.md, `emanet cases put`", "docs/cli.md içinde `emanet cases put` bölümüne bakın"),
    "problem.stdin": ("standard input is not text of the expected form", "standart girdi beklenen biçimde metin değil"),
    "problem.stdin.next": ("give UTF-8 text to encrypt, an emn1.… envelope to decrypt", "şifrelemek için UTF-8 metin, çözmek için emn1.… zarfı verin"),
    "problem.subject_or_bucket": ("a destruction names a subject, or one class with a bucket", "imha ya bir kişi ya da bir sınıf ile ay ister"),
    "problem.subject_or_bucket.next": ("--subject customers/42, or --class web_log --bucket 2024-05", "--subject customers/42 ya da --class web_log --bucket 2024-05"),
    "problem.no_receipt": ("the destruction has no receipt yet", "imhanın belgesi henüz yok"),
    "problem.no_receipt.next": ("it is signed about 30 s after the keys are gone; try again", "anahtarlar silindikten yaklaşık 30 sn sonra imzalanır; yeniden deneyin"),
    "problem.leaf_or_log": ("a receipt is verified against its record or the log", "makbuz, kaydıyla ya da kayıt defteriyle doğrulanır"),
    "problem.leaf_or_log.next": ("add --log DIR, --leaf FILE, or both", "--log KLASÖR, --leaf DOSYA ya da ikisini ekleyin"),
    "problem.log_needed": ("a destruction receipt is verified against the log", "imha belgesi kayıt defteriyle doğrulanır"),
    "problem.log_needed.next": ("add --log DIR", "--log KLASÖR ekleyin"),
    "problem.not_vkey": ("{file} is not a verifier key", "{file} doğrulama anahtarı değil"),
    "problem.not_vkey.next": ("it is one line: name+8 hex digits+base64", "tek satırdır: ad+8 onaltılık basamak+base64"),
    # -- up, down, status, dev ---------------------------------------------------------------------
    "up.starting": ("starting the services", "servisler başlatılıyor"),
    "up.started": ("services up in {seconds} s", "servisler {seconds} sn'de açıldı"),
    "up.foreground": ("running; Ctrl-C stops all three", "çalışıyor; Ctrl-C üçünü de durdurur"),
    "up.embedded": (
        "Embedded, for development: this OS user holds log, signer and keys, so P3 and\n"
        "P4 do not hold against this user.",
        "Gömülü geliştirme kipi: kayıt defteri, imza anahtarı ve veri anahtarları bu\n"
        "işletim sistemi kullanıcısında; P3 ve P4 bu kullanıcıya karşı geçerli değil."),
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
        "no organization yet; `emanet up --organization ID` adds one",
        "henüz kuruluş yok; `emanet up --organization KİMLİK` ile ekleyin"),
    "status.unanswered": (
        "nothing is told about {organization}: principals.yaml must give it to this\n"
        "application, and the services must know it (add-organization)",
        "{organization} hakkında bilgi verilmiyor: principals.yaml onu bu uygulamaya\n"
        "vermeli, servisler de onu tanımalı (add-organization)"),
    "status.promises.dev": (
        "Promises now: embedded, mode dev. One OS user holds log, signer and keys:\n"
        "  P3 (no record changes unnoticed) does not hold against this user;\n"
        "  P4 (retention ends in destruction) does not hold against this user.",
        "Şu an geçerli sözler: gömülü geliştirme kipi. Kayıt defteri, imza anahtarı ve\n"
        "veri anahtarları tek bir işletim sistemi kullanıcısında:\n"
        "  P3 (kayıt fark edilmeden değişmez) bu kullanıcıya karşı geçerli değil;\n"
        "  P4 (saklama imhayla biter) bu kullanıcıya karşı geçerli değil."),
    "status.promises.production": (
        "Promises now: P3 holds against everybody who does not also hold the signing\n"
        "  key, the database's owner included. Against one who does, only up to the\n"
        "  last checkpoint that somebody outside has kept; no witness is set up.",
        "Şu an geçerli sözler: P3, imza anahtarını da elinde tutmayan herkese\n"
        "  (veritabanı sahibi dâhil) karşı geçerli. Anahtarı tutana karşı yalnız\n"
        "  dışarıda saklanan son denetim noktasına dek; tanık kurulmamış."),
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
    # -- audit, cases ------------------------------------------------------------------------------
    "audit.none": ("no record fits", "uyan kayıt yok"),
    "audit.allowed": ("allowed", "izin"),
    "audit.denied": ("DENIED", "RET"),
    "audit.review": ("review", "inceleme"),
    "export_log.progress": ("exporting the log", "kayıt defteri aktarılıyor"),
    "export_log.done": ("{size} records in {directory}; verify them with:", "{directory} içinde {size} kayıt; doğrulamak için:"),
    "record.done": ("recorded: {record} (record {index})", "kaydedildi: {record} (kayıt {index})"),
    "record.allow": ("the rules allow this access", "kurallar bu erişime izin veriyor"),
    "record.deny": ("the rules refuse this access; it is recorded as a denial", "kurallar bu erişimi reddediyor; ret olarak kaydedildi"),
    "cases.done": ("cases stored: {count}", "saklanan dosya kaydı (case): {count}"),
    # -- destruction -------------------------------------------------------------------------------
    "due.header": ("subject|retention class|lapsed", "kişi|saklama sınıfı|süre doldu"),
    "due.none": ("nothing is due", "süresi dolan yok"),
    "destruction.header": ("id|state|requested|keys", "kimlik|durum|istendi|anahtar"),
    "destruction.none": ("no destruction yet", "henüz imha yok"),
    "destruction.plan": ("a plan; nothing was destroyed", "plandır; hiçbir şey imha edilmedi"),
    "destruction.refused": (
        "refused: in the row named, a basis other than consent or its period holds",
        "reddedildi: belirtilen satırda açık rıza dışında bir dayanak ya da süre sürüyor"),
    "destruction.unspecified": ("state unknown", "durum bilinmiyor"),
    "destruction.intended": ("intent logged; keys still exist", "niyet kaydedildi; anahtarlar duruyor"),
    "destruction.keys_destroyed": ("keys destroyed", "anahtarlar imha edildi"),
    "destruction.epoch_destroyed": ("epoch destroyed; receipt to follow", "çağ anahtarı imha edildi; belge bekleniyor"),
    "destruction.receipted": ("done; receipt signed (anahtar imhası)", "tamamlandı; belge imzalandı (anahtar imhası)"),
    "destruction.nothing_destroyed": ("nothing destroyed; everything is kept or refused", "imha edilen yok; hepsi saklanıyor ya da reddedildi"),
    "destruction.unreadable.declared": ("no copy opens it from {moment} (declared: backup policy)", "{moment} tarihinden sonra hiçbir kopya açmaz (beyan: yedek politikası)"),
    "destruction.unreadable.verified": ("no copy opens it from {moment} (verified)", "{moment} tarihinden sonra hiçbir kopya açmaz (doğrulandı)"),
    "outcome.unspecified": ("unknown", "bilinmiyor"),
    "outcome.destroyed": ("destroyed", "imha"),
    "outcome.kept": ("kept", "saklanıyor"),
    "outcome.refused": ("refused", "reddedildi"),
    "outcome.until": ("until {moment}", "{moment} tarihine dek"),
    # -- verify ------------------------------------------------------------------------------------
    "verify.progress": ("verifying", "doğrulanıyor"),
    "verify.size": ("{size} records under a checkpoint that this key signed", "bu anahtarın imzaladığı denetim noktasında {size} kayıt"),
    "verify.holds": ("the log holds: signature, tree, every tile, every record", "kayıt defteri doğru: imza, ağaç, bütün özet dosyaları, bütün kayıtlar"),
    "verify.quick": ("signature and hashes hold; what records say was not read (--quick)", "imza ve özetler doğru; kayıtların içeriği okunmadı (--quick)"),
    "verify.broken": ("the log does NOT hold; tell the security team", "kayıt defteri DOĞRU DEĞİL; güvenlik ekibine bildirin"),
    "verify.more": ("and {count} more", "ve {count} tane daha"),
    "receipt.record": ("record {index} {kind}", "kayıt {index} {kind}"),
    "receipt.in_log": ("the receipt holds: the record is in the log that the key signed", "makbuz doğru: kayıt, anahtarın imzaladığı kayıt defterinde"),
    "receipt.signed_only": ("signature and record fit; that the record is in the log's tree, only --log shows", "imza ve kayıt uyuyor; kaydın ağaçta olduğunu yalnız --log gösterir"),
    "receipt.epoch": ("  record {index}: the end of epoch key {epoch}, which had wrapped them", "  kayıt {index}: bunları saran {epoch} numaralı çağ anahtarının imhası"),
    "receipt.declared": ("copies outside (backups): declared gone, by the backup policy", "dışarıdaki kopyalar (yedekler): beyan, yedek politikasına göre"),
    "receipt.verified": ("copies outside (backups): verified gone, by the key provider", "dışarıdaki kopyalar (yedekler): doğrulandı, anahtar sağlayıcısına göre"),
    "receipt.destroyed": ("the receipt holds: the log records that these keys were destroyed", "belge doğru: bu anahtarların imhası kayıt defterinde"),
    "fault.in_record": ("record {record}: {what}", "kayıt {record}: {what}"),
    "fault.in_records": ("records {first} to {last}: {what}", "kayıt {first} ile {last} arası: {what}"),
    "fault.in_file": ("{path}: {what}", "{path}: {what}"),
    "fault.checkpoint_missing": ("there is no checkpoint; the export did not end", "denetim noktası yok; döküm tamamlanmamış"),
    "fault.checkpoint_refused": ("not a checkpoint that this key signed", "bu anahtarın imzaladığı bir denetim noktası değil"),
    "fault.file_missing": ("the file is missing", "dosya yok"),
    "fault.file_extra": ("the file does not belong to a log of this size", "bu boyda bir kayıt defterinde böyle dosya olmaz"),
    "fault.file_malformed": ("the file is cut off or holds another number of records", "dosya eksik ya da kayıt sayısı farklı"),
    "fault.record_changed": ("not the record that was logged", "deftere yazılan kayıt bu değil"),
    "fault.records_changed": ("one of them is not the record that was logged", "aralarından biri deftere yazılan kayıt değil"),
    "fault.log_changed": ("the records are not those that the checkpoint signed", "kayıtlar, denetim noktasının imzaladığı kayıtlar değil"),
    "fault.tile_changed": ("the tile was changed; the records are those that were logged", "özet dosyası değiştirilmiş; kayıtlar deftere yazılan kayıtlar"),
    "fault.form": ("not of the closed schema", "kapalı şemaya uymuyor"),
    "fault.organization": ("names another organization", "başka bir kuruluşu anıyor"),
    "fault.id_twice": ("has the id of an earlier record", "daha önceki bir kaydın kimliğini taşıyor"),
    "fault.time_falls": ("received before the record in front of it", "kendinden önceki kayıttan daha erken alınmış"),
    "fault.number": ("a version's number out of order", "sürüm numarası sırasız"),
    "fault.register_unbound": ("names a register version that no earlier record binds", "önceki kayıtların bağlamadığı bir envanter sürümünü anıyor"),
    "fault.rules_unbound": ("names a rule set that no earlier record binds", "önceki kayıtların bağlamadığı bir kural kümesini anıyor"),
    "fault.outcome_unknown": ("names no earlier access", "önceki bir erişimi anmıyor"),
    "fault.key_order": ("a key destroyed without an earlier intent of the same person", "aynı kişinin önceden kaydedilmiş niyeti olmadan anahtar imhası"),
})
# fmt: on

HELP_HEADINGS = (
    ("Usage:", "Kullanım:"),
    ("[OPTIONS]", "[SEÇENEKLER]"),
    ("COMMAND [ARGS]...", "KOMUT [ARGÜMANLAR]..."),
    ("Options:", "Seçenekler:"),
    ("Commands:", "Komutlar:"),
    ("Arguments:", "Argümanlar:"),
    ("Show this message and exit.", "Bu yardımı göster."),
    ("required]", "zorunlu]"),
    ("default:", "varsayılan:"),
    ("env var:", "ortam:"),
)
"""The framework's own words in help, and ours for them."""


def say(key: str, *, lang: Lang, **values: object) -> str:
    """A text in a language, its `{names}` filled."""
    english, turkish = WORDS[key]
    return (turkish if lang is Lang.TR else english).format_map(values)
