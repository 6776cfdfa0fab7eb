"""The notice of a change and the seven days of VERBİS."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from emanet.register.manifest import load_manifest
from emanet.register.notice import change_notice
from emanet.register.values import empty_register

HERE = Path(__file__).parent
CLEAN = (HERE / "clean.register.yaml").read_text("utf-8")
ORGANIZATIONS = HERE.parents[2] / "examples" / "organizations"
NOON = datetime(2026, 11, 21, 9, tzinfo=UTC)


def register(*replacements: tuple[str, str]):
    text = CLEAN
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return load_manifest(text, "deneme.yaml").register


LONGER = ("keep: P10Y, from: end", "keep: P11Y, from: end")


def test_verbis_has_seven_days_from_the_effective_time() -> None:
    """Registry regulation art. 13: within seven days of the change."""
    notice = change_notice(register(), register(LONGER), effective=NOON)
    assert notice.happened == date(2026, 11, 21)
    assert notice.verbis_deadline == date(2026, 11, 28)
    assert "28.11.2026" in notice.tr
    assert "VERBİS by 28 Nov 2026" in notice.en


def test_clock_runs_from_the_first_observation_when_earlier() -> None:
    """A drift that was seen before the version holds is when the change happened."""
    seen = datetime(2026, 11, 10, 12, tzinfo=UTC)
    notice = change_notice(register(), register(LONGER), effective=NOON, observed=seen)
    assert notice.verbis_deadline == date(2026, 11, 17)
    later = datetime(2026, 12, 1, tzinfo=UTC)
    notice = change_notice(register(), register(LONGER), effective=NOON, observed=later)
    assert notice.verbis_deadline == date(2026, 11, 28)


def test_day_is_counted_in_turkiye() -> None:
    """At 21:30 UTC it is already the next day in Istanbul."""
    late = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
    notice = change_notice(register(), register(LONGER), effective=late)
    assert notice.happened == date(2026, 11, 21)
    assert "21.11.2026 00:30" in notice.tr


def test_change_outside_verbis_starts_no_clock() -> None:
    """A change of a level or a place is told to people, not to VERBİS."""
    moved = register(("in: panel.customers.name", "in: panel.customers.full_name"))
    notice = change_notice(register(), moved, effective=NOON)
    assert notice.verbis_deadline is None
    assert notice.verbis_changes == ()
    assert len(notice.changes) == 1
    assert "Sicil içeriği değişmedi" in notice.tr
    assert "customer.name" in notice.tr


def test_exempt_organization_has_no_clock() -> None:
    """Who is exempt from the registry owes VERBİS nothing, and the notice says why."""
    exempt = ("duty: registered", "duty: exempt\n  ground: Kurul 2025/1572")
    notice = change_notice(register(exempt), register(exempt, LONGER), effective=NOON)
    assert notice.verbis_deadline is None
    assert notice.verbis_changes == ()
    assert "Kurul 2025/1572" in notice.tr
    assert "Exempt from the registry" in notice.en


EXEMPT = ("duty: registered", "duty: exempt\n  ground: Kurul 2025/1572")


def test_who_becomes_liable_enters_everything_in_thirty_days() -> None:
    """Registry regulation art. 8/2; nothing was filed before, so all of it is new."""
    notice = change_notice(register(EXEMPT), register(), effective=NOON)
    assert notice.verbis_deadline == date(2026, 12, 21)
    assert "Sicil Yön. 8/2" in notice.tr
    whole = change_notice(empty_register("deneme"), register(), effective=NOON)
    assert notice.verbis_changes == whole.verbis_changes


def test_who_becomes_exempt_is_told_of_the_removal() -> None:
    """An entry that stands does not go by itself, and past duties remain (art. 14)."""
    notice = change_notice(register(), register(EXEMPT), effective=NOON)
    assert notice.verbis_deadline is None
    assert "Sicil Yön. 14" in notice.tr
    still = change_notice(register(EXEMPT), register(EXEMPT, LONGER), effective=NOON)
    assert "Sicil Yön. 14" not in still.tr


def test_notice_tells_whom_it_concerns() -> None:
    """The groups are named in the reader's language with the number of changes."""
    notice = change_notice(register(), register(("keep: P8Y", "keep: P9Y")), effective=NOON)
    assert "  Bireysel müşteri / üye: 1 değişiklik\n" in notice.tr
    assert "  Individual customer / member: 1 change\n" in notice.en
    assert "contract · saklama süresi: 8 yıl → 9 yıl" in notice.tr
    assert "contract · retention period: 8 years → 9 years" in notice.en


def test_change_for_all_groups_says_everybody() -> None:
    """What touches every group of the register is not followed by the list of all of them."""
    notice = change_notice(
        register(), register(("P30D\n  receipts", "P20D\n  receipts")), effective=NOON
    )
    assert "yedeklerin silinmesi: 30 gün → 20 gün  [herkes]" in notice.tr
    assert "[everybody]" in notice.en


def test_notice_speaks_of_names_and_keeps_the_path() -> None:
    """A row's recipient is told by name, with the path that lint and denials point to."""
    given = register(
        (
            "basis: 6/3-a, consent: AR-1, keep: contract",
            "basis: 6/3-a, consent: AR-1, keep: contract, to: [court]",
        ),
        ("may_use_for: [authority, oversight]", "may_use_for: [authority, oversight, service]"),
    )
    notice = change_notice(register(), given, effective=NOON)
    assert "Hesap (account/rows/2) · alıcılar: Mahkeme" in notice.tr
    assert "Mahkeme (court) · kullanabileceği amaçlar: Yasal merci, Denetim" in notice.tr


def test_first_version_is_no_change_of_an_entry() -> None:
    """Whoever is registered compares; whoever is not registers before processing (art. 8/1)."""
    first = change_notice(empty_register("deneme"), register(), effective=NOON)
    assert "03.01.2022 tarihli kayıtla" in first.tr
    assert "+ veri sorumlusunun adı: Deneme Ltd. Şti." in first.tr
    unregistered = register(("  since: 2022-01-03\n", ""))
    notice = change_notice(empty_register("deneme"), unregistered, effective=NOON)
    assert "Sicil Yön. 8/1" in notice.tr
    assert "art. 8/1" in notice.en
    assert "İlk sürüm" not in change_notice(register(), register(LONGER), effective=NOON).tr


def test_another_person_is_told_without_a_name() -> None:
    """A new contact person under the old title starts the clock: VERBİS holds the person."""
    one, other = (
        register(("{title: Müdür}", f"{{title: Müdür, staff: {person}}}"))
        for person in ("s-777", "s-888")
    )
    notice = change_notice(one, other, effective=NOON)
    assert notice.verbis_deadline == date(2026, 11, 28)
    assert "irtibat kişisi: Müdür → Müdür (başka kişi)" in notice.tr
    assert "contact person: another person" in notice.en
    assert not any(each in notice.tr + notice.en for each in ("s-777", "s-888"))


def test_of_an_object_only_what_differs_is_told() -> None:
    """Of a transfer abroad with one new day, the day; days as the reader writes them."""
    later = register(("notified: 2026-01-19", "notified: 2026-01-16"))
    notice = change_notice(register(), later, effective=NOON)
    assert "yurt dışına aktarım: bildirim 19.01.2026 → bildirim 16.01.2026" in notice.tr
    assert "transfer abroad: notified 2026-01-19 → notified 2026-01-16" in notice.en


def test_no_change_is_said_so() -> None:
    """Two equal versions: nothing changes for anybody."""
    notice = change_notice(register(), register(), effective=NOON)
    assert notice.changes == ()
    assert "Hiçbir şey." in notice.tr
    assert "Nothing." in notice.en


def test_person_ids_stay_in_the_register() -> None:
    """Who decided and who the contact person is are not in the notice."""
    named = register(
        ("{title: Müdür}", "{title: Müdür, staff: s-777}"),
        (
            "from: consent_ended, dispose",
            "from: consent_ended, decided: {by: s-888, on: 2026-01-02, why: Kısa tutuldu}, dispose",
        ),
    )
    notice = change_notice(register(), named, effective=NOON)
    assert "Kısa tutuldu" in notice.tr
    assert not any(
        person in text for person in ("s-777", "s-888") for text in (notice.tr, notice.en)
    )


@pytest.mark.parametrize(
    "name", ["registrar", "hosting", "web-agency", "bulk-messaging", "chat-bot"]
)
def test_repair_of_each_example_has_a_notice(name: str) -> None:
    """From the policy as published to the repaired register, and from nothing at all."""
    published, repaired = (
        load_manifest((ORGANIZATIONS / name / file).read_text("utf-8"), file).register
        for file in ("published.register.yaml", "register.yaml")
    )
    for before in (published, empty_register(repaired.organization.id)):
        notice = change_notice(before, repaired, effective=NOON)
        assert notice.changes
        assert (notice.verbis_deadline is None) is (name == "web-agency")
        assert max(map(len, notice.tr.splitlines())) <= 100
