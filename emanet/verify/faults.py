"""What can be wrong with a log, as values: kind, record, file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from emanet.core.errors import EmanetError, Reason, error

__all__ = ["Fault", "FaultKind"]


class FaultKind(StrEnum):
    """What is wrong; new values may appear."""

    CHECKPOINT_MISSING = "checkpoint_missing"
    """The directory has no checkpoint: the export did not end."""
    CHECKPOINT_REFUSED = "checkpoint_refused"
    """The checkpoint is malformed, or not signed by the key."""
    FILE_MISSING = "file_missing"
    """A file that a log of this size has is not there."""
    FILE_EXTRA = "file_extra"
    """A file that a log of this size does not have is there."""
    FILE_MALFORMED = "file_malformed"
    """A file is cut off, too long, or holds another number of records."""
    RECORD_CHANGED = "record_changed"
    """A record is not the one that was logged."""
    RECORDS_CHANGED = "records_changed"
    """Some record of a range is not the one that was logged."""
    LOG_CHANGED = "log_changed"
    """Records and tiles agree with each other, and with nothing that the key signed."""
    TILE_CHANGED = "tile_changed"
    """A tile differs from the records, which are those that were logged."""
    FORM = "form"
    """A record is not of its closed schema."""
    ORGANIZATION = "organization"
    """A record names another organization than the log."""
    ID_TWICE = "id_twice"
    """A record has the id of an earlier one."""
    TIME_FALLS = "time_falls"
    """A record was received before the one in front of it."""
    NUMBER = "number"
    """A register version or rule set has a number out of order."""
    REGISTER_UNBOUND = "register_unbound"
    """An access names a register version that no earlier record binds to a digest."""
    RULES_UNBOUND = "rules_unbound"
    """An access names a rule set that no earlier record binds to a digest."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """An outcome names an access that is not among the earlier records."""
    KEY_ORDER = "key_order"
    """A key was destroyed without an earlier intent of the same author."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        kind: what.
        record: 0-based index of the record, as in receipts; None where it is no single one.
        last: the range's last record, for `RECORDS_CHANGED`; None otherwise.
        path: the file below the directory; empty where it is no single one.
        detail: what the check found, in English; holds no personal data.
    """

    kind: FaultKind
    record: int | None = None
    last: int | None = None
    path: str = ""
    detail: str = ""

    def to_error(self) -> EmanetError:
        """LOG_CORRUPT with the fault in its metadata."""
        place = "" if self.record is None else f"record {self.record:,}: "
        return error(
            Reason.LOG_CORRUPT,
            problem=f"{place}{self.detail or self.kind.value}",
            fault=self.kind.value,
            record="" if self.record is None else str(self.record),
            path=self.path,
        )
