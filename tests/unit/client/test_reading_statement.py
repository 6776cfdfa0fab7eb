"""The statement under which values are read: who, for what, in which case."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from emanet.api.access_audit.v1 import resources_pb2
from emanet.client.reading import Case, ReadingScope, current_reading, make_reading
from emanet.core.errors import CallerError, DeniedError


def _scope(purpose: str) -> ReadingScope:
    return ReadingScope(make_reading(purpose=purpose, as_app=True))


def _purpose() -> str:
    return current_reading().purpose


def test_outside_a_block_there_is_no_reading():
    """P1: forgetting the statement raises; no default is ever guessed."""
    with pytest.raises(CallerError, match="INVALID_FIELD"):
        current_reading()


@pytest.mark.parametrize("token", ["abc\n", "a b", "ğ"])
def test_a_token_that_no_header_carries_is_refused_at_once(token):
    """It is a wrong token like any other, not an internal error of the transport."""
    with pytest.raises(DeniedError, match="TOKEN_INVALID") as refused:
        make_reading(purpose="support", staff_token=token)
    assert token not in str(refused.value)


def test_an_inner_block_replaces_the_outer_one_and_gives_it_back():
    """The statement in force is always that of the nearest block."""
    with _scope("support"):
        with _scope("invoicing"):
            assert _purpose() == "invoicing"
        assert _purpose() == "support"
    with pytest.raises(CallerError):
        current_reading()


def test_an_exception_ends_the_statement():
    """A failing page leaves no purpose behind for the next request of its thread."""
    with pytest.raises(ZeroDivisionError), _scope("support"):
        raise ZeroDivisionError
    with pytest.raises(CallerError):
        current_reading()


def test_a_scope_in_force_cannot_be_entered_again():
    """Entered within itself it would stay in force after its block."""
    scope = _scope("support")
    with scope:
        with pytest.raises(CallerError, match="INVALID_FIELD"), scope:
            pass
        assert _purpose() == "support"
    with pytest.raises(CallerError):
        current_reading()


def test_a_scope_may_be_used_for_one_block_after_another():
    """Ended blocks leave the scope as it was."""
    scope = _scope("support")
    for _ in range(2):
        with scope:
            assert _purpose() == "support"


def test_another_thread_does_not_inherit_the_statement():
    """A worker thread states its own purpose."""
    with _scope("support"), ThreadPoolExecutor(1) as pool, pytest.raises(CallerError):
        pool.submit(current_reading).result()


async def test_tasks_at_the_same_time_keep_their_own_statements():
    """Two requests in one event loop never read under each other's purpose."""
    entered = asyncio.Barrier(3)

    async def request(purpose: str) -> str:
        async with _scope(purpose):
            await entered.wait()
            return _purpose()

    purposes = ["support", "invoicing", "service"]
    assert await asyncio.gather(*map(request, purposes)) == purposes


@pytest.mark.parametrize(
    ("actor", "kind"),
    [
        ({"staff_token": "t"}, resources_pb2.ACTOR_KIND_STAFF),
        ({"data_subject": "customers/7"}, resources_pb2.ACTOR_KIND_DATA_SUBJECT),
        ({"as_app": True}, resources_pb2.ACTOR_KIND_APPLICATION),
    ],
)
def test_the_message_says_who_and_why_but_carries_no_staff_token(actor, kind):
    """Everything stated is sent; the token travels in the call's metadata alone."""
    reading = make_reading(
        purpose="support",
        case=Case("ticket", "T-1"),
        approver_token="second",
        recipient="court",
        session="s1",
        host="pc-4",
        connection="10.0.0.7",
        justification="müşteri aradı",
        **actor,
    )
    context = reading.to_context()
    assert context.actor == kind
    assert (context.case.kind, context.case.ref) == ("ticket", "T-1")
    assert (context.purpose, context.recipient) == ("support", "court")
    assert (context.session, context.host, context.connection) == ("s1", "pc-4", "10.0.0.7")
    assert (context.justification, context.approver_token) == ("müşteri aradı", "second")
    assert context.data_subject == actor.get("data_subject", "")
    assert not make_reading(purpose="support", **actor).to_context().HasField("case")


def test_a_reading_prints_without_people_and_tokens():
    """P7: a statement in a log line or a traceback names nobody."""
    reading = make_reading(
        purpose="support",
        staff_token="secret-token",
        case=Case("ticket", "secret-ref"),
        session="secret-session",
        connection="secret-address",
        justification="secret-text",
    )
    assert "secret" not in repr(reading)
    assert "secret" not in repr(make_reading(purpose="service", data_subject="customers/secret"))
