"""Processes by id: whose they are, whether they run, how they are ended.

An id alone proves nothing: the system gives it to another process once the first has ended. A
service is known by its command line, a supervisor by the moment at which it started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "command_line",
    "end_process",
    "has_ended",
    "is_alive",
    "read_pid_file",
    "spawn_detached",
    "start_mark",
]

_POLL_S = 0.05


def is_alive(pid: int) -> bool:
    """Whether a process of ours with this id runs; one that ended but is not reaped does not."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError, OverflowError):
        return False
    fields = _stat(pid)
    return not fields or fields[0] != "Z"


def start_mark(pid: int) -> str:
    """Text that tells this process from every other one that had or will have its id.

    Empty where the system does not tell (no /proc).
    """
    fields = _stat(pid)
    # proc(5): field 22, in ticks since the machine started; the first two fields are cut off.
    return fields[19] if len(fields) > 19 else ""


def command_line(pid: int) -> str:
    """The command line of a process, words parted by blanks; empty when it does not run."""
    path = Path(f"/proc/{pid}/cmdline")
    try:
        return path.read_bytes().replace(b"\x00", b" ").decode("utf-8", "replace")
    except OSError:
        pass
    try:
        shown = subprocess.run(  # noqa: S603 (a number is the only argument)
            ["/bin/ps", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return shown.stdout


def read_pid_file(path: Path) -> tuple[int, str] | None:
    """Process id and start mark of a file, None when there is no such file or no id in it."""
    try:
        words = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return None
    if not words or not words[0].isdecimal():
        return None
    return int(words[0]), words[1] if len(words) > 1 else ""


def end_process(pid: int, *, timeout_s: float) -> bool:
    """Asks a process to end, kills it when it does not in time; False when it still runs."""
    for wish, patience in ((signal.SIGTERM, timeout_s), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, wish)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not is_alive(pid):
                return True
            time.sleep(_POLL_S)
    return not is_alive(pid)


def spawn_detached(command: Sequence[str], *, log: Path) -> int:
    """Starts a program in a session of its own, which outlives this process.

    Args:
        command: an absolute path and arguments.
        log: file that gets what it prints; emptied first.

    Returns:
        Its process id.
    """
    output = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    return os.posix_spawn(
        command[0],
        list(command),
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            output,
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def has_ended(child: int) -> bool:
    """Whether a child of this process has ended; takes its exit status."""
    try:
        return os.waitpid(child, os.WNOHANG)[0] == child
    except ChildProcessError:
        return True


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat behind the name, which may hold blanks itself."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []
