"""Who is not who they must be: wrong tokens and certificates at each of the three real services."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from emanet.api.access_audit.v1 import access_audit_pb2, access_audit_pb2_grpc
from emanet.api.crypto.v1 import crypto_pb2, crypto_pb2_grpc
from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from emanet.cli.devtokens import ensure_issuer
from emanet.cli.workspace import Workspace
from emanet.client.admin import Admin
from emanet.client.channel import Credentials, open_channel
from emanet.client.status import error_from_rpc
from emanet.core.errors import EmanetError, Reason
from tests.e2e.acting import (
    TICKET,
    TIMEOUT_S,
    app,
    principals,
    support,
    token,
    token_id,
)
from tests.e2e.installation import ORGANIZATION, Local, Template, until
from tests.fakes.certificates import CertificateAuthority

EMAIL = "customer.email"
INFO: dict[str, tuple[Any, Any]] = {
    "inventory": (inventory_pb2_grpc.InventoryServiceStub, inventory_pb2.GetServiceInfoRequest),
    "access_audit": (
        access_audit_pb2_grpc.AccessAuditServiceStub,
        access_audit_pb2.GetServiceInfoRequest,
    ),
    "crypto": (crypto_pb2_grpc.CryptoServiceStub, crypto_pb2.GetServiceInfoRequest),
}


def everywhere(local: Local, staff: str, envelope: bytes) -> dict[str, Reason | None]:
    """Why a member of staff is refused, None where not: opening, recording, and reading the draft."""
    panel = app(local)
    dpo = Admin(
        organization=ORGANIZATION,
        endpoints=local.endpoints,
        credentials=local.credentials("cli"),
        staff_token=staff,
    )
    local.closing.callback(dpo.close)
    with panel.reading(purpose="support", staff_token=staff, case=TICKET):
        return {
            "crypto": _reason(lambda: panel.decrypt(EMAIL, envelope)),
            "access_audit": _reason(
                lambda: panel.record_read(fields=["customer.fax"], subjects=["customers/1"])
            ),
            "inventory": _reason(dpo.inventory.draft),
        }


def _reason(call: Callable[[], object]) -> Reason | None:
    try:
        call()
    except EmanetError as refused:
        return refused.reason
    return None


def test_tokens_that_are_not_good_open_nothing(
    shared: Local, sqlite_template: Template, tmp_path: Any
) -> None:
    """Expired, of a foreign issuer, for another installation, too long-lived, changed, unsigned."""
    envelope = sqlite_template.sealed[EMAIL]
    foreign = replace(shared, spec=replace(shared.spec, workspace=Workspace(tmp_path)))
    ensure_issuer(foreign.workspace)
    good = support(shared)
    head, body, signature = good.split(".")
    hour = dt.timedelta(hours=1)
    bad = {
        "expired": support(shared, now=dt.datetime.now(dt.UTC) - hour),
        "from the future": support(shared, now=dt.datetime.now(dt.UTC) + hour),
        "foreign issuer's key": support(foreign),
        "another installation": support(shared, installation="elsewhere"),
        "too long": support(shared, lifetime=hour),
        "changed": f"{head}.{body[:-4]}AAAA.{signature}",
        "unsigned": f"{head}.{body}.",
        "account of nobody": token(shared, "s-999", "destek"),
        "no token": "x",
    }
    for what, staff in bad.items():
        for service, reason in everywhere(shared, staff, envelope).items():
            assert reason in {
                Reason.TOKEN_INVALID,
                Reason.TOKEN_EXPIRED,
                Reason.PRINCIPAL_UNKNOWN,
            }, f"{what} at {service}"


def test_a_revoked_token_is_refused_when_it_is_replayed(
    shared: Local, sqlite_template: Template
) -> None:
    """A token that has just opened a value opens nothing once its id is revoked; another does."""
    panel, staff = app(shared), support(shared)
    envelope = sqlite_template.sealed[EMAIL]
    with panel.reading(purpose="support", staff_token=staff, case=TICKET):
        assert panel.decrypt(EMAIL, envelope)
        with revoked(shared, tokens=[token_id(staff)]):
            revoked_ = {Reason.PRINCIPAL_REVOKED}
            until(
                lambda: set(everywhere(shared, staff, envelope).values()) == revoked_,
                what="the revocation everywhere",
            )
    with panel.reading(purpose="support", staff_token=support(shared), case=TICKET):
        assert panel.decrypt(EMAIL, envelope)


@contextmanager
def revoked(local: Local, **lists: Sequence[str]) -> Iterator[None]:
    """Revokes for a while."""
    local.workspace.principals.write_text(principals(**lists), encoding="utf-8")
    try:
        yield
    finally:
        local.workspace.principals.write_text(principals(), encoding="utf-8")


def certificate(local: Local, *, uris: Sequence[str] = (), dns: Sequence[str] = ()) -> Credentials:
    """A certificate of the installation's own authority with any names in it."""
    ca = x509.load_pem_x509_certificate((local.workspace.certs / "ca.pem").read_bytes())
    signer = serialization.load_pem_private_key(
        local.workspace.authority_key.read_bytes(), password=None
    )
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    moment = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
    names += [x509.DNSName(name) for name in dns]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "panel")]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - dt.timedelta(minutes=5))
        .not_valid_after(moment + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return Credentials(
        ca=(local.workspace.certs / "ca.pem").read_bytes(),
        certificate=made.public_bytes(serialization.Encoding.PEM),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def answered(local: Local, service: str, credentials: Credentials) -> Reason | None:
    """Why a certificate is refused by a service; None when it is let in."""
    make, request = INFO[service]
    with open_channel(f"127.0.0.1:{local.ports[service]}", credentials) as channel:
        try:
            make(channel).GetServiceInfo(request(organization=ORGANIZATION), timeout=TIMEOUT_S)
        except grpc.RpcError as failure:
            return error_from_rpc(failure).reason
    return None


PANEL = "spiffe://dev.emanet.invalid/app/panel"


def test_only_the_one_spiffe_uri_is_an_identity(shared: Local) -> None:
    """A DNS name that looks like a URI, two URIs, another trust domain, another path: nobody."""
    assert answered(shared, "crypto", certificate(shared, uris=[PANEL])) is None
    bad = (
        certificate(shared, dns=[PANEL, "localhost"]),
        certificate(shared, dns=["localhost"]),
        certificate(shared, uris=[PANEL, "spiffe://dev.emanet.invalid/app/cli"]),
        certificate(shared, uris=["spiffe://elsewhere.example/app/panel"]),
        certificate(shared, uris=["spiffe://dev.emanet.invalid/user/panel"]),
        certificate(shared, uris=["https://dev.emanet.invalid/app/panel"]),
        certificate(shared, uris=["spiffe://dev.emanet.invalid/app/stranger"]),
    )
    for service in INFO:
        for credentials in bad:
            assert answered(shared, service, credentials) in {
                Reason.IDENTITY_MISSING,
                Reason.PRINCIPAL_UNKNOWN,
            }


def test_a_certificate_of_another_authority_does_not_connect(shared: Local) -> None:
    """The same names under a foreign root: no connection at any service."""
    issued = CertificateAuthority().issue(uris=[PANEL])
    good = shared.credentials("panel")
    stranger = Credentials(ca=good.ca, certificate=issued.cert_pem, key=issued.key_pem)
    for service in INFO:
        assert answered(shared, service, stranger) is Reason.SERVICE_UNAVAILABLE


def test_an_application_cannot_pose_as_crypto(shared: Local) -> None:
    """What crypto alone may do is bound to its own certificate, not to a name in a request."""
    stolen = certificate(shared, dns=["spiffe://dev.emanet.invalid/service/crypto"])
    assert answered(shared, "access_audit", stolen) is Reason.IDENTITY_MISSING


def test_a_revoked_certificate_and_person_are_refused_everywhere(
    shared: Local, sqlite_template: Template
) -> None:
    """Within seconds of the file's change, at each service, on connections that are already open."""
    good = shared.credentials("erp")
    loaded = x509.load_pem_x509_certificate(good.certificate)
    fingerprint = loaded.fingerprint(hashes.SHA256()).hex()
    for service in INFO:
        assert answered(shared, service, good) is None
    staff = support(shared, "s-204")
    with revoked(shared, certificates=[fingerprint], persons=["s-204"]):
        for service in INFO:
            until(
                lambda service=service: answered(shared, service, good) is Reason.PRINCIPAL_REVOKED,
                what=f"the revocation at {service}",
            )
        told = {"crypto": Reason.PRINCIPAL_REVOKED, "access_audit": Reason.PRINCIPAL_REVOKED}
        envelope = sqlite_template.sealed[EMAIL]
        until(
            lambda: told.items() <= everywhere(shared, staff, envelope).items(), what="the person's"
        )
    for service in INFO:
        until(lambda service=service: answered(shared, service, good) is None, what="the end of it")
