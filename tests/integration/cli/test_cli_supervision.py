"""`emanet up` keeps three services running, and `down` ends them: real processes, no mercy."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emanet.cli.processes import is_alive
from emanet.cli.running import running_services, running_supervisor, stop_all
from emanet.cli.workspace import SERVICES
from tests.integration.cli.conftest import ORGANIZATION, Shell

_PATIENCE_S = 60.0


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Shell]:
    """An installation that a test may break."""
    shell = Shell(tmp_path / "var")
    started = shell("up", "--detach", "--organization", ORGANIZATION)
    assert started.status == 0, started.err
    yield shell
    stop_all(shell.workspace)


def test_killed_service_is_back_at_its_address(own: Shell) -> None:
    """kill -9: another process serves at the same port, and clients go on."""
    before = running_services(own.workspace)
    assert set(before) == set(SERVICES)
    addresses = {
        each["service"]: each["address"] for each in own("status", "--json").json["services"]
    }
    for victim in SERVICES:
        os.kill(before[victim], signal.SIGKILL)
        _wait(
            lambda victim=victim: (
                running_services(own.workspace).get(victim, before[victim]) != before[victim]
            )
        )
    _wait(lambda: own("status").status == 0)
    after = {each["service"]: each["address"] for each in own("status", "--json").json["services"]}
    assert after == addresses


def test_second_up_is_refused_while_the_first_runs(own: Shell) -> None:
    """One supervisor an installation; the refusal says how to go on."""
    again = own("up", "--detach")
    assert again.status == 2
    assert "emanet down" in again.err
    assert set(running_services(own.workspace)) == set(SERVICES)


def test_down_ends_every_process_and_up_finds_what_was_there(own: Shell) -> None:
    """Data, names and organizations survive; a further organization is added to them."""
    processes = [running_supervisor(own.workspace), *running_services(own.workspace).values()]
    assert own("down").status == 0
    assert not any(is_alive(pid) for pid in processes if pid is not None)
    assert own("status").status == 2
    again = own("up", "--detach", "--organization", "hosting", "--json")
    assert again.status == 0, again.err
    known = {
        each["organization"]: each["known"]
        for each in own("status", "--json", EMANET_ORGANIZATION="").json["organizations"]
    }
    assert known == {ORGANIZATION: True, "hosting": True}
    other = own("up", "--detach", "--installation", "other")
    assert other.status == 2


def test_services_of_a_killed_supervisor_are_stopped_by_their_own_ids(own: Shell) -> None:
    """Without a supervisor `down` still finds its services, and `up` takes their place."""
    supervisor = running_supervisor(own.workspace)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    _wait(lambda: running_supervisor(own.workspace) is None)
    orphans = running_services(own.workspace)
    assert set(orphans) == set(SERVICES)
    assert own("up", "--detach").status == 0
    assert not any(is_alive(pid) for pid in orphans.values())
    supervisor = running_supervisor(own.workspace)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    _wait(lambda: running_supervisor(own.workspace) is None)
    assert set(own("down", "--json").json["stopped"]) == set(SERVICES)
    assert running_services(own.workspace) == {}


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
