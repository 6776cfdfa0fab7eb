"""Exit status and error texts: 2 for usage and environment, 1 when the answer is no."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emanet import __version__
from emanet.cli.language import Lang
from emanet.cli.report import report_unexpected, status_of
from emanet.core.errors import Reason, error
from tests.fakes.command_line import CommandLine


@pytest.fixture
def emanet(tmp_path: Path) -> CommandLine:
    return CommandLine({"EMANET_VAR_DIR": str(tmp_path / "var")})


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("inventory",),
        ("lynt",),
        ("inventory", "lint"),
        ("inventory", "lint", "a.yaml", "--colour"),
        ("inventory", "lint", "a.yaml", "--format", "pdf"),
        ("rules", "activate", "0", "--digest", "00"),
        ("up", "--lang", "de"),
        ("status",),
        ("inventory", "versions"),
        ("verify", "log", "nowhere", "--vkey", "nowhere.vkey"),
        ("verify", "receipt", "nowhere.json", "--vkey", "nowhere.vkey"),
        ("cases", "put"),
        ("cases", "put", "a.json", "--kind", "ticket", "--ref", "T-1"),
        ("destruction", "run"),
        ("destruction", "run", "--bucket", "2024-05"),
        ("inventory", "approve", "--digest", "0" * 64, "--effective", "tomorrow"),
        ("dev", "token", "--person", "s-001"),
        ("crypto", "encrypt", "--field", "customer.email"),
    ],
)
@pytest.mark.parametrize("lang", ["tr", "en"])
def test_wrong_usage_or_surroundings_answer_two(
    emanet: CommandLine, arguments: tuple[str, ...], lang: str
) -> None:
    """Status 2, nothing on standard output, and a message without a traceback."""
    answer = emanet("--lang", lang, *arguments)
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err
    assert "Traceback" not in answer.err


def test_usage_errors_are_told_in_turkish(emanet: CommandLine) -> None:
    """The framework's English words do not reach a Turkish reader."""
    missing = emanet("inventory", "lint", "--lang", "tr").err
    unknown = emanet("inventory", "lint", "a.yaml", "--colour", "--lang", "tr").err
    assert missing.startswith("hata: file eksik\n")
    assert "bakınız: emanet inventory lint --help" in missing
    assert unknown.startswith("hata: --colour diye bir seçenek yok\n")


def test_wrong_usage_is_json_too_when_json_was_asked_for(emanet: CommandLine) -> None:
    """A program never has to read text."""
    answer = emanet("inventory", "lint", "--json")
    assert (answer.status, answer.err) == (2, "")
    assert answer.json["error"]["reason"] == "USAGE"
    assert answer.json["error"]["next_step"] == "see: emanet inventory lint --help"


def test_error_names_the_next_step(emanet: CommandLine) -> None:
    """Whoever reads an error knows what to do."""
    answer = emanet("inventory", "versions", "--organization", "degirmen")
    assert "run `emanet up`, or set EMANET_ENDPOINTS" in answer.err


def test_error_is_json_when_json_was_asked_for(emanet: CommandLine) -> None:
    """Programs find reason, message and next step on standard output."""
    answer = emanet("inventory", "versions", "--json", "--lang", "tr")
    assert answer.status == 2
    told = answer.json["error"]
    assert told["reason"] == "NO_ENDPOINTS"
    assert "kurulum yok" in told["message"]
    assert answer.err == ""


def test_token_file_that_cannot_be_read_is_told(emanet: CommandLine, tmp_path: Path) -> None:
    """A missing token file is no empty token."""
    endpoints = tmp_path / "endpoints.json"
    services = dict.fromkeys(("inventory", "access_audit", "crypto"), "127.0.0.1:1")
    endpoints.write_text(
        json.dumps(
            {"mode": "dev", "installation": "t", "services": services, "certs_dir": str(tmp_path)}
        )
    )
    for name in ("ca.pem", "cli.pem", "cli.key"):
        (tmp_path / name).write_text("")
    answer = emanet(
        "inventory",
        "versions",
        EMANET_ORGANIZATION="degirmen",
        EMANET_ENDPOINTS=str(endpoints),
        EMANET_TOKEN_FILE=str(tmp_path / "none"),
    )
    assert answer.status == 2
    assert "EMANET_TOKEN_FILE" in answer.err


def test_version_is_told(emanet: CommandLine) -> None:
    answer = emanet("--version")
    assert (answer.status, answer.out) == (0, f"emanet {__version__}\n")


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_status(reason: Reason) -> None:
    """Denials and states answer 1; identity, configuration and what is down answer 2."""
    assert status_of(error(reason)) in {1, 2}


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.ROLE_NOT_ALLOWED, 1),
        (Reason.LOG_CORRUPT, 1),
        (Reason.REGISTER_FINDINGS, 1),
        (Reason.MANIFEST_INVALID, 1),
        (Reason.TOKEN_EXPIRED, 2),
        (Reason.SERVICE_UNAVAILABLE, 2),
        (Reason.CONFIG_INVALID, 2),
    ],
)
def test_status_tells_no_from_not_possible(reason: Reason, status: int) -> None:
    assert status_of(error(reason)) == status


def test_help_waits_for_nothing_heavy() -> None:
    """`emanet --help` and lint import neither gRPC nor cryptography nor rich."""
    program = (
        "import sys; from emanet.cli.main import main; main(['--help']); "
        "heavy = {'grpc', 'cryptography', 'rich', 'yaml', 'joserfc', 'google.protobuf'}; "
        "sys.exit(' '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_without_the_extra_the_command_says_what_to_install() -> None:
    """The wheel's base brings the command's name; whoever types it reads one line, no traceback."""
    program = (
        "import sys; sys.modules['typer'] = None; "
        "from emanet.cli.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == '  → python -m pip install "emanet[cli]"'
    assert "Traceback" not in done.stderr


def test_an_unforeseen_error_tells_its_place_and_no_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """P7: what somebody else's exception says may hold a value."""
    with pytest.raises(ValueError, match="invalid literal") as unforeseen:
        int("ayse@example.com")
    assert report_unexpected(unforeseen.value, lang=Lang.EN, as_json=False) == 2
    told = capsys.readouterr().err
    assert "ValueError in " in told
    assert "test_cli_usage.py:" in told
    assert "ayse" not in told


def test_a_sheet_on_standard_output_leaves_no_room_for_json(emanet: CommandLine) -> None:
    """With --json the answer is one JSON document, here the error."""
    answer = emanet("inventory", "export", "--output", "-", "--json")
    assert (answer.status, answer.json["error"]["reason"]) == (2, "TWO_ANSWERS")


@pytest.mark.parametrize(
    ("environ", "arguments", "told"),
    [
        ({}, ("--app", "nosuch"), "no certificate for application nosuch"),
        ({"EMANET_ENDPOINTS": __file__}, (), "is not an endpoints file"),
    ],
)
def test_what_is_missing_on_this_side_is_named(
    tmp_path: Path, environ: dict[str, str], arguments: tuple[str, ...], told: str
) -> None:
    """A file of the caller's own is told by its path, and never as if it were the server's."""
    endpoints = tmp_path / "endpoints.json"
    content = {"mode": "dev", "installation": "demo", "services": {"inventory": "127.0.0.1:1"}}
    endpoints.write_text(json.dumps({**content, "certs_dir": str(tmp_path)}), encoding="utf-8")
    emanet = CommandLine({"EMANET_ENDPOINTS": str(endpoints), **environ})
    answer = emanet("inventory", "submit", "--organization", "degirmen", *arguments)
    assert answer.status == 2
    assert told in answer.err
