"""Every text exists in both languages, fits the screen, and is used."""

from __future__ import annotations

import inspect
import re
import string
from pathlib import Path

import pytest

from emanet.cli.binding import Command
from emanet.cli.language import Lang, language_of
from emanet.cli.main import GROUPS
from emanet.cli.wording import WORDS, say
from emanet.cli.wording_help import HELP, help_of
from emanet.verify import FaultKind
from tests.fakes.command_line import CommandLine

CLI = Path(__file__).parents[3] / "emanet" / "cli"
PATHS = [
    (f"{group.name} {command.name}".strip(), command)
    for group in GROUPS
    for command in group.commands
]
SHARED = {"organization", "token", "app", "as_json", "lang", "version"}


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_fill_the_same_places(key: str) -> None:
    """What one language tells, the other tells too."""
    english, turkish = WORDS[key]
    assert english
    assert turkish
    assert _places(english) == _places(turkish)


@pytest.mark.parametrize("key", [key for key in WORDS if not key.startswith("problem.")])
def test_lines_fit_eighty_columns(key: str) -> None:
    """Texts without values leave room on the screen."""
    for text in WORDS[key]:
        for line in text.splitlines():
            assert len(line) <= 90 if "{" in line else len(line) <= 80, line


def test_every_text_is_used() -> None:
    """A text that no command says is deleted."""
    source = "\n".join(
        path.read_text("utf-8") for path in CLI.glob("*.py") if path.stem != "wording"
    )
    for key in WORDS:
        name = key.removeprefix("problem.").removesuffix(".next")
        is_named = any(f"{quote}{name}{quote}" in source for quote in "\"'")
        is_made = f'f"{key.rpartition(".")[0]}.{{' in source and not key.startswith("problem.")
        assert is_named or is_made, key


def test_every_fault_and_problem_has_its_texts() -> None:
    """Whatever the verifier finds, or the command line refuses, can be told."""
    for kind in FaultKind:
        assert f"fault.{kind.value}" in WORDS
    for key in WORDS:
        if key.startswith("problem.") and not key.endswith(".next"):
            assert f"{key}.next" in WORDS


@pytest.mark.parametrize(("path", "command"), PATHS, ids=[path for path, _ in PATHS])
def test_every_command_and_option_has_help(path: str, command: Command) -> None:
    """Help of a command and of each of its own parameters, in both languages."""
    for lang in Lang:
        assert help_of(path, lang=lang)
        for name in list(inspect.signature(command.run).parameters)[1:]:
            assert help_of(f"{path}.{name}", lang=lang)


def test_every_help_text_is_used() -> None:
    """No help text of a command or option that is gone."""
    known = {"", *SHARED, *(group.name for group in GROUPS)}
    for path, command in PATHS:
        known.add(path)
        for name in list(inspect.signature(command.run).parameters)[1:]:
            own = f"{path}.{name}"
            known.add(own if own in HELP else name)
    assert set(HELP) == known


@pytest.mark.parametrize(("path", "command"), PATHS, ids=[path for path, _ in PATHS])
def test_help_is_written_in_the_language_asked_for(path: str, command: Command) -> None:
    """Headings and texts are Turkish or English, at most 80 columns wide."""
    emanet = CommandLine()
    turkish = emanet(*path.split(), "--help", LANG="tr_TR.UTF-8")
    english = emanet(*path.split(), "--help")
    assert (turkish.status, english.status) == (0, 0)
    assert "Kullanım: emanet" in turkish.out
    assert "Usage: emanet" in english.out
    assert "--json" in english.out
    assert "--lang" in english.out
    assert ("--token" in english.out) == command.remote
    for line in [*turkish.out.splitlines(), *english.out.splitlines()]:
        assert len(line) <= 80
    assert not re.search(
        r"Usage|Options|required|default:|env var", turkish.out.replace("[OPTIONS]", "")
    )


def test_first_sentences_are_whole_in_the_list_of_commands() -> None:
    """The list of commands cuts no sentence off."""
    emanet = CommandLine()
    for group in GROUPS:
        for lang in Lang:
            shown = emanet("--lang", lang, *([group.name] if group.name else []), "--help").out
            assert "..." not in shown.partition("COMMAND [ARGS]...")[2]


def test_language_comes_from_the_option_then_the_environment() -> None:
    """--lang wins; else LC_ALL, LC_MESSAGES, LANG in the order of POSIX; else English."""
    assert language_of(["status", "--lang", "tr"], {"LANG": "en_US.UTF-8"}) is Lang.TR
    assert language_of(["--lang=en"], {"LANG": "tr_TR.UTF-8"}) is Lang.EN
    assert language_of([], {"LANG": "tr_TR.UTF-8"}) is Lang.TR
    assert language_of([], {"LC_ALL": "C", "LANG": "tr_TR.UTF-8"}) is Lang.EN
    assert language_of([], {}) is Lang.EN
    assert language_of(["--lang"], {}) is Lang.EN


def test_texts_are_filled_by_language() -> None:
    assert say("down.stopped", lang=Lang.TR, names="crypto") == "durduruldu: crypto"


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
