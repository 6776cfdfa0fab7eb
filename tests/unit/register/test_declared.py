from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emanet.register.declared import (
    declared_fields,
    match_pattern,
    purposes_of,
    rows_for,
    subject_groups,
)
from emanet.register.values import Activity, Declaration, Field, Organization, Register

REGISTER = Register(
    organization=Organization(id="ornek", tr="Örnek"),
    fields={name: Field(type="ad_soyad") for name in ("uye.ad", "uye.adres", "uyelik", "not")},
    activities={
        "is": Activity(
            tr="İş",
            rows=(
                Declaration(fields=("uye.ad", "uyelik"), purposes=("destek",)),
                Declaration(
                    fields=("uye.ad", "uye.adres", "uye.yok"), purposes=("fatura", "destek")
                ),
                Declaration(fields=("not",)),
            ),
        )
    },
)


def test_rows_name_their_place() -> None:
    """A row is named by activity and place, from 0; only rows with that purpose count."""
    assert [ref.path for ref in rows_for(REGISTER, field="uye.ad", purpose="destek")] == [
        "activities/is/rows/0",
        "activities/is/rows/1",
    ]
    assert [ref.index for ref in rows_for(REGISTER, field="uye.ad", purpose="fatura")] == [1]
    assert rows_for(REGISTER, field="uye.ad", purpose="") == ()


def test_unknown_fields_are_declared_for_nothing() -> None:
    """A row that names a field the register does not know gives no right to read it."""
    assert rows_for(REGISTER, field="uye.yok", purpose="fatura") == ()
    assert purposes_of(REGISTER, "uye.yok") == frozenset()
    assert declared_fields(REGISTER, "fatura") == {"uye.ad", "uye.adres"}


def test_a_pattern_means_the_declared_fields_that_match() -> None:
    """A star never widens the register, and the dot belongs to the pattern."""
    assert match_pattern(REGISTER, pattern="uye.*", purpose="fatura") == {"uye.ad", "uye.adres"}
    assert match_pattern(REGISTER, pattern="uye.*", purpose="destek") == {"uye.ad", "uye.adres"}
    assert match_pattern(REGISTER, pattern="*", purpose="destek") == {
        "uye.ad",
        "uye.adres",
        "uyelik",
    }
    assert match_pattern(REGISTER, pattern="uyelik", purpose="destek") == {"uyelik"}
    assert match_pattern(REGISTER, pattern="uyelik", purpose="fatura") == frozenset()
    assert match_pattern(REGISTER, pattern="uye", purpose="destek") == frozenset()
    assert match_pattern(REGISTER, pattern="not", purpose="destek") == frozenset()


def test_subject_groups_are_those_of_all_rows() -> None:
    """A row's own groups stand in for its activity's."""
    rows = (Declaration(fields=("a",)), Declaration(fields=("a", "b"), subjects=("calisan",)))
    register = Register(
        organization=Organization(id="ornek", tr="Örnek"),
        activities={"is": Activity(tr="İş", subjects=("ziyaretci",), rows=rows)},
    )
    assert subject_groups(register, "a") == {"ziyaretci", "calisan"}
    assert subject_groups(register, "b") == {"calisan"}
    assert subject_groups(register, "c") == frozenset()


def some_of(*words: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(words), max_size=3, unique=True).map(tuple)


rows = st.builds(Declaration, fields=some_of("a", "b", "c"), purposes=some_of("p", "q"))


@given(some_of("a", "b", "c", "d"), st.lists(st.lists(rows, max_size=3), max_size=3))
def test_every_view_tells_the_same(known: tuple[str, ...], drawn: list[list[Declaration]]) -> None:
    """Property: field declared for purpose <=> a row says so <=> the purpose is among the field's."""
    register = Register(
        organization=Organization(id="ornek", tr="Örnek"),
        fields={name: Field(type="ad_soyad") for name in known},
        activities={f"a{n}": Activity(tr="A", rows=tuple(part)) for n, part in enumerate(drawn)},
    )
    for purpose in ("p", "q"):
        declared = declared_fields(register, purpose)
        assert declared == match_pattern(register, pattern="*", purpose=purpose)
        for name in register.fields:
            has_row = bool(rows_for(register, field=name, purpose=purpose))
            assert has_row == (name in declared) == (purpose in purposes_of(register, name))
