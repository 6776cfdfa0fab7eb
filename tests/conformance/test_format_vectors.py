"""The vectors of docs/formats: a second implementation writes them, Emanet must read and write the same."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
import second_implementation
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from emanet.core import canonical, encoding, envelope, keyrow, merkle, names, pseudonym, tiles
from emanet.core.checkpoint import (
    Checkpoint,
    Vkey,
    format_vkey,
    open_checkpoint,
    parse_vkey,
    sign_checkpoint,
)
from emanet.core.disclosure import (
    ShownEntry,
    WithheldEntry,
    decode_disclosure,
    encode_disclosure,
    verify_disclosure,
)
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import Entry, EntryKey, Receipt, decode_leaf, encode_leaf
from emanet.core.proof import format_proof, open_proof, parse_proof

FILES = ("encodings", "envelope", "keys", "leaf", "log")


def vectors(name: str) -> Any:
    return json.loads((second_implementation.VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("name", FILES)
def test_vector_files_are_what_the_second_implementation_writes(name: str) -> None:
    """The files are never edited by hand, and the second implementation still gives them."""
    stored = (second_implementation.VECTORS / f"{name}.json").read_text(encoding="utf-8")
    assert stored == second_implementation.written(second_implementation.build()[name])


def test_encodings_match_the_vectors() -> None:
    """LP, integers, times and base64url have the documented bytes, and the refused are refused."""
    data = vectors("encodings")
    for case in data["lp"]:
        parts = [bytes.fromhex(part) for part in case["parts_hex"]]
        assert encoding.lp(*parts).hex() == case["hex"]
        assert encoding.read_lp(bytes.fromhex(case["hex"]), len(parts)) == tuple(parts)
    assert all(encoding.u64(case["number"]).hex() == case["hex"] for case in data["u64"])
    for case in data["times"]:
        moment = datetime.fromisoformat(case["rfc3339"])
        assert (encoding.micros(moment), encoding.from_micros(case["micros"])) == (
            case["micros"],
            moment,
        )
    for case in data["base64url"]:
        assert encoding.b64url_encode(bytes.fromhex(case["hex"])) == case["text"]
        assert encoding.b64url_decode(case["text"]).hex() == case["hex"]
    for text in data["base64url_refused"]:
        with pytest.raises(EmanetError):
            encoding.b64url_decode(text)


def test_canonical_json_matches_the_vectors() -> None:
    """Every value has one form; every other way of writing it is refused."""
    data = vectors("encodings")
    for case in data["canonical"]:
        assert canonical.encode(case["value"]).hex() == case["hex"]
        assert canonical.decode(bytes.fromhex(case["hex"])) == case["value"]
    refused = [text.encode() for text in data["canonical_refused"]]
    refused += [bytes.fromhex(text) for text in data["canonical_refused_hex"]]
    for written in refused:
        with pytest.raises(EmanetError):
            canonical.decode(written)


def test_names_and_subjects_match_the_vectors() -> None:
    """Names and subjects round-trip; what is not of the documented form is refused."""
    data = vectors("encodings")
    for text in data["names"]:
        name = names.parse_name(text)
        assert names.format_name(name.organization, name.collection, name.id) == text
    for text in data["names_refused"]:
        with pytest.raises(EmanetError) as caught:
            names.parse_name(text)
        assert caught.value.reason is Reason.INVALID_NAME
    assert [str(names.parse_subject(text)) for text in data["subjects"]] == data["subjects"]
    for text in data["subjects_refused"]:
        with pytest.raises(EmanetError):
            names.parse_subject(text)
    for text in data["subjects_with_identity_number"]:
        assert str(names.parse_subject(text, allow_identity_number=True)) == text


def test_envelopes_match_the_vectors() -> None:
    """Layout, pair derivation message, AAD and text form have the documented bytes."""
    for case in vectors("envelope")["cases"]:
        raw = {key: bytes.fromhex(case[key]) for key in ("sid", "bid", "nonce", "C", "envelope")}
        header = envelope.header(sid=raw["sid"], bid=raw["bid"], nonce=raw["nonce"])
        info = keyrow.pair_info(organization=case["organization"], sid=raw["sid"], bid=raw["bid"])
        aad = envelope.aad(
            header,
            organization=case["organization"],
            field=case["field"],
            record=case["record"],
            value_type=envelope.ValueType(case["value_type"]),
        )
        assert (info.hex(), aad.hex()) == (case["pair_info"], case["aad"])
        parsed = envelope.parse_envelope(case["text"])
        assert parsed == envelope.parse_envelope(raw["envelope"])
        assert (parsed.header, parsed.commitment) == (header, raw["C"])
        sealed = envelope.seal_bytes(header=header, commitment=raw["C"], sealed=parsed.sealed)
        assert sealed == envelope.format_envelope(parsed) == raw["envelope"]
        assert envelope.to_text(sealed) == case["text"]


def test_malformed_envelopes_of_the_vectors_give_one_error() -> None:
    """Reserved suites, other versions, wrong lengths and other texts are the same refusal."""
    data = vectors("envelope")
    refused: list[bytes | str] = list(data["refused_text"])
    for case in data["refused_hex"]:
        refused.append(bytes.fromhex(case["prefix"]).ljust(case["length"], b"\0"))
    for value in refused:
        with pytest.raises(EmanetError) as caught:
            envelope.parse_envelope(value)
        assert caught.value.reason is Reason.ENVELOPE_INVALID


def test_key_rows_match_the_vectors() -> None:
    """Lookup message, AAD and wrapped content of key rows have the documented bytes."""
    for case in vectors("keys")["rows"]:
        kind = keyrow.KeyKind(case["kind"])
        row = keyrow.KeyRow(
            id=bytes.fromhex(case["id"]),
            organization=case["organization"],
            kind=kind,
            retention_class=case["class"],
            bucket=case["bucket"],
            state=keyrow.KeyState(case["state"]),
            lookup=bytes.fromhex(case["lookup"]),
            epoch=case["epoch"],
            row_version=case["row_version"],
            created=case["created"],
        )
        message = keyrow.lookup_message(
            organization=row.organization,
            kind=kind,
            retention_class=row.retention_class,
            namespace=case["namespace"],
            ref=case["ref"],
        )
        key = bytes.fromhex(case["key"])
        plaintext = keyrow.row_plaintext(key=key, namespace=case["namespace"], ref=case["ref"])
        assert (message.hex(), keyrow.row_aad(row).hex()) == (case["lookup_message"], case["aad"])
        assert plaintext.hex() == case["plaintext"]
        assert keyrow.parse_row_plaintext(plaintext, kind) == (key, case["namespace"], case["ref"])


def test_epoch_aad_and_file_match_the_vectors() -> None:
    """The epoch file is canonical JSON and its key is bound to service, organization and number."""
    case = vectors("keys")["epoch_file"]
    body = canonical.decode_object(case["file"].encode())
    aad = keyrow.epoch_aad(
        service=str(body["service"]), organization=str(body["organization"]), epoch=case["epoch"]
    )
    assert aad.hex() == case["aad"]


def test_pseudonyms_match_the_vectors() -> None:
    """Token, lookup message, AAD and wrapped content of pseudonym rows have the documented bytes."""
    for case in vectors("leaf")["pseudonyms"]:
        salt, person = (
            bytes.fromhex(case["salt"]),
            (case["organization"], case["namespace"], case["ref"]),
        )
        aad = pseudonym.row_aad(
            organization=case["organization"],
            namespace=case["namespace"],
            lookup=bytes.fromhex(case["lookup"]),
            token=case["token"],
            epoch=case["epoch"],
        )
        plaintext = pseudonym.row_plaintext(salt=salt, ref=case["ref"])
        assert pseudonym.token(salt, *person) == case["token"]
        assert pseudonym.lookup_message(*person).hex() == case["lookup_message"]
        assert (aad.hex(), plaintext.hex()) == (case["aad"], case["plaintext"])
        assert pseudonym.parse_row_plaintext(plaintext) == (salt, case["ref"])


def test_leaves_of_every_type_match_the_vectors() -> None:
    """Each leaf is read, written again as the same bytes, and has the documented hash."""
    cases = vectors("leaf")["leaves"]
    assert {case["t"] for case in cases} == {
        "access",
        "outcome",
        "register",
        "rules",
        "cases",
        "retention",
        "key",
    }
    for case in cases:
        data = case["json"].encode()
        assert encode_leaf(decode_leaf(data)) == data
        assert merkle.leaf_hash(data).hex() == case["leaf_hash"]


@pytest.mark.parametrize("case", vectors("leaf")["refused"], ids=lambda case: case["why"])
def test_leaves_outside_the_closed_schema_are_refused(case: dict[str, str]) -> None:
    """A leaf with one member wrong is LOG_CORRUPT."""
    with pytest.raises(EmanetError) as caught:
        decode_leaf(case["json"].encode())
    assert caught.value.reason is Reason.LOG_CORRUPT


def test_entries_match_the_vectors() -> None:
    """Entry bytes, hashes, root, single proofs and the disclosed list have the documented bytes."""
    data = vectors("leaf")
    root, shown = bytes.fromhex(data["entries_root"]), []
    for case in data["entries"]:
        item = ShownEntry(
            salt=bytes.fromhex(case["salt"]), entry=Entry(EntryKey(case["key"]), case["value"])
        )
        assert (item.entry.data.decode(), item.hash.hex()) == (case["json"], case["hash"])
        shown.append(item)
    for case in (data["pushed_case"], data["pushed_event"]):
        entry = Entry(EntryKey(case["key"]), case["value"])
        assert entry.hash(bytes.fromhex(case["salt"])).hex() == case["hash"]
        assert canonical.encode(canonical.decode(case["value"].encode())).decode() == case["value"]
    hashes = [item.hash for item in shown]
    assert merkle.entries_root(hashes) == root
    for index, path in enumerate(data["entry_proofs"]):
        proof = merkle.entries_proof(hashes, index)
        assert [each.hex() for each in proof] == path
        merkle.verify_entry(
            entry=hashes[index], index=index, size=len(hashes), proof=proof, root=root
        )
    disclosed = decode_disclosure(data["disclosed"].encode())
    verify_disclosure(disclosed, entries=len(shown), entries_root=root)
    assert [type(item) for item in disclosed].count(WithheldEntry) == 1
    assert encode_disclosure(disclosed).decode() == data["disclosed"]


def test_checkpoints_match_the_vectors() -> None:
    """Derived key, vkey line and signed notes of fixed seeds have the documented text."""
    data = vectors("log")
    assert (
        keyrow.log_key_info(data["origin"]).hex()
        == second_implementation.lp(b"emanet/log-key/v1", data["origin"].encode()).hex()
    )
    vkey = Vkey(name=data["origin"], public_key=bytes.fromhex(data["public_key"]))
    assert format_vkey(vkey) == data["vkey"]
    assert parse_vkey(data["vkey"] + "\n") == vkey
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(data["signing_seed"]))
    leaves = [bytes.fromhex(case["leaf_hash"]) for case in vectors("leaf")["leaves"]]
    for size, note in data["checkpoints"].items():
        root = merkle.CompactRange().extend(leaves[: int(size)]).root()
        checkpoint = Checkpoint(origin=vkey.name, size=int(size), root=root)
        assert open_checkpoint(note, vkey, verify) == checkpoint
        assert sign_checkpoint(checkpoint, vkey, private.sign) == note


def test_log_proofs_match_the_vectors() -> None:
    """Inclusion and consistency proofs, compact range, receipt and stored proof are as documented."""
    data = vectors("log")
    leaves = [bytes.fromhex(case["leaf_hash"]) for case in vectors("leaf")["leaves"]]
    size = len(leaves)
    hash_at = tiles.hash_reader(size, lambda tile: bytes.fromhex(data["export"][tile.path]))
    inclusion = [
        [each.hex() for each in merkle.inclusion_proof(i, size, hash_at)] for i in range(size)
    ]
    assert inclusion == data["inclusion"]
    for old, path in data["consistency"].items():
        proof = merkle.consistency_proof(int(old), size, hash_at)
        assert [each.hex() for each in proof] == path
    whole = merkle.CompactRange().extend(leaves)
    assert whole.to_bytes().hex() == data["compact_range"]
    receipt = Receipt.from_bytes(data["receipt"].encode())
    assert (receipt.index, receipt.leaf_hash) == (1, leaves[1])
    assert receipt.to_bytes().decode() == data["receipt"]
    proof = parse_proof(data["tlog_proof"])
    assert format_proof(proof) == data["tlog_proof"]
    checkpoint = open_proof(
        proof, leaf_hash=leaves[1], vkey=parse_vkey(data["vkey"]), verify=verify
    )
    assert checkpoint.root == whole.root()


def test_export_directory_matches_the_vectors() -> None:
    """The tiles of the exported log are those of its size, with the documented bytes."""
    data = vectors("log")
    leaves = [case["json"].encode() for case in vectors("leaf")["leaves"]]
    files = {tile.path: tile for tile in tiles.tiles_of(len(leaves))}
    assert {*files, "checkpoint"} == set(data["export"])
    for path, tile in files.items():
        if tile.level == tiles.ENTRIES:
            written = tiles.encode_entries(leaves)
            assert tiles.decode_entries(written, tile.width) == tuple(leaves)
        else:
            written = tiles.encode_hashes([merkle.leaf_hash(leaf) for leaf in leaves])
        assert written.hex() == data["export"][path]


def test_uuid_versions_other_than_seven_are_not_leaf_ids() -> None:
    """Only UUIDv7 identifies a leaf."""
    leaf = decode_leaf(vectors("leaf")["leaves"][0]["json"].encode())
    assert leaf.id.version == 7
    with pytest.raises(EmanetError):
        type(leaf)(
            **{
                **{f: getattr(leaf, f) for f in leaf.__dataclass_fields__ if f != "TYPE"},
                "id": UUID(int=0),
            }
        )
