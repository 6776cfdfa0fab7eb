"""Generates customers: invented people with data that looks real, the same for the same seed.

T.C. numbers carry valid check digits, so that one may belong to somebody by chance; nothing else
in here does. Addresses lie in documentation ranges (RFC 5737, RFC 3849), domains in `.example`
(RFC 2606).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from emanet.core.identifiers import build_tckn
from emanet.core.text import lower

__all__ = ["GENERATORS", "SEARCHED_TYPES", "Customer", "make_customer"]

_FIRST = (
    "Ayşe", "Çağla", "Doğukan", "Elif", "Gökçe", "Hüseyin", "Işıl", "İbrahim", "Kerem", "Leyla",
    "Mustafa", "Nilüfer", "Oğuz", "Özge", "Pınar", "Rıza", "Selçuk", "Şule", "Tuğba", "Umut",
    "Ümit", "Volkan", "Yağmur", "Zeynep", "Buğra", "Ceyda", "Nazlı", "Sıla", "Ertuğrul", "İrem",
)  # fmt: skip
_LAST = (
    "Akyıldız", "Bozdağ", "Çelikkol", "Demirağ", "Erçetin", "Gündoğdu", "Güneşer", "Ilgaz",
    "İnanöz", "Karaağaç", "Köprülü", "Kuşçuoğlu", "Öztürkmen", "Sarıçiçek", "Şimşekoğlu",
    "Taşkıran", "Uğurlutan", "Ünsaldı", "Yıldırımer", "Yücesoylu", "Bağcıoğlu", "Çınarlı",
    "Dağdelener", "Eğilmezer", "Gökçeoğlu", "Hızarcıoğlu", "Kılıçaslan", "Müftüoğulları",
    "Pekşenli",
)  # fmt: skip
_STREETS = (
    "Ihlamur", "Şakayık", "Çamlık", "Gülbahçe", "İğde", "Ormancı", "Üçpınar", "Değirmenyolu",
    "Söğütlü", "Kızılcık",
)  # fmt: skip
_TOWNS = (
    "Çanakkale", "Muğla", "Eskişehir", "Sinop", "Iğdır", "İzmir", "Şanlıurfa", "Düzce", "Kütahya",
    "Gümüşhane",
)  # fmt: skip
_TOPICS = (
    "parolamı sıfırlayamıyorum", "faturamda unvanım yanlış", "sitem açılmıyor",
    "alan adımı taşımak istiyorum", "ödeme iki kez çekilmiş", "yedeğim görünmüyor",
)  # fmt: skip
_OFFERS = ("yılbaşı indirimi", "yeni sunucu paketi", "üyelik yenileme", "etkinlik çağrısı")
_INTERESTS = ("sunucu", "alan adı", "e-ticaret", "yedekleme", "güvenlik", "reklam")


@dataclass(frozen=True, slots=True, repr=False)
class Customer:
    """One invented person; `number` counts from 1 within the organization."""

    number: int
    name: str
    email: str
    phone: str
    tckn: str
    address: str
    address_ip: str


@lru_cache(maxsize=4096)
def make_customer(organization: str, number: int) -> Customer:
    """The person with this number, always the same."""
    dice = random.Random(f"emanet-demo/{organization}/{number}")
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    middle = dice.choice(_FIRST)
    return Customer(
        number=number,
        name=f"{first} {middle} {last}",
        email=f"{lower(first)}.{lower(last)}{number}@{organization}-posta.example",
        phone=f"+905{dice.randint(0, 99):02d}{dice.randint(0, 9_999_999):07d}",
        tckn=build_tckn(str(dice.randint(100_000_000, 999_999_999))),
        address=(
            f"{dice.choice(_STREETS)} Mah. {dice.choice(_STREETS)} Sk. "
            f"No: {dice.randint(1, 240)}/{dice.randint(1, 40)} {dice.choice(_TOWNS)}"
        ),
        address_ip=_ip(dice),
    )


def _ip(dice: random.Random) -> str:
    if dice.random() < 0.2:
        return f"2001:db8:{dice.randint(0, 0xFFFF):x}::{dice.randint(1, 0xFFFF):x}"
    block = dice.choice(("192.0.2", "198.51.100", "203.0.113"))
    return f"{block}.{dice.randint(1, 254)}"


_Maker = Callable[[Customer, random.Random], str]


def _message(who: Customer, dice: random.Random) -> str:
    return (
        f"Sayın {who.name.split()[0]} müşterimiz, {dice.choice(_OFFERS)} için kodunuz "
        f"{dice.randint(100_000, 999_999)}. Çıkmak için RET yazıp "
        f"{dice.randint(1000, 9999)} numarasına gönderin."
    )


def _ticket(who: Customer, dice: random.Random) -> str:
    return (
        f"Merhaba, ben {who.name}; {dice.choice(_TOPICS)}. "
        f"Bana {who.phone} numarasından ulaşın. (kayıt {dice.randint(10_000, 99_999)})"
    )


def _traffic(who: Customer, dice: random.Random) -> str:
    return (
        f"{who.address_ip} - - [{dice.randint(1, 28):02d}/Eki/2026:{dice.randint(0, 23):02d}:"
        f'{dice.randint(0, 59):02d}:{dice.randint(0, 59):02d} +0300] "GET /hesap/{who.number} '
        f'HTTP/1.1" 200 {dice.randint(400, 90_000)}'
    )


GENERATORS: Mapping[str, _Maker] = {
    "ad_soyad": lambda who, _: who.name,
    "e_posta": lambda who, _: who.email,
    "cep_telefonu": lambda who, _: who.phone,
    "tckn": lambda who, _: who.tckn,
    "adres": lambda who, _: who.address,
    "fatura_adresi": lambda who, dice: f"{who.address} (daire {dice.randint(1, 99)})",
    "ip_adresi": lambda who, _: who.address_ip,
    "trafik_bilgisi": _traffic,
    "destek_talebi": _ticket,
    "mesaj_icerigi": _message,
    "mesaj_alici_numarasi": lambda _, dice: f"905{dice.randint(100_000_000, 999_999_999)}",
    "kampanya_tercihi": lambda _, dice: ", ".join(dice.sample(_INTERESTS, 2)),
    "ek_belge": lambda who, dice: f"İmza sirküleri {dice.randint(1000, 9999)}: {who.name}",
    "kotuye_kullanim_kaydi": lambda who, dice: f"{who.name}: şikâyet {dice.randint(100, 999)}",
    "kullanici_parolasi": lambda _, dice: f"$argon2id$v=19${dice.getrandbits(160):040x}",
    "erisim_bilgisi_sifresi": lambda _, dice: f"{dice.getrandbits(96):024x}",
    "alan_adi_iletisim_kisisi": lambda who, _: f"{who.name}; {who.phone}; {who.email}",
    "faks": lambda _, dice: f"+902{dice.randint(10, 99)}{dice.randint(2_000_000, 9_999_999)}",
    "web_sitesi": lambda _, dice: f"https://dukkan{dice.randint(1000, 9999)}.example",
    "cerez": lambda _, dice: f"c-{dice.getrandbits(64):016x}",
    "ileti_onayi": lambda _, dice: dice.choice(("onay", "ret")),
    "siparis": lambda _, dice: f"abonelik-{dice.randint(10_000, 99_999)}",
    "odeme_kaydi": lambda _, dice: f"{dice.randint(90, 4000)} TRY, havale",
    "sunucu_yapilandirma": lambda _, dice: (
        f"cpu={dice.choice((2, 4, 8))} disk={dice.choice((50, 100))}"
    ),
    "alan_adi_kaydi": lambda _, dice: f"alan{dice.randint(10_000, 99_999)}.example",
    "sunucu_ip_eslesmesi": lambda _, dice: f"alan{dice.randint(10_000, 99_999)}.example 192.0.2.10",
    "site_kullanim_istatistigi": lambda _, dice: f"sayfa={dice.randint(1, 40)}",
    "anonim_istatistik": lambda _, dice: (
        f"gün={dice.randint(1, 28)} ziyaret={dice.randint(1, 900)}"
    ),
    "anket_yarisma": lambda _, dice: f"cevap {dice.choice('ABC')}",
    "mesaj_gonderim_kaydi": lambda _, dice: f"iletildi {dice.randint(10_000, 99_999)}",
}
"""Data type of verbis.yaml → a value of it."""

SEARCHED_TYPES = frozenset(
    {
        "tckn", "cep_telefonu", "mesaj_alici_numarasi", "e_posta", "ad_soyad", "adres",
        "fatura_adresi", "mesaj_icerigi", "destek_talebi", "alan_adi_iletisim_kisisi",
        "trafik_bilgisi",
    }
)  # fmt: skip
"""Types whose values name or quote a person and are long enough to be searched for byte by byte."""
