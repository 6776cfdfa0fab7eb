"""principals.yaml: closed schema, errors with their line, the last good one stays in force."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from emanet.core.errors import EmanetError, Reason
from services.runtime.authorisation import Duty
from services.runtime.principals import PrincipalsFile, load_principals
from services.runtime.settings import Mode
from tests.fakes.small_service import PRINCIPALS
from tests.fakes.staff_tokens import ISSUER, shared_issuer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    shared_issuer().write_jwks(tmp_path / "jwks.json")
    found = tmp_path / "principals.yaml"
    found.write_text(PRINCIPALS, "utf-8")
    return found


def failure(path: Path, text: str, *, mode: Mode = Mode.DEV) -> EmanetError:
    path.write_text(text, "utf-8")
    with pytest.raises(EmanetError) as raised:
        load_principals(path, mode=mode, generation=1)
    return raised.value


def test_file_is_read_as_it_stands(path: Path) -> None:
    principals, watched = load_principals(path, mode=Mode.DEV, generation=3)
    assert principals.application("panel").token_client == "panel"
    assert principals.application("robot").organizations == {"cinar"}
    assert principals.person_id(ISSUER, "b2") == principals.person_id(ISSUER, "b1") == "s-002"
    groups = frozenset({"kvkk", "destek"})
    assert principals.duties_of(groups, organization="cinar") == {Duty.DPO}
    assert principals.duties_of(groups, organization="mese") == frozenset()
    assert principals.generation == 3
    assert watched == (path, path.with_name("jwks.json"))


def test_example_of_the_documentation_is_accepted(path: Path) -> None:
    text = PRINCIPALS.replace("trust_domain: dev.emanet.invalid", "trust_domain: cinar.example")
    path.write_text(text.replace("login.dev.emanet.invalid", "login.cinar.example"), "utf-8")
    principals, _ = load_principals(path, mode=Mode.PRODUCTION, generation=1)
    assert principals.trust_domain == "cinar.example"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("principals/v1", "principals/v2", 1),
        ("trust_domain: dev.emanet.invalid", "trust_domain: spiffe://x", 2),
        ("systems: [panel]", "system: [panel]", 6),
        ("systems: [panel]", "systems: [Panel]", 6),
        ("systems: [panel]", "may_assert: [anybody]", 6),
        ("  robot:", "  Robot:", 8),
        ('sub: "b1"', 'sub: "a1"', 11),
        ('sub: "a1"', "sub: ", 10),
        ('"group:kvkk"', '"kvkk"', 13),
        ("dpo:", "king:", 13),
        ("persons: []}", "people: []}", 14),
    ],
)
def test_error_names_file_and_line(path: Path, old: str, new: str, line: int) -> None:
    found = failure(path, PRINCIPALS.replace(old, new, 1))
    assert found.reason is Reason.MANIFEST_INVALID
    assert (found.metadata["source"], found.metadata["line"]) == ("principals.yaml", str(line))


def test_case_kind_has_one_owner(path: Path) -> None:
    text = PRINCIPALS.replace("helpdesk}", "helpdesk, owns_cases: [ticket]}").replace(
        "robot: {organizations: [cinar]}", "robot: {organizations: [cinar], owns_cases: [ticket]}"
    )
    assert failure(path, text).reason is Reason.MANIFEST_INVALID


@pytest.mark.parametrize("text", ["", "a: &x [*x]", "emanet: principals/v1\nemanet: x", "- a"])
def test_strange_yaml_is_refused(path: Path, text: str) -> None:
    assert failure(path, text).reason is Reason.MANIFEST_INVALID


def test_trust_domains_of_dev_and_production_never_mix(path: Path) -> None:
    without_issuer = "\n".join(PRINCIPALS.splitlines()[:2]) + "\napplications: {}\n"
    dev = failure(path, without_issuer, mode=Mode.PRODUCTION)
    other = PRINCIPALS.replace("trust_domain: dev.emanet.invalid", "trust_domain: cinar.example")
    issuer = failure(path, other, mode=Mode.PRODUCTION)
    production = failure(path, other, mode=Mode.DEV)
    assert {dev.reason, issuer.reason, production.reason} == {Reason.CONFIG_INVALID}


@pytest.mark.parametrize(
    "keys",
    [
        lambda: [OctKey.generate_key(256).as_dict(private=True)],
        lambda: [ECKey.generate_key("P-256").as_dict(private=True)],
        lambda: [ECKey.generate_key("P-384").as_dict(private=False)],
        lambda: [RSAKey.generate_key(1024).as_dict(private=False)],
        list,
        lambda: None,
    ],
    ids=["symmetric", "private", "other curve", "short RSA", "empty", "null"],
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_unsuitable_key_is_refused(path: Path, keys: Callable[[], object]) -> None:
    path.with_name("jwks.json").write_text(json.dumps({"keys": keys()}))
    assert failure(path, PRINCIPALS).reason is Reason.CONFIG_INVALID


def test_missing_files_are_configuration(path: Path) -> None:
    path.with_name("jwks.json").unlink()
    assert failure(path, PRINCIPALS).reason is Reason.CONFIG_INVALID
    path.unlink()
    with pytest.raises(EmanetError) as raised:
        PrincipalsFile(path, mode=Mode.DEV)
    assert raised.value.reason is Reason.CONFIG_INVALID


def test_change_holds_after_a_second_and_a_broken_file_does_not(path: Path) -> None:
    """The last good file stays in force while the one on disk is broken."""
    seconds = [0.0]
    file = PrincipalsFile(path, mode=Mode.DEV, monotonic=lambda: seconds[0])
    path.write_text(PRINCIPALS.replace("persons: []}", "persons: [s-001]}"), "utf-8")
    assert file.current().revoked.persons == frozenset()
    seconds[0] += 1.0
    assert file.current().revoked.persons == {"s-001"}
    generation = file.current().generation

    path.write_text("emanet: principals/v1\ntrust_domain:", "utf-8")
    seconds[0] += 1.0
    assert file.current().revoked.persons == {"s-001"}
    assert file.current().generation == generation
    assert file.problem == Reason.MANIFEST_INVALID.value

    path.write_text(PRINCIPALS, "utf-8")
    seconds[0] += 1.0
    assert file.current().revoked.persons == frozenset()
    assert file.problem == ""


def test_persons_and_accounts_are_not_in_the_repr(path: Path) -> None:
    principals, _ = load_principals(path, mode=Mode.DEV, generation=1)
    assert "s-001" not in repr(principals)
    assert "b1" not in repr(principals)
