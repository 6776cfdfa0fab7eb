"""Every RPC passes the gate: identity, token, table, tenancy, deadline, REQUIRED, errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc import aio
from grpc_status import rpc_status

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc, resources_pb2
from emanet.core.errors import Reason, error
from tests.fakes.certificates import CertificateAuthority, Issued
from tests.fakes.small_service import SmallInstallation, SmallServer, start_small_server

INFO = inventory_pb2.GetServiceInfoRequest(organization="cinar")
WATCH = inventory_pb2.WatchRegisterRequest(parent="organizations/cinar")
DRAFT = inventory_pb2.GetDraftRequest(parent="organizations/cinar")
LIST = inventory_pb2.ListRegisterVersionsRequest(parent="organizations/cinar")
EDIT = inventory_pb2.EditDraftRequest(
    parent="organizations/cinar",
    etag="e",
    request_id="r",
    edits=[resources_pb2.RegisterEdit(kind=1, slug="a", remove=True)],
)
APPROVE = inventory_pb2.ApproveVersionRequest(
    name="organizations/cinar/registerVersions/1", digest=b"d", request_id="r"
)


def stub(channel: aio.Channel) -> inventory_pb2_grpc.InventoryServiceAsyncStub:
    return inventory_pb2_grpc.InventoryServiceStub(channel)  # type: ignore[return-value]


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def reason_of(call: Awaitable[object]) -> str:
    """The ErrorInfo reason of a refused call."""
    return (await details_of(call))[0].reason


async def details_of(call: Awaitable[object]) -> tuple[error_details_pb2.ErrorInfo, dict]:
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    status = rpc_status.from_call(raised.value)
    assert status is not None, raised.value
    assert status.code == raised.value.code().value[0]
    found: dict[str, object] = {}
    for packed in status.details:
        kind = packed.type_url.rpartition(".")[2]
        assert kind not in found, "each detail type at most once"
        message = getattr(error_details_pb2, kind)()
        packed.Unpack(message)
        found[kind] = message
    return found["ErrorInfo"], found


async def info(server: SmallServer, client: Issued, **changes) -> object:
    async with server.installation.channel(server.running.endpoint, client) as channel:
        return await stub(channel).GetServiceInfo(INFO, timeout=changes.get("timeout", 5))


async def test_application_is_known_by_its_certificate(server: SmallServer) -> None:
    async with server.channel("/app/panel") as channel:
        answer = await stub(channel).GetServiceInfo(INFO, timeout=5)
    assert answer.installation == "spiffe://dev.emanet.invalid/app/panel"
    assert answer.service == "cinar"


@pytest.mark.parametrize(
    "uris",
    [
        [],
        ["spiffe://dev.emanet.invalid/app/panel", "https://example.org/x"],
        ["spiffe://dev.emanet.invalid/app/panel", "spiffe://dev.emanet.invalid/app/helpdesk"],
        ["https://dev.emanet.invalid/app/panel"],
        ["spiffe://other.example/app/panel"],
        ["spiffe://dev.emanet.invalid.evil.example/app/panel"],
        ["spiffe://dev.emanet.invalid/app"],
        ["spiffe://dev.emanet.invalid/app/panel/more"],
        ["spiffe://dev.emanet.invalid/user/panel"],
        ["spiffe://dev.emanet.invalid/App/panel"],
    ],
)
async def test_certificate_without_one_good_spiffe_id_is_refused(
    server: SmallServer, uris: list[str]
) -> None:
    client = server.installation.authority.issue(uris=uris)
    assert await reason_of(info(server, client)) == Reason.IDENTITY_MISSING.value
    assert server.servicer.calls == []


@pytest.mark.parametrize("uris", [[], ["https://dev.emanet.invalid/"]])
async def test_dns_name_that_looks_like_a_spiffe_uri_is_no_identity(
    server: SmallServer, uris: list[str]
) -> None:
    """gRPC's SAN list is untyped; a DNS name there must never become an identity."""
    client = server.installation.authority.issue(
        uris=uris, dns=["spiffe://dev.emanet.invalid/app/panel"]
    )
    assert await reason_of(info(server, client)) == Reason.IDENTITY_MISSING.value


async def test_common_name_is_no_identity(server: SmallServer) -> None:
    client = server.installation.authority.issue(
        common_name="spiffe://dev.emanet.invalid/app/panel"
    )
    assert await reason_of(info(server, client)) == Reason.IDENTITY_MISSING.value


async def test_dns_names_beside_the_spiffe_uri_change_nothing(server: SmallServer) -> None:
    client = server.installation.authority.issue(
        uris=["spiffe://dev.emanet.invalid/app/robot"],
        dns=["spiffe://dev.emanet.invalid/app/panel", "localhost"],
    )
    answer = await info(server, client)
    assert answer.installation == "spiffe://dev.emanet.invalid/app/robot"


async def test_foreign_and_expired_certificates_do_not_connect(server: SmallServer) -> None:
    foreign = CertificateAuthority().issue(uris=["spiffe://dev.emanet.invalid/app/panel"])
    expired = server.installation.authority.issue(
        uris=["spiffe://dev.emanet.invalid/app/panel"], is_expired=True
    )
    for client in (foreign, expired):
        with pytest.raises(aio.AioRpcError) as raised:
            await info(server, client)
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert server.servicer.calls == []


async def test_connection_without_a_client_certificate_does_not_open(server: SmallServer) -> None:
    credentials = grpc.ssl_channel_credentials(server.installation.authority.pem)
    async with aio.secure_channel(server.running.endpoint, credentials) as channel:
        with pytest.raises(aio.AioRpcError) as raised:
            await stub(channel).GetServiceInfo(INFO, timeout=5)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_application_that_principals_do_not_name_is_unknown(server: SmallServer) -> None:
    client = server.installation.principal("/app/stranger")
    assert await reason_of(info(server, client)) == Reason.PRINCIPAL_UNKNOWN.value


async def test_revoked_certificate_is_refused_after_the_file_changes(
    installation: SmallInstallation,
) -> None:
    """A revocation works on a running server, without a restart, on open connections too."""
    client = installation.principal("/app/panel")
    server = await start_small_server(installation)
    async with installation.channel(server.running.endpoint, client) as channel:
        await stub(channel).GetServiceInfo(INFO, timeout=5)
        text = installation.principals_path.read_text("utf-8")
        installation.principals_path.write_text(
            text.replace("certificates: []", f'certificates: ["{client.fingerprint.upper()}"]'),
            "utf-8",
        )
        limit = time.monotonic() + 5
        reason = ""
        while not reason and time.monotonic() < limit:
            try:
                await stub(channel).GetServiceInfo(INFO, timeout=5)
            except aio.AioRpcError as exc:
                reason = exc.details() or ""
    assert "revoked" in reason
    await server.stop()


@pytest.mark.parametrize(
    ("path", "organization", "reason"),
    [
        ("/app/panel", "mese", Reason.ORGANIZATION_NOT_ALLOWED),
        ("/app/panel", "organizations/mese", Reason.ORGANIZATION_NOT_ALLOWED),
        ("/app/panel", "organizations/cinar/../mese", Reason.INVALID_NAME),
        ("/app/panel", "", Reason.REQUIRED_FIELD_MISSING),
        ("/service/access_audit", "cinar", Reason.RPC_NOT_ALLOWED),
    ],
)
async def test_tenancy_and_table_are_enforced(
    server: SmallServer, path: str, organization: str, reason: Reason
) -> None:
    request = inventory_pb2.GetServiceInfoRequest(organization=organization)
    async with server.channel(path) as channel:
        assert await reason_of(stub(channel).GetServiceInfo(request, timeout=5)) == reason.value
    assert server.servicer.calls == []


async def test_service_may_touch_every_organization(server: SmallServer) -> None:
    request = inventory_pb2.GetServiceInfoRequest(organization="mese")
    async with server.channel("/service/crypto") as channel:
        assert (await stub(channel).GetServiceInfo(request, timeout=5)).service == "mese"


async def test_application_may_not_call_what_is_for_services(server: SmallServer) -> None:
    request = inventory_pb2.SubmitDraftRequest(parent="organizations/cinar")
    async with server.channel("/app/panel") as channel:
        call = stub(channel).SubmitDraft(request, timeout=5)
        assert await reason_of(call) == Reason.RPC_NOT_ALLOWED.value


async def test_person_comes_from_the_token_and_principals(server: SmallServer) -> None:
    token = server.installation.issuer.token("b2")
    async with server.channel("/app/panel") as channel:
        answer = await stub(channel).GetDraft(DRAFT, timeout=5, metadata=bearer(token))
        without = await stub(channel).GetDraft(DRAFT, timeout=5)
    assert (answer.draft.etag, without.draft.etag) == ("s-002", "")


async def test_missing_token_is_refused_where_a_person_is_needed(server: SmallServer) -> None:
    async with server.channel("/app/panel") as channel:
        call = stub(channel).ListRegisterVersions(LIST, timeout=5)
        assert await reason_of(call) == Reason.TOKEN_MISSING.value


@pytest.mark.parametrize("path", ["/app/helpdesk", "/app/robot"])
async def test_token_of_another_application_is_refused(server: SmallServer, path: str) -> None:
    """A token replayed through another application's certificate is worthless."""
    token = server.installation.issuer.token("a1", azp="panel")
    async with server.channel(path) as channel:
        call = stub(channel).GetDraft(DRAFT, timeout=5, metadata=bearer(token))
        assert await reason_of(call) == Reason.TOKEN_INVALID.value


@pytest.mark.parametrize("values", [["Basic abc"], ["Bearer"], ["Bearer GOOD", "Bearer GOOD"]])
async def test_malformed_authorization_is_refused(server: SmallServer, values: list[str]) -> None:
    good = server.installation.issuer.token("a1")
    metadata = tuple(("authorization", value.replace("GOOD", good)) for value in values)
    async with server.channel("/app/panel") as channel:
        call = stub(channel).GetDraft(DRAFT, timeout=5, metadata=metadata)
        assert await reason_of(call) == Reason.TOKEN_INVALID.value


@pytest.mark.parametrize("path", ["/app/panel", "/service/crypto"])
async def test_person_of_another_organizations_issuer_is_refused(
    installation: SmallInstallation, path: str
) -> None:
    """An application that may touch the organization does not lend that to whom it brings."""
    text = installation.principals_path.read_text()
    installation.principals_path.write_text(text.replace("[cinar, mese]", "[mese]"))
    server = await start_small_server(installation)
    token = installation.issuer.token("a1", groups=["kvkk"])
    async with server.channel(path) as channel:
        if path.startswith("/service"):
            call = stub(channel).GetServiceInfo(INFO, timeout=5, metadata=bearer(token))
        else:
            call = stub(channel).GetDraft(DRAFT, timeout=5, metadata=bearer(token))
        assert await reason_of(call) == Reason.ORGANIZATION_NOT_ALLOWED.value
    assert server.servicer.calls == []
    await server.stop()


async def test_duty_is_needed_in_the_requests_organization(server: SmallServer) -> None:
    issuer = server.installation.issuer
    async with server.channel("/app/panel") as channel:
        without = stub(channel).EditDraft(EDIT, timeout=5, metadata=bearer(issuer.token("a1")))
        assert await reason_of(without) == Reason.RPC_NOT_ALLOWED.value
        token = issuer.token("a1", groups=["kvkk"])
        answer = await stub(channel).EditDraft(EDIT, timeout=5, metadata=bearer(token))
    assert answer.draft.etag == "s-001"


async def test_old_login_is_refused_where_a_fresh_one_is_needed(server: SmallServer) -> None:
    issuer = server.installation.issuer
    old = issuer.token("a1", groups=["yonetim"], auth_time=int(time.time()) - 301)
    unknown = issuer.token("a1", groups=["yonetim"], auth_time=None)
    async with server.channel("/app/panel") as channel:
        for token in (old, unknown):
            call = stub(channel).ApproveVersion(APPROVE, timeout=5, metadata=bearer(token))
            assert await reason_of(call) == Reason.FRESH_LOGIN_REQUIRED.value
        fresh = issuer.token("a1", groups=["yonetim"])
        await stub(channel).ApproveVersion(APPROVE, timeout=5, metadata=bearer(fresh))


async def test_authorisation_comes_before_validation(server: SmallServer) -> None:
    """An invalid request of somebody who may not call answers PERMISSION_DENIED (AIP-211)."""
    empty = inventory_pb2.EditDraftRequest(parent="organizations/cinar")
    token = server.installation.issuer.token("a1")
    async with server.channel("/app/panel") as channel:
        call = stub(channel).EditDraft(empty, timeout=5, metadata=bearer(token))
        assert await reason_of(call) == Reason.RPC_NOT_ALLOWED.value


async def test_missing_required_fields_are_named_with_their_paths(server: SmallServer) -> None:
    request = inventory_pb2.EditDraftRequest(
        parent="organizations/cinar",
        etag="e",
        edits=[resources_pb2.RegisterEdit(kind=1, slug="a"), resources_pb2.RegisterEdit(kind=1)],
    )
    token = server.installation.issuer.token("a1", groups=["kvkk"])
    async with server.channel("/app/panel") as channel:
        call = stub(channel).EditDraft(request, timeout=5, metadata=bearer(token))
        error_info, found = await details_of(call)
    assert error_info.reason == Reason.REQUIRED_FIELD_MISSING.value
    fields = {item.field for item in found["BadRequest"].field_violations}
    assert fields == {"request_id", "edits[1].slug"}
    assert server.servicer.calls == []


async def test_deadline_is_required_except_for_watching(server: SmallServer) -> None:
    async with server.channel("/app/panel") as channel:
        call = stub(channel).GetServiceInfo(INFO)
        assert await reason_of(call) == Reason.DEADLINE_REQUIRED.value
        watch = stub(channel).WatchRegister(WATCH)
        assert await watch.read() is not aio.EOF
        watch.cancel()


async def test_server_ends_work_at_its_own_limit(installation: SmallInstallation) -> None:
    """A client's longer deadline does not keep a handler alive beyond the setting."""
    server = await start_small_server(installation, max_deadline_seconds=0.2)
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    server.servicer.work = work
    started = time.monotonic()
    async with server.channel("/app/panel") as channel:
        call = stub(channel).GetServiceInfo(INFO, timeout=60)
        assert await reason_of(call) == Reason.DEADLINE_EXCEEDED.value
    assert time.monotonic() - started < 10
    assert ended.is_set()
    await server.stop()


async def test_too_many_requests_in_flight_are_refused_per_caller(
    installation: SmallInstallation,
) -> None:
    server = await start_small_server(installation, max_in_flight_per_caller=1)
    entered, gate = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        entered.set()
        await gate.wait()

    server.servicer.work = work
    async with server.channel("/app/panel") as channel, server.channel("/app/robot") as other:
        first = asyncio.ensure_future(stub(channel).GetServiceInfo(INFO, timeout=20))
        await entered.wait()
        error_info, found = await details_of(stub(channel).GetServiceInfo(INFO, timeout=20))
        assert error_info.reason == Reason.OVERLOADED.value
        assert found["RetryInfo"].retry_delay.nanos > 0
        entered.clear()
        others = asyncio.ensure_future(stub(other).GetServiceInfo(INFO, timeout=20))
        arrived = asyncio.ensure_future(entered.wait())
        await asyncio.wait({others, arrived}, return_when=asyncio.FIRST_COMPLETED)
        gate.set()
        await others
        await arrived
        await first
        await stub(channel).GetServiceInfo(INFO, timeout=20)
    await server.stop()


async def test_watches_of_a_service_are_not_counted(installation: SmallInstallation) -> None:
    """A service follows every organization; an application's watches are bounded like all else."""
    server = await start_small_server(installation, max_in_flight_per_caller=1)
    open_watches = []
    async with server.channel("/service/crypto") as channel, server.channel("/app/panel") as other:
        for _ in range(3):
            open_watches.append(stub(channel).WatchRegister(WATCH))
            assert await open_watches[-1].read() is not aio.EOF
        await stub(channel).GetServiceInfo(INFO, timeout=5)
        open_watches.append(stub(other).WatchRegister(WATCH))
        assert await open_watches[-1].read() is not aio.EOF
        refused = stub(other).WatchRegister(WATCH)
        assert await reason_of(refused.read()) == Reason.OVERLOADED.value
        for watch in open_watches:
            watch.cancel()
    await server.stop()


@pytest.mark.parametrize(
    ("language", "locale", "text"),
    [
        (None, "tr-TR", "rkayıt"),
        ("en-GB,tr;q=0.5", "en", "record"),
        ("de, tr", "tr-TR", "kayıt"),
        ("xx", "tr-TR", "kayıt"),
    ],
)
async def test_error_carries_reason_domain_metadata_and_a_localized_text(
    server: SmallServer, language: str | None, locale: str, text: str
) -> None:
    async def work() -> None:
        raise error(Reason.AUDIT_UNAVAILABLE, field="customer.email")

    server.servicer.work = work
    metadata = () if language is None else (("accept-language", language),)
    async with server.channel("/app/panel") as channel:
        call = stub(channel).GetServiceInfo(INFO, timeout=5, metadata=metadata)
        error_info, found = await details_of(call)
    assert error_info.reason == Reason.AUDIT_UNAVAILABLE.value
    assert error_info.domain == "inventory.emanet"
    assert dict(error_info.metadata) == {"field": "customer.email"}
    assert found["LocalizedMessage"].locale == locale
    assert text.removeprefix("r") in found["LocalizedMessage"].message
    assert "RetryInfo" in found


async def test_unexpected_exception_tells_nothing_but_an_id(
    server: SmallServer, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        raise RuntimeError("planted-10000000146")

    server.servicer.work = work
    async with server.channel("/app/panel") as channel:
        call = stub(channel).GetServiceInfo(INFO, timeout=5)
        with pytest.raises(aio.AioRpcError) as raised:
            await call
    assert raised.value.code() is grpc.StatusCode.INTERNAL
    assert "planted" not in str(raised.value)
    captured = capsys.readouterr()
    assert "planted" not in captured.out + captured.err


async def test_stream_passes_the_same_gate(server: SmallServer) -> None:
    own = inventory_pb2.GetRegisterVersionRequest(name="organizations/cinar/registerVersions/1")
    other = inventory_pb2.GetRegisterVersionRequest(name="organizations/mese/registerVersions/1")
    async with server.channel("/app/panel") as channel:
        parts = [answer.chunk async for answer in stub(channel).GetRegisterVersion(own, timeout=5)]
        assert parts == [b"one", b"two", b"three"]
        refused = stub(channel).GetRegisterVersion(other, timeout=5)
        assert await reason_of(refused.read()) == Reason.ORGANIZATION_NOT_ALLOWED.value


async def test_error_after_the_first_part_of_a_stream_keeps_its_reason(server: SmallServer) -> None:
    async def work() -> None:
        raise error(Reason.DATABASE_UNAVAILABLE)

    server.servicer.work = work
    own = inventory_pb2.GetRegisterVersionRequest(name="organizations/cinar/registerVersions/1")
    async with server.channel("/app/panel") as channel:
        call = stub(channel).GetRegisterVersion(own, timeout=5)
        for _ in range(3):
            await call.read()
        assert await reason_of(call.read()) == Reason.DATABASE_UNAVAILABLE.value


async def test_method_that_does_not_exist_is_unimplemented(server: SmallServer) -> None:
    async with server.channel("/app/panel") as channel:
        call = channel.unary_unary("/emanet.api.inventory.v1.InventoryService/Nothing")
        with pytest.raises(aio.AioRpcError) as raised:
            await call(b"", timeout=5)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_concurrent_requests_do_not_see_each_others_caller(server: SmallServer) -> None:
    """The current request belongs to its own task."""

    async def work() -> None:
        await asyncio.sleep(0)

    server.servicer.work = work
    async with server.channel("/app/panel") as one, server.channel("/app/robot") as two:
        answers = await asyncio.gather(
            *(stub(channel).GetServiceInfo(INFO, timeout=10) for channel in (one, two) * 20)
        )
    names = [answer.installation.rpartition("/")[2] for answer in answers]
    assert names == ["panel", "robot"] * 20
    assert len({answer.version for answer in answers}) == 40
