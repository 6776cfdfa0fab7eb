"""The register's closed schema: which keys every entity has (docs/formats/register.md)."""

from __future__ import annotations

import re

from emanet.register.claims import ClaimCodec
from emanet.register.codec import (
    SLUG,
    ArticleCodec,
    ChoiceCodec,
    CodeCodec,
    DateCodec,
    LocationCodec,
    OpenCodec,
    PatternCodec,
    PeriodCodec,
    TextCodec,
    TruthCodec,
    WholeCodec,
)
from emanet.register.codec_shapes import ListCodec, Member, ObjectCodec
from emanet.register.entities import (
    Bind,
    ContactPerson,
    DestructionPolicy,
    Duty,
    Field,
    Level,
    Namespace,
    Organization,
    Purpose,
    Registry,
    Role,
    Search,
    System,
    SystemKind,
)
from emanet.register.period import Period
from emanet.register.processing import (
    Abroad,
    Activity,
    Collected,
    Decision,
    Declaration,
    Notice,
    Recipient,
    RetentionRule,
)

__all__ = [
    "ACTIVITY",
    "CLAIM",
    "DESTRUCTION",
    "FIELD",
    "MEASURES",
    "NAMESPACE",
    "NOTICE",
    "ORGANIZATION",
    "PURPOSE",
    "RECIPIENT",
    "REGISTRY",
    "RETENTION_RULE",
    "SYSTEM",
]

_ARTICLE = re.compile(r"[0-9]+/")
_PERIOD = re.compile(r"P[0-9T]")
_WHOLE_SLUG = re.compile(rf"(?:{SLUG.pattern})\Z")

_text = TextCodec()
_slug = PatternCodec(
    SLUG, "a name ([a-z][a-z0-9._-]*, at most 63)", "ad ([a-z][a-z0-9._-]*, en çok 63)"
)
_slugs = ListCodec(_slug)
_day = DateCodec()
_period = PeriodCodec()
_truth = TruthCodec()
_role = ChoiceCodec(Role)
_subjects = ListCodec(CodeCodec("data_subject_groups", "data_subject_subgroups"))
_country = PatternCodec(
    re.compile(r"[A-Z]{2}"), "a country (two capitals, DE)", "ülke kodu (iki büyük harf, DE)"
)
_month = PeriodCodec(only=Period(months=1))
_month_day = PatternCodec(
    re.compile(r"(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"),
    "a day of the year (MM-DD)",
    "yılın günü (AA-GG)",
)
_labels = (Member("tr", _text, required=True), Member("en", _text))
_free_labels = (Member("tr", _text), Member("en", _text))

ORGANIZATION = ObjectCodec(
    Organization,
    Member("id", _slug, required=True),
    *_labels,
    Member("kep", _text),
    Member("seat", _text),
    Member("address", _text),
    Member("web", _text),
    Member("representative", _text),
)
NAMESPACE = ObjectCodec(Namespace, *_labels, Member("tckn", _truth))
REGISTRY = ObjectCodec(
    Registry,
    Member("duty", ChoiceCodec(Duty), required=True),
    Member("ground", _text),
    Member("since", _day),
    Member("checked", _day),
    Member("employees", WholeCodec()),
    Member("balance_try", WholeCodec()),
    Member("main_activity_special", _truth),
    Member(
        "contact_person", ObjectCodec(ContactPerson, Member("title", _text), Member("staff", _text))
    ),
)
DESTRUCTION = ObjectCodec(
    DestructionPolicy,
    Member("policy", _text),
    Member("interval", _period),
    Member("days", ListCodec(_month_day)),
    Member("backups_gone_after", _period),
    Member("receipts_kept", _period),
    Member("in_charge", _text),
)
MEASURES = ListCodec(CodeCodec("measures"))
PURPOSE = ObjectCodec(
    Purpose,
    Member("verbis", CodeCodec("processing_purposes")),
    *_labels,
    Member("read_needs", _slug),
    Member("withheld_from_subject", _text),
    Member("opt_out", _slugs),
)
SYSTEM = ObjectCodec(
    System,
    *_labels,
    Member("kind", ChoiceCodec(SystemKind)),
    Member("at", _text),
    Member("country", _country),
)
FIELD = ObjectCodec(
    Field,
    Member("type", CodeCodec("data_types"), required=True),
    Member("level", ChoiceCodec(Level)),
    *_free_labels,
    Member("search", ChoiceCodec(Search)),
    Member("bind", ChoiceCodec(Bind)),
    Member("category", CodeCodec("data_categories")),
    Member("special", _truth),
    Member("in", ListCodec(LocationCodec()), attribute="locations"),
    Member("because", _text),
)
RETENTION_RULE = ObjectCodec(
    RetentionRule,
    Member("keep", OpenCodec(_period, looks_like=_PERIOD)),
    Member("from", _slug, attribute="start"),
    Member("rules", ListCodec(CodeCodec("retention_rules"))),
    *_free_labels,
    Member("bucket", _month),
    Member("interval", _period),
    Member("dispose", CodeCodec("disposal_methods")),
    Member("because", _text),
    Member(
        "decided",
        ObjectCodec(
            Decision,
            Member("by", _text, required=True),
            Member("on", _day, required=True),
            Member("why", _text, required=True),
        ),
    ),
    Member("instructed_by", _text),
)
RECIPIENT = ObjectCodec(
    Recipient,
    *_labels,
    Member("group", CodeCodec("recipient_groups")),
    Member("role", _role),
    Member("may_use_for", _slugs),
    Member("each_needs", _slug),
    Member("contract", _text),
    Member(
        "abroad",
        ObjectCodec(
            Abroad,
            Member("country", _country),
            Member("mechanism", CodeCodec("transfer_mechanisms")),
            Member("set", CodeCodec("standard_contract_sets")),
            Member("signed", _day),
            Member("notified", _day),
            Member("permission", _text),
        ),
    ),
)
NOTICE = ObjectCodec(
    Notice,
    Member("version", WholeCodec(minimum=1)),
    Member("effective", _day),
    Member("published", _day),
    Member("days_ahead", WholeCodec(maximum=3_650)),
    Member("url", _text),
    *_free_labels,
    Member("to", _subjects),
)
_ROW = ObjectCodec(
    Declaration,
    Member("fields", ListCodec(_slug, minimum=1), required=True),
    Member("purposes", _slugs),
    Member("basis", OpenCodec(ArticleCodec(), looks_like=_ARTICLE)),
    Member("law", _text),
    Member("consent", _text),
    Member("balance_test", _text),
    Member("keep", OpenCodec(_slug, looks_like=_WHOLE_SLUG)),
    Member("to", _slugs),
    Member("subjects", _subjects),
)
ACTIVITY = ObjectCodec(
    Activity,
    *_labels,
    Member("department", _text),
    Member("owner", _text),
    Member("role", _role),
    Member("on_behalf_of", _text),
    Member("review_by", _day),
    Member("subjects", _subjects),
    Member(
        "collected",
        ObjectCodec(
            Collected,
            Member("from", CodeCodec("collection_sources"), attribute="source"),
            Member("by", _text),
            Member("automatic", _truth),
        ),
    ),
    Member("notice", _slug),
    Member("rows", ListCodec(_ROW, distinct=False)),
)
CLAIM = ClaimCodec()
