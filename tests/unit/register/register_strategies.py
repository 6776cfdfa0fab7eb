"""Generated registers: valid by the schema, in invented names, with everything optional in play."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from types import MappingProxyType

from hypothesis import settings
from hypothesis import strategies as st

from emanet.register.period import Period
from emanet.register.reference import reference
from emanet.register.values import (
    Abroad,
    Activity,
    Bind,
    Claim,
    Collected,
    ContactPerson,
    Decision,
    Declaration,
    DestructionPolicy,
    Duty,
    Field,
    Level,
    Location,
    Namespace,
    Notice,
    Organization,
    Purpose,
    Recipient,
    Register,
    Registry,
    RetentionRule,
    Role,
    Search,
    System,
    SystemKind,
    Unresolved,
)

# A whole register takes milliseconds to draw; forty of them meet every member many times.
whole_registers = settings(max_examples=40)

_ALPHABET = st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn", "Zl", "Zp"])
_TRICKY = [
    "no",
    "NO",
    "on",
    "null",
    "~",
    "true",
    "010",
    "1:30",
    "- x",
    "a: b",
    "a #b",
    "'",
    '"',
    "{",
    "*x",
    "%",
    "\n x",
    "İI ıi",
    "a\u00a0b",
    "😀 ",
    " x",
    "@",
    "2026-02-30",
]

texts = st.sampled_from(_TRICKY) | st.text(_ALPHABET, min_size=1, max_size=12).map(
    lambda text: unicodedata.normalize("NFC", text)
)
slugs = st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True)
days = st.dates(date(1990, 1, 1), date(2100, 12, 31))
periods = st.builds(Period, months=st.integers(0, 1_800), days=st.integers(0, 36_525))
moments = st.datetimes(
    datetime(2017, 1, 1),  # noqa: DTZ001 -- hypothesis wants bounds without a zone
    datetime(2090, 1, 1),  # noqa: DTZ001 -- likewise
    timezones=st.just(UTC),
)


def maybe(strategy):
    return st.none() | strategy


def codes(*lists):
    return st.sampled_from(sorted(reference().codes(*lists)))


def several(strategy, minimum=0):
    return st.lists(strategy, min_size=minimum, max_size=3, unique=True).map(tuple)


def by_slug(strategy, keys=slugs):
    return st.dictionaries(keys, strategy, max_size=3)


def words_unless(pattern):
    return texts.filter(lambda text: not re.match(pattern, text)).map(Unresolved)


_groups = several(codes("data_subject_groups", "data_subject_subgroups"))
_countries = st.sampled_from(["DE", "NO", "US"])
_articles = st.sampled_from(sorted(reference().bases_by_article))

fields = st.builds(
    Field,
    type=codes("data_types"),
    level=maybe(st.sampled_from(Level)),
    tr=maybe(texts),
    en=maybe(texts),
    search=maybe(st.sampled_from(Search)),
    bind=st.sampled_from(Bind),
    category=maybe(codes("data_categories")),
    special=st.booleans(),
    locations=several(
        st.builds(
            Location,
            system=st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True),
            item=st.just("") | texts.filter(lambda text: "\n" not in text),
        )
    ),
    because=maybe(texts),
)
rules = st.builds(
    RetentionRule,
    keep=maybe(periods | words_unless(r"P[0-9T]")),
    start=maybe(
        st.sampled_from(["record_created", "end_of_calendar_year", "contract_ended"]) | slugs
    ),
    rules=several(codes("retention_rules")),
    bucket=maybe(st.just(Period(months=1))),
    interval=maybe(periods),
    dispose=maybe(codes("disposal_methods")),
    because=maybe(texts),
    decided=maybe(st.builds(Decision, by=texts, on=days, why=texts)),
    instructed_by=maybe(texts),
)
rows = st.builds(
    Declaration,
    fields=several(slugs, minimum=1),
    purposes=several(slugs),
    basis=maybe(_articles | words_unless(r"[0-9]+/")),
    law=maybe(texts),
    consent=maybe(texts),
    balance_test=maybe(texts),
    keep=maybe(slugs | words_unless(r"[a-z][a-z0-9._-]{0,62}\Z")),
    to=several(slugs),
    subjects=_groups,
)
activities = st.builds(
    Activity,
    tr=texts,
    en=maybe(texts),
    department=maybe(texts),
    owner=maybe(texts),
    role=maybe(st.sampled_from(Role)),
    on_behalf_of=maybe(texts),
    review_by=maybe(days),
    subjects=_groups,
    collected=maybe(
        st.builds(
            Collected,
            source=maybe(codes("collection_sources")),
            by=maybe(texts),
            automatic=maybe(st.booleans()),
        )
    ),
    notice=maybe(slugs),
    rows=st.lists(rows, max_size=3).map(tuple),
)
recipients = st.builds(
    Recipient,
    tr=texts,
    group=maybe(codes("recipient_groups")),
    role=maybe(st.sampled_from(Role)),
    may_use_for=several(slugs),
    each_needs=maybe(slugs),
    contract=maybe(texts),
    abroad=maybe(
        st.builds(
            Abroad,
            country=maybe(_countries),
            mechanism=maybe(codes("transfer_mechanisms")),
            set=maybe(codes("standard_contract_sets")),
            signed=maybe(days),
            notified=maybe(days),
            permission=maybe(texts),
        )
    ),
)
notices = st.builds(
    Notice,
    version=maybe(st.integers(1, 99)),
    effective=maybe(days),
    published=maybe(days),
    days_ahead=maybe(st.integers(0, 365)),
    url=maybe(texts),
    to=_groups,
)
_assertions = st.one_of(
    st.builds(lambda types: {"not_stored": {"of": types}}, several(codes("data_types"), minimum=1)),
    st.just({"retention_unlimited": True}),
    st.just({"not_checkable": "hukuki değerlendirme", "measures": ("sifreleme",)}),
    st.builds(
        lambda count: {"notice_days": {"notice": "ana", "at_least": count}}, st.integers(0, 90)
    ),
)
claims = st.builds(
    Claim,
    says=texts,
    assertions=_assertions,
    stands=maybe(texts),
    repaired_by=several(slugs),
    exception=maybe(st.dictionaries(slugs, texts, min_size=1, max_size=2).map(MappingProxyType)),
)


def registers(organization="ornek"):
    return st.builds(
        Register,
        organization=st.builds(
            Organization, id=st.just(organization), tr=texts, en=maybe(texts), kep=maybe(texts)
        ),
        namespaces=by_slug(st.builds(Namespace, tr=texts, tckn=st.booleans())),
        registry=maybe(
            st.builds(
                Registry,
                duty=st.sampled_from(Duty),
                ground=maybe(texts),
                since=maybe(days),
                employees=maybe(st.integers(0, 10**6)),
                contact_person=maybe(
                    st.builds(ContactPerson, title=maybe(texts), staff=maybe(texts))
                ),
            )
        ),
        destruction=maybe(
            st.builds(
                DestructionPolicy,
                interval=maybe(periods),
                days=several(st.sampled_from(["01-15", "07-15", "02-29"])),
                backups_gone_after=maybe(periods),
                in_charge=maybe(texts),
            )
        ),
        measures=several(codes("measures")),
        purposes=by_slug(
            st.builds(
                Purpose,
                tr=texts,
                verbis=maybe(codes("processing_purposes")),
                read_needs=maybe(slugs),
                opt_out=several(slugs),
            )
        ),
        systems=by_slug(
            st.builds(
                System, tr=texts, kind=maybe(st.sampled_from(SystemKind)), country=maybe(_countries)
            ),
            keys=slugs.filter(lambda slug: slug != "emanet"),
        ),
        fields=by_slug(fields),
        retention=by_slug(rules),
        recipients=by_slug(recipients),
        notices=by_slug(notices),
        activities=by_slug(activities),
        claims=by_slug(claims),
    )
