"""Names, subjects, ids and clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emanet.core.clock import FixedClock, SystemClock
from emanet.core.errors import CallerError, Reason
from emanet.core.identifiers import build_tckn
from emanet.core.ids import new_uuid7, parse_uuid7, uuid7, uuid7_micros
from emanet.core.names import (
    Collection,
    Subject,
    format_name,
    organization_of,
    parse_installation,
    parse_name,
    parse_organization,
    parse_slug,
    parse_subject,
)

slugs = st.from_regex(r"[a-z][a-z0-9._-]{0,62}", fullmatch=True)
uuids = st.builds(
    uuid7, now_us=st.integers(0, 2**48 * 1000 - 1), random=st.binary(min_size=10, max_size=10)
)
refs = st.text(
    st.characters(exclude_categories=["C", "Z"], max_codepoint=0x2FF), min_size=1, max_size=20
)


@given(slugs, st.data())
def test_names_round_trip(organization: str, data: st.DataObject) -> None:
    """A formatted name is read as its parts, and gives its organization."""
    collection = data.draw(st.sampled_from(Collection))
    ids = {
        Collection.FIELDS: slugs,
        Collection.PURPOSES: slugs,
        Collection.REGISTER_VERSIONS: st.integers(1, 10**15 - 1).map(str),
        Collection.RULE_SETS: st.integers(1, 10**15 - 1).map(str),
        Collection.CASES: st.tuples(slugs, st.from_regex(r"[!-~]{1,30}", fullmatch=True)).map(
            "/".join
        ),
        Collection.KEYS: st.just("AAAAAAAAAAAAAAAAAAAAAA"),
    }
    resource_id = data.draw(ids.get(collection, uuids.map(str)))
    text = format_name(organization, collection, resource_id)
    name = parse_name(text)
    assert (name.organization, name.collection, name.id) == (organization, collection, resource_id)
    assert str(name) == text
    assert organization_of(text) == organization


@given(st.text(max_size=60))
def test_texts_that_are_no_names_raise_nothing_else(text: str) -> None:
    """A text is a name that formats to itself, or an error of the caller."""
    try:
        name = str(parse_name(text))
    except CallerError:
        return
    assert name == text


@pytest.mark.parametrize(
    "value", ["cinaralti", "organizations/cinaralti", "organizations/cinaralti/fields/a"]
)
def test_the_organization_of_every_form_is_found(value: str) -> None:
    """Slug, parent and full name all lead to the organization."""
    assert organization_of(value) == "cinaralti"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Cinaralti",
        "organizations/",
        "organizations/a/",
        "organizations/a/b",
        "organizations/a/unknown/b",
        "organizations/a//b",
        "organizations//fields/a",
        "a/b",
        "a\n",
        "organizations/a/fields/../b/c",
    ],
)
def test_no_organization_is_read_out_of_malformed_values(value: str) -> None:
    """Tenancy is never decided on a half-understood name."""
    with pytest.raises(CallerError):
        organization_of(value)


@pytest.mark.parametrize("text", ["", "A", "1a", "-a", "a b", "a/b", "ğ", "a" * 64, "a\n"])
def test_slugs_outside_the_form_are_refused(text: str) -> None:
    """Slugs are short, lower-case ASCII."""
    with pytest.raises(CallerError):
        parse_slug(text)


def test_an_organization_that_is_no_slug_is_told_with_the_form() -> None:
    """A traceback shows which argument was wrong and what is wanted, never what was given."""
    with pytest.raises(CallerError, match=r"\(organization: a-z first, .*at most 63\)$") as refused:
        parse_organization("Çınaraltı")
    assert "Çınaraltı" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "a" * 33, "Demo", "a_b", "a\n"])
def test_installations_outside_the_form_are_refused(text: str) -> None:
    """An installation's name has 1 to 32 characters of its own alphabet."""
    with pytest.raises(CallerError):
        parse_installation(text)
    assert parse_installation("demo-1") == "demo-1"


@given(slugs, refs)
def test_subjects_round_trip(namespace: str, ref: str) -> None:
    """Namespace and reference come back, references with slashes too."""
    try:
        subject = Subject(namespace=namespace, ref=ref)
    except CallerError:
        assume(False)
    assert parse_subject(str(subject), allow_identity_number=True) == subject


@given(st.integers(100_000_000, 999_999_999), st.sampled_from(["{}", "tc-{}", "{}/x", "a.{}.b"]))
def test_references_that_look_like_identity_numbers_are_refused(number: int, form: str) -> None:
    """A T.C. number is no reference unless its namespace was declared for it."""
    text = f"customers/{form.format(build_tckn(str(number)))}"
    with pytest.raises(CallerError) as caught:
        parse_subject(text)
    assert caught.value.reason is Reason.INVALID_SUBJECT
    assert str(number) not in str(caught.value)
    assert str(parse_subject(text, allow_identity_number=True)) == text


@pytest.mark.parametrize("ref", ["12345678901", "110000000146", "1000000014"])
def test_other_runs_of_digits_are_references(ref: str) -> None:
    """Eleven digits with wrong check digits, and other lengths, are customer numbers."""
    assert parse_subject(f"customers/{ref}").ref == ref


@given(uuids)
def test_uuids_round_trip(value: object) -> None:
    """The one text form is read back."""
    assert parse_uuid7(str(value)) == value


@given(st.integers(0, 2**48 * 1000 - 1), st.binary(min_size=10, max_size=10))
def test_uuids_hold_time_version_and_variant(now_us: int, random: bytes) -> None:
    """The first 48 bits are the milliseconds, so ids sort by time."""
    value = uuid7(now_us=now_us, random=random)
    assert (value.version, value.variant) == (7, "specified in RFC 4122")
    assert uuid7_micros(value) == now_us // 1000 * 1000


@given(st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_uuids_use_74_bits_of_randomness(first: bytes, second: bytes) -> None:
    """Ids of one millisecond differ when the 74 used bits differ."""
    used = (1 << 80) - 1 - (0b111111 << 62)
    same = not (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")) & used
    assert (uuid7(now_us=5, random=first) == uuid7(now_us=5, random=second)) == same


@pytest.mark.parametrize(("now_us", "size"), [(-1, 10), (2**48 * 1000, 10), (5, 9), (5, 11)])
def test_uuids_of_impossible_times_or_little_randomness_are_refused(now_us: int, size: int) -> None:
    """No id is built from what does not fit."""
    with pytest.raises(CallerError):
        uuid7(now_us=now_us, random=bytes(size))


def test_clocks_tell_aware_time_and_fixed_ones_move_when_told() -> None:
    """A fixed clock goes where it is put, backwards too; naive times are refused."""
    clock = FixedClock(datetime(2026, 11, 21, 13, 0, tzinfo=UTC))
    first = new_uuid7(clock)
    clock.advance(timedelta(seconds=-1))
    assert clock.now() == datetime(2026, 11, 21, 12, 59, 59, tzinfo=UTC)
    assert new_uuid7(clock) < first
    with pytest.raises(CallerError):
        clock.set(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
    assert SystemClock().now().utcoffset() == timedelta(0)
