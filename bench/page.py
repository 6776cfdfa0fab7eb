"""Renders docs/performance.md from bench/results; pure but for reading them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bench.measures import Measure, Report, from_json

__all__ = ["PAGE", "RESULTS", "render_performance", "render_reports"]

RESULTS = Path("bench") / "results"
PAGE = Path("docs") / "performance.md"

_HEAD = """# Performance

Rendered from `bench/results/*.json` by `make bench`; numbers are never typed in. Client, services \
and database share one machine; mutual TLS is on and every record is durable (SQLite \
`synchronous=FULL`, PostgreSQL with `fsync` and `synchronous_commit`). Every number stands beside \
anchors that the same run measured in turns with it: each round measures everything once, a number \
is the median of its rounds, and a ratio is the median of the rounds' own ratios, so that a slow \
moment slows both of a pair. Aims are those of the design; they are not promises.

`make bench` runs everything in about two minutes, `make bench ARGS=decrypt` one bench, and \
`make bench ARGS=--quick` a short round that only shows that it runs.
"""
_NONE = "No results are committed yet: `make bench` writes them and this page.\n"
_TITLES = {
    "decrypt": "Encrypt and decrypt, batches of 1000",
    "record": "Record accesses",
}
_NOTES = {
    "decrypt": """\
Through the SDK, four callers of one process, SQLite. A batch of Decrypt is one access record: \
decided, written and covered by a signed checkpoint before a value leaves. *No key in memory* \
means that crypto reads, unwraps and derives the keys of every customer of the batch.""",
    "record": """\
Through the SDK, 32 callers of one process, each a member of staff with a ticket. Each record is \
decided by the rules, gets its pseudonyms and sealed entries, enters the tree and is covered by a \
signed checkpoint before its caller hears of it. It is at least four rows in four tables with \
their indexes; the second anchor writes those same rows and does nothing else.""",
}


def render_performance(checkout: Path) -> str:
    """The page for the results of a checkout."""
    documents = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((checkout / RESULTS).glob("*.json"))
    ]
    return render_reports([from_json(document) for document in documents])


def render_reports(reports: Sequence[Report]) -> str:
    """The page for some reports."""
    sections = [_section(report) for report in reports] or [_NONE]
    return "\n".join([_HEAD, *sections])


def _section(report: Report) -> str:
    lines = [
        f"## {_TITLES[report.bench]}",
        "",
        _NOTES[report.bench],
        "",
        "| what | median | rounds | aim | ratio to an anchor of the same run |",
        "|---|---|---|---|---|",
        *(_row(measure) for measure in report.measures),
        "",
        _where(report),
        "",
    ]
    return "\n".join(lines)


def _where(report: Report) -> str:
    machine = report.machine
    return (
        f"Commit `{machine['commit']}`{_changed(machine['changed'])}; {machine['cores']} cores of "
        f"{machine['cpu']}, load {machine['load']} at the start, {machine['sync_ms']} ms for a "
        f"durable write of 4 KiB. {_versions(report)}."
    )


def _row(measure: Measure) -> str:
    anchors = "; ".join(
        f"{measure.ratio(anchor):.2g} × {_number(anchor.median)} {anchor.unit} ({anchor.name})"
        for anchor in measure.anchors
    )
    spread = f"{_number(min(measure.rounds))} to {_number(max(measure.rounds))}"
    return (
        f"| {measure.what} | **{_number(measure.median)} {measure.unit}** | {spread} "
        f"| {_aim(measure)} | {anchors} |"
    )


def _aim(measure: Measure) -> str:
    if measure.target is None:
        return ""
    sign = "≤" if measure.is_time else "≥"
    return f"{sign} {_number(measure.target)}, {'reached' if measure.is_met else 'not reached'}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _changed(count: str | float) -> str:
    return f" with {count} changed files" if count else ""


def _versions(report: Report) -> str:
    names = {
        "python": "Python",
        "sqlite": "SQLite",
        "postgresql": "PostgreSQL",
        "grpcio": "grpcio",
        "protobuf": "protobuf",
        "cryptography": "cryptography",
        "sqlalchemy": "SQLAlchemy",
        "psycopg": "psycopg",
    }
    told = [f"{names[key]} {value}" for key, value in report.machine.items() if key in names]
    return ", ".join(told)
