"""What differs between two registers, and whom it concerns."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from register_strategies import registers, whole_registers

from emanet.register.diff import Act, diff, diff_verbis
from emanet.register.manifest import load_manifest
from emanet.register.values import Kind, empty_register
from emanet.register.verbis import verbis_view

CLEAN = (Path(__file__).parent / "clean.register.yaml").read_text("utf-8")


def register(*replacements: tuple[str, str]):
    text = CLEAN
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return load_manifest(text, "deneme.yaml").register


def changes(*replacements: tuple[str, str]):
    return diff(register(), register(*replacements))


@whole_registers
@given(registers(), registers())
def test_diff_is_empty_for_equal_and_reverses_acts(a, b) -> None:
    """A register does not differ from itself; what one way adds, the other way removes."""
    assert diff(a, a) == ()
    there, back = diff(a, b), diff(b, a)
    assert len(there) == len(back)
    mirrored = {Act.ADDED: Act.REMOVED, Act.REMOVED: Act.ADDED, Act.CHANGED: Act.CHANGED}
    assert sorted((each.kind, each.slug, mirrored[each.act]) for each in there) == sorted(
        (each.kind, each.slug, each.act) for each in back
    )


def test_changed_period_names_old_new_and_groups() -> None:
    """A change carries its place, both values, and the groups whose rows use it."""
    (change,) = changes(("keep: P8Y", "keep: P9Y"))
    assert change.act is Act.CHANGED
    assert change.path == "retention/contract/keep"
    assert (change.kind, change.slug) == (Kind.RETENTION_RULE, "contract")
    assert (change.old, change.new) == ("P8Y", "P9Y")
    assert change.concerns == ("bireysel_musteri", "mesaj_alicisi")


def test_added_and_removed_entities_are_whole() -> None:
    """An entity that one register lacks is one change with its whole value."""
    line = "  security: {tr: Güvenlik, verbis: bilgi_guvenligi, read_needs: incident}\n"
    (removed,) = changes((line, ""))
    assert (removed.act, removed.path, removed.new) == (Act.REMOVED, "purposes/security", None)
    assert removed.old == {"tr": "Güvenlik", "verbis": "bilgi_guvenligi", "read_needs": "incident"}
    (added,) = diff(register((line, "")), register())
    assert (added.act, added.old) == (Act.ADDED, None)


def test_row_is_found_where_it_moved() -> None:
    """Rows have no names: a row that only moved is no change, one beside it is added alone."""
    first = "      - {fields: [customer.name, customer.email], purposes: [service], basis: 5/2-c, keep: contract}\n"
    extra = "      - {fields: [customer.tckn], purposes: [service], basis: 5/2-c, keep: contract}\n"
    (change,) = changes((first, extra + first))
    assert (change.act, change.path) == (Act.ADDED, "activities/account/rows/0")
    assert change.new == {
        "fields": ["customer.tckn"],
        "purposes": ["service"],
        "basis": "5/2-c",
        "keep": "contract",
    }


def test_changed_row_is_changed_key_by_key() -> None:
    """A row with the same fields and purposes is the same row, changed."""
    (change,) = changes(("basis: 5/2-f, balance_test: MDT-1", "basis: 5/2-f, balance_test: MDT-7"))
    assert change.path == "activities/account/rows/3/balance_test"
    assert (change.old, change.new) == ("MDT-1", "MDT-7")
    assert change.concerns == ("bireysel_musteri",)


def test_measure_concerns_everybody_and_claim_nobody() -> None:
    """A measure holds for all data; a claim changes nobody's data."""
    (measure,) = changes(("measures: [sifreleme, ", "measures: ["))
    assert (measure.act, measure.path, measure.slug) == (
        Act.REMOVED,
        "measures/sifreleme",
        "sifreleme",
    )
    assert measure.concerns == ("calisan", "bireysel_musteri", "mesaj_alicisi")
    (claim,) = changes(("says: İleti reddi kolaydır", "says: İleti kolayca reddedilir"))
    assert claim.concerns == ()


def test_verbis_diff_ignores_what_verbis_is_not_told() -> None:
    """A column's name, a level or a claim is not in VERBİS; a longer period and a transfer are."""
    view = verbis_view(register())
    quiet = register(("in: panel.customers.name", "in: panel.customers.full_name"))
    assert diff_verbis(view, verbis_view(quiet)) == ()
    (longer,) = diff_verbis(
        view, verbis_view(register(("keep: P10Y, from: end", "keep: P11Y, from: end")))
    )
    assert (longer.item, longer.entry.code if longer.entry else "") == ("retention", "kimlik")
    assert "10 yıl" in longer.old
    assert "11 yıl" in longer.new
    (home,) = diff_verbis(
        view,
        verbis_view(
            register(
                ("    abroad: {country: DE", "    each_needs: x\n    abroad: {country: DE"),
                (", to: [mailer]}", "}"),
            )
        ),
    )[1:]
    assert (home.item, home.old, home.new) == ("abroad", "Evet", "Hayır")


def test_first_version_tells_verbis_everything() -> None:
    """Against an empty register every category, measure and line of the controller is new."""
    told = diff_verbis(verbis_view(empty_register("deneme")), verbis_view(register()))
    assert {change.act for change in told if change.entry is not None} == {Act.ADDED}
    assert {"category", "purposes", "subjects", "recipients", "abroad", "retention"} <= {
        change.item for change in told
    }
    assert [change.new for change in told if change.item == "measures"]
