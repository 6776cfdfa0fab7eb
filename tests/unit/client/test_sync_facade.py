"""The synchronous facade on the wire: identity, deadlines, retries, the memory of the log, forks."""

from __future__ import annotations

import datetime as dt
import os
import socket
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from emanet.client import CaseState, Emanet, ToEncrypt, errors
from emanet.client.channel import Credentials, Endpoints, ServiceName
from emanet.client.connection import Connection
from emanet.core.errors import Reason
from tests.fakes.scripted_services import Scripted, scripted_services

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with scripted_services() as running:
        yield running


@pytest.fixture
def em(scripted: Scripted) -> Iterator[Emanet]:
    facade = Emanet(**scripted.target())
    yield facade
    facade.close()


def test_the_staff_token_goes_with_reads_alone(scripted, em):
    """Reads carry the token in the metadata; writes and pushes carry none, even within a block."""
    with em.reading(staff_token="token-1", purpose="support"):
        em.decrypt("customer.email", b"e")
        em.record_read(fields=["customer.fax"], subjects=["customers/7"])
        em.encrypt(subject="customers/7", values={"customer.email": "a"})
        em.put_cases([CaseState("ticket", "T-1", "customer", NOW)])
    tokens = {call.rpc: call.metadata.get("authorization", "") for call in scripted.script.asked}
    assert tokens == {
        "Decrypt": "Bearer token-1",
        "CheckAccess": "Bearer token-1",
        "Encrypt": "",
        "PutCases": "",
    }


def test_jobs_and_data_subjects_bring_no_token(scripted, em):
    """Without a person there is no token to leak."""
    for actor in ({"as_app": True}, {"data_subject": "customers/7"}):
        with em.reading(purpose="service", **actor):
            em.decrypt("customer.email", b"e")
    assert all("authorization" not in call.metadata for call in scripted.script.asked)


@pytest.mark.parametrize("language", ["tr-TR", "en"])
def test_the_services_are_told_the_language(scripted, language):
    """Messages come back in the language of the screen."""
    em = Emanet(**scripted.target(), language=language)
    em.encrypt(subject="customers/7", values={"customer.email": "a"})
    em.close()
    assert scripted.script.asked[0].metadata["accept-language"] == language


def test_every_call_has_a_deadline(scripted, em):
    """Two seconds unless the application says otherwise."""
    short = Emanet(**scripted.target(), timeout_s=1.0)
    for facade in (em, short):
        facade.encrypt(subject="customers/7", values={"customer.email": "a"})
    short.close()
    first, second = (call.seconds_left for call in scripted.script.asked)
    assert 1.0 < first <= 2.0
    assert 0 < second <= 1.0


def test_a_hanging_service_costs_no_more_than_the_deadline(scripted):
    """The page goes on without the value."""
    scripted.script.hangs = True
    em = Emanet(**scripted.target(), timeout_s=0.2)
    with (
        em.reading(as_app=True, purpose="support"),
        pytest.raises(errors.UnavailableError, match="DEADLINE_EXCEEDED"),
    ):
        em.decrypt("customer.email", b"e")
    em.close()


def test_encrypting_is_retried(scripted, em):
    """A second Encrypt harms nothing, so a moment of unavailability is not seen."""
    scripted.script.unavailable = 2
    em.encrypt(subject="customers/7", values={"customer.email": "a"})
    assert len(scripted.script.asked) == 3


def test_pushing_is_retried_under_one_request_id(scripted, em):
    """The service knows a repeated push by its id."""
    scripted.script.unavailable = 1
    em.put_cases([CaseState("ticket", "T-1", "customer", NOW)])
    first, second = (call.request.request_id for call in scripted.script.asked)
    assert first == second


def test_reads_are_never_retried(scripted, em):
    """Each attempt would be a record of its own; the application decides."""
    with em.reading(as_app=True, purpose="support"):
        scripted.script.unavailable = 1
        with pytest.raises(errors.UnavailableError):
            em.decrypt("customer.email", b"e")
        scripted.script.unavailable = 1
        with pytest.raises(errors.UnavailableError):
            em.record_read(fields=["customer.fax"], subjects=[])
    assert [call.rpc for call in scripted.script.asked] == ["Decrypt", "CheckAccess"]


@pytest.mark.parametrize(
    ("size", "root", "reason"), [(4, b"a", Reason.LOG_BEHIND), (5, b"b", Reason.LOG_FORK)]
)
def test_a_value_that_rests_on_a_restored_log_is_withheld(scripted, em, size, root, reason):
    """P3: a log that went back, or shows another history, gets no plaintext past the SDK."""
    scripted.script.log_size = 5
    with em.reading(as_app=True, purpose="support"):
        assert em.decrypt("customer.email", b"e") == "opened"
        scripted.script.log_size, scripted.script.log_root = size, root
        with pytest.raises(errors.EmanetError) as refused:
            em.decrypt("customer.email", b"e")
        assert refused.value.reason is reason
        with pytest.raises(errors.EmanetError):
            em.record_read(fields=["customer.fax"], subjects=[])


def test_nothing_connects_before_the_first_call():
    """A process starts while the services are away; the first call tells it."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{unused.getsockname()[1]}"
    em = Emanet(
        organization="menekse",
        endpoints=Endpoints("dev", "local", dict.fromkeys(ServiceName, target), None),
        credentials=Credentials(ca=b"", certificate=b"", key=b""),
        timeout_s=0.5,
    )
    with pytest.raises(errors.UnavailableError):
        em.encrypt_many([ToEncrypt("customer.email", "a")])
    em.close()


def test_from_env_says_what_is_missing(tmp_path):
    """The environment is the only configuration, and its absence is told by name."""
    with pytest.raises(errors.StateError, match="EMANET_ENDPOINTS is not set"):
        Emanet.from_env(organization="menekse", app="panel", environ={})


def test_a_closed_facade_connects_again(em):
    """Closing is for tidiness; it takes nothing away."""
    for _ in range(2):
        em.encrypt(subject="customers/7", values={"customer.email": "a"})
        em.close()


def test_one_facade_serves_many_threads(scripted, em):
    """Each thread reads under its own statement."""

    def read(number: int) -> str:
        with em.reading(staff_token=f"token-{number}", purpose="support"):
            em.decrypt("customer.email", str(number).encode())
        return "done"

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(40))) == ["done"] * 40
    assert all(
        call.metadata["authorization"] == f"Bearer token-{call.request.items[0].envelope.decode()}"
        for call in scripted.script.asked
    )


def test_a_forked_worker_opens_its_own_channel(scripted):
    """gunicorn, uWSGI and Celery fork after the import: a channel must not cross the fork."""
    made: list[int] = []
    connection = Connection(
        ServiceName.CRYPTO,
        endpoints=scripted.endpoints,
        credentials=scripted.credentials,
        make=lambda channel: made.append(os.getpid()) or len(made),
    )
    assert (connection.stub(), connection.stub()) == (1, 1)
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of any fork
        child = os.fork()
    if child == 0:
        os.write(write, f"{connection.stub()} {connection.stub()}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100) == b"2 2"
    os.close(read)
    os.close(write)
    assert connection.stub() == 1
    connection.close()
