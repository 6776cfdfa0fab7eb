"""A client's memory of the log: what it refuses, and what it learns."""

from __future__ import annotations

import hashlib

import pytest

from emanet.client.log_memory import LogMemory
from emanet.core.checkpoint import Checkpoint, Note, NoteSignature, format_checkpoint, format_note
from emanet.core.errors import EmanetError, Reason

ORIGIN = "emanet-dev/local/menekse/1"


def _note(size: int, *, root: bytes = b"a", origin: str = ORIGIN) -> str:
    checkpoint = Checkpoint(origin=origin, size=size, root=hashlib.sha256(root).digest())
    signature = NoteSignature(name=origin, key_id=bytes(4), signature=bytes(64))
    return format_note(Note(text=format_checkpoint(checkpoint), signatures=(signature,)))


def _memory(size: int) -> LogMemory:
    memory = LogMemory()
    memory.learn(_note(size), at_sending=None)
    return memory


def test_a_larger_log_is_remembered():
    """The largest tree seen is what the next answer is compared with."""
    memory = _memory(5)
    memory.learn(_note(9, root=b"b"), at_sending=memory.known())
    assert memory.known().size == 9


def test_an_answer_that_was_on_its_way_is_no_fault():
    """Answers overtake each other: only what was known at sending counts, and nothing shrinks."""
    memory = _memory(5)
    before = memory.known()
    memory.learn(_note(9, root=b"b"), at_sending=before)
    memory.learn(_note(7, root=b"c"), at_sending=before)
    assert memory.known().size == 9


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (_note(4), Reason.LOG_BEHIND),
        (_note(5, root=b"b"), Reason.LOG_FORK),
        (_note(6, origin="emanet-dev/local/defne/1"), Reason.LOG_FORK),
        ("no note at all", Reason.LOG_CORRUPT),
        ("", Reason.LOG_CORRUPT),
    ],
)
def test_a_restored_or_forked_log_is_refused(note, reason):
    """A smaller tree, another root or another log is not believed, and not remembered."""
    memory = _memory(5)
    with pytest.raises(EmanetError) as refused:
        memory.learn(note, at_sending=memory.known())
    assert refused.value.reason is reason
    assert memory.known().size == 5
