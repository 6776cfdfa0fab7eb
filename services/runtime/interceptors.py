"""The one interceptor: every RPC passes the same steps, in the order of API conventions.

    context (id, language) → certificate → in flight → row, staff token, tenancy, duty →
    deadline → REQUIRED fields → handler; errors are mapped outermost.

Health and reflection pass with any certificate of the CA. A method that the server does not have
is UNIMPLEMENTED, one without a row is refused. Handlers are `async def` with one request message:
unary, or an async generator of answers; other shapes are refused.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import NoReturn, TypeAlias, TypeVar, cast

import grpc
import structlog
from google.protobuf.message import Message
from grpc import aio
from structlog.contextvars import bind_contextvars

from emanet.core.errors import Code, EmanetError, Reason, error
from services.runtime.errors import (
    STATUS_METADATA_KEY,
    as_emanet_error,
    cause_of,
    grpc_code,
    language_of,
    status_of,
)
from services.runtime.gate import Gate
from services.runtime.primitives import random_bytes
from services.runtime.request import Caller, CallerKind, Request, enter_request
from services.runtime.required import require_fields
from services.runtime.settings import RuntimeSettings

__all__ = ["GateInterceptor"]

_OPEN_SERVICES = (
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
)
_WATCH_PREFIX = "Watch"
_SECURITY_CODES = frozenset({Code.UNAUTHENTICATED, Code.PERMISSION_DENIED, Code.DATA_LOSS})
_PROCESS_ID = random_bytes(8).hex()
"""First part of every request id: tells the requests of processes and restarts apart."""

_T = TypeVar("_T")
_Asked = TypeVar("_Asked")
_Answered = TypeVar("_Answered")
_log = structlog.get_logger(__name__)

# texts, because these classes take type arguments in the stubs only
_Context: TypeAlias = "aio.ServicerContext[Message, Message]"
_Handler: TypeAlias = "grpc.RpcMethodHandler[Message, Message]"
_Unary: TypeAlias = "Callable[[Message, _Context], Awaitable[Message]]"
_Stream: TypeAlias = "Callable[[Message, _Context], AsyncGenerator[Message, None]]"


class GateInterceptor(aio.ServerInterceptor):
    """Authenticates, authorises and validates each RPC, and maps its errors."""

    def __init__(self, *, service: str, settings: RuntimeSettings, gate: Gate) -> None:
        """Builds the interceptor of one server; `service` is its short name (`crypto`)."""
        self._service = service
        self._settings = settings
        self._gate = gate
        self._in_flight: Counter[str] = Counter()
        self._wrapped: dict[str, _Handler] = {}
        self._numbers = itertools.count(1)
        self._is_draining = False
        self._tasks: set[asyncio.Task[object]] = set()
        self._watches: set[asyncio.Timeout] = set()

    def drain(self) -> None:
        """Refuses new RPCs and ends every watch with NOT_READY: clients turn to a replica."""
        self._is_draining = True
        now = asyncio.get_running_loop().time()
        for watch in self._watches:
            watch.reschedule(now)

    async def wait_idle(self, limit_s: float) -> None:
        """Waits until no handler runs any more, cancelled ones included, or the limit passes."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=limit_s)

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails],
            Awaitable[grpc.RpcMethodHandler[_Asked, _Answered] | None],
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[_Asked, _Answered] | None:
        """Wraps the handler of a method once, and answers with the wrapped one ever after."""
        method: str = handler_call_details.method
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            handler = await continuation(handler_call_details)
            if handler is None or method.startswith(_OPEN_SERVICES):
                return handler
            wrapped = self._wrap(method.removeprefix("/"), cast("_Handler", handler))
            self._wrapped[method] = wrapped
        return cast("grpc.RpcMethodHandler[_Asked, _Answered]", wrapped)

    def _wrap(self, rpc: str, handler: _Handler) -> _Handler:
        if handler.request_streaming:
            raise error(Reason.RPC_NOT_ALLOWED, rpc=rpc)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._stream(rpc, cast("_Stream", handler.unary_stream)),
                request_deserializer=handler.request_deserializer,
                response_serializer=handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._unary(rpc, cast("_Unary", handler.unary_unary)),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _unary(self, rpc: str, behavior: _Unary) -> _Unary:
        async def handle(message: Message, context: _Context) -> Message:
            async def work() -> Message:
                return await behavior(message, context)

            return await self._guarded(
                work, rpc=rpc, message=message, context=context, is_watch=False
            )

        return handle

    def _stream(
        self, rpc: str, behavior: _Stream
    ) -> Callable[[Message, _Context], Awaitable[None]]:
        is_watch = rpc.rpartition("/")[2].startswith(_WATCH_PREFIX)

        async def handle(message: Message, context: _Context) -> None:
            async def work() -> None:
                async with aclosing(behavior(message, context)) as answers:
                    async for answer in answers:
                        if is_watch:
                            self._gate.identify(context.auth_context())
                        await context.write(answer)

            await self._guarded(work, rpc=rpc, message=message, context=context, is_watch=is_watch)

        return handle

    async def _guarded(
        self,
        work: Callable[[], Awaitable[_T]],
        *,
        rpc: str,
        message: Message,
        context: _Context,
        is_watch: bool,
    ) -> _T:
        """Runs `work` behind every step; each RPC is its own task, so nothing is unbound."""
        languages, authorization = _metadata_of(context)
        language = language_of(languages, self._settings.language)
        request_id = f"{_PROCESS_ID}-{next(self._numbers):x}"
        bind_contextvars(rpc=rpc, request_id=request_id)
        try:
            caller = self._gate.identify(context.auth_context())
            bind_contextvars(caller=caller.spiffe_id)
            # One watch for each organization is how a service follows registers.
            is_bounded = not (is_watch and caller.kind is CallerKind.SERVICE)
            with self._counted(caller, is_bounded=is_bounded):
                admission = self._gate.admit(
                    rpc=rpc,
                    caller=caller,
                    authorization=authorization,
                    message=message,
                )
                limit_s = None if is_watch else self._time_limit(context)
                require_fields(message)
                enter_request(
                    Request(
                        rpc=rpc,
                        request_id=request_id,
                        organization=admission.organization,
                        caller=caller,
                        staff=admission.staff,
                        staff_token=admission.staff_token,
                        language=language,
                    )
                )
                async with asyncio.timeout(limit_s) as limit:
                    if not is_watch:
                        return await work()
                    with self._watched(limit):
                        return await work()
        except aio.AbortError:
            raise
        except TimeoutError:
            failure = error(Reason.NOT_READY if is_watch else Reason.DEADLINE_EXCEEDED)
        except Exception as exc:  # noqa: BLE001 (the process edge: mapped, logged, answered)
            failure = as_emanet_error(exc)
            _log_refusal(failure, exc)
        # outside the handler of `exc`, so that nothing carries it any further
        return await self._abort(context, failure, language)

    @contextmanager
    def _counted(self, caller: Caller, *, is_bounded: bool) -> Iterator[None]:
        task, key = asyncio.current_task(), caller.spiffe_id
        if task is None or self._is_draining:
            raise error(Reason.NOT_READY)
        if is_bounded and self._in_flight[key] >= self._settings.max_in_flight_per_caller:
            raise error(Reason.OVERLOADED)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._in_flight[key] += is_bounded
        try:
            yield
        finally:
            self._in_flight[key] -= is_bounded
            if not self._in_flight[key]:
                del self._in_flight[key]

    @contextmanager
    def _watched(self, limit: asyncio.Timeout) -> Iterator[None]:
        self._watches.add(limit)
        try:
            yield
        finally:
            self._watches.discard(limit)

    def _time_limit(self, context: _Context) -> float:
        remaining = cast("float | None", context.time_remaining())
        if remaining is None:
            raise error(Reason.DEADLINE_REQUIRED)
        if remaining <= 0:
            raise error(Reason.DEADLINE_EXCEEDED)
        return min(remaining, self._settings.max_deadline_seconds)

    async def _abort(self, context: _Context, failure: EmanetError, language: str) -> NoReturn:
        status = status_of(failure, service=self._service, language=language)
        await context.abort(
            grpc_code(failure.code),
            status.message,
            ((STATUS_METADATA_KEY, status.SerializeToString()),),
        )


def _metadata_of(context: _Context) -> tuple[str, tuple[str, ...]]:
    """Returns the accept-language and every authorization value; nothing else is looked at."""
    languages = ""
    authorization: list[str] = []
    for key, value in context.invocation_metadata() or ():
        if not isinstance(value, str):
            continue
        if key == "authorization":
            authorization.append(value)
        elif key == "accept-language" and not languages:
            languages = value
    return languages, tuple(authorization)


def _log_refusal(failure: EmanetError, exc: Exception) -> None:
    if failure.code is Code.INTERNAL:
        return
    is_notable = failure.code in _SECURITY_CODES or failure.code is Code.UNAVAILABLE
    level = _log.warning if is_notable else _log.info
    level("rpc.refused", reason=failure.reason.value, cause=cause_of(exc))
