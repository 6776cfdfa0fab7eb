"""The short way of reading accesses never accepts what the careful way refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.core.errors import EmanetError
from emanet.core.leaf import (
    AccessLeaf,
    Act,
    Actor,
    ActorAuth,
    ActorKind,
    Decision,
    Mode,
    Target,
    Verdict,
    decode_leaf,
    encode_leaf,
)
from emanet.core.merkle import EMPTY_ROOT
from emanet.verify.access_pattern import AccessFrame, AccessRun, read_accesses
from tests.unit.verify.small_log import TOKENS, access, numbered_id, register, rules

SLUGS = st.from_regex(r"[a-z][a-z0-9._-]{0,62}", fullmatch=True)
CODES = st.from_regex(r"[A-Z][A-Z0-9_]{0,62}", fullmatch=True)
RULE_IDS = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,62}", fullmatch=True)
NUMBERS = st.integers(0, 2**53 - 1)


@st.composite
def accesses(draw: st.DrawFn) -> AccessLeaf:
    """Any access that the format allows, break-glass left out."""
    kind = draw(st.sampled_from(ActorKind))
    mode, verdict = draw(st.sampled_from(Mode)), draw(st.sampled_from(Verdict))
    why = draw(CODES)
    reasons = (
        why,
        *draw(st.lists(CODES.filter(lambda code: code != why), max_size=2, unique=True)),
    )
    if verdict is Verdict.ALLOW and (mode is Mode.ENFORCE or draw(st.booleans())):
        reasons = ()
    entries = draw(st.integers(0, 8_192))
    return replace(
        access(7, id=numbered_id(draw(st.integers(0, 2**70)))),
        event_us=draw(NUMBERS),
        receive_us=draw(NUMBERS),
        actor=Actor(
            id=draw(SLUGS) if kind is ActorKind.APP else draw(st.sampled_from(TOKENS)),
            kind=kind,
            auth=draw(st.sampled_from(ActorAuth)),
        ),
        app=draw(SLUGS),
        purpose=draw(SLUGS),
        act=draw(st.sampled_from(Act)),
        target=Target(
            system=draw(SLUGS),
            fields=tuple(draw(st.lists(SLUGS, max_size=4, unique=True))),
            values=draw(NUMBERS),
        ),
        decision=Decision(
            verdict=verdict,
            mode=mode,
            why=why,
            rules=tuple(draw(st.lists(RULE_IDS, max_size=4, unique=True))),
            register=draw(NUMBERS),
            rule_set=draw(NUMBERS),
        ),
        entries=entries,
        entries_root=draw(st.binary(min_size=32, max_size=32)) if entries else EMPTY_ROOT,
        role=draw(st.one_of(st.just(""), SLUGS)),
        reasons=reasons,
    )


def run_of(*found: AccessLeaf) -> AccessRun:
    """What the short way should tell of accesses."""
    return AccessRun(
        ids=[leaf.id.bytes for leaf in found],
        receive_us=[leaf.receive_us for leaf in found],
        frames={
            AccessFrame(leaf.decision.register, leaf.decision.rule_set, leaf.organization.encode())
            for leaf in found
        },
    )


def is_accepted(data: bytes) -> bool:
    """Whether the short way reads the record, alone or among others."""
    alone = list(read_accesses([data])) != [None]
    before, after = encode_leaf(access(1)), encode_leaf(access(2))
    assert alone == (None not in read_accesses([before, data, after]))
    return alone


def test_usual_accesses_are_read_the_short_way() -> None:
    """The patterns are of use: what services write matches them, between other records too."""
    first, second, third = access(7), access(8, entries=2, entries_root=bytes(32)), access(9)
    records = [encode_leaf(leaf) for leaf in (first, second, rules(5), register(6), third)]
    assert list(read_accesses(records)) == [run_of(first, second), None, None, run_of(third)]
    assert list(read_accesses([])) == []


@given(found=st.lists(accesses(), min_size=1, max_size=4))
def test_a_run_tells_what_its_records_say(found: list[AccessLeaf]) -> None:
    """Whatever the short way reads, it reads the same; large numbers are read the careful way."""
    read = list(read_accesses([encode_leaf(leaf) for leaf in found]))
    if None not in read:
        assert read == [run_of(*found)]
        return
    assert any(
        max(
            leaf.event_us,
            leaf.receive_us,
            leaf.target.values,
            leaf.decision.register,
            leaf.decision.rule_set,
        )
        >= 9 * 10**15
        for leaf in found
    )


def test_a_line_feed_hides_no_record() -> None:
    """Two records are never read out of one, nor one out of two."""
    data = encode_leaf(access(7))
    for records in ([data + b"\n" + data], [b"\n" + data], [data + b"\n"], [data[:90], data[90:]]):
        assert set(read_accesses(records)) == {None}
    assert list(read_accesses([b"", data, b""])) == [None, run_of(access(7)), None]


@given(leaf=accesses(), data=st.data())
def test_changed_bytes_are_never_accepted_unless_they_are_a_record(
    leaf: AccessLeaf, data: st.DataObject
) -> None:
    """Any byte replaced, dropped or doubled: accepted only when the careful way accepts too."""
    encoded = encode_leaf(leaf)
    place = data.draw(st.integers(0, len(encoded) - 1))
    byte = data.draw(st.integers(0, 255))
    for changed in (
        encoded[:place] + bytes([byte]) + encoded[place + 1 :],
        encoded[:place] + encoded[place + 1 :],
        encoded[:place] + encoded[place : place + 1] + encoded[place:],
    ):
        if is_accepted(changed):
            assert encode_leaf(decode_leaf(changed)) == changed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"fields":["customer.email"]', b'"fields":["a","a"]'),
        (b'"rules":["A10"]', b'"rules":["A10","B","A10"]'),
        (b'"n":0,"o"', b'"n":1,"o"'),
        (b'"n":0,"o"', b'"n":9000,"o"'),
        (b'"role"', b'"reasons":["CASE"],"role"'),
        (b'"v":"allow"', b'"v":"deny"'),
        (b'"d":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"', b'"d":"' + b"A" * 43 + b'"'),
        (b'hSuFU"', b'hSuFV"'),
        (b'"v":1,"who"', b'"v":2,"who"'),
        (b'"kind":"human"', b'"kind":"app"'),
        (b'"reg":1', b'"reg":01'),
        (b'"reg":1', b'"reg":1.0'),
        (b'"purpose":"support"', b'"purpose":"support\\u0020"'),
        (b"}}", b"}}\n"),
    ],
)
def test_forbidden_forms_are_accepted_by_neither_way(old: bytes, new: bytes) -> None:
    """What the schema forbids between members is not in the pattern, and checked beside it."""
    encoded = encode_leaf(access(7))
    assert old in encoded
    changed = encoded.replace(old, new)
    assert not is_accepted(changed)
    with pytest.raises(EmanetError):
        decode_leaf(changed)
