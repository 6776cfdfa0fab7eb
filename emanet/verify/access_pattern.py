"""Reads access records without building values: most of a log is of this one shape.

Canonical JSON of a closed schema is a regular language, so one pattern can say that a record is
of it. The pattern accepts less than `decode_leaf` and never more: what it does not accept is
read the careful way. A test holds the two against each other.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from emanet.core.encoding import b64url_encode
from emanet.core.leaf import MAX_ENTRIES, MAX_FIELDS, MAX_RULES, Act, ActorAuth, Mode, Verdict
from emanet.core.merkle import EMPTY_ROOT

__all__ = ["AccessSummary", "read_access"]

_EMPTY_ROOT = b64url_encode(EMPTY_ROOT).encode()


class AccessSummary(NamedTuple):
    """What the sequence of records needs to know of an access.

    Attributes:
        id: 16 bytes.
        receive_us: microseconds UTC.
        register: number of the register version; 0 when there was none.
        rule_set: number of the rule set; 0 when there was none.
        organization: slug, ASCII.
    """

    id: bytes
    receive_us: int
    register: int
    rule_set: int
    organization: bytes


def read_access(data: bytes) -> AccessSummary | None:
    """The summary of an access record of the usual shape; None says nothing about the record."""
    match = _RECORD.fullmatch(data)
    if match is None:
        return None
    receive, root, mode, register, rules, rule_set, verdict, why, own, entries, *rest = (
        match.groups()
    )
    organization, reasons, fields = rest
    if (entries == b"0") != (root == _EMPTY_ROOT) or int(entries) > MAX_ENTRIES:
        return None
    if reasons:
        if reasons.partition(b",")[0] != why or (verdict == b"allow" and mode == b"enforce"):
            return None
    elif verdict == b"deny":
        return None
    for listed in (rules, reasons, fields):
        if listed and b"," in listed and not _are_distinct(listed):
            return None
    return AccessSummary(
        unhexlify(own.replace(b"-", b"")),
        int(receive),
        int(register),
        int(rule_set),
        organization,
    )


def _are_distinct(listed: bytes) -> bool:
    items = listed.split(b",")
    return len(set(items)) == len(items)


def _words(words: Iterable[StrEnum]) -> str:
    return "|".join(word.value for word in words)


def _list_of(item: str, most: int) -> str:
    return rf'(?:"{item}"(?:,"{item}"){{0,{most - 1}}})'


_SLUG = r"[a-z][a-z0-9._-]{0,62}"
_CODE = r"[A-Z][A-Z0-9_]{0,62}"
_RULE = r"[A-Za-z][A-Za-z0-9._-]{0,62}"
_TOKEN = r"[A-Za-z0-9_-]{32}"  # noqa: S105 (a pattern of pseudonyms)
# Below 9·10^15, hence below 2^53; the rest up to there is read the careful way.
_INTEGER = r"(?:0|[1-9][0-9]{0,14}|[1-8][0-9]{15})"
# 32 bytes: the last of 43 characters has two spare bits, which are zero.
_HASH = r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
_UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_WHO = rf'"auth":"(?:{_words(ActorAuth)})","id":"(?:{_TOKEN}","kind":"(?:human|data_subject)|'
_WHO += rf'{_SLUG}","kind":"app)"'

# Groups, in this order: receive time, root, mode, register, rules, rule set, verdict, why
# and the reasons with their quotation marks, id, number of entries, organization, fields.
_RECORD = re.compile(
    (
        rf'{{"act":"(?:{_words(Act)})","app":"{_SLUG}",'
        rf'"at":\[{_INTEGER},({_INTEGER})\],"d":"({_HASH})",'
        rf'"dec":{{"mode":"({_words(Mode)})","reg":({_INTEGER}),'
        rf'"rules":\[({_list_of(_RULE, MAX_RULES)}?)\],"set":({_INTEGER}),'
        rf'"v":"({_words(Verdict)})","why":("{_CODE}")}},'
        rf'"id":"({_UUID7})","n":({_INTEGER}),"o":"({_SLUG})",'
        rf'"purpose":"{_SLUG}",(?:"reasons":\[({_list_of(_CODE, MAX_RULES)})\],)?'
        rf'(?:"role":"{_SLUG}",)?"t":"access",'
        rf'"tgt":{{"fields":\[({_list_of(_SLUG, MAX_FIELDS)}?)\],'
        rf'"n":{_INTEGER},"sys":"{_SLUG}"}},"v":1,"who":{{{_WHO}}}}}'
    ).encode("ascii")
)
