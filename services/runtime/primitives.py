"""Cryptographic primitives: thin, typed names over pyca/cryptography, nothing hand-written.

This is the servers' only importer of `cryptography.hazmat`. Keys are raw bytes of the stated
length. Failures to open are one indistinguishable `SealBrokenError`; the caller answers with the
reason of its own resource.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = [
    "KEY_BYTES",
    "NONCE_BYTES",
    "TAG_BYTES",
    "Ed25519Signer",
    "GcmSiv",
    "HmacSha256",
    "SealBrokenError",
    "argon2id",
    "ed25519_verify",
    "hkdf_sha256",
    "hmac_sha256",
    "is_equal",
    "random_bytes",
    "sha256",
]

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16

_SHA256 = hashes.SHA256()
"""Names the algorithm and holds no state."""


class SealBrokenError(Exception):
    """The sealed bytes, their key or their associated data are not what they were."""


def random_bytes(count: int) -> bytes:
    """Returns `count` bytes of the operating system's generator; safe across forks."""
    return os.urandom(count)


def sha256(data: bytes) -> bytes:
    """Returns the 32-byte SHA-256 digest (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """Returns the 32-byte HMAC-SHA256 (RFC 2104)."""
    # hmac.digest would give up the interpreter lock for every message, however short.
    return hmac.new(key, message, "sha256").digest()


class HmacSha256:
    """HMAC-SHA256 under one key (RFC 2104), made ready once: a quarter of the cost a message.

    Safe for use from several threads.
    """

    __slots__ = ("_ready",)

    def __init__(self, key: bytes) -> None:
        self._ready = HMAC(key, _SHA256)

    def __repr__(self) -> str:
        return "HmacSha256(...)"

    def tag(self, message: bytes) -> bytes:
        """Returns the 32-byte tag."""
        mac = self._ready.copy()
        mac.update(message)
        return mac.finalize()


def is_equal(left: bytes, right: bytes) -> bool:
    """Compares two byte strings in a time that depends on their lengths alone."""
    return hmac.compare_digest(left, right)


def hkdf_sha256(ikm: bytes, *, info: bytes, length: int = KEY_BYTES) -> bytes:
    """Derives `length` bytes with HKDF-SHA256 and the empty salt, 32 zero bytes (RFC 5869)."""
    return HKDF(algorithm=_SHA256, length=length, salt=None, info=info).derive(ikm)


def argon2id(
    passphrase: bytes, *, salt: bytes, iterations: int, lanes: int, memory_kib: int
) -> bytes:
    """Derives a 32-byte key with Argon2id v1.3 (RFC 9106); costs `memory_kib` KiB and time."""
    return Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=iterations,
        lanes=lanes,
        memory_cost=memory_kib,
    ).derive(passphrase)


class GcmSiv:
    """AES-256-GCM-SIV under one key (RFC 8452).

    Authenticates `aad`, does not hide it. A repeated nonce reveals only whether two plaintexts
    with the same aad are equal. Safe for use from several threads.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("an AES-256-GCM-SIV key has 32 bytes")
        self._cipher = AESGCMSIV(key)

    def __repr__(self) -> str:
        return "GcmSiv(...)"

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Returns ciphertext ‖ tag(16); the nonce has 12 bytes and is not included."""
        return self._cipher.encrypt(nonce, plaintext, aad)

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Returns the plaintext.

        Raises:
            SealBrokenError: key, nonce, sealed bytes or aad differ from those of `seal`.
        """
        try:
            return self._cipher.decrypt(nonce, sealed, aad)
        except (InvalidTag, ValueError):
            raise SealBrokenError from None


class Ed25519Signer:
    """An Ed25519 key made from its 32-byte seed (RFC 8032); `repr` shows nothing of it."""

    __slots__ = ("_key", "public_key")

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key: bytes = self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )

    def __repr__(self) -> str:
        return "Ed25519Signer(...)"

    def sign(self, message: bytes) -> bytes:
        """Returns the 64-byte signature; the same message has always the same signature."""
        return self._key.sign(message)


def ed25519_verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Tells whether the signature is the key's over the message; malformed input is a no."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
