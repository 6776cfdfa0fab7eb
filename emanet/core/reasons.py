"""The closed catalogue of error reasons: code, message and next step in English and Turkish.

A reason is stable once released: texts may be improved, names and codes may not change.
`docs/errors.md` is rendered from this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType

__all__ = ["CASE_PROBLEMS", "CATALOGUE", "TOKEN_PROBLEMS", "Code", "Reason", "ReasonText"]


class Code(IntEnum):
    """Canonical gRPC status codes (google.rpc.Code) that Emanet uses."""

    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


@dataclass(frozen=True, slots=True)
class ReasonText:
    """The code and the texts of one reason; `{name}` placeholders come from the metadata."""

    code: Code
    en: str
    tr: str
    next_en: str
    next_tr: str


class Reason(StrEnum):
    """Why a request was refused or failed; new values may appear."""

    REQUIRED_FIELD_MISSING = "REQUIRED_FIELD_MISSING"
    INVALID_FIELD = "INVALID_FIELD"
    INVALID_NAME = "INVALID_NAME"
    INVALID_SUBJECT = "INVALID_SUBJECT"
    TEXT_NOT_NFC = "TEXT_NOT_NFC"
    BATCH_TOO_LARGE = "BATCH_TOO_LARGE"
    VALUE_TOO_LARGE = "VALUE_TOO_LARGE"
    DEADLINE_REQUIRED = "DEADLINE_REQUIRED"
    INVALID_PAGE_TOKEN = "INVALID_PAGE_TOKEN"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    ATTEMPT_REUSED = "ATTEMPT_REUSED"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    FIELD_FORBIDDEN = "FIELD_FORBIDDEN"
    FIELD_SEALED = "FIELD_SEALED"
    FIELD_NOT_ENCRYPTED = "FIELD_NOT_ENCRYPTED"
    FIELD_WITHOUT_RETENTION = "FIELD_WITHOUT_RETENTION"
    START_IN_FUTURE = "START_IN_FUTURE"
    MANIFEST_INVALID = "MANIFEST_INVALID"
    EDIT_INVALID = "EDIT_INVALID"
    IDENTITY_MISSING = "IDENTITY_MISSING"
    TOKEN_MISSING = "TOKEN_MISSING"
    TOKEN_INVALID = "TOKEN_INVALID"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    PRINCIPAL_REVOKED = "PRINCIPAL_REVOKED"
    PRINCIPAL_UNKNOWN = "PRINCIPAL_UNKNOWN"
    RPC_NOT_ALLOWED = "RPC_NOT_ALLOWED"
    ORGANIZATION_NOT_ALLOWED = "ORGANIZATION_NOT_ALLOWED"
    ASSERTION_NOT_ALLOWED = "ASSERTION_NOT_ALLOWED"
    FRESH_LOGIN_REQUIRED = "FRESH_LOGIN_REQUIRED"
    SECOND_PERSON_REQUIRED = "SECOND_PERSON_REQUIRED"
    PURPOSE_NOT_DECLARED = "PURPOSE_NOT_DECLARED"
    RETENTION_ENDED = "RETENTION_ENDED"
    DENY_RULE = "DENY_RULE"
    ROLE_NOT_ALLOWED = "ROLE_NOT_ALLOWED"
    CASE_REQUIRED = "CASE_REQUIRED"
    CASE_SELF_OPENED = "CASE_SELF_OPENED"
    CASE_UNFIT = "CASE_UNFIT"
    APPROVER_REQUIRED = "APPROVER_REQUIRED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    OUTSIDE_HOURS = "OUTSIDE_HOURS"
    RECIPIENT_REQUIRED = "RECIPIENT_REQUIRED"
    EVALUATION_FAILED = "EVALUATION_FAILED"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    ORGANIZATION_MISSING = "ORGANIZATION_MISSING"
    REGISTER_MISSING = "REGISTER_MISSING"
    RULES_MISSING = "RULES_MISSING"
    REGISTER_FINDINGS = "REGISTER_FINDINGS"
    RULES_FINDINGS = "RULES_FINDINGS"
    VERSION_STATE = "VERSION_STATE"
    DIGEST_MISMATCH = "DIGEST_MISMATCH"
    ETAG_MISMATCH = "ETAG_MISMATCH"
    DRAFT_UNCHANGED = "DRAFT_UNCHANGED"
    KEY_DESTROYED = "KEY_DESTROYED"
    KEYS_BEHIND = "KEYS_BEHIND"
    RETENTION_RUNNING = "RETENTION_RUNNING"
    MODE_MISMATCH = "MODE_MISMATCH"
    ALREADY_INITIALISED = "ALREADY_INITIALISED"
    DATABASE_IN_USE = "DATABASE_IN_USE"
    SECRET_UNUSABLE = "SECRET_UNUSABLE"
    CONFIG_INVALID = "CONFIG_INVALID"
    ENVELOPE_INVALID = "ENVELOPE_INVALID"
    LOG_FORK = "LOG_FORK"
    LOG_CORRUPT = "LOG_CORRUPT"
    RECEIPT_INVALID = "RECEIPT_INVALID"
    REGISTER_CORRUPT = "REGISTER_CORRUPT"
    RULES_CORRUPT = "RULES_CORRUPT"
    KEY_ROW_CORRUPT = "KEY_ROW_CORRUPT"
    PSEUDONYM_CORRUPT = "PSEUDONYM_CORRUPT"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    AUDIT_UNAVAILABLE = "AUDIT_UNAVAILABLE"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"
    REGISTER_SKEW = "REGISTER_SKEW"
    REGISTER_STALE = "REGISTER_STALE"
    LOG_BEHIND = "LOG_BEHIND"
    CLOCK_BEHIND = "CLOCK_BEHIND"
    NOT_READY = "NOT_READY"
    OVERLOADED = "OVERLOADED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"


# One row a reason, each a short table of texts: the formatter would pull them apart.
# fmt: off
_ROWS: tuple[tuple[Reason, Code, str, str, str, str], ...] = (
    # -- the request is wrong ------------------------------------------------------------------
    (Reason.REQUIRED_FIELD_MISSING, Code.INVALID_ARGUMENT,
     "a required field is missing", "zorunlu bir alan eksik",
     "fill the fields listed in the details", "ayrıntıda sayılan alanları doldurun"),
    (Reason.INVALID_FIELD, Code.INVALID_ARGUMENT,
     "a field's value is not valid", "bir alanın değeri geçerli değil",
     "correct the fields listed in the details", "ayrıntıda sayılan alanları düzeltin"),
    (Reason.INVALID_NAME, Code.INVALID_ARGUMENT,
     "a resource name is not of the documented form", "kaynak adı belgelenen biçimde değil",
     "see docs/formats/encodings.md for names", "adlar için docs/formats/encodings.md'ye bakın"),
    (Reason.INVALID_SUBJECT, Code.INVALID_ARGUMENT,
     "a subject is not {{namespace}}/{{ref}}, or its namespace is not declared, or it looks like an identity number",
     "ilgili kişi {{ad alanı}}/{{ref}} biçiminde değil, ad alanı tanımsız ya da kimlik numarasına benziyor",
     "use an opaque customer number under a namespace that the register declares",
     "envanterde tanımlı bir ad alanında anlamsız bir müşteri numarası kullanın"),
    (Reason.TEXT_NOT_NFC, Code.INVALID_ARGUMENT,
     "a text is not in Unicode normal form C", "metin Unicode NFC biçiminde değil",
     "normalise the text to NFC before sending", "metni göndermeden önce NFC'ye çevirin"),
    (Reason.BATCH_TOO_LARGE, Code.INVALID_ARGUMENT,
     "a batch holds more than {limit} items", "toplu istek {limit} ögeden fazla",
     "split the batch; the SDK does it by itself", "isteği bölün; SDK bunu kendisi yapar"),
    (Reason.VALUE_TOO_LARGE, Code.INVALID_ARGUMENT,
     "a value is larger than {limit} bytes", "değer {limit} bayttan büyük",
     "store large content elsewhere", "büyük içeriği başka yerde saklayın"),
    (Reason.DEADLINE_REQUIRED, Code.INVALID_ARGUMENT,
     "the call has no deadline", "çağrının süre sınırı yok",
     "set a deadline of at most {limit} seconds", "en çok {limit} saniyelik bir süre verin"),
    (Reason.INVALID_PAGE_TOKEN, Code.INVALID_ARGUMENT,
     "the page token is not valid for this request and caller", "sayfa anahtarı bu istek için geçerli değil",
     "start again without a page token", "sayfa anahtarı olmadan yeniden başlayın"),
    (Reason.REQUEST_ID_REUSED, Code.INVALID_ARGUMENT,
     "this id was used before with other content", "bu kimlik daha önce başka içerikle kullanıldı",
     "use a new id for new content", "yeni içerik için yeni kimlik kullanın"),
    (Reason.ATTEMPT_REUSED, Code.INVALID_ARGUMENT,
     "this attempt id was seen before; an attempt is never answered twice",
     "bu deneme kimliği daha önce görüldü; bir deneme iki kez yanıtlanmaz",
     "ask again under a new attempt id", "yeni bir deneme kimliğiyle yeniden sorun"),
    (Reason.UNKNOWN_FIELD, Code.INVALID_ARGUMENT,
     "field {field} is not in the register", "{field} alanı envanterde yok",
     "declare the field in the register and have it approved", "alanı envantere yazıp onaylatın"),
    (Reason.FIELD_FORBIDDEN, Code.INVALID_ARGUMENT,
     "field {field} is declared forbidden: it must never be stored", "{field} alanı yasak: hiçbir zaman saklanmaz",
     "do not collect or store this value", "bu değeri toplamayın ve saklamayın"),
    (Reason.FIELD_SEALED, Code.INVALID_ARGUMENT,
     "field {field} is sealed to the customer's key; the server neither encrypts nor decrypts it",
     "{field} alanı müşterinin anahtarıyla mühürlü; sunucu ne şifreler ne çözer",
     "seal it in the application to the customer's key", "uygulamada müşterinin anahtarıyla mühürleyin"),
    (Reason.FIELD_NOT_ENCRYPTED, Code.INVALID_ARGUMENT,
     "field {field} is declared with level none", "{field} alanının koruma düzeyi 'none'",
     "record its reads with RecordAccess, or declare it encrypted", "okumalarını kaydedin ya da alanı şifreli tanımlayın"),
    (Reason.FIELD_WITHOUT_RETENTION, Code.INVALID_ARGUMENT,
     "field {field} has no retention rule ({row})", "{field} alanının saklama süresi yok ({row})",
     "give every row that holds the field a retention rule", "alanı tutan her satıra saklama süresi verin"),
    (Reason.START_IN_FUTURE, Code.INVALID_ARGUMENT,
     "the start time is more than five minutes ahead", "başlangıç zamanı beş dakikadan fazla ileride",
     "correct the clock or the start time", "saati ya da başlangıç zamanını düzeltin"),
    (Reason.MANIFEST_INVALID, Code.INVALID_ARGUMENT,
     "{source}:{line}: {problem}", "{source}:{line}: {problem_tr}",
     "correct the line and try again; nothing was applied", "satırı düzeltip yeniden deneyin; hiçbir şey uygulanmadı"),
    (Reason.EDIT_INVALID, Code.INVALID_ARGUMENT,
     "edit {index} ({kind} {slug}) does not fit the register's schema: {problem}",
     "{index}. değişiklik ({kind} {slug}) şemaya uymuyor: {problem}",
     "correct the edit; nothing was applied", "değişikliği düzeltin; hiçbir şey uygulanmadı"),
    # -- the caller may not ------------------------------------------------------------------------
    (Reason.IDENTITY_MISSING, Code.UNAUTHENTICATED,
     "the client certificate carries no acceptable SPIFFE id", "istemci sertifikasında geçerli SPIFFE kimliği yok",
     "use a certificate with exactly one SPIFFE URI of trust domain {trust_domain}",
     "{trust_domain} güven alanında tek SPIFFE URI'si olan bir sertifika kullanın"),
    (Reason.TOKEN_MISSING, Code.UNAUTHENTICATED,
     "this call needs a staff token", "bu çağrı personel kimlik belirteci ister",
     "log in and send the token", "oturum açıp belirteci gönderin"),
    (Reason.TOKEN_INVALID, Code.UNAUTHENTICATED,
     "the staff token is not acceptable ({problem})", "personel belirteci geçerli değil ({problem})",
     "log in again", "yeniden oturum açın"),
    (Reason.TOKEN_EXPIRED, Code.UNAUTHENTICATED,
     "the staff token has expired", "personel belirtecinin süresi doldu",
     "log in again", "yeniden oturum açın"),
    (Reason.PRINCIPAL_REVOKED, Code.PERMISSION_DENIED,
     "the person, certificate or token is revoked", "kişi, sertifika ya da belirteç iptal edilmiş",
     "ask the operator", "sistem yöneticisine başvurun"),
    (Reason.PRINCIPAL_UNKNOWN, Code.PERMISSION_DENIED,
     "the person or application is not in principals.yaml", "kişi ya da uygulama principals.yaml'da yok",
     "ask the operator to enrol it", "sistem yöneticisinden kayıt isteyin"),
    (Reason.RPC_NOT_ALLOWED, Code.PERMISSION_DENIED,
     "this principal may not call {rpc}", "bu kimlik {rpc} çağıramaz",
     "see docs/authorisation.md for who may", "kimin çağırabileceği docs/authorisation.md'de"),
    (Reason.ORGANIZATION_NOT_ALLOWED, Code.PERMISSION_DENIED,
     "the organization is not the caller's, or it does not exist", "kuruluş çağırana ait değil ya da yok",
     "check the organization's id", "kuruluş kimliğini denetleyin"),
    (Reason.ASSERTION_NOT_ALLOWED, Code.PERMISSION_DENIED,
     "application {application} may not assert this kind of actor", "{application} uygulaması bu tür bir kişi adına konuşamaz",
     "send the staff token, or have may_assert granted", "personel belirtecini gönderin ya da may_assert yetkisi isteyin"),
    (Reason.FRESH_LOGIN_REQUIRED, Code.PERMISSION_DENIED,
     "this act wants a log-in of the last five minutes", "bu işlem son beş dakikada açılmış oturum ister",
     "log in again and repeat", "yeniden oturum açıp yineleyin"),
    (Reason.SECOND_PERSON_REQUIRED, Code.PERMISSION_DENIED,
     "another person must do this: the same person may not do both steps",
     "bunu başka bir kişi yapmalı: iki adımı aynı kişi yapamaz",
     "ask a colleague with the duty", "görevli bir meslektaştan isteyin"),
    (Reason.PURPOSE_NOT_DECLARED, Code.PERMISSION_DENIED,
     "the register declares no row for this purpose and field {field}", "envanterde {field} alanı için bu amaç yok",
     "state a declared purpose, or have the register changed and approved",
     "tanımlı bir amaç belirtin ya da envanter değişikliği onaylatın"),
    (Reason.RETENTION_ENDED, Code.PERMISSION_DENIED,
     "the retention period for this purpose has ended", "bu amaç için saklama süresi dolmuş",
     "the value may no longer be read for this purpose", "değer bu amaçla artık okunamaz"),
    (Reason.DENY_RULE, Code.PERMISSION_DENIED,
     "a deny rule of the organization applies", "kuruluşun bir yasak kuralı geçerli",
     "ask the security team", "güvenlik ekibine başvurun"),
    (Reason.ROLE_NOT_ALLOWED, Code.PERMISSION_DENIED,
     "no role of the actor may do this for this purpose", "kişinin hiçbir rolü bu amaçla bunu yapamaz",
     "ask a colleague whose role has this purpose", "rolü bu amacı taşıyan bir meslektaşa sorun"),
    (Reason.CASE_REQUIRED, Code.PERMISSION_DENIED,
     "this purpose needs a case", "bu amaç bir dosya (talep, sipariş, yazı) ister",
     "state the {kind} that this read is for", "okumanın ilgili olduğu kaydı ({kind}) belirtin"),
    (Reason.CASE_SELF_OPENED, Code.PERMISSION_DENIED,
     "the case was opened by the person who acts", "dosyayı işlemi yapan kişi açmış",
     "a case must come from someone else", "dosya başkasından gelmelidir"),
    (Reason.CASE_UNFIT, Code.PERMISSION_DENIED,
     "the case does not fit: {problem}", "dosya uygun değil: {problem}",
     "state an open case about this person that is assigned to you or your team",
     "bu kişiyle ilgili, size ya da ekibinize atanmış açık bir dosya belirtin"),
    (Reason.APPROVER_REQUIRED, Code.PERMISSION_DENIED,
     "this act needs another person's approval", "bu işlem başka bir kişinin onayını ister",
     "send an approver's token with the request", "isteğe onaylayanın belirtecini ekleyin"),
    (Reason.LIMIT_EXCEEDED, Code.PERMISSION_DENIED,
     "a limit of the need-to-know rules is reached", "bilmesi gereken kurallarının bir sınırı aşıldı",
     "narrow the request or ask the security team", "isteği daraltın ya da güvenlik ekibine başvurun"),
    (Reason.OUTSIDE_HOURS, Code.PERMISSION_DENIED,
     "the rules allow this only in working hours", "kurallar buna yalnız mesai içinde izin verir",
     "repeat in working hours", "mesai saatinde yineleyin"),
    (Reason.RECIPIENT_REQUIRED, Code.PERMISSION_DENIED,
     "a disclosure names its recipient, and the register must allow it for these fields and this purpose",
     "aktarımda alıcı belirtilir; envanter bu alıcıya bu alanlar ve bu amaç için izin vermelidir",
     "state a recipient that the register's row names", "envanter satırında yazılı bir alıcı belirtin"),
    (Reason.EVALUATION_FAILED, Code.PERMISSION_DENIED,
     "the rules could not be evaluated; the access is denied", "kurallar değerlendirilemedi; erişim reddedildi",
     "tell the security team; the finding is logged", "güvenlik ekibine bildirin; bulgu kaydedildi"),
    # -- the resource is not in that state -------------------------------------------------------
    (Reason.RESOURCE_NOT_FOUND, Code.NOT_FOUND,
     "{resource} does not exist", "{resource} yok",
     "check the name", "adı denetleyin"),
    (Reason.ORGANIZATION_MISSING, Code.FAILED_PRECONDITION,
     "organization {organization} is not set up in this service", "{organization} kuruluşu bu serviste kurulu değil",
     "run add-organization on the service", "serviste add-organization çalıştırın"),
    (Reason.REGISTER_MISSING, Code.FAILED_PRECONDITION,
     "the organization has no register in effect", "kuruluşun yürürlükte envanteri yok",
     "apply, submit and approve a register", "envanteri uygulayın, sunun ve onaylatın"),
    (Reason.RULES_MISSING, Code.FAILED_PRECONDITION,
     "the organization has no active need-to-know rules", "kuruluşun etkin bilmesi gereken kuralları yok",
     "apply and activate a rule set", "kural kümesini uygulayıp etkinleştirin"),
    (Reason.REGISTER_FINDINGS, Code.FAILED_PRECONDITION,
     "the register has {count} findings of severity error ({rules})", "envanterde {count} hata bulgusu var ({rules})",
     "run `emanet inventory lint` and repair them", "`emanet inventory lint` çalıştırıp giderin"),
    (Reason.RULES_FINDINGS, Code.FAILED_PRECONDITION,
     "the rule set has {count} errors ({rules})", "kural kümesinde {count} hata var ({rules})",
     "run `emanet rules lint` and repair them", "`emanet rules lint` çalıştırıp giderin"),
    (Reason.VERSION_STATE, Code.FAILED_PRECONDITION,
     "{resource} is {state}", "{resource} durumu: {state}",
     "read its state first", "önce durumunu okuyun"),
    (Reason.DIGEST_MISMATCH, Code.ABORTED,
     "the digest named is not the digest of {resource}", "belirtilen özet {resource} özeti değil",
     "read the version again and approve what you read", "sürümü yeniden okuyup okuduğunuzu onaylayın"),
    (Reason.ETAG_MISMATCH, Code.ABORTED,
     "somebody changed it since you read it", "siz okuduktan sonra değiştirilmiş",
     "read it again and repeat the change", "yeniden okuyup değişikliği yineleyin"),
    (Reason.DRAFT_UNCHANGED, Code.FAILED_PRECONDITION,
     "the draft equals the last approved version", "taslak son onaylı sürümle aynı",
     "change the draft first", "önce taslağı değiştirin"),
    (Reason.KEY_DESTROYED, Code.FAILED_PRECONDITION,
     "the key of this value is destroyed; nobody can read it any more", "bu değerin anahtarı imha edilmiş; artık kimse okuyamaz",
     "see the destruction receipt", "imha belgesine bakın"),
    (Reason.KEYS_BEHIND, Code.FAILED_PRECONDITION,
     "the key database is older than state file {file}; keys destroyed since are back in it",
     "anahtar veritabanı {file} durum dosyasından eski; o günden sonra imha edilen anahtarlar içinde yeniden var",
     "restore the newest key database; see docs/deployment.md", "en yeni anahtar veritabanını geri yükleyin; docs/deployment.md'ye bakın"),
    (Reason.RETENTION_RUNNING, Code.FAILED_PRECONDITION,
     "the retention period still runs until {until} ({rule})", "saklama süresi {until} tarihine dek sürüyor ({rule})",
     "wait for the period to end", "sürenin dolmasını bekleyin"),
    (Reason.MODE_MISMATCH, Code.FAILED_PRECONDITION,
     "this database belongs to mode {mode}", "bu veritabanı {mode} kipine ait",
     "dev and production data never mix; use another database", "geliştirme ve üretim verisi karışmaz; başka veritabanı kullanın"),
    (Reason.ALREADY_INITIALISED, Code.ALREADY_EXISTS,
     "{resource} already holds data", "{resource} zaten veri içeriyor",
     "init refuses where data exists; use add-organization or migrate", "veri varken init çalışmaz; add-organization ya da migrate kullanın"),
    (Reason.DATABASE_IN_USE, Code.FAILED_PRECONDITION,
     "another process holds this database", "bu veritabanını başka bir süreç kullanıyor",
     "stop the other process first", "önce öteki süreci durdurun"),
    (Reason.SECRET_UNUSABLE, Code.FAILED_PRECONDITION,
     "secret {secret} is missing, readable by others, or does not open this data",
     "{secret} sırrı yok, başkalarınca okunabiliyor ya da bu veriyi açmıyor",
     "restore the right secret; no new one is made over existing data", "doğru sırrı geri yükleyin; veri varken yenisi üretilmez"),
    (Reason.CONFIG_INVALID, Code.FAILED_PRECONDITION,
     "the configuration is not valid: {problem}", "yapılandırma geçerli değil: {problem}",
     "see --print-config and docs/configuration.md", "--print-config ve docs/configuration.md'ye bakın"),
    # -- bytes are not what they were ------------------------------------------------------------
    (Reason.ENVELOPE_INVALID, Code.DATA_LOSS,
     "the envelope cannot be opened here", "zarf burada açılamıyor",
     "check that value, field, record and organization belong together", "değer, alan, kayıt ve kuruluşun birbirine ait olduğunu denetleyin"),
    (Reason.LOG_FORK, Code.DATA_LOSS,
     "the log shows another history than before", "kayıt defteri öncekinden başka bir geçmiş gösteriyor",
     "stop and call the security team", "durun ve güvenlik ekibini çağırın"),
    (Reason.LOG_CORRUPT, Code.DATA_LOSS,
     "the log does not verify: {problem}", "kayıt defteri doğrulanamıyor: {problem}",
     "stop and call the security team", "durun ve güvenlik ekibini çağırın"),
    (Reason.RECEIPT_INVALID, Code.DATA_LOSS,
     "the receipt does not prove this act", "makbuz bu işlemi kanıtlamıyor",
     "stop and call the security team", "durun ve güvenlik ekibini çağırın"),
    (Reason.REGISTER_CORRUPT, Code.DATA_LOSS,
     "the stored register does not match its digest", "saklanan envanter özetiyle uyuşmuyor",
     "restore the database; nothing is decided on it", "veritabanını geri yükleyin; üzerinde karar verilmez"),
    (Reason.RULES_CORRUPT, Code.DATA_LOSS,
     "the stored rule set does not match its digest", "saklanan kural kümesi özetiyle uyuşmuyor",
     "restore the database; nothing is decided on it", "veritabanını geri yükleyin; üzerinde karar verilmez"),
    (Reason.KEY_ROW_CORRUPT, Code.DATA_LOSS,
     "a stored key does not open", "saklanan bir anahtar açılmıyor",
     "restore the key database", "anahtar veritabanını geri yükleyin"),
    (Reason.PSEUDONYM_CORRUPT, Code.DATA_LOSS,
     "a stored pseudonym does not match its token", "saklanan bir takma ad belirtecine uymuyor",
     "restore the database", "veritabanını geri yükleyin"),
    (Reason.INTERNAL_ERROR, Code.INTERNAL,
     "an unexpected error; its id is {error_id}", "beklenmeyen hata; kimliği {error_id}",
     "give the id to the operator", "kimliği sistem yöneticisine iletin"),
    # -- not now -------------------------------------------------------------------------------------
    (Reason.AUDIT_UNAVAILABLE, Code.UNAVAILABLE,
     "the access audit cannot be reached; without a record there is no plaintext",
     "erişim denetimine ulaşılamıyor; kayıt olmadan açık metin verilmez",
     "show the page without the field and try again", "sayfayı alan olmadan gösterip yeniden deneyin"),
    (Reason.SERVICE_UNAVAILABLE, Code.UNAVAILABLE,
     "{service} cannot be reached", "{service} servisine ulaşılamıyor",
     "try again", "yeniden deneyin"),
    (Reason.DATABASE_UNAVAILABLE, Code.UNAVAILABLE,
     "the database cannot be reached", "veritabanına ulaşılamıyor",
     "try again", "yeniden deneyin"),
    (Reason.REGISTER_SKEW, Code.UNAVAILABLE,
     "services hold different register versions for a moment", "servisler bir an için farklı envanter sürümü tutuyor",
     "try again in a second", "bir saniye sonra yeniden deneyin"),
    (Reason.REGISTER_STALE, Code.UNAVAILABLE,
     "the register has not been confirmed for too long", "envanter uzun süredir doğrulanamadı",
     "bring the inventory service back", "envanter servisini yeniden çalıştırın"),
    (Reason.LOG_BEHIND, Code.UNAVAILABLE,
     "the log is smaller than it was", "kayıt defteri öncekinden küçük",
     "a restored log or a lagging replica; call the operator", "geri yüklenmiş kayıt ya da geride kalan kopya; yöneticiyi arayın"),
    (Reason.CLOCK_BEHIND, Code.UNAVAILABLE,
     "the clock is behind the log", "saat kayıt defterinin gerisinde",
     "correct the clock", "saati düzeltin"),
    (Reason.NOT_READY, Code.UNAVAILABLE,
     "the service is starting or stopping", "servis açılıyor ya da kapanıyor",
     "try again", "yeniden deneyin"),
    (Reason.OVERLOADED, Code.RESOURCE_EXHAUSTED,
     "too many requests are waiting", "çok fazla istek bekliyor",
     "try again after the stated delay", "belirtilen süre sonra yeniden deneyin"),
    (Reason.DEADLINE_EXCEEDED, Code.DEADLINE_EXCEEDED,
     "the deadline passed; the outcome is unknown", "süre doldu; sonuç bilinmiyor",
     "send idempotent requests again with the same id", "yinelenebilir istekleri aynı kimlikle yeniden gönderin"),
)
# fmt: on

CATALOGUE: Mapping[Reason, ReasonText] = MappingProxyType(
    {
        reason: ReasonText(code=code, en=en, tr=tr, next_en=next_en, next_tr=next_tr)
        for reason, code, en, tr, next_en, next_tr in _ROWS
    }
)

CASE_PROBLEMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "unknown": ("it is not known here", "burada bilinmiyor"),
        "kind": ("it is of another kind", "türü başka"),
        "opener": ("it was opened by the wrong party", "açması gereken taraf açmamış"),
        "number": ("its reference has no number", "numarası yok"),
        "late": ("it came after the access", "erişimden sonra gelmiş"),
        "closed": ("it is closed", "kapanmış"),
        "other_subject": ("it is about somebody else", "başka biriyle ilgili"),
        "not_assigned": ("it is not assigned to you", "size atanmamış"),
    }
)
"""What `problem` of CASE_UNFIT may be, in English and Turkish words for its message."""

TOKEN_PROBLEMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "authorization": ("not one Bearer token", "tek bir Bearer belirteci değil"),
        "form": ("not of a token's form", "belirteç biçiminde değil"),
        "signature": ("not signed by a known key", "imzası bilinen bir anahtarın değil"),
        "iss": ("issuer not known here", "yayıncısı burada tanımlı değil"),
        "aud": ("issued for another installation", "başka bir kurulum için verilmiş"),
        "azp": ("issued to another application", "başka bir uygulamaya verilmiş"),
        "lifetime": ("valid for longer than 15 minutes", "geçerliliği 15 dakikadan uzun"),
        "nbf": ("not valid yet", "henüz geçerli değil"),
    }
)
"""What `problem` of TOKEN_INVALID may be, in words; any other is the name of the claim at fault."""
