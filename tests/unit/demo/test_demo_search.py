"""The search for leaked values finds every occurrence, wherever it starts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.demo.search import Needles

TEXTS = ("12345678950", "özge.ünsaldı1@x.example", "Ihlamur Mah. No: 3/4 Muğla")


@given(
    before=st.binary(max_size=40),
    after=st.binary(max_size=40),
    text=st.sampled_from(TEXTS),
    escaped=st.booleans(),
)
def test_a_needle_is_found_at_every_offset(before, after, text, escaped) -> None:
    """As UTF-8 and as JSON escapes it, whatever stands around it."""
    needle = json.dumps(text)[1:-1] if escaped else text
    assert text in Needles(TEXTS).find(before + needle.encode() + after)


@pytest.mark.parametrize("offset", range(65_500, 65_560, 7))
def test_a_needle_across_two_pieces_is_found(offset: int) -> None:
    """Files are read in pieces of 64 KiB that overlap."""
    data = bytes(offset) + TEXTS[1].encode() + bytes(70_000)
    assert Needles(TEXTS).find(data) == {TEXTS[1]}


def test_what_is_not_there_is_not_found() -> None:
    """A part of a needle is no needle."""
    data = b"".join(text.encode()[:-1] + b"!" for text in TEXTS) * 100
    assert Needles(TEXTS).find(data) == set()


def test_a_text_too_short_to_be_found_for_sure_is_refused() -> None:
    """Below eleven bytes a needle could fall between two words."""
    with pytest.raises(ValueError, match="11 bytes"):
        Needles(["1234567890"])
