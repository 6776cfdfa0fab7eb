"""A receipt holds with its record and its log, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import Receipt
from emanet.verify import verify_receipt
from tests.unit.verify.small_log import SmallLog, good_leaves, make_log, put

SIZE = 600
LOG = make_log(good_leaves(SIZE))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return LOG.write(tmp_path / "log")


def _refused(receipt: Receipt, **given: object) -> Reason:
    with pytest.raises(EmanetError) as caught:
        verify_receipt(receipt, LOG.vkey, **given)  # type: ignore[arg-type]
    return caught.value.reason


@pytest.mark.parametrize(
    ("index", "size"), [(0, 1), (5, 6), (5, 300), (255, 256), (256, 257), (599, 600)]
)
def test_receipt_of_an_earlier_size_is_found_in_the_later_log(
    directory: Path, index: int, size: int
) -> None:
    """The record is in the log's tree, and the log grew out of the receipt's tree."""
    receipt = Receipt.from_bytes(LOG.receipt(index, size=size).to_bytes())
    evidence = verify_receipt(receipt, LOG.vkey, leaf=LOG.leaves[index], directory=directory)
    assert evidence.is_in_log
    assert evidence.leaf is not None
    assert evidence.checkpoint.size == size


def test_receipt_with_its_record_alone_says_that_nobody_looked_into_the_log() -> None:
    """Signature and hash hold; that is not yet a proof of inclusion."""
    evidence = verify_receipt(LOG.receipt(3), LOG.vkey, leaf=LOG.leaves[3])
    assert not evidence.is_in_log


def test_receipt_of_another_record_is_refused(directory: Path) -> None:
    """Neither another record nor another index fits a receipt."""
    receipt = LOG.receipt(3)
    assert _refused(receipt, leaf=LOG.leaves[4]) is Reason.RECEIPT_INVALID
    assert _refused(replace(receipt, index=4), directory=directory) is Reason.RECEIPT_INVALID
    assert _refused(replace(receipt, index=SIZE)) is Reason.RECEIPT_INVALID


def test_receipt_of_another_key_is_refused(directory: Path) -> None:
    """A receipt that somebody else signed proves nothing."""
    stranger = SmallLog(leaves=LOG.leaves)
    assert _refused(stranger.receipt(3), directory=directory) is Reason.RECEIPT_INVALID


def test_receipt_of_a_longer_log_is_behind(directory: Path) -> None:
    """A log that is shorter than a receipt lost records."""
    longer = SmallLog(leaves=(*LOG.leaves, LOG.leaves[0]), key=LOG.key)
    assert _refused(longer.receipt(3), directory=directory) is Reason.LOG_BEHIND


def test_receipt_of_another_history_is_a_fork(tmp_path: Path) -> None:
    """The same key signed two histories: whoever kept a receipt of the first can show it."""
    other = list(LOG.leaves)
    other[200] = LOG.leaves[200].replace(b'"support"', b'"reading"')
    forked = SmallLog(leaves=tuple(other), key=LOG.key).write(tmp_path / "forked")
    assert _refused(LOG.receipt(3, size=300), directory=forked) is Reason.LOG_FORK


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/000"])
def test_changed_file_of_the_log_is_found(directory: Path, path: str) -> None:
    """The log's own files are proven against its checkpoint before they prove anything."""
    data = bytearray((directory / path).read_bytes())
    data[3 * 32 + 1] ^= 1
    put(directory, path, bytes(data))
    reason = _refused(LOG.receipt(3 if path == "tile/0/000" else 0), directory=directory)
    assert reason in {Reason.LOG_CORRUPT, Reason.RECEIPT_INVALID}
