"""Length prefixes, base64url, times, canonical JSON: injective to write, strict to read."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.core import canonical
from emanet.core.encoding import (
    MAX_INTEGER,
    b64url_decode,
    b64url_encode,
    from_micros,
    lp,
    micros,
    read_lp,
    require_nfc,
    u64,
)
from emanet.core.errors import CallerError, EmanetError, Reason

nfc_text = st.text(st.characters(exclude_categories=["Cs"])).map(
    lambda text: unicodedata.normalize("NFC", text)
)
keys = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=8)
integers = st.integers(min_value=-MAX_INTEGER, max_value=MAX_INTEGER)
json_values = st.recursive(
    st.booleans() | integers | nfc_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.binary(max_size=40), max_size=6))
def test_length_prefixes_are_injective(first: list[bytes], second: list[bytes]) -> None:
    """Two lists of parts have the same bytes only when they are the same list."""
    assert (lp(*first) == lp(*second)) == (first == second)


@given(st.lists(st.binary(max_size=40), max_size=6), st.data())
def test_length_prefixes_are_read_back_and_never_cut(
    parts: list[bytes], data: st.DataObject
) -> None:
    """Reading gives the parts; any other number of parts or length of data is refused."""
    written = lp(*parts)
    assert read_lp(written, len(parts)) == tuple(parts)
    wrong = data.draw(st.integers(0, 8).filter(lambda count: count != len(parts)))
    with pytest.raises(CallerError):
        read_lp(written, wrong)
    if written:
        with pytest.raises(CallerError):
            read_lp(written[: data.draw(st.integers(0, len(written) - 1))], len(parts))


@pytest.mark.parametrize("number", [-1, 2**64])
def test_integers_that_do_not_fit_are_refused(number: int) -> None:
    """Eight unsigned bytes hold 0 to 2**64 - 1."""
    with pytest.raises(CallerError):
        u64(number)


@given(st.binary(max_size=64))
def test_base64url_round_trips(data: bytes) -> None:
    """Every byte string comes back from its text."""
    assert b64url_decode(b64url_encode(data)) == data


@given(st.text("ABab01-_=+/ \n", max_size=12))
def test_base64url_has_one_text_for_each_byte_string(text: str) -> None:
    """A text that decodes is the text that encoding gives."""
    try:
        data = b64url_decode(text)
    except CallerError:
        return
    assert b64url_encode(data) == text


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_round_trip_exactly(moment: datetime) -> None:
    """Microseconds lose nothing, whatever the zone they were written in."""
    assert from_micros(micros(moment)) == moment
    if datetime(2, 1, 1, tzinfo=UTC) < moment < datetime(9998, 1, 1, tzinfo=UTC):
        assert micros(moment.astimezone(timezone(timedelta(hours=3)))) == micros(moment)


def test_times_without_a_zone_are_refused() -> None:
    """A naive datetime has no instant."""
    with pytest.raises(CallerError):
        micros(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize("number", [2**62, -(2**62)])
def test_times_outside_the_calendar_are_refused(number: int) -> None:
    """Years before 1 and after 9999 have no datetime."""
    with pytest.raises(CallerError):
        from_micros(number)


@given(nfc_text)
def test_text_in_normal_form_passes_unchanged(text: str) -> None:
    """NFC text is returned as it is."""
    assert require_nfc(text) == text


def test_text_in_another_normal_form_is_refused_not_repaired() -> None:
    """A decomposed letter is an error of the caller."""
    with pytest.raises(CallerError) as caught:
        require_nfc("as\u0327k")
    assert caught.value.reason is Reason.TEXT_NOT_NFC


def test_lone_surrogates_are_refused() -> None:
    """Text that UTF-8 cannot hold never reaches an encoder."""
    with pytest.raises(CallerError):
        require_nfc("\ud800")


@given(json_values)
def test_canonical_json_round_trips(value: canonical.JsonValue) -> None:
    """What was written is read as the same value."""
    assert canonical.decode(canonical.encode(value)) == value


@given(json_values, json_values)
def test_canonical_json_is_injective(
    first: canonical.JsonValue, second: canonical.JsonValue
) -> None:
    """Two values have the same bytes only when they are the same, type included."""
    same = _typed(first) == _typed(second)
    assert (canonical.encode(first) == canonical.encode(second)) == same


@given(
    json_values,
    st.sampled_from([{"indent": 1}, {"ensure_ascii": True}, {"separators": (", ", ":")}]),
)
def test_other_ways_of_writing_a_value_are_refused(value: canonical.JsonValue, style: dict) -> None:
    """Only the canonical bytes are read, though other JSON has the same meaning."""
    written = json.dumps(value, **{"ensure_ascii": False, "sort_keys": True, **style}).encode()
    if written == canonical.encode(value):
        return
    with pytest.raises(CallerError):
        canonical.decode(written)


@given(json_values, st.integers(0, 2**16), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_another_value(
    value: canonical.JsonValue, position: int, change: int
) -> None:
    """No byte of canonical JSON is without meaning."""
    data = bytearray(canonical.encode(value))
    data[position % len(data)] ^= change
    try:
        other = canonical.decode(bytes(data))
    except EmanetError:
        return
    assert _typed(other) != _typed(value)


@given(st.binary(max_size=24))
def test_reading_arbitrary_bytes_raises_nothing_else(data: bytes) -> None:
    """Whatever comes in, the answer is a value whose bytes these are, or an EmanetError."""
    try:
        value = canonical.decode(data)
    except EmanetError:
        return
    assert canonical.encode(value) == data


@pytest.mark.parametrize(
    "value",
    [1.0, None, 2**53, b"bytes", {"ğ": 1}, {"": 1}, {1: 1}, "as\u0327", {"a": [None]}, {1, 2}],
)
def test_values_outside_the_restrictions_are_not_written(value: object) -> None:
    """Floats, null, large integers, other keys and other types have no canonical form."""
    with pytest.raises(CallerError):
        canonical.encode(value)  # type: ignore[arg-type]  # the point of the test


def test_depth_is_limited_to_sixteen() -> None:
    """Sixteen levels are written and read, seventeen are not, a hundred thousand do not crash."""
    value: canonical.JsonValue = 1
    for _ in range(16):
        value = [value]
    assert canonical.decode(canonical.encode(value)) == value
    with pytest.raises(CallerError):
        canonical.encode([value])
    for depth in (17, 100_000):
        with pytest.raises(CallerError):
            canonical.decode(b"[" * depth + b"1" + b"]" * depth)


def test_an_integer_of_many_digits_is_refused() -> None:
    """Python's own limit on digits is not an error of another kind."""
    with pytest.raises(CallerError):
        canonical.decode(b"1" * 10_000)


def _typed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return (type(value), value)
