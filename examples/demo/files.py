"""The files that a run leaves for the data protection officer and the analyst."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from emanet.api.inventory.v1 import inventory_pb2
from emanet.cli.exporting import write_export
from emanet.core.checkpoint import parse_vkey
from emanet.register.notice import change_notice
from emanet.register.values import empty_register
from emanet.verify import verify_log
from examples.demo.houses import HOUSES, House, UnexpectedError
from examples.demo.installation import Installation

__all__ = ["Files", "export_log", "write_files"]

_PURPOSE = "oversight"
_VIEWS = {
    "verbis": inventory_pb2.EXPORT_VIEW_VERBIS,
    "inventory": inventory_pb2.EXPORT_VIEW_INVENTORY,
}


@dataclass(frozen=True, slots=True)
class Files:
    """What was written for one organization.

    Attributes:
        paths: relative to the demo's folder.
        leaves: records of the exported log, which verifies.
        deadline: last day to tell VERBİS of the change, ISO 8601; empty where nobody must.
    """

    folder: str
    paths: tuple[str, ...]
    leaves: int
    deadline: str


def write_files(installation: Installation) -> list[Files]:
    """Exports workbooks, change notices and logs of all five, and verifies the logs offline."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda house: _write(installation, house), HOUSES))


def _write(installation: Installation, house: House) -> Files:
    var, written = installation.var, []
    with installation.admin(house, "dpo") as dpo:
        for name, view in _VIEWS.items():
            exported = dpo.inventory.export(view=view, file_format=inventory_pb2.EXPORT_FORMAT_XLSX)
            path = var / f"{name}-{house.folder}.xlsx"
            path.write_bytes(exported.content)
            written.append(path)
        (version,) = dpo.inventory.versions()
    effective = version.effective_time.ToDatetime(tzinfo=dt.UTC)
    notice = change_notice(empty_register(house.id), house.register, effective=effective)
    changes = var / f"changes-{house.folder}.txt"
    changes.write_text(f"{notice.tr}\n{'-' * 80}\n\n{notice.en}", encoding="utf-8")
    log = var / f"log-{house.folder}"
    vkey = export_log(installation, house, log)
    written += [changes, log, vkey]
    size = verify_log(log, parse_vkey(vkey.read_text("utf-8").strip())).size
    return Files(
        folder=house.folder,
        paths=tuple(path.relative_to(var).as_posix() for path in written),
        leaves=size,
        deadline=notice.verbis_deadline.isoformat() if notice.verbis_deadline else "",
    )


def export_log(installation: Installation, house: House, directory: Path) -> Path:
    """Exports a log as the auditor does; returns the file of its verifier key.

    Raises:
        UnexpectedError: the key is not the one that access_audit published when it was set up.
    """
    with installation.admin(house, "auditor") as auditor:
        exported = write_export(
            auditor.audit.export_log(purpose=_PURPOSE), directory, replaces=True, progress=_silent
        )
    pinned = installation.workspace.log_key(house.id).read_text("utf-8").strip()
    if exported.vkey != pinned:
        raise UnexpectedError(f"{house.folder}: the log is signed with another key")
    path = directory.with_name(f"{directory.name}.vkey")
    path.write_text(f"{exported.vkey}\n", encoding="utf-8")
    return path


def _silent(done: int, total: int) -> None:
    del done, total
