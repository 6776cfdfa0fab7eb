"""The public keys of an issuer of staff tokens, from a JWK set on disk."""

from __future__ import annotations

import json
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from services.runtime.settings import configuration_problem

__all__ = ["read_key_set", "read_operator_file"]

_MAX_BYTES = 4 * 1024 * 1024
_MIN_RSA_BITS = 2048


def read_key_set(path: Path) -> KeySet:
    """Reads public RSA (≥ 2048 bits), P-256 and Ed25519 keys (RFC 7517).

    Raises:
        StateError: CONFIG_INVALID, the file is no JWK set or holds any other key.
    """
    try:
        value = json.loads(read_operator_file(path))
        keys = KeySet.import_key_set(value)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise configuration_problem(f"{path.name} is not a JWK set") from None
    for key in keys.keys:
        if not _is_acceptable(key):
            raise configuration_problem(
                f"{path.name} holds a key that is not public RSA ≥ 2048, P-256 or Ed25519"
            )
    return keys


def read_operator_file(path: Path) -> str:
    """Reads a UTF-8 file of at most 4 MiB that the operator wrote.

    Raises:
        StateError: CONFIG_INVALID, it cannot be read.
    """
    try:
        data = path.read_bytes()
        if len(data) > _MAX_BYTES:
            raise configuration_problem(f"{path.name} is larger than 4 MiB")
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise configuration_problem(f"{path.name} cannot be read") from None


def _is_acceptable(key: object) -> bool:
    if isinstance(key, RSAKey):
        return not key.is_private and key.public_key.key_size >= _MIN_RSA_BITS
    if isinstance(key, ECKey):
        return not key.is_private and key.curve_name == "P-256"
    if isinstance(key, OKPKey):
        return not key.is_private and key.curve_name == "Ed25519"
    return False
