from __future__ import annotations

import pytest
from hypothesis import given
from register_strategies import registers, whole_registers

from emanet.core.errors import CallerError, Reason
from emanet.register.edits import MAX_VALUE_BYTES, Edit, apply_edits, parse_edit, plan
from emanet.register.values import Field, Kind, Level, Organization, Register

EMPTY = Register(organization=Organization(id="ornek", tr="Örnek"))


def problem_of(*edits: Edit) -> dict[str, str]:
    with pytest.raises(CallerError) as caught:
        apply_edits(EMPTY, edits)
    assert caught.value.reason is Reason.EDIT_INVALID
    return dict(caught.value.metadata)


@whole_registers
@given(registers(), registers())
def test_plan_turns_one_register_into_the_other(old: Register, new: Register) -> None:
    """Property: apply_edits(a, plan(a, b)) == b, also after the edits crossed the wire."""
    edits = plan(old, new)
    sent = [parse_edit(edit.kind, edit.slug, put=edit.put) for edit in edits]
    assert apply_edits(old, sent) == new
    assert len({(edit.kind, edit.slug) for edit in edits}) == len(edits)


@whole_registers
@given(registers())
def test_plan_between_equals_is_empty(register: Register) -> None:
    """Property: nothing to do means no edits."""
    assert plan(register, register) == ()
    assert apply_edits(register, ()) == register


def test_edits_apply_in_order() -> None:
    """A later edit of the same entity wins."""
    edits = [
        Edit(Kind.FIELD, "a", {"type": "tckn"}),
        Edit(Kind.FIELD, "a", None),
        Edit(Kind.FIELD, "a", {"type": "e_posta", "level": "none"}),
        Edit(Kind.MEASURE, "sifreleme", {}),
    ]
    result = apply_edits(EMPTY, edits)
    assert result.fields == {"a": Field(type="e_posta", level=Level.NONE)}
    assert result.measures == ("sifreleme",)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (Edit(Kind.FIELD, "a", None), "does not exist"),
        (Edit(Kind.FIELD, "a", {"type": "tckn", "levl": "none"}), "fields/a/levl"),
        (Edit(Kind.FIELD, "A", {"type": "tckn"}), "not a name"),
        (Edit(Kind.SYSTEM, "emanet", {"tr": "X"}), "built in"),
        (Edit(Kind.REGISTRY, "main", {"duty": "exempt"}), "'registry'"),
        (Edit(Kind.ORGANIZATION, "organization", None), "cannot be removed"),
        (Edit(Kind.ORGANIZATION, "organization", {"id": "baska", "tr": "X"}), "cannot change"),
        (Edit(Kind.MEASURE, "sifreleme", {"tr": "X"}), "no members"),
        (Edit(Kind.MEASURE, "sifrelme", {}), "'sifreleme'"),
    ],
)
def test_unfit_edits_are_refused_by_index(edit: Edit, says: str) -> None:
    """One wrong edit refuses all, and the message names it."""
    found = problem_of(Edit(Kind.NOTICE, "ana", {"version": 1}), edit)
    assert (found["index"], found["kind"], found["slug"]) == ("1", edit.kind.value, edit.slug)
    assert says in found["problem"]


def test_edits_between_organizations_are_refused() -> None:
    """A plan never carries one organization's register into another's."""
    other = Register(organization=Organization(id="baska", tr="Başka"))
    with pytest.raises(CallerError, match="EDIT_INVALID"):
        plan(EMPTY, other)


@pytest.mark.parametrize(
    "put", [b"", b"[]", b'{"a": 1}', b'{"b":1,"a":1}', b"{" + b" " * MAX_VALUE_BYTES]
)
def test_wire_values_are_canonical_objects(put: bytes) -> None:
    """Bytes that are no canonical JSON object never become an edit."""
    with pytest.raises(CallerError, match="EDIT_INVALID"):
        parse_edit(Kind.FIELD, "a", put=put)
