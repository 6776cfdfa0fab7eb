"""`make demo ARGS=--exit`, whole: real services, real files, and what the screen claims of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from emanet.core.checkpoint import parse_vkey
from emanet.verify import examine_log
from examples.demo.houses import HOUSES
from examples.demo.screen import WIDTH, render
from examples.demo.search import Needles, protected_values
from examples.demo.store import Store

CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True)
class Ran:
    var: Path
    output: str
    summary: dict[str, Any]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    var = tmp_path_factory.mktemp("demo") / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--exit", "--lang", "en", "--var", str(var)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Ran(var, done.stdout, json.loads((var / "summary.json").read_text("utf-8")))


def test_every_attempt_to_break_a_promise_failed(ran: Ran) -> None:
    """P1 to P4, P6 and P7 held; the screen and the exit status say so."""
    assert [attempt["promise"] for attempt in ran.summary["attempts"]] == [
        "P1", "P2", "P3", "P4", "P6", "P7",
    ]  # fmt: skip
    assert all(attempt["held"] for attempt in ran.summary["attempts"])
    assert "all 6 attempts held · services stopped · exit 0" in ran.output


def test_the_log_holds_every_read_of_the_day(ran: Ran) -> None:
    """2,000 reads, as many records, verdicts as planned whatever the hour."""
    day = ran.summary["day"]
    assert (day["reads"], day["unrecorded"]) == (2_000, 0)
    assert day["allowed"] + day["waiting"] + day["denied"] == 2_000
    assert (day["allowed"], day["waiting"], day["denied"]) == (1_858, 37, 105)
    assert day["checked"] > 10_000


def test_the_outage_lost_no_record(ran: Ran) -> None:
    """Whoever got a value before the kill is in the log; the others got nothing."""
    (outage,) = [each["facts"] for each in ran.summary["attempts"] if each["promise"] == "P2"]
    assert 0 < outage["answered"] == outage["recorded"]
    assert outage["answered"] + outage["unavailable"] == 100


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.folder)
def test_the_files_are_there_and_hold(house, ran: Ran) -> None:
    """Workbooks open, the notice has both languages, the log verifies and has all records."""
    for name in ("verbis", "inventory"):
        book = CalamineWorkbook.from_path(str(ran.var / f"{name}-{house.folder}.xlsx"))
        assert sum(len(book.get_sheet_by_name(n).to_python()) for n in book.sheet_names) > 10
    notice = (ran.var / f"changes-{house.folder}.txt").read_text("utf-8")
    assert "DEĞİŞİKLİK BİLDİRİMİ" in notice
    assert "NOTICE OF CHANGE" in notice
    vkey = parse_vkey((ran.var / f"log-{house.folder}.vkey").read_text("utf-8").strip())
    report = examine_log(ran.var / f"log-{house.folder}", vkey)
    assert report.holds
    assert report.counts["access"] >= 400


def test_the_summary_and_the_screen_hold_no_value_either(ran: Ran) -> None:
    """What is written after the search of the demo is searched here."""
    needles = Needles(protected_values({h.folder: Store(ran.var / "x.db", h) for h in HOUSES}))
    assert needles.count > 20_000
    assert not needles.find((ran.var / "summary.json").read_bytes() + ran.output.encode())


def test_nothing_runs_any_more(ran: Ran) -> None:
    """--exit leaves no process behind."""
    assert not list((ran.var / "run").glob("*.pid"))


@pytest.mark.parametrize("lang", ["tr", "en"])
def test_both_languages_render_from_the_summary(lang: str, ran: Ran) -> None:
    """The same run, drawn twice; only the file's own path may make a line longer."""
    screen = render(ran.summary | {"folder": "var/demo"}, lang=lang)
    assert max(map(len, screen.splitlines())) <= WIDTH
    if lang == "en":
        assert render(ran.summary, lang=lang) in ran.output
