"""Fixtures that every level of tests shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgres import PostgresMissingError, PostgresServer, running_postgres

# A loaded machine is slow, not wrong: no property fails because one example took long.
settings.register_profile("emanet", deadline=None)
settings.load_profile("emanet")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL server; its absence skips loudly, and fails where CI is set."""
    try:
        with running_postgres() as server:
            yield server
    except PostgresMissingError as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(
    params=[pytest.param("sqlite"), pytest.param("postgres", marks=pytest.mark.postgres)]
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new, empty database on each engine that Emanet supports."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'db' / 'test.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url
