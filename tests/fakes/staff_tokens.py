"""An identity provider for tests: keys, JWK set and staff tokens with any claim changed."""

from __future__ import annotations

import json
import secrets
import time
from functools import cache
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

ISSUER = "https://login.dev.emanet.invalid"


@cache
def shared_issuer() -> TokenIssuer:
    """Returns one issuer for the whole test process: an RSA key takes its time."""
    return TokenIssuer()


class TokenIssuer:
    """Signs tokens with one key of each accepted kind; `Ed25519` by default."""

    def __init__(self, iss: str = ISSUER) -> None:
        self.iss = iss
        self._keys = {
            "RS256": RSAKey.generate_key(2048, {"kid": "rsa"}),
            "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
            "Ed25519": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
        }

    def write_jwks(self, path: Path) -> None:
        """Writes the public keys."""
        keys = KeySet(list(self._keys.values())).as_dict(private=False)
        path.write_text(json.dumps(keys), encoding="utf-8")

    def claims(self, sub: str, **changes: Any) -> dict[str, Any]:
        """Returns good claims, changed; a None removes a claim."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.iss,
            "sub": sub,
            "aud": "emanet:test",
            "azp": "panel",
            "jti": secrets.token_hex(8),
            "sid": "session-1",
            "iat": now,
            "exp": now + 600,
            "auth_time": now,
            "groups": ["destek"],
        }
        claims |= changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, sub: str, *, algorithm: str = "Ed25519", **changes: Any) -> str:
        """Signs a token for an account."""
        return self.sign(self.claims(sub, **changes), algorithm=algorithm)

    def sign(self, claims: dict[str, Any], *, algorithm: str = "Ed25519") -> str:
        """Signs any claims."""
        key = self._keys[algorithm]
        header = {"alg": algorithm, "kid": key.kid, "typ": "JWT"}
        return jwt.encode(header, claims, key, algorithms=[algorithm])
