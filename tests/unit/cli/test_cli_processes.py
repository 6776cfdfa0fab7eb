"""Processes are ended by id only after it is clear whose they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emanet.cli.processes import (
    command_line,
    end_process,
    is_alive,
    read_pid_file,
    start_mark,
)
from emanet.cli.running import running_services, running_supervisor, stop_all
from emanet.cli.workspace import Workspace

# The words behind `-c` show in the command line, as a service's module name would.
_WAITS = "import signal; print('ready', flush=True); signal.pause()"
_IGNORES = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True);"
    "[signal.pause() for _ in iter(int, 1)]"
)


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *words: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", program, *words], stdout=subprocess.PIPE, text=True
        )
        started.append(child)
        # Before it says so, the system may not show its command line yet.
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    yield start
    for child in started:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path / "var")
    found.run.mkdir(parents=True)
    return found


def test_process_ends_when_asked(spawn: Callable[..., subprocess.Popen[str]]) -> None:
    child = spawn(_WAITS)
    assert is_alive(child.pid)
    assert end_process(child.pid, timeout_s=10.0)
    assert child.wait() == -signal.SIGTERM
    assert not is_alive(child.pid)


def test_process_that_does_not_listen_is_killed(
    spawn: Callable[..., subprocess.Popen[str]],
) -> None:
    """Patience ends; the process is gone all the same."""
    child = spawn(_IGNORES)
    assert child.stdout is not None
    assert end_process(child.pid, timeout_s=0.2)
    assert child.wait() == -signal.SIGKILL


def test_ended_child_that_nobody_waited_for_is_not_alive(
    spawn: Callable[..., subprocess.Popen[str]],
) -> None:
    """A zombie holds no lock and serves nobody."""
    child = spawn("print('ready')")
    deadline = time.monotonic() + 10
    while is_alive(child.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(child.pid)
    assert child.returncode is None


def test_start_mark_tells_processes_apart(spawn: Callable[..., subprocess.Popen[str]]) -> None:
    """The mark stays the same for one process and is empty for none."""
    child = spawn(_WAITS)
    assert start_mark(child.pid) == start_mark(child.pid) != ""
    assert start_mark(2**30) == ""
    assert command_line(2**30) == ""


@pytest.mark.parametrize("content", [None, "", "abc", "-1", "12.5", "1 2 3"])
def test_file_without_an_id_names_no_process(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "x.pid"
    if content is not None:
        file.write_text(content)
    found = read_pid_file(file)
    assert found is None or found == (1, "2")


def test_service_is_known_by_its_command_line(
    workspace: Workspace, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    """An id that another program got meanwhile is left alone."""
    stranger, service = spawn(_WAITS), spawn(_WAITS, "services.crypto")
    workspace.service_pid("inventory").write_text(str(stranger.pid))
    workspace.service_pid("crypto").write_text(str(service.pid))
    assert running_services(workspace) == {"crypto": service.pid}
    assert stop_all(workspace) == ("crypto",)
    assert service.wait() == -signal.SIGTERM
    assert stranger.poll() is None


def test_supervisor_is_known_by_the_moment_it_started(
    workspace: Workspace, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    """A supervisor's id given to another process later is no supervisor."""
    child = spawn(_WAITS)
    workspace.supervisor_pid.write_text(f"{child.pid} {start_mark(os.getpid())}")
    assert running_supervisor(workspace) is None
    workspace.supervisor_pid.write_text(f"{child.pid} {start_mark(child.pid)}")
    assert running_supervisor(workspace) == child.pid
    assert stop_all(workspace) == ("supervisor",)
    assert child.wait() == -signal.SIGTERM
    assert not workspace.supervisor_pid.exists()


def test_nothing_that_runs_is_nothing_to_stop(workspace: Workspace) -> None:
    assert stop_all(workspace) == ()
