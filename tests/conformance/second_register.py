"""A second implementation of docs/formats/register.md: it imports nothing of Emanet.

`build()` gives the content of docs/formats/vectors/register.json. Run this file to write it again
(`python tests/conformance/second_register.py`); the diff is reviewed, because bytes that exist
somewhere can never change.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

FILE = Path(__file__).resolve().parents[2] / "docs" / "formats" / "vectors" / "register.json"
ISTANBUL = ZoneInfo("Europe/Istanbul")

MANIFEST = """\
emanet: register/v1
organization: {id: papatya, tr: Papatya Yazılım Ltd. Şti., seat: Sinop}
namespaces: {uyeler: {tr: Üye no}}
registry: {duty: exempt, ground: Kurul 2025/1572, checked: 2026-03-01, employees: 4}
destruction: {interval: P3M, days: ["02-01"], backups_gone_after: P14D}
measures: [yedekleme, sifreleme]
purposes: {destek: {verbis: satis_sonrasi_destek, tr: Talebe yanıt vermek, read_needs: talep}}
systems: {defter: {tr: Üye defteri, kind: database}}
fields:
  uye.ad: {type: ad_soyad, level: encrypted, search: tr-name, in: defter.uyeler.ad}
  uye.not: {type: destek_talebi, level: none, bind: record, in: [defter.notlar]}
retention:
  uyelik: {keep: P24M, from: contract_ended, rules: [tbk_146], dispose: yok_etme}
  eski: {keep: süresiz}
activities:
  uyelik:
    {tr: Üyelik, role: controller, subjects: [bireysel_musteri], rows: [
      {fields: [uye.ad], purposes: [destek], basis: m5_2_c, keep: uyelik},
      {fields: [uye.not], purposes: [destek], basis: 5/2-f, keep: gerektiği kadar}]}
claims:
  s-1: {says: Kart saklanmaz, not_stored: {of: kart_bilgisi}, exception: {posta: 0}}
"""

REGISTER = {
    "organization": {"id": "papatya", "tr": "Papatya Yazılım Ltd. Şti.", "seat": "Sinop"},
    "namespaces": {"uyeler": {"tr": "Üye no"}},
    "registry": {
        "duty": "exempt",
        "ground": "Kurul 2025/1572",
        "checked": "2026-03-01",
        "employees": 4,
    },
    "destruction": {"interval": "P3M", "days": ["02-01"], "backups_gone_after": "P14D"},
    "measures": ["sifreleme", "yedekleme"],
    "purposes": {
        "destek": {
            "verbis": "satis_sonrasi_destek",
            "tr": "Talebe yanıt vermek",
            "read_needs": "talep",
        }
    },
    "systems": {"defter": {"tr": "Üye defteri", "kind": "database"}},
    "fields": {
        "uye.ad": {
            "type": "ad_soyad",
            "level": "encrypted",
            "search": "tr-name",
            "in": ["defter.uyeler.ad"],
        },
        "uye.not": {"type": "destek_talebi", "level": "none", "in": ["defter.notlar"]},
    },
    "retention": {
        "uyelik": {
            "keep": "P2Y",
            "from": "contract_ended",
            "rules": ["tbk_146"],
            "dispose": "yok_etme",
        },
        "eski": {"keep": {"unresolved": "süresiz"}},
    },
    "activities": {
        "uyelik": {
            "tr": "Üyelik",
            "role": "controller",
            "subjects": ["bireysel_musteri"],
            "rows": [
                {"fields": ["uye.ad"], "purposes": ["destek"], "basis": "5/2-c", "keep": "uyelik"},
                {
                    "fields": ["uye.not"],
                    "purposes": ["destek"],
                    "basis": "5/2-f",
                    "keep": {"unresolved": "gerektiği kadar"},
                },
            ],
        }
    },
    "claims": {
        "s-1": {
            "says": "Kart saklanmaz",
            "not_stored": {"of": ["kart_bilgisi"]},
            "exception": {"posta": "0"},
        }
    },
}


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def version(number: int, register: object, previous: bytes | None) -> dict[str, str]:
    document: dict[str, object] = {
        "v": 1,
        "organization": "papatya",
        "number": number,
        "register": register,
    }
    if previous is not None:
        document["previous"] = b64(previous)
    snapshot = canonical(document)
    approval = canonical(
        {
            "number": number,
            "digest": b64(sha256(snapshot)),
            "author": "s-001",
            "approver": "s-002",
            "approved": micros(datetime(2026, 3, number, 9, tzinfo=UTC)),
            "effective": micros(datetime(2026, 4, number, tzinfo=ISTANBUL)),
        }
    )
    return {
        "snapshot": snapshot,
        "digest": sha256(snapshot).hex(),
        "approval": approval,
        "approval_digest": sha256(approval).hex(),
    }


def refused(good: dict[str, str]) -> list[dict[str, str]]:
    def case(why: str, snapshot: str, approval: str) -> dict[str, str]:
        return {"why": why, "snapshot": snapshot, "approval": approval}

    def agreed(snapshot: str) -> str:
        document = {**json.loads(good["approval"]), "digest": b64(sha256(snapshot))}
        return canonical(document)

    def reshaped(**changes: object) -> str:
        return canonical({**json.loads(good["snapshot"]), **changes})

    one_person = canonical({**json.loads(good["approval"]), "approver": "s-001"})
    too_early = canonical({**json.loads(good["approval"]), "effective": 1})
    letter = good["snapshot"].replace("Sinop", "Sinob")
    cases = [
        case("one letter of the snapshot changed", letter, good["approval"]),
        case("author and approver are one person", good["snapshot"], one_person),
        case("in effect before the approval", good["snapshot"], too_early),
    ]
    for why, snapshot in (
        ("unknown format version", reshaped(v=2)),
        ("the first version names a previous one", reshaped(previous=b64(bytes(32)))),
        ("the register belongs to another organization", reshaped(organization="baska")),
        ("not canonical: a space", good["snapshot"].replace('"v":1', '"v": 1')),
        ("unknown key in an entity", good["snapshot"].replace('"seat"', '"seet"')),
        ("unknown code", good["snapshot"].replace('"ad_soyad"', '"ad_soyadi"')),
    ):
        cases.append(case(why, snapshot, agreed(snapshot)))
    return cases


def istanbul(*parts: int) -> int:
    return micros(datetime(*parts, tzinfo=ISTANBUL))  # type: ignore[misc]


def retention() -> dict[str, object]:
    """Worked by hand from the calendar, not computed: that is what makes them vectors."""
    return {
        "buckets": [
            {"start": micros(datetime(2026, 6, 30, 20, 59, 59, tzinfo=UTC)), "bucket": "2026-06"},
            {"start": micros(datetime(2026, 6, 30, 21, tzinfo=UTC)), "bucket": "2026-07"},
        ],
        "lapses": [
            {"keep": "P1Y", "from": "record_created", "bucket": "2026-03", "events": {}, "lapse": istanbul(2027, 4, 1)},
            {"keep": "P20M", "from": "record_created", "bucket": "2026-12", "events": {}, "lapse": istanbul(2028, 9, 1)},
            {"keep": "P10Y", "from": "end_of_calendar_year", "bucket": "2026-03", "events": {}, "lapse": istanbul(2037, 1, 1)},
            {"keep": "P5Y", "from": "start_of_year_after_document_year", "bucket": "2026-12", "events": {}, "lapse": istanbul(2032, 1, 1)},
            {"keep": "P1Y", "from": "contract_ended", "bucket": "open", "events": {"contract_ended": istanbul(2028, 2, 29, 13, 5)}, "lapse": istanbul(2029, 2, 28, 13, 5)},
            {"keep": "P6M", "from": "contract_ended", "bucket": "open", "events": {"contract_ended": istanbul(2026, 8, 31)}, "lapse": istanbul(2027, 2, 28)},
            {"keep": "P10Y", "from": "end_of_calendar_year", "bucket": "open", "events": {"end_of_calendar_year": istanbul(2026, 5, 4)}, "lapse": istanbul(2037, 1, 1)},
            {"keep": "P10Y", "from": "end_of_calendar_year", "bucket": "open", "events": {"end_of_calendar_year": istanbul(2027, 1, 1)}, "lapse": istanbul(2037, 1, 1)},
            {"keep": "P1Y", "from": "record_created", "bucket": "open", "events": {}},
            {"keep": "P1Y", "from": "contract_ended", "bucket": "open", "events": {"consent_ended": istanbul(2026, 1, 1)}},
        ],
        "fits": [
            {"held": "P22M35D", "limit": "P2Y", "fits": True},
            {"held": "P27M35D", "limit": "P2Y", "fits": False},
            {"held": "P28D", "limit": "P1M", "fits": True},
            {"held": "P29D", "limit": "P1M", "fits": False},
            {"held": "P1M", "limit": "P30D", "fits": False},
        ],
    }  # fmt: skip


def build() -> dict[str, object]:
    first = version(1, REGISTER, None)
    changed = {**REGISTER, "measures": ["sifreleme"]}
    second = version(2, changed, bytes.fromhex(first["digest"]))
    return {
        "manifest": MANIFEST,
        "versions": [first, second],
        "refused": refused(first),
        "retention": retention(),
    }


def written(content: dict[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(build()), encoding="utf-8")
