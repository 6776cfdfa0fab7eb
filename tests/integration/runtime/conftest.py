"""A small real server over mTLS, for the runtime's own tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.small_service import SmallInstallation, SmallServer, start_small_server


@pytest.fixture
def installation(tmp_path: Path) -> SmallInstallation:
    return SmallInstallation(tmp_path / "installation")


@pytest_asyncio.fixture
async def server(installation: SmallInstallation) -> AsyncIterator[SmallServer]:
    started = await start_small_server(installation)
    yield started
    await started.stop()
