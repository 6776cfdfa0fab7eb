"""Development identities: certificates, issuer, principals.yaml, tokens."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from cryptography import x509
from joserfc import jwt
from joserfc.jwk import KeySet

from emanet.cli.devcerts import ensure_certificates
from emanet.cli.principals_file import ensure_principals, missing_from
from emanet.cli.workspace import SERVICES, Workspace
from services.runtime.authorisation import Duty
from services.runtime.principals import load_principals
from services.runtime.settings import Mode
from tests.fakes.command_line import CommandLine


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "var")


@pytest.fixture
def emanet(workspace: Workspace) -> CommandLine:
    return CommandLine({"EMANET_VAR_DIR": str(workspace.var)})


def test_every_identity_gets_one_spiffe_uri(emanet: CommandLine, workspace: Workspace) -> None:
    """Services and applications are told apart by path, keys are for their owner alone."""
    answer = emanet("dev", "certs", "--organization", "degirmen", "--app", "crm", "--json")
    assert answer.status == 0
    assert {*SERVICES, "cli", "panel", "crm"} <= set(answer.json["certificates"])
    for name, path in (("crypto", "service/crypto"), ("crm", "app/crm")):
        certificate = x509.load_pem_x509_certificate((workspace.certs / f"{name}.pem").read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        assert uris == [f"spiffe://dev.emanet.invalid/{path}"]
        assert (workspace.certs / f"{name}.key").stat().st_mode & 0o777 == 0o600
    assert workspace.issuer_key.stat().st_mode & 0o777 == 0o600


def test_certificates_are_renewed_in_their_last_third_only(workspace: Workspace) -> None:
    """What is fresh is kept; what will end soon is made anew by the same authority."""
    now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    assert "cli" in ensure_certificates(workspace, applications=("cli",), now=now)
    later = now + dt.timedelta(days=15)
    assert ensure_certificates(workspace, applications=("cli",), now=later) == ()
    authority = (workspace.certs / "ca.pem").read_bytes()
    last = now + dt.timedelta(days=25)
    assert "cli" in ensure_certificates(workspace, applications=("cli",), now=last)
    assert (workspace.certs / "ca.pem").read_bytes() == authority


def test_starter_principals_are_what_services_read(
    emanet: CommandLine, workspace: Workspace
) -> None:
    """The starter file is accepted by the servers' own reader, with every duty filled."""
    emanet("dev", "certs", "--organization", "degirmen")
    principals, _ = load_principals(workspace.principals, mode=Mode.DEV, generation=1)
    assert principals.application("helpdesk").owns_cases == {"ticket"}
    assert principals.application("cli").token_client == "emanet-cli"
    assert set(principals.duties["degirmen"]) == set(Duty)
    assert len(principals.persons) >= 3


def test_edited_principals_are_never_touched(emanet: CommandLine, workspace: Workspace) -> None:
    """One changed character makes the file the operator's own; what it lacks is told."""
    emanet("dev", "certs", "--organization", "degirmen")
    edited = workspace.principals.read_text("utf-8") + "# ours\n"
    workspace.principals.write_text(edited, "utf-8")
    answer = emanet("dev", "certs", "--organization", "hosting")
    assert answer.status == 0
    assert workspace.principals.read_text("utf-8") == edited
    assert "gives organization hosting to no application" in answer.err


def test_unedited_principals_learn_of_further_organizations(workspace: Workspace) -> None:
    """A file that nobody changed grows with the installation."""
    assert ensure_principals(workspace, organizations=["degirmen"])
    assert not ensure_principals(workspace, organizations=["degirmen"])
    assert ensure_principals(workspace, organizations=["hosting"])
    assert missing_from(workspace, ["degirmen", "hosting"]) == ()


def test_token_is_what_a_log_in_server_would_give(
    emanet: CommandLine, workspace: Workspace
) -> None:
    """Signed by the key in jwks.json, for this installation, client, person and groups."""
    emanet("dev", "certs", "--organization", "degirmen")
    answer = emanet(
        "dev", "token", "--person", "s-002", "--group", "group:yonetim", "--installation", "demo"
    )
    keys = KeySet.import_key_set(json.loads(workspace.jwks.read_text()))
    claims = jwt.decode(answer.out.strip(), keys, algorithms=["Ed25519"]).claims
    assert claims["aud"] == "emanet:demo"
    assert (claims["azp"], claims["sub"]) == ("emanet-cli", "s-002")
    assert claims["groups"] == ["yonetim"]
    assert claims["exp"] - claims["iat"] == 900


@pytest.mark.parametrize(
    "arguments", [("--person", "s-999"), ("--person", "s-001", "--client", "nobody")]
)
def test_token_of_nobody_is_refused(emanet: CommandLine, arguments: tuple[str, ...]) -> None:
    """Persons and clients come from principals.yaml alone."""
    emanet("dev", "certs", "--organization", "degirmen")
    answer = emanet("dev", "token", *arguments)
    assert answer.status == 1
    assert arguments[-1] in answer.err
