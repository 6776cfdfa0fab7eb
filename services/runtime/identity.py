"""The certificate principal of a connection: exactly one SPIFFE URI, from gRPC's own parser.

gRPC sets `peer_spiffe_id` only when the verified certificate has exactly one URI name and it is a
SPIFFE id. The list of subject alternative names that gRPC offers beside it is untyped (a DNS name
can look like a URI there) and is never read. Standard: SPIFFE X.509-SVID, sections 2 and 5.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from emanet.core.errors import EmanetError, Reason, error

__all__ = ["Peer", "peer_of"]

_PATH = re.compile(r"/(app|service)/([a-z][a-z0-9._-]{0,62})\Z")


@dataclass(frozen=True, slots=True)
class Peer:
    """Who the certificate says the caller is.

    Attributes:
        kind: `app` or `service`.
        name: the last segment of the path.
        spiffe_id: the whole URI.
        fingerprint: SHA-256 of the certificate's DER bytes, lower-case hex.
    """

    kind: str
    name: str
    spiffe_id: str
    fingerprint: str


def peer_of(auth_context: Mapping[str, Iterable[bytes]], trust_domain: str) -> Peer:
    """Reads the principal from gRPC's authentication context.

    Args:
        auth_context: of the servicer context.
        trust_domain: the one that is accepted, compared byte by byte.

    Raises:
        DeniedError: IDENTITY_MISSING: no TLS client certificate, none or several URI names,
            another trust domain, or a path that is neither `/app/NAME` nor `/service/NAME`.
    """
    spiffe_ids = tuple(auth_context.get("peer_spiffe_id", ()))
    certificates = tuple(auth_context.get("x509_pem_cert", ()))
    if len(spiffe_ids) != 1 or len(certificates) != 1:
        raise _missing(trust_domain)
    return _peer(spiffe_ids[0], certificates[0], trust_domain)


@lru_cache(maxsize=1024)
def _peer(uri: bytes, certificate: bytes, trust_domain: str) -> Peer:
    prefix = f"spiffe://{trust_domain}"
    try:
        spiffe_id = uri.decode("ascii")
        der = ssl.PEM_cert_to_DER_cert(certificate.decode("ascii"))
    except ValueError:
        raise _missing(trust_domain) from None
    match = _PATH.fullmatch(spiffe_id.removeprefix(prefix))
    if not spiffe_id.startswith(f"{prefix}/") or match is None:
        raise _missing(trust_domain)
    return Peer(
        kind=match.group(1),
        name=match.group(2),
        spiffe_id=spiffe_id,
        fingerprint=hashlib.sha256(der).hexdigest(),
    )


def _missing(trust_domain: str) -> EmanetError:
    return error(Reason.IDENTITY_MISSING, trust_domain=trust_domain)
