"""What a destruction may destroy: one answer for each retention class, with its law.

An erasure request (KVKK art. 7 and 11/1-e) takes away consent and nothing else. So a class goes
when every row that holds its fields rests on consent; where another basis holds it, it stays:
until a date where a law sets a least period (direction `minimum`, or the start of a `range`), else
as long as that row stands. A duty to keep is a basis of its own (art. 5/2-ç) and has its own row; a
row that rests on consent claims none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from emanet.core.errors import Reason, error
from emanet.register.protection import RegisterView, bucket_month
from emanet.register.reference import reference
from emanet.register.retention import (
    OPEN_BUCKET,
    LegalFloor,
    class_lapse,
    class_rules,
    is_open_class,
    legal_floor,
)
from emanet.register.values import Register, RowRef

__all__ = [
    "Ground",
    "Outcome",
    "PlanItem",
    "plan_bucket",
    "plan_ended",
    "plan_request",
    "view_of_class",
]


class Ground(StrEnum):
    """Why keys are destroyed."""

    SUBJECT_REQUEST = "subject_request"
    RETENTION_ENDED = "retention_ended"


class Outcome(StrEnum):
    """What happens to one retention class."""

    DESTROYED = "destroyed"
    KEPT = "kept"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PlanItem:
    """The answer for one retention class.

    Attributes:
        retention_class: the class.
        outcome: what happens.
        until: for KEPT, the end of the least period; None while its start is not known.
        article: for KEPT the law, for REFUSED the row's basis.
        row: for KEPT and REFUSED, the register row at fault (`activities/billing/rows/0`).
        fields: the fields that the class holds.
    """

    retention_class: str
    outcome: Outcome
    until: datetime | None = None
    article: str = ""
    row: str = ""
    fields: tuple[str, ...] = ()


def view_of_class(views: Sequence[RegisterView], retention_class: str) -> RegisterView | None:
    """The newest version that knows the class: by its fields, else by its rules; None if none does.

    Args:
        views: versions that are or were in effect, newest first.
        retention_class: the class.
    """
    for view in views:
        if any(rule.retention_class == retention_class for rule in view.fields.values()):
            return view
    slugs = class_rules(retention_class)
    for view in views:
        if all(slug in view.register.retention for slug in slugs):
            return view
    return None


def plan_request(
    view: RegisterView | None, retention_class: str, *, latest_bucket: str | None, at: datetime
) -> PlanItem:
    """The answer to a data subject's request for one class.

    Args:
        view: from `view_of_class`; a class that no version knows is refused.
        retention_class: the class.
        latest_bucket: the latest month in which the class has values of anybody, a safe upper
            bound for this subject's; None when there are none.
        at: now.
    """
    if view is None:
        return PlanItem(retention_class, Outcome.REFUSED)
    fields = _fields(view, retention_class)
    others = [ref for ref in _rows(view.register, fields) if not _rests_on_consent(ref)]
    if not others:
        outcome = Outcome.DESTROYED if fields else Outcome.REFUSED
        return PlanItem(retention_class, outcome, fields=fields)
    floor = _floor(view.register, retention_class, others, latest_bucket)
    if floor is not None and (floor.until is None or floor.until > at):
        row = next(ref for ref in others if ref.row.keep == floor.retention)
        return PlanItem(
            retention_class, Outcome.KEPT, floor.until, floor.citation, row.path, fields
        )
    first = others[0]
    return PlanItem(
        retention_class,
        Outcome.REFUSED,
        article=first.row.basis if isinstance(first.row.basis, str) else "",
        row=first.path,
        fields=fields,
    )


def plan_ended(
    view: RegisterView | None,
    retention_class: str,
    *,
    latest_bucket: str | None,
    is_due: bool,
    at: datetime,
) -> PlanItem:
    """The answer when the retention of one subject's class is said to have ended.

    Args:
        view: from `view_of_class`; a class that no version knows is refused.
        retention_class: the class.
        latest_bucket: as in `plan_request`.
        is_due: whether access_audit, which has the start events, lists subject and class as due;
            asked for classes with the open bucket.
        at: now.
    """
    if view is None:
        return PlanItem(retention_class, Outcome.REFUSED)
    register, fields = view.register, _fields(view, retention_class)
    if is_open_class(register, retention_class):
        lapse, has_lapsed = None, is_due
    else:
        bucket = latest_bucket or bucket_month(at)
        lapse = class_lapse(register, retention_class, bucket=bucket, events={})
        has_lapsed = lapse is not None and lapse <= at
    if has_lapsed:
        return PlanItem(retention_class, Outcome.DESTROYED, fields=fields)
    rows = _rows(register, fields)
    floor = _floor(register, retention_class, rows, latest_bucket) if rows else None
    return PlanItem(
        retention_class,
        Outcome.KEPT,
        lapse,
        retention_class if floor is None else floor.citation,
        rows[0].path if rows else "",
        fields,
    )


def plan_bucket(
    view: RegisterView | None, retention_class: str, *, bucket: str, at: datetime
) -> PlanItem:
    """The plan for one class and month whose period has lapsed.

    Raises:
        StateError: RETENTION_RUNNING, a rule of the class or a law behind it still runs, or its
            end is not known.
    """
    if view is None:
        raise error(Reason.RETENTION_RUNNING, until="?", rule=retention_class)
    register = view.register
    lapse = class_lapse(register, retention_class, bucket=bucket, events={})
    if lapse is None or lapse > at:
        until = "?" if lapse is None else lapse.date().isoformat()
        raise error(Reason.RETENTION_RUNNING, until=until, rule=retention_class)
    floor = legal_floor(register, retention_class, bucket=bucket, events={})
    if floor is not None and (floor.until is None or floor.until > at):
        until = "?" if floor.until is None else floor.until.date().isoformat()
        raise error(Reason.RETENTION_RUNNING, until=until, rule=floor.citation)
    return PlanItem(retention_class, Outcome.DESTROYED, fields=_fields(view, retention_class))


def _fields(view: RegisterView, retention_class: str) -> tuple[str, ...]:
    return tuple(
        sorted(
            slug for slug, rule in view.fields.items() if rule.retention_class == retention_class
        )
    )


def _rows(register: Register, fields: Sequence[str]) -> list[RowRef]:
    found = {
        (ref.activity, ref.index): ref
        for field in fields
        for ref in register.rows_by_field.get(field, ())
    }
    return [found[place] for place in sorted(found)]


def _rests_on_consent(ref: RowRef) -> bool:
    if not isinstance(ref.row.basis, str):
        return False
    basis = reference().bases_by_article.get(ref.row.basis)
    return basis is not None and basis.is_consent


def _floor(
    register: Register,
    retention_class: str,
    rows: Sequence[RowRef],
    latest_bucket: str | None,
) -> LegalFloor | None:
    """The latest least period of the laws behind these rows of the class."""
    slugs = sorted({ref.row.keep for ref in rows if isinstance(ref.row.keep, str)})
    is_open = is_open_class(register, retention_class)
    bucket = OPEN_BUCKET if is_open or latest_bucket is None else latest_bucket
    return legal_floor(register, "+".join(slugs), bucket=bucket, events={})
