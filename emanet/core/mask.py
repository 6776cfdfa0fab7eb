"""Masks: what a person sees who needs to recognise a value but not to read it.

A mask is chosen by the data type's code in verbis.yaml, whose `mask` examples it follows. What is
not of its type's form, and every type without a mask of its own, shows as `***`, which does not
even tell a length. No mask shows a whole value. A mask is no anonymisation: who knows the person
may recognise them by it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from emanet.core.encoding import require_nfc
from emanet.core.errors import EmanetError
from emanet.core.identifiers import parse_turkish_phone

__all__ = ["HIDDEN", "MASKED_TYPES", "mask"]

HIDDEN = "***"

_TCKN = re.compile(r"[1-9][0-9]{10}\Z")
_CARD = re.compile(r"[0-9]{13,19}\Z")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\Z")
_PASSPORT = re.compile(r"[A-Z][A-Z0-9]{5,8}\Z")
_DATE = re.compile(r"(?:([0-9]{4})-[0-9]{2}-[0-9]{2}|[0-9]{2}\.[0-9]{2}\.([0-9]{4}))\Z")
_TOP_LABEL = re.compile(r"[A-Za-z]{2,}\Z")
_GAPS = re.compile(r"[ -]")


def mask(kind: str, value: str) -> str:
    """Masks a value of a data type.

    Args:
        kind: code of the data type in verbis.yaml; an unknown code gives `***`.
        value: the text in clear, in normal form C.

    Returns:
        A text that holds at least one `*` and never the whole value.
    """
    rule = _RULES.get(kind)
    if rule is None or not value.strip():
        return HIDDEN
    try:
        return rule(require_nfc(value).strip())
    except EmanetError:
        return HIDDEN


def _tckn(value: str) -> str:
    # The last two digits: the first nine would be enough to compute the rest.
    return f"*********{value[9:]}" if _TCKN.match(value) else HIDDEN


def _name(value: str) -> str:
    words = value.split()
    if any(not word[0].isalpha() for word in words):
        return HIDDEN
    return " ".join(_first_letter(word) for word in words)


def _email(value: str) -> str:
    local, _, domain = value.rpartition("@")
    labels = domain.split(".")
    if not local or len(labels) < 2 or not all(labels) or not _TOP_LABEL.match(labels[-1]):
        return HIDDEN
    middle = ["*" * len(label) for label in labels[1:-1]]
    return f"{_first_letter(local)}@{'.'.join([_first_letter(labels[0]), *middle, labels[-1]])}"


def _phone(value: str) -> str:
    number = parse_turkish_phone(value)
    return f"+90 {number[3]}** *** ** {number[-2:]}"


def _ip(value: str) -> str:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return HIDDEN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return (
                ":".join(f"{int(group, 16):x}" for group in address.exploded.split(":")[:3]) + ":*"
            )
        address = address.ipv4_mapped
    return f"{str(address).rpartition('.')[0]}.*"


def _card(value: str) -> str:
    digits = _GAPS.sub("", value)
    return f"**** **** **** {digits[-4:]}" if _CARD.match(digits) else HIDDEN


def _iban(value: str) -> str:
    text = _GAPS.sub("", value)
    if not _IBAN.match(text):
        return HIDDEN
    shown = text[:2] + "*" * (len(text) - 6) + text[-4:]
    return " ".join(shown[i : i + 4] for i in range(0, len(shown), 4))


def _passport(value: str) -> str:
    return f"{value[0]}*******" if _PASSPORT.match(value) else HIDDEN


def _birth_date(value: str) -> str:
    match = _DATE.match(value)
    return f"**.**.{match[1] or match[2]}" if match else HIDDEN


def _first_letter(word: str) -> str:
    # A single letter would be the whole word.
    return word[0] + "*" * (len(word) - 1) if len(word) > 1 else "*"


_RULES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "ad_soyad": _name,
        "tckn": _tckn,
        "ykn": _tckn,
        "pasaport_no": _passport,
        "dogum_tarihi": _birth_date,
        "e_posta": _email,
        "cep_telefonu": _phone,
        "ip_adresi": _ip,
        "kart_bilgisi": _card,
        "iban": _iban,
    }
)

MASKED_TYPES = frozenset(_RULES)
