"""The life of rule sets: applied by one person, activated by another, bound by a leaf."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from emanet.api.access_audit.v1 import resources_pb2, rules_pb2
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import RulesLeaf
from services.runtime.request import bound_request
from tests.fakes.access_audit_world import (
    APPROVER,
    PARENT,
    SECURITY,
    AuditReplica,
    AuditWorld,
    manifest,
    person,
    rules,
)

APPLIED = resources_pb2.RULE_SET_STATE_APPLIED
ACTIVE = resources_pb2.RULE_SET_STATE_ACTIVE
SUPERSEDED = resources_pb2.RULE_SET_STATE_SUPERSEDED


@pytest.fixture
async def audit(database_url: str, tmp_path: Path) -> AsyncIterator[AuditReplica]:
    world = AuditWorld(database_url, tmp_path)
    await world.set_up()
    async with world.replica() as replica:
        await replica.accept()
        yield replica


async def _refusal(call) -> EmanetError:
    with pytest.raises(EmanetError) as refused:
        await call
    return refused.value


async def _listed(audit: AuditReplica, **fields: object) -> rules_pb2.ListRuleSetsResponse:
    message = rules_pb2.ListRuleSetsRequest(parent=PARENT, **fields)
    return await audit.operations.rule_sets.list(audit.request("cli", SECURITY), message)


async def test_two_persons_put_a_rule_set_in_force(audit: AuditReplica) -> None:
    """The leaf binds number, digest and both persons' tokens."""
    applied = await audit.apply()
    assert (applied.number, applied.state, applied.source) == (1, APPLIED, rules())
    assert applied.digest == hashlib.sha256(rules().encode()).digest()
    answer = await audit.activate(applied)
    assert answer.rule_set.state == ACTIVE
    leaf = audit.leaves()[answer.receipt.index]
    assert isinstance(leaf, RulesLeaf)
    assert (leaf.number, leaf.digest) == (1, applied.digest)
    assert len(set(leaf.by)) == 2
    assert "s-00" not in "".join(leaf.by)


async def test_the_same_person_cannot_do_both(audit: AuditReplica) -> None:
    """Whatever account or duty they come with; the database refuses it too."""
    applied = await audit.apply()
    refused = await _refusal(audit.activate(applied, staff=person("s-001", "yonetim")))
    assert refused.reason is Reason.SECOND_PERSON_REQUIRED
    with pytest.raises(DBAPIError):
        audit.core.host.database.write_now(
            lambda c: c.execute(
                text(
                    "UPDATE rule_sets SET activated_by = 's-001', activate_time = 1, idx = 1 "
                    "WHERE number = 1"
                )
            )
        )


async def test_what_was_applied_cannot_be_changed_in_place(audit: AuditReplica) -> None:
    """Neither before nor after the activation."""
    await audit.activate(await audit.apply())
    for column in ("source = 'x'", "activated_by = 's-045'", "applied_by = 's-045'"):
        with pytest.raises(DBAPIError):
            audit.core.host.database.write_now(
                lambda c, c2=column: c.execute(text(f"UPDATE rule_sets SET {c2}"))
            )


async def test_activation_names_what_was_read(audit: AuditReplica) -> None:
    """Another digest, an unknown number, a set that is active already."""
    applied = await audit.apply()
    other = await _refusal(audit.activate(applied, digest=b"\0" * 32))
    assert other.reason is Reason.DIGEST_MISMATCH
    await audit.activate(applied)
    assert (await _refusal(audit.activate(applied))).reason is Reason.VERSION_STATE
    applied.name = f"{PARENT}/ruleSets/9"
    assert (await _refusal(audit.activate(applied))).reason is Reason.RESOURCE_NOT_FOUND


async def test_an_older_set_never_comes_back(audit: AuditReplica) -> None:
    """Activation goes forward: an applied set below the active one is superseded."""
    first = await audit.apply()
    second = await audit.apply(rules().replace("3/day", "5/day"))
    await audit.activate(second)
    assert (await _refusal(audit.activate(first))).reason is Reason.VERSION_STATE


async def test_repeats_give_the_first_answer(audit: AuditReplica) -> None:
    """Apply and activate are idempotent by request id; other content is refused."""
    request = rules_pb2.ApplyRuleSetRequest(
        parent=PARENT, source=rules(), request_id=audit.new_id()
    )
    caller = audit.request("cli", SECURITY)
    with bound_request(caller):
        one = await audit.operations.rule_sets.apply(caller, request)
        two = await audit.operations.rule_sets.apply(caller, request)
        assert one == two
        request.source = rules().replace("3/day", "4/day")
        refused = await _refusal(audit.operations.rule_sets.apply(caller, request))
    assert refused.reason is Reason.REQUEST_ID_REUSED
    request_id = audit.new_id()
    first = await audit.activate(one.rule_set, request_id=request_id)
    again = await audit.activate(one.rule_set, request_id=request_id)
    assert first.receipt.index == again.receipt.index
    assert first.rule_set == again.rule_set


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("roles:", "roles: &a"), Reason.MANIFEST_INVALID),
        (("when: {case: open}}", "when: {case: open, searches: 60/h}}"), Reason.MANIFEST_INVALID),
        (("of: [customer.email, customer.phone]", "of: [login.ip]"), Reason.RULES_FINDINGS),
        (("then: deny, says: CASE_REQUIRED", "then: allow"), Reason.MANIFEST_INVALID),
        (("organization: cinar", "organization: mese"), Reason.RULES_FINDINGS),
    ],
    ids=["anchor", "not supported yet", "wider than the register", "example fails", "another's"],
)
async def test_a_rule_set_with_errors_is_not_kept(
    audit: AuditReplica, change: tuple[str, str], reason: Reason
) -> None:
    """Lint and the file's own examples come first; nothing is half-applied."""
    changed = rules().replace(*change, 1)
    assert changed != rules()
    refused = await _refusal(audit.apply(changed))
    assert refused.reason is reason
    if reason is Reason.MANIFEST_INVALID:
        assert refused.metadata["line"].isdecimal()
    assert not (await _listed(audit)).rule_sets


async def test_a_trial_keeps_nothing(audit: AuditReplica) -> None:
    """`validate_only` lints and runs the examples."""
    shown = await audit.apply(validate_only=True)
    assert shown.number == 1
    assert not (await _listed(audit)).rule_sets


async def test_a_register_that_moved_on_is_linted_again(audit: AuditReplica) -> None:
    """What was fine when it was applied is refused when the register no longer declares it."""
    applied = await audit.apply()
    narrower = manifest().replace(
        "[customer.name, customer.email, customer.phone], purposes: [support, service]",
        "[customer.name], purposes: [support, service]",
    )
    await audit.accept(narrower)
    assert (await _refusal(audit.activate(applied))).reason is Reason.RULES_FINDINGS


async def test_rules_wait_for_a_register(database_url: str, tmp_path: Path) -> None:
    """They can only narrow one."""
    world = AuditWorld(database_url, tmp_path)
    await world.set_up()
    async with world.replica() as audit:
        assert (await _refusal(audit.apply())).reason is Reason.REGISTER_MISSING


async def test_lists_are_paged_newest_first(audit: AuditReplica) -> None:
    """The union of the pages is the whole, without sources, and each set in its state."""
    for n in (4, 5, 6):
        await audit.apply(rules().replace("3/day", f"{n}/day"))
    for number in (1, 2):
        listed = await _listed(audit)
        chosen = next(each for each in listed.rule_sets if each.number == number)
        await audit.activate(chosen, staff=APPROVER)
    first = await _listed(audit, page_size=2)
    second = await _listed(audit, page_size=2, page_token=first.next_page_token)
    shown = [*first.rule_sets, *second.rule_sets]
    assert [(each.number, each.state) for each in shown] == [
        (3, APPLIED),
        (2, ACTIVE),
        (1, SUPERSEDED),
    ]
    assert not any(each.source for each in shown)
    assert second.next_page_token == ""
    forged = first.next_page_token[:-2] + "AA"
    assert (await _refusal(_listed(audit, page_token=forged))).reason is Reason.INVALID_PAGE_TOKEN
