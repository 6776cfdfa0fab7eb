"""Log leaves, their entries and receipts as bytes (docs/formats/leaf.md).

A leaf is canonical JSON of a closed schema, at most 16,384 bytes. It is written once, stored
verbatim and hashed as stored; nobody writes it anew to verify it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from json.encoder import encode_basestring
from typing import assert_never

from emanet.core import canonical
from emanet.core.encoding import MAX_INTEGER, b64url_encode, require_nfc
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf_reader import LEAF_VERSION, read_leaf
from emanet.core.leaf_schema import (
    MAX_ENTRIES,
    MAX_FIELDS,
    MAX_KEY_IDS,
    MAX_RULES,
    AccessLeaf,
    Actor,
    CasesLeaf,
    Decision,
    KeyLeaf,
    Leaf,
    LeafHead,
    OutcomeLeaf,
    RegisterLeaf,
    RetentionLeaf,
    RulesLeaf,
    Target,
)
from emanet.core.leaf_terms import (
    Act,
    ActorAuth,
    ActorKind,
    KeyOperation,
    LeafType,
    Mode,
    Verdict,
)
from emanet.core.members import Members
from emanet.core.merkle import HASH_BYTES, entry_hash

__all__ = [
    "MAX_ENTRIES",
    "MAX_ENTRY_VALUE_BYTES",
    "MAX_FIELDS",
    "MAX_KEY_IDS",
    "MAX_LEAF_BYTES",
    "MAX_RULES",
    "AccessLeaf",
    "Act",
    "Actor",
    "ActorAuth",
    "ActorKind",
    "CasesLeaf",
    "Decision",
    "Entry",
    "EntryKey",
    "KeyLeaf",
    "KeyOperation",
    "Leaf",
    "LeafHead",
    "LeafType",
    "Mode",
    "OutcomeLeaf",
    "Receipt",
    "RegisterLeaf",
    "RetentionLeaf",
    "RulesLeaf",
    "Target",
    "Verdict",
    "decode_leaf",
    "encode_leaf",
]

MAX_LEAF_BYTES = 16_384
MAX_ENTRY_VALUE_BYTES = 4_096

_Members = dict[str, canonical.JsonValue]
_OtherLeaf = OutcomeLeaf | RegisterLeaf | RulesLeaf | CasesLeaf | RetentionLeaf | KeyLeaf


class EntryKey(StrEnum):
    """What an entry holds; `subject` and `approver` hold tokens, the others text."""

    SUBJECT = "subject"
    CASE = "case"
    APPROVER = "approver"
    RECIPIENT = "recipient"
    CONNECTION = "connection"
    HOST = "host"
    SESSION = "session"
    CREDENTIAL = "credential"
    TOKEN_ID = "token_id"  # noqa: S105 - the name of an entry, no secret
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Entry:
    """One erasable or personal item beside a leaf.

    Attributes:
        key: what it is.
        value: NFC text of 1 to 4,096 bytes of UTF-8.
        data: canonical JSON of `[key, value]`, written once because leaves share entries.
    """

    key: EntryKey
    value: str
    data: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuses an empty or too long value, and text that is not NFC."""
        require_nfc(self.value)
        if not 1 <= len(self.value.encode()) <= MAX_ENTRY_VALUE_BYTES:
            raise error(
                Reason.INVALID_FIELD, violations=(("value", "an entry has 1 to 4,096 bytes"),)
            )
        data = f'["{self.key}",{encode_basestring(self.value)}]'.encode()
        object.__setattr__(self, "data", data)

    def hash(self, salt: bytes) -> bytes:
        """SHA-256(0x02 ‖ salt(16) ‖ canonical JSON)."""
        return entry_hash(salt, self.data)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What proves that a leaf was in the log when its act was answered.

    It proves it to whoever verifies the checkpoint's signature and gets an inclusion proof for
    index and leaf hash; the receipt alone holds no audit path.

    Attributes:
        checkpoint: the signed note whose tree holds the leaf.
        index: 0-based index of the leaf.
        leaf_hash: SHA-256(0x00 ‖ leaf), 32 bytes.
    """

    checkpoint: str
    index: int
    leaf_hash: bytes

    def __post_init__(self) -> None:
        """Refuses malformed members with RECEIPT_INVALID."""
        if not 0 <= self.index <= MAX_INTEGER or len(self.leaf_hash) != HASH_BYTES:
            raise error(Reason.RECEIPT_INVALID)

    def to_bytes(self) -> bytes:
        """Canonical JSON {"checkpoint", "index", "leaf_hash"}."""
        return canonical.encode(
            {
                "checkpoint": self.checkpoint,
                "index": self.index,
                "leaf_hash": b64url_encode(self.leaf_hash),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Receipt:
        """Reads `to_bytes`.

        Raises:
            IntegrityError: RECEIPT_INVALID for any other bytes.
        """
        try:
            members = Members(canonical.decode(data))
            receipt = cls(
                checkpoint=members.take_text("checkpoint"),
                index=members.take_integer("index"),
                leaf_hash=members.take_bytes("leaf_hash"),
            )
            members.close()
        except EmanetError as cause:
            raise error(Reason.RECEIPT_INVALID) from cause
        return receipt


def encode_leaf(leaf: Leaf) -> bytes:
    """The leaf's bytes: canonical JSON of its closed schema.

    Raises:
        CallerError: VALUE_TOO_LARGE above 16,384 bytes; the act must be split before deciding.
    """
    # The values checked themselves when they were built: texts are ASCII, numbers in range.
    if isinstance(leaf, AccessLeaf):
        data = _access_text(leaf).encode("ascii")
    else:
        data = canonical.write(_members_of(leaf))
    if len(data) > MAX_LEAF_BYTES:
        raise error(Reason.VALUE_TOO_LARGE, limit=str(MAX_LEAF_BYTES))
    return data


def decode_leaf(data: bytes) -> Leaf:
    """Reads a leaf and refuses whatever `encode_leaf` would not have written.

    Raises:
        IntegrityError: LOG_CORRUPT for unknown or missing members, another version, a type that is
            reserved or unknown, values out of their form, or more than 16,384 bytes.
    """
    if len(data) > MAX_LEAF_BYTES:
        raise error(Reason.LOG_CORRUPT, problem="a leaf is too long")
    try:
        return read_leaf(Members(canonical.decode(data)))
    except EmanetError as cause:
        raise error(Reason.LOG_CORRUPT, problem="a leaf is not of its schema") from cause


def _access_text(leaf: AccessLeaf) -> str:
    """The text of the one leaf that every read writes, its members in canonical order.

    Put together by hand, in a tenth of the time that a JSON writer takes: none of its texts has a
    character that JSON escapes. Whoever reads a leaf refuses what is not canonical.
    """
    actor, target, decision = leaf.actor, leaf.target, leaf.decision
    session = f'"bg":"{leaf.break_glass}",' if leaf.break_glass else ""
    reasons = f'"reasons":{_texts(leaf.reasons)},' if leaf.reasons else ""
    role = f'"role":"{leaf.role}",' if leaf.role else ""
    return (
        f'{{"act":"{leaf.act}","app":"{leaf.app}","at":[{leaf.event_us},{leaf.receive_us}],'
        f'{session}"d":"{b64url_encode(leaf.entries_root)}",'
        f'"dec":{{"mode":"{decision.mode}","reg":{decision.register},'
        f'"rules":{_texts(decision.rules)},"set":{decision.rule_set},'
        f'"v":"{decision.verdict}","why":"{decision.why}"}},'
        f'"id":"{leaf.id}","n":{leaf.entries},"o":"{leaf.organization}",'
        f'"purpose":"{leaf.purpose}",{reasons}{role}"t":"{leaf.TYPE}",'
        f'"tgt":{{"fields":{_texts(target.fields)},"n":{target.values},"sys":"{target.system}"}},'
        f'"v":{LEAF_VERSION},'
        f'"who":{{"auth":"{actor.auth}","id":"{actor.id}","kind":"{actor.kind}"}}}}'
    )


def _texts(texts: tuple[str, ...]) -> str:
    return '["' + '","'.join(texts) + '"]' if texts else "[]"


def _members_of(leaf: _OtherLeaf) -> _Members:
    members: _Members = {
        "v": LEAF_VERSION,
        "t": leaf.TYPE.value,
        "id": str(leaf.id),
        "o": leaf.organization,
        "at": (leaf.event_us, leaf.receive_us),
    }
    match leaf:
        case OutcomeLeaf():
            members.update(ref=str(leaf.access), item=leaf.item, why=leaf.why)
        case RegisterLeaf():
            members.update(
                number=leaf.number,
                digest=b64url_encode(leaf.digest),
                approval=b64url_encode(leaf.approval),
            )
        case RulesLeaf():
            members.update(number=leaf.number, digest=b64url_encode(leaf.digest), by=leaf.by)
        case CasesLeaf() | RetentionLeaf():
            members.update(app=leaf.app, n=leaf.entries, d=b64url_encode(leaf.entries_root))
        case KeyLeaf():
            members.update(op=leaf.operation.value, ids=leaf.ids, by=leaf.by)
            if leaf.retention_class:
                members["class"] = leaf.retention_class
        case _:
            assert_never(leaf)
    return members
