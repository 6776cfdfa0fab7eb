"""A development token issuer: the staff tokens that a real log-in server would give.

Accepted only where `principals.yaml` names its issuer and key, which services allow in mode `dev`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import uuid
from collections.abc import Sequence

from joserfc import jwt
from joserfc.jwk import OKPKey

from emanet.cli.workspace import DEV_ISSUER, Workspace

__all__ = ["MAX_LIFETIME", "ensure_issuer", "issue_token"]

MAX_LIFETIME = dt.timedelta(minutes=15)
"""Longest life of a staff token that services accept."""


def ensure_issuer(workspace: Workspace) -> None:
    """Makes the issuer's key pair and its JWKS file when they are missing."""
    if workspace.issuer_key.exists() and workspace.jwks.exists():
        return
    workspace.issuer_key.parent.mkdir(parents=True, exist_ok=True)
    key = OKPKey.generate_key("Ed25519", {"kid": f"dev-{uuid.uuid4().hex[:8]}", "use": "sig"})
    handle = os.open(workspace.issuer_key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(key.as_dict(private=True), file)
    public = {"keys": [key.as_dict(private=False)]}
    workspace.jwks.write_text(json.dumps(public, indent=2), encoding="utf-8")


def issue_token(
    workspace: Workspace,
    *,
    account: str,
    groups: Sequence[str],
    client: str,
    installation: str,
    now: dt.datetime,
    lifetime: dt.timedelta = MAX_LIFETIME,
) -> str:
    """Signs a staff token as of a log-in just now.

    Args:
        workspace: whose issuer signs.
        account: the `sub`; `principals.yaml` maps it to a person.
        groups: the groups claim, without the `group:` prefix.
        client: the `azp`: `token_client` of the application that will present it.
        installation: the audience is `emanet:<installation>`.
        now: aware UTC time; also the log-in's time.
        lifetime: at most 15 minutes.

    Returns:
        A compact JWS (RFC 7515) with Ed25519 (RFC 9864).
    """
    key = OKPKey.import_key(json.loads(workspace.issuer_key.read_text(encoding="utf-8")))
    seconds = int(now.timestamp())
    claims = {
        "iss": DEV_ISSUER,
        "sub": account,
        "aud": f"emanet:{installation}",
        "azp": client,
        "groups": list(groups),
        "iat": seconds,
        "nbf": seconds,
        "auth_time": seconds,
        "exp": seconds + int(lifetime.total_seconds()),
        "jti": uuid.uuid4().hex,
        "sid": uuid.uuid4().hex[:12],
    }
    header = {"alg": "Ed25519", "kid": key.kid, "typ": "JWT"}
    return jwt.encode(header, claims, key, algorithms=["Ed25519"])
