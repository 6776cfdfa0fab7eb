"""What a service says with google.rpc.Status arrives as the same error."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from emanet.client.status import error_from_rpc, error_from_status
from emanet.core.errors import (
    DeniedError,
    DestroyedError,
    EmanetError,
    IntegrityError,
    Reason,
    UnavailableError,
    error,
)
from services.runtime.errors import status_of


class _Failure(grpc.RpcError):
    """A finished call as grpc raises it."""

    def __init__(self, code: grpc.StatusCode, metadata: tuple[tuple[str, bytes], ...] = ()) -> None:
        self._code = code
        self._metadata = metadata

    def code(self) -> grpc.StatusCode:
        return self._code

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return self._metadata


def _failure_of(status: status_pb2.Status, code: grpc.StatusCode) -> _Failure:
    return _Failure(code, (("grpc-status-details-bin", status.SerializeToString()),))


@given(
    reason=st.sampled_from(list(Reason)),
    metadata=st.dictionaries(
        st.from_regex(r"[a-z]{1,10}", fullmatch=True), st.text(max_size=20), max_size=3
    ).map(lambda made: {k: v for k, v in made.items() if k not in {"reason", "violations"}}),
)
def test_every_reason_survives_the_wire(reason: Reason, metadata: dict[str, str]) -> None:
    """Reading back what the server wrote gives the class, reason and metadata raised there."""
    raised = error(reason, violations=(("edits[0]", "bad"),), **metadata)
    read = error_from_status(status_of(raised, service="inventory"))
    assert type(read) is type(raised)
    assert (read.reason, read.metadata, read.violations) == (
        raised.reason,
        raised.metadata,
        raised.violations,
    )


def test_a_failed_call_carries_the_servers_reason() -> None:
    """Details in the trailing metadata win over the bare code."""
    raised = error(Reason.KEY_DESTROYED, destruction="organizations/a/destructions/x")
    failure = _failure_of(status_of(raised, service="crypto"), grpc.StatusCode.FAILED_PRECONDITION)
    read = error_from_rpc(failure)
    assert isinstance(read, DestroyedError)
    assert read.receipt == "organizations/a/destructions/x"


@pytest.mark.parametrize(
    ("code", "branch"),
    [
        (grpc.StatusCode.UNAVAILABLE, UnavailableError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, UnavailableError),
        (grpc.StatusCode.PERMISSION_DENIED, DeniedError),
        (grpc.StatusCode.UNAUTHENTICATED, DeniedError),
        (grpc.StatusCode.UNKNOWN, IntegrityError),
        (grpc.StatusCode.UNIMPLEMENTED, IntegrityError),
    ],
)
def test_a_bare_code_becomes_its_branch(code: grpc.StatusCode, branch: type[EmanetError]) -> None:
    """A proxy's answer without details is still one error of the tree."""
    assert isinstance(error_from_rpc(_Failure(code)), branch)


def test_every_code_has_an_error() -> None:
    """No gRPC code makes the client raise anything outside the tree."""
    for code in grpc.StatusCode:
        assert isinstance(error_from_rpc(_Failure(code)), EmanetError)


def test_details_of_another_code_are_not_believed() -> None:
    """A status that disagrees with the call's own code is not used."""
    status = status_of(error(Reason.CASE_REQUIRED), service="crypto")
    read = error_from_rpc(_failure_of(status, grpc.StatusCode.UNAVAILABLE), service="crypto")
    assert read.reason is Reason.SERVICE_UNAVAILABLE
    assert read.metadata["service"] == "crypto"


@given(st.binary(max_size=64))
def test_broken_details_fall_back_to_the_code(data: bytes) -> None:
    """Bytes that are no status, or details that are no details, never raise."""
    broken = status_pb2.Status(code=7)
    packed = broken.details.add()
    packed.Pack(error_details_pb2.ErrorInfo())
    packed.value = data
    assert isinstance(error_from_status(broken), DeniedError)
    failure = _Failure(grpc.StatusCode.PERMISSION_DENIED, (("grpc-status-details-bin", data),))
    assert isinstance(error_from_rpc(failure), DeniedError)


def test_a_foreign_domain_or_reason_is_not_ours() -> None:
    """Only `<service>.emanet` may name a reason of the catalogue."""
    for domain, reason in (("evil.example", "CASE_REQUIRED"), ("crypto.emanet", "NEWER_REASON")):
        status = status_pb2.Status(code=7)
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain=domain))
        assert error_from_status(status).reason is Reason.RPC_NOT_ALLOWED
