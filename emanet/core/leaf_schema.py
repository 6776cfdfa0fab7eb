"""The values of log leaves, version 1; each checks itself (docs/formats/leaf.md has the tables).

A leaf holds no personal data in clear: persons are pseudonyms, and what is erasable is in entries
beside the leaf, of which the leaf carries only count and root.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from emanet.core.encoding import MAX_INTEGER, b64url_decode
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.leaf_terms import (
    Act,
    ActorAuth,
    ActorKind,
    KeyOperation,
    LeafType,
    Mode,
    Verdict,
)
from emanet.core.merkle import EMPTY_ROOT, HASH_BYTES
from emanet.core.names import is_slug

__all__ = [
    "MAX_ENTRIES",
    "MAX_FIELDS",
    "MAX_KEY_IDS",
    "MAX_RULES",
    "AccessLeaf",
    "Actor",
    "CasesLeaf",
    "Decision",
    "KeyLeaf",
    "Leaf",
    "LeafHead",
    "OutcomeLeaf",
    "RegisterLeaf",
    "RetentionLeaf",
    "RulesLeaf",
    "Target",
    "require_form",
]

MAX_FIELDS = 64
MAX_ENTRIES = 8_192
MAX_RULES = 64
MAX_KEY_IDS = 512

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}\Z")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,62}\Z")
_RULE_ID = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,62}\Z")
_CLASS = re.compile(r"[a-z][a-z0-9._-]{0,62}(?:\+[a-z][a-z0-9._-]{0,62})*\Z")
_EPOCH_ID = re.compile(r"[1-9][0-9]{0,14}\Z")
_KEY_ID_BYTES = 16
_UUID_VERSION = 7


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted.

    Attributes:
        id: the staff token (human), the application's name (app), the subject's token
            (data_subject).
        kind: which of the three.
        auth: how the actor was known.
    """

    id: str
    kind: ActorKind
    auth: ActorAuth

    def __post_init__(self) -> None:
        """Refuses an id that is not of its kind's form."""
        fits = is_slug(self.id) if self.kind is ActorKind.APP else _TOKEN.match(self.id)
        require_form(bool(fits), "who.id")


@dataclass(frozen=True, slots=True)
class Target:
    """What was touched.

    Attributes:
        system: slug of the system in the register.
        fields: slugs of the fields, at most 64, none twice.
        values: number of values.
    """

    system: str
    fields: tuple[str, ...]
    values: int

    def __post_init__(self) -> None:
        """Refuses malformed slugs, too many or doubled fields, and a negative count."""
        require_form(is_slug(self.system), "tgt.sys")
        require_form(_are_distinct(self.fields, MAX_FIELDS), "tgt.fields")
        require_form(all(map(is_slug, self.fields)), "tgt.fields")
        _require_integer(self.values, "tgt.n")


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and under which register and rules.

    Attributes:
        verdict: allow or deny.
        mode: enforce, alert or observe.
        why: reason code of a denial, explanation code of an allow.
        rules: ids of the rules that decided, at most 64.
        register: number of the register version in effect; 0 when there was none.
        rule_set: number of the active rule set; 0 when there was none.
    """

    verdict: Verdict
    mode: Mode
    why: str
    rules: tuple[str, ...]
    register: int
    rule_set: int

    def __post_init__(self) -> None:
        """Refuses malformed codes, ids and numbers."""
        require_form(bool(_CODE.match(self.why)), "dec.why")
        require_form(_are_distinct(self.rules, MAX_RULES), "dec.rules")
        require_form(all(map(_RULE_ID.match, self.rules)), "dec.rules")
        _require_integer(self.register, "dec.reg")
        _require_integer(self.rule_set, "dec.set")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafHead:
    """What every leaf begins with.

    Attributes:
        id: UUIDv7, unique in the log.
        organization: bare slug.
        event_us: when it happened, as the caller says; microseconds UTC.
        receive_us: when the log received it; microseconds UTC, never falls from leaf to leaf.
    """

    TYPE: ClassVar[LeafType]

    id: UUID
    organization: str
    event_us: int
    receive_us: int

    def __post_init__(self) -> None:
        """Refuses another UUID version, a malformed organization and times before 1970."""
        require_form(self.id.version == _UUID_VERSION, "id")
        require_form(is_slug(self.organization), "o")
        _require_integer(self.event_us, "at")
        _require_integer(self.receive_us, "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLeaf(LeafHead):
    """One attempt to touch personal data, allowed or denied.

    Attributes:
        actor: who.
        app: name of the application through which it happened.
        purpose: slug of the access purpose.
        act: what was done.
        target: what was touched.
        decision: what was decided.
        entries: number of entries beside the leaf, 0 to 8,192.
        entries_root: their root; SHA-256 of nothing for none.
        role: the need-to-know role that matched; empty (absent in the leaf) when none did.
        reasons: all reason codes of a denial, or of what the mode alert or observe let pass, the
            decision's `why` first; empty (absent) otherwise.
        break_glass: UUIDv7 of the break-glass session; None (absent) outside of one.
    """

    TYPE: ClassVar[LeafType] = LeafType.ACCESS

    actor: Actor
    app: str
    purpose: str
    act: Act
    target: Target
    decision: Decision
    entries: int
    entries_root: bytes
    role: str = ""
    reasons: tuple[str, ...] = ()
    break_glass: UUID | None = None

    def __post_init__(self) -> None:
        """Refuses malformed members and reasons that do not fit the verdict."""
        LeafHead.__post_init__(self)
        require_form(is_slug(self.app), "app")
        require_form(is_slug(self.purpose), "purpose")
        require_form(not self.role or is_slug(self.role), "role")
        require_form(_are_distinct(self.reasons, MAX_RULES), "reasons")
        require_form(all(map(_CODE.match, self.reasons)), "reasons")
        require_form(_fits_reasons(self.decision, self.reasons), "reasons")
        require_form(self.break_glass is None or self.break_glass.version == _UUID_VERSION, "bg")
        _require_entries(self.entries, self.entries_root)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLeaf(LeafHead):
    """A failure after an allowed access.

    Attributes:
        access: id of the access leaf (member `ref`).
        item: 0-based index of the first item that failed.
        why: reason code.
    """

    TYPE: ClassVar[LeafType] = LeafType.OUTCOME

    access: UUID
    item: int
    why: str

    def __post_init__(self) -> None:
        """Refuses malformed members."""
        LeafHead.__post_init__(self)
        require_form(self.access.version == _UUID_VERSION, "ref")
        _require_integer(self.item, "item")
        require_form(bool(_CODE.match(self.why)), "why")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterLeaf(LeafHead):
    """A register version that the log's service accepted.

    Attributes:
        number: version number from 1.
        digest: SHA-256 of the snapshot, 32 bytes.
        approval: SHA-256 of the approval, 32 bytes.
    """

    TYPE: ClassVar[LeafType] = LeafType.REGISTER

    number: int
    digest: bytes
    approval: bytes

    def __post_init__(self) -> None:
        """Refuses malformed members."""
        LeafHead.__post_init__(self)
        _require_number(self.number)
        require_form(len(self.digest) == HASH_BYTES, "digest")
        require_form(len(self.approval) == HASH_BYTES, "approval")


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesLeaf(LeafHead):
    """A rule set that two persons put in force.

    Attributes:
        number: rule set number from 1.
        digest: SHA-256 of the rule set's UTF-8 bytes.
        by: staff tokens of the one who applied and the one who activated, in this order.
    """

    TYPE: ClassVar[LeafType] = LeafType.RULES

    number: int
    digest: bytes
    by: tuple[str, str]

    def __post_init__(self) -> None:
        """Refuses malformed members and one person twice."""
        LeafHead.__post_init__(self)
        _require_number(self.number)
        require_form(len(self.digest) == HASH_BYTES, "digest")
        require_form(len(self.by) == 2 and self.by[0] != self.by[1], "by")
        require_form(all(map(_TOKEN.match, self.by)), "by")


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesLeaf(LeafHead):
    """A batch of cases that their owning application pushed.

    Attributes:
        app: name of the application.
        entries: number of entries, 0 to 8,192.
        entries_root: their root.
    """

    TYPE: ClassVar[LeafType] = LeafType.CASES

    app: str
    entries: int
    entries_root: bytes

    def __post_init__(self) -> None:
        """Refuses malformed members."""
        LeafHead.__post_init__(self)
        require_form(is_slug(self.app), "app")
        _require_entries(self.entries, self.entries_root)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLeaf(LeafHead):
    """A batch of retention events that an application pushed.

    Attributes:
        app: name of the application.
        entries: number of entries, 0 to 8,192.
        entries_root: their root.
    """

    TYPE: ClassVar[LeafType] = LeafType.RETENTION

    app: str
    entries: int
    entries_root: bytes

    def __post_init__(self) -> None:
        """Refuses malformed members."""
        LeafHead.__post_init__(self)
        require_form(is_slug(self.app), "app")
        _require_entries(self.entries, self.entries_root)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLeaf(LeafHead):
    """A step in the destruction of keys, or the end of epochs, whose keys wrapped keys.

    Attributes:
        operation: destroy_intent, destroyed or epoch.
        retention_class: the class (member `class`); empty (absent) exactly for `epoch`.
        ids: 1 to 512 key ids, 22 base64url characters each; ascending decimals for `epoch`.
        by: staff token of the person, or the name of the application or service, that ordered it.
    """

    TYPE: ClassVar[LeafType] = LeafType.KEY

    operation: KeyOperation
    ids: tuple[str, ...]
    by: str
    retention_class: str = ""

    def __post_init__(self) -> None:
        """Refuses malformed members."""
        LeafHead.__post_init__(self)
        require_form(bool(self.ids) and _are_distinct(self.ids, MAX_KEY_IDS), "ids")
        require_form(bool(_TOKEN.match(self.by)) or is_slug(self.by), "by")
        if self.operation is KeyOperation.EPOCH:
            require_form(not self.retention_class, "class")
            require_form(all(map(_EPOCH_ID.match, self.ids)) and _ascend(self.ids), "ids")
        else:
            require_form(bool(_CLASS.match(self.retention_class)), "class")
            require_form(all(map(_is_key_id, self.ids)), "ids")


Leaf = AccessLeaf | OutcomeLeaf | RegisterLeaf | RulesLeaf | CasesLeaf | RetentionLeaf | KeyLeaf


def require_form(holds: bool, member: str) -> None:
    """Raises CallerError INVALID_FIELD for the leaf's member unless it has its form."""
    if not holds:
        raise error(
            Reason.INVALID_FIELD, violations=((member, "the leaf's member is not of its form"),)
        )


def _require_integer(number: int, member: str) -> None:
    require_form(0 <= number <= MAX_INTEGER, member)


def _require_number(number: int) -> None:
    require_form(1 <= number <= MAX_INTEGER, "number")


def _require_entries(count: int, root: bytes) -> None:
    require_form(0 <= count <= MAX_ENTRIES, "n")
    require_form(len(root) == HASH_BYTES, "d")
    require_form((count == 0) == (root == EMPTY_ROOT), "d")


def _fits_reasons(decision: Decision, reasons: tuple[str, ...]) -> bool:
    is_denied = decision.verdict is Verdict.DENY
    if not reasons:
        return not is_denied
    return reasons[0] == decision.why and (is_denied or decision.mode is not Mode.ENFORCE)


def _are_distinct(items: tuple[str, ...], most: int) -> bool:
    return len(items) <= most and len(set(items)) == len(items)


def _ascend(numbers: tuple[str, ...]) -> bool:
    return sorted(numbers, key=int) == list(numbers)


def _is_key_id(text: str) -> bool:
    try:
        return len(b64url_decode(text)) == _KEY_ID_BYTES
    except EmanetError:
        return False
