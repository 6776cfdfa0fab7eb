"""The five example registers: as published they have faults, repaired they can be approved."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from emanet.core.names import parse_organization
from emanet.register.lint import Severity, lint
from emanet.register.manifest import Manifest, load_manifest
from emanet.register.retention import class_of
from emanet.register.values import Level

ORGANIZATIONS = Path(__file__).parents[3] / "examples" / "organizations"
TODAY = date(2026, 11, 21)
IDS = {
    "registrar": "yakamoz",
    "hosting": "cinaralti",
    "web-agency": "degirmen",
    "bulk-messaging": "sariserce",
    "chat-bot": "papagan",
}
CLAIMS = {"registrar": 14, "web-agency": 7, "bulk-messaging": 5, "hosting": 8, "chat-bot": 10}
# What each text leaves open, by the rule that finds it.
FOUND = {
    "registrar": {"INV001", "INV003", "INV005", "INV055", "INV057", "INV036"},
    "hosting": {"INV001", "INV002", "INV004", "INV013", "INV036"},
    "web-agency": {"INV001", "INV002", "INV005", "INV031", "INV049", "INV065"},
    "bulk-messaging": {"INV003", "INV009", "INV010", "INV011", "INV012", "INV015"},
    "chat-bot": {"INV001", "INV002", "INV005", "INV041", "INV049", "INV066"},
}
NEEDED = {"order", "ticket", "invoice_run", "legal_order", "incident", "review"}

pytestmark = pytest.mark.parametrize("name", IDS)


def load(name: str, file: str) -> Manifest:
    return load_manifest((ORGANIZATIONS / name / file).read_text("utf-8"), f"{name}/{file}")


def severities(manifest: Manifest) -> list[Severity]:
    found = lint(manifest.register, today=TODAY, marks=manifest.marks)
    return [finding.severity for finding in found]


def test_published_policy_has_errors_and_warnings(name: str) -> None:
    """What the text leaves open is found, and among it what it is known for."""
    manifest = load(name, "published.register.yaml")
    found = lint(manifest.register, today=TODAY, marks=manifest.marks)
    assert FOUND[name] <= {finding.rule for finding in found}
    assert {finding.severity for finding in found} == {Severity.ERROR, Severity.WARNING}


def test_what_a_claim_says_was_found_is_found(name: str) -> None:
    """`stands: refused INV003` is true of the published text, as an error; `warning` as one."""
    published = load(name, "published.register.yaml").register
    found = {each.rule: each.severity for each in lint(published, today=TODAY)}
    for claim in load(name, "register.yaml").register.claims.values():
        for kind, rules in re.findall(
            r"(refused|warnings?) (INV[0-9]+(?: and INV[0-9]+)*)", claim.stands or ""
        ):
            severity = Severity.ERROR if kind == "refused" else Severity.WARNING
            assert {found.get(rule) for rule in rules.split(" and ")} == {severity}, claim.stands


def test_repaired_register_has_no_error(name: str) -> None:
    """The repaired register can be submitted; what warns is only what could not be verified."""
    manifest = load(name, "register.yaml")
    assert Severity.ERROR not in severities(manifest)
    assert len(severities(manifest)) <= 6


def test_ids_and_claims_stand_in_both(name: str) -> None:
    """Both files are of one organization and carry the same promises of its policy."""
    published, repaired = load(name, "published.register.yaml"), load(name, "register.yaml")
    assert published.register.organization.id == repaired.register.organization.id == IDS[name]
    parse_organization(IDS[name])
    assert published.register.claims.keys() == repaired.register.claims.keys()
    assert len(repaired.register.claims) == CLAIMS[name]


def test_every_encrypted_field_can_be_encrypted(name: str) -> None:
    """Each has a retention class, a place and groups of data subjects."""
    register = load(name, "register.yaml").register
    encrypted = [slug for slug, field in register.fields.items() if field.level is Level.ENCRYPTED]
    assert encrypted
    for slug in encrypted:
        assert class_of(register, slug)
        assert register.fields[slug].locations
        assert all(register.subjects_of(ref) for ref in register.rows_by_field[slug])


def test_reads_bring_cases_of_every_needed_kind(name: str) -> None:
    """Order, ticket, invoice run, legal order, incident and review: rules can be written."""
    purposes = load(name, "register.yaml").register.purposes.values()
    assert {purpose.read_needs for purpose in purposes} >= NEEDED
