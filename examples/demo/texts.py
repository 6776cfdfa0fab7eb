"""Words of the screen, Turkish and English."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DATA", "FACTS", "LINES", "STEPS", "TITLES", "number", "text"]

_Both = tuple[str, str]


def text(both: _Both, lang: str) -> str:
    """The Turkish or the English one of a pair."""
    return both[0 if lang == "tr" else 1]


def number(value: float, lang: str, *, digits: int = 0) -> str:
    """A number as it is written in Turkish (1.234,5) or English (1,234.5)."""
    shown = f"{value:,.{digits}f}"
    return shown.translate(str.maketrans(",.", ".,")) if lang == "tr" else shown


STEPS: Mapping[str, _Both] = {
    "services": (
        "servisler ayakta: inventory, access_audit, crypto · mTLS · SQLite",
        "services up: inventory, access_audit, crypto · mTLS · SQLite",
    ),
    "inventories": (
        "beş envanter: oku, denetle, onar, onayla (hazırlayan ≠ onaylayan)",
        "five inventories: read, lint, repair, approve (author ≠ approver)",
    ),
    "customers": (
        "{customers} müşteri örnek uygulamanın kendi veri tabanına şifrelendi",
        "{customers} customers encrypted into the example application's own database",
    ),
    "day": (
        "bir iş günü: {reads} personel okuması, {organizations} kuruluş",
        "a working day: {reads} staff reads, {organizations} organisations",
    ),
    "attempts": ("bozmayı dene", "try to break it"),
}

TITLES: Mapping[str, _Both] = {
    "done": ("bitti {seconds:>2} sn", "done {seconds:>2} s"),
    "inventory": ("ENVANTER", "INVENTORY"),
    "fields": ("alan", "fields"),
    "rows": ("satır", "rows"),
    "published": ("yayımlanan politika", "policy as published"),
    "repaired": ("onarılmış", "repaired"),
    "approved": ("onaylayanlar", "approved by"),
    "sheet": ("VERBİS sayfası", "VERBİS sheet"),
    "errors": ("{n} hata", "{n} errors"),
    "warnings": ("{n} uyarı", "{n} warnings"),
    "categories": ("{n} kategori", "{n} categories"),
    "exempt": ("muaf ({ground})", "exempt ({ground})"),
    "example": ("örn.", "e.g."),
    "error": ("hata", "error"),
    "warning": ("uyarı", "warning"),
    "day": ("GÜN", "THE DAY"),
    "day_sum": (
        "{reads} okuma: {allowed} izinli, dosyası var · {waiting} izinli, {rest}",
        "{reads} reads: {allowed} allowed, explained by a case · {waiting} allowed, {rest}",
    ),
    "day_rest": (
        "inceleme bekliyor · {denied} ret · {unrecorded} kayıtsız",
        "waiting for review · {denied} denied · {unrecorded} unrecorded",
    ),
    "time": ("saat", "time"),
    "who": ("kim (rol)", "who (role)"),
    "wanted": ("ne istedi", "wanted"),
    "purpose": ("ne için", "for"),
    "answer": ("cevap", "answer"),
    "because": ("çünkü", "because"),
    "allowed": ("izin", "allowed"),
    "review": ("inceleme", "review"),
    "denied": ("RET", "DENIED"),
    "broken": ("BOZMAYI DENEDİK", "TRIED TO BREAK IT"),
    "promise": ("söz", "P"),
    "held": ("tuttu", "held"),
    "yes": ("evet", "yes"),
    "no": ("HAYIR", "NO"),
    "board": ("Kurul {n}", "Board {n}"),
}

DATA: Mapping[str, _Both] = {
    "dpo": ("KVK SORUMLUSUNA", "FOR THE DPO"),
    "dpo_line": ("{dpo_files} (13 sütun) · {notice}", "{dpo_files} (13 columns) · {notice}"),
    "dpo_files": ("{var}/verbis-{name}.xlsx · inventory-{name}.xlsx",) * 2,
    "notice": (
        "changes-{name}.txt: VERBİS'e son gün {deadline}",
        'changes-{name}.txt: "VERBİS by {deadline}"',
    ),
    "analyst": ("DENETÇİYE", "FOR THE ANALYST"),
    "analyst_line": (
        "{verify}   ({leaves} kayıt, çevrimdışı)",
        "{verify}   ({leaves} records, offline)",
    ),
    "verify": ("emanet verify log {var}/log-{name} --vkey {var}/log-{name}.vkey",) * 2,
    "developer": ("GELİŞTİRİCİYE", "FOR THE DEVELOPER"),
    "developer_line": (
        "{file} · {fields} alan (burada): şifreleme {encrypt} ms, kayıtla çözme {decrypt} ms",
        "{file} · {fields} fields: encrypt {encrypt} ms, decrypt with record {decrypt} ms (here)",
    ),
    "next": ("ŞİMDİ", "NEXT"),
    "next_note": ("(servisler açık; yapıştırın)", "(services are running; paste these)"),
    "end_held": ("{n} denemenin hepsinde söz tuttu", "all {n} attempts held"),
    "end_broken": ("{broken}/{n} DENEMEDE SÖZ TUTMADI", "{broken} of {n} ATTEMPTS DID NOT HOLD"),
    "stopped": ("servisler durduruldu", "services stopped"),
    "running": ("servisler açık", "services running"),
    "exit": ("çıkış {status}", "exit {status}"),
    "seconds": ("{n} sn", "{n} s"),
    "busy": (
        "{folder} kullanımda (başka bir demo çalışıyor); bu koşu {other} klasörüne yazıyor",
        "{folder} is in use by another demo; this run writes to {other}",
    ),
}

# Per notable read: what was wanted, why the answer came, the Board's decision it stands for.
LINES: Mapping[str, tuple[_Both, _Both, str]] = {
    "allowed": (
        ("{subject} e-postası ({count})", "e-mail of {subject} ({count})"),
        ("{rule}: {case} açık, ona atanmış, bu müşterinin",
         "{rule}: {case} open, theirs, about this customer"),
        "",
    ),
    "tckn": (
        ("bir müşterinin T.C. no'su", "T.C. no of one customer"),
        ("{rule}: bu role kapalı (söz p1-2)", "{rule}: not for this role (promise p1-2)"),
        "",
    ),
    "motive": (
        ("bir müşterinin telefonu", "phone of one customer"),
        ("yetkisi var, dosyası yok", "entitled, but names no case"),
        "2018/63",
    ),
    "stranger": (
        ("bir yabancının adresi", "a stranger's address"),
        ("onunla ilgili dosya yok", "no case is about that person"),
        "2023/695",
    ),
    "covering": (
        ("arkadaşının talebinin metni", "text of a colleague's ticket"),
        ("{rule}: {case} başkasına atanmış", "{rule}: {case} is assigned to somebody else"),
        "",
    ),
    "session": (
        ("başkasının oturumunda e-posta", "e-mail, a colleague's session"),
        ("{session}, {connection} kayıtta", "{session}, {connection} logged"),
        "2021/962",
    ),
    "disclosed": (
        ("mahkemeye ad ve adres", "name, address to the court"),
        ("ikinci kişi; alıcı: {recipient}", "2nd person; recipient: {recipient}"),
        "2021/761",
    ),
    "wrong_recipient": (
        ("aynısı bayiye", "the same to a reseller"),
        ("bu amacın alıcısı değil", "no recipient for this"),
        "2021/761",
    ),
    "bulk": (
        ("tek dökümde {count} kayıt", "{count} rows in one export"),
        ("dosya başına {limit} kayıttan çok", "more than {limit} records per case"),
        "",
    ),
}  # fmt: skip

# Per promise: what was tried, and what came of it.
FACTS: Mapping[str, tuple[_Both, _Both]] = {
    "P1": (
        ("personel belirteci; amaçsız ya da envanterde olmayan amaçla",
         "staff token, no purpose or one that the inventory lacks"),
        ("reddedildi, {bytes} bayt", "refused, {bytes} bytes"),
    ),
    "P2": (
        ("{tried} çözme sırasında access_audit öldürüldü (kill -9)",
         "access_audit killed (kill -9) during {tried} decrypts"),
        ("{answered} cevaplandı ve kayıtlı,\n{unavailable} UNAVAILABLE, {bytes} bayt",
         "{answered} answered and recorded,\n{unavailable} UNAVAILABLE, {bytes} bytes"),
    ),
    "P3": (
        ("veri tabanının sahibi bir erişim kaydını değiştirdi",
         "the database's owner changed one access record"),
        ("bulundu: {folder}, kayıt {record};\nözetleri yeniden hesapladı: yine bulundu",
         "found: {folder}, record {record};\nhashes computed anew: found as well"),
    ),
    "P4": (
        ("customers/{customer} verisinin silinmesini istedi",
         "erasure request of customers/{customer}"),
        ("pazarlama anahtarı imha edildi, faturalar duruyor:\n{until} ({law}), belge doğrulandı",
         "marketing destroyed, invoices kept until\n{until} ({law}), receipt verified"),
    ),
    "P6": (
        ("personel bir müşterinin iletisini okur (mühürlü)",
         "a customer's message read by staff (sealed)"),
        ("böyle çağrı yok: {encrypt}, {stored} kayıt",
         "no such call: {encrypt}, {stored} stored"),
    ),
    "P7": (
        ("{customers} müşterinin {values} değeri {files} dosyada arandı",
         "{customers} customers' {values} values searched in {files} files"),
        ("açık saklanan alanlar dışında 0", "0 outside declared plaintext"),
    ),
}  # fmt: skip
