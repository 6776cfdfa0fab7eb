"""crypto as it is hosted: three real services, mTLS, staff tokens, a durable record each time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from grpc import aio

from emanet.api.access_audit.v1 import log_pb2, resources_pb2
from emanet.api.crypto.v1 import keys_pb2
from emanet.api.crypto.v1 import resources_pb2 as key_resources
from emanet.client.status import error_from_rpc, error_from_status
from emanet.core import canonical
from emanet.core.errors import EmanetError, Reason
from tests.fakes.access_audit_hosted import TIMEOUT_S, request_id
from tests.fakes.access_audit_world import ORGANIZATION, PARENT
from tests.fakes.crypto_hosted import HostedCrypto, decrypt_request, encrypt_request


@pytest.fixture
async def hosted(tmp_path: Path) -> AsyncIterator[HostedCrypto]:
    all_three = HostedCrypto.at(tmp_path / "installation")
    all_three.changes["max_deadline_seconds"] = 5.0
    await all_three.start_all()
    yield all_three
    await all_three.stop()


@pytest.fixture
async def ready(hosted: HostedCrypto) -> HostedCrypto:
    """A register in effect everywhere, active rules, and an open ticket about customers/7."""
    await hosted.prepare()
    await hosted.wait_for_crypto_register(1)
    return hosted


async def refusal(call: Awaitable[object]) -> EmanetError:
    with pytest.raises(aio.AioRpcError) as refused:
        await call
    return error_from_rpc(refused.value)


async def sealed(hosted: HostedCrypto, *values: str, **parts: str) -> list[bytes]:
    answer = await hosted.cryptos("/app/panel").Encrypt(
        encrypt_request(*values, **parts), timeout=TIMEOUT_S
    )
    assert not any(result.status.code for result in answer.results), answer.results[0].status
    return [result.envelope for result in answer.results]


async def test_a_value_is_opened_for_an_open_case_and_proven_in_the_log(
    ready: HostedCrypto,
) -> None:
    """Encrypt, decrypt with token, purpose and case; the receipt's leaf is in the log."""
    (envelope,) = await sealed(ready, "ayşe@example.com")
    staff = ready.token("c1", "destek")
    answer = await ready.cryptos("/app/panel").Decrypt(
        decrypt_request(envelope), metadata=staff, timeout=TIMEOUT_S
    )
    assert answer.results[0].value.text == "ayşe@example.com"
    assert answer.record.startswith(f"{PARENT}/accessRecords/")
    proof = await ready.log("/app/cli").GetInclusionProof(
        log_pb2.GetInclusionProofRequest(parent=PARENT, index=answer.receipt.index),
        timeout=TIMEOUT_S,
    )
    assert proof.leaf_hash == answer.receipt.leaf_hash
    masked = await ready.cryptos("/app/panel").Decrypt(
        decrypt_request(envelope, action=resources_pb2.ACTION_READ_MASKED),
        metadata=staff,
        timeout=TIMEOUT_S,
    )
    assert masked.results[0].value.text == "a***@e******.com"


async def test_the_history_of_the_log_gets_proven_behind_the_answers(ready: HostedCrypto) -> None:
    """Within the interval crypto has proof that the log only grew."""
    (envelope,) = await sealed(ready, "ayşe@example.com")
    for _ in range(3):
        answer = await ready.cryptos("/app/panel").Decrypt(
            decrypt_request(envelope), metadata=ready.token("c1", "destek"), timeout=TIMEOUT_S
        )
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                info = await ready.wait_for_crypto_register(1)
                if info.log_size > answer.receipt.index:
                    break
                await asyncio.sleep(0.02)


async def test_what_the_rules_do_not_give_stays_closed(ready: HostedCrypto) -> None:
    """Another person's value, a purpose that is not declared, no case, no token: refused."""
    (own,) = await sealed(ready, "ayşe@example.com")
    (other,) = await sealed(ready, "veli@example.com", subject="customers/8")
    panel, staff = ready.cryptos("/app/panel"), ready.token("c1", "destek")
    cases = {
        Reason.CASE_UNFIT: (decrypt_request(own, other), staff),
        Reason.CASE_REQUIRED: (decrypt_request(own, case=""), staff),
        Reason.PURPOSE_NOT_DECLARED: (decrypt_request(own, purpose="security"), staff),
        Reason.ROLE_NOT_ALLOWED: (decrypt_request(own), ready.token("c1", "muhasebe")),
        Reason.TOKEN_MISSING: (decrypt_request(own), ()),
    }
    for reason, (request, metadata) in cases.items():
        refused = await refusal(panel.Decrypt(request, metadata=metadata, timeout=TIMEOUT_S))
        assert refused.reason is reason
        if reason is not Reason.TOKEN_MISSING:
            assert refused.metadata["record"].startswith(f"{PARENT}/accessRecords/")


async def test_audit_down_means_no_plaintext_and_encrypt_goes_on(ready: HostedCrypto) -> None:
    """Down: UNAVAILABLE within the deadline; back on another port is not needed: it recovers."""
    (envelope,) = await sealed(ready, "ayşe@example.com")
    assert ready.audit is not None
    port = ready.audit.server.endpoint
    await ready.audit.stop()
    started = asyncio.get_running_loop().time()
    refused = await refusal(
        ready.cryptos("/app/panel").Decrypt(
            decrypt_request(envelope), metadata=ready.token("c1", "destek"), timeout=3.0
        )
    )
    assert refused.reason is Reason.AUDIT_UNAVAILABLE
    assert asyncio.get_running_loop().time() - started < 3.0
    assert len(await sealed(ready, "veli@example.com")) == 1
    ready.audit = None
    await ready.start_audit_at(port)
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            try:
                answer = await ready.cryptos("/app/panel").Decrypt(
                    decrypt_request(envelope), metadata=ready.token("c1", "destek"), timeout=3.0
                )
                break
            except aio.AioRpcError:
                await asyncio.sleep(0.1)
    assert answer.results[0].value.text == "ayşe@example.com"


async def test_an_erasure_request_ends_with_a_receipt_in_the_log(ready: HostedCrypto) -> None:
    """The DPO's request: marketing destroyed, the contract's class refused, receipt by itself."""
    (hobby,) = await sealed(ready, "satranç", field="customer.hobby")
    (email,) = await sealed(ready, "ayşe@example.com")
    keys, dpo = ready.keys("/app/cli"), ready.token("a1", "kvkk", azp="emanet-cli")
    request = keys_pb2.DestroySubjectRequest(
        organization=ORGANIZATION,
        subject="customers/7",
        ground=keys_pb2.DESTRUCTION_GROUND_SUBJECT_REQUEST,
        request_id=request_id(),
    )
    answer = await keys.DestroySubject(request, metadata=dpo, timeout=TIMEOUT_S)
    outcomes = {item.retention_class: item.outcome for item in answer.destruction.items}
    assert outcomes == {
        "consent": key_resources.DESTRUCTION_OUTCOME_DESTROYED,
        "consent+contract": key_resources.DESTRUCTION_OUTCOME_REFUSED,
    }
    panel, staff = ready.cryptos("/app/panel"), ready.token("c1", "destek")
    kept = await panel.Decrypt(decrypt_request(email), metadata=staff, timeout=TIMEOUT_S)
    assert kept.results[0].value.text == "ayşe@example.com"
    opened = await panel.Decrypt(
        decrypt_request(hobby, field="customer.hobby", purpose="advice", case=""),
        metadata=staff,
        timeout=TIMEOUT_S,
    )
    destroyed = error_from_status(opened.results[0].status)
    assert destroyed.reason is Reason.KEY_DESTROYED
    assert destroyed.metadata["destruction"] == answer.destruction.name
    async with asyncio.timeout(20):
        while True:
            found = await keys.GetDestruction(
                keys_pb2.GetDestructionRequest(name=answer.destruction.name),
                metadata=dpo,
                timeout=TIMEOUT_S,
            )
            if found.destruction.state == key_resources.DESTRUCTION_STATE_RECEIPTED:
                break
            await asyncio.sleep(0.1)
    receipt = canonical.decode_object(found.destruction.receipt)
    proof = await ready.log("/app/cli").GetInclusionProof(
        log_pb2.GetInclusionProofRequest(parent=PARENT, index=receipt["log"][0]["index"]),
        timeout=TIMEOUT_S,
    )
    assert receipt["destruction"] == answer.destruction.name
    assert len(proof.leaf_hash) == 32
    listed = await keys.ListDestructions(
        keys_pb2.ListDestructionsRequest(parent=PARENT), metadata=dpo, timeout=TIMEOUT_S
    )
    assert [each.name for each in listed.destructions] == [answer.destruction.name]


async def test_destruction_wants_the_dpo_and_a_fresh_login(ready: HostedCrypto) -> None:
    """Another duty or a stale log-in is refused before anything is looked at."""
    keys = ready.keys("/app/cli")
    request = keys_pb2.DestroySubjectRequest(
        organization=ORGANIZATION,
        subject="customers/7",
        ground=keys_pb2.DESTRUCTION_GROUND_SUBJECT_REQUEST,
        request_id=request_id(),
    )
    support = ready.token("c1", "destek", azp="emanet-cli")
    stale = ready.token(
        "a1", "kvkk", azp="emanet-cli", auth_time=int(datetime.now(UTC).timestamp()) - 600
    )
    for metadata, reason in (
        (support, Reason.RPC_NOT_ALLOWED),
        (stale, Reason.FRESH_LOGIN_REQUIRED),
        ((), Reason.TOKEN_MISSING),
    ):
        refused = await refusal(keys.DestroySubject(request, metadata=metadata, timeout=TIMEOUT_S))
        assert refused.reason is reason


async def test_without_a_register_encrypt_says_so(hosted: HostedCrypto) -> None:
    """REGISTER_MISSING, per organization; health is about the process and serves."""
    refused = await refusal(
        hosted.cryptos("/app/panel").Encrypt(encrypt_request("x"), timeout=TIMEOUT_S)
    )
    assert refused.reason is Reason.REGISTER_MISSING
    assert hosted.crypto is not None
    await hosted.crypto.server.health.run_once()
    assert hosted.crypto.server.health.problems == ()
