"""Which wanted values are past their retention period for the stated purpose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from emanet.register.declared import rows_for
from emanet.register.retention import CREATION_EVENTS, OPEN_BUCKET, row_lapse
from emanet.register.values import Register, RowRef
from emanet.testing.access import Item

__all__ = ["lapsed_fields"]


def lapsed_fields(
    register: Register,
    items: Iterable[Item],
    *,
    purpose: str,
    at: datetime,
    events: Mapping[str, Mapping[str, datetime]],
) -> frozenset[str]:
    """The fields of which at least one wanted value may no longer be read for the purpose.

    A value may be read until the last of the rows that hold it for the purpose has lapsed. An
    unknown bucket can only be judged where starts are events.

    Args:
        register: in effect.
        items: what is wanted.
        purpose: for what.
        at: when.
        events: start events by subject, then by name.
    """
    return frozenset(
        item.field
        for item in items
        if _has_lapsed(
            register,
            rows_for(register, field=item.field, purpose=purpose),
            bucket=item.bucket,
            at=at,
            events=events.get(item.subject, {}),
        )
    )


def _has_lapsed(
    register: Register,
    rows: tuple[RowRef, ...],
    *,
    bucket: str,
    at: datetime,
    events: Mapping[str, datetime],
) -> bool:
    for ref in rows:
        if not bucket and not _is_open(register, ref):
            return False
        end = row_lapse(register, ref, bucket=bucket or OPEN_BUCKET, events=events)
        if end is None or end > at:
            return False
    return bool(rows)


def _is_open(register: Register, ref: RowRef) -> bool:
    rule = register.retention.get(ref.row.keep) if isinstance(ref.row.keep, str) else None
    return rule is None or rule.start not in CREATION_EVENTS
