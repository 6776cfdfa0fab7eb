"""kill -9 under load: what was acknowledged is stored once, and the log goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest
from grpc import aio
from sqlalchemy.engine import make_url

from emanet.api.access_audit.v1 import (
    access_audit_pb2,
    access_audit_pb2_grpc,
    log_pb2,
    log_pb2_grpc,
    resources_pb2,
)
from emanet.core.checkpoint import open_checkpoint, parse_vkey
from emanet.core.merkle import CompactRange, leaf_hash
from services.access_audit import storage
from services.access_audit.storage.log import LeafRow, LogKey
from services.runtime.database import Database
from services.runtime.primitives import ed25519_verify
from tests.fakes.access_audit_hosted import TIMEOUT_S, HostedAudit, request_id
from tests.fakes.access_audit_world import ORGANIZATION, PARENT, access_context, item

ROUNDS = {"sqlite": 5, "postgresql": 2}
CALLERS = 8


@pytest.fixture
async def ready(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[HostedAudit, str]]:
    """An organization with register and rules, and no service running."""
    hosted = HostedAudit.at(tmp_path / "installation", database_url=database_url)
    await hosted.start_inventory()
    await hosted.start_audit()
    await hosted.publish()
    await hosted.wait_for_register(1)
    await hosted.activate_rules()
    await hosted.audit.stop()
    hosted.audit = None
    yield hosted, database_url
    await hosted.stop()


@asynccontextmanager
async def _process(hosted: HostedAudit) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`python -m services.access_audit serve` as the operator starts it."""
    endpoint = hosted.installation.folder / "endpoint"
    endpoint.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.access_audit", "serve", "--endpoint-file", str(endpoint)),
        env={**os.environ, **hosted.audit_environment()},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            while not endpoint.exists():
                assert process.returncode is None
                await asyncio.sleep(0.02)
        yield process, endpoint.read_text().strip()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _load(
    hosted: HostedAudit,
    address: str,
    acknowledged: dict[str, resources_pb2.Receipt],
    *,
    stop: Callable[[], bool],
) -> None:
    """One caller: checks and records, remembering whatever was answered."""
    channel = hosted.dial("/app/panel", address)
    stub = access_audit_pb2_grpc.AccessAuditServiceStub(channel)
    staff = hosted.token("c1", "destek")
    try:
        while not stop():
            attempt, recorded = request_id(), request_id()
            answer = await stub.CheckAccess(
                access_audit_pb2.CheckAccessRequest(
                    organization=ORGANIZATION,
                    attempt_id=attempt,
                    context=access_context(),
                    action=resources_pb2.ACTION_READ,
                    items=[item()],
                ),
                metadata=staff,
                timeout=TIMEOUT_S,
            )
            acknowledged[attempt] = answer.receipt
            record = access_audit_pb2.RecordItem(
                id=recorded,
                context=access_context(),
                action=resources_pb2.ACTION_READ,
                items=[item()],
            )
            record.event_time.GetCurrentTime()
            batch = await stub.RecordAccess(
                access_audit_pb2.RecordAccessRequest(organization=ORGANIZATION, items=[record]),
                metadata=staff,
                timeout=TIMEOUT_S,
            )
            (result,) = batch.results
            acknowledged[recorded] = resources_pb2.Receipt(
                checkpoint=batch.checkpoint, index=result.index, leaf_hash=result.leaf_hash
            )
    except aio.AioRpcError as broken:
        if broken.code() is not grpc.StatusCode.UNAVAILABLE:
            raise
    finally:
        await channel.close()


def _stored(url: str) -> tuple[LeafRow, ...]:
    database = Database.open(url, pool_size=1)
    try:
        log = LogKey(ORGANIZATION, 1)
        return database.read_now(
            lambda c: tuple(storage.log.stream_leaves(c, log, start=0, end=10**9, with_data=True))
        )
    finally:
        database.close()


@pytest.mark.slow
async def test_killed_under_load_it_loses_and_doubles_nothing(
    ready: tuple[HostedAudit, str],
) -> None:
    """Acknowledged is stored, contiguous and once; the root is the one of the stored leaves."""
    hosted, url = ready
    acknowledged: dict[str, resources_pb2.Receipt] = {}
    for _ in range(ROUNDS[make_url(url).get_backend_name()]):
        before = len(acknowledged)
        async with _process(hosted) as (process, address):
            callers = [
                asyncio.create_task(
                    _load(
                        hosted, address, acknowledged, stop=lambda: process.returncode is not None
                    )
                )
                for _ in range(CALLERS)
            ]
            async with asyncio.timeout(30):
                while len(acknowledged) < before + 60:  # noqa: ASYNC110 (callers only add)
                    await asyncio.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            await asyncio.gather(*callers)
        rows = _stored(url)
        assert [row.idx for row in rows] == list(range(len(rows)))
        assert len({row.id for row in rows}) == len(rows)
        assert all(leaf_hash(row.data) == row.hash for row in rows)
        by_id = {row.id.hex(): row for row in rows}
        for key, receipt in acknowledged.items():
            row = by_id[key.replace("-", "")]
            assert (row.idx, row.hash) == (receipt.index, receipt.leaf_hash)
    async with _process(hosted) as (_, address):
        channel = hosted.dial("/app/panel", address)
        newest = await log_pb2_grpc.LogServiceStub(channel).GetCheckpoint(
            log_pb2.GetCheckpointRequest(parent=PARENT), timeout=TIMEOUT_S
        )
        await channel.close()
    vkey = parse_vkey(newest.vkey)
    checkpoint = open_checkpoint(newest.checkpoint, vkey, ed25519_verify)
    frontier = CompactRange()
    roots = {0: frontier.root()}
    for row in _stored(url):
        frontier = frontier.append(row.hash)
        roots[frontier.size] = frontier.root()
    assert (checkpoint.size, checkpoint.root) == (frontier.size, frontier.root())
    for receipt in acknowledged.values():
        signed = open_checkpoint(receipt.checkpoint, vkey, ed25519_verify)
        assert signed.root == roots[signed.size]
