"""Subjects whose event-started retention has ended: what a destruction run is to destroy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.clock import Clock
from emanet.core.encoding import from_micros, lp, micros, read_lp, u64
from emanet.core.errors import Reason, error
from emanet.register.retention import (
    OPEN_BUCKET,
    class_lapse,
    class_of,
    class_rules,
    is_open_class,
)
from emanet.register.values import Register
from services.access_audit import storage
from services.access_audit.messages import to_timestamp
from services.access_audit.reading import to_micros
from services.access_audit.requestkeys import RequestKeys, page_size
from services.access_audit.shelf import Shelf
from services.access_audit.vault import Vault
from services.runtime.database import Database
from services.runtime.request import Request

__all__ = ["DueSubjects"]


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    """A subject (token) and a class, in the order in which they are listed."""

    lapse_us: int
    subject: str
    retention_class: str


@dataclass(frozen=True, slots=True)
class DueSubjects:
    """Derives due subjects from the register and the events that were pushed."""

    database: Database
    keys: RequestKeys
    shelf: Shelf
    vault: Vault
    clock: Clock

    async def list_due(
        self, request: Request, message: access_audit_pb2.ListDueSubjectsRequest
    ) -> access_audit_pb2.ListDueSubjectsResponse:
        """One page, oldest lapse first. A subject whose pseudonym is erased is left out.

        Raises:
            EmanetError: REGISTER_MISSING, INVALID_PAGE_TOKEN, INVALID_FIELD.
        """
        size = page_size(message.page_size)
        organization = request.organization
        at_us = micros(self.clock.now())
        if message.HasField("read_time"):
            at_us = to_micros(message.read_time, "read_time")
        bound_to = lp(
            b"ListDueSubjects",
            organization.encode(),
            request.caller.spiffe_id.encode(),
            message.read_time.SerializeToString(deterministic=True),
        )
        after = _position(self.keys.read_page(message.page_token, bound_to=bound_to))
        due, names = await self.database.read(
            lambda connection: self._find(
                connection, organization, at_us=at_us, after=after, limit=size + 1
            )
        )
        shown = due[:size]
        return access_audit_pb2.ListDueSubjectsResponse(
            subjects=[
                resources_pb2.DueSubject(
                    subject=names[each.subject],
                    retention_class=each.retention_class,
                    lapse_time=to_timestamp(each.lapse_us),
                )
                for each in shown
            ],
            next_page_token=self.keys.write_page(_key(shown[-1]), bound_to=bound_to)
            if len(due) > size
            else "",
        )

    def _find(
        self,
        connection: Connection,
        organization: str,
        *,
        at_us: int,
        after: _Due | None,
        limit: int,
    ) -> tuple[list[_Due], dict[str, str]]:
        control = storage.log.load_control(connection, organization)
        if control is None:
            raise error(Reason.ORGANIZATION_MISSING)
        now_us = micros(self.clock.now())
        effective = self.shelf.register_in_effect(
            connection, control.log, registers=control.registers, at_us=now_us
        )
        if effective is None:
            raise error(Reason.REGISTER_MISSING)
        due = sorted(_due(connection, organization, effective.register, at_us=at_us))
        rest = [each for each in due if after is None or each > after]
        names = self._names(connection, organization, [each.subject for each in rest[:limit]])
        while missing := [each for each in rest[:limit] if each.subject not in names]:
            rest = [each for each in rest if each not in missing]
            names = self._names(connection, organization, [each.subject for each in rest[:limit]])
        return rest[:limit], names

    def _names(
        self, connection: Connection, organization: str, tokens: Sequence[str]
    ) -> dict[str, str]:
        rows = storage.pseudonyms.find_rows_by_token(connection, organization, tokens)
        found = {}
        for token, row in rows.items():
            found[token] = str(self.vault.open(organization, row))
        return found


def _due(
    connection: Connection, organization: str, register: Register, *, at_us: int
) -> list[_Due]:
    classes = {
        retention_class
        for slug in register.fields
        if (retention_class := class_of(register, slug)) is not None
        and is_open_class(register, retention_class)
    }
    starts = {
        rule.start
        for retention_class in classes
        for slug in class_rules(retention_class)
        if (rule := register.retention.get(slug)) is not None and rule.start is not None
    }
    if not starts:
        return []
    subjects = storage.retention.subjects_with(
        connection, organization, events=sorted(starts), until_us=at_us
    )
    events = storage.retention.events_of(connection, organization, subjects)
    found = []
    for subject, times in events.items():
        known = {event: from_micros(moment) for event, moment in times.items()}
        for retention_class in classes:
            end = class_lapse(register, retention_class, bucket=OPEN_BUCKET, events=known)
            if end is not None and micros(end) <= at_us:
                found.append(_Due(micros(end), subject, retention_class))
    return found


def _key(due: _Due) -> bytes:
    return lp(u64(due.lapse_us), due.subject.encode(), due.retention_class.encode())


def _position(data: bytes) -> _Due | None:
    if not data:
        return None
    lapse, subject, retention_class = read_lp(data, 3)
    return _Due(int.from_bytes(lapse, "big"), subject.decode(), retention_class.decode())
