"""Command line of the benches: `python -m bench [decrypt|record] [--quick] [--json FILE]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import decrypt, record
from bench.machine import describe
from bench.measures import Measure, Report, to_json
from bench.page import PAGE, RESULTS, render_performance
from bench.progress import showing
from bench.scale import FULL, QUICK, Scale
from emanet.cli.supervisor import find_checkout

BENCHES = ("decrypt", "record")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs benches; a full run without `--json` also renews `bench/results` and the page."""
    options = _parser().parse_args(arguments)
    scale = QUICK if options.quick else FULL
    checkout = find_checkout()
    reports = []
    for name in (options.bench,) if options.bench else BENCHES:
        report = asyncio.run(_run(name, scale, checkout))
        _print(report)
        reports.append(report)
    if options.json:
        documents = [to_json(report) for report in reports]
        options.json.write_text(_text(documents), encoding="utf-8")
    elif not options.quick:
        for report in reports:
            path = checkout / RESULTS / f"{report.bench}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_text(to_json(report)), encoding="utf-8")
        (checkout / PAGE).write_text(render_performance(checkout), encoding="utf-8")
    return 0


async def _run(name: str, scale: Scale, checkout: Path) -> Report:
    machine = describe(checkout)
    bench = decrypt if name == "decrypt" else record
    with showing(name, total=bench.steps(scale)) as step:
        measures, versions = await bench.measure(scale, step)
    return Report(
        bench=name, quick=scale is QUICK, machine={**machine, **versions}, measures=measures
    )


def _print(report: Report) -> None:
    for measure in report.measures:
        print(f"{measure.name:18} {_number(measure.median):>10} {measure.unit:10} {_met(measure)}")
        for anchor in measure.anchors:
            print(f"{'':18} {measure.ratio(anchor):10.2f} x {_number(anchor.median)} {anchor.name}")
    sys.stdout.flush()


def _met(measure: Measure) -> str:
    if measure.target is None:
        return ""
    sign = "≤" if measure.is_time else "≥"
    state = "reached" if measure.is_met else "not reached"
    return f"aim {sign} {_number(measure.target)}: {state}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _text(document: object) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benches with anchors.")
    parser.add_argument("bench", nargs="?", choices=BENCHES, help="one bench instead of all")
    parser.add_argument(
        "--quick", action="store_true", help="one short round, to see that it runs; writes nothing"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write results there, and the page not at all"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
