"""`init`, `add-organization`, `migrate` and `serve` as real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from services.runtime.database import Database
from services.runtime.migrate import find_drift, has_pending, upgrade
from tests.fakes.small_program import DEFINITION
from tests.fakes.small_service import SmallInstallation

ROOT = Path(__file__).parents[3]
PROGRAM = (sys.executable, "-m", "tests.fakes.small_program")


def environment(installation: SmallInstallation, **changes: str) -> dict[str, str]:
    folder = installation.folder
    values = {
        "MODE": "dev",
        "INSTALLATION": "test",
        "LISTEN": "localhost:0",
        "CERT_FILE": str(folder / "server.pem"),
        "KEY_FILE": str(folder / "server.key"),
        "CA_FILE": str(folder / "ca.pem"),
        "PRINCIPALS_FILE": str(installation.principals_path),
        "VAR_DIR": str(folder / "var"),
        "KDF_ITERATIONS": "1",
        "KDF_LANES": "1",
        "KDF_MEMORY_KIB": "8",
    } | changes
    return {
        "PATH": os.environ["PATH"],
        **{f"EMANET_RUNTIME_{name}": value for name, value in values.items()},
    }


def command(
    installation: SmallInstallation, *arguments: str, **changes: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=ROOT,
        env=environment(installation, **changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def serving(installation: SmallInstallation) -> Iterator[tuple[subprocess.Popen[str], str]]:
    endpoint = installation.folder / "endpoint"
    endpoint.unlink(missing_ok=True)
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--endpoint-file", str(endpoint)],
        cwd=ROOT,
        env=environment(installation),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        limit = time.monotonic() + 30
        while not endpoint.exists():
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < limit
            time.sleep(0.02)
        yield process, endpoint.read_text().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_whole_life_of_an_installation(installation: SmallInstallation) -> None:
    """init, a second init refused, add-organization, serve, an RPC, SIGTERM, a second start."""
    var = installation.folder / "var" / "inventory"
    first = command(installation, "init", "cinar")
    assert first.returncode == 0, first.stderr
    secret = var / "secrets" / "kek_passphrase"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert (var / "epochs" / "cinar.json").stat().st_mode & 0o777 == 0o600
    before = secret.read_bytes()

    again = command(installation, "init")
    assert again.returncode == 1
    assert "ALREADY_INITIALISED" in again.stderr
    assert secret.read_bytes() == before

    assert command(installation, "add-organization", "mese", "kavak").returncode == 0
    twice = command(installation, "add-organization", "mese")
    assert (twice.returncode, "ALREADY_INITIALISED" in twice.stderr) == (1, True)
    assert command(installation, "migrate").returncode == 0

    async def call(endpoint: str) -> str:
        client = installation.principal("/app/panel")
        async with installation.channel(endpoint, client) as channel:
            stub = inventory_pb2_grpc.InventoryServiceStub(channel)
            message = inventory_pb2.GetServiceInfoRequest(organization="cinar")
            return (await stub.GetServiceInfo(message, timeout=5)).service

    for _ in range(2):
        with serving(installation) as (process, endpoint):
            assert asyncio.run(call(endpoint)) == "cinar"
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            assert "Max core file size        0                    0" in limits
            second = command(installation, "serve")
            assert (second.returncode, "DATABASE_IN_USE" in second.stderr) == (1, True)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=20)
            assert process.returncode == 0
            events = [json.loads(line)["event"] for line in errors.splitlines()]
            assert events[-2:] == ["server.draining", "server.stopped"]


def test_health_command_tells_serving_from_stopped(installation: SmallInstallation) -> None:
    """`health` exits 0 while the server serves and 1 when nobody answers."""
    assert command(installation, "init").returncode == 0
    with serving(installation) as (process, endpoint):
        listen = f"localhost:{endpoint.rpartition(':')[2]}"
        limit = time.monotonic() + 20
        while (asked := command(installation, "health", LISTEN=listen)).returncode != 0:
            assert time.monotonic() < limit, asked.stderr
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    stopped = command(installation, "health", LISTEN=listen)
    assert (stopped.returncode, "SERVICE_UNAVAILABLE" in stopped.stderr) == (1, True)
    unfixed = command(installation, "health")
    assert (unfixed.returncode, "fixed port" in unfixed.stderr) == (2, True)


def test_dev_database_is_refused_in_production(installation: SmallInstallation) -> None:
    assert command(installation, "init").returncode == 0
    text = installation.principals_path.read_text("utf-8")
    installation.principals_path.write_text(
        text.replace("dev.emanet.invalid", "prod.example"), "utf-8"
    )
    refused = command(installation, "serve", MODE="production")
    assert (refused.returncode, "MODE_MISMATCH" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"MODE": "production"}, "mode production refuses trust domain"),
        ({"LISTEN": "0.0.0.0:0"}, "loopback"),
        ({"INSTALLATION": "other"}, "belongs to installation test"),
        ({"COLOUR": "red"}, "EMANET_RUNTIME_COLOUR is not a setting"),
    ],
)
def test_configuration_that_does_not_fit_is_named(
    installation: SmallInstallation, changes: dict[str, str], problem: str
) -> None:
    assert command(installation, "init").returncode == 0
    refused = command(installation, "serve", **changes)
    assert refused.returncode == 2
    assert problem in refused.stderr


def test_lost_secret_is_never_made_anew(installation: SmallInstallation) -> None:
    """serve refuses without its secret, and with another one, and creates none."""
    assert command(installation, "init", "cinar").returncode == 0
    secret = installation.folder / "var" / "inventory" / "secrets" / "kek_passphrase"
    kept = secret.read_bytes()
    secret.unlink()
    missing = command(installation, "serve")
    assert (missing.returncode, "SECRET_UNUSABLE" in missing.stderr) == (1, True)
    assert not secret.exists()
    secret.write_bytes(kept[::-1].strip() + b"\n")
    secret.chmod(0o600)
    wrong = command(installation, "serve")
    assert (wrong.returncode, "SECRET_UNUSABLE" in wrong.stderr) == (1, True)
    secret.write_bytes(kept)
    secret.chmod(0o644)
    readable = command(installation, "serve")
    assert (readable.returncode, "SECRET_UNUSABLE" in readable.stderr) == (1, True)


def test_serve_without_init_creates_nothing_but_an_empty_file(
    installation: SmallInstallation,
) -> None:
    refused = command(installation, "serve")
    assert (refused.returncode, "run init first" in refused.stderr) == (2, True)
    var = installation.folder / "var" / "inventory"
    assert not (var / "secrets").exists()
    assert not (var / "epochs").exists()


def test_print_config_shows_names_and_no_secret(installation: SmallInstallation) -> None:
    url_file = installation.folder / "url"
    url_file.write_text("postgresql+psycopg://u:planted@h/x")
    shown = command(installation, "--print-config", DATABASE_URL_FILE=str(url_file))
    assert shown.returncode == 0
    values = json.loads(shown.stdout)
    assert values["EMANET_RUNTIME_MODE"] == "dev"
    assert values["EMANET_INVENTORY_PAGE_SIZE"] == "50"
    assert "planted" not in shown.stdout + shown.stderr


def test_migrations_run_from_empty_without_drift(database_url: str) -> None:
    database = Database.open(database_url)
    assert has_pending(database, DEFINITION.migrations)
    upgrade(database, DEFINITION.migrations)
    upgrade(database, DEFINITION.migrations)
    assert not has_pending(database, DEFINITION.migrations)
    assert find_drift(database, DEFINITION.metadata) == ()
    database.write_now(lambda c: c.exec_driver_sql("ALTER TABLE organizations ADD extra INTEGER"))
    assert len(find_drift(database, DEFINITION.metadata)) == 1
    database.close()
