"""Envelopes: exact layout, one error, and an AAD that binds every part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.core.envelope import (
    MAX_PLAINTEXT_BYTES,
    OVERHEAD_BYTES,
    Envelope,
    ValueType,
    aad,
    format_envelope,
    header,
    parse_envelope,
    seal_bytes,
    to_text,
)
from emanet.core.errors import EmanetError, Reason

sixteen, twelve, thirty_two = (st.binary(min_size=n, max_size=n) for n in (16, 12, 32))
envelopes = st.builds(
    Envelope,
    header=st.builds(header, sid=sixteen, bid=sixteen, nonce=twelve),
    commitment=thirty_two,
    sealed=st.builds(bytes.__add__, st.binary(max_size=64), sixteen),
)


def parsed_or_refused(value: bytes | str) -> Envelope | None:
    """The envelope, or None after the one error without any detail."""
    try:
        return parse_envelope(value)
    except EmanetError as caught:
        problem = caught
    assert problem.reason is Reason.ENVELOPE_INVALID
    assert (problem.metadata, problem.violations) == ({}, ())
    return None


@given(envelopes)
def test_envelopes_round_trip_as_bytes_and_text(envelope: Envelope) -> None:
    """Both forms are read as the same envelope, 94 bytes longer than the plaintext."""
    data = format_envelope(envelope)
    assert len(data) == OVERHEAD_BYTES + len(envelope.ciphertext)
    assert parse_envelope(data) == parse_envelope(to_text(envelope)) == envelope
    assert to_text(data) == to_text(envelope)


@given(envelopes, st.integers(0, 2**16), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_another_envelope(
    envelope: Envelope, position: int, change: int
) -> None:
    """No byte of an envelope is ignored."""
    data = bytearray(format_envelope(envelope))
    data[position % len(data)] ^= change
    other = parsed_or_refused(bytes(data))
    if other is not None:
        assert other != envelope
        assert format_envelope(other) == bytes(data)


@given(envelopes, st.data())
def test_a_changed_character_is_refused_or_another_envelope(
    envelope: Envelope, data: st.DataObject
) -> None:
    """No two texts are one envelope."""
    text = to_text(envelope)
    position = data.draw(st.integers(0, len(text) - 1))
    changed = text[:position] + data.draw(st.sampled_from("Aa0-_=+/ .é")) + text[position + 1 :]
    assert (parsed_or_refused(changed) == envelope) == (changed == text)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_arbitrary_input_gives_the_one_error(value: bytes | str) -> None:
    """Malformed input never shows what was wrong with it."""
    parsed_or_refused(value)


def test_lengths_end_at_94_and_65630_bytes() -> None:
    """The empty and the largest value fit, one byte less or more does not."""
    head = header(sid=bytes(16), bid=bytes(16), nonce=bytes(12))
    for size, fits in (
        (15, False),
        (16, True),
        (16 + MAX_PLAINTEXT_BYTES, True),
        (17 + MAX_PLAINTEXT_BYTES, False),
    ):
        data = head + bytes(32) + bytes(size)
        if fits:
            assert parse_envelope(data) == parse_envelope(
                seal_bytes(header=head, commitment=bytes(32), sealed=bytes(size))
            )
            continue
        for build in (
            lambda d=data: parse_envelope(d),
            lambda s=size: seal_bytes(header=head, commitment=bytes(32), sealed=bytes(s)),
        ):
            with pytest.raises(EmanetError):
                build()


def test_parts_lie_where_the_format_says() -> None:
    """Every byte belongs to one part, and the AAD's header is the first 46 of them."""
    data = bytes((1, 1, *range(2, 100)))
    envelope = parse_envelope(data)
    assert (envelope.version, envelope.suite) == (1, 1)
    parts = (envelope.sid, envelope.bid, envelope.nonce, envelope.commitment)
    assert b"".join((data[:2], *parts, envelope.ciphertext, envelope.tag)) == data
    assert [len(part) for part in (*parts, envelope.ciphertext, envelope.tag)] == [
        *(16, 16, 12, 32),
        *(6, 16),
    ]
    assert envelope.header == data[:46]
    assert envelope.sealed == data[78:]


@pytest.mark.parametrize("part", ["header", "commitment"])
@pytest.mark.parametrize("change", [-1, 1])
def test_parts_of_another_length_are_not_written(part: str, change: int) -> None:
    """An envelope whose parts would be read differently is refused when it is written."""
    parts = {
        "header": header(sid=bytes(16), bid=bytes(16), nonce=bytes(12)),
        "commitment": bytes(32),
        "sealed": bytes(19),
    }
    assert parse_envelope(format_envelope(Envelope(**parts)))
    parts[part] = (parts[part] + bytes(1))[: len(parts[part]) + change]
    with pytest.raises(EmanetError):
        format_envelope(Envelope(**parts))


@given(
    st.lists(st.sampled_from(["", "a", "b", "a.b", "customers/7"]), min_size=6, max_size=6),
    st.sampled_from(ValueType),
    st.sampled_from(ValueType),
)
def test_the_aad_binds_every_part(texts: list[str], one: ValueType, two: ValueType) -> None:
    """Two AADs are equal only when organization, field, record and type are."""
    head = header(sid=bytes(16), bid=bytes(16), nonce=bytes(12))
    first, second = (texts[:3], one), (texts[3:], two)
    built = [
        aad(head, organization=o, field=f, record=r, value_type=t)
        for (o, f, r), t in (first, second)
    ]
    assert (built[0] == built[1]) == (first == second)


def test_the_aad_binds_the_header() -> None:
    """Another key id or nonce gives another AAD."""
    heads = {header(sid=bytes(16), bid=bytes(16), nonce=bytes(11) + bytes([n])) for n in range(3)}
    bound = {
        aad(h, organization="o", field="f", record="", value_type=ValueType.TEXT) for h in heads
    }
    assert len(bound) == 3
