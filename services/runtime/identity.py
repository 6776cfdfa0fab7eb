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
    spiffe_id = _single(auth_context, "peer_spiffe_id", trust_domain)
    certificate = _single(auth_context, "x509_pem_cert", trust_domain)
    prefix = f"spiffe://{trust_domain}"
    match = _PATH.fullmatch(spiffe_id.removeprefix(prefix))
    if not spiffe_id.startswith(f"{prefix}/") or match is None:
        raise _missing(trust_domain)
    return Peer(
        kind=match.group(1),
        name=match.group(2),
        spiffe_id=spiffe_id,
        fingerprint=_fingerprint(certificate),
    )


def _single(auth_context: Mapping[str, Iterable[bytes]], key: str, trust_domain: str) -> str:
    values = tuple(auth_context.get(key, ()))
    if len(values) != 1:
        raise _missing(trust_domain)
    try:
        return values[0].decode("ascii")
    except UnicodeDecodeError:
        raise _missing(trust_domain) from None


def _missing(trust_domain: str) -> EmanetError:
    return error(Reason.IDENTITY_MISSING, trust_domain=trust_domain)


@lru_cache(maxsize=1024)
def _fingerprint(pem: str) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
