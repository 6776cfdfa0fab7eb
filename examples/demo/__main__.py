"""`python -m examples.demo [--exit] [--lang tr|en] [--var DIR]`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from emanet.cli.language import language_of
from emanet.core.errors import EmanetError
from examples.demo.commands import next_commands
from examples.demo.folder import claim_folder
from examples.demo.houses import HOUSES, UnexpectedError
from examples.demo.installation import CHECKOUT
from examples.demo.plan import READS
from examples.demo.screen import render, step_line
from examples.demo.steps import Run
from examples.demo.store import CUSTOMERS
from examples.demo.texts import DATA, TITLES, text

_T = TypeVar("_T")
_INTERRUPTED = 130
_DEFAULT = CHECKOUT / "var" / "demo"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo; 0 when every attempt to break a promise failed."""
    given = _parse(arguments)
    wanted = given.var.absolute()
    try:
        with claim_folder(wanted) as var:
            if var != wanted:
                words = text(DATA["busy"], given.lang)
                print(words.format(folder=_shown(wanted), other=_shown(var)))
            summary = _run_in(var, lang=given.lang, stops=given.exit)
    except (UnexpectedError, EmanetError) as failure:
        print(f"\n {type(failure).__name__}: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    print(f"\n{render(summary, lang=given.lang)}", end="")
    return 0 if summary["held"] else 1


def _run_in(var: Path, *, lang: str, stops: bool) -> dict[str, Any]:
    run = Run(var)
    is_done = False
    try:
        summary = _Steps(run, lang=lang, running=not stops).all()
        is_done = True
    finally:
        if stops or not is_done:
            run.installation.stop()
    return summary


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="stop the services at the end")
    parser.add_argument(
        "--lang", choices=("tr", "en"), default=language_of(words, os.environ).value
    )
    parser.add_argument("--var", type=Path, default=_DEFAULT, help="folder of the run")
    return parser.parse_args(words)


class _Steps:
    """Runs the steps with a line each and gathers the summary."""

    def __init__(self, run: Run, *, lang: str, running: bool) -> None:
        self._run = run
        self._lang = lang
        self._running = running
        self._begun = time.monotonic()
        self._times: dict[str, float] = {}

    def all(self) -> dict[str, Any]:
        """Runs all five; the summary is also written as summary.json."""
        run = self._run
        self._step("services", run.start_services)
        inventories = self._step("inventories", run.bring_in_inventories)
        customers, envelopes = self._step(
            "customers", run.encrypt_customers, customers=CUSTOMERS * len(HOUSES)
        )
        day = self._step("day", run.live_the_day, reads=READS, organizations=len(HOUSES))
        attempts, files, speed = self._step("attempts", run.try_to_break_it)
        var = run.installation.var
        summary = {
            "folder": _shown(var),
            "running": self._running,
            "seconds": time.monotonic() - self._begun,
            "steps": self._times,
            "held": all(attempt.held for attempt in attempts),
            "inventories": [dataclasses.asdict(each) for each in inventories],
            "customers": customers,
            "envelopes": envelopes,
            "day": dataclasses.asdict(day),
            "attempts": [dataclasses.asdict(each) for each in attempts],
            "files": [dataclasses.asdict(each) for each in files],
            "speed": dataclasses.asdict(speed),
            "next": next_commands(var, run.plan, shown=_shown(var)) if self._running else [],
        }
        whole = json.dumps(summary, ensure_ascii=False, indent=2)
        (var / "summary.json").write_text(f"{whole}\n", encoding="utf-8")
        shown: dict[str, Any] = json.loads(whole)  # the screen shows what the file holds
        return shown

    def _step(self, key: str, work: Callable[[], _T], **values: int) -> _T:
        position = len(self._times) + 1
        print(step_line(position, key, lang=self._lang, **values), end="", flush=True)
        begun = time.monotonic()
        result = work()
        self._times[key] = time.monotonic() - begun
        print(text(TITLES["done"], self._lang).format(seconds=round(self._times[key])), flush=True)
        return result


def _shown(folder: Path) -> str:
    """A folder as it is shortest from here."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


if __name__ == "__main__":
    sys.exit(main())
