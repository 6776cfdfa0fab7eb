"""Reads access records many at a time: most of a log is of this one shape.

Canonical JSON of a closed schema is a regular language, so one pattern can say that a record is
of it. The patterns accept less than `decode_leaf` and never more: what they do not accept is
read the careful way. A test holds the two against each other.

Records of one kind differ in few places: times, root, id and number of entries. One pattern reads
those in every record; what stands around them, the frame, is read once for all that share it.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from emanet.core.encoding import b64url_encode
from emanet.core.leaf import MAX_ENTRIES, MAX_FIELDS, MAX_RULES, Act, ActorAuth, Mode, Verdict
from emanet.core.merkle import EMPTY_ROOT

__all__ = ["AccessFrame", "AccessRun", "read_accesses"]

_EMPTY_ROOT = b64url_encode(EMPTY_ROOT).encode()
_ID_BYTES = 16


class AccessFrame(NamedTuple):
    """What the sequence of records needs to know of a frame.

    Attributes:
        register: number of the register version; 0 when there was none.
        rule_set: number of the rule set; 0 when there was none.
        organization: slug, ASCII.
    """

    register: int
    rule_set: int
    organization: bytes


class AccessRun(NamedTuple):
    """Accesses that stand one behind the other.

    Attributes:
        ids: 16 bytes for each record.
        receive_us: microseconds UTC for each record.
        frames: each once.
    """

    ids: list[bytes]
    receive_us: list[int]
    frames: set[AccessFrame]


def read_accesses(records: Sequence[bytes]) -> Iterator[AccessRun | None]:
    """Reads records in order as runs of accesses; None is one record to be read the careful way."""
    lines = b"\n".join(records)
    rows = _LINE.findall(lines)
    if len(rows) != len(records) or lines.count(b"\n") != len(records) - 1:
        yield from [None] * len(records)  # a record holds a line feed, and none of a log does
        return
    for is_access, group in groupby(rows, key=_has_id):
        run = list(group)
        read = _read_run(run) if is_access else None
        if read is None:
            yield from [None] * len(run)
        else:
            yield read


def _has_id(row: tuple[bytes, ...]) -> bool:
    return row[4] != b""


def _read_run(rows: list[tuple[bytes, ...]]) -> AccessRun | None:
    before, receive, roots, between, ids, entries, behind = zip(*rows, strict=True)
    if max(map(int, set(entries))) > MAX_ENTRIES:
        return None
    if b"0" in entries or _EMPTY_ROOT in roots:
        for count, root in zip(entries, roots, strict=True):
            if (count == b"0") != (root == _EMPTY_ROOT):
                return None
    frames = set()
    for parts in set(zip(before, between, behind, strict=True)):
        frame = _read_frame(*parts)
        if frame is None:
            return None
        frames.add(frame)
    raw = unhexlify(b"".join(ids).replace(b"-", b""))
    return AccessRun(
        ids=[raw[start : start + _ID_BYTES] for start in range(0, len(raw), _ID_BYTES)],
        receive_us=list(map(int, receive)),
        frames=frames,
    )


@lru_cache(maxsize=4_096)
def _read_frame(before: bytes, between: bytes, behind: bytes) -> AccessFrame | None:
    """Reads the record of this frame that has the plainest values in its places."""
    # A text of a record holds neither brackets nor braces, so that the places of `_LINE` and of
    # `_RECORD` are the same ones; any other values of their form fit there as well.
    match = _RECORD.fullmatch(before + _ANY_TIMES + between + _ANY_OWN + behind)
    if match is None:
        return None
    mode, register, rules, rule_set, verdict, why, organization, reasons, fields = match.groups()
    if reasons:
        if reasons.partition(b",")[0] != why or (verdict == b"allow" and mode == b"enforce"):
            return None
    elif verdict == b"deny":
        return None
    if not all(_are_distinct(listed) for listed in (rules, reasons, fields) if listed):
        return None
    return AccessFrame(int(register), int(rule_set), organization)


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


# A line of any text. Groups of an access: before the times, receive time, root, between root and
# id, id, number of entries, behind it; all empty otherwise.
_LINE = re.compile(
    (
        rf'^(?:([^[\n]*\[){_INTEGER},({_INTEGER})\],"d":"({_HASH})("[^}}\n]*\}},)'
        rf'"id":"({_UUID7})","n":({_INTEGER})(,[^\n]*)|[^\n]*)$'
    ).encode("ascii"),
    re.MULTILINE,
)
_ANY_TIMES = b'0,0],"d":"' + _EMPTY_ROOT
_ANY_OWN = b'"id":"00000000-0000-7000-8000-000000000000","n":0'

# Groups, in this order: mode, register, rules, rule set, verdict, why and the reasons with their
# quotation marks, organization, fields.
_RECORD = re.compile(
    (
        rf'{{"act":"(?:{_words(Act)})","app":"{_SLUG}","at":\[0,0\],"d":"{_HASH}",'
        rf'"dec":{{"mode":"({_words(Mode)})","reg":({_INTEGER}),'
        rf'"rules":\[({_list_of(_RULE, MAX_RULES)}?)\],"set":({_INTEGER}),'
        rf'"v":"({_words(Verdict)})","why":("{_CODE}")}},'
        rf'"id":"{_UUID7}","n":0,"o":"({_SLUG})",'
        rf'"purpose":"{_SLUG}",(?:"reasons":\[({_list_of(_CODE, MAX_RULES)})\],)?'
        rf'(?:"role":"{_SLUG}",)?"t":"access",'
        rf'"tgt":{{"fields":\[({_list_of(_SLUG, MAX_FIELDS)}?)\],'
        rf'"n":{_INTEGER},"sys":"{_SLUG}"}},"v":1,"who":{{{_WHO}}}}}'
    ).encode("ascii")
)
