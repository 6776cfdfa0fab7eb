"""A log that is whole is accepted; every way of changing it is found and named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emanet.core.checkpoint import parse_vkey
from emanet.core.errors import IntegrityError, Reason
from emanet.core.merkle import leaf_hash
from emanet.core.tiles import encode_entries
from emanet.verify import FaultKind, examine_log, verify_log
from tests.unit.verify.small_log import (
    SmallLog,
    entries_path,
    good_leaves,
    make_log,
    put,
)

SIZE = 700
LOG = make_log(good_leaves(SIZE))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return LOG.write(tmp_path / "log")


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, SIZE])
def test_whole_log_of_any_size_holds(tmp_path: Path, size: int) -> None:
    """The checkpoint of an untouched export is returned, full and partial tiles alike."""
    written = LOG.write(tmp_path / "log", size=size)
    assert verify_log(written, LOG.vkey).size == size
    assert verify_log(written, LOG.vkey, quick=True).size == size


@pytest.mark.slow
def test_log_with_three_levels_of_tiles_holds(tmp_path: Path) -> None:
    """66,000 records have tiles of level 2; all of them are compared."""
    log = SmallLog(leaves=tuple(number.to_bytes(4, "big") for number in range(66_000)))
    written = log.write(tmp_path / "log")
    assert (written / "tile/2/000.p/1").exists()
    assert verify_log(written, log.vkey, quick=True).size == 66_000


def test_progress_ends_at_the_size(directory: Path) -> None:
    """The caller is told of every file of records."""
    told: list[tuple[int, int]] = []
    examine_log(directory, LOG.vkey, progress=lambda done, total: told.append((done, total)))
    assert told == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]


def test_records_are_counted_by_type(directory: Path) -> None:
    """The report says what the log holds."""
    report = examine_log(directory, LOG.vkey)
    assert dict(report.counts) == {"register": 1, "rules": 1, "access": SIZE - 2}


@pytest.mark.parametrize("index", [0, 255, 256, 300, SIZE - 1])
def test_changed_record_is_named(directory: Path, index: int) -> None:
    """One byte of one record changed: that record, and no other, is reported."""
    leaf = LOG.leaves[index]
    _put_leaves(directory, {index: leaf[:-10] + bytes([leaf[-10] ^ 1]) + leaf[-9:]})
    report = examine_log(directory, LOG.vkey)
    assert [(fault.kind, fault.record) for fault in report.faults] == [
        (FaultKind.RECORD_CHANGED, index)
    ]
    with pytest.raises(IntegrityError) as caught:
        verify_log(directory, LOG.vkey, quick=True)
    assert caught.value.reason is Reason.LOG_CORRUPT
    assert caught.value.metadata["record"] == str(index)


def test_record_changed_with_its_tile_is_found_by_the_level_above(directory: Path) -> None:
    """Whoever also rewrites the record's hash is found one level up, as a range of records."""
    leaf = LOG.leaves[300].replace(b'"support"', b'"reading"')
    _put_leaves(directory, {300: leaf})
    tile = directory / "tile/0/001"
    data = bytearray(tile.read_bytes())
    data[44 * 32 : 45 * 32] = leaf_hash(leaf)
    tile.write_bytes(bytes(data))
    (fault,) = examine_log(directory, LOG.vkey).faults
    assert (fault.kind, fault.record, fault.last) == (FaultKind.RECORDS_CHANGED, 256, 511)


def test_log_rewritten_in_every_tile_is_not_what_was_signed(directory: Path) -> None:
    """A consistent other history fails at the signed root."""
    other = make_log(good_leaves(SIZE - 1)[:-1] + good_leaves(SIZE + 1)[-2:])
    note = (directory / "checkpoint").read_bytes()
    other.write(directory)
    put(directory, "checkpoint", note)
    (fault,) = examine_log(directory, LOG.vkey).faults
    assert fault.kind is FaultKind.LOG_CHANGED


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"])
def test_changed_tile_is_told_from_a_changed_record(directory: Path, path: str) -> None:
    """Records that lead to the signed root are right; the tile beside them is not."""
    data = bytearray((directory / path).read_bytes())
    data[40] ^= 0x80
    (directory / path).write_bytes(bytes(data))
    report = examine_log(directory, LOG.vkey)
    assert [(fault.kind, fault.path) for fault in report.faults] == [(FaultKind.TILE_CHANGED, path)]


def test_two_swapped_records_are_both_named(directory: Path) -> None:
    """Order is part of what was signed."""
    _put_leaves(directory, {10: LOG.leaves[11], 11: LOG.leaves[10]})
    report = examine_log(directory, LOG.vkey)
    assert [fault.record for fault in report.faults] == [10, 11]


def test_dropped_record_is_named(directory: Path) -> None:
    """A file with one record less tells from which one on it differs."""
    leaves = list(LOG.leaves[256:512])
    del leaves[7]
    put(directory, "tile/entries/001", encode_entries(leaves))
    (fault,) = examine_log(directory, LOG.vkey).faults
    assert (fault.kind, fault.record) == (FaultKind.FILE_MALFORMED, 263)


@pytest.mark.parametrize("path", ["tile/entries/001", "tile/0/001", "tile/1/000.p/2", "checkpoint"])
@pytest.mark.parametrize("act", ["truncate", "extend", "remove"])
def test_file_of_another_length_is_named(directory: Path, path: str, act: str) -> None:
    """Cut off, longer, or gone: the file is reported, and the log refused."""
    target = directory / path
    data = target.read_bytes()
    if act == "remove":
        target.unlink()
    else:
        target.write_bytes(data[:-1] if act == "truncate" else data + b"\x00")
    report = examine_log(directory, LOG.vkey)
    assert path in {fault.path for fault in report.faults}


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/003",
        "tile/entries/002.p/187",
        "tile/0/000.p/3",
        "notes.txt",
        "tile/9/000",
        "tile/0/x",
    ],
)
def test_file_that_does_not_belong_is_named(directory: Path, path: str) -> None:
    """Nothing lies in an export that the checkpoint does not account for."""
    put(directory, path, b"x" * 32)
    (fault,) = examine_log(directory, LOG.vkey).faults
    assert (fault.kind, fault.path) == (FaultKind.FILE_EXTRA, path)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"a\x1b[2Jb\nthe log holds", "a\\x1b[2Jb\\nthe log holds"),
        (b"\xff", "\\udcff"),
        ("döküm \u202e".encode(), "döküm \\u202e"),
    ],
)
def test_file_names_are_shown_without_what_a_terminal_obeys(
    directory: Path, name: bytes, shown: str
) -> None:
    """Whoever may add a file cannot make the report say something else."""
    (directory / os.fsdecode(name)).touch()
    (fault,) = examine_log(directory, LOG.vkey).faults
    assert fault.path == shown


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", "tile/entries/001"])
def test_pipe_in_place_of_a_file_is_not_waited_for(directory: Path, path: str) -> None:
    """Only plain files are read."""
    (directory / path).unlink()
    os.mkfifo(directory / path)
    (fault,) = examine_log(directory, LOG.vkey).faults
    assert fault.path == path
    assert fault.kind in {FaultKind.CHECKPOINT_REFUSED, FaultKind.FILE_MALFORMED}


def test_checkpoint_of_another_key_is_refused(directory: Path) -> None:
    """The right origin under another key is another log."""
    stranger = make_log(good_leaves(SIZE))
    (fault,) = examine_log(directory, stranger.vkey).faults
    assert fault.kind is FaultKind.CHECKPOINT_REFUSED


def test_checkpoint_of_another_size_is_refused(directory: Path) -> None:
    """An edited size breaks the signature."""
    note = (directory / "checkpoint").read_text(encoding="utf-8")
    put(directory, "checkpoint", note.replace(f"\n{SIZE}\n", f"\n{SIZE - 1}\n").encode())
    (fault,) = examine_log(directory, LOG.vkey).faults
    assert fault.kind is FaultKind.CHECKPOINT_REFUSED


def test_signed_checkpoint_of_a_later_size_misses_its_records(directory: Path) -> None:
    """Records cut off behind a checkpoint that somebody kept are missed."""
    put(directory, "checkpoint", make_note_of_longer_log())
    report = examine_log(directory, LOG.vkey)
    assert FaultKind.FILE_MISSING in {fault.kind for fault in report.faults}


def make_note_of_longer_log() -> bytes:
    longer = SmallLog(leaves=(*LOG.leaves, *LOG.leaves[:300]), key=LOG.key)
    return longer.note().encode()


def test_empty_directory_is_an_unfinished_export(tmp_path: Path) -> None:
    """The checkpoint is written last; without it nothing is claimed."""
    (fault,) = examine_log(tmp_path, LOG.vkey).faults
    assert fault.kind is FaultKind.CHECKPOINT_MISSING


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_bit_is_found(directory: Path, data: st.DataObject) -> None:
    """Whichever bit of whichever file: the log does not hold, and holds again once put back."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    target = data.draw(st.sampled_from(files))
    original = target.read_bytes()
    bit = data.draw(st.integers(0, len(original) * 8 - 1))
    changed = bytearray(original)
    changed[bit // 8] ^= 1 << (bit % 8)
    target.write_bytes(bytes(changed))
    try:
        assert not examine_log(directory, LOG.vkey, quick=data.draw(st.booleans())).holds
    finally:
        target.write_bytes(original)
    assert examine_log(directory, LOG.vkey, quick=True).holds


def test_vkey_line_round_trips_into_the_verifier(directory: Path, tmp_path: Path) -> None:
    """The verifier takes the key as the line that stands beside the export."""
    from emanet.core.checkpoint import format_vkey

    assert verify_log(directory, parse_vkey(format_vkey(LOG.vkey) + "\n")).size == SIZE


def _put_leaves(directory: Path, changes: dict[int, bytes]) -> None:
    leaves = list(LOG.leaves)
    for index, leaf in changes.items():
        leaves[index] = leaf
    for index in changes:
        start = index // 256 * 256
        put(
            directory,
            entries_path(index, size=SIZE),
            encode_entries(leaves[start : min(start + 256, SIZE)]),
        )
