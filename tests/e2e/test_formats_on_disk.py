"""What the services left on disk opens with docs/formats alone: no service, no code of Emanet.

The decoder knows the pages and the secret files. A format that drifts from its page breaks here,
in whatever the three processes really wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import Row, connect
from typing import Any

import pytest

from emanet.api.crypto.v1 import keys_pb2, resources_pb2
from emanet.core.errors import Reason
from tests.conformance import independent_decoder as pages
from tests.conformance.independent_leaf import read_destruction, read_leaf
from tests.e2e.acting import TICKET, admin, app, export, now, record_id, refused, support
from tests.e2e.conftest import VALUES
from tests.e2e.installation import ORGANIZATION, Local, Template, until

CODE = "sıra 7".encode()


class Disk:
    """The files of a stopped installation, read as the pages say."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.lookup_key = self._secret("crypto", "lookup_key")
        self.pseudonym_key = self._secret("access_audit", "pseudonym_key")
        self.log_seed = self._secret("access_audit", "log_seed")

    def _secret(self, service: str, name: str) -> bytes:
        return pages.unb64url((self.var / service / "secrets" / name).read_text().strip(), 32)

    def rows(self, service: str, table: str) -> list[dict[str, Any]]:
        with closing(connect(self.var / service / "db" / f"{service}.db")) as connection:
            connection.row_factory = Row
            found = connection.execute(
                f"SELECT * FROM {table} WHERE organization = ?", (ORGANIZATION,)
            )
            return [dict(row) for row in found]

    def epochs(self, service: str) -> dict[int, Any]:
        folder = self.var / service
        passphrase = (folder / "secrets" / "kek_passphrase").read_bytes().strip()
        data = (folder / "epochs" / f"{ORGANIZATION}.json").read_bytes()
        return pages.read_epoch_file(data, passphrase)

    def keys(self) -> dict[bytes, Any]:
        """Every key row by id, opened; None for a tombstone."""
        epochs, found = self.epochs("crypto"), {}
        for row in self.rows("crypto", "key_rows"):
            if row["state"] == "destroyed":
                assert row["lookup"] is row["wrapped"] is None
                found[row["id"]] = None
                continue
            row["class"] = row.pop("retention_class")
            found[row["id"]] = pages.open_key_row(
                row, epoch_key=epochs[row["epoch"]], lookup_key=self.lookup_key
            )
        return found

    def pseudonyms(self) -> dict[str, str]:
        """What stands behind each token."""
        epochs = self.epochs("access_audit")
        return {
            row["token"]: f"{row['namespace']}/"
            + pages.open_pseudonym(
                row, epoch_key=epochs[row["epoch"]], pseudonym_key=self.pseudonym_key
            )
            for row in self.rows("access_audit", "pseudonyms")
        }


@pytest.fixture
def lived(
    sqlite_copy: Callable[..., Local], sqlite_template: Template, tmp_path: Path
) -> tuple[Disk, bytes, bytes]:
    """Disk, destruction receipt and one envelope of bytes, after a bit of everything was done."""
    local = sqlite_copy(EMANET_RUNTIME_MAX_DEADLINE_SECONDS="2")
    local.start()
    panel, sealed = app(local), sqlite_template.sealed
    with panel.reading(purpose="support", staff_token=support(local), case=TICKET):
        panel.decrypt("customer.email", sealed["customer.email"])
        with refused(Reason.PURPOSE_NOT_DECLARED, Reason.ROLE_NOT_ALLOWED):
            panel.decrypt("customer.hobby", sealed["customer.hobby"])
    app(local, "erp").put_retention_events([("customers/61", "contract_ended", now())])
    made = panel.encrypt(subject="customers/1", values={"ticket.text": CODE}, record="t-1")
    keys = admin(local, "s-101", "kvkk").keys
    begun = keys.destroy_subject(
        "customers/1",
        ground=keys_pb2.DESTRUCTION_GROUND_SUBJECT_REQUEST,
        retention_classes=["marketing"],
    )

    def receipt() -> bytes:
        found = keys.destruction(record_id(begun.name))
        is_done = found.state == resources_pb2.DESTRUCTION_STATE_RECEIPTED
        return bytes(found.receipt) if is_done else b""

    held = until(receipt, seconds=30, what="the receipt")
    export(local).write(tmp_path / "log")
    local.stop()
    return Disk(local.workspace.var), held, made["ticket.text"].envelope


def test_everything_on_disk_opens_with_the_pages_alone(
    lived: tuple[Disk, bytes, bytes], sqlite_template: Template, tmp_path: Path
) -> None:
    """Keys, envelopes, pseudonyms, every leaf with its entries, export, registers and receipts."""
    disk, receipt, envelope = lived
    keys = disk.keys()
    assert disk.epochs("crypto")[1] is None  # the destruction ended it; every survivor opened
    claims = {
        name: (sealed, "customers/1", "text") for name, sealed in sqlite_template.sealed.items()
    }
    claims["ticket.text"] = (envelope, "t-1", "bytes")
    claims["ticket.note"] = (sqlite_template.sealed["ticket.note"], "", "text")  # bind: subject
    for field, (sealed, record, kind) in claims.items():
        parts = pages.read_envelope(sealed)
        s, b = keys[parts.sid], keys[parts.bid]
        if field == "customer.hobby":
            assert s is None
            continue
        assert (s.namespace, s.ref) == ("customers", "1")
        opened = pages.open_envelope(parts, s.key, b.key, ORGANIZATION, field, record, kind)
        assert opened == (CODE if kind == "bytes" else VALUES[field].encode())

    leaves = _read_log(disk, tmp_path / "log")
    assert {leaf["t"] for leaf in leaves} == {
        "access", "cases", "key", "register", "retention", "rules"
    }  # fmt: skip
    exported = pages.read_export(tmp_path / "log", _vkey(disk))
    destroyed = read_destruction(receipt, exported, _vkey(disk))
    assert (destroyed["classes"], destroyed["epoch"]) == (["marketing"], 1)


def _vkey(disk: Disk) -> str:
    return (disk.var / "access_audit" / "state" / f"{ORGANIZATION}.vkey").read_text()


def _read_log(disk: Disk, exported: Path) -> list[dict[str, Any]]:
    """The log of the database: its tree, its export, its leaves, their entries and digests."""
    (control,) = disk.rows("access_audit", "control")
    vkey = pages.vkey_of(disk.log_seed, control["origin"])
    assert vkey + "\n" == _vkey(disk)
    rows = sorted(disk.rows("access_audit", "leaves"), key=lambda row: row["idx"])
    data = [row["data"] for row in rows]
    root = pages.tree_root([pages.sha256(b"\x00" + each) for each in data])
    assert pages.range_root(control["range"]) == (len(data), root)
    state = disk.var / "access_audit" / "state" / f"{ORGANIZATION}.checkpoint.latest"
    assert pages.open_checkpoint(state.read_text().rstrip("\x00"), vkey) == (len(data), root)
    assert (kept := pages.read_export(exported, vkey)) == data[: len(kept)]

    leaves = [read_leaf(each) for each in data]
    versions, previous = {}, None
    for row in disk.rows("access_audit", "register_copies"):
        version = pages.read_version(row["snapshot"], row["approval"], previous)
        previous = pages.sha256(row["snapshot"])
        versions[version["number"]] = (previous, pages.sha256(row["approval"]))
    entries = {row["idx"]: row["data"] for row in disk.rows("access_audit", "entries")}
    persons = disk.pseudonyms()
    for index, leaf in enumerate(leaves):
        if leaf["t"] == "register":
            digests = pages.unb64url(leaf["digest"]), pages.unb64url(leaf["approval"])
            assert versions[leaf["number"]] == digests
        if "n" in leaf:
            shown = pages.read_disclosure(entries[index], leaf)
            assert all(value in persons for key, value in shown if key == "subject")
        if leaf["t"] == "access":
            assert persons[leaf["who"]["id"]].startswith("staff/")
    assert "customers/61" in persons.values()
    return leaves
