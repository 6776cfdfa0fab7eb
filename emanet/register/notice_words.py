"""Places and values of a register in the words of a notice, Turkish and English.

Readers of a notice know activities, recipients and periods, not keys and slugs. The path stays
beside the name, because lint, receipts and denials point to it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from types import MappingProxyType

from emanet.register.diff import Change
from emanet.register.period import parse_period
from emanet.register.reference import reference
from emanet.register.values import Kind, Register
from emanet.register.wording import word_period, word_start

__all__ = ["word_change", "word_group"]

_LONGEST_VALUE = 120
# Person ids stay in the register; a notice is read by everybody.
_PERSONS = frozenset({"by", "staff"})
_KEYS = MappingProxyType(
    {
        "abroad": ("yurt dışına aktarım", "transfer abroad"),
        "address": ("adres", "address"),
        "automatic": ("otomatik", "automatic"),
        "at": ("bulunduğu yer", "place"),
        "backups_gone_after": ("yedeklerin silinmesi", "backups gone after"),
        "balance_test": ("denge testi", "balancing test"),
        "basis": ("hukuki sebep", "legal basis"),
        "because": ("gerekçe", "reason"),
        "collected": ("elde etme", "collection"),
        "consent": ("rıza metni", "consent text"),
        "contact_person": ("irtibat kişisi", "contact person"),
        "contract": ("sözleşme", "contract"),
        "country": ("ülke", "country"),
        "days": ("imha günleri", "days of destruction"),
        "days_ahead": ("önceden duyuru (gün)", "days ahead"),
        "decided": ("karar", "decision"),
        "department": ("departman", "department"),
        "dispose": ("imha yöntemi", "disposal"),
        "duty": ("yükümlülük", "duty"),
        "each_needs": ("her aktarımın dosyası", "case for each disclosure"),
        "effective": ("yürürlük", "in effect from"),
        "en": ("İngilizce ad", "English name"),
        "fields": ("alanlar", "fields"),
        "from": ("başlangıç", "start"),
        "group": ("alıcı grubu", "recipient group"),
        "in": ("kayıt ortamı", "medium"),
        "in_charge": ("sorumlu", "in charge"),
        "instructed_by": ("talimatı veren", "instructed by"),
        "interval": ("imha aralığı", "interval of destruction"),
        "keep": ("saklama süresi", "retention period"),
        "kep": ("KEP adresi", "registered e-mail"),
        "kind": ("tür", "kind"),
        "law": ("kanun maddesi", "law"),
        "level": ("koruma düzeyi", "level"),
        "may_use_for": ("kullanabileceği amaçlar", "purposes of use"),
        "mechanism": ("aktarım dayanağı", "transfer mechanism"),
        "notice": ("aydınlatma metni", "privacy notice"),
        "notified": ("bildirim", "notified"),
        "on": ("gün", "day"),
        "on_behalf_of": ("adına işlenen", "on behalf of"),
        "opt_out": ("ret yolu", "opt-out"),
        "owner": ("sorumlu", "owner"),
        "permission": ("Kurul izni", "Board's permission"),
        "policy": ("imha politikası", "destruction policy"),
        "published": ("yayım", "published"),
        "purposes": ("amaçlar", "purposes"),
        "read_needs": ("okumanın dosyası", "case for a read"),
        "receipts_kept": ("imha kayıtlarının saklanması", "receipts kept"),
        "representative": ("temsilci", "representative"),
        "review_by": ("gözden geçirme günü", "review by"),
        "role": ("rol", "role"),
        "rules": ("mevzuat", "legislation"),
        "says": ("söylenen", "says"),
        "search": ("arama", "search"),
        "seat": ("merkez", "seat"),
        "set": ("sözleşme metni", "contract set"),
        "signed": ("imza", "signed"),
        "source": ("kaynak", "source"),
        "since": ("kayıt tarihi", "registered since"),
        "subjects": ("kişi grupları", "data-subject groups"),
        "title": ("unvan", "title"),
        "to": ("alıcılar", "recipients"),
        "tr": ("ad", "Turkish name"),
        "type": ("veri türü", "data type"),
        "url": ("adres", "address"),
        "via": ("yol", "via"),
        "verbis": ("VERBİS amacı", "VERBİS purpose"),
        "version": ("sürüm", "version"),
        "why": ("gerekçe", "why"),
    }
)
_WORDS = MappingProxyType(
    {
        "controller": ("veri sorumlusu", "controller"),
        "processor": ("veri işleyen", "processor"),
        "registered": ("kayıtla yükümlü", "registered"),
        "exempt": ("istisna", "exempt"),
        "encrypted": ("şifreli", "encrypted"),
        "sealed": ("mühürlü", "sealed"),
        "forbidden": ("yasak", "forbidden"),
        "none": ("açık", "not encrypted"),
    }
)
_WORDED = frozenset({"role", "duty", "level"})
_LISTS = MappingProxyType(
    {
        "dispose": "disposal_methods",
        "group": "recipient_groups",
        "mechanism": "transfer_mechanisms",
        "set": "standard_contract_sets",
        "source": "collection_sources",
        "type": "data_types",
        "verbis": "processing_purposes",
    }
)
_PERIODS = frozenset({"keep", "interval", "backups_gone_after", "receipts_kept"})
_GROUPS = frozenset({"subjects"})
# Keys that mean something else inside another member.
_INSIDE = MappingProxyType({("collected", "from"): "source", ("collected", "by"): "via"})
_UNRESOLVED = "unresolved"
_OTHER_PERSON = ("başka kişi", "another person")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def word_change(change: Change, register: Register, *, lang: str) -> str:
    """One change in words: `Posta GmbH (mailer) · kullanabileceği amaçlar: … → …`.

    Args:
        change: the change; of a measure its label alone is said.
        register: the new register, whose names the entities have.
        lang: `tr` or `en`.
    """
    if change.kind is Kind.MEASURE:
        item = reference().lists["measures"][change.slug]
        return item.tr if lang == "tr" else item.en
    place, key = _place(change)
    words = _Words(register, lang)
    label = words.entity(change)
    name = f"{label} ({place})" if label and place else label or place
    what = words.difference(change.old, change.new, key)
    heading = " · ".join(part for part in (name, words.key(key) if key else "") if part)
    if not heading or what == label:
        return name or what
    return f"{heading}: {what}" if what else heading


def word_group(code: str, *, lang: str) -> str:
    """A group of data subjects."""
    label = reference().subject_label(code)
    return label.tr if lang == "tr" else label.en


def _place(change: Change) -> tuple[str, str]:
    """Where the change is within its section, and the key that changes; '' for a whole entity."""
    parts = change.path.split("/")[1:]
    own = 0 if change.kind.is_single else 1
    key = parts[-1] if len(parts) > own and parts[-1] in _KEYS else ""
    return "/".join(parts[:-1] if key else parts), key


def _arrow(old: str, new: str) -> str:
    return f"{old} → {new}" if old and new else old or new


class _Words:
    """Words for the entities and values of one register in one language."""

    def __init__(self, register: Register, lang: str) -> None:
        self._sections: dict[Kind, Mapping[str, object]] = {
            Kind.PURPOSE: register.purposes,
            Kind.SYSTEM: register.systems,
            Kind.FIELD: register.fields,
            Kind.RETENTION_RULE: register.retention,
            Kind.RECIPIENT: register.recipients,
            Kind.ACTIVITY: register.activities,
            Kind.NAMESPACE: register.namespaces,
        }
        self._names = {"to": Kind.RECIPIENT, "purposes": Kind.PURPOSE, "may_use_for": Kind.PURPOSE}
        self._lang = lang
        self._is_english = lang == "en"

    def key(self, key: str) -> str:
        return _KEYS[key][self._is_english] if key in _KEYS else key

    def entity(self, change: Change) -> str:
        """What people call the entity; empty where it has no name."""
        for value in (change.new, change.old):
            named = value if isinstance(value, Mapping) and "/" not in _tail(change) else {}
            label = named.get("tr") or named.get("says")
            if isinstance(label, str):
                english = named.get("en")
                return english if self._is_english and isinstance(english, str) else label
        return self._label(change.kind, change.slug)

    def difference(self, old: object, new: object, key: str) -> str:
        """Before and after in few words; of two objects what differs, a person as such."""
        if key and isinstance(old, Mapping) and isinstance(new, Mapping):
            names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
            was, now = ({name: part[name] for name in names if name in part} for part in (old, new))
            if self._kept(was, key) == self._kept(now, key) == []:
                return _OTHER_PERSON[self._is_english]
            old, new = was, now
        return _arrow(self._short(old, key), self._short(new, key))

    def _short(self, value: object, key: str) -> str:
        return textwrap.shorten(self._value(value, key), width=_LONGEST_VALUE, placeholder=" …")

    def _kept(self, value: Mapping[str, object], key: str) -> list[tuple[str, object]]:
        """The members that a notice shows, by the names that they have there."""
        named = ((_INSIDE.get((key, name), name), part) for name, part in value.items())
        return [(name, part) for name, part in named if name not in _PERSONS]

    def _value(self, value: object, key: str) -> str:
        if isinstance(value, Mapping):
            label = value.get("tr") or value.get("says")
            if isinstance(label, str):
                return label
            if _UNRESOLVED in value:
                return f"'{value[_UNRESOLVED]}'"
            parts = self._kept(value, key)
            return ", ".join(f"{self.key(name)} {self._value(part, name)}" for name, part in parts)
        if isinstance(value, list | tuple):
            return ", ".join(self._value(part, key) for part in value)
        if isinstance(value, bool):
            return (("hayır", "evet"), ("no", "yes"))[self._is_english][value]
        return "" if value is None else self._text(str(value), key)

    def _text(self, text: str, key: str) -> str:
        if key in _PERIODS and text.startswith("P"):
            try:
                return word_period(parse_period(text), lang=self._lang)
            except ValueError:
                return text
        if key in self._names:
            return self._label(self._names[key], text) or text
        if key in _LISTS:
            item = reference().find_item(_LISTS[key], text)
            return text if item is None else item.en if self._is_english else item.tr
        if key == "rules":
            law = reference().retention_rules.get(text)
            return text if law is None else law.citation
        if key in _GROUPS:
            return word_group(text, lang=self._lang)
        if key == "from":
            return word_start(text, lang=self._lang)
        if key in _WORDED and text in _WORDS:
            return _WORDS[text][self._is_english]
        return text if self._is_english else _DAY.sub(r"\3.\2.\1", text)

    def _label(self, kind: Kind, slug: str) -> str:
        entity = self._sections.get(kind, {}).get(slug)
        label = getattr(entity, "en", None) if self._is_english else None
        return label or getattr(entity, "tr", None) or ""


def _tail(change: Change) -> str:
    """The path below the entity, with a slash in it where it is not the entity itself."""
    return change.path.removeprefix(f"{change.kind.value}/{change.slug}")
