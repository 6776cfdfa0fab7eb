"""Five inventories: the published policy read and linted, the repaired register approved by two."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from emanet.core.names import parse_organization
from emanet.register.edits import plan
from emanet.register.findings import Finding, Severity, count_findings
from emanet.register.lint import lint
from emanet.register.period import ISTANBUL
from emanet.register.values import Duty, Level
from emanet.register.verbis import verbis_view
from examples.demo.houses import ADMINISTRATORS, HOUSES, House, UnexpectedError
from examples.demo.installation import Installation, wait_for

__all__ = ["InventoryResult", "bring_in"]

_EDITS_AT_ONCE = 1000
# Unlimited retention, sealed yet readable, one consent for many purposes, abroad without ground.
_TELLING = ("INV004", "INV041", "INV012", "INV057", "INV005")


@dataclass(frozen=True, slots=True)
class InventoryResult:
    """What came of one inventory.

    Attributes:
        folder, organization: which.
        fields, rows: of the repaired register; `encrypted` of its fields.
        published_errors, published_warnings: findings of the policy as published.
        repaired_errors, repaired_warnings: findings of the repaired register.
        author, approver: person ids of the approved version.
        categories: of the VERBİS sheet; 0 for an exempt organization.
        exempt: the ground of an exemption, else empty.
        example: one finding of the published policy, as a dict of texts.
    """

    folder: str
    organization: str
    fields: int
    rows: int
    encrypted: int
    published_errors: int
    published_warnings: int
    repaired_errors: int
    repaired_warnings: int
    author: str
    approver: str
    number: int
    categories: int
    exempt: str
    example: dict[str, str]


def bring_in(installation: Installation) -> list[InventoryResult]:
    """Brings all five in, side by side, and waits until every service works with them."""
    with ThreadPoolExecutor(len(HOUSES)) as pool:
        return list(pool.map(lambda house: _bring_in(installation, house), HOUSES))


def _bring_in(installation: Installation, house: House) -> InventoryResult:
    today = dt.datetime.now(ISTANBUL).date()
    published = lint(house.published.register, today=today, marks=house.published.marks)
    repaired = lint(house.register, today=today, marks=house.repaired.marks)
    errors, warnings = count_findings(published)
    left, hints = count_findings(repaired)
    if not errors or left:
        raise UnexpectedError(f"{house.folder}: {errors} errors as published, {left} repaired")
    number = _approve_register(installation, house)
    _activate_rules(installation, house, number)
    version = _version_in_effect(installation, house, number)
    view = verbis_view(house.register)
    is_exempt = house.register.registry is not None and house.register.registry.duty is Duty.EXEMPT
    return InventoryResult(
        folder=house.folder,
        organization=parse_organization(house.id),
        fields=len(house.register.fields),
        rows=len(house.register.rows),
        encrypted=sum(f.level is Level.ENCRYPTED for f in house.register.fields.values()),
        published_errors=errors,
        published_warnings=warnings,
        repaired_errors=left,
        repaired_warnings=hints,
        author=version[0],
        approver=version[1],
        number=number,
        categories=0 if is_exempt else len(view.categories),
        exempt=(view.controller.ground or "") if is_exempt else "",
        example=_example(published),
    )


def _approve_register(installation: Installation, house: House) -> int:
    with installation.admin(house, "dpo") as author:
        draft = author.inventory.draft()
        edits = iter(plan(draft.register, house.register))
        while batch := tuple(islice(edits, _EDITS_AT_ONCE)):
            draft = author.inventory.edit_draft(batch, etag=draft.etag)
        submitted = author.inventory.submit(etag=draft.etag)
    with installation.admin(house, "approver") as approver:
        read = approver.inventory.version(submitted.number, digest_of=submitted.digest)
        if read.snapshot.register != house.register:
            raise UnexpectedError(f"{house.folder}: the submitted register is another one")
        approver.inventory.approve(submitted.number, digest_read=read.digest)
    return int(submitted.number)


def _activate_rules(installation: Installation, house: House, number: int) -> None:
    with installation.admin(house, "security") as security:
        wait_for(
            f"{house.folder}: access_audit has the register",
            lambda: security.audit.service_info().register_number == number,
        )
        applied = security.rules.apply(house.rules)
        wait_for(
            f"{house.folder}: crypto has the register",
            lambda: security.keys.service_info().register_number == number,
        )
    with installation.admin(house, "approver") as approver:
        read = approver.rules.get(applied.number)
        approver.rules.activate(applied.number, digest_read=read.digest)


def _version_in_effect(installation: Installation, house: House, number: int) -> tuple[str, str]:
    with installation.admin(house, "auditor") as auditor:
        version = auditor.inventory.version(number).version
    persons = (version.author, version.approver)
    if persons != (ADMINISTRATORS["dpo"].id, ADMINISTRATORS["approver"].id):
        raise UnexpectedError(f"{house.folder}: approved by {persons}")
    return persons


def _example(findings: tuple[Finding, ...]) -> dict[str, str]:
    """The finding to show: the most telling rule that struck, at its first place."""
    errors = [each for each in findings if each.severity is Severity.ERROR]
    told = [each for rule in _TELLING for each in errors if each.rule == rule]
    found = (told or errors)[0]
    return {
        "rule": found.rule,
        "severity": found.severity.value,
        "place": found.place,
        "article": found.article,
        "tr": found.tr,
        "en": found.en,
    }
