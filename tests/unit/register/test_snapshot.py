from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from register_strategies import moments, registers, whole_registers

from emanet.core import canonical
from emanet.core.encoding import b64url_encode
from emanet.core.errors import IntegrityError, Reason
from emanet.register.snapshot import (
    Approval,
    decode_approval,
    decode_snapshot,
    digest,
    encode_approval,
    encode_snapshot,
    in_effect,
    verify_version,
)
from emanet.register.values import Register, empty_register

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
REGISTER = empty_register("ornek")
FIRST = encode_snapshot(organization="ornek", number=1, previous=None, register=REGISTER)
APPROVAL = Approval(
    number=1, digest=digest(FIRST), author="s-1", approver="s-2", approved=NOW, effective=NOW
)


def assert_corrupt(
    snapshot: bytes, approval: bytes, *, organization: str = "ornek", previous: bytes | None = None
) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify_version(snapshot, approval, organization=organization, previous=previous)
    assert caught.value.reason is Reason.REGISTER_CORRUPT


def signed_off(snapshot: bytes, **changes: object) -> bytes:
    return encode_approval(replace(APPROVAL, digest=digest(snapshot), **changes))  # type: ignore[arg-type]


@whole_registers
@given(registers(), st.integers(1, 10**6), st.binary(min_size=32, max_size=32))
def test_snapshot_reads_back(register: Register, number: int, before: bytes) -> None:
    """Property: a snapshot's bytes give its parts back, and writing them again the same bytes."""
    previous = None if number == 1 else before
    data = encode_snapshot(
        organization="ornek", number=number, previous=previous, register=register
    )
    snapshot = decode_snapshot(data)
    assert (snapshot.number, snapshot.previous, snapshot.register) == (number, previous, register)
    assert (
        encode_snapshot(
            organization="ornek", number=number, previous=previous, register=snapshot.register
        )
        == data
    )


@given(moments, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_approval_reads_back(approved: datetime, wait: timedelta) -> None:
    """Property: an approval's bytes give it back to the microsecond."""
    approval = replace(APPROVAL, approved=approved, effective=approved + wait)
    assert decode_approval(encode_approval(approval)) == approval


def test_a_version_is_verified_as_a_chain() -> None:
    """Number 2 names the digest of number 1; the result carries both digests."""
    second = encode_snapshot(
        organization="ornek", number=2, previous=digest(FIRST), register=REGISTER
    )
    approval = signed_off(second, number=2)
    version = verify_version(second, approval, organization="ornek", previous=digest(FIRST))
    assert version.digest == hashlib.sha256(second).digest()
    assert version.approval_digest == hashlib.sha256(approval).digest()
    assert_corrupt(second, approval, previous=bytes(32))
    assert_corrupt(second, approval, previous=None)
    assert_corrupt(second, approval, organization="baska", previous=digest(FIRST))
    assert_corrupt(second, signed_off(second, number=3), previous=digest(FIRST))
    assert_corrupt(FIRST, approval, previous=digest(FIRST))


@given(st.integers(0, len(FIRST) - 1), st.integers(1, 255))
def test_a_changed_byte_is_found(place: int, mask: int) -> None:
    """Property: whatever byte of an approved snapshot changes, it does not verify."""
    changed = bytearray(FIRST)
    changed[place] ^= mask
    assert_corrupt(bytes(changed), encode_approval(APPROVAL))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"number": 0},
        {"number": 2},
        {"previous": b64url_encode(bytes(32))},
        {"organization": "baska"},
        {"register": {}},
        {"register": []},
        {"register": {"organization": {"id": "ornek", "tr": "ornek", "x": "y"}}},
        {"extra": "x"},
    ],
)
def test_what_is_no_snapshot_is_corrupt(change: dict[str, object]) -> None:
    """Well-signed bytes of another shape are refused as well."""
    document = {**canonical.decode_object(FIRST), **change}
    data = canonical.encode(document)  # type: ignore[arg-type]
    assert_corrupt(data, signed_off(data))
    assert_corrupt(data + b" ", signed_off(data + b" "))


@pytest.mark.parametrize(
    "change",
    [
        {"approver": "s-1"},
        {"approver": ""},
        {"effective": 1},
        {"digest": "AA"},
        {"digest": 7},
        {"number": True},
        {"v": 1},
    ],
)
def test_what_two_persons_did_not_agree_on_is_corrupt(change: dict[str, object]) -> None:
    """One person twice, an effect before the approval, or another shape is no approval."""
    document = {**canonical.decode_object(encode_approval(APPROVAL)), **change}
    assert_corrupt(FIRST, canonical.encode(document))  # type: ignore[arg-type]


def test_no_snapshot_is_made_out_of_order() -> None:
    """The first version alone has no previous one, and a register keeps its organization."""
    for number, previous in ((1, bytes(32)), (2, None), (0, None)):
        with pytest.raises(ValueError, match="previous"):
            encode_snapshot(
                organization="ornek", number=number, previous=previous, register=REGISTER
            )
    with pytest.raises(ValueError, match="another organization"):
        encode_snapshot(organization="baska", number=1, previous=None, register=REGISTER)


def test_the_highest_effective_number_is_in_effect() -> None:
    """A later number wins from its effective time on, also when its effect is scheduled earlier."""
    one = APPROVAL
    two = replace(APPROVAL, number=2, effective=NOW + timedelta(days=10))
    three = replace(APPROVAL, number=3, effective=NOW + timedelta(days=5))
    at = [NOW - timedelta(seconds=1), NOW, NOW + timedelta(days=5), NOW + timedelta(days=20)]
    found = [in_effect([two, three, one], moment) for moment in at]
    assert found == [None, one, three, three]
