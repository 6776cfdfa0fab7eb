"""The inventory as it is hosted: mTLS, staff tokens, streams, restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from grpc import aio

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc, resources_pb2
from emanet.client.channel import Credentials, open_aio_channel
from emanet.client.register_feed import FeedTimes, RegisterFeed
from emanet.client.status import error_from_rpc
from emanet.core import canonical
from emanet.core.clock import SystemClock
from emanet.core.errors import DeniedError, EmanetError, Reason, StateError
from emanet.core.ids import new_uuid7
from emanet.register.edits import plan
from emanet.register.values import empty_register, from_json, to_json
from services.inventory.config import InventorySettings
from services.inventory.server import DEFINITION
from services.runtime.command import Host, initialise, open_host
from services.runtime.serve import RunningServer, start_server
from tests.fakes.inventory_world import ORGANIZATION, register_of
from tests.fakes.register_source import MemorySink
from tests.fakes.small_service import SmallInstallation

PARENT = f"organizations/{ORGANIZATION}"
TIMEOUT_S = 10.0
QUICK = FeedTimes(first_delay_s=0.02, longest_delay_s=0.1)


@dataclass
class Hosted:
    """A running inventory, and the people and programs that call it."""

    installation: SmallInstallation
    host: Host[InventorySettings]
    running: RunningServer

    @classmethod
    async def start(cls, installation: SmallInstallation, *, listen: str = "localhost:0") -> Hosted:
        settings = InventorySettings(
            runtime=installation.settings(listen=listen), heartbeat_seconds=0.2, poll_seconds=0.1
        )
        with suppress(StateError):
            initialise(DEFINITION, settings)
        host = open_host(DEFINITION, settings, clock=SystemClock())
        with suppress(StateError):
            await DEFINITION.add_organization(host, ORGANIZATION)
        running = await start_server(
            DEFINITION.build(host),
            name="inventory",
            settings=settings.runtime,
            database=host.database,
            principals=host.principals,
            tokens=host.tokens,
            clock=host.clock,
        )
        return cls(installation, host, running)

    async def stop(self) -> None:
        await self.running.stop()
        self.host.database.close()

    def channel(self, path: str) -> aio.Channel:
        issued = self.installation.principal(path)
        credentials = Credentials(
            ca=self.installation.authority.pem, certificate=issued.cert_pem, key=issued.key_pem
        )
        port = self.running.endpoint.rpartition(":")[2]
        return open_aio_channel(f"127.0.0.1:{port}", credentials)

    def token(self, sub: str, *groups: str, **changes: object) -> tuple[tuple[str, str], ...]:
        token = self.installation.issuer.token(sub, groups=list(groups), **changes)
        return (("authorization", f"Bearer {token}"),)

    @property
    def dpo(self) -> tuple[tuple[str, str], ...]:
        return self.token("a1", "kvkk")

    @property
    def approver(self) -> tuple[tuple[str, str], ...]:
        return self.token("b1", "yonetim")


@pytest.fixture
async def hosted(tmp_path: Path) -> AsyncIterator[Hosted]:
    server = await Hosted.start(SmallInstallation(tmp_path / "installation"))
    yield server
    await server.stop()


async def _refusal(call) -> EmanetError:
    with pytest.raises(aio.AioRpcError) as refused:
        await call
    return error_from_rpc(refused.value)


def _request_id() -> str:
    return str(new_uuid7(SystemClock()))


async def _edit(stub, hosted: Hosted, word: str = "Müşteri paneli", *, metadata=None):
    """Makes the draft equal to the test manifest, with one label of its own."""
    metadata = metadata or hosted.dpo
    answer = await stub.GetDraft(
        inventory_pb2.GetDraftRequest(parent=PARENT), metadata=hosted.dpo, timeout=TIMEOUT_S
    )
    old = from_json(canonical.decode_object(answer.draft.register))
    document = to_json(register_of())
    document["systems"]["panel"]["tr"] = word
    return await stub.EditDraft(
        inventory_pb2.EditDraftRequest(
            parent=PARENT,
            etag=answer.draft.etag,
            request_id=_request_id(),
            edits=[
                resources_pb2.RegisterEdit(
                    kind=resources_pb2.EntityKind.Value(f"ENTITY_KIND_{edit.kind.name}"),
                    slug=edit.slug,
                    put=edit.put,
                )
                for edit in plan(old, from_json(document))
            ],
        ),
        metadata=metadata,
        timeout=TIMEOUT_S,
    )


async def _publish(hosted: Hosted, word: str = "Müşteri paneli") -> resources_pb2.RegisterVersion:
    """Edits and submits as the DPO, approves as the approver, from an application."""
    async with hosted.channel("/app/panel") as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        edited = await _edit(stub, hosted, word)
        submitted = await stub.SubmitDraft(
            inventory_pb2.SubmitDraftRequest(
                parent=PARENT, etag=edited.draft.etag, request_id=_request_id()
            ),
            metadata=hosted.dpo,
            timeout=TIMEOUT_S,
        )
        approved = await stub.ApproveVersion(
            inventory_pb2.ApproveVersionRequest(
                name=submitted.version.name,
                digest=submitted.version.digest,
                request_id=_request_id(),
            ),
            metadata=hosted.approver,
            timeout=TIMEOUT_S,
        )
    return approved.version


async def test_a_register_goes_from_edit_to_file_over_mtls(hosted: Hosted) -> None:
    """The whole path with real certificates and tokens: edit, submit, approve, read, export."""
    version = await _publish(hosted)
    assert version.state == resources_pb2.VERSION_STATE_EFFECTIVE
    async with hosted.channel("/app/panel") as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        info = await stub.GetServiceInfo(
            inventory_pb2.GetServiceInfoRequest(organization=ORGANIZATION), timeout=TIMEOUT_S
        )
        assert (info.service, info.mode, info.installation) == ("inventory", "dev", "test")
        assert info.organization_known
        listed = await stub.ListRegisterVersions(
            inventory_pb2.ListRegisterVersionsRequest(parent=PARENT), timeout=TIMEOUT_S
        )
        assert [each.digest for each in listed.versions] == [version.digest]
        request = inventory_pb2.ExportInventoryRequest(
            parent=PARENT,
            view=inventory_pb2.EXPORT_VIEW_VERBIS,
            format=inventory_pb2.EXPORT_FORMAT_XLSX,
        )
        call = stub.ExportInventory(request, metadata=hosted.dpo, timeout=TIMEOUT_S)
        parts = [part async for part in call]
    assert parts[0].file_name == "verbis-cinar-1.xlsx"
    assert b"".join(part.chunk for part in parts).startswith(b"PK")


async def test_duties_decide_who_edits_and_who_approves(hosted: Hosted) -> None:
    """An approver does not edit, a stale log-in does not approve, one person is not two."""
    async with hosted.channel("/app/panel") as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        failure = await _refusal(_edit(stub, hosted, metadata=hosted.approver))
        assert failure.reason is Reason.RPC_NOT_ALLOWED
        await _edit(stub, hosted)
        draft = await stub.GetDraft(
            inventory_pb2.GetDraftRequest(parent=PARENT),
            metadata=hosted.approver,
            timeout=TIMEOUT_S,
        )
        submitted = await stub.SubmitDraft(
            inventory_pb2.SubmitDraftRequest(
                parent=PARENT, etag=draft.draft.etag, request_id=_request_id()
            ),
            metadata=hosted.dpo,
            timeout=TIMEOUT_S,
        )
        approval = inventory_pb2.ApproveVersionRequest(
            name=submitted.version.name,
            digest=submitted.version.digest,
            request_id=_request_id(),
        )
        for metadata, reason in (
            (hosted.token("b1", "yonetim", auth_time=1), Reason.FRESH_LOGIN_REQUIRED),
            (hosted.token("a1", "kvkk", "yonetim"), Reason.SECOND_PERSON_REQUIRED),
            (hosted.dpo, Reason.RPC_NOT_ALLOWED),
            ((), Reason.TOKEN_MISSING),
        ):
            failure = await _refusal(
                stub.ApproveVersion(approval, metadata=metadata, timeout=TIMEOUT_S)
            )
            assert isinstance(failure, DeniedError)
            assert failure.reason is reason


async def test_findings_reach_the_caller_with_their_rules(hosted: Hosted) -> None:
    """A refused submission names count and rules in both languages' texts."""
    async with hosted.channel("/app/panel") as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        draft = await stub.GetDraft(
            inventory_pb2.GetDraftRequest(parent=PARENT), metadata=hosted.dpo, timeout=TIMEOUT_S
        )
        failure = await _refusal(
            stub.SubmitDraft(
                inventory_pb2.SubmitDraftRequest(
                    parent=PARENT, etag=draft.draft.etag, request_id=_request_id()
                ),
                metadata=hosted.dpo,
                timeout=TIMEOUT_S,
            )
        )
    assert failure.reason is Reason.REGISTER_FINDINGS
    assert failure.metadata["rules"] in failure.message_tr
    assert empty_register(ORGANIZATION).fields == {}


async def test_a_feed_follows_over_a_restart_of_the_inventory(tmp_path: Path) -> None:
    """The consumer keeps what it has, and hears of the next version by itself."""
    installation = SmallInstallation(tmp_path / "installation")
    hosted = await Hosted.start(installation)
    listen = hosted.running.endpoint
    sink = MemorySink()
    async with hosted.channel("/service/crypto") as channel:
        feed = RegisterFeed(
            organization=ORGANIZATION,
            channel=lambda: channel,
            sink=sink,
            clock=SystemClock(),
            times=QUICK,
        )
        task = asyncio.create_task(feed.run())
        first = await _publish(hosted)
        await sink.wait_for(lambda it: 1 in it.accepted)
        await hosted.stop()
        await sink.wait_for(lambda it: it.interruptions)
        hosted = await Hosted.start(installation, listen=listen)
        second = await _publish(hosted, "Yeni panel")
        await sink.wait_for(lambda it: 2 in it.accepted, within_s=20)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await hosted.stop()
    assert await sink.known() == {1: first.digest, 2: second.digest}
    assert not sink.refusals


async def test_a_stopping_server_does_not_wait_for_its_watchers(tmp_path: Path) -> None:
    """Open streams end when the drain begins, not when its time is over."""
    hosted = await Hosted.start(SmallInstallation(tmp_path / "installation"))
    async with hosted.channel("/service/access_audit") as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        call = stub.WatchRegister(inventory_pb2.WatchRegisterRequest(parent=PARENT))
        await call.read()
        async with asyncio.timeout(4.0):
            await hosted.stop()
        while await call.read() is not aio.EOF:
            pass
