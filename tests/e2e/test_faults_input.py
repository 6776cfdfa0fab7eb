"""Bad files: refused with file and line, in time, and nothing of them is applied."""

from __future__ import annotations

import time

import pytest

from emanet.core.errors import EmanetError, Reason
from emanet.register.edits import Edit
from emanet.register.values import Kind
from tests.e2e.acting import admin, refused, rules_text
from tests.e2e.installation import Local

BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
)
GOOD = rules_text()
BAD: dict[str, tuple[str, int]] = {
    "unknown key": (GOOD.replace("mode: enforce", "mode: enforce\nmod: enforce", 1), 4),
    "duplicate key": (GOOD.replace("mode: enforce", "mode: enforce\nmode: alert", 1), 4),
    "duplicate rule id": (GOOD.replace("{id: A11,", "{id: A10,", 1), 0),
    "anchor bomb": (GOOD + BOMB, 0),
    "cycle": (GOOD.replace("mode: enforce", "mode: &m [*m]", 1), 3),
    "alias": (GOOD.replace("mode: enforce", "mode: &m enforce\nx: *m", 1), 3),
    "tab": (GOOD.replace("  support:", "\tsupport:", 1), 5),
    "not closed": (GOOD.replace("mode: enforce", "mode: {enforce", 1), 3),
    "two documents": (GOOD + "---\n" + GOOD, 0),
    "tag": (GOOD.replace("mode: enforce", "mode: !!python/object:os.system enforce", 1), 3),
    "norwegian": (GOOD.replace("mode: enforce", "mode: no", 1), 3),
    "deep": (GOOD.replace("mode: enforce", "mode: " + "[" * 500 + "]" * 500, 1), 3),
    "not yet supported": (
        GOOD.replace("when: {own_record: yes}, except: [A60]", "when: {relative: yes}", 1),
        0,
    ),
    "of another organization": (GOOD.replace("organization: menekse", "organization: defne", 1), 0),
    "undeclared field": (
        GOOD.replace("of: [customer.email, customer.phone", "of: [customer.shoe", 1),
        0,
    ),
    "failing example": (GOOD.replace("says: CASE_REQUIRED", "says: DENY_RULE", 1), 0),
    "empty": (" \n", 0),
}


@pytest.mark.parametrize("what", sorted(BAD))
def test_bad_rules_are_refused_with_their_line_and_leave_nothing(shared: Local, what: str) -> None:
    """The error names the line, comes at once, and the list of rule sets is as before."""
    source, line = BAD[what]
    security = admin(shared, "s-103", "guvenlik").rules
    before = [(each.name, each.state, each.digest) for each in security.list_all()]
    begun = time.monotonic()
    with refused(
        Reason.MANIFEST_INVALID, Reason.RULES_FINDINGS, Reason.REQUIRED_FIELD_MISSING
    ) as told:
        security.apply(source)
    assert time.monotonic() - begun < 5
    if line:
        assert told.value.metadata["source"] == "need_to_know.yaml"
        assert int(told.value.metadata["line"]) in {line, line + 1}
    elif told.value.reason is Reason.MANIFEST_INVALID:
        assert int(told.value.metadata["line"]) > 0
    else:
        assert told.value.violations
    assert [(each.name, each.state, each.digest) for each in security.list_all()] == before


def test_edits_are_applied_all_or_none(shared: Local) -> None:
    """One bad edit among good ones leaves the draft, and its etag, as they were."""
    dpo = admin(shared, "s-101", "kvkk").inventory
    draft = dpo.draft()
    good = Edit(Kind.NAMESPACE, "partners", {"tr": "İş ortağı no"})
    for bad in (
        Edit(Kind.FIELD, "customer.shoe", {"type": "ad_soyad", "lewel": "none"}),
        Edit(Kind.FIELD, "customer.gone", None),
        Edit(Kind.PURPOSE, "Bad Slug", {"tr": "x", "verbis": "sozlesme"}),
    ):
        with pytest.raises(EmanetError) as told:
            dpo.edit_draft([good, bad], etag=draft.etag)
        assert told.value.reason in {Reason.EDIT_INVALID, Reason.INVALID_FIELD}
        assert dpo.draft().etag == draft.etag
        assert dpo.draft().register == draft.register
    with refused(Reason.ETAG_MISMATCH):
        dpo.edit_draft([good], etag="another")
