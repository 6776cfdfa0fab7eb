"""The arithmetic of the benches: medians, ratios by pairs, percentiles, the page. Nothing timed."""

from __future__ import annotations

import asyncio
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load import rate_of, time_ms
from bench.measures import Anchor, Measure, Report, from_json, percentile, to_json
from bench.page import render_reports
from bench.primitive import open_rate, seal_rate
from emanet.client.values import ToEncrypt

NUMBERS = st.floats(min_value=0.001, max_value=1e7, allow_nan=False)
MACHINE = {
    "cores": 2,
    "cpu": "a processor",
    "load": 0.1,
    "sync_ms": 0.3,
    "python": "3.11.7",
    "commit": "0123456789ab",
    "changed": 0,
}


def measure(
    *rounds: float, anchor: tuple[float, ...], unit: str = "values/s", target: float | None = None
) -> Measure:
    return Measure(
        name="decrypt.warm",
        what="decrypt something",
        unit=unit,
        rounds=rounds,
        anchors=(Anchor(name="an anchor", unit=unit, rounds=anchor),),
        target=target,
    )


def test_ratio_is_the_median_of_the_pairs():
    """A round that was slow for both does not move the ratio, though it moves both medians."""
    pairs = measure(100.0, 10.0, 200.0, anchor=(200.0, 20.0, 400.0))
    assert pairs.ratio(pairs.anchors[0]) == 0.5
    slow = measure(100.0, 10.0, 300.0, anchor=(200.0, 20.0, 400.0))
    assert slow.ratio(slow.anchors[0]) == 0.5
    assert slow.median == 100.0


def test_an_anchor_is_measured_in_every_round():
    """Rounds that do not pair, or that hold nothing, make no measure."""
    with pytest.raises(ValueError, match="differ in rounds"):
        measure(1.0, 2.0, anchor=(1.0,))
    with pytest.raises(ValueError, match="above 0"):
        measure(0.0, anchor=(1.0,))
    with pytest.raises(ValueError, match="above 0"):
        measure(anchor=())


def test_a_rate_aims_high_and_a_time_aims_low():
    """Targets are compared in the direction of their unit."""
    assert measure(10.0, anchor=(1.0,), target=10.0).is_met
    assert not measure(9.0, anchor=(1.0,), target=10.0).is_met
    assert measure(2.0, anchor=(1.0,), unit="ms", target=2.0).is_met
    assert not measure(2.1, anchor=(1.0,), unit="ms", target=2.0).is_met
    assert measure(1.0, anchor=(1.0,)).is_met is None


@given(st.lists(NUMBERS, min_size=1, max_size=40), st.floats(min_value=0.01, max_value=1.0))
def test_percentile_is_the_smallest_that_covers_the_share(numbers: list[float], share: float):
    """At least the share is at or below it, and less than the share strictly below."""
    found = percentile(numbers, share)
    assert sum(each <= found for each in numbers) >= share * len(numbers)
    assert sum(each < found for each in numbers) < share * len(numbers)


def test_percentile_of_nothing_is_refused():
    """There is no middle of nothing, and no share of 0."""
    with pytest.raises(ValueError, match="numbers"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="share"):
        percentile([1.0], 0.0)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=9))
def test_results_survive_their_file(rounds: list[tuple[float, float]]):
    """What is read back has the same rounds to four digits, and computes its own medians."""
    own, other = zip(*rounds, strict=True)
    report = Report(
        bench="decrypt", quick=False, machine=MACHINE, measures=(measure(*own, anchor=other),)
    )
    document = to_json(report)
    found = from_json(document)
    assert found.machine == MACHINE
    assert found.measures[0].rounds == pytest.approx(own, rel=1e-3)
    assert found.measures[0].median == pytest.approx(statistics.median(own), rel=1e-3)
    assert to_json(found)["measures"][0]["rounds"] == document["measures"][0]["rounds"]


def test_page_tells_number_aim_ratio_and_where():
    """A reader finds the median, whether the aim is reached, the ratio and the commit."""
    report = Report(
        bench="decrypt",
        quick=False,
        machine=MACHINE,
        measures=(measure(120_000.0, anchor=(480_000.0,), target=150_000.0),),
    )
    page = render_reports([report])
    assert "**120,000 values/s**" in page
    assert "≥ 150,000, not reached" in page
    assert "0.25 × 480,000 values/s (an anchor)" in page
    assert "`0123456789ab`" in page


async def test_counted_calls_are_made_once_each_by_so_many_callers():
    """Every number comes up exactly once, and no more callers run than were asked for."""
    seen: list[int] = []
    running = most = 0

    async def call(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        seen.append(number)
        running -= 1

    assert await rate_of(call, callers=3, count=10) > 0
    assert sorted(seen) == list(range(10))
    assert most == 3
    assert await time_ms(call, count=2) >= 0


def test_primitive_opens_what_it_seals():
    """The anchor does real work: values of several subjects, text and bytes."""
    items = [
        ToEncrypt(field="customer.name", value="Ayşe", subject="customers/1"),
        ToEncrypt(field="customer.photo", value=b"\x00\x01", subject="customers/2"),
    ]
    assert seal_rate(items, seconds=0.001) > 0
    assert open_rate(items, seconds=0.001) > 0
