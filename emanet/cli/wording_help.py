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
        "Çıkış kodu: 0 oldu ya da öyle, 1 sorulan şey öyle değil, 2 kullanım ya da ortam hatası."),
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
        "Start the three services of a checkout, for development; restart what ends.",
        "Üç servisi geliştirme için başlat; kapananı yeniden aç."),
    "up.organization": (
        "Make an organization known first; may be repeated.",
        "Önce bir kuruluşu tanıt; yinelenebilir."),
    "up.installation": (
        "Name of the installation, fixed at the first start (default: local).",
        "Kurulumun adı; ilk açılışta belirlenir (verilmezse local)."),
    "up.detach": ("Return once the services are up.", "Servisler açılınca geri dön."),
    "down": ("Stop what `up` started.", "`up` ile başlatılanı durdur."),
    "status": (
        "Show services, organizations and which promises hold now; 1 when something is down.",
        "Servisleri, kuruluşları ve geçerli sözleri göster; biri kapalıysa 1."),
    "dev": ("Identities for development, accepted on loopback alone.", "Geliştirme kimlikleri."),
    "dev certs": (
        "Make certificates, the token issuer and a starter principals.yaml.",
        "Sertifikaları, belirteç yayıncısını ve ilk principals.yaml dosyasını üret."),
    "dev certs.organization": (
        "An organization for the starter file; may be repeated.",
        "İlk dosyaya yazılacak kuruluş; yinelenebilir."),
    "dev certs.application": (
        "A further application that gets a certificate; may be repeated.",
        "Sertifika alacak ek uygulama; yinelenebilir."),
    "dev token": (
        "Print a staff token as of a log-in just now; it lasts 15 minutes.",
        "Şu an oturum açılmış gibi personel belirteci yaz; 15 dakika geçerlidir."),
    "dev token.person": ("Person id of principals.yaml.", "principals.yaml'daki kişi kimliği."),
    "dev token.group": ("A group of the person; may be repeated.", "Kişinin grubu; yinelenebilir."),
    "dev token.client": ("The application that will present it.", "Belirteci sunacak uygulama."),
    "dev token.installation": ("Installation (default: the local one).", "Kurulum (verilmezse yerel)."),
    # -- inventory ---------------------------------------------------------------------------------
    "inventory": (
        "The register of processing activities: manifests, versions, sheets.",
        "Kişisel veri işleme envanteri: manifest, sürüm, çizelge."),
    "file": ("The manifest.", "Manifest dosyası."),
    "inventory lint": (
        "Check a manifest against every rule, without a server; 1 when there is an error.",
        "Manifesti bütün kurallara göre denetle (sunucusuz); hata varsa 1."),
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
        "Check rules against their register, without a server; 1 when there is an error.",
        "Kuralları envantere göre denetle (sunucusuz); hata varsa 1."),
    "rules lint.file": ("need_to_know.yaml.", "need_to_know.yaml."),
    "register": ("The register's manifest.", "Envanter manifesti."),
    "rules test": (
        "Ask the rules their own examples, without a server; 1 when one fails.",
        "Kuralları kendi örnekleriyle sına (sunucusuz); biri tutmazsa 1."),
    "rules test.file": ("need_to_know.yaml.", "need_to_know.yaml."),
    "rules matrix": (
        "Write the rules as the authorisation matrix, without a server.",
        "Kuralları yetki matrisi olarak yaz (sunucusuz)."),
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
})
# fmt: on


def help_of(key: str, *, lang: Lang) -> str:
    """The help text of a command, or of a parameter by its own or its shared key."""
    english, turkish = HELP.get(key) or HELP[key.rpartition(".")[2]]
    return turkish if lang is Lang.TR else english
