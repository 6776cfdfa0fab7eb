"""The fixture `emanet_fake`, in a project of its own as an application developer has it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emanet.client import errors
from emanet.testing import FakeEmanet

DATA = Path(__file__).resolve().parents[2] / "data" / "organization"

TEST_OF_AN_APPLICATION = """
from pytest import raises
from emanet.client import Case, errors


def test_support_needs_a_ticket(emanet_fake):
    emanet_fake.put_case("ticket", "T-1", subject="customers/7", opened_by="customer", assignee="s-044")
    env = emanet_fake.encrypt(subject="customers/7", values={"customer.email": "ayse@example.com"})["customer.email"].envelope
    with emanet_fake.reading(person="s-044", role="support", purpose="support", case=Case("ticket", "T-1")):
        assert emanet_fake.decrypt("customer.email", env, subject="customers/7") == "ayse@example.com"
    with raises(errors.DeniedError, match="CASE_REQUIRED"), emanet_fake.reading(person="s-044", role="support", purpose="support"):
        emanet_fake.decrypt("customer.email", env, subject="customers/7")
    assert emanet_fake.records[-1].verdict == "deny"


def test_every_test_starts_empty(emanet_fake):
    assert emanet_fake.records == ()
    assert emanet_fake.app == "panel"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "emanet").mkdir()
    for name in ("register.yaml", "need_to_know.yaml"):
        shutil.copy(DATA / name, tmp_path / "emanet" / name)
    (tmp_path / "pyproject.toml").write_text(
        "[tool.emanet]\n"
        'register = "emanet/register.yaml"\n'
        'rules = "emanet/need_to_know.yaml"\n'
        'app = "panel"\n',
        "utf-8",
    )
    (tmp_path / "test_app.py").write_text(TEST_OF_AN_APPLICATION, "utf-8")
    return tmp_path


def test_the_fixture_follows_the_files_that_pyproject_names(project):
    """Installing the package is all: pytest finds the fixture, the fixture finds the two files."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[project]\n", "names register and rules"),
        ('[tool.emanet]\nregister = "r.yaml"\n', "names register and rules"),
        ('[tool.emanet]\nregister = "r"\nrules = "n"\nfiles = "x"\n', "has no key files"),
        ('[tool.emanet]\nregister = "no.yaml"\nrules = "n.yaml"\n', "no.yaml cannot be read"),
        ("[tool.emanet\n", "is not TOML"),
    ],
)
def test_an_unusable_configuration_says_what_to_write(tmp_path, content, told):
    """The developer reads what is missing, not a traceback of the loader."""
    (tmp_path / "pyproject.toml").write_text(content, "utf-8")
    with pytest.raises(errors.StateError, match=told):
        FakeEmanet.from_project(tmp_path)


def test_the_project_is_found_from_below(project):
    """pytest may start in a folder of the project."""
    below = project / "tests" / "unit"
    below.mkdir(parents=True)
    assert FakeEmanet.from_project(below).app == "panel"
    assert FakeEmanet.from_project(below, app="erp").app == "erp"


def test_from_env_follows_the_project_too(project, monkeypatch):
    """Code that calls `Emanet.from_env` can be given the fake in its place."""
    monkeypatch.chdir(project)
    assert FakeEmanet.from_env(organization="menekse", app="invoice-run").app == "invoice-run"
    with pytest.raises(errors.StateError, match="organization menekse"):
        FakeEmanet.from_env(organization="defne", app="panel")


def test_pytest_loads_the_plugin_without_the_fake():
    """Every project that has Emanet installed loads the plugin; it must cost and need nothing."""
    script = (
        "import sys; sys.modules.update(yaml=None, grpc=None, zoneinfo=None)\n"
        "import emanet.testing.plugin\n"
        "assert not [name for name in sys.modules if name.startswith('emanet.c')]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
