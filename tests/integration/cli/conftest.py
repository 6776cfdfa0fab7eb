"""One real installation for the whole folder: `emanet up --detach`, then commands as people type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emanet.cli.running import stop_all
from emanet.cli.workspace import Workspace
from tests.fakes.command_line import Answer, CommandLine

ORGANIZATION = "degirmen"
AGENCY = Path(__file__).parents[3] / "examples" / "organizations" / "web-agency"
PEOPLE = {
    "dpo": ("s-001", "kvkk"),
    "approver": ("s-002", "yonetim"),
    "security": ("s-003", "guvenlik"),
    "auditor": ("s-004", "denetim"),
    "agent": ("s-003", "temsilci"),
}


class Shell(CommandLine):
    """A command line at an installation, in which people log in before they act."""

    def __init__(self, var: Path) -> None:
        # The cheapest key derivation that services allow: this is no test of Argon2id.
        super().__init__(
            {
                "EMANET_VAR_DIR": str(var),
                "EMANET_ORGANIZATION": ORGANIZATION,
                "EMANET_RUNTIME_KDF_ITERATIONS": "1",
                "EMANET_RUNTIME_KDF_MEMORY_KIB": "64",
                "EMANET_RUNTIME_MAX_DEADLINE_SECONDS": "3",
            }
        )
        self.workspace = Workspace(var)

    def acting(self, who: str, *arguments: object, stdin: bytes = b"") -> Answer:
        """Runs a command with the token of somebody who has just logged in."""
        person, group = PEOPLE[who]
        token = self("dev", "token", "--person", person, "--group", group).out.strip()
        return self(*arguments, stdin=stdin, EMANET_TOKEN=token)


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The services, up once."""
    shell = Shell(tmp_path_factory.mktemp("installation") / "var")
    started = shell("up", "--detach", "--organization", ORGANIZATION, "--installation", "test")
    assert started.status == 0, started.err
    yield shell
    stop_all(shell.workspace)


@pytest.fixture(scope="session")
def operating(shell: Shell) -> Shell:
    """The services with an approved register and active rules, typed command by command."""
    register, rules = AGENCY / "register.yaml", AGENCY / "need_to_know.yaml"
    assert shell.acting("dpo", "inventory", "apply", register).status == 0
    submitted = shell.acting("dpo", "inventory", "submit", "--json").json
    approved = shell.acting(
        "approver", "inventory", "approve", submitted["number"], "--digest", submitted["digest"]
    )
    assert approved.status == 0, approved.err
    applied = shell.acting("security", "rules", "apply", rules, "--json")
    assert applied.status == 0, applied.err
    activated = shell.acting("approver", "rules", "activate", 1, "--digest", applied.json["digest"])
    assert activated.status == 0, activated.err
    return shell
