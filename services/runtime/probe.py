"""Asks a running server for its gRPC health, with the server's own certificate.

For container health checks: `python -m services.X health`. The certificate must name `localhost`.
"""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from emanet.core.errors import Reason, error
from services.runtime.settings import RuntimeSettings, configuration_problem

__all__ = ["require_serving"]

_TIMEOUT_S = 3.0
_ANY_ADDRESS = frozenset({"0.0.0.0", "[::]"})  # noqa: S104 (compared, not bound)


def require_serving(settings: RuntimeSettings, *, service: str) -> None:
    """Returns when the server that listens under these settings answers SERVING.

    Raises:
        UnavailableError: SERVICE_UNAVAILABLE, it does not answer, or answers NOT_SERVING.
        StateError: CONFIG_INVALID, a certificate file cannot be read, or the port is not fixed.
    """
    host, _, port = settings.listen.rpartition(":")
    if port == "0":
        raise configuration_problem("a health check needs a fixed port in EMANET_RUNTIME_LISTEN")
    target = f"{'127.0.0.1' if host in _ANY_ADDRESS else host}:{port}"
    try:
        credentials = grpc.ssl_channel_credentials(
            settings.ca_file.read_bytes(),
            settings.key_file.read_bytes(),
            settings.cert_file.read_bytes(),
        )
    except OSError:
        raise configuration_problem("a certificate file cannot be read") from None
    options = (("grpc.ssl_target_name_override", "localhost"),)
    with grpc.secure_channel(target, credentials, options=options) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=_TIMEOUT_S
            )
        except grpc.RpcError:
            raise error(Reason.SERVICE_UNAVAILABLE, service=service) from None
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise error(Reason.SERVICE_UNAVAILABLE, service=service)
