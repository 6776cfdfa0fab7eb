"""Benches of the main paths: `python -m bench [decrypt|record]`, or `make bench`.

Every number is told beside an anchor that the same run measured in turns with it, so that a slow or
busy machine slows both. Results are JSON under `bench/results`; `docs/performance.md` is rendered
from them.
"""
