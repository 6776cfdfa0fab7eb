"""Installations for end-to-end tests: one that runs for all that break nothing, copies for the rest."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from emanet.cli.devtokens import ensure_issuer
from emanet.cli.supervisor import Supervisor
from emanet.cli.workspace import SERVICES
from tests.e2e.acting import (
    RUN,
    activate,
    app,
    principals,
    publish,
    put_case,
    put_ticket,
    wait_for_register,
)
from tests.e2e.installation import (
    NEIGHBOUR,
    ORGANIZATION,
    Local,
    Template,
    specification,
)
from tests.postgres import PostgresServer

VALUES = {
    "customer.name": "Ayşe Yılmaz",
    "customer.email": "ayşe@örnek.example",
    "customer.phone": "905321234567",
    "customer.tckn": "10000000146",
    "ticket.text": "Faturam gelmedi",
    "ticket.note": "geri aranacak",
    "customer.hobby": "yelken",
}


def _prepared(folder: Path, databases: dict[str, str], server: PostgresServer | None) -> Template:
    local = Local(specification(folder, databases))
    kept = folder / "sealed.json"
    if kept.exists():
        return Template(local, server, _sealed(kept))
    ensure_issuer(local.workspace)
    local.workspace.principals.write_text(principals(), encoding="utf-8")
    supervisor = Supervisor(local.spec)
    supervisor.prepare()
    supervisor.stop()
    local.start()
    try:
        for organization in (ORGANIZATION, NEIGHBOUR):
            publish(local, organization=organization)
            wait_for_register(local, 1, organization=organization)
            activate(local, organization=organization)
        put_ticket(local)
        put_case(local, RUN, by="erp")
        values = app(local).encrypt(subject="customers/1", values=VALUES)
    finally:
        local.close()
    told = {name: each.envelope.hex() for name, each in values.items()}
    kept.write_text(json.dumps(told), encoding="utf-8")
    return Template(local, server, _sealed(kept))


def _sealed(kept: Path) -> dict[str, bytes]:
    told = json.loads(kept.read_text(encoding="utf-8"))
    return {name: bytes.fromhex(envelope) for name, envelope in told.items()}


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A prepared installation on SQLite; the processes of one test run share it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "template"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _prepared(folder, {}, None)


@pytest.fixture(scope="session")
def postgres_template(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> Iterator[Template]:
    """A prepared installation on PostgreSQL."""
    with ExitStack() as stack:
        databases = {name: stack.enter_context(postgres_server.database()) for name in SERVICES}
        folder = tmp_path_factory.mktemp("template-postgres")
        yield _prepared(folder, databases, postgres_server)


@pytest.fixture(scope="session")
def shared(sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A running installation; tests leave it as they found it, but for records and new subjects."""
    with sqlite_template.copy(tmp_path_factory.mktemp("shared")) as local:
        local.start()
        yield local


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def template(request: pytest.FixtureRequest) -> Template:
    """The prepared installation on each engine."""
    found: Template = request.getfixturevalue(f"{request.param}_template")
    return found


@pytest.fixture
def copied(template: Template, tmp_path: Path) -> Iterator[Callable[..., Local]]:
    """Makes a stopped copy of the installation, with further settings, on each engine."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(template.copy(tmp_path, **settings))


@pytest.fixture
def sqlite_copy(sqlite_template: Template, tmp_path: Path) -> Iterator[Callable[..., Local]]:
    """Makes a stopped copy of the installation on SQLite."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(sqlite_template.copy(tmp_path, **settings))
