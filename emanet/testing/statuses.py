"""Writes errors as the services do: google.rpc.Status, what `emanet.client.status` reads back."""

from __future__ import annotations

from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2

from emanet.core.errors import EmanetError

__all__ = ["status_of"]


def status_of(failure: EmanetError, *, service: str) -> status_pb2.Status:
    """The status of one item of a batch answer.

    Args:
        failure: why the item failed.
        service: short name of the service (`crypto`).
    """
    info = error_details_pb2.ErrorInfo(
        reason=failure.reason.value, domain=f"{service}.emanet", metadata=failure.metadata
    )
    request = error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
            for field, description in failure.violations
        ]
    )
    status = status_pb2.Status(code=failure.code.value, message=failure.message_en)
    for detail in (info, request):
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status
