"""Register versions: submitted, withdrawn or approved as stored; the rest follows from time.

An approved version is in effect at T when it has the highest number whose effective time is not
after T (docs/formats/register.md). Nothing is written when a version takes effect, so nothing can
be forgotten, and what held at a past time never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from emanet.core.errors import Reason, error
from emanet.register.snapshot import Approval

__all__ = [
    "Life",
    "Stage",
    "Version",
    "announced",
    "life_of",
    "require_approvable",
    "require_effective_time",
    "version_at",
]


class Stage(StrEnum):
    """What is stored about a version."""

    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"


class Life(StrEnum):
    """Where a version is in its life at a time."""

    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    EFFECTIVE = "effective"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Version:
    """A submission and, once it is approved, its approval; without the snapshot's bytes.

    Attributes:
        id: of the submission.
        organization: slug.
        number: from 1; final only when approved.
        digest: SHA-256 of the snapshot, 32 bytes.
        stage: as stored.
        revision: of the draft that was submitted.
        author: person id of who submitted it.
        submitted: when.
        approval: who approved it and from when it holds; None before.
    """

    id: UUID
    organization: str
    number: int
    digest: bytes
    stage: Stage
    revision: int
    author: str = field(repr=False)
    submitted: datetime
    approval: Approval | None = None


def version_at(approved: Iterable[Version], at: datetime) -> Version | None:
    """The version in effect at a time, None before the first."""
    running = [each for each in approved if each.approval and each.approval.effective <= at]
    return max(running, key=lambda each: each.number, default=None)


def life_of(version: Version, *, in_effect: Version | None) -> Life:
    """Where a version is in its life while another, or itself, is in effect.

    An approved version below the one in effect is superseded even if its own time is still to
    come: the higher number holds then too.
    """
    if version.stage is not Stage.APPROVED:
        return Life(version.stage.value)
    current = in_effect.number if in_effect else 0
    if version.number == current:
        return Life.EFFECTIVE
    return Life.SUPERSEDED if version.number < current else Life.APPROVED


def announced(approved: Sequence[Version], at: datetime) -> tuple[Version, ...]:
    """The version in effect, then those that will take effect, in the order of their times.

    The highest number is always among them. One that a higher number overtakes before its own
    time never holds and is left out.
    """
    current = version_at(approved, at)
    coming: list[Version] = []
    floor = current.number if current else 0
    scheduled = [each for each in approved if each.number > floor and each.approval]
    for version in sorted(scheduled, key=_order):
        if version.number > floor:
            coming.append(version)
            floor = version.number
    return (*((current,) if current else ()), *coming)


def require_approvable(
    version: Version, *, digest: bytes, person: str, editors: frozenset[str]
) -> None:
    """Verifies that a person may approve exactly this submission.

    Raises:
        StateError: VERSION_STATE, it is not waiting; DIGEST_MISMATCH, the approver read another.
        DeniedError: SECOND_PERSON_REQUIRED, the person wrote or submitted some of it.
    """
    if digest != version.digest:
        raise error(Reason.DIGEST_MISMATCH, resource=_resource(version))
    if version.stage is not Stage.SUBMITTED:
        raise error(Reason.VERSION_STATE, resource=_resource(version), state=version.stage.value)
    if person == version.author or person in editors:
        raise error(Reason.SECOND_PERSON_REQUIRED)


def require_effective_time(wanted: datetime | None, *, now: datetime) -> datetime:
    """From when an approval given now holds; at once when no time is wanted.

    Raises:
        CallerError: INVALID_FIELD, the time has passed: the past never changes.
    """
    if wanted is None:
        return now
    if wanted < now:
        raise error(Reason.INVALID_FIELD, violations=(("effective_time", "before now"),))
    return wanted


def _order(version: Version) -> tuple[datetime, int]:
    if version.approval is None:
        raise error(Reason.REGISTER_CORRUPT)
    return version.approval.effective, -version.number


def _resource(version: Version) -> str:
    return f"registerVersions/{version.number}"
