"""Pure parts of the access audit: sealing, claims, lapses, page tokens, checkpoint files."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.api.access_audit.v1 import access_audit_pb2
from emanet.core.checkpoint import Checkpoint
from emanet.core.disclosure import ShownEntry, encode_disclosure, verify_disclosure
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import Act, ActorAuth, ActorKind, Entry, EntryKey
from emanet.core.merkle import entries_root
from emanet.register.manifest import load_manifest
from services.access_audit.domain.claim import Claim, ClaimItem
from services.access_audit.domain.lapses import Lapses
from services.access_audit.domain.party import Party, parse_party
from services.access_audit.domain.sealing import seal_entries
from services.access_audit.ground import Contacts
from services.access_audit.requestkeys import RequestKeys, page_size
from services.access_audit.signer import CheckpointFiles, LogKeys
from tests.fakes.access_audit_world import manifest

ATTEMPT = UUID("019cadc6-9a80-7bd7-b8e4-55a45394e491")
SEVEN = Party("customers", "7")
REGISTER = load_manifest(manifest(), "register.yaml").register
LAPSES = Lapses(REGISTER)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

_texts = st.text(min_size=1, max_size=40).filter(
    lambda text: unicodedata.is_normalized("NFC", text)
)


def _entry(key: EntryKey, text: str) -> Entry | None:
    try:
        return Entry(key, text)
    except (EmanetError, UnicodeEncodeError):
        return None


@given(
    st.lists(
        st.tuples(st.sampled_from(EntryKey), _texts, st.binary(min_size=16, max_size=16)),
        max_size=9,
    )
)
def test_sealed_entries_are_what_the_format_says(
    drawn: list[tuple[EntryKey, str, bytes]],
) -> None:
    """The fast writer gives the bytes, hashes and root of the one in core, whatever the text."""
    shown = [
        ShownEntry(salt=salt, entry=entry)
        for key, text, salt in drawn
        if (entry := _entry(key, text)) is not None
    ]
    sealed = seal_entries(
        [each.entry for each in shown], salts=b"".join(each.salt for each in shown)
    )
    assert sealed.data == encode_disclosure(shown)
    assert sealed.root == entries_root([each.hash for each in shown])
    verify_disclosure(shown, entries=sealed.count, entries_root=sealed.root)


def _claim(*items: ClaimItem, **changes: object) -> Claim:
    fields: dict[str, object] = {
        "id": ATTEMPT,
        "actor": ActorKind.HUMAN,
        "actor_id": "s-044",
        "auth": ActorAuth.TOKEN,
        "application": "panel",
        "purpose": "support",
        "act": Act.READ,
        "items": items or (ClaimItem("customer.email", SEVEN, "open", 1),),
    }
    return Claim(**(fields | changes))


def test_a_claim_counts_different_fields_subjects_and_all_values() -> None:
    """In the order of the items."""
    other = Party("customers", "8")
    claim = _claim(
        ClaimItem("customer.name", other, "open", 2),
        ClaimItem("customer.email", SEVEN, "open", 3),
        ClaimItem("customer.name", None, "", 1),
        approver="s-045",
    )
    assert claim.fields == ("customer.name", "customer.email")
    assert claim.subjects == (other, SEVEN)
    assert claim.values == 6
    assert set(claim.everybody) == {
        other,
        SEVEN,
        Party("staff", "s-044"),
        Party("staff", "s-045"),
    }


WRONG = {
    "no items": {"items": ()},
    "too many items": {"items": (ClaimItem("customer.name", None, "", 1),) * 1001},
    "too many fields": {
        "items": tuple(ClaimItem(f"customer.f{n}", None, "", 1) for n in range(65))
    },
    "purpose": {"purpose": "Destek"},
    "recipient without disclosure": {"recipient": "court"},
    "disclosure without recipient": {"act": Act.DISCLOSE},
    "recipient": {"act": Act.DISCLOSE, "recipient": "Mahkeme"},
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_claim_out_of_its_form_cannot_exist(name: str) -> None:
    """Refused before anything is decided or written."""
    with pytest.raises(EmanetError) as refused:
        _claim(**WRONG[name])
    assert refused.value.reason in {Reason.INVALID_FIELD, Reason.BATCH_TOO_LARGE}


@pytest.mark.parametrize("bucket", ["2026-13", "2026-1", "OPEN", "2026-01 ", "0000"])
def test_a_bucket_is_a_month_or_open(bucket: str) -> None:
    """Nothing else reaches the retention arithmetic."""
    with pytest.raises(EmanetError):
        ClaimItem("customer.email", SEVEN, bucket, 1)


def test_nothing_about_people_shows_in_a_repr() -> None:
    """Values may end up in a traceback."""
    claim = _claim(approver="s-045")
    for value in ("s-044", "s-045", "customers/7"):
        assert value not in repr(claim)
    assert repr(SEVEN) == "Party(...)"


@pytest.mark.parametrize(
    ("text", "is_identity"),
    [("customers/7", False), ("customers/10000000146", True), ("customers/a/b", False)],
)
def test_identity_numbers_are_noticed_not_judged(text: str, *, is_identity: bool) -> None:
    """The register says which namespace may hold them."""
    party, found = parse_party(text)
    assert (str(party), found) == (text, is_identity)


def _lapsed(item: ClaimItem, purpose: str, **events: datetime) -> bool:
    claim = _claim(item, purpose=purpose)
    return bool(LAPSES.lapsed_fields(claim, at=NOW, events={"customers/7": events}))


@pytest.mark.parametrize(
    ("bucket", "is_lapsed"),
    [("2025-12", True), ("2026-01", False), ("2026-02", False), ("", False)],
)
def test_a_month_bucket_lapses_from_its_end(bucket: str, *, is_lapsed: bool) -> None:
    """Two months after 31 December is 28 February; an unknown bucket cannot be judged."""
    item = ClaimItem("login.ip", SEVEN, bucket, 1)
    assert _lapsed(item, "security") is is_lapsed
    assert not LAPSES.needs_events(_claim(item, purpose="security"))


def test_an_event_that_did_not_come_has_not_started() -> None:
    """Open buckets wait for their event; one month after it the purpose has ended."""
    item = ClaimItem("customer.email", SEVEN, "open", 1)
    assert LAPSES.needs_events(_claim(item, purpose="marketing"))
    assert not _lapsed(item, "marketing")
    assert not _lapsed(item, "marketing", consent_ended=NOW - timedelta(days=20))
    assert _lapsed(item, "marketing", consent_ended=NOW - timedelta(days=40))
    assert not _lapsed(item, "support", consent_ended=NOW - timedelta(days=40))


def test_one_lapsed_value_lapses_its_field() -> None:
    """All or nothing: fresh values do not carry an old one along."""
    items = [ClaimItem("login.ip", SEVEN, bucket, 1) for bucket in ("2026-02", "2025-11")]
    claim = _claim(*items, purpose="security")
    assert LAPSES.lapsed_fields(claim, at=NOW, events={}) == {"login.ip"}


@given(st.binary(min_size=1, max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_page_tokens_open_for_what_they_are_bound_to(
    position: bytes, bound_to: bytes, other: bytes
) -> None:
    """Round trip; another binding, another key or a cut token is refused."""
    keys = RequestKeys(bytes(32))
    token = keys.write_page(position, bound_to=bound_to)
    assert keys.read_page(token, bound_to=bound_to) == position
    assert keys.read_page("", bound_to=bound_to) == b""
    wrong = [(RequestKeys(b"\1" * 32), token, bound_to), (keys, token[:-4], bound_to)]
    if other != bound_to:
        wrong.append((keys, token, other))
    for maker, text, binding in wrong:
        with pytest.raises(EmanetError) as refused:
            maker.read_page(text, bound_to=binding)
        assert refused.value.reason is Reason.INVALID_PAGE_TOKEN


def test_page_sizes_follow_aip_158() -> None:
    """50 by default, 1000 at most, negative refused."""
    assert [page_size(n) for n in (0, 1, 1000, 5000)] == [50, 1, 1000, 1000]
    with pytest.raises(EmanetError):
        page_size(-1)


def test_a_request_key_covers_content_person_caller_and_organization() -> None:
    """Each alone changes the digest; the id does not."""
    keys = RequestKeys(bytes(32))
    message = access_audit_pb2.RecordItem(id=str(ATTEMPT))
    base = {"request_id": str(ATTEMPT), "organization": "a", "caller": "c", "person": "p"}
    first = keys.request(message, **base).digest
    assert keys.request(message, **base).digest == first
    for change in ({"organization": "b"}, {"caller": "d"}, {"person": ""}):
        assert keys.request(message, **(base | change)).digest != first
    message.action = 1
    assert keys.request(message, **base).digest != first


def _note(keys: LogKeys, size: int) -> str:
    return keys.sign(Checkpoint("emanet-dev/test/cinar/1", size, bytes([size]) * 32))


def test_the_larger_of_the_two_checkpoint_files_counts(tmp_path: Path) -> None:
    """The fast one is ahead within a second; torn or lost, the durable one stands for it."""
    keys = LogKeys(bytes(32))
    origin = "emanet-dev/test/cinar/1"
    times = iter([0.0, 0.2, 0.4])
    files = CheckpointFiles(tmp_path, keys, monotonic=lambda: next(times))
    assert files.read("cinar", origin) is None
    for size in (1, 2, 3):
        files.write("cinar", _note(keys, size))
    files.close()
    fast = tmp_path / "cinar.checkpoint.latest"
    known = files.read("cinar", origin)
    assert known is not None
    assert known.size == 3
    fast.write_bytes(fast.read_bytes()[:90])
    known = files.read("cinar", origin)
    assert known is not None
    assert known.size == 1
    (tmp_path / "cinar.checkpoint").write_text(_note(LogKeys(b"\1" * 32), 9))
    with pytest.raises(EmanetError) as refused:
        files.read("cinar", origin)
    assert refused.value.reason is Reason.LOG_CORRUPT


def test_each_log_has_its_own_key() -> None:
    """Derived from the seed and the origin; the same again, and another for another log."""
    one, two = LogKeys(bytes(32)), LogKeys(bytes(32))
    origins = ["emanet/a/x/1", "emanet/a/x/2", "emanet/a/y/1", "emanet-dev/a/x/1"]
    keys = {one.vkey(origin).public_key for origin in origins}
    assert len(keys) == 4
    assert [one.vkey(o) for o in origins] == [two.vkey(o) for o in origins]
    assert repr(one) == "LogKeys(...)"


def test_a_register_that_was_never_confirmed_is_stale() -> None:
    """A start without any contact decides nothing; the limit itself still counts as fresh."""
    contacts = Contacts(stale_after=timedelta(seconds=1))
    with pytest.raises(EmanetError) as refused:
        contacts.require_fresh("cinar", at_us=0)
    assert refused.value.reason is Reason.REGISTER_STALE
    contacts.note("cinar", 5)
    contacts.require_fresh("cinar", at_us=1_000_005)
    with pytest.raises(EmanetError):
        contacts.require_fresh("cinar", at_us=1_000_006)
