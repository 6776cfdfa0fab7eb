"""Access records as the command line shows them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from emanet.cli.arguments import iso_time, local_time
from emanet.cli.session import Session

if TYPE_CHECKING:
    from emanet.api.access_audit.v1.resources_pb2 import AccessRecord

__all__ = ["record_as_json", "show_records"]

_TOKEN_SHOWN = 8


def record_as_json(record: AccessRecord) -> dict[str, object]:
    """A record as a JSON document; what was erased is an empty text."""
    from emanet.api.access_audit.v1.resources_pb2 import Action, Verdict

    return {
        "name": record.name,
        "index": record.index,
        "event_time": iso_time(record.event_time.ToDatetime(tzinfo=dt.UTC)),
        "receive_time": iso_time(record.receive_time.ToDatetime(tzinfo=dt.UTC)),
        "actor_kind": record.actor_kind,
        "actor": record.actor,
        "person": record.person,
        "role": record.role,
        "application": record.application,
        "purpose": record.purpose,
        "action": Action.Name(record.action).removeprefix("ACTION_").lower(),
        "fields": list(record.fields),
        "count": record.count,
        "verdict": Verdict.Name(record.verdict).removeprefix("VERDICT_").lower(),
        "mode": record.mode,
        "reason": record.reason,
        "reasons": list(record.reasons),
        "rules": list(record.rules),
        "register": record.register_number,
        "rule_set": record.rule_set_number,
        "subject_tokens": list(record.subject_tokens),
        "subjects": list(record.subjects),
        "case": f"{record.case.kind}/{record.case.ref}" if record.case.kind else "",
        "waiting_for_review": record.waiting_for_review,
        "session": record.session,
        "connection": record.connection,
        "recipient": record.recipient,
    }


def show_records(session: Session, records: list[AccessRecord]) -> None:
    """Two lines a record: when, who, the answer; what, for what, and why."""
    for record in records:
        session.print(*_lines(session, record))


def _lines(session: Session, record: AccessRecord) -> tuple[str, str]:
    from emanet.api.access_audit.v1.resources_pb2 import VERDICT_DENY, Action

    who = record.person or (
        record.actor if record.actor_kind == "app" else f"{record.actor[:_TOKEN_SHOWN]}…"
    )
    answer = session.say("audit.denied" if record.verdict == VERDICT_DENY else "audit.allowed")
    if record.waiting_for_review:
        answer = session.say("audit.review")
    when = local_time(record.receive_time.ToDatetime(tzinfo=dt.UTC))
    role = f" ({record.role})" if record.role else ""
    action = Action.Name(record.action).removeprefix("ACTION_").lower()
    fields = ", ".join(record.fields)
    return (
        f"{record.index:>6,}  {when}  {answer:<8}  {who}{role}",
        f"        {action} {fields} ({record.count}) · {record.purpose} · {record.reason}",
    )
