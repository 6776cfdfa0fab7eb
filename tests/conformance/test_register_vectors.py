"""The vectors of docs/formats/register.md: a second implementation writes them, Emanet agrees."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from second_register import FILE, build, written

from emanet.core.encoding import from_micros, micros
from emanet.core.errors import IntegrityError, Reason
from emanet.register.manifest import load_manifest
from emanet.register.retention import bucket_of, lapse, parse_period
from emanet.register.snapshot import encode_approval, encode_snapshot, verify_version
from emanet.register.values import (
    Activity,
    Declaration,
    Field,
    Organization,
    Register,
    RetentionRule,
)

VECTORS: Any = json.loads(FILE.read_text("utf-8"))


def test_vector_file_is_what_the_second_implementation_writes() -> None:
    """Nobody edits the file by hand."""
    assert FILE.read_text("utf-8") == written(build())


def test_manifest_becomes_the_snapshot_of_the_vectors() -> None:
    """The same register, byte for byte, out of YAML with every short form."""
    register = load_manifest(VECTORS["manifest"], "vector").register
    data = encode_snapshot(organization="papatya", number=1, previous=None, register=register)
    assert data.decode() == VECTORS["versions"][0]["snapshot"]


def test_versions_of_the_vectors_verify_as_a_chain() -> None:
    """Digests, approval and previous digest are those of the second implementation."""
    previous: bytes | None = None
    for case in VECTORS["versions"]:
        snapshot, approval = case["snapshot"].encode(), case["approval"].encode()
        version = verify_version(snapshot, approval, organization="papatya", previous=previous)
        assert version.digest.hex() == case["digest"]
        assert version.approval_digest.hex() == case["approval_digest"]
        assert encode_approval(version.approval) == approval
        previous = version.digest


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["why"])
def test_refused_versions_of_the_vectors_are_corrupt(case: dict[str, str]) -> None:
    """Everything that does not fit has the one reason."""
    with pytest.raises(IntegrityError) as caught:
        verify_version(
            case["snapshot"].encode(),
            case["approval"].encode(),
            organization="papatya",
            previous=None,
        )
    assert caught.value.reason is Reason.REGISTER_CORRUPT


def test_buckets_match_the_vectors() -> None:
    """The month in Istanbul."""
    register = Register(
        organization=Organization(id="papatya", tr="Papatya"),
        fields={"a": Field(type="ad_soyad")},
        retention={"r": RetentionRule(keep=parse_period("P1Y"), start="record_created")},
        activities={"x": Activity(tr="X", rows=(Declaration(fields=("a",), keep="r"),))},
    )
    for case in VECTORS["retention"]["buckets"]:
        assert bucket_of(register, "a", from_micros(case["start"])) == case["bucket"]


@pytest.mark.parametrize("case", VECTORS["retention"]["lapses"])
def test_lapses_match_the_vectors(case: dict[str, Any]) -> None:
    """Ends worked out by hand from the calendar; none where the start is not known."""
    rule = RetentionRule(keep=parse_period(case["keep"]), start=case["from"])
    events: dict[str, datetime] = {name: from_micros(at) for name, at in case["events"].items()}
    end = lapse(rule, bucket=case["bucket"], events=events)
    assert (None if end is None else micros(end)) == case.get("lapse")


def test_sums_fit_as_in_the_vectors() -> None:
    """The worst start decides."""
    for case in VECTORS["retention"]["fits"]:
        assert parse_period(case["held"]).fits_within(parse_period(case["limit"])) is case["fits"]
