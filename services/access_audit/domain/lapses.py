"""Which of the wanted values may no longer be read for the stated purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from emanet.register.declared import rows_for
from emanet.register.retention import CREATION_EVENTS, OPEN_BUCKET, row_lapse
from emanet.register.values import Register, RowRef
from services.access_audit.domain.claim import Claim, ClaimItem

__all__ = ["Lapses"]

_NO_EVENTS: Mapping[str, datetime] = {}
_MAX_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class _Declared:
    """The rows that hold a field for a purpose; `is_open`: one of them starts with an event."""

    rows: tuple[RowRef, ...]
    is_open: bool


class Lapses:
    """Judges values by one register version; remembers what depends on nothing else.

    A value may be read until the last of the rows that hold it for the purpose has lapsed. An
    unknown bucket can only be judged where starts are events. Safe for use from several threads.
    """

    def __init__(self, register: Register) -> None:
        """Keeps the register."""
        self._register = register
        self._declared: dict[tuple[str, str], _Declared] = {}
        self._ends: dict[tuple[str, str, str], datetime | None] = {}

    def needs_events(self, claim: Claim) -> bool:
        """Whether any wanted field's period starts with an event that somebody pushes."""
        return any(self._of(slug, claim.purpose).is_open for slug in claim.fields)

    def lapsed_fields(
        self, claim: Claim, *, at: datetime, events: Mapping[str, Mapping[str, datetime]]
    ) -> frozenset[str]:
        """The fields of which at least one wanted value is past its period for the purpose.

        Args:
            claim: the access.
            at: when.
            events: by subject text, then event name.
        """
        lapsed: set[str] = set()
        for item in claim.items:
            if item.field in lapsed:
                continue
            end = self._end(item, claim.purpose, events)
            if end is not None and end <= at:
                lapsed.add(item.field)
        return frozenset(lapsed)

    def _end(
        self,
        item: ClaimItem,
        purpose: str,
        events: Mapping[str, Mapping[str, datetime]],
    ) -> datetime | None:
        declared = self._of(item.field, purpose)
        if declared.is_open:
            own = events.get(str(item.subject), _NO_EVENTS) if events else _NO_EVENTS
            return self._last(declared, item.bucket or OPEN_BUCKET, own) if own else None
        if not item.bucket:
            return None
        key = (item.field, purpose, item.bucket)
        if key not in self._ends:
            if len(self._ends) >= _MAX_KNOWN:
                self._ends.clear()
            self._ends[key] = self._last(declared, item.bucket, _NO_EVENTS)
        return self._ends[key]

    def _last(
        self, declared: _Declared, bucket: str, events: Mapping[str, datetime]
    ) -> datetime | None:
        ends = [
            row_lapse(self._register, ref, bucket=bucket, events=events) for ref in declared.rows
        ]
        known = [end for end in ends if end is not None]
        return max(known) if known and len(known) == len(ends) else None

    def _of(self, field: str, purpose: str) -> _Declared:
        found = self._declared.get((field, purpose))
        if found is None:
            rows = rows_for(self._register, field=field, purpose=purpose)
            found = _Declared(rows=rows, is_open=any(map(self._is_open, rows)))
            if len(self._declared) >= _MAX_KNOWN:
                self._declared.clear()
            self._declared[field, purpose] = found
        return found

    def _is_open(self, ref: RowRef) -> bool:
        keep = ref.row.keep
        rule = self._register.retention.get(keep) if isinstance(keep, str) else None
        return rule is None or rule.start not in CREATION_EVENTS
