"""Who reads, for what, in which case: stated once, carried by a context variable.

`with em.reading(...)` sets it; every reading call takes it from there. A call without one raises:
the purpose of a read is never guessed (promise P1).
"""

from __future__ import annotations

import re
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

from emanet.api.access_audit.v1 import resources_pb2 as audit
from emanet.core.errors import Reason, error

__all__ = ["Case", "Reading", "ReadingScope", "current_reading", "make_reading"]


class Case(NamedTuple):
    """The organization's own ticket, order or letter that a read is for."""

    kind: str
    ref: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The statement under which values are read.

    Attributes:
        actor: on whose behalf.
        staff_token: the staff member's token; empty for a data subject or a job.
        data_subject: `{namespace}/{ref}` of the person on their own page; else empty.
        purpose: slug of the access purpose.
        case: what the read is for, where the purpose asks for one.
        approver_token: another person's token, where a rule asks for an approver.
        recipient: slug of who outside receives the values; only for disclosures.
        session: the application's session, at most 256 bytes.
        host: the workstation, at most 256 bytes.
        connection: the connection point, at most 256 bytes.
        justification: free text, at most 4096 bytes.
    """

    actor: audit.ActorKind.ValueType
    purpose: str
    staff_token: str = field(default="", repr=False)
    data_subject: str = field(default="", repr=False)
    case: Case | None = field(default=None, repr=False)
    approver_token: str = field(default="", repr=False)
    recipient: str = ""
    session: str = field(default="", repr=False)
    host: str = field(default="", repr=False)
    connection: str = field(default="", repr=False)
    justification: str = field(default="", repr=False)

    def to_context(self) -> audit.AccessContext:
        """The message that services read."""
        context = audit.AccessContext(
            actor=self.actor,
            data_subject=self.data_subject,
            purpose=self.purpose,
            approver_token=self.approver_token,
            recipient=self.recipient,
            session=self.session,
            host=self.host,
            connection=self.connection,
            justification=self.justification,
        )
        if self.case is not None:
            context.case.kind, context.case.ref = self.case
        return context


# Found here: gRPC would report it as an internal error. RFC 6750 section 2.1 is narrower still.
_TOKEN = re.compile("[!-~]+")

_current: ContextVar[Reading | None] = ContextVar("emanet_reading", default=None)


def current_reading() -> Reading:
    """The statement in force in this thread or task.

    Raises:
        CallerError: INVALID_FIELD outside `with em.reading(...)`.
    """
    reading = _current.get()
    if reading is None:
        raise error(
            Reason.INVALID_FIELD,
            violations=(("reading", "state who reads and why: with em.reading(...)"),),
        )
    return reading


def make_reading(
    *,
    purpose: str,
    staff_token: str = "",
    data_subject: str = "",
    as_app: bool = False,
    case: Case | None = None,
    approver_token: str = "",
    recipient: str = "",
    session: str = "",
    host: str = "",
    connection: str = "",
    justification: str = "",
) -> Reading:
    """Builds a statement; exactly one of staff_token, data_subject and as_app says who reads.

    Raises:
        CallerError: INVALID_FIELD when none or several of them are given.
        DeniedError: TOKEN_INVALID for a staff token that no header can carry.
    """
    actors = {
        audit.ACTOR_KIND_STAFF: bool(staff_token),
        audit.ACTOR_KIND_DATA_SUBJECT: bool(data_subject),
        audit.ACTOR_KIND_APPLICATION: as_app,
    }
    named = [kind for kind, given in actors.items() if given]
    if len(named) != 1:
        raise error(
            Reason.INVALID_FIELD,
            violations=(("actor", "give exactly one of staff_token, data_subject, as_app"),),
        )
    if staff_token and not _TOKEN.fullmatch(staff_token):
        raise error(Reason.TOKEN_INVALID, problem="form")
    return Reading(
        actor=named[0],
        purpose=purpose,
        staff_token=staff_token,
        data_subject=data_subject,
        case=case,
        approver_token=approver_token,
        recipient=recipient,
        session=session,
        host=host,
        connection=connection,
        justification=justification,
    )


class ReadingScope:
    """Puts a statement in force for a block; usable with `with` and `async with`.

    One scope is for one block at a time: entered again within itself, or by two tasks at once, it
    could not know which statement to put back.
    """

    __slots__ = ("_reading", "_token")

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._token: Token[Reading | None] | None = None

    def __enter__(self) -> Self:
        if self._token is not None:
            raise error(
                Reason.INVALID_FIELD,
                violations=(("reading", "this reading is in force already; make another"),),
            )
        self._token = _current.set(self._reading)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)
            self._token = None

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, value, traceback)
