"""P5, the inventory is approved by a second person, and nobody takes it on another's word."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from emanet.core import canonical
from emanet.core.errors import Reason
from emanet.core.leaf import RegisterLeaf
from emanet.register.edits import Edit, plan
from emanet.register.manifest import load_manifest
from emanet.register.values import Kind, to_json
from tests.e2e.acting import (
    TICKET,
    admin,
    app,
    export,
    publish,
    refused,
    register_text,
    rules_text,
    submit,
    support,
    wait_for_register,
)
from tests.e2e.installation import ORGANIZATION, Local, Template, until

EMAIL = "customer.email"
INTERRUPTED = '"reason": "REGISTER_CORRUPT", "event": "register.interrupted"'
"""What a consumer logs when the inventory itself found its register to be changed."""


def changed_register(label: str) -> str:
    """The register with another text for one purpose."""
    return register_text().replace("tr: Destek talebini çözmek", f"tr: {label}")


def edit(label: str) -> Edit:
    """The edit that gives the purpose another text."""
    register = load_manifest(changed_register(label), "register.yaml").register
    purposes = to_json(register)["purposes"]
    assert isinstance(purposes, dict)
    value = purposes["support"]
    assert isinstance(value, dict)
    return Edit(kind=Kind.PURPOSE, slug="support", value=value)


def test_whoever_touched_a_version_does_not_approve_it(sqlite_copy: Callable[..., Local]) -> None:
    """Not its author, not the author's other account, not somebody who edited it before."""
    local = sqlite_copy()
    local.start("inventory")
    colleague = admin(local, "s-104", "kvkk").inventory
    colleague.edit_draft([edit("Birinci")], etag=colleague.draft().etag)
    author = admin(local, "s-101", "kvkk").inventory
    draft = author.edit_draft([edit("İkinci")], etag=author.draft().etag)
    version = author.submit(etag=draft.etag)
    for account in ("s-101", "s-101-admin", "s-104"):
        approver = admin(local, account, "yonetim").inventory
        with refused(Reason.SECOND_PERSON_REQUIRED):
            approver.approve(version.number, digest_read=version.digest)
    with refused(Reason.RPC_NOT_ALLOWED):
        admin(local, "s-103", "guvenlik").inventory.approve(
            version.number, digest_read=version.digest
        )
    with refused(Reason.DIGEST_MISMATCH):
        admin(local, "s-102", "yonetim").inventory.approve(version.number, digest_read=bytes(32))
    for statement in (
        """UPDATE versions SET state = 'approved', approver = author, approve_time = submit_time,
            effective_time = submit_time, approval = snapshot WHERE number = 2""",
        "DELETE FROM version_editors",
        "UPDATE versions SET author = 's-900' WHERE number = 2",
    ):
        with local.database("inventory") as connection:
            try:
                connection.execute(text(statement))
            except DBAPIError:
                connection.rollback()
            else:
                raise AssertionError(f"the database lets pass: {statement}")
    admin(local, "s-102", "yonetim").inventory.approve(version.number, digest_read=version.digest)


def test_whoever_applied_rules_does_not_activate_them(sqlite_copy: Callable[..., Local]) -> None:
    """The same person under a second account is the same person."""
    local = sqlite_copy()
    local.start("inventory", "access_audit")
    source = rules_text() + "# changed\n"
    applied = admin(local, "s-101", "guvenlik").rules.apply(source)
    digest = hashlib.sha256(source.encode()).digest()
    for account in ("s-101", "s-101-admin"):
        with refused(Reason.SECOND_PERSON_REQUIRED):
            admin(local, account, "yonetim").rules.activate(applied.number, digest_read=digest)
    with refused(Reason.DIGEST_MISMATCH):
        admin(local, "s-102", "yonetim").rules.activate(applied.number, digest_read=bytes(32))
    with refused(Reason.FRESH_LOGIN_REQUIRED):
        old = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=6)
        admin(local, "s-102", "yonetim", now=old).rules.activate(applied.number, digest_read=digest)
    assert admin(local, "s-102", "yonetim").audit.service_info().rule_set_number == 1


def test_consumers_take_no_forged_register(
    sqlite_copy: Callable[..., Local], sqlite_template: Template, tmp_path: Path
) -> None:
    """A flipped byte, an approval by the author, a second digest for a number: told, never taken.

    The last verified version stays in force, in both consumers.
    """
    local = sqlite_copy()
    local.start("inventory")
    files = local.workspace.var / "inventory" / "db"
    local.stop("inventory")
    shutil.copytree(files, tmp_path / "before")
    local.start("inventory")
    assert publish(local, changed_register("Yeni metin")) == 2
    good = local.rows("inventory", "SELECT snapshot, approval FROM versions WHERE number = 2")[0]
    snapshot, approval = bytes(good.snapshot), bytes(good.approval)
    forge(local, snapshot=snapshot.replace(b"Yeni metin", b"Gizli  iz."), approval=approval)

    local.start("access_audit", "crypto", wait=False)
    local.wait_healthy("crypto")
    watcher = admin(local, "s-101", "kvkk")
    until(lambda: warned(local), what="a refusal")
    alone = canonical.decode_object(approval)
    alone["approver"] = alone["author"]
    forge(local, snapshot=snapshot, approval=canonical.encode(alone))
    until(lambda: INTERRUPTED in local.logs(), what="another refusal")
    assert watcher.audit.service_info().register_number == 1
    assert watcher.keys.service_info().register_number == 1
    panel = app(local)
    with panel.reading(purpose="support", staff_token=support(local), case=TICKET):
        assert panel.decrypt(EMAIL, sqlite_template.sealed[EMAIL])

    forge(local, snapshot=snapshot, approval=approval)
    wait_for_register(local, 2)

    local.stop("inventory")
    shutil.rmtree(files)
    shutil.copytree(tmp_path / "before", files)
    local.start("inventory")
    refusals = warned(local)
    assert publish(local, changed_register("Başka metin")) == 2
    until(lambda: warned(local) > refusals, what="a refusal of the second digest")
    numbers = [leaf.number for leaf in export(local).leaves if isinstance(leaf, RegisterLeaf)]
    assert numbers == [1, 2]
    copy = local.rows(
        "crypto",
        "SELECT snapshot FROM register_versions WHERE number = 2"
        f" AND organization = '{ORGANIZATION}'",
    )
    assert bytes(copy[0].snapshot) == snapshot


def forge(local: Local, *, snapshot: bytes, approval: bytes) -> None:
    """Writes bytes into the inventory's database as its owner."""
    with local.as_owner("inventory") as connection:
        connection.execute(
            text(
                "UPDATE versions SET snapshot = :s, approval = :a"
                f" WHERE number = 2 AND organization = '{ORGANIZATION}'"
            ),
            {"s": snapshot, "a": approval},
        )


def warned(local: Local) -> int:
    """How often the access audit refused a register version."""
    info = admin(local, "s-101", "kvkk").audit.service_info()
    return sum(each.count for each in info.warnings if each.code == "REGISTER_REFUSED")


def test_a_register_that_breaks_a_promise_is_not_submitted(shared: Local) -> None:
    """Sealed data with a staff purpose, and a field without retention, stop at submission."""
    broken = (
        register_text().replace(
            "{fields: [message.body], purposes: [service]",
            "{fields: [message.body], purposes: [support]",
        ),
        register_text().replace(", basis: 5/2-c, keep: ticket}", ", basis: 5/2-c}", 1),
    )
    for manifest in broken:
        assert manifest != register_text()
        with refused(Reason.REGISTER_FINDINGS):
            submit(shared, load_manifest(manifest, "register.yaml").register)
    original = load_manifest(register_text(), "register.yaml").register
    dpo = admin(shared, "s-101", "kvkk").inventory
    draft = dpo.draft()
    dpo.edit_draft(plan(draft.register, original), etag=draft.etag)
