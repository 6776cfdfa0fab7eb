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
        customers: whom the log has heard of before it is measured; at least 1000.
    """

    rounds: int
    seconds: float
    calls: int
    customers: int


FULL = Scale(rounds=5, seconds=1.0, calls=200, customers=10_000)
QUICK = Scale(rounds=1, seconds=0.2, calls=20, customers=1000)
