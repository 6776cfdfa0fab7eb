"""`emanet status`: what runs, what is in effect, and which promises hold right now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emanet.cli.arguments import iso_time
from emanet.cli.binding import Command
from emanet.cli.local import LocalRecord
from emanet.cli.session import Session
from emanet.core.errors import EmanetError, Reason, error

if TYPE_CHECKING:
    from emanet.api.access_audit.v1.access_audit_pb2 import GetServiceInfoResponse
    from emanet.client.admin import Admin
    from emanet.client.channel import Endpoints

__all__ = ["COMMANDS"]


@dataclass(frozen=True, slots=True)
class _Service:
    """One service as it answered, or why it did not."""

    name: str
    target: str
    version: str = ""
    mode: str = ""
    problem: EmanetError | None = None

    def as_json(self) -> dict[str, object]:
        state = self.problem.reason.value if self.problem else "SERVING"
        return {
            "service": self.name,
            "address": self.target,
            "state": state,
            "version": self.version,
            "mode": self.mode,
        }


def status(session: Session) -> int:
    """Shows services, organizations and promises; 1 when something does not answer."""
    endpoints = session.endpoints()
    organizations = _organizations(session)
    services, infos = _ask(session, endpoints, organizations)
    unanswered = [name for name in organizations if name not in infos]
    document = {
        "installation": endpoints.installation,
        "mode": endpoints.mode,
        "services": [service.as_json() for service in services],
        "organizations": [_as_json(name, info) for name, info in infos.items()],
        "unanswered": unanswered,
        "promises": {"P3": endpoints.mode != "dev", "P4": endpoints.mode != "dev"},
    }
    session.answer(document)
    session.print(
        session.say("status.title", installation=endpoints.installation, mode=endpoints.mode), ""
    )
    session.table(
        session.say("status.services").split("|"),
        [
            (each.name, each.target, each.version, _state(session, each.problem))
            for each in services
        ],
    )
    _show_organizations(session, infos)
    if not organizations:
        session.print("", session.say("status.nobody"))
    if not any(each.problem for each in services):
        for name in unanswered:
            session.print("", session.say("status.unanswered", organization=name))
    level = "dev" if endpoints.mode == "dev" else "production"
    session.print("", session.say(f"status.promises.{level}"))
    return 1 if unanswered or any(each.problem for each in services) else 0


def _organizations(session: Session) -> tuple[str, ...]:
    if session.organization:
        return (session.organization,)
    record = LocalRecord.load(session.workspace)
    return record.everywhere if record is not None else ()


def _ask(
    session: Session, endpoints: Endpoints, organizations: tuple[str, ...]
) -> tuple[list[_Service], dict[str, GetServiceInfoResponse]]:
    """Asks every service once for each organization; without one only ports can be tried."""
    services: dict[str, _Service] = {
        name.value: _Service(name.value, target, problem=_unasked())
        for name, target in endpoints.targets.items()
    }
    infos: dict[str, GetServiceInfoResponse] = {}
    for organization in organizations or ("emanet",):
        with session.admin(organization) as admin:
            for name, ask in _questions(admin).items():
                try:
                    answer = ask()
                except EmanetError as problem:
                    services[name] = _after_problem(services[name], problem)
                    continue
                services[name] = _Service(
                    name, services[name].target, version=answer.version, mode=answer.mode
                )
                if name == "access_audit":
                    infos[organization] = answer
    return list(services.values()), infos


def _questions(admin: Admin) -> dict[str, Callable[[], Any]]:
    return {
        "inventory": admin.inventory.service_info,
        "access_audit": admin.audit.service_info,
        "crypto": admin.keys.service_info,
    }


def _after_problem(service: _Service, problem: EmanetError) -> _Service:
    """A service that refuses is there; only one that does not answer is down."""
    if problem.reason is Reason.ORGANIZATION_NOT_ALLOWED:
        return _Service(service.name, service.target, service.version, service.mode)
    return _Service(service.name, service.target, problem=problem)


def _unasked() -> EmanetError:
    return error(Reason.NOT_READY)


def _state(session: Session, problem: EmanetError | None) -> str:
    if problem is None:
        return session.say("status.up")
    return problem.message_tr if session.lang.value == "tr" else problem.message_en


def _as_json(organization: str, info: GetServiceInfoResponse) -> dict[str, object]:
    contact = info.register_contact_time.ToDatetime(tzinfo=dt.UTC)
    return {
        "organization": organization,
        "known": info.organization_known,
        "register": info.register_number,
        "rule_set": info.rule_set_number,
        "log_size": info.log_size,
        "waiting_for_review": info.waiting_for_review,
        "register_contact": iso_time(contact),
        "warnings": {warning.code: warning.count for warning in info.warnings},
    }


def _show_organizations(session: Session, infos: dict[str, GetServiceInfoResponse]) -> None:
    if not infos:
        return
    session.print("")
    session.table(
        session.say("status.organizations").split("|"),
        [
            (
                name,
                str(info.register_number or "-"),
                str(info.rule_set_number or "-"),
                f"{info.log_size:,}",
                str(info.waiting_for_review),
                _age(info),
                ", ".join(f"{w.code} ×{w.count}" for w in info.warnings) or "-",
            )
            for name, info in infos.items()
        ],
    )


def _age(info: GetServiceInfoResponse) -> str:
    if not info.HasField("register_contact_time"):
        return "-"
    contact = info.register_contact_time.ToDatetime(tzinfo=dt.UTC)
    seconds = int((dt.datetime.now(dt.UTC) - contact).total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


COMMANDS = (Command("status", status, remote=True),)
