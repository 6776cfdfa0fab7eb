"""A destruction receipt holds only with the log's own records of these keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from emanet.core import canonical
from emanet.core.canonical import JsonValue
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import KeyLeaf, KeyOperation
from emanet.verify import verify_destruction
from emanet.verify.destruction import is_destruction_receipt
from tests.unit.verify.small_log import (
    ORGANIZATION,
    START_US,
    TOKENS,
    make_log,
    numbered_id,
    register,
    rules,
)

KEYS = ("A" * 22, "B" * 21 + "A")
CLASSES = ("contract", "form+invoice")


def _epoch(number: int, epoch: int) -> KeyLeaf:
    return KeyLeaf(
        id=numbered_id(number),
        organization=ORGANIZATION,
        event_us=START_US + number * 1_000_000,
        receive_us=START_US + number * 1_000_000,
        operation=KeyOperation.EPOCH,
        ids=(str(epoch),),
        by="crypto",
    )


def _key(number: int, operation: KeyOperation, place: int) -> KeyLeaf:
    return KeyLeaf(
        id=numbered_id(number),
        organization=ORGANIZATION,
        event_us=START_US + number * 1_000_000,
        receive_us=START_US + number * 1_000_000,
        operation=operation,
        ids=(KEYS[place],),
        by=TOKENS[0],
        retention_class=CLASSES[place],
    )


LOG = make_log(
    [
        register(0),
        rules(1),
        _key(2, KeyOperation.DESTROY_INTENT, 0),
        _key(3, KeyOperation.DESTROY_INTENT, 1),
        _epoch(4, 3),
        _key(5, KeyOperation.DESTROYED, 0),
        _key(6, KeyOperation.DESTROYED, 1),
        _epoch(7, 4),
    ]
)


def _proof(index: int) -> JsonValue:
    return canonical.decode(LOG.receipt(index).to_bytes())


def _receipt(**changes: JsonValue) -> bytes:
    members: dict[str, JsonValue] = {
        "v": 1,
        "organization": ORGANIZATION,
        "destruction": f"organizations/{ORGANIZATION}/destructions/{numbered_id(9)}",
        "ground": "subject_request",
        "classes": list(CLASSES),
        "key_ids": list(KEYS),
        "destroyed": START_US,
        "epoch": 3,
        "epoch_destroyed": START_US,
        "epoch_log": _proof(4),
        "evidence": "declared",
        "term": "anahtar imhası",
        "log": [_proof(5), _proof(6)],
    }
    return canonical.encode({**members, **changes})


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return LOG.write(tmp_path / "log")


def test_receipt_of_recorded_destructions_holds(directory: Path) -> None:
    """Each class has its `destroyed` record in the log that the key signed, behind their epoch's."""
    data = _receipt()
    assert is_destruction_receipt(data)
    assert not is_destruction_receipt(LOG.receipt(5).to_bytes())
    found = verify_destruction(data, LOG.vkey, directory=directory)
    assert found == verify_destruction(
        _receipt(unreadable_from=START_US), LOG.vkey, directory=directory
    )
    assert found.classes == CLASSES
    assert [each.index for each in found.log] == [5, 6]
    assert (found.epoch, found.epoch_log.index) == (3, 4)


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": list(reversed(CLASSES))},
        {"classes": ["contract", "invoice"]},
        {"key_ids": list(reversed(KEYS))},
        {"key_ids": [KEYS[0]]},
        {"log": []},
        {"classes": [], "key_ids": [], "log": []},
        {"log": [_proof(2), _proof(3)]},
        {"log": [_proof(6), _proof(5)]},
        {"epoch": 4},
        {"epoch": 4, "epoch_log": _proof(7)},
        {"epoch_log": _proof(7)},
        {"epoch_log": _proof(5)},
        {"epoch_log": _proof(0)},
        {"epoch_log": "none"},
        {"epoch": "3"},
        {"organization": "hosting"},
        {"log": "none"},
        {"evidence": 7},
        {"evidence": "certain"},
        {"ground": "boredom"},
        {"v": 2},
        {"term": "yok etme"},
        {"destruction": f"organizations/hosting/destructions/{numbered_id(9)}"},
        {"destruction": f"organizations/{ORGANIZATION}/accessRecords/{numbered_id(9)}"},
        {"destroyed": -1},
        {"epoch_destroyed": "1"},
        {"unreadable_from": True},
        {"unknown": 1},
        {
            "classes": [CLASSES[0]] * 2,
            "key_ids": [KEYS[0]] * 2,
            "log": [_proof(5)] * 2,
        },
    ],
)
def test_receipt_that_the_log_does_not_support_is_refused(
    directory: Path, changes: dict[str, JsonValue]
) -> None:
    """Another class, key, record or organization, or another form: the receipt proves nothing."""
    with pytest.raises(EmanetError) as caught:
        verify_destruction(_receipt(**changes), LOG.vkey, directory=directory)
    assert caught.value.reason is Reason.RECEIPT_INVALID
