"""The gRPC edge of CryptoService: reads messages, calls one operation, writes messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import grpc
from google.rpc import status_pb2

from emanet import __version__
from emanet.api.crypto.v1 import crypto_pb2, crypto_pb2_grpc
from emanet.core.clock import Clock
from emanet.core.encoding import micros
from emanet.core.envelope import ValueType
from emanet.core.errors import EmanetError, Reason, error
from services.crypto.opening import OpenedValue, SealedItem
from services.crypto.operations.decrypt import DecryptOperation, ReadRequest
from services.crypto.operations.encrypt import EncryptOperation, PlainItem
from services.crypto.tenants import Tenants
from services.runtime import request as running
from services.runtime.errors import status_of
from services.runtime.settings import RuntimeSettings

__all__ = ["CryptoServicer"]

_SERVICE = "crypto"
_MAX_ITEMS = 1_000


class CryptoServicer(crypto_pb2_grpc.CryptoServiceServicer):
    """Serves `emanet.api.crypto.v1.CryptoService`."""

    def __init__(
        self,
        *,
        settings: RuntimeSettings,
        tenants: Tenants,
        encrypting: EncryptOperation,
        decrypting: DecryptOperation,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._tenants = tenants
        self._encrypting = encrypting
        self._decrypting = decrypting
        self._clock = clock

    async def GetServiceInfo(
        self,
        request: crypto_pb2.GetServiceInfoRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 (gRPC's signature)
    ) -> crypto_pb2.GetServiceInfoResponse:
        """Tells version, mode and installation, and how the organization stands here.

        An organization that is refused is told as what it is refused for.
        """
        answer = crypto_pb2.GetServiceInfoResponse(
            service=_SERVICE,
            version=__version__,
            mode=self._settings.mode.value,
            installation=self._settings.installation,
        )
        try:
            tenant = await self._tenants.require(request.organization)
        except EmanetError as failure:
            if failure.reason is Reason.ORGANIZATION_MISSING:
                return answer
            raise
        if tenant.log.fault:
            raise error(Reason.LOG_FORK)
        register = self._tenants.register(request.organization)
        answer.organization_known = True
        answer.register_number = register.number_in_effect(self._clock.now())
        answer.log_size = tenant.log.proven.size
        if register.contact is not None:
            answer.register_contact_time.FromMicroseconds(micros(register.contact))
        return answer

    async def Encrypt(
        self,
        request: crypto_pb2.EncryptRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 (gRPC's signature)
    ) -> crypto_pb2.EncryptResponse:
        """Encrypts values."""
        _require_batch(len(request.items))
        items = [_plain(index, item) for index, item in enumerate(request.items)]
        results = await self._encrypting.run(request.organization, items)
        response = crypto_pb2.EncryptResponse()
        add = response.results.add
        for result in results:
            _write_encrypted(add(), result)
        return response

    async def Decrypt(
        self, request: crypto_pb2.DecryptRequest, context: grpc.ServicerContext
    ) -> crypto_pb2.DecryptResponse:
        """Opens values after the access audit has allowed and durably recorded it."""
        _require_batch(len(request.items))
        call = running.current()
        answer = await self._decrypting.run(
            ReadRequest(
                organization=request.organization,
                context=request.context,
                action=request.action,
                items=[
                    SealedItem(item.field, item.envelope, item.record, item.subject)
                    for item in request.items
                ],
                application=call.caller.name,
                staff_token=call.staff_token,
                timeout_s=self._time_left_s(context),
            )
        )
        response = crypto_pb2.DecryptResponse(
            record=answer.record,
            receipt=answer.receipt,
            waiting_for_review=answer.waiting_for_review,
        )
        add = response.results.add
        for result in answer.results:
            _write_decrypted(add(), result)
        return response

    def _time_left_s(self, context: grpc.ServicerContext) -> float:
        left = cast("float | None", context.time_remaining())
        limit = self._settings.max_deadline_seconds
        return limit if left is None else min(left, limit)


def _require_batch(count: int) -> None:
    if count > _MAX_ITEMS:
        raise error(Reason.BATCH_TOO_LARGE, limit=str(_MAX_ITEMS))


def _plain(index: int, item: crypto_pb2.EncryptItem) -> PlainItem:
    start = _moment(index, item) if item.HasField("start_time") else None
    value = item.value
    if text := value.text:
        data, value_type = text.encode(), ValueType.TEXT
    elif value.HasField("data"):
        data, value_type = value.data, ValueType.BYTES
    elif value.HasField("text"):
        data, value_type = b"", ValueType.TEXT
    else:
        raise _invalid(f"items[{index}].value", "a value is text or data")
    return PlainItem(item.field, item.subject, item.record, data, value_type, start)


def _moment(index: int, item: crypto_pb2.EncryptItem) -> datetime:
    try:
        return item.start_time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _invalid(f"items[{index}].start_time", "out of range") from None


def _write_encrypted(target: crypto_pb2.EncryptResult, result: bytes | EmanetError) -> None:
    if isinstance(result, EmanetError):
        target.status.CopyFrom(_status(result))
    else:
        target.envelope = result


def _write_decrypted(target: crypto_pb2.DecryptResult, result: OpenedValue | EmanetError) -> None:
    if isinstance(result, EmanetError):
        target.status.CopyFrom(_status(result))
    elif result.value_type is ValueType.TEXT:
        target.value.text = result.value.decode()
    else:
        target.value.data = result.value


def _status(failure: EmanetError) -> status_pb2.Status:
    return status_of(failure, service=_SERVICE, language=running.current().language)


def _invalid(field: str, problem: str) -> EmanetError:
    return error(Reason.INVALID_FIELD, violations=((field, problem),))
