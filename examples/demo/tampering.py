"""P3: the owner of the database changes one access record, and the log says so.

It is done on copies, so that the demo's own log stays good: a copy of the database that belongs to
its owner, and the directory that an export of it would be. First only the record is changed, then
every hash is computed anew as well; what the owner lacks is the signing key.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from emanet.core.checkpoint import parse_vkey
from emanet.core.merkle import leaf_hash, node_hash
from emanet.core.tiles import ENTRIES, HEIGHT, WIDTH, encode_entries, encode_hashes, tiles_of
from emanet.verify import FaultKind, LogReport, examine_log
from examples.demo.attacks import Attempt, Scene
from examples.demo.files import export_log

__all__ = ["change_a_record"]

_DENIED, _ALLOWED = b'"v":"deny"', b'"v":"allow"'


def change_a_record(scene: Scene) -> Attempt:
    """Turns a denial into an allowance in the database, with and without new hashes."""
    house = scene.house("hosting")
    folder = scene.installation.var / "tampered"
    honest = folder / "log"
    vkey = parse_vkey(export_log(scene.installation, house, honest).read_text("utf-8").strip())
    scene.expect(examine_log(honest, vkey).holds, "the honest log does not verify")
    database = folder / "access_audit.db"
    _copy_database(scene.installation.var / "access_audit" / "db" / "access_audit.db", database)
    index = _change(database, house.id)
    size = int((honest / "checkpoint").read_text("utf-8").splitlines()[1])
    leaves, hashes = _rows(database, house.id, size)
    note = (honest / "checkpoint").read_bytes()
    plain = _examine(
        folder / "changed", leaves, hashes, note, verify=lambda d: examine_log(d, vkey)
    )
    hashes = [leaf_hash(leaf) for leaf in leaves]
    clever = _examine(
        folder / "rehashed", leaves, hashes, note, verify=lambda d: examine_log(d, vkey)
    )
    named = [fault.record for fault in plain.faults if fault.kind is FaultKind.RECORD_CHANGED]
    scene.expect(named == [index], f"the record is not named: {plain.faults}")
    scene.expect(
        any(fault.kind is FaultKind.LOG_CHANGED for fault in clever.faults),
        f"new hashes go unnoticed: {clever.faults}",
    )
    shutil.rmtree(folder)
    return scene.attempt("P3", folder=house.folder, record=index, size=size, tried=2)


def _copy_database(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        live.backup(copy)


def _change(database: Path, organization: str) -> int:
    """Changes the first denial; the owner can drop the triggers that forbid it."""
    with closing(sqlite3.connect(database)) as connection, connection:
        triggers = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'leaves'"
        ).fetchall()
        for (name,) in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        for index, data in connection.execute(
            "SELECT idx, data FROM leaves WHERE organization = ? AND type = 'access' ORDER BY idx",
            (organization,),
        ).fetchall():
            if _DENIED in data:
                connection.execute(
                    "UPDATE leaves SET data = ? WHERE organization = ? AND idx = ?",
                    (data.replace(_DENIED, _ALLOWED), organization, index),
                )
                return int(index)
    raise LookupError("no denial in the log")


def _rows(database: Path, organization: str, size: int) -> tuple[list[bytes], list[bytes]]:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(
            "SELECT data, hash FROM leaves WHERE organization = ? AND idx < ? ORDER BY idx",
            (organization, size),
        ).fetchall()
    return [data for data, _ in found], [hash_ for _, hash_ in found]


def _examine(
    directory: Path,
    leaves: Sequence[bytes],
    hashes: Sequence[bytes],
    note: bytes,
    *,
    verify: Callable[[Path], LogReport],
) -> LogReport:
    """Writes the directory that an export of these rows would be, and verifies it."""
    levels = [list(hashes)]
    while len(levels[-1]) >= WIDTH:
        row = levels[-1]
        levels.append([_root(row[i : i + WIDTH]) for i in range(0, len(row) - WIDTH + 1, WIDTH)])
    for tile in tiles_of(len(leaves)):
        part = slice(tile.index * WIDTH, tile.index * WIDTH + tile.width)
        path = directory / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if tile.level == ENTRIES:
            path.write_bytes(encode_entries(leaves[part]))
        else:
            path.write_bytes(encode_hashes(levels[tile.level][part]))
    (directory / "checkpoint").write_bytes(note)
    return verify(directory)


def _root(row: Sequence[bytes]) -> bytes:
    level = list(row)
    for _ in range(HEIGHT):
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]
