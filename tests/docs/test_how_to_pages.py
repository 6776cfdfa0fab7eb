"""The how-to pages, typed block by block as they stand there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import CHECKOUT, QUICK_START, Block, blocks_of

HOW_TO = CHECKOUT / "docs" / "how-to"
PAGES = ("first-organization.md", "verify-the-log.md", "keep-the-inventory.md")
_MARK = "--- block "


@pytest.mark.slow
def test_every_block_does_what_the_page_says(tmp_path: Path) -> None:
    """Each block ends with the status that the page means, and prints the lines that it shows."""
    blocks = [block for page in PAGES for block in blocks_of(HOW_TO / page) if block.purpose]
    for name in ("examples", "services", "protos"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("EMANET_")}
    done = subprocess.run(
        ["bash", "-c", _script(blocks)],
        cwd=tmp_path,
        env={**environ, **QUICK_START, "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.split(_MARK)
    for place, block in enumerate(blocks):
        if block.purpose == "prints":
            for line in block.text.splitlines():
                assert line in printed[place], printed[place]


def _script(blocks: list[Block]) -> str:
    """One shell for all blocks; the first that ends otherwise than meant stops it."""
    lines = ["trap 'status=$?; emanet down >/dev/null; exit $status' EXIT"]
    for place, block in enumerate(blocks):
        lines.append(f"echo '{_MARK}{place}'")
        if block.purpose == "run":
            lines.append(f"set -e\n{block.text}set +e")
        elif block.purpose.startswith("run: "):
            wanted = block.purpose.removeprefix("run: ")
            lines.append(f"{block.text}[ $? = {wanted} ] || exit 9")
    return "\n".join(lines)
