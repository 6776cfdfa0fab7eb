from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from register_strategies import moments, periods

from emanet.register.period import ISTANBUL, Period, add_period, add_to_date, parse_period
from emanet.register.retention import (
    LegalFloor,
    bucket_of,
    class_lapse,
    class_of,
    held_at_most,
    is_open_class,
    lapse,
    legal_floor,
    missing_retention,
    overruns,
    row_lapse,
    start_of,
)
from emanet.register.values import (
    Activity,
    Declaration,
    DestructionPolicy,
    Field,
    Organization,
    Register,
    RetentionRule,
    Unresolved,
)

YEAR = Period(months=12)
days_of_life = st.dates(date(1990, 1, 1), date(2150, 1, 1))


def istanbul(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ISTANBUL).astimezone(UTC)


def a_register(
    *keeps: object, policy: DestructionPolicy | None = None, **rules: RetentionRule
) -> Register:
    rows = tuple(Declaration(fields=("a",), purposes=("p",), keep=keep) for keep in keeps)  # type: ignore[arg-type]
    return Register(
        organization=Organization(id="ornek", tr="Örnek"),
        fields={"a": Field(type="ad_soyad")},
        destruction=policy,
        retention=rules,
        activities={"is": Activity(tr="İş", rows=rows)},
    )


CONTRACT = RetentionRule(keep=Period(months=120), start="contract_ended", rules=("tbk_146",))
INVOICE = RetentionRule(
    keep=Period(months=120), start="end_of_calendar_year", rules=("ttk_6102", "vuk_213")
)
LOGIN = RetentionRule(keep=YEAR, start="record_created", rules=("genel_guvenlik_logu",))


# -- periods ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [("P10Y", "P10Y"), ("P20M", "P20M"), ("P24M", "P2Y"), ("P1Y6M", "P18M"), ("P2Y6M", "P2Y6M"),
     ("P5W", "P35D"), ("P1M3D", "P1M3D"), ("P0D", "P0D"), ("PT0S", "P0D")],
)  # fmt: skip
def test_period_is_written_in_one_form(text: str, written: str) -> None:
    """Periods of the same months and days are written alike."""
    assert str(parse_period(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "10Y",
        "P-1Y",
        "P1.5Y",
        "P1H",
        "PT5M",
        "p1y",
        "P1D1M",
        "P9999Y",
        "P1Y ",
        "P150Y1M",
        "P36526D",
    ],
)
def test_other_texts_are_no_periods(text: str) -> None:
    """Times of day, signs, fractions and another order are refused."""
    with pytest.raises(ValueError, match="period"):
        parse_period(text)


@given(periods)
def test_period_reads_back(period: Period) -> None:
    """Property: parse_period(str(p)) == p."""
    assert parse_period(str(period)) == period


@given(moments, periods, periods)
def test_adding_is_monotone(start: datetime, one: Period, other: Period) -> None:
    """Property: a period with no fewer months and days never ends earlier."""
    assume(one.months <= other.months and one.days <= other.days)
    assert start <= add_period(start, one) <= add_period(start, other)


@given(moments, moments, periods)
def test_a_later_start_never_ends_earlier(one: datetime, other: datetime, period: Period) -> None:
    """Property: order of starts is kept, clamping included, to the day."""
    first, second = sorted([one, other])
    ends = [add_period(moment, period).astimezone(ISTANBUL).date() for moment in (first, second)]
    assert ends[0] <= ends[1]


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        (date(2028, 2, 29), "P1Y", date(2029, 2, 28)),
        (date(2028, 2, 29), "P4Y", date(2032, 2, 29)),
        (date(2026, 1, 31), "P1M", date(2026, 2, 28)),
        (date(2026, 8, 31), "P6M", date(2027, 2, 28)),
        (date(2026, 12, 31), "P2M1D", date(2027, 3, 1)),
        (date(2026, 5, 15), "P18M", date(2027, 11, 15)),
    ],
)
def test_a_day_that_does_not_exist_becomes_the_last(start: date, period: str, end: date) -> None:
    """Months first, clamped to the month's end, then days."""
    assert add_to_date(start, parse_period(period)) == end


def test_days_end_in_istanbul() -> None:
    """21:30 UTC on 30 June is already 1 July in Istanbul, so a month later is 1 August there."""
    assert add_period(datetime(2026, 6, 30, 21, 30, tzinfo=UTC), Period(months=1)) == datetime(
        2026, 7, 31, 21, 30, tzinfo=UTC
    )


@given(days_of_life, periods, periods)
def test_what_fits_within_a_limit_never_ends_later(
    start: date, held: Period, limit: Period
) -> None:
    """Property: fits_within holds for every start day, whatever the months' lengths."""
    assume(held.fits_within(limit))
    assert add_to_date(start, held) <= add_to_date(start, limit)


@pytest.mark.parametrize(
    ("held", "limit", "fits"),
    [("P22M35D", "P2Y", True), ("P28D", "P1M", True), ("P29D", "P1M", False), ("P1M", "P31D", True),
     ("P1M", "P30D", False), ("P365D", "P1Y", True), ("P366D", "P1Y", False), ("P2Y1D", "P2Y", False)],
)  # fmt: skip
def test_fitting_is_judged_for_the_worst_start(held: str, limit: str, fits: bool) -> None:
    """A month counts as 28 days where it must suffice and as 31 where it must not exceed."""
    assert parse_period(held).fits_within(parse_period(limit)) is fits


# -- classes and buckets -----------------------------------------------------------------------------


def test_class_is_the_set_of_rules_in_byte_order() -> None:
    """Each rule counts once, whatever the order of the rows."""
    register = a_register("z", "a-b", "a.b", "z", z=LOGIN, **{"a-b": LOGIN, "a.b": LOGIN})
    assert class_of(register, "a") == "a-b+a.b+z"
    assert class_of(register, "unknown") is None


def test_rows_without_a_rule_are_named() -> None:
    """Words, a dangling name or nothing at all: the first such row is at fault."""
    assert (
        missing_retention(a_register("r", Unresolved("süresiz"), r=LOGIN), "a")
        == "activities/is/rows/1"
    )
    assert missing_retention(a_register("r", "gone", r=LOGIN), "a") == "activities/is/rows/1"
    assert missing_retention(a_register("r", None, r=LOGIN), "a") == "activities/is/rows/1"
    assert missing_retention(a_register("r", r=LOGIN), "a") is None
    assert missing_retention(a_register(r=LOGIN), "a") == "fields/a"
    assert class_of(a_register("gone"), "a") is None


def test_bucket_is_the_month_in_istanbul() -> None:
    """The last three hours of a UTC month belong to the next month."""
    register = a_register("login", login=LOGIN)
    assert bucket_of(register, "a", datetime(2026, 6, 30, 20, 59, tzinfo=UTC)) == "2026-06"
    assert bucket_of(register, "a", datetime(2026, 6, 30, 21, 0, tzinfo=UTC)) == "2026-07"
    assert bucket_of(a_register(), "a", datetime(2026, 6, 30, tzinfo=UTC)) is None


@pytest.mark.parametrize("start", ["contract_ended", "consent_ended", None])
def test_any_event_started_rule_opens_the_bucket(start: str | None) -> None:
    """One rule that the creation time cannot start makes the whole class open."""
    event = RetentionRule(keep=YEAR, start=start)
    register = a_register("login", "olay", login=LOGIN, olay=event)
    assert is_open_class(register, "login+olay")
    assert bucket_of(register, "a", datetime(2026, 6, 1, tzinfo=UTC)) == "open"
    assert is_open_class(register, "login+removed")
    assert not is_open_class(register, "login")


# -- lapses ------------------------------------------------------------------------------------------


def test_month_bucket_starts_at_its_end() -> None:
    """A record of any day of March lapses with the end of March a year later."""
    assert lapse(LOGIN, bucket="2026-03", events={}) == istanbul(2027, 4, 1)
    assert lapse(LOGIN, bucket="2026-12", events={}) == istanbul(2028, 1, 1)


@pytest.mark.parametrize("event", ["end_of_calendar_year", "start_of_year_after_document_year"])
def test_year_events_start_with_the_new_year(event: str) -> None:
    """TTK 82 and VUK 253: ten years from the end of the document's year."""
    rule = RetentionRule(keep=Period(months=120), start=event)
    assert lapse(rule, bucket="2026-03", events={}) == istanbul(2037, 1, 1)
    pushed = {event: istanbul(2026, 5, 4, 10)}
    assert lapse(rule, bucket="open", events=pushed) == istanbul(2037, 1, 1)
    at_the_end = {event: istanbul(2027, 1, 1)}
    assert lapse(rule, bucket="open", events=at_the_end) == istanbul(2037, 1, 1)


def test_open_bucket_waits_for_its_event() -> None:
    """Unknown means not started, for creation-started rules in an open bucket too."""
    assert lapse(CONTRACT, bucket="open", events={}) is None
    assert lapse(LOGIN, bucket="open", events={}) is None
    ended = {"contract_ended": istanbul(2026, 2, 28, 13, 5)}
    assert lapse(CONTRACT, bucket="open", events=ended) == istanbul(2036, 2, 28, 13, 5)
    assert lapse(LOGIN, bucket="open", events={"record_created": istanbul(2026, 1, 2)}) == istanbul(
        2027, 1, 2
    )


@pytest.mark.parametrize("keep", [None, Unresolved("gerektiği kadar")])
def test_a_rule_without_a_number_never_lapses(keep: Unresolved | None) -> None:
    """No period, no end: lint refuses it before anything depends on it."""
    assert (
        lapse(RetentionRule(keep=keep, start="record_created"), bucket="2026-03", events={}) is None
    )


def test_a_wrong_bucket_is_refused() -> None:
    """A bucket is a month or open; nothing is computed from anything else."""
    with pytest.raises(ValueError, match="bucket"):
        start_of("record_created", bucket="2026-13", events={})


@given(moments, periods)
def test_nothing_lapses_before_start_and_keep(created: datetime, keep: Period) -> None:
    """Property: in its bucket a value lives at least `keep` from its creation, at most a month more."""
    rule = RetentionRule(keep=keep, start="record_created")
    register = a_register("r", r=rule)
    bucket = bucket_of(register, "a", created)
    assert bucket is not None
    end = lapse(rule, bucket=bucket, events={})
    assert end is not None
    assert end >= add_period(created, keep)
    assert end <= add_period(created, keep + Period(months=1, days=31))


@given(moments, periods, periods)
def test_the_value_dies_with_the_last_row(created: datetime, one: Period, other: Period) -> None:
    """Property: class_lapse is the latest row_lapse, and None while any row has not started."""
    rules = {
        "x": RetentionRule(keep=one, start="record_created"),
        "y": RetentionRule(keep=other, start="contract_ended"),
    }
    register = a_register("x", "y", **rules)
    events = {"record_created": created, "contract_ended": created + timedelta(days=40)}
    ends = [row_lapse(register, ref, bucket="open", events=events) for ref in register.rows]
    assert class_lapse(register, "x+y", bucket="open", events=events) == max(
        end for end in ends if end
    )
    started = {"record_created": created}
    assert class_lapse(register, "x+y", bucket="open", events=started) is None
    assert row_lapse(register, register.rows[0], bucket="open", events=started) == ends[0]


def test_a_class_with_a_removed_rule_does_not_die() -> None:
    """A rule that the register no longer has keeps the value: nothing is destroyed on a guess."""
    register = a_register("login", login=LOGIN)
    assert class_lapse(register, "eski+login", bucket="2026-03", events={}) is None


# -- what the law asks for ---------------------------------------------------------------------------


def test_the_latest_minimum_is_the_floor() -> None:
    """Of TTK (10 years) and VUK (5 years) the longer one holds; TBK 146 is no duty to keep."""
    register = a_register("invoice", "contract", invoice=INVOICE, contract=CONTRACT)
    floor = legal_floor(register, "invoice", bucket="2026-03", events={})
    assert floor == LegalFloor(
        until=istanbul(2037, 1, 1),
        rule="ttk_6102",
        citation="6102 (TTK) m.82/5-6",
        retention="invoice",
    )
    assert legal_floor(register, "contract", bucket="open", events={}) is None


def test_a_minimum_that_has_not_started_keeps() -> None:
    """Without its event the law's end is unknown, and unknown outlasts every date."""
    register = a_register("invoice", invoice=INVOICE)
    floor = legal_floor(register, "invoice", bucket="open", events={})
    assert floor is not None
    assert floor.until is None
    pushed = {"end_of_calendar_year": istanbul(2026, 12, 31)}
    floor = legal_floor(register, "invoice", bucket="open", events=pushed)
    assert floor is not None
    assert floor.until == istanbul(2037, 1, 1)


def test_the_start_of_a_range_is_a_floor() -> None:
    """5651 art. 5/3: traffic data for at least a year, though the register keeps it longer."""
    rule = RetentionRule(
        keep=Period(months=20), start="record_created", rules=("y5651_yer_saglayici_trafik",)
    )
    floor = legal_floor(a_register("t", t=rule), "t", bucket="2026-03", events={})
    assert floor is not None
    assert floor.until == istanbul(2027, 4, 1)


def test_a_law_without_a_number_asks_for_what_the_rule_keeps() -> None:
    """The .tr communiqué states no period: the organization's own decision is the floor."""
    rule = RetentionRule(keep=YEAR, start="record_created", rules=("trabis_tr_alan_adi",))
    floor = legal_floor(a_register("t", t=rule), "t", bucket="2026-03", events={})
    assert floor is not None
    assert floor.until == istanbul(2027, 4, 1)


POLICY = DestructionPolicy(interval=Period(months=6), backups_gone_after=Period(days=35))


def traffic(keep: str, interval: str | None) -> RetentionRule:
    return RetentionRule(
        keep=parse_period(keep),
        start="record_created",
        rules=("y5651_yer_saglayici_trafik",),
        interval=None if interval is None else parse_period(interval),
    )


def test_a_maximum_includes_bucket_interval_and_backups() -> None:
    """20 months + bucket 1 + interval 1 + 35 days is within two years; with P6M it is not."""
    fitting, late = traffic("P20M", "P1M"), traffic("P20M", None)
    register = a_register(policy=POLICY, t=fitting)
    assert held_at_most(register, fitting) == Period(months=22, days=35)
    assert overruns(register, fitting) == ()
    (overrun,) = overruns(register, late)
    assert overrun.held == Period(months=27, days=35)
    assert (overrun.limit, overrun.law.code) == (Period(months=24), "y5651_yer_saglayici_trafik")


def test_a_sum_without_its_parts_is_unknown() -> None:
    """No policy, no sum; an event-started rule waits for no bucket."""
    assert held_at_most(a_register(), LOGIN) is None
    assert held_at_most(a_register(policy=POLICY), CONTRACT) == Period(months=126, days=35)
    assert overruns(a_register(policy=POLICY), CONTRACT) == ()
