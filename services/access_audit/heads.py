"""The head of each log as this process knows it: nothing is signed that does not extend it.

The database's owner can rewrite every row. What they cannot do is make this process sign a history
that does not continue the last one: the control row is compared with the head in memory, which was
itself compared with the checkpoint file at start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from emanet.core.checkpoint import Checkpoint
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.merkle import CompactRange
from services.access_audit import storage
from services.access_audit.failures import renewed
from services.access_audit.signer import CheckpointFiles, LogKeys
from services.access_audit.storage.log import Control

__all__ = ["Head", "Heads"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """A signed state of a log: whose, origin, compact range, and the note that signs it."""

    organization: str
    origin: str
    frontier: CompactRange
    note: str


class Heads:
    """Signs heads, keeps the last one of each organization, and refuses logs that do not fit."""

    def __init__(
        self,
        *,
        keys: LogKeys,
        files: CheckpointFiles,
        check: Callable[[Connection, Control, Checkpoint | None], None],
    ) -> None:
        """Builds an empty memory.

        Args:
            keys: signing keys.
            files: last checkpoints outside the database.
            check: compares a log with its own rows and with the file's checkpoint; raises what is
                wrong. Called once for each organization, before anything is signed for it.
        """
        self._keys = keys
        self._files = files
        self._check = check
        self._heads: dict[str, Head] = {}
        self._blocked: dict[str, EmanetError] = {}
        self._mutex = threading.Lock()

    def blocked(self, organization: str) -> EmanetError | None:
        """Why the organization's log is refused; None when it is not."""
        return self._blocked.get(organization)

    def head(self, organization: str) -> Head | None:
        """The last head that was signed here; None before the first use."""
        return self._heads.get(organization)

    def require(self, connection: Connection, control: Control) -> Head:
        """The head that continues what is known and stands in the control row.

        Raises:
            UnavailableError: LOG_BEHIND, the database was restored from an older copy.
            IntegrityError: LOG_FORK or LOG_CORRUPT; kept until the process starts again.
        """
        organization = control.log.organization
        blocked = self._blocked.get(organization)
        if blocked is not None:
            raise renewed(blocked)
        known = self._heads.get(organization)
        try:
            if known is None or known.origin != control.origin:
                return self._first(connection, control)
            return self._next(connection, control, known)
        except EmanetError as failure:
            if failure.reason in _FINAL:
                self._blocked[organization] = renewed(failure)
                _log.error("log.refused", organization=organization, reason=failure.reason.value)
            raise

    def advance(self, control: Control) -> Head:
        """Signs a committed head and writes it to its file before anybody hears of it.

        Raises:
            StateError: SECRET_UNUSABLE, the file cannot be written.
        """
        organization = control.log.organization
        with self._mutex:
            known = self._heads.get(organization)
            if (
                known is not None
                and known.origin == control.origin
                and known.frontier.size >= control.frontier.size
            ):
                return known
            head = self._signed(control)
            self._files.write(organization, head.note)
            self._heads[organization] = head
            return head

    def _first(self, connection: Connection, control: Control) -> Head:
        saved = self._files.read(control.log.organization, control.origin)
        self._check(connection, control, saved)
        if saved is None and control.frontier.size:
            _log.warning("checkpoint.missing", organization=control.log.organization)
        return self.advance(control)

    def _next(self, connection: Connection, control: Control, known: Head) -> Head:
        size = control.frontier.size
        if size == known.frontier.size:
            if control.frontier != known.frontier:
                raise error(Reason.LOG_FORK)
            return known
        if size < known.frontier.size:
            raise error(Reason.LOG_BEHIND)
        added = _hashes(connection, control, start=known.frontier.size)
        if known.frontier.extend(added) != control.frontier:
            raise error(Reason.LOG_FORK)
        return self.advance(control)

    def _signed(self, control: Control) -> Head:
        checkpoint = Checkpoint(
            origin=control.origin, size=control.frontier.size, root=control.frontier.root()
        )
        return Head(
            organization=control.log.organization,
            origin=control.origin,
            frontier=control.frontier,
            note=self._keys.sign(checkpoint),
        )


_FINAL = frozenset(
    {Reason.LOG_BEHIND, Reason.LOG_FORK, Reason.LOG_CORRUPT, Reason.PSEUDONYM_CORRUPT}
)


def _hashes(connection: Connection, control: Control, *, start: int) -> Iterator[bytes]:
    rows = storage.log.stream_leaves(
        connection, control.log, start=start, end=control.frontier.size, with_data=False
    )
    return (row.hash for row in rows)
