"""How the service and one organization's log stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from emanet import __version__
from emanet.api.access_audit.v1 import access_audit_pb2
from emanet.core.clock import Clock
from emanet.core.encoding import micros
from services.access_audit import storage
from services.access_audit.ground import Contacts
from services.access_audit.heads import Heads
from services.access_audit.messages import to_timestamp
from services.access_audit.warnings import WarningCode, Warnings
from services.runtime.database import Database
from services.runtime.principals import PrincipalsFile
from services.runtime.settings import RuntimeSettings

__all__ = ["ServiceInfo"]


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """Reads what `emanet status` shows."""

    settings: RuntimeSettings
    database: Database
    heads: Heads
    contacts: Contacts
    warnings: Warnings
    principals: PrincipalsFile
    clock: Clock
    degraded_after: timedelta

    async def read(self, organization: str) -> access_audit_pb2.GetServiceInfoResponse:
        """The service's state for an organization; never its content."""
        now_us = micros(self.clock.now())

        def work(connection: Connection) -> tuple[storage.log.Control | None, int, int]:
            control = storage.log.load_control(connection, organization)
            effects = storage.registers.list_effects(connection, organization)
            started = [each.number for each in effects if each.effective_us <= now_us]
            waiting = storage.access.count_waiting(connection, organization)
            return control, max(started, default=0), waiting

        control, register, waiting = await self.database.read(work)
        answer = access_audit_pb2.GetServiceInfoResponse(
            service="access_audit",
            version=__version__,
            mode=self.settings.mode.value,
            installation=self.settings.installation,
            organization_known=control is not None,
            register_number=register,
            rule_set_number=0 if control is None else control.rule_set,
            log_size=0 if control is None else control.frontier.size,
            waiting_for_review=waiting,
            warnings=[
                access_audit_pb2.Warning(code=code.value, count=count)
                for code, count in self._warnings(organization, now_us)
            ],
        )
        contact_us = self.contacts.last(organization)
        if contact_us is not None:
            answer.register_contact_time.CopyFrom(to_timestamp(contact_us))
        return answer

    def _warnings(self, organization: str, now_us: int) -> list[tuple[WarningCode, int]]:
        found = list(self.warnings.of(organization))
        contact_us = self.contacts.last(organization)
        age_us = self.degraded_after // timedelta(microseconds=1)
        if contact_us is None or now_us - contact_us > age_us:
            found.append((WarningCode.REGISTER_DEGRADED, 1))
        if self.heads.blocked(organization) is not None:
            found.append((WarningCode.LOG_REFUSED, 1))
        if self.principals.problem:
            found.append((WarningCode.PRINCIPALS_REFUSED, 1))
        return found
