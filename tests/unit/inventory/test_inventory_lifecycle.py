"""What holds when: pure rules over approved versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.core.errors import CallerError, DeniedError, Reason, StateError
from emanet.register.snapshot import Approval
from services.inventory.domain.versions import (
    Life,
    Stage,
    Version,
    announced,
    life_of,
    require_approvable,
    require_effective_time,
    version_at,
)

START = datetime(2026, 3, 1, tzinfo=UTC)


def version(number: int, approved: int, delay: int, stage: Stage = Stage.APPROVED) -> Version:
    """Approved at a minute, effective `delay` minutes later."""
    at = START + timedelta(minutes=approved)
    approval = Approval(
        number=number,
        digest=bytes(32),
        author="s-001",
        approver="s-002",
        approved=at,
        effective=at + timedelta(minutes=delay),
    )
    return Version(
        id=UUID(int=number),
        organization="cinar",
        number=number,
        digest=bytes(32),
        stage=stage,
        revision=number,
        author="s-001",
        submitted=at,
        approval=approval if stage is Stage.APPROVED else None,
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Version]:
    """Versions in the order of their approvals, with any delays."""
    steps = draw(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 100)), max_size=8))
    minute, made = 0, []
    for number, (step, delay) in enumerate(steps, start=1):
        minute += step
        made.append(version(number, minute, delay))
    return made


moments = st.integers(-10, 500).map(lambda minute: START + timedelta(minutes=minute))


@given(histories(), moments)
def test_the_announcement_is_what_will_hold(history: list[Version], now: datetime) -> None:
    """At every later moment, what holds is the last announced one whose time has come."""
    told = announced(history, now)
    for later in range(0, 600, 7):
        at = now + timedelta(minutes=later)
        assert version_at(told, at) == version_at(history, at)


@given(histories(), moments)
def test_the_highest_number_is_always_announced(history: list[Version], now: datetime) -> None:
    """A consumer can tell from it that it has everything, and that nothing was taken back."""
    told = announced(history, now)
    assert max((each.number for each in told), default=0) == len(history)
    assert [each.number for each in told] == sorted(each.number for each in told)


@given(histories(), st.integers(0, 100))
def test_a_new_approval_never_changes_the_past(history: list[Version], delay: int) -> None:
    """What held before an approval was given holds for that time ever after."""
    last = max((each.approval.approved for each in history if each.approval), default=START)
    minute = int((last - START).total_seconds() // 60)
    longer = [*history, version(len(history) + 1, minute, delay)]
    for before in range(1, 300, 5):
        at = last - timedelta(minutes=before)
        assert version_at(longer, at) == version_at(history, at)


@given(histories(), moments)
def test_one_version_at_most_is_effective(history: list[Version], now: datetime) -> None:
    """Lower numbers than the effective one are superseded, higher ones wait."""
    current = version_at(history, now)
    lives = [life_of(each, in_effect=current) for each in history]
    assert lives == sorted(lives, key=[Life.SUPERSEDED, Life.EFFECTIVE, Life.APPROVED].index)
    assert lives.count(Life.EFFECTIVE) == (current is not None)


def test_submitted_and_withdrawn_versions_keep_their_state() -> None:
    """Time does nothing to what nobody approved."""
    for stage in (Stage.SUBMITTED, Stage.WITHDRAWN):
        assert life_of(version(1, 0, 0, stage), in_effect=None).value == stage.value


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"digest": bytes(31) + b"1"}, Reason.DIGEST_MISMATCH),
        ({"person": "s-001"}, Reason.SECOND_PERSON_REQUIRED),
        ({"person": "s-003"}, Reason.SECOND_PERSON_REQUIRED),
    ],
)
def test_only_a_second_person_approves_what_was_read(
    changes: dict[str, object], reason: Reason
) -> None:
    """Another digest, the author and an editor are refused."""
    asked: dict[str, object] = {
        "digest": bytes(32),
        "person": "s-009",
        "editors": frozenset({"s-003"}),
    }
    require_approvable(version(1, 0, 0, Stage.SUBMITTED), **asked)
    with pytest.raises((StateError, DeniedError)) as refused:
        require_approvable(version(1, 0, 0, Stage.SUBMITTED), **(asked | changes))
    assert refused.value.reason is reason


def test_an_effective_time_is_now_or_later() -> None:
    """No time means at once."""
    assert require_effective_time(None, now=START) == START
    assert require_effective_time(START, now=START) == START
    with pytest.raises(CallerError):
        require_effective_time(START - timedelta(microseconds=1), now=START)
