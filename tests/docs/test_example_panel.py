"""examples/app: the panel's own tests pass, and it is as small as it says."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.docs.blocks import CHECKOUT

APP = CHECKOUT / "examples" / "app"


def test_the_panels_own_tests_pass():
    """What application developers copy works."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "emanet.testing.plugin",
            "-p",
            "no:cacheprovider",
        ],
        cwd=APP,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr


def test_the_panel_fits_on_a_screen_and_a_half():
    """An example that grows is read by nobody."""
    assert len((APP / "panel.py").read_text(encoding="utf-8").splitlines()) < 100
