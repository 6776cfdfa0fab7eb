"""The inventory as a process that is killed: what was acknowledged stays, nothing happens twice."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from google.protobuf.message import Message
from grpc import aio

from emanet.api.inventory.v1 import inventory_pb2, inventory_pb2_grpc, resources_pb2
from emanet.core import canonical
from emanet.core.clock import SystemClock
from emanet.core.ids import new_uuid7
from emanet.register.edits import plan
from emanet.register.snapshot import verify_version
from emanet.register.values import Register, from_json, to_json
from tests.fakes.inventory_world import ORGANIZATION, register_of
from tests.fakes.small_service import SmallInstallation

ROOT = Path(__file__).parents[3]
PARENT = f"organizations/{ORGANIZATION}"
VERSIONS = 4
TIMEOUT_S = 10.0


class KilledInventory:
    """`python -m services.inventory serve`, killed and started again as the test wants."""

    def __init__(self, installation: SmallInstallation, database_url: str) -> None:
        self.installation = installation
        folder = installation.folder
        (folder / "database_url").write_text(database_url, encoding="utf-8")
        values = {
            "MODE": "dev",
            "INSTALLATION": "test",
            "LISTEN": "localhost:0",
            "CERT_FILE": str(folder / "server.pem"),
            "KEY_FILE": str(folder / "server.key"),
            "CA_FILE": str(folder / "ca.pem"),
            "PRINCIPALS_FILE": str(installation.principals_path),
            "VAR_DIR": str(folder / "var"),
            "DATABASE_URL_FILE": str(folder / "database_url"),
        }
        self._environment = {
            "PATH": os.environ["PATH"],
            **{f"EMANET_RUNTIME_{name}": value for name, value in values.items()},
        }
        self._process: asyncio.subprocess.Process | None = None
        self.kills = 0

    async def command(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.inventory",
            *arguments,
            cwd=ROOT,
            env=self._environment,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def start(self) -> str:
        endpoint = self.installation.folder / "endpoint"
        endpoint.unlink(missing_ok=True)
        self._process = await self.command("serve", "--endpoint-file", str(endpoint))
        async with asyncio.timeout(30):
            while not endpoint.exists():
                assert self._process.returncode is None
                await asyncio.sleep(0.02)
        return endpoint.read_text().strip()

    async def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        self.kills += 1

    def metadata(self, sub: str, group: str) -> tuple[tuple[str, str], ...]:
        token = self.installation.issuer.token(sub, groups=[group])
        return (("authorization", f"Bearer {token}"),)


@asynccontextmanager
async def _connected(inventory: KilledInventory, endpoint: str) -> AsyncIterator[object]:
    channel = inventory.installation.channel(
        endpoint, inventory.installation.principal("/app/panel")
    )
    async with channel:
        yield inventory_pb2_grpc.InventoryServiceStub(channel)


class Caller:
    """Sends a request until it is answered; at the chosen steps the server dies meanwhile."""

    def __init__(self, inventory: KilledInventory, endpoint: str, kill_at: frozenset[int]) -> None:
        self._inventory = inventory
        self._endpoint = endpoint
        self._kill_at = kill_at
        self._step = 0

    async def send(self, method: str, request: Message, *, sub: str, group: str) -> Message:
        self._step += 1
        kills = self._step in self._kill_at
        while True:
            async with _connected(self._inventory, self._endpoint) as stub:
                metadata = self._inventory.metadata(sub, group)
                call = asyncio.ensure_future(_call(stub, method, request, metadata))
                if kills:
                    kills = False
                    await asyncio.sleep(0.001 * self._step)
                    await self._inventory.kill()
                    (answer,) = await asyncio.gather(call, return_exceptions=True)
                    self._endpoint = await self._inventory.start()
                    if not isinstance(answer, aio.AioRpcError):
                        return answer
                    continue
                return await call

    async def draft(self) -> resources_pb2.Draft:
        answer = await self.send(
            "GetDraft", inventory_pb2.GetDraftRequest(parent=PARENT), sub="a1", group="kvkk"
        )
        return answer.draft


async def _call(stub, method: str, request: Message, metadata) -> Message:
    return await getattr(stub, method)(request, metadata=metadata, timeout=TIMEOUT_S)


def _edits(draft: resources_pb2.Draft, word: str) -> list[resources_pb2.RegisterEdit]:
    document = to_json(register_of())
    document["systems"]["panel"]["tr"] = word
    old: Register = from_json(canonical.decode_object(draft.register))
    return [
        resources_pb2.RegisterEdit(
            kind=resources_pb2.EntityKind.Value(f"ENTITY_KIND_{edit.kind.name}"),
            slug=edit.slug,
            put=edit.put,
        )
        for edit in plan(old, from_json(document))
    ]


def _request_id() -> str:
    return str(new_uuid7(SystemClock()))


async def _publish(caller: Caller, word: str) -> None:
    draft = await caller.draft()
    edited = await caller.send(
        "EditDraft",
        inventory_pb2.EditDraftRequest(
            parent=PARENT,
            etag=draft.etag,
            request_id=_request_id(),
            edits=_edits(draft, word),
        ),
        sub="a1",
        group="kvkk",
    )
    submitted = await caller.send(
        "SubmitDraft",
        inventory_pb2.SubmitDraftRequest(
            parent=PARENT, etag=edited.draft.etag, request_id=_request_id()
        ),
        sub="a1",
        group="kvkk",
    )
    await caller.send(
        "ApproveVersion",
        inventory_pb2.ApproveVersionRequest(
            name=submitted.version.name,
            digest=submitted.version.digest,
            request_id=_request_id(),
        ),
        sub="b1",
        group="yonetim",
    )


async def _verify_chain(caller: Caller, inventory: KilledInventory) -> list[bytes]:
    """Reads every version and verifies that each follows the one before."""
    digests: list[bytes] = []
    async with _connected(inventory, caller._endpoint) as stub:
        for number in range(1, VERSIONS + 1):
            request = inventory_pb2.GetRegisterVersionRequest(
                name=f"{PARENT}/registerVersions/{number}"
            )
            parts = [part async for part in stub.GetRegisterVersion(request, timeout=TIMEOUT_S)]
            verified = verify_version(
                b"".join(part.chunk for part in parts),
                parts[0].approval,
                organization=ORGANIZATION,
                previous=digests[-1] if digests else None,
            )
            digests.append(verified.digest)
        listed = await stub.ListRegisterVersions(
            inventory_pb2.ListRegisterVersionsRequest(parent=PARENT), timeout=TIMEOUT_S
        )
    assert [version.digest for version in listed.versions] == digests[::-1]
    return digests


async def test_kill_9_loses_and_doubles_nothing(tmp_path: Path, database_url: str) -> None:
    """Killed while it edits, submits and approves, and asked again with the same request ids.

    Every version is there once, in an unbroken chain, and the service comes back by itself.
    """
    inventory = KilledInventory(SmallInstallation(tmp_path / "installation"), database_url)
    assert await (await inventory.command("init", ORGANIZATION)).wait() == 0
    caller = Caller(inventory, await inventory.start(), frozenset({2, 7, 12, 15, 16}))
    for index in range(VERSIONS):
        await _publish(caller, f"Panel {index}")
    await _verify_chain(caller, inventory)
    assert inventory.kills == 5
    await inventory.kill()


@pytest.mark.parametrize("arguments", [("serve",), ("add-organization", "mese")])
async def test_a_server_without_its_page_secret_does_not_start(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """A root secret that is gone is never made anew over existing data."""
    installation = SmallInstallation(tmp_path / "installation")
    inventory = KilledInventory(installation, f"sqlite:///{tmp_path / 'db' / 'x.db'}")
    assert await (await inventory.command("init", ORGANIZATION)).wait() == 0
    (installation.folder / "var" / "inventory" / "secrets" / "page_key").unlink()
    assert await (await inventory.command(*arguments)).wait() == 1
    assert not (installation.folder / "var" / "inventory" / "secrets" / "page_key").exists()
