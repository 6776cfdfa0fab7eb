"""A server's life: health that tells the truth, renewed certificates, drain, reflection."""

from __future__ import annotations

import asyncio
import errno
import socket

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from emanet.core.errors import EmanetError, Reason, error
from services.runtime.health import HealthCheck, Latch
from tests.fakes.certificates import CertificateAuthority
from tests.fakes.small_service import PACKAGE, SmallInstallation, SmallServer, start_small_server

INFO = inventory_pb2.GetServiceInfoRequest(organization="cinar")
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def next_status(channel: aio.Channel, wanted: int) -> None:
    """Waits until the watched health is the wanted one."""
    watch = health_pb2_grpc.HealthStub(channel).Watch(
        health_pb2.HealthCheckRequest(service=PACKAGE)
    )
    async with asyncio.timeout(10):
        async for answer in watch:
            if answer.status == wanted:
                break
    watch.cancel()


async def read_on(server: SmallServer, watch) -> None:
    """Lets the watched service speak again and again until the stream ends."""
    async with asyncio.timeout(10):
        while True:
            server.servicer.ticks.put_nowait(None)
            await watch.read()


async def test_the_port_opens_when_all_else_is_ready(installation: SmallInstallation) -> None:
    """Whoever finds it open is served: the kernel takes connections as soon as it is bound."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    answers: list[int] = []

    async def knock() -> None:
        with socket.socket() as client:
            answers.append(client.connect_ex(address))

    server = await start_small_server(
        installation,
        health_checks=(HealthCheck(name="port", probe=knock),),
        listen=f"127.0.0.1:{address[1]}",
    )
    assert answers == [errno.ECONNREFUSED]
    await knock()
    assert answers[-1] == 0
    await server.stop()


async def test_health_follows_its_checks(installation: SmallInstallation) -> None:
    """NOT_SERVING until the dependency was reached once; NOT_SERVING again when a check breaks."""
    latch = Latch("access_audit")
    broken = asyncio.Event()

    async def probe() -> None:
        if broken.is_set():
            raise error(Reason.SECRET_UNUSABLE, secret="x")

    server = await start_small_server(
        installation, health_checks=(latch.check(), HealthCheck(name="secrets", probe=probe))
    )
    async with server.channel("/app/robot") as channel:
        await next_status(channel, NOT_SERVING)
        assert server.running.health.problems == ("access_audit: SERVICE_UNAVAILABLE",)
        latch.meet()
        await next_status(channel, SERVING)
        broken.set()
        await next_status(channel, NOT_SERVING)
        assert server.running.health.problems == ("secrets: SECRET_UNUSABLE",)
    await server.stop()


async def test_health_reports_a_lost_database(server: SmallServer) -> None:
    async with server.channel("/app/robot") as channel:
        await next_status(channel, SERVING)
        server.database.close()
        await next_status(channel, NOT_SERVING)


async def test_health_reports_a_database_file_that_was_exchanged(server: SmallServer) -> None:
    """SQLite would go on writing into the file that is no longer there."""
    path = server.installation.folder / "db" / "x.db"
    async with server.channel("/app/robot") as channel:
        await next_status(channel, SERVING)
        path.with_name("backup.db").write_bytes(path.read_bytes())
        path.with_name("backup.db").replace(path)
        await next_status(channel, NOT_SERVING)


async def test_reflection_lists_the_services(server: SmallServer) -> None:
    async with server.channel("/app/robot") as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        )
        answer = await call.read()
        call.cancel()
    names = {item.name for item in answer.list_services_response.service}
    assert {PACKAGE, "grpc.health.v1.Health"} <= names


async def test_drain_finishes_what_is_in_flight_and_refuses_the_rest(
    installation: SmallInstallation,
) -> None:
    server = await start_small_server(installation)
    entered, gate = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        entered.set()
        await gate.wait()

    server.servicer.work = work
    async with server.channel("/app/panel") as channel, server.channel("/app/panel") as late:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        first = asyncio.ensure_future(stub.GetServiceInfo(INFO, timeout=20))
        await entered.wait()
        stopping = asyncio.ensure_future(server.running.stop())
        await next_status(channel, NOT_SERVING)
        with pytest.raises(aio.AioRpcError) as raised:
            await inventory_pb2_grpc.InventoryServiceStub(late).GetServiceInfo(INFO, timeout=5)
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        gate.set()
        assert (await first).service == "cinar"
        await stopping
    server.database.close()


async def test_drain_sends_watchers_away_at_once(installation: SmallInstallation) -> None:
    """A watch has no end of its own: it is told to look elsewhere, and does not hold the drain."""
    server = await start_small_server(installation, drain_seconds=60)
    async with server.channel("/app/panel") as channel:
        watch = inventory_pb2_grpc.InventoryServiceStub(channel).WatchRegister(
            inventory_pb2.WatchRegisterRequest(parent="organizations/cinar")
        )
        await watch.read()
        async with asyncio.timeout(10):
            await server.stop()
        assert await watch.code() is grpc.StatusCode.UNAVAILABLE
    assert not server.servicer.watching.is_set()


async def test_drain_cancels_what_does_not_end_in_time(installation: SmallInstallation) -> None:
    """When stop returns no handler runs any more, so that nothing uses a closed database."""
    server = await start_small_server(installation, drain_seconds=0.1)
    entered, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    server.servicer.work = work
    async with server.channel("/app/panel") as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        call = asyncio.ensure_future(stub.GetServiceInfo(INFO, timeout=20))
        await entered.wait()
        await server.stop()
        assert ended.is_set()
        with pytest.raises(aio.AioRpcError):
            await call


async def test_renewed_certificate_is_used_without_a_restart(
    installation: SmallInstallation,
) -> None:
    """A new CA and certificate on disk hold for the next connection."""
    server = await start_small_server(installation)
    old_client = installation.principal("/app/panel")
    renewed = CertificateAuthority()
    (installation.folder / "ca.pem").write_bytes(renewed.pem)
    uri = "spiffe://dev.emanet.invalid/service/inventory"
    renewed.issue(uris=[uri]).write(installation.folder, "server")
    client = renewed.issue(uris=["spiffe://dev.emanet.invalid/app/panel"])
    async with installation.channel(server.running.endpoint, client, ca=renewed.pem) as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        assert (await stub.GetServiceInfo(INFO, timeout=5)).service == "cinar"
    async with installation.channel(server.running.endpoint, old_client, ca=renewed.pem) as channel:
        with pytest.raises(aio.AioRpcError) as raised:
            await inventory_pb2_grpc.InventoryServiceStub(channel).GetServiceInfo(INFO, timeout=5)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    await server.stop()


async def test_certificate_that_breaks_on_disk_leaves_the_last_good_one(
    installation: SmallInstallation,
) -> None:
    server = await start_small_server(installation)
    (installation.folder / "server.pem").write_text("no certificate")
    async with server.channel("/app/panel") as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        assert (await stub.GetServiceInfo(INFO, timeout=5)).service == "cinar"
    await server.stop()


async def test_server_does_not_start_on_files_that_do_not_fit(
    installation: SmallInstallation,
) -> None:
    other = installation.principal("/service/inventory")
    (installation.folder / "server.key").write_bytes(other.key_pem)
    with pytest.raises(EmanetError) as raised:
        await start_small_server(installation)
    assert raised.value.reason is Reason.CONFIG_INVALID


async def test_key_that_others_may_read_is_refused(installation: SmallInstallation) -> None:
    (installation.folder / "server.key").chmod(0o644)
    with pytest.raises(EmanetError) as raised:
        await start_small_server(installation)
    assert raised.value.reason is Reason.SECRET_UNUSABLE


async def test_watch_ends_when_the_watcher_is_revoked(installation: SmallInstallation) -> None:
    """A stream that outlives its caller's right stops at the next answer."""
    server = await start_small_server(installation)
    async with server.channel("/app/panel") as channel:
        watch = inventory_pb2_grpc.InventoryServiceStub(channel).WatchRegister(
            inventory_pb2.WatchRegisterRequest(parent="organizations/cinar")
        )
        await watch.read()
        text = installation.principals_path.read_text("utf-8")
        installation.principals_path.write_text(
            text.replace(
                "  panel: {organizations: [cinar], systems: [panel], token_client: panel}\n", ""
            ),
            "utf-8",
        )
        with pytest.raises(aio.AioRpcError) as raised:
            await read_on(server, watch)
        assert raised.value.code() is grpc.StatusCode.PERMISSION_DENIED
    await server.stop()
