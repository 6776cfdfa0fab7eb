"""README's first call, typed as it stands there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import CHECKOUT, QUICK_START, blocks_of

_STOP = "\nstatus=$?; emanet down >/dev/null; exit $status\n"


@pytest.mark.slow
def test_the_first_call_prints_the_value_and_the_refusal(tmp_path: Path):
    """A new reader who pastes both blocks sees an address, then a refusal with its next step."""
    found = {block.purpose: block.text for block in blocks_of(CHECKOUT / "README.md")}
    (tmp_path / "first_call.py").write_text(found["first-call: python"], encoding="utf-8")
    # The checkout as the reader sees it, except that `var` is written here.
    for name in ("examples", "services", "protos"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("EMANET_")}
    script = "set -u\n(set -e\n" + found["first-call: shell"] + "python first_call.py)" + _STOP
    script = 'export PATH="$PWD/.venv/bin:$PATH"\n' + script
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**environ, **QUICK_START, "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    opened, refused = done.stdout.splitlines()[-2:]
    assert opened == "ayse@example.com"
    assert refused.startswith("CASE_REQUIRED - bu amaç")
