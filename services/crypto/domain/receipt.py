"""The stored plan and the receipt of a destruction (docs/formats/keys.md, "Destruction receipt").

Both are canonical JSON. Neither names the subject: a key id and a class say which key, and only
who still holds the key row's subject could say whose it was. The receipt:

    {"v": 1, "organization", "destruction" (full name), "ground", "classes" [...],
     "key_ids" [base64url, in the order of the classes], "destroyed" (microseconds UTC),
     "epoch" (number of the epoch that had wrapped them), "epoch_destroyed", "epoch_log":
     {"checkpoint", "index", "leaf_hash"},
     "unreadable_from" (absent where the register names no backup horizon),
     "evidence": "declared" | "verified", "term": "anahtar imhası",
     "log": [{"checkpoint", "index", "leaf_hash"}, one for each class]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from emanet.core import canonical
from emanet.core.encoding import b64url_decode, b64url_encode, from_micros, micros
from emanet.core.leaf import Receipt
from services.crypto.domain.destruction import Ground, Outcome, PlanItem

__all__ = ["TERM", "Plan", "PlannedKey", "decode_plan", "encode_plan", "encode_receipt"]

TERM = "anahtar imhası"
"""What was done: the key is destroyed. *Yok etme* needs the rows and the backups to be gone too."""


@dataclass(frozen=True, slots=True)
class PlannedKey:
    """One key that is to die.

    Attributes:
        retention_class: its class.
        key_id: sid or bid, 16 bytes.
        intent: id of the leaf that announces it, UUIDv7.
        final: id of the leaf that records its end, UUIDv7.
    """

    retention_class: str
    key_id: bytes
    intent: str
    final: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided when the destruction was asked for; it is not decided again."""

    items: tuple[PlanItem, ...]
    keys: tuple[PlannedKey, ...]


def encode_plan(plan: Plan) -> bytes:
    """The plan's bytes."""
    return canonical.encode(
        {
            "v": 1,
            "items": [_item_members(item) for item in plan.items],
            "keys": [
                {
                    "class": key.retention_class,
                    "id": b64url_encode(key.key_id),
                    "intent": key.intent,
                    "final": key.final,
                }
                for key in plan.keys
            ],
        }
    )


def decode_plan(data: bytes) -> Plan:
    """Reads `encode_plan`; only bytes of this service's own database."""
    members = canonical.decode_object(data)
    items = cast("Sequence[Mapping[str, canonical.JsonValue]]", members["items"])
    keys = cast("Sequence[Mapping[str, str]]", members["keys"])
    return Plan(
        items=tuple(map(_item, items)),
        keys=tuple(
            PlannedKey(each["class"], b64url_decode(each["id"]), each["intent"], each["final"])
            for each in keys
        ),
    )


def encode_receipt(
    *,
    destruction: str,
    organization: str,
    ground: Ground,
    plan: Plan,
    destroyed: datetime,
    epoch: int,
    epoch_destroyed: datetime,
    epoch_log: Receipt,
    unreadable_from: datetime | None,
    evidence: str,
    log: Sequence[Receipt],
) -> bytes:
    """The receipt's bytes; see the module for its members."""
    members: dict[str, canonical.JsonValue] = {
        "v": 1,
        "organization": organization,
        "destruction": destruction,
        "ground": ground.value,
        "classes": [key.retention_class for key in plan.keys],
        "key_ids": [b64url_encode(key.key_id) for key in plan.keys],
        "destroyed": micros(destroyed),
        "epoch": epoch,
        "epoch_destroyed": micros(epoch_destroyed),
        "epoch_log": canonical.decode(epoch_log.to_bytes()),
        "evidence": evidence,
        "term": TERM,
        "log": [canonical.decode(receipt.to_bytes()) for receipt in log],
    }
    if unreadable_from is not None:
        members["unreadable_from"] = micros(unreadable_from)
    return canonical.encode(members)


def _item_members(item: PlanItem) -> dict[str, canonical.JsonValue]:
    members: dict[str, canonical.JsonValue] = {
        "class": item.retention_class,
        "outcome": item.outcome.value,
        "fields": list(item.fields),
    }
    if item.until is not None:
        members["until"] = micros(item.until)
    if item.article:
        members["article"] = item.article
    if item.row:
        members["row"] = item.row
    return members


def _item(members: Mapping[str, canonical.JsonValue]) -> PlanItem:
    until = members.get("until")
    return PlanItem(
        retention_class=str(members["class"]),
        outcome=Outcome(str(members["outcome"])),
        until=from_micros(until) if isinstance(until, int) else None,
        article=str(members.get("article", "")),
        row=str(members.get("row", "")),
        fields=tuple(cast("Sequence[str]", members["fields"])),
    )
