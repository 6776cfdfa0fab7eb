"""docs/tutorial-developer.md, step by step, as a developer would follow it."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import CHECKOUT, QUICK_START, Block, blocks_of

PAGE = CHECKOUT / "docs" / "tutorial-developer.md"
PURPOSES = {"install", "run", "run: services", "output"}


class Reader:
    """Somebody in an empty folder with Emanet installed, typing what the page says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._typed: list[str] = []
        binaries = str(Path(sys.executable).parent)
        kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
        self._environ = {key: os.environ[key] for key in kept if key in os.environ} | {
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "CHECKOUT": str(CHECKOUT),
            "LANG": "C.UTF-8",
            **QUICK_START,
            "PYTEST_ADDOPTS": "-p no:cacheprovider -p no:xdist -p no:randomly",
        }

    def save(self, block: Block) -> None:
        name = block.purpose.removeprefix("file: ")
        (self.folder / name).write_text(block.text, encoding="utf-8")

    def type(self, text: str) -> str:
        """Runs commands; what was exported before is still there, as in one terminal."""
        script = "set -eu\n" + "".join(self._typed) + "echo ---\n" + text
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self._typed += [line + "\n" for line in text.splitlines() if line.startswith("export ")]
        return done.stdout.rpartition("---\n")[2]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def test_every_block_says_what_it_is_for():
    """A block without a purpose would be one that nobody runs."""
    for block in blocks_of(PAGE):
        assert block.purpose in PURPOSES or block.purpose.startswith(("file: ", "excerpt: ")), block


def test_what_is_installed_exists():
    """The extra and the target that the page names are there."""
    package, services = (block for block in blocks_of(PAGE) if block.purpose == "install")
    assert package.text.endswith('python -m pip install "$CHECKOUT[testing]"\n')
    assert services.text.startswith('make -C "$CHECKOUT" setup\n')
    assert "\nsetup:" in (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    assert "testing" in importlib.metadata.metadata("emanet").get_all("Provides-Extra")


def test_the_page_leads_to_passing_tests(reader):
    """Steps 2 to 5 and 7: files, excerpts, commands, in order, without any server."""
    outputs = []
    for block in blocks_of(PAGE):
        if block.purpose.startswith("file: "):
            reader.save(block)
        elif block.purpose == "run":
            outputs.append(reader.type(block.text))
        elif block.purpose.startswith("excerpt: "):
            names = block.purpose.removeprefix("excerpt: ").split()
            shown = "".join((reader.folder / name).read_text(encoding="utf-8") for name in names)
            assert all(line in shown for line in block.text.splitlines())
    assert "4 passed" in outputs[1]
    assert "5 passed" in outputs[2]


@pytest.mark.slow
def test_the_page_works_against_real_services(reader):
    """Step 6: two persons approve, the helpdesk pushes a ticket, the unchanged page answers."""
    printed = ""
    try:
        for block in blocks_of(PAGE):
            if block.purpose.startswith("file: "):
                reader.save(block)
            elif block.purpose == "run: services" or "cp " in block.text:
                printed += reader.type(block.text)
    finally:
        reader.type("emanet down")
    (expected,) = (block.text for block in blocks_of(PAGE) if block.purpose == "output")
    assert expected in printed
