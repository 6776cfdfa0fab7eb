"""The small parts of crypto: associated data, pair cache, proofs, plans as bytes, page tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.core.encoding import b64url_decode, b64url_encode
from emanet.core.envelope import HEADER_BYTES, ValueType, aad, header_start
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import (
    AccessLeaf,
    Act,
    Actor,
    ActorAuth,
    ActorKind,
    Decision,
    KeyLeaf,
    KeyOperation,
    Mode,
    Target,
    Verdict,
)
from emanet.core.merkle import EMPTY_ROOT
from services.crypto.cache import PairCache
from services.crypto.domain.binding import Binder
from services.crypto.domain.destruction import Outcome, PlanItem
from services.crypto.domain.keys import Pair, PairName
from services.crypto.domain.proof import Question, verify_allowed, verify_key_leaf
from services.crypto.domain.receipt import Plan, PlannedKey, decode_plan, encode_plan
from services.crypto.paging import PageTokens, page_size
from services.runtime.primitives import GcmSiv

ATTEMPT = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
OTHER = UUID("01890a5d-ac96-774b-bcce-b302099a8058")
texts = st.text(max_size=40)


@given(
    header=st.binary(min_size=HEADER_BYTES, max_size=HEADER_BYTES),
    organization=texts,
    field=texts,
    record=texts,
    value_type=st.sampled_from(ValueType),
)
def test_a_binder_writes_the_associated_data_of_the_format(
    header: bytes, organization: str, field: str, record: str, value_type: ValueType
) -> None:
    """The parts made once give the same bytes as the format's own function."""
    bound = Binder(organization).bind(header, field=field, record=record, value_type=value_type)
    assert bound == aad(
        header, organization=organization, field=field, record=record, value_type=value_type
    )


def pair(number: int) -> Pair:
    key = bytes([number]) * 16
    return Pair(
        head=header_start(sid=key, bid=key),
        name=PairName("c", f"customers/{number}", "open"),
        cipher=GcmSiv(bytes(32)),
        commitment=bytes(32),
    )


def test_the_cache_keeps_the_pairs_used_last() -> None:
    """Beyond its capacity the least recently used pair goes, from both indexes."""
    cache = PairCache(2)
    cache.use(1)
    pairs = [pair(number) for number in range(3)]
    cache.store(pairs[0], counter=1)
    cache.store(pairs[1], counter=1)
    assert cache.find(pairs[0].ids) is pairs[0]
    cache.store(pairs[2], counter=1)
    assert cache.find(pairs[1].ids) is None
    assert cache.find_named(pairs[1].name) is None
    assert cache.find_named(pairs[0].name) is pairs[0]
    assert len(cache) == 2


def test_a_moved_key_counter_empties_the_cache() -> None:
    """Pairs of another counter are neither kept nor taken in."""
    cache = PairCache(2)
    cache.use(1)
    cache.store(pair(1), counter=1)
    assert not cache.use(2)
    assert len(cache) == 0
    cache.store(pair(1), counter=1)
    assert len(cache) == 0


def test_a_cache_of_no_capacity_keeps_nothing() -> None:
    """Capacity 0 switches the cache off."""
    cache = PairCache(0)
    cache.use(1)
    cache.store(pair(1), counter=1)
    assert len(cache) == 0


def test_holders_of_keys_show_ids_only() -> None:
    """repr has no key bytes."""
    assert repr(pair(65)) == f"Pair({b64url_encode(b'A' * 32)})"


def access_leaf(**changes: object) -> AccessLeaf:
    values: dict[str, object] = {
        "id": ATTEMPT,
        "organization": "cinar",
        "event_us": 1,
        "receive_us": 1,
        "actor": Actor(id="A" * 32, kind=ActorKind.HUMAN, auth=ActorAuth.TOKEN),
        "app": "panel",
        "purpose": "support",
        "act": Act.DECRYPT,
        "target": Target(system="panel", fields=("customer.email",), values=3),
        "decision": Decision(
            verdict=Verdict.ALLOW, mode=Mode.ENFORCE, why="CASE", rules=(), register=4, rule_set=1
        ),
        "entries": 0,
        "entries_root": EMPTY_ROOT,
    }
    return AccessLeaf(**(values | changes))


QUESTION = Question(
    attempt=ATTEMPT,
    organization="cinar",
    application="panel",
    purpose="support",
    act=Act.DECRYPT,
    fields=frozenset({"customer.email"}),
    values=3,
    register=4,
)


def test_a_leaf_that_says_what_was_asked_is_believed() -> None:
    """All members equal and the verdict allow."""
    verify_allowed(access_leaf(), QUESTION)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": OTHER},
        {"organization": "mese"},
        {"app": "robot"},
        {"purpose": "invoicing"},
        {"act": Act.READ_MASKED},
        {"target": Target(system="panel", fields=("customer.name",), values=3)},
        {"target": Target(system="panel", fields=("customer.email", "customer.name"), values=3)},
        {"target": Target(system="panel", fields=("customer.email",), values=1)},
        {
            "decision": Decision(
                verdict=Verdict.ALLOW,
                mode=Mode.ENFORCE,
                why="CASE",
                rules=(),
                register=3,
                rule_set=1,
            )
        },
        {
            "decision": Decision(
                verdict=Verdict.DENY,
                mode=Mode.ENFORCE,
                why="CASE_REQUIRED",
                rules=(),
                register=4,
                rule_set=1,
            ),
            "reasons": ("CASE_REQUIRED",),
        },
    ],
)
def test_a_leaf_that_says_anything_else_is_not(changes: dict[str, object]) -> None:
    """Each member alone makes the receipt invalid."""
    with pytest.raises(EmanetError) as refused:
        verify_allowed(access_leaf(**changes), QUESTION)
    assert refused.value.reason is Reason.RECEIPT_INVALID


def test_a_key_leaf_must_name_the_keys_that_were_asked() -> None:
    """Another id, step, class or key makes the receipt invalid."""
    key = b64url_encode(bytes(16))
    leaf = KeyLeaf(
        id=ATTEMPT,
        organization="cinar",
        event_us=1,
        receive_us=1,
        operation=KeyOperation.DESTROYED,
        ids=(key,),
        by="A" * 32,
        retention_class="marketing",
    )
    asked = {
        "leaf_id": ATTEMPT,
        "organization": "cinar",
        "operation": KeyOperation.DESTROYED,
        "retention_class": "marketing",
    }
    verify_key_leaf(leaf, ids=(key,), **asked)
    for changes in (
        {"leaf_id": OTHER},
        {"organization": "mese"},
        {"operation": KeyOperation.DESTROY_INTENT},
        {"retention_class": "contract"},
        {"ids": (b64url_encode(b"\x01" * 16),)},
    ):
        with pytest.raises(EmanetError) as refused:
            verify_key_leaf(leaf, **({"ids": (key,)} | asked | changes))
        assert refused.value.reason is Reason.RECEIPT_INVALID


def test_a_plan_reads_back_as_it_was_written() -> None:
    """Every outcome, with and without date, law and row."""
    plan = Plan(
        items=(
            PlanItem("marketing", Outcome.DESTROYED, fields=("customer.hobby",)),
            PlanItem(
                "invoice",
                Outcome.KEPT,
                datetime(2036, 12, 31, 21, tzinfo=UTC),
                "6102 (TTK) m.82/5-6",
                "activities/billing/rows/0",
                ("invoice.address",),
            ),
            PlanItem("old", Outcome.REFUSED),
        ),
        keys=(PlannedKey("marketing", bytes(16), str(ATTEMPT), str(OTHER)),),
    )
    assert decode_plan(encode_plan(plan)) == plan


@given(cursor=st.text(alphabet="0123456789abcdef-", min_size=1, max_size=36), flip=st.integers(0))
def test_a_page_token_is_for_its_request_and_caller_only(cursor: str, flip: int) -> None:
    """Another parent, caller, service or byte: INVALID_PAGE_TOKEN."""
    tokens = PageTokens(bytes(32))
    token = tokens.write(cursor, parent="organizations/cinar", caller="a")
    assert tokens.read(token, parent="organizations/cinar", caller="a") == cursor
    data = bytearray(b64url_decode(token))
    data[flip % len(data)] ^= 1
    wrong = (
        (tokens, token, "organizations/mese", "a"),
        (tokens, token, "organizations/cinar", "b"),
        (PageTokens(b"\x01" * 32), token, "organizations/cinar", "a"),
        (tokens, b64url_encode(bytes(data)), "organizations/cinar", "a"),
        (tokens, token + "=", "organizations/cinar", "a"),
    )
    for reader, text, parent, caller in wrong:
        with pytest.raises(EmanetError) as refused:
            reader.read(text, parent=parent, caller=caller)
        assert refused.value.reason is Reason.INVALID_PAGE_TOKEN


def test_page_sizes_are_bounded() -> None:
    """0 is 50, more than 1000 is 1000, negative is refused."""
    assert [page_size(asked) for asked in (0, 1, 1000, 5000)] == [50, 1, 1000, 1000]
    with pytest.raises(EmanetError):
        page_size(-1)
