"""What is done with the data: retention, recipients, notices, activities and claims.

The second half of the register's entities; the module text of `emanet.register.entities` holds
here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from emanet.register.entities import Role, Unresolved
from emanet.register.period import Period

__all__ = [
    "Abroad",
    "Activity",
    "Claim",
    "Collected",
    "Decision",
    "Declaration",
    "Notice",
    "Recipient",
    "RetentionRule",
]


@dataclass(frozen=True, slots=True)
class Decision:
    """The DPO's decision where laws conflict or none gives a number.

    Attributes:
        by: a person id.
    """

    by: str
    on: date
    why: str


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long, from when, under which laws, and what happens then.

    Attributes:
        keep: the period; None while absent, Unresolved while it is only words.
        start: the start event (key `from` of the manifest).
        rules: codes of retention_rules.
        bucket: width of the creation bucket; None = one month, the only width there is.
        interval: destruction interval of this rule, None = the organization's.
        dispose: code of disposal_methods.
        instructed_by: the controller whose instruction it is, for processor rows.
    """

    keep: Period | Unresolved | None = None
    start: str | None = None
    rules: tuple[str, ...] = ()
    tr: str | None = None
    en: str | None = None
    bucket: Period | None = None
    interval: Period | None = None
    dispose: str | None = None
    because: str | None = None
    decided: Decision | None = None
    instructed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Abroad:
    """A transfer abroad (KVKK art. 9).

    Attributes:
        country: ISO 3166-1 alpha-2.
        mechanism: code of transfer_mechanisms.
        set: code of standard_contract_sets (key `set`).
        permission: the Board's decision where the mechanism needs one.
    """

    country: str | None = None
    mechanism: str | None = None
    set: str | None = None
    signed: date | None = None
    notified: date | None = None
    permission: str | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody outside who gets data.

    Attributes:
        group: code of recipient_groups.
        may_use_for: purposes for which it may use what it gets.
        each_needs: the case kind that each disclosure must bring.
        contract: the contract's reference.
    """

    tr: str
    en: str | None = None
    group: str | None = None
    role: Role | None = None
    may_use_for: tuple[str, ...] = ()
    each_needs: str | None = None
    contract: str | None = None
    abroad: Abroad | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A privacy notice (aydınlatma metni; KVKK art. 10).

    Attributes:
        days_ahead: days between publication and effect that the notice promises.
        to: codes of data subject groups or sub-groups, empty = those of the rows that name it.
    """

    version: int | None = None
    effective: date | None = None
    published: date | None = None
    days_ahead: int | None = None
    url: str | None = None
    tr: str | None = None
    en: str | None = None
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collected:
    """How data is obtained (Aydınlatma Tebliği art. 5).

    Attributes:
        source: code of collection_sources (key `from`).
        by: the form, device or, for `diger_faaliyet`, the activity's slug.
        automatic: by automatic means wholly or partly, None while not said.
    """

    source: str | None = None
    by: str | None = None
    automatic: bool | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """One row: fields for purposes, on a basis, kept so long, given to.

    Attributes:
        basis: article of KVKK (`5/2-ç`), a key of `Reference.bases_by_article`.
        keep: slug of a retention rule, or words.
        to: slugs of recipients.
        subjects: groups of this row alone, empty = those of the activity.
    """

    fields: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    basis: str | Unresolved | None = None
    law: str | None = None
    consent: str | None = None
    balance_test: str | None = None
    keep: str | Unresolved | None = None
    to: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Activity:
    """A processing activity with its rows.

    Attributes:
        owner: title of the person who answers for it.
        on_behalf_of: for a processor: whose data it is.
        subjects: codes of data subject groups or sub-groups.
        notice: slug of the privacy notice.
    """

    tr: str
    en: str | None = None
    department: str | None = None
    owner: str | None = None
    role: Role | None = None
    on_behalf_of: str | None = None
    review_by: date | None = None
    subjects: tuple[str, ...] = ()
    collected: Collected | None = None
    notice: str | None = None
    rows: tuple[Declaration, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A promise of a privacy policy.

    Attributes:
        says: the promise in our words.
        assertions: assertion key → canonical JSON value, the closed set of
            `docs/formats/register.md`.
        stands: the answer for the text as published.
        repaired_by: slugs of what repaired it.
        exception: conditions under which the promise does not hold, name → words.
    """

    says: str
    assertions: Mapping[str, object]
    stands: str | None = None
    repaired_by: tuple[str, ...] = ()
    exception: Mapping[str, str] | None = None
