"""The screen is drawn from the summary alone, in both languages, and fits a terminal."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from examples.demo.screen import WIDTH, render, step_line
from examples.demo.texts import STEPS

SUMMARY = json.loads(Path(__file__).with_name("summary.json").read_text("utf-8"))


@pytest.mark.parametrize("lang", ["tr", "en"])
def test_the_screen_fits_and_shows_the_numbers_of_the_run(lang: str) -> None:
    """At most 118 columns, every organization, every promise."""
    screen = render(SUMMARY, lang=lang)
    assert max(map(len, screen.splitlines())) <= WIDTH
    for item in SUMMARY["inventories"]:
        assert item["folder"] in screen
    for promise in ("P1", "P2", "P3", "P4", "P6", "P7"):
        assert promise in screen
    assert "{" not in screen


def test_numbers_and_words_are_those_of_the_language() -> None:
    """2.000 okuma, 2,000 reads."""
    assert "2.000 okuma: 1.858 izinli" in render(SUMMARY, lang="tr")
    assert "2,000 reads: 1,858 allowed" in render(SUMMARY, lang="en")
    assert "31.12.2036 (TTK 82)" in render(SUMMARY, lang="en")


def test_another_run_gives_another_screen() -> None:
    """No number stands in the code."""
    other = copy.deepcopy(SUMMARY)
    other["day"]["allowed"] -= 1
    other["inventories"][0]["published_errors"] = 77
    screen = render(other, lang="en")
    assert "1,857 allowed" in screen
    assert "77 errors" in screen


def test_a_promise_that_did_not_hold_is_said_so() -> None:
    """The screen tells what went wrong and the exit status."""
    broken = copy.deepcopy(SUMMARY)
    broken["attempts"][5] |= {"held": False, "problems": ["run/crypto.log: 3 protected values"]}
    screen = render(broken, lang="en")
    assert "NO" in screen
    assert "! run/crypto.log: 3 protected values" in screen
    assert "1 of 6 ATTEMPTS DID NOT HOLD" in screen
    assert screen.rstrip().endswith("exit 1")


def test_an_installation_that_stays_tells_what_to_type_next() -> None:
    """Without --exit the commands to paste are shown."""
    running = SUMMARY | {"running": True, "next": ["emanet status", "emanet down"]}
    assert "\n   emanet status\n   emanet down\n" in render(running, lang="en")


@pytest.mark.parametrize("lang", ["tr", "en"])
def test_step_lines_are_of_one_width(lang: str) -> None:
    """The times stand below each other."""
    values = {"customers": 2_500, "reads": 2_000, "organizations": 5}
    lines = [step_line(n, key, lang=lang, **values) for n, key in enumerate(STEPS, start=1)]
    assert len({len(line) for line in lines}) == 1
