"""P4, retention ends in destruction: lapsed values are not read, destroyed ones never again."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from emanet.api.crypto.v1 import keys_pb2, keys_pb2_grpc, resources_pb2
from emanet.client import Case, ToOpen
from emanet.client.channel import ServiceName
from emanet.core import canonical
from emanet.core.checkpoint import parse_vkey
from emanet.core.clock import SystemClock
from emanet.core.encoding import b64url_encode
from emanet.core.errors import EmanetError, Reason
from emanet.core.keyrow import KeyKind, KeyRow, KeyState, row_aad
from emanet.core.leaf import KeyLeaf, KeyOperation, Receipt, Verdict
from emanet.verify import verify_receipt
from services.runtime.keyring import KdfCost, PassphraseKeyring
from services.runtime.primitives import SealBrokenError
from tests.e2e.acting import (
    TICKET,
    admin,
    app,
    export,
    new_id,
    now,
    put_case,
    put_ticket,
    record_id,
    refusal,
    refused,
    stub,
    support,
    token,
)
from tests.e2e.conftest import VALUES
from tests.e2e.installation import ORGANIZATION, Local, Template, until

CAMPAIGN = Case("campaign", "C-7")
HOBBY, TEXT, NAME = "customer.hobby", "ticket.text", "customer.name"
REQUEST = keys_pb2.DESTRUCTION_GROUND_SUBJECT_REQUEST
DESTROYED = resources_pb2.DESTRUCTION_OUTCOME_DESTROYED


def months_ago(count: int) -> dt.datetime:
    """The middle of a month, so many months ago."""
    today = now()
    month = today.year * 12 + today.month - 1 - count
    return dt.datetime(month // 12, month % 12 + 1, 15, 12, tzinfo=dt.UTC)


def bucket(moment: dt.datetime) -> str:
    return moment.astimezone(ZoneInfo("Europe/Istanbul")).strftime("%Y-%m")


def as_support(local: Local, case: Case = TICKET) -> Any:
    return app(local).reading(purpose="support", staff_token=support(local), case=case)


def as_marketer(local: Local) -> Any:
    staff = token(local, "s-202", "pazarlama")
    return app(local).reading(purpose="marketing", staff_token=staff, case=CAMPAIGN)


def dpo(local: Local, **changes: Any) -> Any:
    return admin(local, "s-101", "kvkk", **changes).keys


def test_a_value_is_closed_when_its_month_lapses(shared: Local) -> None:
    """The start time decides: five months ago opens, eight months ago is refused and recorded."""
    panel = app(shared)
    sealed = {
        age: panel.encrypt(
            subject="customers/1",
            values={TEXT: f"{age} ay önce"},
            record=f"t-{age}",
            start=months_ago(age),
        )[TEXT].envelope
        for age in (0, 5, 8)
    }
    with as_support(shared):
        assert panel.decrypt(TEXT, sealed[0], record="t-0") == "0 ay önce"
        assert panel.decrypt(TEXT, sealed[5], record="t-5") == "5 ay önce"
        with refused(Reason.RETENTION_ENDED) as denied:
            panel.decrypt(TEXT, sealed[8], record="t-8")
        with refused(Reason.RETENTION_ENDED):  # and no page smuggles it in
            panel.decrypt_many([ToOpen(TEXT, sealed[age], record=f"t-{age}") for age in (0, 8)])
    leaf = export(shared).accesses[record_id(denied.value.metadata["record"])]
    assert (leaf.decision.verdict, leaf.decision.why) == (Verdict.DENY, "RETENTION_ENDED")


def test_a_pushed_event_ends_one_purpose_and_not_the_other(shared: Local) -> None:
    """After the contract ended support sees nothing, while the invoice still has years to run."""
    panel = app(shared)
    envelope = panel.encrypt(subject="customers/61", values={NAME: "Can Ak"})[NAME].envelope
    put_ticket(shared, "T-61", subjects=["customers/61"])
    run = put_case(shared, Case("invoice_run", "F-61"), by="erp")
    masked = {"action": "read_masked"}
    with as_support(shared, Case("ticket", "T-61")):
        assert panel.decrypt(NAME, envelope, **masked)
    eleven_years = now() - dt.timedelta(days=11 * 366)
    app(shared, "erp").put_retention_events([("customers/61", "contract_ended", eleven_years)])
    with as_support(shared, Case("ticket", "T-61")), refused(Reason.RETENTION_ENDED):
        panel.decrypt(NAME, envelope, **masked)
    billing = token(shared, "s-203", "muhasebe")
    with panel.reading(purpose="invoicing", staff_token=billing, case=run):
        assert panel.decrypt(NAME, envelope) == "Can Ak"


def test_nobody_else_destroys(shared: Local) -> None:
    """Another duty, an old log-in, an application without a person: refused before any plan."""
    for person, group in (("s-102", "yonetim"), ("s-103", "guvenlik"), ("s-201", "destek")):
        with refused(Reason.RPC_NOT_ALLOWED):
            admin(shared, person, group).keys.destroy_subject("customers/1", ground=REQUEST)
    with refused(Reason.FRESH_LOGIN_REQUIRED):
        dpo(shared, now=now() - dt.timedelta(minutes=6)).destroy_subject(
            "customers/1", ground=REQUEST
        )


def test_a_bucket_dies_for_everybody_once_its_time_has_come(
    sqlite_copy: Callable[..., Local],
) -> None:
    """Not before; then every value of the month is dead, the other months and classes live."""
    local = sqlite_copy(EMANET_RUNTIME_MAX_DEADLINE_SECONDS="2")
    local.start()
    panel = app(local)
    put_ticket(local, "T-many", subjects=["customers/1", "customers/2"])
    old, young = months_ago(8), months_ago(2)
    items: dict[tuple[str, str], bytes] = {}
    for subject in ("customers/1", "customers/2"):
        for month in (old, young):
            sealed = panel.encrypt(
                subject=subject, values={TEXT: "ileti"}, record=bucket(month), start=month
            )
            items[subject, bucket(month)] = sealed[TEXT].envelope
    with refused(Reason.RETENTION_RUNNING):
        dpo(local).destroy_bucket("ticket", bucket(young))
    planned = dpo(local).destroy_bucket("ticket", bucket(old), validate_only=True)
    assert [item.outcome for item in planned.items] == [DESTROYED]
    with as_support(local, Case("ticket", "T-many")), refused(Reason.RETENTION_ENDED):
        panel.decrypt(TEXT, items["customers/1", bucket(old)], record=bucket(old))
    begun = dpo(local).destroy_bucket("ticket", bucket(old))
    assert begun.key_count == 1
    with as_support(local, Case("ticket", "T-many")):
        for (_, month), envelope in items.items():
            if month == bucket(old):
                with refused(Reason.KEY_DESTROYED):
                    panel.decrypt(TEXT, envelope, record=month)
            else:
                assert panel.decrypt(TEXT, envelope, record=month) == "ileti"
    receipted(local, begun.name)


def receipted(local: Local, name: str) -> Any:
    """The destruction, once its receipt is there; the receipt holds under the log's key."""

    def probe() -> Any:
        found = dpo(local).destruction(record_id(name))
        return found if found.state == resources_pb2.DESTRUCTION_STATE_RECEIPTED else None

    done = until(probe, seconds=30, what="the receipt")
    receipt = canonical.decode_object(done.receipt)
    assert receipt["term"] == "anahtar imhası"
    assert receipt["destruction"] == name
    assert done.unreadable_from.ToDatetime() > done.destroy_time.ToDatetime()
    vkey = parse_vkey(local.workspace.log_key(ORGANIZATION).read_text(encoding="utf-8").strip())
    folder = local.workspace.var.parent / f"log-{record_id(name)}"
    exported = export(local)
    exported.write(folder)
    proofs = receipt["log"]
    ids = receipt["key_ids"]
    assert isinstance(proofs, list)
    assert isinstance(ids, list)
    for proof, key_id in zip(proofs, ids, strict=True):
        held = verify_receipt(Receipt.from_bytes(canonical.encode(proof)), vkey, directory=folder)
        assert held.is_in_log
        assert isinstance(held.leaf, KeyLeaf)
        assert (held.leaf.operation, held.leaf.ids) == (KeyOperation.DESTROYED, (key_id,))
    steps = [
        leaf for leaf in exported.leaves if isinstance(leaf, KeyLeaf) and set(leaf.ids) & set(ids)
    ]
    assert [leaf.operation for leaf in steps] == (
        [KeyOperation.DESTROY_INTENT] * len(ids) + [KeyOperation.DESTROYED] * len(ids)
    )
    return done


def test_an_erasure_request_kills_what_rests_on_consent_and_tells_the_rest(
    sqlite_copy: Callable[..., Local], sqlite_template: Template, tmp_path: Path
) -> None:
    """Per class destroyed, kept or refused; the dead key's bytes are in no file of the service.

    Neither the value nor that it is destroyed is told to who may not read it; and a backup of the
    key database from before, with today's epoch file, does not open it any more.
    """
    local = sqlite_copy(EMANET_RUNTIME_MAX_DEADLINE_SECONDS="2")
    local.start()
    panel = app(local)
    envelope = sqlite_template.sealed[HOBBY]
    put_case(local, CAMPAIGN, by="erp")
    with as_marketer(local):
        assert panel.decrypt(HOBBY, envelope) == VALUES[HOBBY]
    local.stop("crypto")
    service = local.workspace.var / "crypto"
    shutil.copytree(service, tmp_path / "backup")
    row = local.rows("crypto", "SELECT * FROM key_rows WHERE id = :id", id=envelope[2:18])[0]
    wrapped = bytes(row.wrapped)
    assert _files_with(service, wrapped)
    local.start("crypto")

    planned = dpo(local).destroy_subject("customers/1", ground=REQUEST, validate_only=True)
    outcomes = {item.retention_class: item.outcome for item in planned.items}
    assert outcomes.pop("marketing") == DESTROYED
    assert outcomes
    assert DESTROYED not in outcomes.values()
    for item in planned.items:
        if item.retention_class != "marketing":
            assert item.row, item.retention_class
            assert item.article, item.retention_class
    begun = dpo(local).destroy_subject("customers/1", ground=REQUEST)
    assert begun.key_count == 1
    assert _files_with(service, wrapped) == []
    with as_marketer(local), refused(Reason.KEY_DESTROYED):
        panel.decrypt(HOBBY, envelope)
    with as_support(local), refused(Reason.PURPOSE_NOT_DECLARED, Reason.ROLE_NOT_ALLOWED):
        panel.decrypt(HOBBY, envelope)
    with as_support(local):
        assert panel.decrypt("customer.email", sqlite_template.sealed["customer.email"])
    receipted(local, begun.name)

    assert _opens(tmp_path / "backup", tmp_path / "backup" / "epochs", row)
    assert not _opens(tmp_path / "backup", service / "epochs", row)
    local.stop("crypto")
    shutil.rmtree(service / "db")
    shutil.copytree(tmp_path / "backup" / "db", service / "db")
    shutil.rmtree(service / "state", ignore_errors=True)  # even without its memory of what was
    local.start("crypto")
    with as_support(local), refused(Reason.KEY_DESTROYED, Reason.SECRET_UNUSABLE):
        panel.decrypt("customer.email", sqlite_template.sealed["customer.email"])
    with as_support(local), refused(Reason.KEY_DESTROYED, Reason.SECRET_UNUSABLE):
        panel.encrypt(subject="customers/1", values={"customer.email": "x@y.example"})


def _files_with(folder: Path, needle: bytes) -> list[str]:
    text = b64url_encode(needle).encode()
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and ((data := path.read_bytes()).find(needle) >= 0 or text in data)
    ]


def _opens(secrets: Path, epochs: Path, row: Any) -> bool:
    """Whether somebody with the passphrase, these epoch files and a backup's row gets the key."""
    passphrase = (secrets / "secrets" / "kek_passphrase").read_bytes().strip()
    keyring = PassphraseKeyring(
        folder=epochs,
        service="crypto",
        passphrase=passphrase,
        cost=KdfCost(iterations=1, lanes=1, memory_kib=1024),
        clock=SystemClock(),
    )
    bound = row_aad(
        KeyRow(
            id=bytes(row.id),
            organization=row.organization,
            kind=KeyKind(row.kind),
            retention_class=row.retention_class,
            bucket=row.bucket,
            state=KeyState(row.state),
            lookup=bytes(row.lookup),
            epoch=row.epoch,
            row_version=row.row_version,
            created=row.created,
        )
    )
    try:
        return bool(keyring.epoch(ORGANIZATION, row.epoch).unwrap(bytes(row.wrapped), bound))
    except (EmanetError, SealBrokenError):
        return False


# -- kill -9 between the steps -------------------------------------------------------------------------

STEPS: tuple[tuple[str, str, str], ...] = (
    ("planned", "BEFORE UPDATE ON destructions", "NEW.state = 'intended'"),
    ("intended", "BEFORE UPDATE ON destructions", "NEW.state = 'keys_destroyed'"),
    ("keys_destroyed", "BEFORE INSERT ON rotations", "NEW.old_epoch > 0"),
    ("keys_destroyed", "BEFORE UPDATE ON key_rows", "NEW.epoch > OLD.epoch"),
    ("keys_destroyed", "BEFORE UPDATE ON rotations", "NEW.finished IS NOT NULL"),
    ("epoch_destroyed", "BEFORE UPDATE ON rotations", "NEW.receipt IS NOT NULL"),
    ("epoch_destroyed", "BEFORE UPDATE ON destructions", "NEW.state = 'receipted'"),
)
"""For each step: the state before it, and what the database refuses so that the step cannot end."""


WAITS = '"destruction.waits"'


def hold(local: Local, place: str, condition: str) -> None:
    """Lets the database refuse what would end a step."""
    with local.database("crypto") as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER held {place} WHEN {condition} BEGIN SELECT RAISE(ABORT, 'held'); END"
        )


def let_go(local: Local) -> None:
    """Takes the hold away."""
    with local.database("crypto") as connection:
        connection.exec_driver_sql("DROP TRIGGER held")


def state_of(local: Local) -> str:
    return str(local.rows("crypto", "SELECT state FROM destructions")[0].state)


def test_kill_9_between_any_two_steps_of_a_destruction(
    sqlite_copy: Callable[..., Local], sqlite_template: Template
) -> None:
    """One destruction, killed in front of each of its steps: it ends by itself, once, with a receipt.

    Until the keys are gone nothing dies; from then on the dead value never opens again, and what
    survives opens after every kill.
    """
    local = sqlite_copy(EMANET_RUNTIME_MAX_DEADLINE_SECONDS="2")
    hold(local, *STEPS[0][1:])
    local.start()
    put_case(local, CAMPAIGN, by="erp")
    panel = app(local)
    request = keys_pb2.DestroySubjectRequest(
        organization=ORGANIZATION,
        subject="customers/1",
        retention_classes=["marketing"],
        ground=REQUEST,
        request_id=new_id(),
    )
    for number, (state, place, _) in enumerate(STEPS):
        if state in {"planned", "intended"}:
            keys = stub(local, ServiceName.CRYPTO, keys_pb2_grpc.KeyServiceStub, name="cli")
            staff = token(local, "s-101", "kvkk", client="emanet-cli")
            assert refusal(keys.DestroySubject, request, staff=staff)
        else:
            seen = local.logs().count(WAITS)
            until(lambda seen=seen: local.logs().count(WAITS) > seen, what=f"{state}: {place}")
        local.kill("crypto")
        assert state_of(local) == state
        let_go(local)
        if number + 1 < len(STEPS):
            hold(local, *STEPS[number + 1][1:])
        local.start("crypto")
        with as_marketer(local):
            if state == "planned":
                assert panel.decrypt(HOBBY, sqlite_template.sealed[HOBBY]) == VALUES[HOBBY]
            else:
                until(lambda: state_of(local) != "intended", what="dead keys")
                with refused(Reason.KEY_DESTROYED):
                    panel.decrypt(HOBBY, sqlite_template.sealed[HOBBY])
        with as_support(local):
            assert panel.decrypt("customer.email", sqlite_template.sealed["customer.email"])
    (found,) = dpo(local).destructions(limit=10)
    receipted(local, found.name)
    with as_marketer(local), refused(Reason.KEY_DESTROYED):
        panel.decrypt(HOBBY, sqlite_template.sealed[HOBBY])
