"""The primitives answer what the published vectors say (read from the files of pyca)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cryptography_vectors
import pytest

from services.runtime.primitives import (
    Ed25519Signer,
    GcmSiv,
    HmacSha256,
    SealBrokenError,
    argon2id,
    ed25519_verify,
    hkdf_sha256,
    hmac_sha256,
)

ROOT = Path(cryptography_vectors.__file__).parent


def blocks(name: str) -> Iterator[dict[str, str]]:
    """The key-value blocks of a vector file; a block begins with COUNT or a blank line."""
    text = (ROOT / name).read_text("utf-8")
    for part in re.split(r"\n\s*\n(?=COUNT|#|Len|\n)", text):
        pairs = re.findall(r"^(\w+)\s*=\s*(\S*)\s*$", part, flags=re.MULTILINE)
        if pairs:
            yield dict(pairs)


def raw(block: dict[str, str], name: str) -> bytes:
    return bytes.fromhex(block.get(name, ""))


def test_gcm_siv_vectors() -> None:
    """RFC 8452, appendix C.2, as OpenSSL carries it; every tampered tag is refused."""
    seen = 0
    for block in blocks("ciphers/AES/GCM-SIV/openssl.txt"):
        if len(raw(block, "Key")) != 32:
            continue
        seen += 1
        cipher = GcmSiv(raw(block, "Key"))
        nonce, aad = raw(block, "IV"), raw(block, "AAD")
        sealed = raw(block, "Ciphertext") + raw(block, "Tag")
        assert cipher.seal(nonce, raw(block, "Plaintext"), aad) == sealed
        assert cipher.open(nonce, sealed, aad) == raw(block, "Plaintext")
        with pytest.raises(SealBrokenError):
            cipher.open(nonce, sealed[:-1] + bytes([sealed[-1] ^ 1]), aad)
        with pytest.raises(SealBrokenError):
            cipher.open(nonce, sealed, aad + b"x")
    assert seen >= 20


def test_empty_plaintext_is_sealed() -> None:
    cipher = GcmSiv(bytes(32))
    sealed = cipher.seal(bytes(12), b"", b"aad")
    assert len(sealed) == 16
    assert cipher.open(bytes(12), sealed, b"aad") == b""


def test_hkdf_vectors_with_the_empty_salt() -> None:
    """RFC 5869, appendix A.3."""
    seen = 0
    for block in blocks("KDF/rfc-5869-HKDF-SHA256.txt"):
        if block.get("salt") != "":
            continue
        seen += 1
        made = hkdf_sha256(raw(block, "IKM"), info=raw(block, "info"), length=int(block["L"]))
        assert made == raw(block, "OKM")
    assert seen == 1


def test_hmac_vectors() -> None:
    """RFC 4231."""
    seen = 0
    for block in blocks("HMAC/rfc-4231-sha256.txt"):
        if "MD" in block:
            seen += 1
            assert hmac_sha256(raw(block, "Key"), raw(block, "Msg")) == raw(block, "MD")
            ready = HmacSha256(raw(block, "Key"))
            assert {ready.tag(raw(block, "Msg")) for _ in range(2)} == {raw(block, "MD")}
    assert seen >= 4


def test_argon2id_vectors() -> None:
    """RFC 9106 parameters without secret and associated data, 32 bytes of output."""
    seen = 0
    for block in blocks("KDF/argon2id.txt"):
        if block.get("secret") or block.get("ad") or block.get("length") != "32":
            continue
        seen += 1
        made = argon2id(
            raw(block, "pass"),
            salt=raw(block, "salt"),
            iterations=int(block["iter"]),
            lanes=int(block["lanes"]),
            memory_kib=int(block["memcost"]),
        )
        assert made == raw(block, "output")
    assert seen >= 1


def test_ed25519_vectors() -> None:
    """The 1,024 signatures of the reference implementation (ed25519.cr.yp.to, sign.input)."""
    lines = (ROOT / "asymmetric/Ed25519/sign.input").read_text("ascii").splitlines()
    for line in lines[::16]:
        secret, public, message, signed = (bytes.fromhex(part) for part in line.split(":")[:4])
        signer = Ed25519Signer(secret[:32])
        assert signer.public_key == public
        assert signer.sign(message) + message == signed
        assert ed25519_verify(public, signed[:64], message)
        assert not ed25519_verify(public, signed[:64], message + b"x")
        assert not ed25519_verify(public, signed[:63], message)
        assert not ed25519_verify(public[:31], signed[:64], message)
