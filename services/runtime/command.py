"""The command line of a server: `python -m services.X init|add-organization|migrate|serve|health`.

Exit status: 0 done, 1 refused (the reason is printed), 2 usage or configuration.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import structlog
from sqlalchemy import MetaData
from sqlalchemy.engine import make_url

from emanet.core.clock import Clock, SystemClock
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.names import parse_organization
from services.runtime.database import Database
from services.runtime.errors import as_emanet_error
from services.runtime.keyring import KdfCost, PassphraseKeyring
from services.runtime.logs import configure_logging
from services.runtime.migrate import (
    Stamp,
    has_pending,
    read_stamp,
    require_stamp,
    upgrade,
    write_stamp,
)
from services.runtime.principals import PrincipalsFile
from services.runtime.probe import require_serving
from services.runtime.secrets import create_secret, read_key, read_passphrase
from services.runtime.serve import Service, serve
from services.runtime.settings import ServiceSettings, load_settings, render_settings
from services.runtime.tokens import TokenVerifier

__all__ = ["PASSPHRASE", "Host", "ServiceDefinition", "initialise", "open_host", "run"]

PASSPHRASE = "kek_passphrase"  # noqa: S105 (a file name)
"""File name of the passphrase that opens the epoch files."""

S = TypeVar("S", bound=ServiceSettings)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Host(Generic[S]):
    """What the runtime gives a service: settings, database, principals, clock, secrets."""

    settings: S
    database: Database
    principals: PrincipalsFile
    tokens: TokenVerifier
    clock: Clock

    def read_key(self, name: str) -> bytes:
        """Reads a 32-byte root secret of the service.

        Raises:
            StateError: SECRET_UNUSABLE.
        """
        return read_key(self.settings.secrets_dir / name)

    def open_keyring(self) -> PassphraseKeyring:
        """Opens the service's epoch files under its passphrase; needs secret PASSPHRASE.

        Raises:
            StateError: SECRET_UNUSABLE; CONFIG_INVALID when the files lie beside the database.
        """
        runtime = self.settings.runtime
        url = make_url(self.settings.database_url)
        is_file = url.get_backend_name() == "sqlite" and url.database
        return PassphraseKeyring(
            folder=self.settings.epochs_dir,
            service=self.settings.service,
            passphrase=read_passphrase(self.settings.secrets_dir / PASSPHRASE),
            cost=KdfCost(
                iterations=runtime.kdf_iterations,
                lanes=runtime.kdf_lanes,
                memory_kib=runtime.kdf_memory_kib,
            ),
            clock=self.clock,
            database_folder=Path(url.database).parent if is_file and url.database else None,
        )


@dataclass(frozen=True, slots=True)
class ServiceDefinition(Generic[S]):
    """Everything that the command line needs to know about one service.

    Attributes:
        settings: class of its settings.
        metadata: its tables, for the drift test.
        migrations: folder that holds `versions/`.
        root_secrets: file names that `init` creates, each with 32 random bytes.
        build: composes the service for `serve`.
        add_organization: makes one organization known (epoch file, counters, first rows); must
            refuse one that is known with ALREADY_INITIALISED, and may be run again after it was
            interrupted. Called with the database writable and no server running on SQLite.
    """

    settings: type[S]
    metadata: MetaData
    migrations: Path
    build: Callable[[Host[S]], Service]
    add_organization: Callable[[Host[S], str], Awaitable[None]]
    root_secrets: tuple[str, ...] = ()


def run(definition: ServiceDefinition[S], arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status; the body of services/X/__main__.py."""
    options = _parser(definition.settings.service).parse_args(arguments)
    try:
        settings = load_settings(definition.settings)
        configure_logging(service=settings.service, level=settings.runtime.log_level)
        if options.print_config:
            _print(json.dumps(render_settings(settings), indent=2, ensure_ascii=False))
            return 0
        if options.command is None:
            _print("a command is needed; see --help", to_error=True)
            return 2
        asyncio.run(_execute(definition, settings, options))
    except EmanetError as exc:
        _log.error("command.refused", reason=exc.reason.value)
        _print(f"{exc.reason.value}: {exc.message_en}\n{exc.next_step_en}", to_error=True)
        return 2 if exc.reason is Reason.CONFIG_INVALID else 1
    except Exception as exc:  # noqa: BLE001 (the process edge: logged by id, answered by status)
        failure = as_emanet_error(exc)
        _print(f"{failure.reason.value}: {failure.message_en}", to_error=True)
        return 1
    return 0


def initialise(definition: ServiceDefinition[S], settings: S) -> None:
    """Creates database, root secrets and stamp; resumes an `init` that was interrupted.

    Secrets that are there already (mounted by an orchestrator) are kept and checked.

    Raises:
        StateError: ALREADY_INITIALISED, the database is stamped or epoch files exist.
    """
    database = _open_database(settings)
    try:
        if read_stamp(database) is not None:
            raise error(Reason.ALREADY_INITIALISED, resource=f"the {settings.service} database")
        if any(settings.epochs_dir.glob("*.json")):
            raise error(
                Reason.ALREADY_INITIALISED, resource=f"the {settings.service} epochs folder"
            )
        for name in definition.root_secrets:
            create_secret(settings.secrets_dir / name)
        upgrade(database, definition.migrations)
        write_stamp(database, _stamp_of(settings))
    finally:
        database.close()


def open_host(definition: ServiceDefinition[S], settings: S, *, clock: Clock) -> Host[S]:
    """Opens an initialised service: database at the newest schema, stamp, secrets, principals.

    The caller closes `host.database`.

    Raises:
        EmanetError: DATABASE_IN_USE, DATABASE_UNAVAILABLE, CONFIG_INVALID, MODE_MISMATCH,
            SECRET_UNUSABLE, MANIFEST_INVALID.
    """
    principals = PrincipalsFile(settings.runtime.principals_file, mode=settings.runtime.mode)
    database = _open_database(settings)
    try:
        require_stamp(database, _stamp_of(settings))
        if has_pending(database, definition.migrations):
            raise error(
                Reason.CONFIG_INVALID, problem="the schema is not this version's; run migrate"
            )
        for name in definition.root_secrets:
            read_passphrase(settings.secrets_dir / name)
    except EmanetError:
        database.close()
        raise
    tokens = TokenVerifier(
        principals=principals, installation=settings.runtime.installation, clock=clock
    )
    return Host(
        settings=settings, database=database, principals=principals, tokens=tokens, clock=clock
    )


async def _execute(
    definition: ServiceDefinition[S], settings: S, options: argparse.Namespace
) -> None:
    match options.command:
        case "init":
            initialise(definition, settings)
            await _add_organizations(definition, settings, options.organizations)
        case "add-organization":
            await _add_organizations(definition, settings, options.organizations)
        case "migrate":
            _migrate(definition, settings)
        case "health":
            require_serving(settings.runtime, service=settings.service)
        case _:
            await _serve(definition, settings, options.endpoint_file)


async def _add_organizations(
    definition: ServiceDefinition[S], settings: S, organizations: Sequence[str]
) -> None:
    if not organizations:
        return
    host = open_host(definition, settings, clock=SystemClock())
    try:
        for organization in organizations:
            await definition.add_organization(host, parse_organization(organization))
            _log.info("organization.added", organization=organization)
    finally:
        host.database.close()


def _migrate(definition: ServiceDefinition[S], settings: S) -> None:
    database = _open_database(settings)
    try:
        require_stamp(database, _stamp_of(settings))
        upgrade(database, definition.migrations)
        _log.info("schema.migrated")
    finally:
        database.close()


async def _serve(definition: ServiceDefinition[S], settings: S, endpoint_file: Path | None) -> None:
    # A core dump would hold keys and plaintext.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    host = open_host(definition, settings, clock=SystemClock())
    try:
        await serve(
            definition.build(host),
            name=settings.service,
            settings=settings.runtime,
            database=host.database,
            principals=host.principals,
            tokens=host.tokens,
            clock=host.clock,
            endpoint_file=endpoint_file,
        )
    finally:
        host.database.close()


def _open_database(settings: ServiceSettings) -> Database:
    runtime = settings.runtime
    threshold = runtime.database_prepare_threshold
    return Database.open(
        settings.database_url,
        pool_size=runtime.database_pool_size,
        prepare_threshold=None if threshold < 0 else threshold,
    )


def _stamp_of(settings: ServiceSettings) -> Stamp:
    return Stamp(mode=settings.runtime.mode, installation=settings.runtime.installation)


def _parser(service: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{service}", description=f"Emanet's {service} service."
    )
    parser.add_argument(
        "--print-config", action="store_true", help="print the settings, without secrets"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    init = commands.add_parser("init", help="create database and root secrets; refuses over data")
    init.add_argument("organizations", nargs="*", help="ids of the first organizations")
    add = commands.add_parser("add-organization", help="make organizations known")
    add.add_argument("organizations", nargs="+", help="their ids")
    commands.add_parser("migrate", help="bring the schema to this version")
    commands.add_parser("health", help="exit 0 when the server on this machine answers SERVING")
    host = commands.add_parser("serve", help="serve until SIGTERM")
    host.add_argument(
        "--endpoint-file", type=Path, help="file that gets host:port once the port is open"
    )
    return parser


def _print(text: str, *, to_error: bool = False) -> None:
    (sys.stderr if to_error else sys.stdout).write(f"{text}\n")
