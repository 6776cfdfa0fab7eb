"""What internal applications install: the wheel, its contents and its few dependencies."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Everything that only extras, servers or developers have.
NOT_IN_BASE = (
    "alembic", "cryptography", "hypothesis", "joserfc", "psycopg", "pydantic", "pytest", "rich",
    "services", "sqlalchemy", "structlog", "typer", "xlsxwriter", "yaml",
)  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The wheel, built from a copy of the sources as pip would."""
    source = tmp_path_factory.mktemp("source")
    target = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "emanet", "services", "pyproject.toml", "README.md", "LICENSE"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(target),
            str(source),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = target.glob("*.whl")
    return zipfile.ZipFile(built)


def test_wheel_holds_the_library_alone(wheel):
    """No server code: a `services` folder inside would hijack an application's own."""
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"emanet"}


def test_wheel_holds_its_data_and_types(wheel):
    """Package data and type information are inside."""
    names = set(wheel.namelist())
    assert "emanet/py.typed" in names
    assert "emanet/register/data/verbis.yaml" in names
    assert "emanet/client/service_config.json" in names
    assert "emanet/api/crypto/v1/crypto_pb2_grpc.pyi" in names


def test_base_dependencies_are_the_four_that_were_agreed(wheel):
    """An application gets gRPC and protobuf, nothing else."""
    (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    parsed = Parser().parsestr(wheel.read(metadata).decode("utf-8"))
    base = [line for line in parsed.get_all("Requires-Dist") if "extra ==" not in line]
    assert {line.split(">")[0].split("<")[0] for line in base} == {
        "grpcio", "grpcio-status", "protobuf", "googleapis-common-protos",
    }  # fmt: skip


@pytest.mark.parametrize("module", ["emanet.client", "emanet.core.errors"])
def test_client_needs_no_extra(module):
    """The facade imports where only the base dependencies are installed."""
    blocked = "; ".join(f"sys.modules[{name!r}] = None" for name in NOT_IN_BASE)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import sys; {blocked}; import {module}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_public_names_of_the_client_are_pinned():
    """A name that applications import does not vanish by accident."""
    import emanet.client

    assert sorted(emanet.client.__all__) == [
        "AccessToRecord", "AsyncEmanet", "Case", "CaseState", "Emanet", "OpenedRow", "Plain",
        "Sealed", "ToEncrypt", "ToOpen", "errors",
    ]  # fmt: skip
