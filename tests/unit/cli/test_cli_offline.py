"""Commands that need no server: lint, test, matrix, diff and verify."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from emanet.cli.main import main
from emanet.core.checkpoint import format_vkey
from tests.fakes.command_line import CommandLine
from tests.unit.verify.small_log import good_leaves, make_log

ROOT = Path(__file__).parents[3]
AGENCY = ROOT / "examples" / "organizations" / "web-agency"
REGISTER, PUBLISHED = AGENCY / "register.yaml", AGENCY / "published.register.yaml"
RULES = AGENCY / "need_to_know.yaml"
emanet = CommandLine()


def test_lint_answers_one_on_an_error_and_names_file_and_line() -> None:
    """The policy as published has errors; the repaired register has none."""
    broken = emanet("inventory", "lint", PUBLISHED)
    assert broken.status == 1
    assert f"{PUBLISHED}:" in broken.out
    assert "error" in broken.out
    assert emanet("inventory", "lint", REGISTER).status == 0


def test_lint_speaks_turkish() -> None:
    answer = emanet("inventory", "lint", PUBLISHED, "--lang", "tr")
    assert " hata, " in answer.out.splitlines()[-1]


@pytest.mark.parametrize("asked", [("--json",), ("--format", "json")])
def test_lint_answers_programs(asked: tuple[str, ...]) -> None:
    """JSON holds every finding with rule, place and both texts."""
    answer = emanet("inventory", "lint", PUBLISHED, *asked)
    assert answer.status == 1
    assert answer.json["errors"] > 0
    first = answer.json["findings"][0]
    assert {"rule", "severity", "file", "line", "article", "tr", "en"} <= set(first)


def test_lint_writes_sarif() -> None:
    answer = emanet("inventory", "lint", PUBLISHED, "--format", "sarif")
    assert answer.status == 1
    assert answer.json["version"] == "2.1.0"
    assert answer.json["runs"][0]["results"]


def test_manifest_that_is_broken_names_its_line(tmp_path: Path) -> None:
    """A duplicate key is refused where it stands, in both languages."""
    file = tmp_path / "register.yaml"
    file.write_text("emanet: register/v1\norganization: {id: a, tr: A}\norganization: {id: b}\n")
    english, turkish = (
        emanet("inventory", "lint", file),
        emanet("inventory", "lint", file, "--lang=tr"),
    )
    assert (english.status, turkish.status) == (1, 1)
    assert f"{file}:3:" in english.err
    assert turkish.err.startswith(f"hata: {file}:3:")


def test_rules_are_linted_and_their_examples_asked() -> None:
    lint = emanet("rules", "lint", RULES, "--register", REGISTER)
    test = emanet("rules", "test", RULES, "--register", REGISTER, "--json")
    assert lint.status == 0, lint.out
    assert test.status == 0
    assert test.json["failed"] == []
    assert test.json["examples"] > 0


def test_example_that_fails_names_its_line(tmp_path: Path) -> None:
    """A page that says one thing and does another is refused where it says it."""
    file = tmp_path / "need_to_know.yaml"
    text = RULES.read_text("utf-8")
    lines = text.splitlines()
    number = next(i for i, line in enumerate(lines) if "says: CASE_UNFIT" in line)
    lines[number] = lines[number].replace("then: deny, says: CASE_UNFIT", "then: allow")
    file.write_text("\n".join(lines) + "\n", "utf-8")
    answer = emanet("rules", "test", file, "--register", REGISTER)
    assert answer.status == 1
    assert f"{file}:{number + 1}  " in answer.out


def test_matrix_is_a_table_or_safe_csv() -> None:
    """CSV opens in a spreadsheet: BOM, semicolons, as many cells in each row."""
    table = emanet("rules", "matrix", RULES, "--register", REGISTER, "--lang", "tr")
    sheet = emanet("rules", "matrix", RULES, "--register", REGISTER, "--csv", "--lang", "tr")
    assert table.out.startswith("| Rol |")
    assert sheet.out.startswith("\ufeffRol;")
    rows = list(csv.reader(io.StringIO(sheet.out.removeprefix("\ufeff")), delimiter=";"))
    assert {len(row) for row in rows} == {7}


def test_diff_of_files_is_a_notice() -> None:
    english = emanet("inventory", "diff", PUBLISHED, REGISTER, "--effective", "2026-12-01")
    turkish = emanet("inventory", "diff", PUBLISHED, REGISTER, "--lang", "tr")
    document = emanet("inventory", "diff", PUBLISHED, REGISTER, "--json").json
    assert english.out.startswith("NOTICE OF CHANGE")
    assert "2026-12-01 00:00" in english.out
    assert turkish.out.startswith("DEĞİŞİKLİK BİLDİRİMİ")
    assert document["changes"]


@pytest.fixture
def exported(tmp_path: Path) -> tuple[Path, Path]:
    log = make_log(good_leaves(600))
    vkey = tmp_path / "log.vkey"
    vkey.write_text(format_vkey(log.vkey) + "\n")
    (tmp_path / "receipt.json").write_bytes(log.receipt(300, size=400).to_bytes())
    (tmp_path / "leaf").write_bytes(log.leaves[300])
    return log.write(tmp_path / "log"), vkey


def test_whole_log_verifies(exported: tuple[Path, Path]) -> None:
    directory, vkey = exported
    answer = emanet("verify", "log", directory, "--vkey", vkey)
    assert answer.status == 0
    assert "600 records" in answer.out
    document = emanet("verify", "log", directory, "--vkey", vkey, "--json", "--quick").json
    assert (document["holds"], document["size"], document["faults"]) == (True, 600, [])


def test_log_that_is_a_file_is_called_one(exported: tuple[Path, Path], tmp_path: Path) -> None:
    """What exists is not said to be missing."""
    _, vkey = exported
    file = emanet("verify", "log", vkey, "--vkey", vkey)
    missing = emanet("verify", "log", tmp_path / "none", "--vkey", vkey)
    assert (file.status, missing.status) == (2, 2)
    assert "(it is not a directory)" in file.err
    assert "(it does not exist)" in missing.err


def test_output_is_utf_8_whatever_the_locale_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turkish text to a stream of ASCII is written, and JSON stays JSON."""
    held = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding="ascii"))
        assert main(["inventory", "lint", str(PUBLISHED), "--json", "--lang", "tr"]) == 1
        sys.stdout.flush()
    findings = json.loads(held.getvalue().decode("utf-8"))["findings"]
    assert any(not finding["tr"].isascii() for finding in findings)


def test_changed_record_is_named_in_both_languages(exported: tuple[Path, Path]) -> None:
    """The report says which record, as receipts count them."""
    directory, vkey = exported
    file = directory / "tile/entries/001"
    file.write_bytes(file.read_bytes().replace(b"support", b"reading", 1))
    english = emanet("verify", "log", directory, "--vkey", vkey)
    turkish = emanet("verify", "log", directory, "--vkey", vkey, "--lang", "tr")
    assert (english.status, turkish.status) == (1, 1)
    assert "record 256: not the record that was logged" in english.out
    assert "kayıt 256: deftere yazılan kayıt bu değil" in turkish.out
    document = emanet("verify", "log", directory, "--vkey", vkey, "--json").json
    assert document["faults"][0] | {"detail": ""} == {
        "fault": "record_changed",
        "detail": "",
        "record": 256,
        "path": "tile/0/001",
    }


def test_receipt_verifies_against_log_and_leaf(exported: tuple[Path, Path], tmp_path: Path) -> None:
    """With the log it is proof; with the record alone the answer says what is not shown."""
    directory, vkey = exported
    receipt, leaf = tmp_path / "receipt.json", tmp_path / "leaf"
    in_log = emanet("verify", "receipt", receipt, "--vkey", vkey, "--log", directory)
    alone = emanet("verify", "receipt", receipt, "--vkey", vkey, "--leaf", leaf)
    nothing = emanet("verify", "receipt", receipt, "--vkey", vkey)
    assert (in_log.status, alone.status, nothing.status) == (0, 0, 2)
    assert "the record is in the log that the key signed" in in_log.out
    assert "only --log shows" in alone.out
    leaf.write_bytes(b"{}")
    assert emanet("verify", "receipt", receipt, "--vkey", vkey, "--leaf", leaf).status == 1


def test_destruction_receipt_tells_how_far_it_reaches(tmp_path: Path) -> None:
    """Keys, their epoch, and that copies outside are declared gone, not shown to be."""
    vectors = json.loads((ROOT / "docs/formats/vectors/log.json").read_text(encoding="utf-8"))
    receipt, vkey = tmp_path / "receipt.json", tmp_path / "log.vkey"
    receipt.write_text(vectors["destruction_receipt"], encoding="utf-8")
    vkey.write_text(vectors["vkey"])
    for path, content in vectors["export"].items():
        file = tmp_path / "log" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if path == "checkpoint" else bytes.fromhex(content))
    asked = ("verify", "receipt", receipt, "--vkey", vkey, "--log", tmp_path / "log")
    english, turkish = emanet(*asked), emanet(*asked, "--lang", "tr")
    assert (english.status, turkish.status) == (0, 0)
    assert "record 10: the end of epoch key 1" in english.out
    assert english.out.endswith("declared gone, by the backup policy\n")
    assert "beyan" in turkish.out.splitlines()[-1]
    document = emanet(*asked, "--json").json
    assert (document["epoch"], document["epoch_record"], document["records"]) == (1, 10, [11])


def test_verifier_key_must_be_one(exported: tuple[Path, Path], tmp_path: Path) -> None:
    directory, _ = exported
    other = tmp_path / "other.vkey"
    other.write_text(json.dumps({"key": 1}))
    answer = emanet("verify", "log", directory, "--vkey", other)
    assert answer.status == 2
    assert "not a verifier key" in answer.err
