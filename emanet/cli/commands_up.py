"""`emanet up`, `down` and `status`: the local installation as a whole."""

from __future__ import annotations

import os
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from emanet.cli.binding import Command
from emanet.cli.local import DEFAULT_INSTALLATION, LocalRecord
from emanet.cli.problems import CommandError
from emanet.cli.session import Session
from emanet.cli.workspace import SERVICES, Workspace
from emanet.core.errors import EmanetError

__all__ = ["COMMANDS"]

_START_TIMEOUT_S = 180.0
_POLL_S = 0.1
_SERVER_PACKAGES = ("sqlalchemy", "alembic", "structlog", "pydantic_settings", "grpc_health")
_SETTING_PREFIXES = tuple(f"EMANET_{name.upper()}_" for name in ("runtime", *SERVICES))


def up(
    session: Session,
    organization: Annotated[list[str], typer.Option("--organization")] = [],  # noqa: B006 (read only)
    installation: Annotated[str, typer.Option("--installation")] = "",
    detach: Annotated[bool, typer.Option("--detach")] = False,
) -> int:
    """Starts the three services and stays until it is asked to end."""
    from emanet.cli.running import running_supervisor
    from emanet.core.names import parse_installation, parse_organization

    workspace = session.workspace
    record = LocalRecord.load(workspace)
    name = parse_installation(
        installation or (record.installation if record else DEFAULT_INSTALLATION)
    )
    ids = tuple(parse_organization(each) for each in organization)
    running = running_supervisor(workspace)
    if running is not None:
        raise CommandError("already_up", pid=running)
    _require_server_packages()
    if detach:
        _start_detached(session, workspace, name=name, organizations=ids)
    else:
        _supervise(session, workspace, name=name, organizations=ids)
    return 0


def down(session: Session) -> int:
    """Stops what `up` started."""
    from emanet.cli.running import stop_all

    stopped = stop_all(session.workspace)
    session.answer({"stopped": list(stopped)})
    if stopped:
        session.print(session.say("down.stopped", names=", ".join(stopped)))
    else:
        session.print(session.say("down.nothing", var=session.workspace.var))
    return 0


def _supervise(
    session: Session, workspace: Workspace, *, name: str, organizations: tuple[str, ...]
) -> None:
    from emanet.cli.principals_file import APPLICATIONS
    from emanet.cli.supervisor import LocalInstallation, Supervisor, find_checkout

    is_asked_to_stop = []
    for wish in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wish, lambda number, _frame: is_asked_to_stop.append(number))
    existing = {path.stem for path in workspace.certs.glob("*.key")} - set(SERVICES)
    supervisor = Supervisor(
        LocalInstallation(
            workspace=workspace,
            checkout=find_checkout(),
            installation=name,
            applications=tuple(sorted({*APPLICATIONS, *existing})),
            organizations=organizations,
            settings=_settings_given(),
        )
    )
    started = time.monotonic()
    try:
        supervisor.prepare()
        supervisor.start()
    except EmanetError:
        if not is_asked_to_stop:
            raise
        # The interrupt reached the child that was at work, too; the next start goes on from there.
        supervisor.stop()
        session.print(session.say("down.stopped", names=", ".join(SERVICES)))
        return
    _tell_started(session, workspace, seconds=time.monotonic() - started)
    session.print(session.say("up.foreground"))
    sys.stdout.flush()
    supervisor.watch(should_stop=lambda: bool(is_asked_to_stop))
    session.print(session.say("down.stopped", names=", ".join(SERVICES)))


def _require_server_packages() -> None:
    """The services run in this Python; the wheel's extras do not bring what they need.

    Raises:
        CommandError: a package of theirs is missing.
    """
    from emanet.cli.supervisor import find_checkout

    for module in _SERVER_PACKAGES:
        if find_spec(module) is None:
            raise CommandError("no_server_packages", module=module, checkout=find_checkout())


def _settings_given() -> dict[str, str]:
    """Settings of services in this environment; what the supervisor decides itself is left out."""
    from emanet.cli.supervisor import OWN_SETTINGS

    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_SETTING_PREFIXES) and name not in OWN_SETTINGS
    }


def _start_detached(
    session: Session, workspace: Workspace, *, name: str, organizations: tuple[str, ...]
) -> None:
    from emanet.cli.processes import end_process, has_ended, spawn_detached

    workspace.run.mkdir(parents=True, exist_ok=True)
    workspace.endpoints.unlink(missing_ok=True)
    arguments = ["up", "--installation", name, "--lang", session.lang.value]
    for each in organizations:
        arguments += ["--organization", each]
    started = time.monotonic()
    log = workspace.run / "supervisor.log"
    child = spawn_detached([sys.executable, "-m", "emanet.cli", *arguments], log=log)
    try:
        with session.progress(session.say("up.starting")):
            while not workspace.endpoints.exists():
                is_late = time.monotonic() - started > _START_TIMEOUT_S
                if is_late or has_ended(child):
                    raise CommandError("not_started", log=log, told=_last_words(log))
                time.sleep(_POLL_S)
    except KeyboardInterrupt:
        end_process(child, timeout_s=_START_TIMEOUT_S)
        raise
    _tell_started(session, workspace, seconds=time.monotonic() - started)


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n  ".join(lines[-4:])


def _tell_started(session: Session, workspace: Workspace, *, seconds: float) -> None:
    from emanet.cli.principals_file import missing_from
    from emanet.client.channel import Endpoints

    endpoints = Endpoints.from_file(workspace.endpoints)
    targets = {name.value: target for name, target in endpoints.targets.items()}
    record = LocalRecord.load(workspace)
    organizations = record.everywhere if record is not None else ()
    session.answer({"endpoints": str(workspace.endpoints), "services": targets})
    session.print(session.say("up.started", seconds=f"{seconds:.1f}"))
    session.print(*(f"  {name:<13} {target}" for name, target in targets.items()))
    session.print(
        session.say("up.embedded"),
        session.say("up.exports"),
        f"  export EMANET_ENDPOINTS={workspace.endpoints}",
        f"  export EMANET_CERTS_DIR={workspace.certs}",
    )
    for name in missing_from(workspace, organizations):
        session.warn(session.say("up.unnamed", organization=name, file=workspace.principals))


COMMANDS = (Command("up", up), Command("down", down))
