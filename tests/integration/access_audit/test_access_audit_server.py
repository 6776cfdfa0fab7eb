"""The access audit as it is hosted: mTLS, staff tokens, the register feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from grpc import aio

from emanet.api.access_audit.v1 import access_audit_pb2, log_pb2, resources_pb2
from emanet.client.status import error_from_rpc
from emanet.core.checkpoint import open_checkpoint, parse_vkey
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import AccessLeaf, decode_leaf
from emanet.core.merkle import leaf_hash
from services.access_audit.server import DEFINITION as AUDIT
from services.runtime.primitives import ed25519_verify
from tests.fakes.access_audit_hosted import TIMEOUT_S, HostedAudit, request_id
from tests.fakes.access_audit_world import ORGANIZATION, PARENT, access_context, item, timestamp


@pytest.fixture
async def hosted(tmp_path: Path) -> AsyncIterator[HostedAudit]:
    both = HostedAudit.at(tmp_path / "installation")
    await both.start_inventory()
    await both.start_audit()
    yield both
    await both.stop()


async def _refusal(call) -> EmanetError:
    with pytest.raises(aio.AioRpcError) as refused:
        await call
    return error_from_rpc(refused.value)


def _put_cases(ref: str = "T-1") -> access_audit_pb2.PutCasesRequest:
    case = resources_pb2.Case(
        ref=resources_pb2.CaseRef(kind="ticket", ref=ref),
        subjects=["customers/7"],
        assignees=["s-044"],
        opened_by="customer",
        open_time=timestamp(datetime.now(UTC) - timedelta(hours=1)),
    )
    return access_audit_pb2.PutCasesRequest(
        organization=ORGANIZATION, request_id=request_id(), cases=[case]
    )


def _check(**changes: object) -> access_audit_pb2.CheckAccessRequest:
    return access_audit_pb2.CheckAccessRequest(
        organization=ORGANIZATION,
        attempt_id=request_id(),
        context=access_context(),
        action=resources_pb2.ACTION_READ,
        items=[item()],
        **changes,
    )


async def test_a_new_organization_goes_from_nothing_to_a_recorded_read(
    hosted: HostedAudit,
) -> None:
    """Add, register by the feed, rules, cases, read: each step says what is missing before it."""
    panel, desk = hosted.access("/app/panel"), hosted.access("/app/helpdesk")
    staff = hosted.token("c1", "destek")
    missing = await _refusal(panel.CheckAccess(_check(), metadata=staff, timeout=TIMEOUT_S))
    assert missing.reason is Reason.REGISTER_MISSING
    await hosted.publish()
    await hosted.wait_for_register(1)
    missing = await _refusal(panel.CheckAccess(_check(), metadata=staff, timeout=TIMEOUT_S))
    assert missing.reason is Reason.RULES_MISSING
    await hosted.activate_rules()
    denied = await panel.CheckAccess(_check(), metadata=staff, timeout=TIMEOUT_S)
    assert (denied.verdict, denied.reason) == (resources_pb2.VERDICT_DENY, "CASE_UNFIT")
    await desk.PutCases(_put_cases(), timeout=TIMEOUT_S)
    allowed = await panel.CheckAccess(_check(), metadata=staff, timeout=TIMEOUT_S)
    assert (allowed.verdict, allowed.reason) == (resources_pb2.VERDICT_ALLOW, "CASE")
    assert allowed.leaf == b""
    assert allowed.record.startswith(f"{PARENT}/accessRecords/")


async def test_crypto_gets_the_leaf_and_is_believed_about_the_application(
    hosted: HostedAudit,
) -> None:
    """Only /service/crypto may forward an application, and only with that application's token."""
    await hosted.publish()
    await hosted.wait_for_register(1)
    await hosted.activate_rules()
    await hosted.access("/app/helpdesk").PutCases(_put_cases(), timeout=TIMEOUT_S)
    crypto = hosted.access("/service/crypto")
    staff = hosted.token("c1", "destek")
    request = _check(application="panel", register_number=1)
    answer = await crypto.CheckAccess(request, metadata=staff, timeout=TIMEOUT_S)
    leaf = decode_leaf(answer.leaf)
    assert isinstance(leaf, AccessLeaf)
    assert (str(leaf.id), leaf.app, leaf.purpose) == (request.attempt_id, "panel", "support")
    assert leaf_hash(answer.leaf) == answer.receipt.leaf_hash
    log = hosted.log("/service/crypto")
    newest = await log.GetCheckpoint(log_pb2.GetCheckpointRequest(parent=PARENT), timeout=TIMEOUT_S)
    pinned = hosted.audit.host.settings.state_dir / f"{ORGANIZATION}.vkey"
    assert pinned.read_text() == f"{newest.vkey}\n"
    seen = open_checkpoint(answer.receipt.checkpoint, parse_vkey(newest.vkey), ed25519_verify)
    assert seen.size > answer.receipt.index

    other = await _refusal(
        crypto.CheckAccess(_check(application="helpdesk"), metadata=staff, timeout=TIMEOUT_S)
    )
    assert other.reason is Reason.TOKEN_INVALID
    skewed = _check(application="panel", register_number=2)
    refused = await _refusal(crypto.CheckAccess(skewed, metadata=staff, timeout=TIMEOUT_S))
    assert refused.reason is Reason.REGISTER_SKEW


async def test_what_the_table_does_not_give_is_refused(hosted: HostedAudit) -> None:
    """Cases of another's kind, leaves of keys and rules without duty: RPC_NOT_ALLOWED."""
    await hosted.publish()
    await hosted.wait_for_register(1)
    foreign = await _refusal(hosted.access("/app/panel").PutCases(_put_cases(), timeout=TIMEOUT_S))
    assert foreign.reason is Reason.RPC_NOT_ALLOWED
    keys = access_audit_pb2.RecordKeyEventRequest(
        organization=ORGANIZATION,
        id=request_id(),
        operation=access_audit_pb2.KEY_OPERATION_DESTROY_INTENT,
    )
    refused = await _refusal(hosted.access("/app/panel").RecordKeyEvent(keys, timeout=TIMEOUT_S))
    assert refused.reason is Reason.RPC_NOT_ALLOWED
    request = _check()
    request.context.actor = resources_pb2.ACTOR_KIND_APPLICATION
    asserted = await _refusal(hosted.access("/app/panel").CheckAccess(request, timeout=TIMEOUT_S))
    assert asserted.reason is Reason.ASSERTION_NOT_ALLOWED
    tokenless = await _refusal(hosted.access("/app/panel").CheckAccess(_check(), timeout=TIMEOUT_S))
    assert tokenless.reason is Reason.TOKEN_MISSING


async def test_decisions_go_on_while_the_inventory_is_away(hosted: HostedAudit) -> None:
    """The register here serves after a restart without the inventory, and health says so."""
    await hosted.publish()
    await hosted.wait_for_register(1)
    await hosted.activate_rules()
    await hosted.inventory.stop()
    await hosted.audit.stop()
    hosted.inventory = None
    await hosted.start_audit()
    staff = hosted.token("c1", "destek")
    answer = await hosted.access("/app/panel").CheckAccess(
        _check(), metadata=staff, timeout=TIMEOUT_S
    )
    assert answer.verdict == resources_pb2.VERDICT_DENY
    assert hosted.audit.server.health.problems == ()


async def test_an_organization_without_its_epoch_file_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    """It alone is refused and told in its status, until the file is back; no restart is needed."""
    hosted = HostedAudit.at(tmp_path / "installation")
    await hosted.start_inventory()
    await hosted.start_audit()
    assert hosted.audit is not None
    await AUDIT.add_organization(hosted.audit.host, "mese")
    epoch_file = hosted.audit_settings().epochs_dir / f"{ORGANIZATION}.json"
    await hosted.audit.stop()
    away = epoch_file.rename(tmp_path / "away.json")
    try:
        await hosted.start_audit()
        await hosted.publish()
        cli = hosted.access("/app/cli")

        async def warnings(organization: str) -> dict[str, int]:
            info = await cli.GetServiceInfo(
                access_audit_pb2.GetServiceInfoRequest(organization=organization),
                timeout=TIMEOUT_S,
            )
            return {warning.code: warning.count for warning in info.warnings}

        assert "SECRET_REFUSED" not in await warnings("mese")
        assert (await warnings(ORGANIZATION))["SECRET_REFUSED"] == 1
        away.rename(epoch_file)
        await hosted.wait_for_register(1)
    finally:
        await hosted.stop()


async def test_a_broken_principals_file_is_told(hosted: HostedAudit) -> None:
    """The old content stays in force, and the status says that it is not the one on disk."""
    path = hosted.installation.principals_path
    text = path.read_text(encoding="utf-8")
    cli = hosted.access("/app/cli")

    async def wait_until_told(expected: bool) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                if await is_told() is expected:
                    return
                await asyncio.sleep(0.05)

    async def is_told() -> bool:
        info = await cli.GetServiceInfo(
            access_audit_pb2.GetServiceInfoRequest(organization=ORGANIZATION), timeout=TIMEOUT_S
        )
        return "PRINCIPALS_REFUSED" in {warning.code for warning in info.warnings}

    assert not await is_told()
    for content, expected in ((f"{text}revoked: {{}}\n", True), (text, False)):
        path.write_text(content, encoding="utf-8")
        await wait_until_told(expected)
