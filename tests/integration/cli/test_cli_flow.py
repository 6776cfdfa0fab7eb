"""From an empty folder to a verified log, with the commands that people type."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.integration.cli.conftest import AGENCY, ORGANIZATION, Shell

SUBJECT, MAIL = "customers/7", "ayşe@example.com"


@pytest.fixture(scope="session")
def with_cases(operating: Shell, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A ticket about the customer, and a review for the auditor, from their applications."""
    ticket = operating(
        *("cases", "put", "--app", "helpdesk", "--kind", "ticket", "--ref", "T-1"),
        *("--subject", SUBJECT, "--opened-by", "customer"),
    )
    file = tmp_path_factory.mktemp("cases") / "reviews.json"
    file.write_text(
        json.dumps(
            [{"kind": "review", "ref": "R-1", "opened_by": "system", "opened": "2026-01-05T09:00"}]
        )
    )
    review = operating("cases", "put", file, "--app", "audit-desk", "--json")
    assert (ticket.status, review.status) == (0, 0), ticket.err + review.err
    assert review.json == {"cases": 1}
    return operating


@pytest.fixture
def envelope(with_cases: Shell) -> bytes:
    sealed = with_cases(
        *("crypto", "encrypt", "--field", "customer.email", "--subject", SUBJECT),
        stdin=f"{MAIL}\n".encode(),
    )
    assert sealed.out.startswith("emn1."), sealed.err
    return sealed.out.encode()


def test_status_tells_what_is_in_effect_and_what_does_not_hold(operating: Shell) -> None:
    """Services, register, rules, log and the promises of development mode."""
    answer = operating("status", "--json")
    assert answer.status == 0
    assert {each["state"] for each in answer.json["services"]} == {"SERVING"}
    (row,) = answer.json["organizations"]
    assert (row["organization"], row["register"], row["rule_set"]) == (ORGANIZATION, 1, 1)
    assert row["log_size"] >= 2
    assert answer.json["promises"] == {"P3": False, "P4": False}
    assert "P3 (kayıt fark edilmeden değişmez)" in operating("status", "--lang", "tr").out


def test_apply_again_changes_nothing(operating: Shell) -> None:
    """The draft is the manifest; plan says so, and there is nothing to submit."""
    register = AGENCY / "register.yaml"
    assert operating.acting("dpo", "inventory", "plan", register, "--json").json["edits"] == []
    refused = operating.acting("dpo", "inventory", "submit")
    assert refused.status == 1
    assert "equals the last approved version" in refused.err


def test_approval_shows_the_notice_and_wants_the_digest(operating: Shell, tmp_path: Path) -> None:
    """Nobody approves unread: without a digest nothing happens, with another one neither."""
    text = (AGENCY / "register.yaml").read_text("utf-8")
    changed = tmp_path / "register.yaml"
    changed.write_text(text.replace("Satış sonrası", "Satış ardı").replace("P6M", "P5M"), "utf-8")
    plan = operating.acting("dpo", "inventory", "plan", changed)
    assert "~ retention/" in plan.out
    assert operating.acting("dpo", "inventory", "apply", changed).status == 0
    submitted = operating.acting("dpo", "inventory", "submit", "--json").json
    shown = operating.acting("approver", "inventory", "approve", "--lang", "tr")
    assert shown.status == 2
    assert shown.out.startswith("DEĞİŞİKLİK BİLDİRİMİ")
    assert submitted["digest"] in shown.out
    wrong = operating.acting("approver", "inventory", "approve", 2, "--digest", "0" * 64)
    assert wrong.status == 1
    author = operating.acting("dpo", "inventory", "approve", 2, "--digest", submitted["digest"])
    assert author.status == 1
    states = [each["state"] for each in operating("inventory", "versions", "--json").json]
    assert states == ["SUBMITTED", "EFFECTIVE"]
    difference = operating.acting("dpo", "inventory", "diff", 1, "draft", "--json").json
    assert any("retention" in change["path"] for change in difference["changes"])
    # The draft is put back: the tests of this file share it, in any order.
    assert operating.acting("dpo", "inventory", "apply", AGENCY / "register.yaml").status == 0


@pytest.mark.parametrize("sheet", ["xlsx", "csv", "json"])
@pytest.mark.parametrize("view", ["inventory", "verbis"])
def test_sheets_are_written_whole(operating: Shell, tmp_path: Path, view: str, sheet: str) -> None:
    target = tmp_path / f"sheet.{sheet}"
    answer = operating.acting(
        "dpo", "inventory", "export", "--view", view, "--format", sheet, "--output", target
    )
    assert answer.status == 0, answer.err
    starts = {"xlsx": b"PK", "csv": b"\xef\xbb\xbf", "json": b"{"}
    assert target.read_bytes().startswith(starts[sheet])
    assert list(tmp_path.iterdir()) == [target]


def test_register_in_effect_is_shown_as_a_manifest(operating: Shell, tmp_path: Path) -> None:
    """What is shown can be linted and planned again."""
    file = tmp_path / "shown.yaml"
    file.write_text(operating("inventory", "show", "1").out, "utf-8")
    assert operating("inventory", "lint", file).status == 0
    same = operating("inventory", "diff", file, AGENCY / "register.yaml", "--json")
    assert same.json["changes"] == []


def test_value_is_opened_with_a_case_and_for_its_purpose_alone(
    with_cases: Shell, envelope: bytes
) -> None:
    """Allowed, masked, refused without a case, refused for another purpose."""
    decrypt = ("crypto", "decrypt", "--field", "customer.email", "--purpose")
    opened = with_cases.acting("agent", *decrypt, "support", "--case", "ticket/T-1", stdin=envelope)
    assert (opened.status, opened.out) == (0, f"{MAIL}\n")
    masked = with_cases.acting(
        "agent", *decrypt, "support", "--case", "ticket/T-1", "--masked", stdin=envelope
    )
    assert masked.status == 0
    assert MAIL not in masked.out
    no_case = with_cases.acting("agent", *decrypt, "support", stdin=envelope)
    assert (no_case.status, no_case.out) == (1, "")
    assert "this purpose needs a case" in no_case.err
    other = with_cases.acting("agent", *decrypt, "invoicing", "--json", stdin=envelope)
    assert other.status == 1
    assert other.json["error"]["reason"] == "PURPOSE_NOT_DECLARED"
    nobody = with_cases(*decrypt, "support", "--case", "ticket/T-1", stdin=envelope)
    assert nobody.status == 1


def test_reads_outside_are_recorded_and_listed(with_cases: Shell) -> None:
    """A paper file's read is in the log, and the listing is itself a record."""
    recorded = with_cases.acting(
        "agent",
        *("audit", "record", "--field", "customer.fax", "--subject", SUBJECT),
        *("--purpose", "support", "--case", "ticket/T-1", "--json"),
    )
    assert recorded.status == 0, recorded.err
    assert recorded.json["verdict"] == "allow"
    listed = with_cases.acting(
        "auditor",
        *("audit", "list", "--purpose", "oversight", "--case", "review/R-1"),
        *("--field", "customer.fax", "--subject", SUBJECT, "--json"),
    )
    assert listed.status == 0, listed.err
    assert recorded.json["record"] in {each["name"] for each in listed.json}
    assert {each["person"] for each in listed.json} == {"s-003"}
    refused = with_cases.acting("auditor", "audit", "list", "--purpose", "oversight")
    assert refused.status == 1
    duty = with_cases.acting("agent", "audit", "list", "--purpose", "oversight")
    assert duty.status == 1


def test_exported_log_verifies_until_one_byte_changes(
    with_cases: Shell, envelope: bytes, tmp_path: Path
) -> None:
    """Export, verify offline, change one byte of one record, and it is named."""
    directory, vkey = tmp_path / "log", tmp_path / "log.vkey"
    exported = with_cases.acting(
        "auditor", "audit", "export-log", directory, "--purpose", "oversight"
    )
    assert exported.status == 0, exported.err
    whole = with_cases("verify", "log", directory, "--vkey", vkey, "--json")
    assert whole.status == 0
    assert whole.json["size"] >= 5
    checkpoint = with_cases("audit", "checkpoint", "--json").json
    assert checkpoint["vkey"] == vkey.read_text().strip()
    (records,) = (p for p in (directory / "tile" / "entries").rglob("*") if p.is_file())
    data = bytearray(records.read_bytes())
    place = data.rindex(b'"act":"') + 8
    data[place] ^= 1
    records.write_bytes(bytes(data))
    broken = with_cases("verify", "log", directory, "--vkey", vkey, "--json")
    assert broken.status == 1
    (fault,) = broken.json["faults"]
    assert fault["fault"] == "record_changed"


def test_export_wants_a_duty_and_a_purpose(with_cases: Shell, tmp_path: Path) -> None:
    refused = with_cases.acting(
        "agent", "audit", "export-log", tmp_path / "log", "--purpose", "oversight"
    )
    assert refused.status == 1
    assert not (tmp_path / "log").exists()


def test_destruction_is_planned_before_it_is_done(with_cases: Shell, envelope: bytes) -> None:
    """A plan tells each class with its article and destroys nothing."""
    due = with_cases.acting("dpo", "destruction", "due", "--json")
    assert (due.status, due.json) == (0, [])
    plan = with_cases.acting(
        "dpo", "destruction", "run", "--subject", SUBJECT, "--dry-run", "--json"
    )
    assert plan.json["items"]
    assert plan.status == (0 if any(i["outcome"] == "destroyed" for i in plan.json["items"]) else 1)
    listed = with_cases.acting("dpo", "destruction", "list", "--json").json
    assert plan.json["name"] not in {each["name"] for each in listed}


def test_receipt_of_a_destruction_verifies_against_the_exported_log(
    with_cases: Shell, tmp_path: Path
) -> None:
    """A month that has lapsed: planned, destroyed, receipted, and proven offline."""
    old = with_cases(
        *("crypto", "encrypt", "--field", "form.message", "--subject", SUBJECT),
        *("--start", "2024-01-10"),
        stdin=b"eski bir mesaj",
    )
    assert old.status == 0, old.err
    run = ("destruction", "run", "--class", "form", "--bucket", "2024-01", "--json")
    assert with_cases.acting("dpo", *run, "--dry-run").json["keys"] in {0, 1}
    done = with_cases.acting("dpo", *run)
    assert done.status == 0, done.out + done.err
    name, receipt = done.json["name"], tmp_path / "receipt.json"
    show = ("destruction", "show", name, "--receipt", receipt)
    deadline = time.monotonic() + 60
    while with_cases.acting("dpo", *show).status and time.monotonic() < deadline:
        time.sleep(0.2)
    log = tmp_path / "log"
    with_cases.acting("auditor", "audit", "export-log", log, "--purpose", "oversight")
    verify = ("verify", "receipt", receipt, "--vkey", tmp_path / "log.vkey")
    proven = with_cases(*verify, "--log", log, "--json")
    assert proven.status == 0, proven.err
    assert proven.json["classes"] == ["form"]
    assert with_cases(*verify).status == 2
    listed = with_cases.acting("dpo", "destruction", "list", "--json").json
    assert [each["state"] for each in listed] == ["receipted"]
