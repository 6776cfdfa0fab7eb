"""Pages that are rendered from the program say what the program does."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = runpy.run_path(str(ROOT / "scripts" / "render_docs.py"))["PAGES"]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_is_current(name):
    """`make docs` was run after the last change of what the page shows."""
    assert (ROOT / "docs" / name).read_text("utf-8") == PAGES[name]()
