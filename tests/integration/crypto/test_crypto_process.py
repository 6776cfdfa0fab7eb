"""crypto as a process: refused secrets, kill -9 under load, kill -9 inside a destruction."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from grpc import aio

from emanet.api.crypto.v1 import crypto_pb2, crypto_pb2_grpc, keys_pb2, keys_pb2_grpc
from emanet.api.crypto.v1 import resources_pb2 as key_resources
from emanet.client.channel import Credentials, open_aio_channel
from emanet.client.status import error_from_status
from emanet.core.errors import Reason
from emanet.core.leaf import KeyLeaf, decode_leaf
from services.access_audit.tables import leaves
from tests.fakes.access_audit_hosted import TIMEOUT_S, request_id
from tests.fakes.access_audit_world import ORGANIZATION
from tests.fakes.crypto_hosted import HostedCrypto, decrypt_request, encrypt_request

ROOT = Path(__file__).parents[3]
LOST_SECRETS = ("secrets/kek_passphrase", "secrets/lookup_key", "epochs/cinar.json")


class CryptoProcess:
    """`python -m services.crypto`, started and killed as the test wants."""

    def __init__(self, hosted: HostedCrypto, database_url: str) -> None:
        self.hosted = hosted
        self.rounds = 5 if database_url.startswith("sqlite") else 2
        folder = hosted.installation.folder
        (folder / "database_url").write_text(database_url, encoding="utf-8")
        runtime = {
            "MODE": "dev",
            "INSTALLATION": "test",
            "LISTEN": "localhost:0",
            "CERT_FILE": str(folder / "crypto.pem"),
            "KEY_FILE": str(folder / "crypto.key"),
            "CA_FILE": str(folder / "ca.pem"),
            "PRINCIPALS_FILE": str(hosted.installation.principals_path),
            "VAR_DIR": str(folder / "var"),
            "DATABASE_URL_FILE": str(folder / "database_url"),
            "KDF_ITERATIONS": "1",
            "KDF_LANES": "1",
            "KDF_MEMORY_KIB": "8",
            "MAX_DEADLINE_SECONDS": "2",
        }
        own = {
            "ACCESS_AUDIT_TARGET": hosted.audit.server.endpoint,
            "INVENTORY_TARGET": hosted.inventory.server.endpoint,
            "DESTRUCTION_INTERVAL_SECONDS": "0.05",
        }
        self._environment = {
            "PATH": os.environ["PATH"],
            **{f"EMANET_RUNTIME_{name}": value for name, value in runtime.items()},
            **{f"EMANET_CRYPTO_{name}": value for name, value in own.items()},
        }
        self.folder = folder / "var" / "crypto"
        self._process: asyncio.subprocess.Process | None = None
        self.endpoint = ""

    async def command(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.crypto",
            *arguments,
            cwd=ROOT,
            env=self._environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str) -> tuple[int, str]:
        process = await self.command(*arguments)
        _, output = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def set_up(self) -> None:
        pinned = self.hosted.audit.host.settings.state_dir / f"{ORGANIZATION}.vkey"
        done, output = await self.run("init", ORGANIZATION, "--vkey-file", str(pinned))
        assert done == 0, output

    async def start(self) -> None:
        endpoint = self.hosted.installation.folder / "crypto_endpoint"
        endpoint.unlink(missing_ok=True)
        self._process = await self.command("serve", "--endpoint-file", str(endpoint))
        async with asyncio.timeout(30):
            while not endpoint.exists():
                assert self._process.returncode is None, await self._process.stderr.read()
                await asyncio.sleep(0.02)
        self.endpoint = endpoint.read_text().strip()

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()

    @asynccontextmanager
    async def channel(self, path: str = "/app/panel") -> AsyncIterator[aio.Channel]:
        issued = self.hosted.installation.principal(path)
        credentials = Credentials(
            ca=self.hosted.installation.authority.pem,
            certificate=issued.cert_pem,
            key=issued.key_pem,
        )
        port = self.endpoint.rpartition(":")[2]
        async with open_aio_channel(f"127.0.0.1:{port}", credentials) as channel:
            yield channel

    async def wait_for_register(self) -> None:
        async with self.channel() as channel, asyncio.timeout(TIMEOUT_S):
            stub = crypto_pb2_grpc.CryptoServiceStub(channel)
            request = crypto_pb2.GetServiceInfoRequest(organization=ORGANIZATION)
            while True:
                if (await stub.GetServiceInfo(request, timeout=5)).register_number == 1:
                    return
                await asyncio.sleep(0.05)


@asynccontextmanager
async def prepared(folder: Path, database_url: str) -> AsyncIterator[CryptoProcess]:
    hosted = HostedCrypto.at(folder / "installation")
    await hosted.start_inventory()
    await hosted.start_audit()
    await hosted.prepare()
    crypto = CryptoProcess(hosted, database_url)
    await crypto.set_up()
    yield crypto
    await crypto.kill()
    await hosted.stop()


@pytest.fixture
async def process(tmp_path: Path, database_url: str) -> AsyncIterator[CryptoProcess]:
    async with prepared(tmp_path, database_url) as crypto:
        yield crypto


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[CryptoProcess]:
    """A process over SQLite, where the database makes no difference."""
    async with prepared(tmp_path, f"sqlite:///{tmp_path / 'db' / 'crypto.db'}") as crypto:
        yield crypto


async def test_a_wrong_or_missing_secret_refuses_to_serve_and_makes_nothing(
    local: CryptoProcess,
) -> None:
    """Passphrase, lookup key, epoch file: gone or another's, `serve` ends with SECRET_UNUSABLE."""
    for name in LOST_SECRETS:
        path = local.folder / name
        content = path.read_bytes()
        path.unlink()
        status, output = await local.run("serve")
        assert (status, Reason.SECRET_UNUSABLE.value in output) == (1, True), name
        assert not path.exists()
        if not name.startswith("epochs"):
            path.write_bytes(b"A" * 43)
            path.chmod(0o600)
            status, output = await local.run("serve")
            assert (status, Reason.SECRET_UNUSABLE.value in output) == (1, True), name
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)
    await local.start()


async def test_init_and_add_organization_refuse_what_exists(local: CryptoProcess) -> None:
    """Neither touches a database or an organization that holds data."""
    pinned = local.hosted.audit.host.settings.state_dir / f"{ORGANIZATION}.vkey"
    for arguments in (("init",), ("add-organization", ORGANIZATION, "--vkey-file", str(pinned))):
        status, output = await local.run(*arguments)
        assert status == 1
        assert Reason.ALREADY_INITIALISED.value in output
    status, output = await local.run("add-organization", "mese", "--vkey-file", str(pinned))
    assert status == 2
    assert Reason.CONFIG_INVALID.value in output


@pytest.mark.slow
async def test_kill_under_load_loses_no_acknowledged_value(process: CryptoProcess) -> None:
    """Every envelope that was answered opens after any number of kills."""
    acknowledged: dict[bytes, str] = {}
    await process.start()
    await process.wait_for_register()
    for round_number in range(process.rounds):
        load = asyncio.ensure_future(_encrypt_until_broken(process, round_number, acknowledged))
        await asyncio.sleep(0.15 + 0.07 * round_number)
        await process.kill()
        await load
        await process.start()
    assert acknowledged
    await process.wait_for_register()
    staff = process.hosted.token("c1", "destek")
    async with process.channel() as channel:
        stub = crypto_pb2_grpc.CryptoServiceStub(channel)
        envelopes = list(acknowledged)
        for start in range(0, len(envelopes), 500):
            part = envelopes[start : start + 500]
            answer = await stub.Decrypt(
                decrypt_request(*part, field="customer.hobby", purpose="advice", case=""),
                metadata=staff,
                timeout=2.0,
                wait_for_ready=True,
            )
            opened = [result.value.text for result in answer.results]
            assert opened == [acknowledged[envelope] for envelope in part]


async def _encrypt_until_broken(
    process: CryptoProcess, round_number: int, acknowledged: dict[bytes, str]
) -> None:
    async with process.channel() as channel:
        stub = crypto_pb2_grpc.CryptoServiceStub(channel)
        for number in range(10_000):
            values = [f"{round_number}-{number}-{index}" for index in range(5)]
            subject = f"customers/{round_number}-{number}"
            request = encrypt_request(*values, field="customer.hobby", subject=subject)
            try:
                answer = await stub.Encrypt(request, timeout=2.0)
            except aio.AioRpcError:
                return
            for value, result in zip(values, answer.results, strict=True):
                assert not result.status.code, error_from_status(result.status)
                acknowledged[result.envelope] = value


@pytest.mark.slow
async def test_kill_inside_a_destruction_ends_in_one_receipt(process: CryptoProcess) -> None:
    """Killed again and again while it runs: the worker finishes, once; survivors open."""
    await process.start()
    await process.wait_for_register()
    async with process.channel() as channel:
        stub = crypto_pb2_grpc.CryptoServiceStub(channel)
        hobby = await stub.Encrypt(encrypt_request("satranç", field="customer.hobby"), timeout=2)
        email = await stub.Encrypt(encrypt_request("ayşe@example.com"), timeout=2)
    name = await _destroy_with_kills(process)
    receipted = await _wait_for_receipt(process, name)
    assert receipted.key_count == 1
    staff = process.hosted.token("c1", "destek")
    async with process.channel() as channel:
        stub = crypto_pb2_grpc.CryptoServiceStub(channel)
        kept = await stub.Decrypt(
            decrypt_request(email.results[0].envelope), metadata=staff, timeout=2
        )
        assert kept.results[0].value.text == "ayşe@example.com"
        gone = await stub.Decrypt(
            decrypt_request(
                hobby.results[0].envelope, field="customer.hobby", purpose="advice", case=""
            ),
            metadata=staff,
            timeout=2,
        )
        assert error_from_status(gone.results[0].status).reason is Reason.KEY_DESTROYED
    rows = process.hosted.audit.host.database.read_now(_key_leaves)
    assert rows == ["destroy_intent", "epoch", "destroyed"]


def _key_leaves(connection: object) -> list[str]:
    found = connection.execute(leaves.select().order_by(leaves.c.idx)).mappings()
    values = [decode_leaf(row["data"]) for row in found]
    return [leaf.operation.value for leaf in values if isinstance(leaf, KeyLeaf)]


async def _destroy_with_kills(process: CryptoProcess) -> str:
    request = keys_pb2.DestroySubjectRequest(
        organization=ORGANIZATION,
        subject="customers/7",
        ground=keys_pb2.DESTRUCTION_GROUND_SUBJECT_REQUEST,
        request_id=request_id(),
    )
    for delay in (0.01, 0.03, 0.06):
        call = asyncio.ensure_future(_destroy(process, request))
        await asyncio.sleep(delay)
        await process.kill()
        await call
        await process.start()
    async with asyncio.timeout(30):
        while True:
            name = await _destroy(process, request)
            if name:
                return name
            await asyncio.sleep(0.1)


async def _destroy(process: CryptoProcess, request: keys_pb2.DestroySubjectRequest) -> str:
    dpo = process.hosted.token("a1", "kvkk", azp="emanet-cli")
    async with process.channel("/app/cli") as channel:
        stub = keys_pb2_grpc.KeyServiceStub(channel)
        try:
            answer = await stub.DestroySubject(request, metadata=dpo, timeout=2)
        except aio.AioRpcError:
            return ""
        return answer.destruction.name


async def _wait_for_receipt(process: CryptoProcess, name: str) -> key_resources.Destruction:
    dpo = process.hosted.token("a1", "kvkk", azp="emanet-cli")
    for delay in (0.05, 0.3):
        await asyncio.sleep(delay)
        await process.kill()
        await process.start()
    async with process.channel("/app/cli") as channel, asyncio.timeout(60):
        stub = keys_pb2_grpc.KeyServiceStub(channel)
        while True:
            answer = await stub.GetDestruction(
                keys_pb2.GetDestructionRequest(name=name), metadata=dpo, timeout=2
            )
            if answer.destruction.state == key_resources.DESTRUCTION_STATE_RECEIPTED:
                return answer.destruction
            await asyncio.sleep(0.1)
