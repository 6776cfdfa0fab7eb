"""Verifies an exported log offline: signature, tree, every tile, every record.

    report = examine_log(Path("log-hosting"), vkey)       what is wrong, if anything
    checkpoint = verify_log(Path("log-hosting"), vkey)    raises at anything wrong

It needs the directory and the verifier key, no network and no server. The key must come from
somewhere else than the directory: who can change both can sign another history.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from emanet.core.checkpoint import Checkpoint, Vkey, open_checkpoint
from emanet.core.errors import EmanetError
from emanet.core.tiles import HEIGHT, Tile
from emanet.verify.directory import CHECKPOINT, LogDirectory, UnreadableFileError
from emanet.verify.faults import Fault, FaultKind
from emanet.verify.sequence import SequenceCheck
from emanet.verify.signatures import verify_ed25519
from emanet.verify.tree import MalformedBundleError, TreeCheck, read_bundles

__all__ = ["MAX_FAULTS", "LogReport", "Progress", "examine_log", "verify_log"]

MAX_FAULTS = 100
"""Faults that a report lists; behind so many the log is refused all the same."""

_NOT_AS_SIGNED = frozenset(
    {
        FaultKind.RECORD_CHANGED,
        FaultKind.RECORDS_CHANGED,
        FaultKind.LOG_CHANGED,
        FaultKind.FILE_MALFORMED,
        FaultKind.FILE_MISSING,
    }
)

Progress = Callable[[int, int], None]
"""Called with the number of records read and the number in all."""


@dataclass(frozen=True, slots=True)
class LogReport:
    """What was found.

    Attributes:
        checkpoint: what the key signed; None when no checkpoint could be opened.
        records: number of records that were read.
        counts: number of records by type; empty when only hashes were checked.
        faults: what is wrong, by record, at most 100; empty when the log holds.
    """

    checkpoint: Checkpoint | None
    records: int
    counts: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def verify_log(
    directory: Path, vkey: Vkey, *, quick: bool = False, progress: Progress | None = None
) -> Checkpoint:
    """The signed checkpoint of a log of which nothing is wrong.

    Args:
        directory: as `emanet audit export-log` writes it.
        vkey: the log's verifier key, kept elsewhere.
        quick: True to check signature and hashes, and not what records say.
        progress: told how far it is.

    Raises:
        IntegrityError: LOG_CORRUPT with the first fault in its metadata.
    """
    report = examine_log(directory, vkey, quick=quick, progress=progress)
    if report.checkpoint is None or not report.holds:
        raise report.faults[0].to_error()
    return report.checkpoint


def examine_log(
    directory: Path, vkey: Vkey, *, quick: bool = False, progress: Progress | None = None
) -> LogReport:
    """Reads the whole log once and reports everything that is wrong; arguments as `verify_log`.

    Memory: the ids of all records, and a few files. Raises nothing for a broken log.
    """
    files = LogDirectory(directory)
    opened = _open(files, vkey)
    if isinstance(opened, Fault):
        return LogReport(checkpoint=None, records=0, faults=(opened,))
    faults = [
        Fault(FaultKind.FILE_EXTRA, path=path, detail="does not belong to a log of this size")
        for path in files.extra_files(opened.size)
    ]
    tree = TreeCheck(files)
    sequence = None if quick else SequenceCheck(_organization_of(opened))
    spoken: list[Fault] = []
    done = 0
    try:
        for first, leaves, hashes in read_bundles(files, opened.size):
            tree.add(hashes)
            if sequence is not None and len(spoken) < MAX_FAULTS:
                spoken += sequence.read(first, leaves)
            done = first + len(leaves)
            if progress is not None:
                progress(done, opened.size)
    except MalformedBundleError as cut:
        faults.append(cut.fault)
        faults += _changed(tree.mismatches, is_root_right=False)
    else:
        is_root_right = tree.finish() == opened.root
        changed = _changed(tree.mismatches, is_root_right=is_root_right)
        if not is_root_right and not changed:
            changed = [Fault(FaultKind.LOG_CHANGED, detail="not what the checkpoint signed")]
        faults += changed
    faults += tree.faults
    # Records that were changed say nothing; what then looks wrong behind them only follows.
    if not any(fault.kind in _NOT_AS_SIGNED for fault in faults):
        faults += spoken
    faults.sort(key=lambda fault: -1 if fault.record is None else fault.record)
    return LogReport(
        checkpoint=opened,
        records=done,
        counts=MappingProxyType(sequence.counts if sequence is not None else {}),
        faults=tuple(faults[:MAX_FAULTS]),
    )


def _open(files: LogDirectory, vkey: Vkey) -> Checkpoint | Fault:
    try:
        return open_checkpoint(files.read_checkpoint(), vkey, verify_ed25519)
    except UnreadableFileError as cause:
        kind = FaultKind.CHECKPOINT_REFUSED
        if cause.is_missing:
            kind = FaultKind.CHECKPOINT_MISSING
        return Fault(kind, path=CHECKPOINT, detail="the checkpoint cannot be read")
    except EmanetError as cause:
        detail = cause.metadata.get("problem", "")
        return Fault(FaultKind.CHECKPOINT_REFUSED, path=CHECKPOINT, detail=detail)


def _organization_of(checkpoint: Checkpoint) -> str:
    """The third part of `emanet/<installation>/<organization>/<generation>`."""
    parts = checkpoint.origin.split("/")
    return parts[2] if len(parts) == 4 else ""


def _changed(mismatches: Sequence[tuple[Tile, list[int]]], *, is_root_right: bool) -> list[Fault]:
    """Reads the tiles that differ: the signed root tells whether they or the records are wrong.

    Only the lowest level that differs is told; every level above follows from it.
    """
    if is_root_right:
        return [
            Fault(FaultKind.TILE_CHANGED, path=tile.path, detail="differs from the records")
            for tile, _ in mismatches
        ]
    lowest = min((tile.level for tile, _ in mismatches), default=0)
    faults = []
    for tile, positions in mismatches:
        if tile.level != lowest:
            continue
        width = 1 << (HEIGHT * lowest)
        for position in positions:
            first = ((tile.index << HEIGHT) + position) * width
            faults.append(
                Fault(
                    FaultKind.RECORD_CHANGED if lowest == 0 else FaultKind.RECORDS_CHANGED,
                    record=first,
                    last=None if lowest == 0 else first + width - 1,
                    path=tile.path,
                    detail="not what was logged",
                )
            )
    return faults
