"""How long a bench measures: full, or quick to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "Scale"]


@dataclass(frozen=True, slots=True)
class Scale:
    """The length of a run.

    Attributes:
        rounds: how often everything is measured in turns.
        seconds: of one measurement.
        calls: of one measurement that is counted instead.
    """

    rounds: int
    seconds: float
    calls: int


FULL = Scale(rounds=5, seconds=1.0, calls=200)
QUICK = Scale(rounds=1, seconds=0.2, calls=20)
