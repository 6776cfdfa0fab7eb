"""`emanet dev certs|token`: identities for development, accepted on loopback alone."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from emanet.cli.binding import Command
from emanet.cli.local import DEFAULT_INSTALLATION, LocalRecord
from emanet.cli.session import Session
from emanet.cli.workspace import SERVICES

__all__ = ["COMMANDS"]


def certs(
    session: Session,
    organization: Annotated[list[str], typer.Option("--organization")] = [],  # noqa: B006 (read only)
    application: Annotated[list[str], typer.Option("--app")] = [],  # noqa: B006 (read only)
) -> int:
    """Makes certificates, the token issuer and a starter principals.yaml."""
    from emanet.cli.devcerts import ensure_certificates
    from emanet.cli.devtokens import ensure_issuer
    from emanet.cli.principals_file import APPLICATIONS, ensure_principals, missing_from
    from emanet.core.names import parse_organization, parse_slug

    workspace = session.workspace
    ids = [parse_organization(each) for each in organization]
    existing = {path.stem for path in workspace.certs.glob("*.key")} - set(SERVICES)
    names = {*APPLICATIONS, *existing, *(parse_slug(each) for each in application)}
    made = ensure_certificates(workspace, applications=names, now=dt.datetime.now(dt.UTC))
    ensure_issuer(workspace)
    is_written = ensure_principals(workspace, organizations=ids)
    session.answer(
        {
            "certs_dir": str(workspace.certs),
            "certificates": list(made),
            "principals": str(workspace.principals),
            "principals_written": is_written,
        }
    )
    session.print(
        session.say("dev.certs", count=len(made), folder=workspace.certs),
        session.say("dev.written" if is_written else "dev.kept", file=workspace.principals),
    )
    for name in missing_from(workspace, ids):
        session.warn(session.say("up.unnamed", organization=name, file=workspace.principals))
    return 0


def token(
    session: Session,
    person: Annotated[str, typer.Option("--person")],
    group: Annotated[list[str], typer.Option("--group")] = [],  # noqa: B006 (read only)
    client: Annotated[str, typer.Option("--client")] = "cli",
    installation: Annotated[str, typer.Option("--installation")] = "",
) -> int:
    """Prints a staff token as of a log-in just now."""
    from emanet.cli.devtokens import MAX_LIFETIME, ensure_issuer, issue_token
    from emanet.cli.principals_file import account_of, token_client_of

    workspace = session.workspace
    record = LocalRecord.load(workspace)
    ensure_issuer(workspace)
    text = issue_token(
        workspace,
        account=account_of(workspace, person),
        groups=[each.removeprefix("group:") for each in group],
        client=token_client_of(workspace, client),
        installation=installation or (record.installation if record else DEFAULT_INSTALLATION),
        now=dt.datetime.now(dt.UTC),
    )
    session.answer({"token": text, "expires_in_s": int(MAX_LIFETIME.total_seconds())})
    session.print(text)
    return 0


COMMANDS = (Command("certs", certs), Command("token", token))
