"""One test organization on the fake and on three real services, for the SDK's contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.real_installation import RealInstallation
from tests.fakes.sdk_worlds import ORGANIZATION, REGISTER, RULES, FakeWorld, RealWorld, World


@pytest.fixture(scope="session")
def sdk_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealInstallation]:
    """Real services with approved register and active rules, started once."""
    real = RealInstallation(tmp_path_factory.mktemp("sdk"), organization=ORGANIZATION)
    try:
        real.start(register=REGISTER, rules=RULES)
        yield real
    finally:
        real.stop()


@pytest.fixture(scope="session", params=["fake", "real"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """An organization in operation, shared by all tests: each takes its own people from it."""
    if request.param == "fake":
        yield FakeWorld()
        return
    real = RealWorld(request.getfixturevalue("sdk_installation"))
    yield real
    real.close()


@pytest.fixture
def person(world: World) -> str:
    """A member of staff whom no other test uses."""
    return world.new_person()


@pytest.fixture
def subject(world: World) -> str:
    """A customer whom no other test uses."""
    return world.new_subject()
