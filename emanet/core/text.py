"""Turkish text: letter case, folding for comparison, and the key by which labels are matched.

`str.lower` and `str.upper` are wrong for Turkish: `I` belongs to `ı` and `İ` to `i`, and
`"İ".lower()` has two code points. Turkish words are compared through this module only; e-mail
addresses, host names and IBANs never are (verbis.yaml, `turkish_text.never_turkish_case`).
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fold", "label_key", "lower", "upper"]

_LOWER = str.maketrans({"I": "ı", "İ": "i"})
_UPPER = str.maketrans({"i": "İ", "ı": "I"})
_FOLD = str.maketrans("çğıöşüâîû", "cgiosuaiu")
_NOT_WORD = re.compile(r"[\W_]+")


def lower(text: str) -> str:
    """Turkish lower case in normal form C: `IŞIK` gives `ışık`, `İZMİR` gives `izmir`."""
    composed = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", composed.translate(_LOWER).lower())


def upper(text: str) -> str:
    """Turkish upper case in normal form C: `istanbul` gives `İSTANBUL`, `ılık` gives `ILIK`."""
    composed = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", composed.translate(_UPPER).upper())


def fold(text: str) -> str:
    """Lower case with Turkish letters and circumflexes reduced to ASCII: `Kâmil` gives `kamil`.

    Different words can fold to one text (`kar`, `kâr`), so a fold finds candidates and proves
    nothing. Letters of other languages keep their marks.
    """
    return lower(text).translate(_FOLD)


def label_key(text: str) -> str:
    """The key by which two spellings of one label are the same.

    Folded, with every run of white space and punctuation as one space: `Ceza Mahkûmiyeti Ve
    Güvenlik Tedbirleri` and `ceza mahkumiyeti/ve güvenlik tedbirleri` have the same key.
    """
    return _NOT_WORD.sub(" ", fold(text)).strip()
