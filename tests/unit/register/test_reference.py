from __future__ import annotations

import pytest

from emanet.register.period import Period
from emanet.register.reference import Direction, reference


def test_lists_have_the_counts_of_verbis() -> None:
    """26 categories, 52 purposes + Diğer, 13 groups, 8 recipients and 40 measures + Diğer."""
    lists = reference().lists
    counts = {name: len(lists[name]) for name in (
        "data_categories", "processing_purposes", "data_subject_groups", "recipient_groups", "measures",
    )}  # fmt: skip
    assert counts == {
        "data_categories": 26,
        "processing_purposes": 53,
        "data_subject_groups": 14,
        "recipient_groups": 9,
        "measures": 41,
    }
    assert sum(item.flag("special") for item in lists["data_categories"].values()) == 12


def test_every_item_keeps_its_status() -> None:
    """Nothing loses the mark that says how sure it is."""
    statuses = {item.status for items in reference().lists.values() for item in items.values()}
    assert statuses == {"sourced", "knowledge", "uncertain"}
    assert reference().lists["legal_bases"]["m6_3_g"].status == "knowledge"
    assert reference().retention_rules["y6563_ileti_onayi"].is_uncertain


def test_bases_are_found_by_article() -> None:
    """Lawyers write 5/2-ç; consent is the last resort and art. 6 carries special categories."""
    bases = reference().bases_by_article
    assert len(bases) == len(reference().legal_bases) == 16
    assert bases["5/2-ç"].needs == ("law_reference",)
    assert [article for article, basis in bases.items() if basis.is_consent] == ["5/1", "6/3-a"]
    assert {basis.special for article, basis in bases.items() if article.startswith("6/")} == {True}


@pytest.mark.parametrize(
    ("code", "direction", "shortest", "longest"),
    [
        ("ttk_6102", Direction.MINIMUM, Period(months=120), None),
        ("y5651_yer_saglayici_trafik", Direction.RANGE, Period(months=12), Period(months=24)),
        ("kart_verisi_saklanmaz", Direction.MAXIMUM, None, Period()),
        ("kvkk_amacla_sinirli", Direction.MAXIMUM, None, None),
        ("tbk_146", Direction.CEILING_OF_INTEREST, None, None),
        ("genel_guvenlik_logu", Direction.POLICY, None, None),
    ],
)
def test_laws_bound_by_their_direction(
    code: str, direction: Direction, shortest: Period | None, longest: Period | None
) -> None:
    """Only a minimum and a range's start are floors; only a maximum and a range's end are ceilings."""
    law = reference().retention_rules[code]
    assert (law.direction, law.shortest, law.longest) == (direction, shortest, longest)
    assert law.is_floor == (direction in {Direction.MINIMUM, Direction.RANGE})


def test_types_and_groups_resolve() -> None:
    """A type has its category; a sub-group its VERBİS group, a group itself."""
    types = reference().data_types
    assert (types["tckn"].category.tr, types["tckn"].special) == ("Kimlik", False)
    assert types["tckn"].validator == "tckn"
    assert reference().subject_group("bireysel_musteri").code == "urun_hizmet_alan"
    assert reference().subject_group("calisan").code == "calisan"
    assert reference().subject_label("bireysel_musteri").tr == "Bireysel müşteri / üye"
    with pytest.raises(KeyError):
        reference().subject_group("musteri")


def test_mechanisms_carry_their_notification() -> None:
    """KVKK 9/5: only the standard contract is notified, within five business days."""
    found = {
        code: mechanism.notify_business_days
        for code, mechanism in reference().mechanisms.items()
        if mechanism.notify_business_days is not None
    }
    assert found == {"standart_sozlesme": 5}
    assert reference().mechanisms["taahhutname"].board_permission


@pytest.mark.parametrize(
    ("name", "label", "code"),
    [
        ("data_categories", "FİZİKSEL MEKÂN GÜVENLİĞİ", "fiziksel_mekan_guvenligi"),
        ("processing_purposes", "Denetim/Etik  faaliyetlerinin yürütülmesi", "denetim_etik"),
        (
            "measures",
            "Taşınabilir bellek, CD, DVD ortamında aktarılan özel nitelikli kişisel veriler şifrelenerek aktarılmaktadır.",
            "tasinabilir_ortam_sifreleme",
        ),
        (
            "measures",
            "Taşınabilir bellek, CD, DVD ortamında aktarılan özel nitelikli kişiler veriler şifrelenerek aktarılmaktadır",
            "tasinabilir_ortam_sifreleme",
        ),
    ],
)
def test_labels_match_however_they_are_spelt(name: str, label: str, code: str) -> None:
    """Sheets in the wild write VERBİS labels with other case, circumflexes and spaces."""
    assert [item.code for item in reference().match_label(name, label)] == [code]
    assert reference().match_label(name, "Yok böyle bir şey") == ()


def test_only_legal_bases_share_labels() -> None:
    """A label means one code, except where art. 5 and art. 6 use the same words."""
    shared = {
        item.code
        for name, items in reference().lists.items()
        for item in items.values()
        if len(reference().match_label(name, item.tr)) > 1
    }
    assert shared == {"m5_2_a", "m6_3_b", "m5_2_b", "m6_3_c"}
