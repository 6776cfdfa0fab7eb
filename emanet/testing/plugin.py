"""pytest plugin of `emanet[testing]`: the fixture `emanet_fake`.

The application's pyproject.toml names the two files that production follows::

    [tool.emanet]
    register = "emanet/register.yaml"
    rules = "emanet/need_to_know.yaml"
    app = "panel"

pytest loads this module in every run, so nothing of the fake is imported before a test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from emanet.testing.fake import FakeEmanet

__all__ = ["emanet_fake"]


@pytest.fixture
def emanet_fake(pytestconfig: pytest.Config) -> FakeEmanet:
    """A new `FakeEmanet` with empty storage, following the project's own two files."""
    from emanet.testing.fake import FakeEmanet

    return FakeEmanet.from_project(pytestconfig.rootpath)
