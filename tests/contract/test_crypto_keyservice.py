"""The edge of KeyService: pages, names, grounds, and what a destruction shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emanet.api.crypto.v1 import keys_pb2, resources_pb2
from emanet.core.errors import EmanetError, Reason
from emanet.core.ids import new_uuid7
from services.crypto.paging import PageTokens
from services.crypto.servicer.keys import KeyServicer
from services.runtime.request import Caller, CallerKind, Request, bound_request
from tests.fakes.crypto_world import Replica, World

PARENT = "organizations/cinar"


@pytest.fixture
async def replica(database_url: str, tmp_path: Path) -> AsyncIterator[Replica]:
    async with World(database_url, tmp_path).replica() as made:
        yield made


@pytest.fixture
def keys(replica: Replica) -> KeyServicer:
    tokens = PageTokens(replica.keystore.page_key())
    return KeyServicer(destroying=replica.destroying, tokens=tokens)


def calling(name: str = "cli") -> Request:
    caller = Caller(CallerKind.APPLICATION, name, f"spiffe://dev.emanet.invalid/app/{name}", "f")
    return Request(rpc="x", request_id="r", organization="cinar", caller=caller, staff_token="t")


def erasure(replica: Replica, subject: str, **parts: object) -> keys_pb2.DestroySubjectRequest:
    values = {
        "organization": "cinar",
        "subject": subject,
        "ground": keys_pb2.DESTRUCTION_GROUND_SUBJECT_REQUEST,
        "request_id": str(new_uuid7(replica.clock)),
    }
    return keys_pb2.DestroySubjectRequest(**(values | parts))


async def refused(work: object) -> Reason:
    with pytest.raises(EmanetError) as failure:
        await work
    return failure.value.reason


async def test_pages_together_are_the_list_newest_first(
    replica: Replica, keys: KeyServicer
) -> None:
    """For every page size, nothing is left out and nothing comes twice."""
    with bound_request(calling()):
        names = []
        for number in range(5):
            request = erasure(replica, f"customers/{number}")
            names.append((await keys.DestroySubject(request, None)).destruction.name)
        for size in (1, 2, 5, 50):
            listed, token = [], ""
            while True:
                page = await keys.ListDestructions(
                    keys_pb2.ListDestructionsRequest(
                        parent=PARENT, page_size=size, page_token=token
                    ),
                    None,
                )
                assert len(page.destructions) <= size
                listed += [each.name for each in page.destructions]
                token = page.next_page_token
                if not token:
                    break
            assert listed == sorted(names, reverse=True)
    first = keys_pb2.ListDestructionsRequest(parent=PARENT, page_size=1)
    with bound_request(calling()):
        token = (await keys.ListDestructions(first, None)).next_page_token
    with bound_request(calling("panel")):
        first.page_token = token
        assert await refused(keys.ListDestructions(first, None)) is Reason.INVALID_PAGE_TOKEN


async def test_a_destruction_shows_its_plan(replica: Replica, keys: KeyServicer) -> None:
    """State, items with law, row and date, times and count; a preview has no name."""
    await replica.seal(field="customer.hobby")
    await replica.seal(field="invoice.address")
    with bound_request(calling()):
        preview = (
            await keys.DestroySubject(erasure(replica, "customers/7", validate_only=True), None)
        ).destruction
        assert (preview.name, preview.state) == (
            "",
            resources_pb2.DESTRUCTION_STATE_UNSPECIFIED,
        )
        made = (await keys.DestroySubject(erasure(replica, "customers/7"), None)).destruction
        read = (
            await keys.GetDestruction(keys_pb2.GetDestructionRequest(name=made.name), None)
        ).destruction
    assert read == made
    assert made.state == resources_pb2.DESTRUCTION_STATE_KEYS_DESTROYED
    assert (made.key_count, made.HasField("destroy_time")) == (1, True)
    kept, destroyed = sorted(made.items, key=lambda each: each.retention_class)
    assert list(preview.items) == list(made.items)
    assert destroyed.outcome == resources_pb2.DESTRUCTION_OUTCOME_DESTROYED
    assert kept.outcome == resources_pb2.DESTRUCTION_OUTCOME_KEPT
    assert kept.until_time.ToJsonString() == "2036-12-31T21:00:00Z"
    assert kept.row == "activities/billing/rows/0"


async def test_malformed_requests_are_refused(replica: Replica, keys: KeyServicer) -> None:
    """Each with its reason, before anything is stored."""
    bucket = keys_pb2.DestroyBucketRequest(
        organization="cinar", retention_class="short", request_id=str(new_uuid7(replica.clock))
    )
    with bound_request(calling()):
        for request, reason in (
            (erasure(replica, "customers/7", ground=0), Reason.INVALID_FIELD),
            (erasure(replica, "customers/7", request_id="1"), Reason.INVALID_FIELD),
            (erasure(replica, "nobody"), Reason.INVALID_SUBJECT),
            (erasure(replica, "customers/7", retention_classes=["A B"]), Reason.INVALID_FIELD),
            (erasure(replica, "customers/7", organization="kavak"), Reason.ORGANIZATION_MISSING),
        ):
            assert await refused(keys.DestroySubject(request, None)) is reason
        for month in ("open", "2026-13", "2026-1", ""):
            bucket.bucket = month
            assert await refused(keys.DestroyBucket(bucket, None)) is Reason.INVALID_FIELD
        other = keys_pb2.GetDestructionRequest(name=f"{PARENT}/fields/customer.email")
        assert await refused(keys.GetDestruction(other, None)) is Reason.INVALID_NAME
        gone = keys_pb2.GetDestructionRequest(
            name=f"{PARENT}/destructions/{new_uuid7(replica.clock)}"
        )
        assert await refused(keys.GetDestruction(gone, None)) is Reason.RESOURCE_NOT_FOUND
    assert await replica.destroying.list("cinar", before="", limit=10) == []
