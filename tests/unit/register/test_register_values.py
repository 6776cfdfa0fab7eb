from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from register_strategies import registers, whole_registers

from emanet.core import canonical
from emanet.core.errors import CallerError, Reason
from emanet.register.values import (
    Activity,
    Declaration,
    Field,
    Kind,
    Level,
    Organization,
    Register,
    SystemKind,
    Unresolved,
    empty_register,
    from_json,
    to_json,
)

ORGANIZATION = {"id": "ornek", "tr": "Örnek A.Ş."}


def parts_of(value: object) -> Iterator[object]:
    children = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    for child in children:
        yield child
        yield from parts_of(child)


def problem_of(document: dict[str, object]) -> tuple[str, str]:
    with pytest.raises(CallerError) as caught:
        from_json(document)
    assert caught.value.reason is Reason.INVALID_FIELD
    return caught.value.violations[0]


@whole_registers
@given(registers())
def test_json_reads_back_as_the_same_register(register: Register) -> None:
    """Property: from_json(to_json(r)) == r, through canonical bytes."""
    data = canonical.encode(to_json(register))
    assert from_json(canonical.decode_object(data)) == register


@whole_registers
@given(registers())
def test_json_has_no_empty_member_and_one_form(register: Register) -> None:
    """Property: what is absent is left out, and writing again gives the same bytes."""
    document = to_json(register)
    assert canonical.encode(to_json(from_json(document))) == canonical.encode(document)
    assert not any(part in ([], "", None) for part in parts_of(document))


def test_order_of_entities_does_not_matter() -> None:
    """Two registers with the same entities are equal and are listed in the slugs' order."""
    one, two = Field(type="tckn"), Field(type="e_posta")
    organization = Organization(id="ornek", tr="Örnek")
    first = Register(
        organization=organization, fields={"b": one, "a": two}, measures=("yedekleme", "antivirus")
    )
    second = Register(
        organization=organization, fields={"a": two, "b": one}, measures=("antivirus", "yedekleme")
    )
    assert first == second
    assert list(first.fields) == ["a", "b"]
    assert first.measures == ("antivirus", "yedekleme")


def test_sections_cannot_be_changed() -> None:
    """A register is immutable down to its mappings."""
    with pytest.raises(TypeError):
        empty_register("ornek").fields["x"] = Field(type="tckn")  # type: ignore[index]


def test_unresolved_words_are_kept_apart_from_values() -> None:
    """Words where a value belongs survive as Unresolved; a value in that shape is refused."""
    rule = {"keep": {"unresolved": "süresiz"}}
    register = from_json({"organization": ORGANIZATION, "retention": {"a": rule}})
    assert register.retention["a"].keep == Unresolved("süresiz")
    path, _ = problem_of(
        {"organization": ORGANIZATION, "retention": {"a": {"keep": {"unresolved": "P10Y"}}}}
    )
    assert path == "retention/a/keep"


@pytest.mark.parametrize(
    ("section", "value", "path", "says"),
    [
        ("fields", {"x": {"type": "tckno"}}, "fields/x/type", "tckn"),
        ("fields", {"x": {"type": "tckn", "levl": "none"}}, "fields/x/levl", "level"),
        ("fields", {"x": {"type": "tckn", "level": "encryptd"}}, "fields/x/level", "encrypted"),
        ("fields", {"X": {"type": "tckn"}}, "fields/X", "not a name"),
        ("fields", {"x": {"type": "tckn", "in": "db.a.b"}}, "fields/x/in", "list"),
        ("fields", {"x": {"level": "none"}}, "fields/x", "type"),
        ("measures", ["sifreleme", "sifreleme"], "measures/1", "twice"),
        ("retention", {"x": {"keep": "P10X"}}, "retention/x/keep", "period"),
        ("retention", {"x": {"keep": "P1.5Y"}}, "retention/x/keep", "period"),
        ("retention", {"x": {"bucket": "P2M"}}, "retention/x/bucket", "P1M"),
        ("retention", {"x": {"decided": {"by": "s", "on": "2026-02-30", "why": "w"}}}, "retention/x/decided/on", "day"),
        ("recipients", {"x": {"tr": "X", "abroad": {"country": "Almanya"}}}, "recipients/x/abroad/country", "country"),
        ("registry", {"duty": "registered", "employees": True}, "registry/employees", "number"),
        ("activities", {"x": {"tr": "X", "rows": [{"fields": []}]}}, "activities/x/rows/0/fields", "empty"),
        ("activities", {"x": {"tr": "X", "rows": [{"fields": ["a"], "basis": "5/2-z"}]}}, "activities/x/rows/0/basis", "5/2-"),
        ("systems", {"emanet": {"tr": "X"}}, "systems/emanet", "built in"),
        ("claims", {"x": {"says": "S"}}, "claims/x", "assertion"),
        ("claims", {"x": {"says": "S", "not_stored": {"of": ["kart"]}}}, "claims/x/not_stored/of/0", "kart_bilgisi"),
        ("claims", {"x": {"says": "S", "not_storred": {"of": ["all"]}}}, "claims/x/not_storred", "not_stored"),
        ("purposes", {"x": {"tr": "e\u0301"}}, "purposes/x/tr", "NFC"),
        ("purposes", {"x": {"tr": "a\u0000"}}, "purposes/x/tr", "control"),
        ("purposes", {"x": {"tr": ""}}, "purposes/x/tr", "empty"),
        ("purposes", {"x": {"tr": "a" * 2001}}, "purposes/x/tr", "longer"),
        ("files", {}, "files", "fields"),
    ],
)  # fmt: skip
def test_schema_is_closed(section: str, value: object, path: str, says: str) -> None:
    """Every unknown key, code or shape is refused with its path and a hint."""
    found_path, problem = problem_of({"organization": ORGANIZATION, section: value})
    assert found_path == path
    assert says in problem


def test_rows_are_indexed_by_field() -> None:
    """A row's path counts from 0; the index holds every row of a field, unknown fields included."""
    row = Declaration(fields=("a", "b"), purposes=("destek",))
    register = Register(
        organization=Organization(id="ornek", tr="Örnek"),
        fields={"a": Field(type="tckn", level=Level.NONE)},
        activities={"z": Activity(tr="Z", rows=(row,)), "k": Activity(tr="K", rows=(row, row))},
    )
    assert [ref.path for ref in register.rows_by_field["b"]] == [
        "activities/k/rows/0",
        "activities/k/rows/1",
        "activities/z/rows/0",
    ]
    assert register.fields_by_purpose == {"destek": frozenset({"a"})}


def test_emanet_is_a_built_in_system() -> None:
    """The log is a medium of every organization and is not part of the JSON."""
    register = empty_register("ornek")
    system = register.find_system("emanet")
    assert system is not None
    assert system.kind is SystemKind.LOG
    assert to_json(register) == {"organization": {"id": "ornek", "tr": "ornek"}}
    assert [kind for kind in Kind if kind.is_single] == [
        Kind.ORGANIZATION,
        Kind.REGISTRY,
        Kind.DESTRUCTION,
    ]
