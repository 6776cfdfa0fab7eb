"""Checksums of identifiers met in Turkish data, and the one form in which each is compared.

A checksum shows that a text was written without a slip; it does not show that the number exists,
nor whose it is. Random text passes as a T.C. number or an IBAN once in a hundred times, as a VKN or
a card number (Luhn) once in ten. Sources: `identifier_rules` in verbis.yaml; ISO 13616 (IBAN);
ISO/IEC 7812-1 annex B (Luhn); ITU-T E.164 (telephone numbers).
"""

from __future__ import annotations

import re

from emanet.core.errors import EmanetError, Reason, error

__all__ = [
    "build_tckn",
    "iban_check_digits",
    "is_card_number",
    "is_e164",
    "is_iban",
    "is_luhn",
    "is_tckn",
    "is_turkish_iban",
    "is_turkish_mobile",
    "is_vkn",
    "luhn_digit",
    "parse_turkish_phone",
]

_TCKN = re.compile(r"[1-9][0-9]{10}\Z")
_VKN = re.compile(r"[0-9]{10}\Z")
_DIGITS = re.compile(r"[0-9]+\Z")
_CARD = re.compile(r"[0-9]{13,19}\Z")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\Z")
# TR, check digits, bank code (5), the reserved digit 0, account (16): 26 characters in all.
_TURKISH_IBAN = re.compile(r"TR[0-9]{7}0[0-9]{16}\Z")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_PHONE_SEPARATORS = re.compile(r"[ ().\-/]")
# National numbers have ten digits; 444 numbers have seven and no international form.
_NATIONAL = re.compile(r"(?:\+90|0090|90|0)?([2-58][0-9]{9})\Z")


def is_tckn(text: str) -> bool:
    """Whether eleven digits carry the two check digits of a T.C. number or a foreigner's number.

    d10 = (7·(d1+d3+d5+d7+d9) - (d2+d4+d6+d8)) mod 10, d11 = (d1+…+d10) mod 10, d1 is not 0.
    """
    return bool(_TCKN.match(text)) and text[9:] == _tckn_check_digits(text[:9])


def build_tckn(first_nine: str) -> str:
    """Appends the check digits to nine digits; the number may belong to a real person.

    Raises:
        CallerError: INVALID_FIELD unless given nine digits that do not start with 0.
    """
    if not re.fullmatch(r"[1-9][0-9]{8}", first_nine, re.ASCII):
        raise _invalid("nine digits are needed and the first is not 0")
    return first_nine + _tckn_check_digits(first_nine)


def is_vkn(text: str) -> bool:
    """Whether ten digits carry the check digit of a Turkish tax number."""
    if not _VKN.match(text):
        return False
    total = 0
    for position, digit in enumerate(map(int, text[:9]), start=1):
        shifted = (digit + 10 - position) % 10
        weighted = shifted * 2 ** (10 - position) % 9
        total += 9 if shifted and not weighted else weighted
    return int(text[9]) == (10 - total % 10) % 10


def is_luhn(text: str) -> bool:
    """Whether digits end with their Luhn check digit."""
    return bool(_DIGITS.match(text)) and _luhn_sum(text) % 10 == 0


def luhn_digit(digits: str) -> str:
    """The Luhn check digit to append.

    Raises:
        CallerError: INVALID_FIELD unless given at least one digit and digits only.
    """
    if not _DIGITS.match(digits):
        raise _invalid("digits are needed")
    return str(-_luhn_sum(digits + "0") % 10)


def is_card_number(text: str) -> bool:
    """Whether 13 to 19 digits end with their Luhn check digit (ISO/IEC 7812-1)."""
    return bool(_CARD.match(text)) and is_luhn(text)


def is_iban(text: str) -> bool:
    """Whether an IBAN without spaces, in capitals, leaves 1 modulo 97 (ISO 13616)."""
    return bool(_IBAN.match(text)) and _iban_remainder(text) == 1


def is_turkish_iban(text: str) -> bool:
    """Whether a text is a Turkish IBAN: 26 characters, reserved digit 0, check digits right."""
    return bool(_TURKISH_IBAN.match(text)) and is_iban(text)


def iban_check_digits(country: str, account: str) -> str:
    """The two check digits for a country code and a basic bank account number.

    Raises:
        CallerError: INVALID_FIELD when the parts cannot form an IBAN.
    """
    unchecked = f"{country}00{account}"
    if not _IBAN.match(unchecked):
        raise _invalid("not the parts of an IBAN")
    return f"{98 - _iban_remainder(unchecked):02d}"


def is_e164(text: str) -> bool:
    """Whether a text is `+` and 7 to 15 digits without a leading zero (ITU-T E.164)."""
    return bool(_E164.match(text))


def is_turkish_mobile(text: str) -> bool:
    """Whether a text is a Turkish mobile number in E.164 form (`+905` and nine digits)."""
    return bool(re.fullmatch(r"\+905[0-9]{9}", text, re.ASCII))


def parse_turkish_phone(text: str) -> str:
    """The E.164 form of a Turkish number written with or without +90, 0, spaces and brackets.

    Raises:
        CallerError: INVALID_FIELD for anything else, seven-digit 444 numbers included.
    """
    match = _NATIONAL.match(_PHONE_SEPARATORS.sub("", text))
    if not match:
        raise _invalid("not a Turkish telephone number")
    return f"+90{match.group(1)}"


def _tckn_check_digits(first_nine: str) -> str:
    digits = [int(digit) for digit in first_nine]
    tenth = (7 * sum(digits[0::2]) - sum(digits[1::2])) % 10
    return f"{tenth}{(sum(digits) + tenth) % 10}"


def _luhn_sum(text: str) -> int:
    total = 0
    for position, digit in enumerate(map(int, reversed(text))):
        total += digit if position % 2 == 0 else sum(divmod(2 * digit, 10))
    return total


def _iban_remainder(text: str) -> int:
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97


def _invalid(problem: str) -> EmanetError:
    return error(Reason.INVALID_FIELD, violations=(("", problem),))
