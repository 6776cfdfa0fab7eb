"""Pseudonyms of subjects and staff in the log (docs/formats/leaf.md, "Pseudonyms").

A token is a commitment: with salt and reference anyone can check whose it is; without the salt a
token says nothing about the reference, and once the row that holds the salt is gone nobody can link
it. HMAC and AES-256-GCM-SIV over the messages built here are the caller's part.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from emanet.core.encoding import b64url_encode, lp, read_lp, u64
from emanet.core.errors import EmanetError, Reason, error

__all__ = [
    "SALT_BYTES",
    "STAFF_NAMESPACE",
    "TOKEN_CHARACTERS",
    "lookup_message",
    "parse_row_plaintext",
    "row_aad",
    "row_plaintext",
    "token",
    "verify_token",
]

SALT_BYTES = 32
TOKEN_CHARACTERS = 32
STAFF_NAMESPACE = "staff"

_TOKEN_BYTES = 24


def token(salt: bytes, organization: str, namespace: str, ref: str) -> str:
    """The 32-character pseudonym of a reference.

    base64url of the first 24 bytes of SHA-256(LP("emanet/token/v1") ‖ salt(32) ‖ LP(organization) ‖
    LP(namespace) ‖ LP(ref)).

    Raises:
        IntegrityError: PSEUDONYM_CORRUPT when the salt is not 32 bytes long.
    """
    if len(salt) != SALT_BYTES:
        raise _corrupt()
    message = (
        lp(b"emanet/token/v1") + salt + lp(organization.encode(), namespace.encode(), ref.encode())
    )
    return b64url_encode(hashlib.sha256(message).digest()[:_TOKEN_BYTES])


def verify_token(
    expected: str, *, salt: bytes, organization: str, namespace: str, ref: str
) -> None:
    """Raises unless `expected` is the token of the reference under that salt.

    Raises:
        IntegrityError: PSEUDONYM_CORRUPT when it is another one's token.
    """
    actual = token(salt, organization, namespace, ref)
    if not hmac.compare_digest(actual.encode(), expected.encode()):
        raise _corrupt()


def lookup_message(organization: str, namespace: str, ref: str) -> bytes:
    """What HMAC-SHA256 under the pseudonym key is taken of to find a row.

    LP("emanet/token-lookup/v1") ‖ LP(organization) ‖ LP(namespace) ‖ LP(ref).
    """
    return _lookup_head(organization, namespace) + lp(ref.encode())


@lru_cache(maxsize=1_024)
def _lookup_head(organization: str, namespace: str) -> bytes:
    return lp(b"emanet/token-lookup/v1", organization.encode(), namespace.encode())


def row_aad(*, organization: str, namespace: str, lookup: bytes, token: str, epoch: int) -> bytes:
    """The associated data of a wrapped pseudonym row.

    LP("emanet/token-row/v1") ‖ LP(organization) ‖ LP(namespace) ‖ LP(lookup, 32 bytes) ‖
    LP(token, its 32 ASCII characters) ‖ LP(epoch, 8 bytes big-endian).
    """
    return lp(
        b"emanet/token-row/v1",
        organization.encode(),
        namespace.encode(),
        lookup,
        token.encode(),
        u64(epoch),
    )


def row_plaintext(*, salt: bytes, ref: str) -> bytes:
    """What is wrapped: salt(32) ‖ LP(ref).

    Raises:
        IntegrityError: PSEUDONYM_CORRUPT when the salt is not 32 bytes long.
    """
    if len(salt) != SALT_BYTES:
        raise _corrupt()
    return salt + lp(ref.encode())


def parse_row_plaintext(data: bytes) -> tuple[bytes, str]:
    """Salt and reference of `row_plaintext`.

    Raises:
        IntegrityError: PSEUDONYM_CORRUPT for any other bytes.
    """
    try:
        (ref,) = read_lp(data[SALT_BYTES:], 1)
        return data[:SALT_BYTES], ref.decode("utf-8")
    except (EmanetError, UnicodeDecodeError):
        raise _corrupt() from None


def _corrupt() -> EmanetError:
    return error(Reason.PSEUDONYM_CORRUPT)
