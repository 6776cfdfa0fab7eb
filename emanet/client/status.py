"""Reads google.rpc.Status back into the error tree: the client's half of the error model.

A service answers an error with one Status whose ErrorInfo carries the reason and its metadata.
Whatever arrives without that, from a proxy, a broken connection or an older server, becomes the
narrowest reason that its gRPC code allows, so that callers handle one tree and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import grpc
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from emanet.core.errors import EmanetError, Reason, error

__all__ = ["error_from_rpc", "error_from_status"]

_DETAILS_KEY = "grpc-status-details-bin"
_DOMAIN_SUFFIX = ".emanet"
_UNKNOWN_SERVICE = "emanet"
_NO_PLACEHOLDER = frozenset({"reason", "violations"})
"""Names of the constructor's own parameters; no text of the catalogue uses them."""


# A code without a reason says less than a reason, so each gets the broadest one of its branch.
_FALLBACK: Mapping[int, Reason] = MappingProxyType(
    {
        code_pb2.CANCELLED: Reason.DEADLINE_EXCEEDED,
        code_pb2.INVALID_ARGUMENT: Reason.INVALID_FIELD,
        code_pb2.OUT_OF_RANGE: Reason.INVALID_FIELD,
        code_pb2.DEADLINE_EXCEEDED: Reason.DEADLINE_EXCEEDED,
        code_pb2.NOT_FOUND: Reason.RESOURCE_NOT_FOUND,
        code_pb2.PERMISSION_DENIED: Reason.RPC_NOT_ALLOWED,
        code_pb2.UNAUTHENTICATED: Reason.IDENTITY_MISSING,
        code_pb2.RESOURCE_EXHAUSTED: Reason.OVERLOADED,
        code_pb2.ABORTED: Reason.ETAG_MISMATCH,
        code_pb2.FAILED_PRECONDITION: Reason.VERSION_STATE,
        code_pb2.UNAVAILABLE: Reason.SERVICE_UNAVAILABLE,
    }
)


def error_from_rpc(failure: grpc.RpcError, *, service: str = _UNKNOWN_SERVICE) -> EmanetError:
    """Turns a failed call, synchronous or asynchronous, into one error of the tree.

    Args:
        failure: what the stub raised.
        service: short name of the service called (`crypto`), told when nothing answered.
    """
    code = _code_of(failure)
    status = _status_of(failure)
    if status is None or status.code != code:
        return _without_reason(code, service)
    return error_from_status(status, service=service)


def error_from_status(status: status_pb2.Status, *, service: str = _UNKNOWN_SERVICE) -> EmanetError:
    """Turns a status, also the per-item status of a batch answer, into one error of the tree.

    Args:
        status: a status whose code is not OK.
        service: short name of the service that answered.
    """
    try:
        info, request = _details_of(status)
    except DecodeError:
        return _without_reason(status.code, service)
    if not info.domain.endswith(_DOMAIN_SUFFIX) or info.reason not in Reason.__members__:
        return _without_reason(status.code, service)
    violations = tuple((item.field, item.description) for item in request.field_violations)
    metadata = {key: value for key, value in info.metadata.items() if key not in _NO_PLACEHOLDER}
    return error(Reason[info.reason], violations=violations, **metadata)


def _code_of(failure: grpc.RpcError) -> int:
    """The numeric code; INTERNAL when the error is not a finished call."""
    code = getattr(failure, "code", None)
    found = code() if callable(code) else None
    return int(found.value[0]) if isinstance(found, grpc.StatusCode) else code_pb2.INTERNAL


def _status_of(failure: grpc.RpcError) -> status_pb2.Status | None:
    trailing = getattr(failure, "trailing_metadata", None)
    metadata: Iterable[tuple[str, str | bytes]] = (trailing() if callable(trailing) else None) or ()
    for key, value in metadata:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                return None
    return None


def _details_of(
    status: status_pb2.Status,
) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        if not detail.Unpack(info):
            detail.Unpack(request)
    return info, request


def _without_reason(code: int, service: str) -> EmanetError:
    reason = _FALLBACK.get(code)
    match reason:
        case None:
            return error(Reason.INTERNAL_ERROR, error_id="-")
        case Reason.SERVICE_UNAVAILABLE:
            return error(reason, service=service)
        case _:
            return error(reason)
