"""Help texts of commands and options, in English and Turkish side by side.

Keys: a command by its words (`inventory lint`), its own option by `command.parameter`, an option
that means the same in several commands by the parameter's bare name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from emanet.cli.language import Lang

__all__ = ["HELP", "help_of"]

# ruff: noqa: E501, ISC004 - one row a text, both languages beside each other
# fmt: off
HELP: Mapping[str, tuple[str, str]] = MappingProxyType({
    "": (
        "Emanet: personal-data inventory, field encryption and access audit under KVKK.\n\n"
        "Exit status: 0 done or so, 1 the thing asked about is not so, 2 usage or environment.",
        "Emanet: KVKK kapsamında kişisel veri envanteri, alan şifreleme ve erişim denetimi.\n\n"
        "Çıkış kodu: 0 yapıldı ya da doğru, 1 sorulanın yanıtı hayır, 2 kullanım ya da ortam hatası."),
    "version": ("Show the version and exit.", "Sürümü göster."),
    "lang": ("Language of texts; default from LANG.", "Metinlerin dili; verilmezse LANG'a göre."),
    "as_json": ("Answer with one JSON document.", "Yanıtı tek bir JSON belgesi olarak ver."),
    "organization": ("The organization's id.", "Kuruluşun kimliği."),
    "token": (
        "Staff token. EMANET_TOKEN_FILE names a file instead, which no process list shows.",
        "Personel belirteci. EMANET_TOKEN_FILE bir dosya adı alır; süreç listesinde görünmez."),
    "app": ("The application whose certificate is presented.", "Sertifikası sunulan uygulama."),
    # -- up, down, status, dev ---------------------------------------------------------------------
    "up": (
        "Start the three services for development. What ends is restarted.",
        "Üç servisi geliştirme için başlat. Kapanan yeniden açılır."),
    "up.organization": (
        "Make an organization known first; may be repeated.",
        "Önce bir kuruluşu tanıt; yinelenebilir."),
    "up.installation": (
        "Name of the installation, fixed at the first start (default: local).",
        "Kurulumun adı; ilk açılışta belirlenir (verilmezse local)."),
    "up.detach": ("Return once the services are up.", "Servisler açılınca geri dön."),
    "down": ("Stop what `up` started.", "`up` ile başlatılanı durdur."),
    "status": (
        "Show services, organizations and promises. 1 when something is down.",
        "Servisleri, kuruluşları ve geçerli sözleri göster. Biri kapalıysa 1."),
    "dev": ("Identities for development, accepted on loopback alone.", "Geliştirme kimlikleri."),
    "dev certs": (
        "Make certificates, the token issuer and a starter principals.yaml.",
        "Sertifika, belirteç yayıncısı ve ilk principals.yaml üret."),
    "dev certs.organization": (
        "An organization for the starter file; may be repeated.",
        "İlk dosyaya yazılacak kuruluş; yinelenebilir."),
    "dev certs.application": (
        "A further application that gets a certificate; may be repeated.",
        "Sertifika alacak ek uygulama; yinelenebilir."),
    "dev token": (
        "Print a staff token as of a log-in just now; it lasts 15 minutes.",
        "Şu an oturum açılmış gibi personel belirteci yaz. 15 dakika geçerlidir."),
    "dev token.person": ("Person id of principals.yaml.", "principals.yaml'daki kişi kimliği."),
    "dev token.group": ("A group of the person; may be repeated.", "Kişinin grubu; yinelenebilir."),
    "dev token.client": ("The application that will present it.", "Belirteci sunacak uygulama."),
    "dev token.installation": ("Installation (default: the local one).", "Kurulum (verilmezse yerel)."),
    # -- inventory ---------------------------------------------------------------------------------
    "inventory": (
        "The register: manifests, versions, sheets.",
        "Kişisel veri işleme envanteri: manifest, sürüm, çizelge."),
    "file": ("The manifest.", "Manifest dosyası."),
    "inventory lint": (
        "Check a manifest against every rule. No server. 1 on an error.",
        "Manifesti bütün kurallara göre denetle. Sunucusuz. Hata varsa 1."),
    "output": ("How findings are shown.", "Bulguların gösterimi."),
    "inventory plan": (
        "Show the edits that would turn the draft into the manifest.",
        "Taslağı manifeste çevirecek değişiklikleri göster."),
    "inventory apply": (
        "Turn the draft into the manifest. Duty: dpo.",
        "Taslağı manifeste çevir. Görev: dpo."),
    "inventory submit": (
        "Freeze the draft as the next version. Duty: dpo.",
        "Taslağı sonraki sürüm olarak sun. Görev: dpo."),
    "inventory show": (
        "Print a register as a manifest.", "Bir envanteri manifest olarak yaz."),
    "inventory show.version": (
        "A version's number or `draft`; without it the one in effect.",
        "Sürüm numarası ya da `draft`; verilmezse yürürlükteki."),
    "inventory approve": (
        "Show what would be approved and, given its digest, approve it. Duty: approver, a log-in "
        "of the last five minutes, never a person who edited it.",
        "Onaylanacak olanı göster; özeti verilirse onayla. Görev: approver, son beş dakikada "
        "açılmış oturum; düzenleyen kişi onaylayamaz."),
    "inventory approve.number": (
        "The version's number; without it the one that was submitted.",
        "Sürüm numarası; verilmezse sunulmuş olan."),
    "inventory approve.digest": (
        "SHA-256 of what you read, 64 hexadecimal digits.",
        "Okuduğunuzun SHA-256 özeti, 64 onaltılık basamak."),
    "effective": (
        "From when it holds; without a zone the time of Türkiye. Default: at once.",
        "Yürürlük zamanı; dilim yazılmazsa Türkiye saati. Verilmezse hemen."),
    "inventory versions": ("List versions, newest first.", "Sürümleri yeniden eskiye listele."),
    "inventory diff": (
        "Write the notice of the change from one register to another.",
        "Bir envanterden ötekine değişiklik bildirimini yaz."),
    "inventory diff.first": ("A file, a version's number or `draft`.", "Dosya, sürüm numarası ya da `draft`."),
    "inventory diff.second": ("Another one.", "Bir diğeri."),
    "inventory export": (
        "Write the Authority's workbook or the VERBİS view. Duty: dpo or auditor.",
        "Kurum çizelgesini ya da VERBİS görünümünü yaz. Görev: dpo ya da auditor."),
    "inventory export.view": ("Which sheet.", "Hangi çizelge."),
    "inventory export.sheet": ("Which kind of file.", "Dosya türü."),
    "as_of": (
        "As of which time; without a zone the time of Türkiye. Default: now.",
        "Hangi zamana göre; dilim yazılmazsa Türkiye saati. Verilmezse şimdi."),
    "inventory export.output": (
        "The file; `-` = standard output. Default: the suggested name, here.",
        "Dosya; `-` = standart çıktı. Verilmezse önerilen ad, bu klasörde."),
    # -- rules -------------------------------------------------------------------------------------
    "rules": (
        "Need-to-know rules: who may read what, for what.",
        "Bilmesi gereken kuralları: kim, neyi, ne için okuyabilir."),
    "rules lint": (
        "Check rules against their register. No server. 1 on an error.",
        "Kuralları envantere göre denetle. Sunucusuz. Hata varsa 1."),
    "rules lint.file": ("need_to_know.yaml.", "need_to_know.yaml."),
    "register": ("The register's manifest.", "Envanter manifesti."),
    "rules test": (
        "Ask the rules their own examples. No server. 1 when one fails.",
        "Kuralları kendi örnekleriyle sına. Sunucusuz. Biri tutmazsa 1."),
    "rules test.file": ("need_to_know.yaml.", "need_to_know.yaml."),
    "rules matrix": (
        "Write the rules as the authorisation matrix. No server.",
        "Kuralları yetki matrisi olarak yaz. Sunucusuz."),
    "rules matrix.file": ("need_to_know.yaml.", "need_to_know.yaml."),
    "rules matrix.as_csv": ("CSV for spreadsheets instead of a table.", "Tablo yerine CSV."),
    "rules apply": (
        "Store a rule set after lint and its examples passed. Duty: security.",
        "Denetim ve örneklerden geçen kural kümesini sakla. Görev: security."),
    "rules apply.file": ("need_to_know.yaml.", "need_to_know.yaml."),
    "rules activate": (
        "Show a rule set and, given its digest, activate it. Duty: approver, a log-in of the last "
        "five minutes, never who applied it.",
        "Kural kümesini göster; özeti verilirse etkinleştir. Görev: approver, son beş dakikada "
        "açılmış oturum; uygulayan kişi etkinleştiremez."),
    "rules activate.number": ("The rule set's number.", "Kural kümesinin numarası."),
    "rules activate.digest": (
        "SHA-256 of the file that you read, 64 hexadecimal digits.",
        "Okuduğunuz dosyanın SHA-256 özeti, 64 onaltılık basamak."),
    "rules versions": ("List rule sets, newest first.", "Kural kümelerini yeniden eskiye listele."),
    # -- shared by the following -------------------------------------------------------------------
    "purpose": ("The access purpose that this is for.", "Bunun hangi erişim amacıyla yapıldığı."),
    "case": ("The case that it is for, KIND/REF.", "İlgili dosya kaydı, TÜR/NO."),
    "data_field": ("The field's slug.", "Alanın adı (slug)."),
    "subject": ("The subject, NAMESPACE/REF (customers/7).", "İlgili kişi, AD-ALANI/NO (customers/7)."),
    "limit": ("At most so many.", "En çok bu kadar."),
    "vkey": ("The log's verifier key, kept from elsewhere.", "Kayıt defterinin, başka yerden edinilmiş doğrulama anahtarı."),
    # -- cases, audit ------------------------------------------------------------------------------
    "cases": ("Tickets, orders and letters that explain accesses.", "Erişimleri açıklayan talep, sipariş ve yazılar."),
    "cases put": (
        "Push cases as the application that owns their kind (--app). From the options, or from a "
        "JSON file: an object or a list of objects with kind, ref, opened and, where they apply, "
        "opened_by, opener, closed, subjects, assignees, teams.",
        "Türün sahibi olan uygulama adına (--app) dosya kaydı gönder. Seçeneklerden ya da bir JSON "
        "dosyasından: kind, ref, opened ve gerekiyorsa opened_by, opener, closed, subjects, "
        "assignees, teams içeren nesne ya da liste."),
    "cases put.file": ("JSON file.", "JSON dosyası."),
    "cases put.kind": ("The case's kind (ticket).", "Dosya kaydının türü (ticket)."),
    "cases put.ref": ("The case's reference (T-118).", "Dosya kaydının numarası (T-118)."),
    "cases put.subject": ("Whom it is about; may be repeated.", "Kiminle ilgili; yinelenebilir."),
    "cases put.assignee": ("Person id it is assigned to; may be repeated.", "Atanan kişi; yinelenebilir."),
    "cases put.team": ("Group it is assigned to; may be repeated.", "Atanan grup; yinelenebilir."),
    "cases put.opened_by": ("Who opened it: customer, system, or a role.", "Kim açtı: customer, system ya da bir rol."),
    "cases put.opener": ("Person id of who opened it, if staff did.", "Personel açtıysa kişi kimliği."),
    "cases put.opened": ("When it was opened. Default: now.", "Ne zaman açıldı. Verilmezse şimdi."),
    "cases put.closed": ("When it was closed.", "Ne zaman kapandı."),
    "audit": ("The record of accesses: list, verify, export.", "Erişim kayıtları: listele, doğrula, aktar."),
    "audit list": (
        "List access records, newest first. The listing is itself decided and recorded. Duty: "
        "security or auditor.",
        "Erişim kayıtlarını yeniden eskiye listele. Listeleme de kurallara bağlıdır ve kaydedilir. "
        "Görev: security ya da auditor."),
    "audit list.since": ("Received at or after this time.", "Bu zamandan sonra alınanlar."),
    "audit list.until": ("Received before this time.", "Bu zamandan önce alınanlar."),
    "audit list.person": ("Only accesses of this person id.", "Yalnız bu kişinin erişimleri."),
    "audit list.subject": ("Only accesses that touched this subject.", "Yalnız bu kişiye ait veriye erişimler."),
    "audit list.data_field": ("Only accesses that touched this field.", "Yalnız bu alana erişimler."),
    "audit list.for_purpose": ("Only accesses stated for this purpose.", "Yalnız bu amaçla yapılan erişimler."),
    "audit list.through": ("Only accesses through this application.", "Yalnız bu uygulamadan yapılan erişimler."),
    "audit list.verdict": ("Only allowed or only denied ones.", "Yalnız izin verilenler ya da reddedilenler."),
    "audit list.waiting": ("Only those that wait for a review.", "Yalnız inceleme bekleyenler."),
    "audit checkpoint": (
        "Print the log's signed checkpoint. Kept outside, it shows any later change of the past.",
        "Kayıt defterinin imzalı denetim noktasını yaz. Dışarıda saklanırsa geçmişin sonradan "
        "değiştirilmesi ortaya çıkar."),
    "audit checkpoint.output": ("Write the checkpoint to a file too.", "Denetim noktasını dosyaya da yaz."),
    "audit export-log": (
        "Write the log as a C2SP tlog-tiles directory. The export is recorded. Duty: security or "
        "auditor, a log-in of the last five minutes.",
        "Kayıt defterini C2SP tlog-tiles klasörü olarak yaz. Döküm kaydedilir. Görev: security ya "
        "da auditor, son beş dakikada açılmış oturum."),
    "audit export-log.directory": ("The directory to make.", "Oluşturulacak klasör."),
    "audit export-log.vkey_out": (
        "File for the verifier key. Default: DIRECTORY.vkey.",
        "Doğrulama anahtarının dosyası. Verilmezse KLASÖR.vkey."),
    "audit export-log.replace": ("Replace an earlier export.", "Önceki dökümün yerine koy."),
    "audit record": (
        "Record a read that has happened outside. A paper file, a report, a call.",
        "Dışarıda olmuş bir okumayı kaydet. Kâğıt dosya, rapor, telefon."),
    "audit record.data_field": ("A field that was read; may be repeated.", "Okunan alan; yinelenebilir."),
    "audit record.subject": ("Whose; may be repeated.", "Kimin; yinelenebilir."),
    "audit record.action": (
        "list, search, read_masked, read, export, update, delete or disclose.",
        "list, search, read_masked, read, export, update, delete ya da disclose."),
    "audit record.time": ("When it happened. Default: now.", "Ne zaman oldu. Verilmezse şimdi."),
    "audit record.count": ("How many values a field and subject.", "Alan ve kişi başına değer sayısı."),
    "audit record.text": ("Justification (gerekçe).", "Gerekçe."),
    # -- crypto ------------------------------------------------------------------------------------
    "crypto": ("Single values: encrypt and open.", "Tek değer: şifrele ve aç."),
    "crypto encrypt": (
        "Encrypt the text on standard input and print its envelope.",
        "Standart girdideki metni şifrele, zarfını yaz."),
    "record": ("The record that the value lies in. Default: the subject.", "Değerin bulunduğu kayıt. Verilmezse kişi."),
    "crypto encrypt.start": (
        "When its retention starts to count. Default: now.",
        "Saklama süresinin başlangıcı. Verilmezse şimdi."),
    "crypto encrypt.keep_newline": (
        "Keep a line feed at the end of the text.", "Metnin sonundaki satır sonunu koru."),
    "crypto decrypt": (
        "Open the envelope on standard input. The access is decided and recorded first.",
        "Standart girdideki zarfı aç. Önce erişime karar verilir ve kaydedilir."),
    "crypto decrypt.masked": ("Show the mask, not the value.", "Değeri değil maskesini göster."),
    # -- destruction -------------------------------------------------------------------------------
    "destruction": ("Destroy keys: what must go, what goes, receipts.", "Anahtar imhası: süresi dolanlar, imha, belgeler."),
    "destruction due": (
        "List subjects whose values are to be destroyed. Duty: dpo or operator.",
        "Değerleri imha edilecek kişileri listele. Görev: dpo ya da operator."),
    "destruction run": (
        "Destroy the keys of one subject, or of one class and month. 1 when nothing is destroyed. "
        "Duty: dpo, a log-in of the last five minutes.",
        "Bir kişinin ya da bir sınıf ve ayın anahtarlarını imha et. Hiçbiri imha edilmezse 1. "
        "Görev: dpo, son beş dakikada açılmış oturum."),
    "destruction run.subject": ("Whose keys.", "Kimin anahtarları."),
    "destruction run.retention_class": ("A retention class; may be repeated. Default: all.", "Saklama sınıfı; yinelenebilir. Verilmezse hepsi."),
    "destruction run.bucket": ("The month, YYYY-MM, with one --class.", "Ay, YYYY-AA, tek bir --class ile."),
    "destruction run.ground": ("Why.", "Neden."),
    "destruction run.dry_run": ("Show the plan and destroy nothing.", "Yalnız planı göster."),
    "destruction show": ("Show a destruction. Duty: dpo or auditor.", "Bir imhayı göster. Görev: dpo ya da auditor."),
    "destruction show.name": ("Its id or full name.", "Kimliği ya da tam adı."),
    "destruction show.receipt": ("Write the receipt to a file.", "Belgeyi dosyaya yaz."),
    "destruction list": ("List destructions, newest first.", "İmhaları yeniden eskiye listele."),
    # -- verify ------------------------------------------------------------------------------------
    "verify": ("Verify offline, without any service.", "Çevrimdışı doğrula; servis gerekmez."),
    "verify log": (
        "Verify an exported log: signature, every tile, every record. 1 when it does not hold.",
        "Aktarılmış kayıt defterini doğrula: imza, özetler, kayıtlar. Doğru değilse 1."),
    "verify log.directory": ("The exported directory.", "Aktarılmış klasör."),
    "verify log.quick": ("Check hashes only, not what records say.", "Yalnız özetleri denetle, içeriği okuma."),
    "verify receipt": (
        "Verify a receipt, also of a destruction. 1 when it does not hold.",
        "Bir makbuzu ya da imha belgesini doğrula. Doğru değilse 1."),
    "verify receipt.file": ("The receipt's JSON.", "Makbuzun JSON dosyası."),
    "verify receipt.leaf": ("The record's bytes.", "Kaydın baytları."),
    "verify receipt.log": ("An exported log.", "Aktarılmış kayıt defteri."),
})
# fmt: on


def help_of(key: str, *, lang: Lang) -> str:
    """The help text of a command, or of a parameter by its own or its shared key."""
    english, turkish = HELP.get(key) or HELP[key.rpartition(".")[2]]
    return turkish if lang is Lang.TR else english
