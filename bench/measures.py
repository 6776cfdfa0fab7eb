"""What a bench tells: numbers by round, the anchors beside them, and their ratio. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Anchor", "Measure", "Report", "from_json", "percentile", "to_json"]


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a measure is compared with.

    Attributes:
        name: what it is, in a few words.
        unit: of its numbers; the measure's own, or else the two are only shown together.
        rounds: one number a round, in order.
    """

    name: str
    unit: str
    rounds: tuple[float, ...]

    def __post_init__(self) -> None:
        _require_numbers(self.name, self.rounds)

    @property
    def median(self) -> float:
        """The middle of its rounds."""
        return statistics.median(self.rounds)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured thing.

    Attributes:
        name: identifies it in results (`decrypt.warm`).
        what: one line for the page.
        unit: `values/s`, `records/s` or `ms`.
        rounds: one number a round, in order.
        anchors: each measured once in every round, just before or after.
        target: the aim of DESIGN section 11 in the unit; None without one.
    """

    name: str
    what: str
    unit: str
    rounds: tuple[float, ...]
    anchors: tuple[Anchor, ...]
    target: float | None = None

    def __post_init__(self) -> None:
        _require_numbers(self.name, self.rounds)
        for anchor in self.anchors:
            if len(anchor.rounds) != len(self.rounds):
                raise ValueError(f"{self.name} and {anchor.name} differ in rounds")

    @property
    def median(self) -> float:
        """The middle of its rounds."""
        return statistics.median(self.rounds)

    @property
    def is_time(self) -> bool:
        """Whether smaller is better."""
        return self.unit == "ms"

    @property
    def is_met(self) -> bool | None:
        """Whether the median reaches the target; None without a target."""
        if self.target is None:
            return None
        return self.median <= self.target if self.is_time else self.median >= self.target

    def ratio(self, anchor: Anchor) -> float:
        """The middle of the rounds' own ratios: a slow moment slows both of its pair."""
        pairs = zip(self.rounds, anchor.rounds, strict=True)
        return statistics.median(own / other for own, other in pairs)


@dataclass(frozen=True, slots=True)
class Report:
    """One run of one bench.

    Attributes:
        bench: `decrypt` or `record`.
        quick: a short run, good for nothing but seeing that it runs.
        machine: where and with which versions (`bench.machine.describe`).
        measures: what was measured.
    """

    bench: str
    quick: bool
    machine: Mapping[str, str | int | float]
    measures: tuple[Measure, ...]


def percentile(numbers: Sequence[float], share: float) -> float:
    """The smallest number that at least `share` (0 to 1) of all do not exceed."""
    if not numbers or not 0 < share <= 1:
        raise ValueError("a percentile needs numbers and a share above 0")
    ordered = sorted(numbers)
    rank = -(-share * len(ordered) // 1)
    return ordered[max(int(rank), 1) - 1]


def to_json(report: Report) -> dict[str, Any]:
    """The report as it is stored; medians and ratios stand beside the rounds they come from."""
    return {
        "bench": report.bench,
        "quick": report.quick,
        "machine": dict(report.machine),
        "measures": [_measure_to_json(measure) for measure in report.measures],
    }


def from_json(document: Mapping[str, Any]) -> Report:
    """Reads what `to_json` wrote; medians and ratios are computed anew."""
    return Report(
        bench=document["bench"],
        quick=document["quick"],
        machine=document["machine"],
        measures=tuple(
            Measure(
                name=each["name"],
                what=each["what"],
                unit=each["unit"],
                rounds=tuple(each["rounds"]),
                anchors=tuple(
                    Anchor(name=one["name"], unit=one["unit"], rounds=tuple(one["rounds"]))
                    for one in each["anchors"]
                ),
                target=each["target"],
            )
            for each in document["measures"]
        ),
    )


def _measure_to_json(measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "what": measure.what,
        "unit": measure.unit,
        "target": measure.target,
        "median": _rounded(measure.median),
        "rounds": [_rounded(each) for each in measure.rounds],
        "anchors": [
            {
                "name": anchor.name,
                "unit": anchor.unit,
                "median": _rounded(anchor.median),
                "ratio": _rounded(measure.ratio(anchor)),
                "rounds": [_rounded(each) for each in anchor.rounds],
            }
            for anchor in measure.anchors
        ],
    }


def _rounded(number: float) -> float:
    """Four significant digits; more would say more than was measured."""
    return float(f"{number:.4g}")


def _require_numbers(name: str, rounds: Sequence[float]) -> None:
    if not rounds or min(rounds) <= 0:
        raise ValueError(f"{name} has a round without a number above 0")
