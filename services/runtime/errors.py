"""Maps the error tree to google.rpc.Status, the only form in which a service answers an error.

Every status has one ErrorInfo (reason, domain `<service>.emanet`, metadata) and one
LocalizedMessage (what was wrong and what to do next); BadRequest for wrong fields, RetryInfo when
the request may be sent again. An exception outside the tree becomes INTERNAL_ERROR with an id;
its type and frames go to the log under that id, its text to nobody. What has the form of personal
data is scrubbed on the way out: a name or a file that a caller sent may be quoted in a message.
"""

from __future__ import annotations

import traceback
import uuid

import grpc
import structlog
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from emanet.core.errors import Code, EmanetError, Reason, error
from emanet.core.redact import scrub

__all__ = [
    "DEFAULT_LANGUAGE",
    "RETRY_DELAY_MS",
    "STATUS_METADATA_KEY",
    "as_emanet_error",
    "cause_of",
    "grpc_code",
    "language_of",
    "status_of",
]

DEFAULT_LANGUAGE = "tr-TR"
STATUS_METADATA_KEY = "grpc-status-details-bin"
RETRY_DELAY_MS = 250
"""How long a caller should wait before it sends a refused request again."""

_MAX_VIOLATIONS = 20
"""Trailing metadata is limited to 8 KiB by default; further violations are counted only."""

_MAX_CAUSES = 8
_RETRYABLE = frozenset({Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED})
_GRPC_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
_log = structlog.get_logger(__name__)


def status_of(
    failure: EmanetError, *, service: str, language: str = DEFAULT_LANGUAGE
) -> status_pb2.Status:
    """Renders an error for the wire; also the per-item status of batch answers.

    Args:
        failure: the error.
        service: short service name (`crypto`); the domain is `<service>.emanet`.
        language: `tr-TR` or `en`.
    """
    details: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=failure.reason.value,
            domain=f"{service}.emanet",
            metadata={name: scrub(value) for name, value in failure.metadata.items()},
        )
    ]
    if failure.violations:
        details.append(_bad_request(failure.violations))
    if failure.code in _RETRYABLE:
        delay = duration_pb2.Duration(nanos=RETRY_DELAY_MS * 1_000_000)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    details.append(_localized(failure, language))
    return status_pb2.Status(
        code=failure.code.value,
        message=scrub(failure.message_en),
        details=[_packed(detail) for detail in details],
    )


def as_emanet_error(exc: BaseException) -> EmanetError:
    """Turns any exception into one of the tree; what is outside it is logged under an id."""
    if isinstance(exc, EmanetError):
        return exc
    if isinstance(exc, TimeoutError):
        return error(Reason.DEADLINE_EXCEEDED)
    error_id = str(uuid.uuid4())
    _log.error(
        "error.unexpected",
        error_id=error_id,
        types=[_name_of(exc), *cause_of(exc)],
        frames=_frames_of(exc),
    )
    return error(Reason.INTERNAL_ERROR, error_id=error_id)


def cause_of(exc: BaseException) -> list[str]:
    """Names the types of the exceptions behind an exception, nearest first, never their texts."""
    names: list[str] = []
    current = exc.__cause__ or exc.__context__
    while current is not None and len(names) < _MAX_CAUSES:
        names.append(_name_of(current))
        current = current.__cause__ or current.__context__
    return names


def grpc_code(code: Code) -> grpc.StatusCode:
    """Returns grpc's own enum member for a canonical code."""
    return _GRPC_CODES[code.value]


def language_of(accept_language: str, default: str = DEFAULT_LANGUAGE) -> str:
    """Picks `tr-TR` or `en` from an accept-language value; the first known language wins."""
    for part in accept_language.split(","):
        tag = part.partition(";")[0].strip().casefold()
        if tag.partition("-")[0] == "tr":
            return "tr-TR"
        if tag.partition("-")[0] == "en":
            return "en"
    return default


def _bad_request(violations: tuple[tuple[str, str], ...]) -> error_details_pb2.BadRequest:
    shown = [
        error_details_pb2.BadRequest.FieldViolation(
            field=scrub(field), description=scrub(description)
        )
        for field, description in violations[:_MAX_VIOLATIONS]
    ]
    return error_details_pb2.BadRequest(field_violations=shown)


def _localized(failure: EmanetError, language: str) -> error_details_pb2.LocalizedMessage:
    if language == "en":
        text = f"{failure.message_en}. Next: {failure.next_step_en}."
    else:
        text = f"{failure.message_tr}. Yapılacak: {failure.next_step_tr}."
    return error_details_pb2.LocalizedMessage(locale=language, message=scrub(text))


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _name_of(exc: BaseException) -> str:
    return f"{type(exc).__module__}.{type(exc).__qualname__}"


def _frames_of(exc: BaseException) -> list[str]:
    """File, line and function of each frame; neither source lines nor values."""
    frames = traceback.extract_tb(exc.__traceback__)
    return [f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in frames[-12:]]
