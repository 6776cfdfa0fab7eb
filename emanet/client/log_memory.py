"""A client's memory of the log: the largest checkpoint that it knew when it sent a request.

An answer with a smaller tree, or another root for the same size, is refused: somebody restored an
old log, or shows different histories to different readers (FORMATS, Log). Larger ones are taken.
Signatures are not checked here; crypto and `emanet verify` do that.
"""

from __future__ import annotations

import threading

from emanet.core.checkpoint import Checkpoint, parse_checkpoint, parse_note
from emanet.core.errors import Reason, error

__all__ = ["LogMemory"]


class LogMemory:
    """The largest checkpoint seen of one organization; safe for threads."""

    def __init__(self) -> None:
        self._known: Checkpoint | None = None
        self._lock = threading.Lock()

    def known(self) -> Checkpoint | None:
        """What is known now; taken before a request is sent."""
        return self._known

    def learn(self, note: str, *, at_sending: Checkpoint | None) -> None:
        """Compares an answer's checkpoint with what was known and keeps the larger.

        Raises:
            UnavailableError: LOG_BEHIND, the tree is smaller than it was.
            IntegrityError: LOG_FORK, another root for the same size or another log;
                LOG_CORRUPT, not a checkpoint.
        """
        seen = parse_checkpoint(parse_note(note).text)
        if at_sending is not None:
            if seen.size < at_sending.size:
                raise error(Reason.LOG_BEHIND)
            if seen.origin != at_sending.origin or (
                seen.size == at_sending.size and seen.root != at_sending.root
            ):
                raise error(Reason.LOG_FORK)
        with self._lock:
            if self._known is None or seen.size > self._known.size:
                self._known = seen
