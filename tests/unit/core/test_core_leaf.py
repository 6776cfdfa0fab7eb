"""Leaves, entries, receipts, disclosures and pseudonyms."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.core import canonical, keyrow, pseudonym
from emanet.core.disclosure import (
    ShownEntry,
    WithheldEntry,
    decode_disclosure,
    encode_disclosure,
    verify_disclosure,
)
from emanet.core.encoding import MAX_INTEGER, b64url_encode
from emanet.core.errors import CallerError, EmanetError, Reason
from emanet.core.ids import uuid7
from emanet.core.leaf import (
    MAX_ENTRIES,
    MAX_FIELDS,
    MAX_LEAF_BYTES,
    AccessLeaf,
    Act,
    Actor,
    ActorAuth,
    ActorKind,
    CasesLeaf,
    Decision,
    Entry,
    EntryKey,
    KeyLeaf,
    KeyOperation,
    Leaf,
    Mode,
    OutcomeLeaf,
    Receipt,
    RegisterLeaf,
    RetentionLeaf,
    RulesLeaf,
    Target,
    Verdict,
    decode_leaf,
    encode_leaf,
)
from emanet.core.merkle import EMPTY_ROOT, entries_root

ID = uuid7(now_us=1_790_000_000_000_000, random=bytes(10))
TOKEN = "A" * 32
OTHER_TOKEN = "B" * 32
HEAD = {"id": ID, "organization": "cinaralti", "event_us": 5, "receive_us": 6}

slugs = st.from_regex(r"[a-z][a-z0-9._-]{0,20}", fullmatch=True)
codes = st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True)
tokens = st.binary(min_size=24, max_size=24).map(b64url_encode)
digests = st.binary(min_size=32, max_size=32)
numbers = st.integers(0, MAX_INTEGER)
uuids = st.builds(uuid7, now_us=st.integers(0, 2**50), random=st.binary(min_size=10, max_size=10))
heads = {"id": uuids, "organization": slugs, "event_us": numbers, "receive_us": numbers}
counted = st.one_of(
    st.just((0, EMPTY_ROOT)),
    st.tuples(st.integers(1, MAX_ENTRIES), digests.filter(lambda d: d != EMPTY_ROOT)),
)
actors = st.one_of(
    st.builds(Actor, id=slugs, kind=st.just(ActorKind.APP), auth=st.sampled_from(ActorAuth)),
    st.builds(
        Actor,
        id=tokens,
        kind=st.sampled_from([ActorKind.HUMAN, ActorKind.DATA_SUBJECT]),
        auth=st.sampled_from(ActorAuth),
    ),
)
decisions = st.builds(
    Decision,
    verdict=st.sampled_from(Verdict),
    mode=st.sampled_from(Mode),
    why=codes,
    rules=st.lists(st.sampled_from(["A1", "A2", "D01", "own.record"]), unique=True).map(tuple),
    register=numbers,
    rule_set=numbers,
)
targets = st.builds(
    Target, system=slugs, fields=st.lists(slugs, unique=True, max_size=6).map(tuple), values=numbers
)


@st.composite
def access_leaves(draw: st.DrawFn) -> AccessLeaf:
    entries, root = draw(counted)
    decision = draw(decisions)
    others = st.lists(codes.filter(lambda code: code != decision.why), unique=True, max_size=3)
    reasons = others.map(lambda more: (decision.why, *more))
    if decision.verdict is Verdict.ALLOW:
        reasons = st.just(()) if decision.mode is Mode.ENFORCE else st.just(()) | reasons
    return AccessLeaf(
        **{name: draw(strategy) for name, strategy in heads.items()},
        actor=draw(actors),
        app=draw(slugs),
        purpose=draw(slugs),
        act=draw(st.sampled_from(Act)),
        target=draw(targets),
        decision=decision,
        entries=entries,
        entries_root=root,
        role=draw(st.just("") | slugs),
        reasons=draw(reasons),
        break_glass=draw(st.none() | uuids),
    )


def batch(kind: type) -> st.SearchStrategy[Leaf]:
    return counted.flatmap(
        lambda pair: st.builds(
            kind, **heads, app=slugs, entries=st.just(pair[0]), entries_root=st.just(pair[1])
        )
    )


key_ids = st.lists(
    st.binary(min_size=16, max_size=16).map(b64url_encode), min_size=1, max_size=4, unique=True
).map(tuple)
leaves: st.SearchStrategy[Leaf] = st.one_of(
    access_leaves(),
    st.builds(OutcomeLeaf, **heads, access=uuids, item=numbers, why=codes),
    st.builds(RegisterLeaf, **heads, number=st.integers(1, 99), digest=digests, approval=digests),
    st.builds(
        RulesLeaf,
        **heads,
        number=st.integers(1, 99),
        digest=digests,
        by=st.just((TOKEN, OTHER_TOKEN)),
    ),
    batch(CasesLeaf),
    batch(RetentionLeaf),
    st.builds(
        KeyLeaf,
        **heads,
        operation=st.sampled_from([KeyOperation.DESTROYED, KeyOperation.DESTROY_INTENT]),
        retention_class=st.sampled_from(["contract-10y", "a+b"]),
        ids=key_ids,
        by=tokens | slugs,
    ),
    st.builds(
        KeyLeaf, **heads, operation=st.just(KeyOperation.EPOCH), ids=st.just(("2", "12")), by=slugs
    ),
)


def access(**change: object) -> AccessLeaf:
    values: dict[str, object] = {
        **HEAD,
        "actor": Actor(TOKEN, ActorKind.HUMAN, ActorAuth.TOKEN),
        "app": "panel",
        "purpose": "support",
        "act": Act.DECRYPT,
        "target": Target("crm", ("customer.email",), 1),
        "decision": Decision(Verdict.ALLOW, Mode.ENFORCE, "CASE", ("A11",), 3, 2),
        "entries": 0,
        "entries_root": EMPTY_ROOT,
    }
    return AccessLeaf(**{**values, **change})  # type: ignore[arg-type]  # changed on purpose


@given(leaves)
def test_leaves_round_trip(leaf: Leaf) -> None:
    """A leaf of any type is read as it was written, and its bytes are canonical JSON."""
    data = encode_leaf(leaf)
    assert decode_leaf(data) == leaf
    assert canonical.encode(canonical.decode(data)) == data


@given(leaves, leaves)
def test_different_leaves_have_different_bytes(first: Leaf, second: Leaf) -> None:
    """Leaf bytes are injective over all types."""
    assert (encode_leaf(first) == encode_leaf(second)) == (first == second)


@given(leaves, st.integers(0, 2**16), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_another_leaf(leaf: Leaf, position: int, change: int) -> None:
    """No byte of a leaf is ignored."""
    data = bytearray(encode_leaf(leaf))
    data[position % len(data)] ^= change
    try:
        other = decode_leaf(bytes(data))
    except EmanetError as caught:
        reason = caught.reason
    else:
        assert other != leaf
        return
    assert reason is Reason.LOG_CORRUPT


@pytest.mark.parametrize(
    "change",
    [
        {"id": UUID(int=0)},
        {"organization": "Cinaralti"},
        {"event_us": -1},
        {"receive_us": MAX_INTEGER + 1},
        {"app": ""},
        {"purpose": "Support"},
        {"role": "a b"},
        {"entries": 1},
        {"entries": MAX_ENTRIES + 1, "entries_root": bytes(32)},
        {"entries_root": bytes(31)},
        {"entries": 0, "entries_root": bytes(32)},
        {"reasons": ("CASE",)},
        {"decision": Decision(Verdict.DENY, Mode.ENFORCE, "DENY_RULE", (), 3, 2)},
        {
            "decision": Decision(Verdict.DENY, Mode.ENFORCE, "DENY_RULE", (), 3, 2),
            "reasons": ("CASE_REQUIRED", "DENY_RULE"),
        },
        {"break_glass": UUID(int=0)},
    ],
)
def test_access_leaves_with_a_malformed_member_do_not_exist(change: dict[str, object]) -> None:
    """A value is checked when it is built, not when it is written."""
    with pytest.raises(CallerError):
        access(**change)


@pytest.mark.parametrize("name", ["ayse@example.com", "10000000146", "panel", "", TOKEN + "A"])
def test_people_are_in_leaves_as_tokens_only(name: str) -> None:
    """Neither an e-mail, nor a number, nor a person id can stand for a person."""
    for kind in (ActorKind.HUMAN, ActorKind.DATA_SUBJECT):
        with pytest.raises(CallerError):
            Actor(name, kind, ActorAuth.TOKEN)


def test_limits_of_fields_entries_and_bytes_hold() -> None:
    """64 fields fit and 65 do not; a leaf that would be too long is not written or read."""
    longest = tuple(f"{number:02d}".join(("f", "x" * 60)) for number in range(MAX_FIELDS))
    assert decode_leaf(encode_leaf(access(target=Target("crm", longest, 1))))
    for fields in ((*longest, "one.more"), ("a", "a")):
        with pytest.raises(CallerError):
            Target("crm", fields, 1)
    assert access(entries=MAX_ENTRIES, entries_root=bytes(32)).entries == MAX_ENTRIES
    ids = tuple(b64url_encode(number.to_bytes(16, "big")) for number in range(512))
    huge = KeyLeaf(
        **HEAD,
        operation=KeyOperation.DESTROYED,
        retention_class="+".join(["c" * 63] * 100),
        ids=ids,
        by="crypto",
    )
    with pytest.raises(CallerError) as caught:
        encode_leaf(huge)
    assert caught.value.reason is Reason.VALUE_TOO_LARGE
    with pytest.raises(EmanetError):
        decode_leaf(b" " * (MAX_LEAF_BYTES + 1))


@pytest.mark.parametrize("by", [(TOKEN, TOKEN), (TOKEN, "s-017"), (TOKEN,)])
def test_rule_sets_need_two_persons(by: tuple[str, ...]) -> None:
    """One person twice is not two persons."""
    with pytest.raises(CallerError):
        RulesLeaf(**HEAD, number=1, digest=bytes(32), by=by)  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize(
    ("operation", "retention_class", "ids"),
    [
        (KeyOperation.DESTROYED, "", ("A" * 22,)),
        (KeyOperation.DESTROYED, "a", ()),
        (KeyOperation.DESTROYED, "a", ("AAAA",)),
        (KeyOperation.DESTROYED, "a", ("A" * 22,) * 2),
        (KeyOperation.EPOCH, "a", ("1",)),
        (KeyOperation.EPOCH, "", ("A" * 22,)),
        (KeyOperation.EPOCH, "", ("01",)),
        (KeyOperation.EPOCH, "", ("2", "2")),
        (KeyOperation.EPOCH, "", ("10", "9")),
        (KeyOperation.DESTROYED, "b+", ("A" * 22,)),
    ],
)
def test_key_leaves_name_keys_or_epochs(
    operation: KeyOperation, retention_class: str, ids: tuple[str, ...]
) -> None:
    """Destructions name class and key ids, epochs their numbers."""
    with pytest.raises(CallerError):
        KeyLeaf(**HEAD, operation=operation, retention_class=retention_class, ids=ids, by="crypto")


def test_reserved_types_are_refused() -> None:
    """A leaf of a type that is not built yet is not half understood."""
    for kind in (
        "tombstone",
        "keystore",
        "signer",
        "review",
        "breakglass",
        "fork",
        "sealkey",
        "",
        "ACCESS",
    ):
        members = dict(canonical.decode_object(encode_leaf(access())))
        with pytest.raises(EmanetError):
            decode_leaf(canonical.encode({**members, "t": kind}))


entries = st.builds(
    Entry, key=st.sampled_from(EntryKey), value=st.text('aığ/ 7\n"', min_size=1, max_size=20)
)
disclosed = st.lists(
    st.builds(ShownEntry, salt=st.binary(min_size=16, max_size=16), entry=entries)
    | st.builds(WithheldEntry, hash=digests),
    max_size=6,
)


@given(disclosed, st.data())
def test_disclosures_round_trip_and_withhold_without_changing_the_root(
    items: list[ShownEntry | WithheldEntry], data: st.DataObject
) -> None:
    """Any entry can be replaced by its hash; none can be changed, dropped or exchanged."""
    assert list(decode_disclosure(encode_disclosure(items))) == items
    root = entries_root([item.hash for item in items])
    hidden = [data.draw(st.sampled_from([item, WithheldEntry(item.hash)])) for item in items]
    verify_disclosure(hidden, entries=len(items), entries_root=root)
    if not items:
        return
    wrong = [items[1:], [*items, items[0]], [*items[:-1], WithheldEntry(bytes(32))]]
    if items[::-1] != items and len({item.hash for item in items}) > 1:
        wrong.append(items[::-1])
    for changed in wrong:
        if [item.hash for item in changed] == [item.hash for item in items]:
            continue
        with pytest.raises(EmanetError):
            verify_disclosure(changed, entries=len(items), entries_root=root)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[1]",
        b"[[]]",
        b'[["AAAAAAAAAAAAAAAAAAAAAA","subject"]]',
        b'["AAAA"]',
        b'[["AAAA","subject","x"]]',
        b'[["AAAAAAAAAAAAAAAAAAAAAA","unknown","x"]]',
        b'[["AAAAAAAAAAAAAAAAAAAAAA","subject",""]]',
        b'[["AAAAAAAAAAAAAAAAAAAAAA","subject",1]]',
    ],
)
def test_malformed_disclosures_are_refused(data: bytes) -> None:
    """Other shapes, keys, salts and values are corrupt."""
    with pytest.raises(EmanetError) as caught:
        decode_disclosure(data)
    assert caught.value.reason is Reason.LOG_CORRUPT


@pytest.mark.parametrize("value", ["", "x" * 4097, "ğ" * 2049, "as\u0327"])
def test_entries_outside_their_limits_do_not_exist(value: str) -> None:
    """An entry has 1 to 4,096 bytes of NFC text."""
    with pytest.raises(CallerError):
        Entry(EntryKey.TEXT, value)


def test_receipts_round_trip_and_refuse_other_bytes() -> None:
    """A receipt has three members and a 32-byte hash."""
    receipt = Receipt(checkpoint="note\n", index=7, leaf_hash=bytes(32))
    data = receipt.to_bytes()
    assert Receipt.from_bytes(data) == receipt
    members = canonical.decode_object(data)
    for change in (
        {"index": -1},
        {"index": True},
        {"leaf_hash": "AAAA"},
        {"x": 1},
        {"checkpoint": 1},
    ):
        with pytest.raises(EmanetError) as caught:
            Receipt.from_bytes(canonical.encode({**members, **change}))
        assert caught.value.reason is Reason.RECEIPT_INVALID


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.binary(min_size=32, max_size=32), slugs, slugs, texts, texts)
def test_tokens_commit_to_one_reference(
    salt: bytes, organization: str, namespace: str, ref: str, other: str
) -> None:
    """With salt and reference the token is checked; another reference does not fit it."""
    token = pseudonym.token(salt, organization, namespace, ref)
    assert len(token) == pseudonym.TOKEN_CHARACTERS
    parts = {"salt": salt, "organization": organization, "namespace": namespace}
    pseudonym.verify_token(token, **parts, ref=ref)
    if other != ref:
        with pytest.raises(EmanetError) as caught:
            pseudonym.verify_token(token, **parts, ref=other)
        assert caught.value.reason is Reason.PSEUDONYM_CORRUPT
    assert pseudonym.parse_row_plaintext(pseudonym.row_plaintext(salt=salt, ref=ref)) == (salt, ref)


@pytest.mark.parametrize(
    "data", [b"", bytes(32), bytes(35), bytes(37), bytes(32) + b"\0\0\0\1\xff"]
)
def test_malformed_pseudonym_rows_are_refused(data: bytes) -> None:
    """A row's content has exactly a salt and one text."""
    with pytest.raises(EmanetError) as caught:
        pseudonym.parse_row_plaintext(data)
    assert caught.value.reason is Reason.PSEUDONYM_CORRUPT


@pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33)])
def test_salts_of_another_length_make_no_token(salt: bytes) -> None:
    """A pseudonym's salt is 32 bytes."""
    with pytest.raises(EmanetError):
        pseudonym.token(salt, "o", "n", "r")
    with pytest.raises(EmanetError):
        pseudonym.row_plaintext(salt=salt, ref="r")


ROW = keyrow.KeyRow(
    id=bytes(16),
    organization="cinaralti",
    kind=keyrow.KeyKind.SUBJECT,
    retention_class="a+b",
    bucket="",
    state=keyrow.KeyState.ACTIVE,
    lookup=bytes(32),
    epoch=1,
    row_version=1,
    created=5,
)


@pytest.mark.parametrize(
    "change",
    [
        {"id": bytes(15) + b"x"},
        {"organization": "other"},
        {"kind": keyrow.KeyKind.BUCKET},
        {"retention_class": "a"},
        {"bucket": "open"},
        {"state": keyrow.KeyState.HELD},
        {"lookup": bytes(31) + b"x"},
        {"epoch": 2},
        {"row_version": 2},
        {"created": 6},
        {"destroyed": 0},
    ],
)
def test_the_aad_of_a_key_row_binds_every_column(change: dict[str, object]) -> None:
    """An edited column gives another AAD, so the row does not open."""
    assert keyrow.row_aad(ROW._replace(**change)) != keyrow.row_aad(ROW)


@pytest.mark.parametrize("column", ["epoch", "row_version", "created"])
@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_key_row_with_an_impossible_number_is_corrupt(column: str, number: int) -> None:
    """A number that has no 8 bytes was not written by us."""
    with pytest.raises(EmanetError) as caught:
        keyrow.row_aad(ROW._replace(**{column: number}))
    assert caught.value.reason is Reason.KEY_ROW_CORRUPT


@pytest.mark.parametrize(
    "data", [b"", bytes(32), bytes(36), bytes(41), bytes(32) + b"\0\0\0\1\xff\0\0\0\0"]
)
def test_malformed_key_rows_are_refused(data: bytes) -> None:
    """A row's content has exactly a key and two texts."""
    with pytest.raises(EmanetError) as caught:
        keyrow.parse_row_plaintext(data, keyrow.KeyKind.SUBJECT)
    assert caught.value.reason is Reason.KEY_ROW_CORRUPT
    pair = keyrow.row_plaintext(key=bytes(64), namespace="customers", ref="7")
    assert keyrow.parse_row_plaintext(pair, keyrow.KeyKind.PAIR) == (bytes(64), "customers", "7")
