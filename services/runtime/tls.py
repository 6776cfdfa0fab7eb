"""Mutual TLS: a server asks every client for a certificate of the configured CA.

Certificate and key are read again when they change, so that renewal needs no restart; a pair that
does not parse leaves the last good one in use.
"""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog

from emanet.core.errors import EmanetError
from services.runtime.secrets import require_private
from services.runtime.settings import RuntimeSettings, configuration_problem

__all__ = ["server_credentials"]

_log = structlog.get_logger(__name__)


def server_credentials(settings: RuntimeSettings) -> grpc.ServerCredentials:
    """Returns credentials that require and verify a client certificate.

    Raises:
        StateError: CONFIG_INVALID, a file is missing or certificate and key do not fit;
            SECRET_UNUSABLE, others may read the key.
    """
    pair = _CertificateFiles(
        cert=settings.cert_file, key=settings.key_file, authority=settings.ca_file
    )
    return grpc.dynamic_ssl_server_credentials(
        pair.first,
        # grpc takes None as "no change"; its type stubs do not know that
        pair.changed,  # type: ignore[arg-type]
        require_client_authentication=True,
    )


@dataclass(frozen=True, slots=True)
class _Stamp:
    times: tuple[int, ...]
    sizes: tuple[int, ...]


class _CertificateFiles:
    """The three files; `changed` is called by gRPC at each handshake, on its own threads."""

    def __init__(self, *, cert: Path, key: Path, authority: Path) -> None:
        self._cert = cert
        self._key = key
        self._authority = authority
        self._mutex = threading.Lock()
        self._stamp = self._stamp_now()
        self.first = self._read()

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Returns a new configuration after a change, None without one."""
        with self._mutex:
            try:
                stamp = self._stamp_now()
                if stamp == self._stamp:
                    return None
                self._stamp = stamp
                fresh = self._read()
            except EmanetError as exc:
                _log.warning("certificate.refused", reason=exc.reason.value)
                return None
            _log.info("certificate.loaded")
            return fresh

    def _read(self) -> grpc.ServerCertificateConfiguration:
        require_private(self._key)
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._cert, self._key, password=_no_password)
            context.load_verify_locations(self._authority)
            return grpc.ssl_server_certificate_configuration(
                [(self._key.read_bytes(), self._cert.read_bytes())],
                root_certificates=self._authority.read_bytes(),
            )
        except (OSError, ValueError):
            raise configuration_problem(
                "certificate, key and CA files cannot be read or do not fit"
            ) from None

    def _stamp_now(self) -> _Stamp:
        try:
            found = [path.stat() for path in (self._cert, self._key, self._authority)]
        except OSError:
            raise configuration_problem("a certificate, key or CA file is missing") from None
        return _Stamp(
            times=tuple(item.st_mtime_ns for item in found),
            sizes=tuple(item.st_size for item in found),
        )


def _no_password() -> str:
    """Refuses encrypted keys instead of asking on the terminal."""
    return ""
