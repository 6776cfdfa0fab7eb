"""Which of the wanted values may no longer be read for the stated purpose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from emanet.register.declared import rows_for
from emanet.register.retention import CREATION_EVENTS, OPEN_BUCKET, row_lapse
from emanet.register.values import Register, RowRef
from services.access_audit.domain.claim import Claim, ClaimItem

__all__ = ["lapsed_fields", "needs_events"]

_NO_EVENTS: Mapping[str, datetime] = {}


def needs_events(register: Register, claim: Claim) -> bool:
    """Whether any wanted field's period starts with an event that somebody pushes."""
    return any(
        _is_open(register, ref)
        for slug in claim.fields
        for ref in rows_for(register, field=slug, purpose=claim.purpose)
    )


def lapsed_fields(
    register: Register,
    claim: Claim,
    *,
    at: datetime,
    events: Mapping[str, Mapping[str, datetime]],
) -> frozenset[str]:
    """The fields of which at least one wanted value is past its period for the purpose.

    A value may be read until the last of the rows that hold it for the purpose has lapsed. An
    unknown bucket can only be judged where starts are events.

    Args:
        register: in effect.
        claim: the access.
        at: when.
        events: by subject text, then event name.
    """
    lapsed: set[str] = set()
    judged: set[tuple[str, str, str]] = set()
    for item in claim.items:
        if item.field in lapsed:
            continue
        rows = rows_for(register, field=item.field, purpose=claim.purpose)
        is_open = any(_is_open(register, ref) for ref in rows)
        subject = str(item.subject) if is_open and item.subject is not None else ""
        key = (item.field, item.bucket, subject)
        if key in judged:
            continue
        judged.add(key)
        if rows and _has_lapsed(register, rows, item, at, events.get(subject, _NO_EVENTS)):
            lapsed.add(item.field)
    return frozenset(lapsed)


def _has_lapsed(
    register: Register,
    rows: tuple[RowRef, ...],
    item: ClaimItem,
    at: datetime,
    events: Mapping[str, datetime],
) -> bool:
    for ref in rows:
        if not item.bucket and not _is_open(register, ref):
            return False
        end = row_lapse(register, ref, bucket=item.bucket or OPEN_BUCKET, events=events)
        if end is None or end > at:
            return False
    return True


def _is_open(register: Register, ref: RowRef) -> bool:
    rule = register.retention.get(ref.row.keep) if isinstance(ref.row.keep, str) else None
    return rule is None or rule.start not in CREATION_EVENTS
