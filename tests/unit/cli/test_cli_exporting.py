"""An export is whole or not there, and writes nowhere but into its directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emanet.api.access_audit.v1.log_pb2 import ExportLogResponse
from emanet.cli.exporting import write_export
from emanet.cli.problems import CommandError
from emanet.core.checkpoint import format_vkey
from emanet.core.errors import EmanetError, Reason
from emanet.verify import verify_log
from tests.unit.verify.small_log import good_leaves, make_log

LOG = make_log(good_leaves(300))


@pytest.fixture
def parts(tmp_path: Path) -> list[ExportLogResponse]:
    """What the service sends for a log of 300 records, in chunks."""
    source = LOG.write(tmp_path / "source")
    sent = [ExportLogResponse(tree_size=300, vkey=format_vkey(LOG.vkey))]
    files = sorted(p for p in source.rglob("*") if p.is_file() and p.name != "checkpoint")
    for file in [*files, source / "checkpoint"]:
        data, path = file.read_bytes(), file.relative_to(source).as_posix()
        sent += [
            ExportLogResponse(path=path, chunk=data[i : i + 50_000])
            for i in range(0, len(data), 50_000)
        ]
    return sent


def _write(
    parts: Iterator[ExportLogResponse] | list[ExportLogResponse],
    to: Path,
    *,
    replaces: bool = False,
):
    return write_export(parts, to, replaces=replaces, progress=lambda _done, _total: None)


def test_export_is_what_the_verifier_reads(parts: list[ExportLogResponse], tmp_path: Path) -> None:
    exported = _write(parts, tmp_path / "out" / "log")
    assert exported.size == 300
    assert verify_log(tmp_path / "out" / "log", LOG.vkey).size == 300
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["log"]


def test_stream_that_breaks_leaves_nothing(parts: list[ExportLogResponse], tmp_path: Path) -> None:
    """Without its checkpoint there is no directory, and no leftover beside it."""
    with pytest.raises(EmanetError) as caught:
        _write(parts[:-1], tmp_path / "out" / "log")
    assert caught.value.reason is Reason.LOG_CORRUPT
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "path", ["../evil", "/tmp/evil", "tile/0/../../evil", "tile/0/000/x", "notes"]
)
def test_path_that_no_log_has_is_refused(
    parts: list[ExportLogResponse], tmp_path: Path, path: str
) -> None:
    """A service that lies about paths writes nothing outside the directory."""
    with pytest.raises(EmanetError):
        _write([parts[0], ExportLogResponse(path=path, chunk=b"x"), *parts[1:]], tmp_path / "log")
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "log").exists()


def test_existing_directory_is_kept_unless_an_export_is_to_be_replaced(
    parts: list[ExportLogResponse], tmp_path: Path
) -> None:
    """Neither a stranger's folder nor, unasked, an earlier export is overwritten."""
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "thesis.txt").write_text("years of work")
    for replaces in (False, True):
        with pytest.raises(CommandError):
            _write(parts, strange, replaces=replaces)
    assert (strange / "thesis.txt").read_text() == "years of work"
    _write(parts, tmp_path / "log")
    with pytest.raises(CommandError):
        _write(parts, tmp_path / "log")
    assert _write(parts, tmp_path / "log", replaces=True).size == 300
    assert verify_log(tmp_path / "log", LOG.vkey).size == 300
