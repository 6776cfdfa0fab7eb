"""The published vectors of docs/formats, through the code that runs in the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emanet.core.clock import SystemClock
from emanet.core.envelope import ValueType, parse_envelope
from emanet.core.keyrow import KEY_BYTES, PAIR_BYTES, KeyKind, KeyState, pair_info
from services.crypto.domain.binding import Binder
from services.crypto.domain.keys import KeyName, StoredKey
from services.crypto.keystore import Keystore
from services.runtime.keyring import EpochKey
from services.runtime.primitives import GcmSiv, hkdf_sha256

VECTORS = Path(__file__).parents[2] / "docs" / "formats" / "vectors"
KEYS = json.loads((VECTORS / "keys.json").read_text(encoding="utf-8"))
ENVELOPES = json.loads((VECTORS / "envelope.json").read_text(encoding="utf-8"))
ROWS = [row for row in KEYS["rows"] if row["kind"] != "pair"]


class _OneEpoch:
    """A provider of the vectors' epoch key alone."""

    def epoch(self, organization: str, epoch: int) -> EpochKey:
        return EpochKey(epoch, bytes.fromhex(KEYS["epoch_key"]))


def keystore() -> Keystore:
    return Keystore(provider=_OneEpoch(), lookup_key=bytes.fromhex(KEYS["lookup_key"]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_key_row_of_the_format_opens(row: dict[str, str]) -> None:
    """Lookup, associated data and wrapping are byte-exact: the published row opens."""
    store = keystore()
    name = KeyName(KeyKind(row["kind"]), row["class"], row["namespace"], row["ref"])
    assert store.lookup(row["organization"], name).hex() == row["lookup"]
    opened = store.open(
        StoredKey(
            id=bytes.fromhex(row["id"]),
            organization=row["organization"],
            kind=KeyKind(row["kind"]),
            retention_class=row["class"],
            bucket=row["bucket"],
            state=KeyState(row["state"]),
            lookup=bytes.fromhex(row["lookup"]),
            epoch=row["epoch"],
            row_version=row["row_version"],
            created=row["created"],
            destroyed=None,
            wrapped=bytes.fromhex(row["wrapped"]),
        )
    )
    assert opened.key.hex() == row["key"]
    whose = f"{row['namespace']}/{row['ref']}" if row["namespace"] else ""
    assert opened.subject == ("" if row["kind"] == "bucket" else whose)


@pytest.mark.parametrize("case", ENVELOPES["cases"], ids=lambda case: case["name"])
def test_an_envelope_of_the_format_opens(case: dict[str, str]) -> None:
    """K, C and the associated data are byte-exact: the published envelope opens."""
    envelope = parse_envelope(case["text"])
    assert envelope == parse_envelope(bytes.fromhex(case["envelope"]))
    info = pair_info(organization=case["organization"], sid=envelope.sid, bid=envelope.bid)
    okm = hkdf_sha256(
        bytes.fromhex(case["S"]) + bytes.fromhex(case["B"]), info=info, length=PAIR_BYTES
    )
    assert okm.hex() == case["K"] + case["C"]
    bound = Binder(case["organization"]).bind(
        envelope.header,
        field=case["field"],
        record=case["record"],
        value_type=ValueType(case["value_type"]),
    )
    assert bound.hex() == case["aad"]
    opened = GcmSiv(okm[:KEY_BYTES]).open(envelope.nonce, envelope.sealed, bound)
    assert opened.hex() == case["plaintext"]


def test_a_new_key_opens_as_what_it_was_made_for() -> None:
    """What `create` wraps, `open` reads back with the same name."""
    store = keystore()
    name = KeyName(KeyKind.SUBJECT, "contract", "customers", "7")
    now_us = int(SystemClock().now().timestamp() * 1_000_000)
    made = store.create("cinaralti", name, epoch=1, now_us=now_us)
    opened = store.open(made)
    assert (opened.subject, opened.retention_class, opened.id) == (
        "customers/7",
        "contract",
        made.id,
    )
    moved = store.rewrap(made, epoch=2)
    assert (moved.epoch, moved.row_version) == (2, 2)
    assert store.open(moved).key == opened.key
