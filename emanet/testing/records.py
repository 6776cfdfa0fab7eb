"""What the fake remembers of each access, for tests to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from emanet.client.reading import Case
from emanet.core.leaf_terms import Act, ActorKind, Mode, Verdict
from emanet.core.names import Collection, format_name
from emanet.core.reasons import Reason
from emanet.rules.question import CountNeed, Decision, Tally
from emanet.rules.values import Counted, Per
from emanet.testing.access import Access

__all__ = ["RecordedAccess", "record_of", "tally"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAccess:
    """One access record. The words (`deny`, `decrypt`, `human`) compare equal to plain text.

    Attributes:
        name: `organizations/{organization}/accessRecords/{uuid7}`.
        time: when it happened.
        verdict: `allow` or `deny`.
        mode: `enforce`, `alert` or `observe`.
        reason: the reason of a denial, or what explains an allowance (`CASE`).
        reasons: every reason against it.
        rules: ids of the rules that decided.
        role: the role that matched; empty when none did.
        actor: `human`, `app` or `data_subject`.
        actor_id: person id, application name or subject.
        act: the nature of the access (`decrypt`, `read_masked`).
        count: how many values.
        waiting_for_review: allowed, and nothing explains it.
        released: the values left, so they count against limits.
    """

    name: str
    time: datetime
    verdict: Verdict
    mode: Mode
    reason: str
    reasons: tuple[Reason, ...]
    rules: tuple[str, ...]
    role: str
    application: str
    actor: ActorKind
    actor_id: str = field(repr=False)
    purpose: str
    act: Act
    fields: tuple[str, ...]
    subjects: tuple[str, ...] = field(repr=False)
    count: int
    case: Case | None = field(repr=False)
    recipient: str
    session: str = field(repr=False)
    host: str = field(repr=False)
    connection: str = field(repr=False)
    justification: str = field(repr=False)
    waiting_for_review: bool
    released: bool


def record_of(
    organization: str, access: Access, decision: Decision, *, now: datetime, has_happened: bool
) -> RecordedAccess:
    """The record of a decided access.

    Args:
        organization: whose.
        access: what was asked for.
        decision: what was decided.
        now: when it is received.
        has_happened: it was reported afterwards, so that nothing was enforced.
    """
    observed = has_happened and decision.reason is not None and decision.mode is Mode.ENFORCE
    return RecordedAccess(
        name=format_name(organization, Collection.ACCESS_RECORDS.value, str(access.id)),
        time=access.time or now,
        verdict=decision.recorded,
        mode=Mode.OBSERVE if observed else decision.mode,
        reason=decision.why,
        reasons=decision.reasons,
        rules=decision.rules,
        role=decision.role,
        application=access.application,
        actor=access.actor,
        actor_id=access.actor_id,
        purpose=access.purpose,
        act=access.act,
        fields=access.fields,
        subjects=access.subjects,
        count=access.values,
        case=None if access.case is None else Case(access.case.kind, access.case.ref),
        recipient=access.recipient,
        session=access.session,
        host=access.host,
        connection=access.connection,
        justification=access.justification,
        waiting_for_review=decision.waits_for_review,
        released=has_happened or decision.verdict is Verdict.ALLOW,
    )


def tally(
    received: Sequence[tuple[datetime, RecordedAccess]], need: CountNeed, access: Access
) -> Tally:
    """What a limit has counted before this access.

    Args:
        received: earlier records with the time at which they were received.
        need: the counter wanted.
        access: the access that is about to be decided.
    """
    counted = [
        record
        for at, record in received
        if record.released and _fits(record, at, need=need, access=access)
    ]
    if need.counted is Counted.RECORDS:
        return Tally(total=sum(record.count for record in counted))
    subjects = {subject for record in counted for subject in record.subjects}
    return Tally(total=len(subjects), overlap=len(subjects.intersection(access.subjects)))


def _fits(record: RecordedAccess, at: datetime, *, need: CountNeed, access: Access) -> bool:
    if need.per is Per.CASE:
        wanted = access.case
        return wanted is not None and record.case == (wanted.kind, wanted.ref)
    if (record.actor, record.actor_id) != (access.actor, access.actor_id):
        return False
    return record.purpose == access.purpose and (need.since is None or at >= need.since)
