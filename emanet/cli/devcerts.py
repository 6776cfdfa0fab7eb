"""A development certificate authority: short-lived certificates with one SPIFFE id each.

Only for trust domain `dev.emanet.invalid`, which services accept in mode `dev` on loopback alone.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from emanet.cli.workspace import DEV_TRUST_DOMAIN, SERVICES, Workspace

__all__ = ["ensure_certificates"]

_AUTHORITY_LIFETIME = dt.timedelta(days=365)
_LEAF_LIFETIME = dt.timedelta(days=30)
_BACKDATE = dt.timedelta(minutes=5)


def ensure_certificates(
    workspace: Workspace, *, applications: Iterable[str], now: dt.datetime
) -> tuple[str, ...]:
    """Makes the authority and every certificate that is missing or in its last third.

    Args:
        workspace: where they lie.
        applications: names of `/app/NAME` identities; the three services are always included.
        now: aware UTC time.

    Returns:
        The names of the certificates that were made.
    """
    workspace.certs.mkdir(parents=True, exist_ok=True)
    workspace.authority_key.parent.chmod(0o700)
    authority = _Authority.load_or_create(workspace, now=now)
    made = []
    identities = [(name, f"service/{name}") for name in SERVICES]
    identities += [(name, f"app/{name}") for name in sorted(set(applications))]
    for name, path in identities:
        if _is_fresh(workspace.certs / f"{name}.pem", now=now):
            continue
        authority.issue(name=name, spiffe_path=path, folder=workspace.certs, now=now)
        made.append(name)
    return tuple(made)


class _Authority:
    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    @classmethod
    def load_or_create(cls, workspace: Workspace, *, now: dt.datetime) -> _Authority:
        public = workspace.certs / "ca.pem"
        if public.exists() and workspace.authority_key.exists() and _is_fresh(public, now=now):
            key = serialization.load_pem_private_key(
                workspace.authority_key.read_bytes(), password=None
            )
            if isinstance(key, ec.EllipticCurvePrivateKey):
                return cls(x509.load_pem_x509_certificate(public.read_bytes()), key)
        for stale in workspace.certs.glob("*.pem"):
            stale.unlink()  # signed by an authority that is gone
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Emanet development authority")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATE)
            .not_valid_after(now + _AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        _write_private(workspace.authority_key, _pem(key))
        _write_public(public, certificate.public_bytes(serialization.Encoding.PEM))
        return cls(certificate, key)

    def issue(self, *, name: str, spiffe_path: str, folder: Path, now: dt.datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        spiffe_id = f"spiffe://{DEV_TRUST_DOMAIN}/{spiffe_path}"
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if spiffe_path.startswith("service/"):  # an application cannot pose as a service
            usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATE)
            .not_valid_after(now + _LEAF_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName(
                    [
                        x509.UniformResourceIdentifier(spiffe_id),
                        x509.DNSName("localhost"),
                        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                    ]
                ),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        _write_private(folder / f"{name}.key", _pem(key))
        _write_public(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM))


def _is_fresh(path: Path, *, now: dt.datetime) -> bool:
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return now < certificate.not_valid_after_utc - lifetime / 3


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_private(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    temporary.replace(path)


def _write_public(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)
