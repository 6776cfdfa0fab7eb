"""What runs in a local installation, by its process id files, and how all of it is stopped."""

from __future__ import annotations

from emanet.cli.processes import (
    command_line,
    end_process,
    is_alive,
    read_pid_file,
    start_mark,
)
from emanet.cli.workspace import SERVICES, Workspace

__all__ = ["STOP_TIMEOUT_S", "running_services", "running_supervisor", "stop_all"]

STOP_TIMEOUT_S = 25.0
"""Time for a service to drain before it is killed; longer than its own limit."""


def running_supervisor(workspace: Workspace) -> int | None:
    """The process id of the supervisor that runs here, None when none does."""
    found = read_pid_file(workspace.supervisor_pid)
    if found is None or not is_alive(found[0]) or start_mark(found[0]) != found[1]:
        return None
    return found[0]


def running_services(workspace: Workspace) -> dict[str, int]:
    """Process ids of the services that run here, each checked by its command line."""
    running = {}
    for service in SERVICES:
        found = read_pid_file(workspace.service_pid(service))
        if found and is_alive(found[0]) and f"services.{service}" in command_line(found[0]):
            running[service] = found[0]
    return running


def stop_all(workspace: Workspace) -> tuple[str, ...]:
    """Stops what runs here: the supervisor, which stops its services, or else each service.

    Returns:
        What was stopped, `supervisor` or names of services; empty when nothing ran.
    """
    supervisor = running_supervisor(workspace)
    stopped = []
    if supervisor is not None:
        end_process(supervisor, timeout_s=STOP_TIMEOUT_S * len(SERVICES))
        stopped.append("supervisor")
    # Callers first; with a supervisor that ended in order none is left.
    for service, pid in reversed(tuple(running_services(workspace).items())):
        end_process(pid, timeout_s=STOP_TIMEOUT_S)
        stopped.append(service)
    for leftover in (workspace.endpoints, workspace.supervisor_pid):
        leftover.unlink(missing_ok=True)
    for service in SERVICES:
        workspace.service_pid(service).unlink(missing_ok=True)
    return tuple(stopped)
