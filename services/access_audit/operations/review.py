"""ListAccessRecords: reading the log is an access like any other, decided and recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from sqlalchemy import Connection

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.clock import Clock
from emanet.core.disclosure import ShownEntry, decode_disclosure, verify_disclosure
from emanet.core.encoding import lp, u64
from emanet.core.errors import DeniedError, EmanetError, Reason, error
from emanet.core.ids import new_uuid7
from emanet.core.leaf import AccessLeaf, Act, ActorKind, Entry, EntryKey, Verdict, decode_leaf
from emanet.core.merkle import leaf_hash
from emanet.core.names import Collection, format_name
from emanet.core.pseudonym import STAFF_NAMESPACE
from services.access_audit import storage
from services.access_audit.committer import Committer
from services.access_audit.domain.claim import (
    Claim,
    ClaimItem,
    parse_reference,
)
from services.access_audit.domain.party import Party, parse_party, staff_party
from services.access_audit.jobs.access import AccessDesk, CheckJob
from services.access_audit.messages import to_timestamp, to_verdict
from services.access_audit.operations.export import STAFF_RECORDS
from services.access_audit.reading import ACTIONS, ClaimReader, to_micros
from services.access_audit.requestkeys import RequestKeys, page_size
from services.access_audit.storage.access import AccessFilter
from services.access_audit.storage.log import LeafRow, LogKey
from services.access_audit.vault import Vault
from services.runtime.database import Database
from services.runtime.request import Request

__all__ = ["Reviews"]

_ACTION_NUMBERS: Mapping[Act, resources_pb2.Action.ValueType] = MappingProxyType(
    {act: number for number, act in ACTIONS.items()}
)
_VERDICTS: Mapping[int, str] = MappingProxyType(
    {
        resources_pb2.VERDICT_UNSPECIFIED: "",
        resources_pb2.VERDICT_ALLOW: Verdict.ALLOW.value,
        resources_pb2.VERDICT_DENY: Verdict.DENY.value,
    }
)
_NOBODY = "-"
"""No token: a filter by somebody who has no pseudonym finds nothing."""


_Opened: TypeAlias = tuple[LeafRow, AccessLeaf, tuple[Entry | None, ...]]


@dataclass(frozen=True, slots=True)
class _Page:
    rows: tuple[tuple[LeafRow, AccessLeaf, tuple[Entry | None, ...], bool], ...]
    names: Mapping[str, Party]
    more: bool


@dataclass(frozen=True, slots=True)
class Reviews:
    """Shows access records to those who oversee accesses."""

    database: Database
    committer: Committer
    reader: ClaimReader
    keys: RequestKeys
    vault: Vault
    desk: AccessDesk
    clock: Clock

    async def list_records(
        self, request: Request, message: access_audit_pb2.ListAccessRecordsRequest
    ) -> access_audit_pb2.ListAccessRecordsResponse:
        """Decides and records the listing, then reads one page.

        Raises:
            EmanetError: the rules refuse it (the refusal is recorded); INVALID_PAGE_TOKEN;
                LOG_CORRUPT, a record is not what was hashed; see `Committer.submit`.
        """
        size = page_size(message.page_size)
        bound_to = self._bound_to(request, message)
        position = self.keys.read_page(message.page_token, bound_to=bound_to)
        people = _People.of(message)
        claim = self.reader.reading_of(
            request,
            message.context,
            claim_id=new_uuid7(self.clock),
            act=Act.LIST,
            item=ClaimItem(field=STAFF_RECORDS, subject=people.staff, bucket="", count=size),
        )
        await self._require_allowed(request, claim)
        page = await self.database.read(
            lambda connection: self._read(
                connection,
                request.organization,
                message,
                people,
                below=int.from_bytes(position, "big") if position else None,
                size=size,
            )
        )
        records = [
            _record(request.organization, row, leaf, entries, waiting, page.names)
            for row, leaf, entries, waiting in page.rows
        ]
        token = ""
        if page.more:
            token = self.keys.write_page(u64(page.rows[-1][0].idx), bound_to=bound_to)
        return access_audit_pb2.ListAccessRecordsResponse(records=records, next_page_token=token)

    async def _require_allowed(self, request: Request, claim: Claim) -> None:
        committed = await self.committer.submit(
            CheckJob(organization=request.organization, claim=claim, desk=self.desk)
        )
        decision = committed.result.outcome.decision
        if decision.verdict is Verdict.ALLOW or decision.reason is None:
            return
        record = format_name(request.organization, Collection.ACCESS_RECORDS.value, str(claim.id))
        raise DeniedError(decision.reason, {**decision.metadata, "record": record})

    def _bound_to(
        self, request: Request, message: access_audit_pb2.ListAccessRecordsRequest
    ) -> bytes:
        filters = access_audit_pb2.ListAccessRecordsRequest()
        filters.CopyFrom(message)
        filters.ClearField("page_token")
        filters.ClearField("page_size")
        filters.ClearField("context")
        person = "" if request.staff is None else request.staff.person_id
        return lp(
            b"ListAccessRecords",
            request.caller.spiffe_id.encode(),
            person.encode(),
            message.context.purpose.encode(),
            filters.SerializeToString(deterministic=True),
        )

    def _read(
        self,
        connection: Connection,
        organization: str,
        message: access_audit_pb2.ListAccessRecordsRequest,
        people: _People,
        *,
        below: int | None,
        size: int,
    ) -> _Page:
        control = storage.log.load_control(connection, organization)
        if control is None:
            raise error(Reason.ORGANIZATION_MISSING)
        wanted = AccessFilter(
            start_us=_time(message, "start_time"),
            end_us=_time(message, "end_time"),
            actor=self._token(connection, organization, people.staff),
            subject=self._token(connection, organization, people.subject),
            field=message.field,
            purpose=message.purpose,
            verdict=_VERDICTS.get(message.verdict, _NOBODY),
            application=message.application,
            waiting=message.waiting_for_review,
        )
        found = storage.access.find_accesses(
            connection, control.log, wanted=wanted, below=below, limit=size + 1
        )
        page = found[:size]
        opened = _open(connection, control.log, [idx for idx, _ in page])
        rows = tuple((*record, waiting) for record, (_, waiting) in zip(opened, page, strict=True))
        tokens = {token for _, leaf, entries, _ in rows for token in _tokens(leaf, entries)}
        stored = storage.pseudonyms.find_rows_by_token(connection, organization, list(tokens))
        names = {token: self.vault.open(organization, row) for token, row in stored.items()}
        return _Page(rows=rows, names=names, more=len(found) > size)

    def _token(self, connection: Connection, organization: str, party: Party | None) -> str:
        if party is None:
            return ""
        lookup = self.vault.lookup(organization, party)
        found = storage.pseudonyms.find_tokens(connection, organization, [lookup])
        return found.get(lookup, _NOBODY)


@dataclass(frozen=True, slots=True)
class _People:
    """Whom the filters name."""

    staff: Party | None
    subject: Party | None

    @classmethod
    def of(cls, message: access_audit_pb2.ListAccessRecordsRequest) -> _People:
        return cls(
            staff=staff_party(message.person) if message.person else None,
            subject=parse_party(message.subject)[0] if message.subject else None,
        )


def _open(connection: Connection, log: LogKey, indexes: Sequence[int]) -> Iterator[_Opened]:
    """Records with their entries, each compared with its hashes, in the order asked for."""
    rows = storage.log.find_leaves(connection, log, indexes)
    entries = storage.log.read_entries(connection, log, indexes)
    for idx in indexes:
        row, stored = rows.get(idx), entries.get(idx)
        if row is None or stored is None or leaf_hash(row.data) != row.hash:
            raise _corrupt()
        leaf = decode_leaf(row.data)
        if not isinstance(leaf, AccessLeaf):
            raise _corrupt()
        items = decode_disclosure(stored)
        verify_disclosure(items, entries=leaf.entries, entries_root=leaf.entries_root)
        yield row, leaf, tuple(e.entry if isinstance(e, ShownEntry) else None for e in items)


def _tokens(leaf: AccessLeaf, entries: Sequence[Entry | None]) -> set[str]:
    found = {each.value for each in entries if each and each.key is EntryKey.SUBJECT}
    if leaf.actor.kind is not ActorKind.APP:
        found.add(leaf.actor.id)
    return found


def _record(
    organization: str,
    row: LeafRow,
    leaf: AccessLeaf,
    entries: Sequence[Entry | None],
    waiting: bool,
    names: Mapping[str, Party],
) -> resources_pb2.AccessRecord:
    shown = {each.key: each.value for each in entries if each is not None}
    subjects = [each.value for each in entries if each and each.key is EntryKey.SUBJECT]
    actor = names.get(leaf.actor.id)
    record = resources_pb2.AccessRecord(
        name=format_name(organization, Collection.ACCESS_RECORDS.value, str(leaf.id)),
        index=row.idx,
        event_time=to_timestamp(leaf.event_us),
        receive_time=to_timestamp(leaf.receive_us),
        actor_kind=leaf.actor.kind.value,
        actor=leaf.actor.id,
        person=actor.ref if actor is not None and actor.namespace == STAFF_NAMESPACE else "",
        role=leaf.role,
        application=leaf.app,
        purpose=leaf.purpose,
        action=_ACTION_NUMBERS[leaf.act],
        fields=leaf.target.fields,
        count=leaf.target.values,
        verdict=to_verdict(leaf.decision.verdict),
        mode=leaf.decision.mode.value,
        reason=leaf.decision.why,
        reasons=leaf.reasons,
        rules=leaf.decision.rules,
        register_number=leaf.decision.register,
        rule_set_number=leaf.decision.rule_set,
        subject_tokens=subjects,
        subjects=[_subject(names.get(token)) for token in subjects],
        waiting_for_review=waiting,
        session=shown.get(EntryKey.SESSION, ""),
        connection=shown.get(EntryKey.CONNECTION, ""),
        recipient=shown.get(EntryKey.RECIPIENT, ""),
    )
    if EntryKey.CASE in shown:
        kind, ref = parse_reference(shown[EntryKey.CASE])
        record.case.kind, record.case.ref = kind, ref
    return record


def _subject(party: Party | None) -> str:
    return "" if party is None else str(party)


def _time(
    message: access_audit_pb2.ListAccessRecordsRequest, field: Literal["start_time", "end_time"]
) -> int | None:
    return to_micros(getattr(message, field), field) if message.HasField(field) else None


def _corrupt() -> EmanetError:
    return error(Reason.LOG_CORRUPT, problem="a record is missing or changed")
