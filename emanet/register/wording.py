"""Periods, start events and media in the words that people read, Turkish and English."""

from __future__ import annotations

from types import MappingProxyType

from emanet.register.period import Period
from emanet.register.values import RetentionRule, Unresolved

__all__ = ["UNVERIFIED", "is_verified", "word_period", "word_retention", "word_start"]

# Printed beside every value whose source could not be confirmed (verbis.yaml, status uncertain).
UNVERIFIED = MappingProxyType({"tr": "doğrulanmadı", "en": "not verified"})

_UNITS = MappingProxyType(
    {
        "tr": (("yıl", "yıl"), ("ay", "ay"), ("gün", "gün")),
        "en": (("year", "years"), ("month", "months"), ("day", "days")),
    }
)
_STARTS = MappingProxyType(
    {
        "record_created": ("kaydın oluşmasından", "the record's creation"),
        "end_of_calendar_year": ("takvim yılının sonundan", "the end of the calendar year"),
        "start_of_year_after_document_year": (
            "belge yılını izleyen yılın başından",
            "the start of the year after the document's",
        ),
        "transaction_date": ("işlem tarihinden", "the date of the transaction"),
        "communication_made": ("haberleşmenin yapılmasından", "the communication"),
        "interaction_date": ("son etkileşimden", "the interaction"),
        "contract_ended": ("sözleşmenin bitiminden", "the end of the contract"),
        "subscription_ended": ("aboneliğin bitiminden", "the end of the subscription"),
        "sponsorship_ended": (
            "alan adı kaydının bu kuruluşta bitmesinden",
            "the end of the registrar's sponsorship",
        ),
        "registration_ended": ("alan adı kaydının bitiminden", "the end of the registration"),
        "consent_ended": ("onayın sona ermesinden", "the end of the consent"),
        "claim_due": ("alacağın muaccel olmasından", "the day on which the claim is due"),
        "case_closed": ("dosyanın kapanmasından", "the closing of the case"),
        "purpose_ended": ("amacın sona ermesinden", "the end of the purpose"),
        "authorisation": ("ödemenin onaylanmasından", "the authorisation of the payment"),
        "destruction_done": ("imhanın yapılmasından", "the destruction"),
        "answer_sent": ("yanıtın gönderilmesinden", "the sending of the answer"),
    }
)


def word_period(period: Period, *, lang: str) -> str:
    """A period in words: `10 yıl`, `2 years 6 months`; nothing is `0 gün`.

    Args:
        period: any period.
        lang: `tr` or `en`.
    """
    years, months = divmod(period.months, 12)
    parts = []
    for count, (one, many) in zip((years, months, period.days), _UNITS[lang], strict=True):
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    return " ".join(parts) or f"0 {_UNITS[lang][2][1]}"


def word_start(event: str | None, *, lang: str) -> str:
    """A start event as the end of "from …": `sözleşmenin bitiminden`, `the end of the contract`.

    An event that is not among the known ones is named by its slug.
    """
    if event is None:
        return "başlangıcı yazılmamış bir olaydan" if lang == "tr" else "an event not stated"
    known = _STARTS.get(event)
    if known is None:
        return f"'{event}' olayından" if lang == "tr" else f"the event '{event}'"
    return known[0] if lang == "tr" else known[1]


def word_retention(rule: RetentionRule | Unresolved | None, *, lang: str) -> str:
    """A retention rule in words: `sözleşmenin bitiminden itibaren 10 yıl`.

    What is not resolved stays visible: the words themselves in quotes, or that there is none.
    """
    if rule is None:
        return "belirlenmemiş" if lang == "tr" else "not determined"
    if isinstance(rule, Unresolved):
        return f"belirlenmemiş ('{rule.text}')" if lang == "tr" else f"undecided ('{rule.text}')"
    if not isinstance(rule.keep, Period):
        return word_retention(rule.keep, lang=lang)
    period = word_period(rule.keep, lang=lang)
    start = word_start(rule.start, lang=lang)
    return f"{start} itibaren {period}" if lang == "tr" else f"{period} from {start}"


def is_verified(status: str) -> bool:
    """Whether a value of verbis.yaml with this status prints without a mark."""
    return status != "uncertain"
