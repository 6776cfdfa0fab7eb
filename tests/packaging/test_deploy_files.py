"""The deployment files are accepted by the programs that will read them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

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
