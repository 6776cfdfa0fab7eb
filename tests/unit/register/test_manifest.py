from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from register_strategies import registers, whole_registers

from emanet.core.errors import CallerError, Reason
from emanet.register.manifest import dump_manifest, load_manifest
from emanet.register.values import (
    Bind,
    Decision,
    Level,
    Location,
    Period,
    Register,
    Unresolved,
)

MANIFEST = """\
# A small firm in invented names.
emanet: register/v1
organization: {id: papatya, tr: Papatya Yazılım Ltd. Şti., seat: Sinop}
namespaces: {uyeler: {tr: Üye no}, yerel: {tr: T.C. kimlik no, tckn: true}}
registry: {duty: exempt, ground: Kurul 2025/1572, checked: 2026-03-01, employees: 4}
destruction: {interval: P3M, days: ["02-01"], backups_gone_after: P14D}
measures: [sifreleme, yedekleme]
purposes:
  destek: {verbis: satis_sonrasi_destek, tr: Talebe yanıt, read_needs: talep}
systems:
  defter: {tr: Üye defteri, kind: database, country: NO}
fields:
  uye.ad: {type: ad_soyad, level: encrypted, search: tr-name, in: defter.uyeler.ad}
  uye.not: {type: destek_talebi, level: none, bind: subject, in: [defter.notlar, defter.uyeler.not]}
retention:
  uyelik:
    keep: P2Y
    from: contract_ended
    rules: [tbk_146]
    decided: {by: s-1, on: 2026-02-03, why: "Kısa olan yeter"}
  eski: {keep: süresiz}
recipients:
  kargo: {tr: Kargo firması, group: tedarikciler, may_use_for: destek}
notices: {ana: {version: 1, effective: 2026-01-05, to: calisan}}
activities:
  uyelik:
    tr: Üyelik
    role: controller
    subjects: [bireysel_musteri]
    collected: {from: ilgili_kisi, by: Form, automatic: false}
    rows:
      - {fields: [uye.ad], purposes: [destek], basis: 5/2-c, keep: uyelik, to: [kargo]}
      - fields: [uye.not]
        basis: m5_2_f
        keep: gerektiği kadar
      - {fields: [uye.not], basis: kullanıcının kabulü}
claims:
  s-1: {says: Kart saklanmaz, not_stored: {of: [kart_bilgisi]}, exception: {posta: 0}}
"""


def problem_of(text: str) -> tuple[int, str, str]:
    with pytest.raises(CallerError) as caught:
        load_manifest(text, "papatya.yaml")
    assert caught.value.reason is Reason.MANIFEST_INVALID
    assert caught.value.metadata["source"] == "papatya.yaml"
    assert caught.value.message_tr.startswith(f"papatya.yaml:{caught.value.metadata['line']}: ")
    return (
        int(caught.value.metadata["line"]),
        caught.value.metadata["problem"],
        caught.value.message_tr,
    )


def test_manifest_is_read_as_people_write_it() -> None:
    """Short forms mean what they say, and nothing that YAML guesses gets in."""
    register = load_manifest(MANIFEST, "papatya.yaml").register
    assert register.namespaces["yerel"].tckn
    assert register.systems["defter"].country == "NO"
    assert register.fields["uye.ad"].locations == (Location("defter", "uyeler.ad"),)
    assert register.fields["uye.not"].bind is Bind.SUBJECT
    assert register.fields["uye.not"].level is Level.NONE
    rule = register.retention["uyelik"]
    assert rule.keep == Period(months=24)
    assert rule.decided == Decision(by="s-1", on=date(2026, 2, 3), why="Kısa olan yeter")
    assert register.recipients["kargo"].may_use_for == ("destek",)
    assert register.claims["s-1"].exception == {"posta": "0"}


def test_manifest_keeps_open_points_as_words() -> None:
    """A published text's words survive for lint; a basis may be given by article or by code."""
    register = load_manifest(MANIFEST, "papatya.yaml").register
    first, second, third = register.activities["uyelik"].rows
    assert register.retention["eski"].keep == Unresolved("süresiz")
    assert (first.basis, second.basis) == ("5/2-c", "5/2-f")
    assert second.keep == Unresolved("gerektiği kadar")
    assert third.basis == Unresolved("kullanıcının kabulü")
    assert third.keep is None


def test_marks_name_the_line_of_every_part() -> None:
    """A path has its line; a path that is not written has the line of what is around it."""
    lines = MANIFEST.splitlines()
    marks = load_manifest(MANIFEST, "papatya.yaml").marks
    assert "süresiz" in lines[marks.line_of("retention/eski/keep") - 1]
    assert "fields: [uye.not]" in lines[marks.line_of("activities/uyelik/rows/1") - 1]
    assert "gerektiği" in lines[marks.line_of("activities/uyelik/rows/1/keep") - 1]
    assert marks.line_of("activities/uyelik/rows/2/keep") == marks.line_of(
        "activities/uyelik/rows/2"
    )
    assert marks.line_of("filings/x") == 1


@pytest.mark.parametrize(
    ("old", "new", "line_text", "says"),
    [
        ("level: encrypted", "levl: encrypted", "uye.ad", "'level'"),
        ("type: ad_soyad", "type: ad_soyadi", "uye.ad", "'ad_soyad'"),
        ("[sifreleme, yedekleme]", "[sifrelme]", "measures", "'sifreleme'"),
        ("basis: 5/2-c", "basis: 5/2-k", "uye.ad]", "legal_bases"),
        ("keep: P2Y", "keep: P2J", "keep: P2J", "not a period"),
        ("2026-02-03", "2026-02-31", "2026-02-31", "calendar"),
        ("automatic: false", "automatic: no", "automatic", "true or false"),
        ("employees: 4", "employees: 04", "registry", "whole number"),
        ("emanet: register/v1", "emanet: register/v2", "register/v2", "register/v1"),
        ("emanet: register/v1\n", "", "organization", "'emanet' is missing"),
        ("seat: Sinop", "seat: [Sinop]", "seat", "text"),
        ("claims:", "promises:", "promises", "unknown key"),
        ("  eski: {", "  uyelik: {", "süresiz", "twice"),
        ("from: contract_ended", "from: *x", "from: *x", "aliases"),
        ("tr: Üye defteri", "tr: ~", "defter", "missing"),
    ],
)
def test_shape_errors_name_file_and_line(old: str, new: str, line_text: str, says: str) -> None:
    """A typo is refused at its own line, with what was meant."""
    text = MANIFEST.replace(old, new, 1)
    line, problem, _ = problem_of(text)
    assert line_text in text.splitlines()[line - 1]
    assert says in problem


def test_turkish_message_is_turkish() -> None:
    """The person at the screen reads the problem in Turkish, with the line in front."""
    _, _, message = problem_of(MANIFEST.replace("level: encrypted", "levl: encrypted"))
    assert (
        message == "papatya.yaml:13: bilinmeyen anahtar 'levl' (şunu mu demek istediniz: 'level'?)"
    )


@whole_registers
@given(registers())
def test_dump_reads_back_as_the_same_register(register: Register) -> None:
    """Property: load_manifest(dump_manifest(r)).register == r, whatever the texts hold."""
    assert load_manifest(dump_manifest(register), "x").register == register


def test_dump_is_readable() -> None:
    """One line per entity, one per row; open points are written as the words they are."""
    text = dump_manifest(load_manifest(MANIFEST, "x").register)
    assert "  eski: {keep: süresiz}\n" in text
    assert "      - {fields: [uye.not], basis: kullanıcının kabulü}\n" in text
    assert "2026-02-03" in text
