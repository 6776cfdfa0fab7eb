"""Builds requests and reads answers; shared by the synchronous and the asynchronous facade.

Pure but for ids: no channel is touched here. Large work is split by count and by bytes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar, cast

from google.protobuf.timestamp_pb2 import Timestamp

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.api.crypto.v1 import crypto_pb2
from emanet.client.reading import Reading
from emanet.client.status import error_from_status
from emanet.client.values import (
    AccessToRecord,
    CaseState,
    OpenedRow,
    Plain,
    Sealed,
    ToEncrypt,
    ToOpen,
)
from emanet.core.clock import Clock
from emanet.core.errors import DeniedError, EmanetError, Reason, error
from emanet.core.ids import new_uuid7

__all__ = [
    "MAX_BATCH_BYTES",
    "MAX_BATCH_ITEMS",
    "action_of",
    "check_request",
    "decrypt_request",
    "encrypt_request",
    "opened_rows",
    "put_cases_request",
    "put_retention_events_request",
    "read_check",
    "read_opened",
    "read_sealed",
    "record_request",
    "size_to_encrypt",
    "size_to_open",
    "split",
    "to_open_of_rows",
]

MAX_BATCH_ITEMS = 1000
MAX_BATCH_BYTES = 3 * 1024 * 1024
"""Below the servers' 4 MiB, which also holds names, subjects and framing."""

_ITEM_OVERHEAD_BYTES = 512

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_T = TypeVar("_T")
_ACTIONS: Mapping[str, resources_pb2.Action.ValueType] = {
    name.removeprefix("ACTION_").lower(): resources_pb2.Action.Value(name)
    for name in resources_pb2.Action.keys()  # noqa: SIM118 (an enum wrapper, not a dict)
    if name != "ACTION_UNSPECIFIED"
}


def action_of(name: str) -> resources_pb2.Action.ValueType:
    """The nature of an access by its name: `read`, `read_masked`, `export`, `disclose`, ...

    Raises:
        CallerError: INVALID_FIELD for another name.
    """
    if name not in _ACTIONS:
        raise error(
            Reason.INVALID_FIELD, violations=(("action", f"one of {', '.join(sorted(_ACTIONS))}"),)
        )
    return _ACTIONS[name]


def split(items: Iterable[_T], *, size_of: Callable[[_T], int]) -> Iterator[tuple[_T, ...]]:
    """Cuts items into batches of at most 1000 and about 3 MiB, keeping their order."""
    batch: list[_T] = []
    total = 0
    for item in items:
        size = size_of(item) + _ITEM_OVERHEAD_BYTES
        if batch and (len(batch) == MAX_BATCH_ITEMS or total + size > MAX_BATCH_BYTES):
            yield tuple(batch)
            batch, total = [], 0
        batch.append(item)
        total += size
    if batch:
        yield tuple(batch)


def size_to_encrypt(item: ToEncrypt) -> int:
    """The most bytes that a value takes in a request.

    Raises:
        CallerError: INVALID_FIELD for a value that is neither text nor bytes.
    """
    if not isinstance(item.value, str | bytes):
        raise _of_wrong_type(item.field, "give text or bytes; leave out what is not there")
    return len(item.value) * 4


def size_to_open(item: ToOpen) -> int:
    """The bytes that an envelope takes in a request.

    Raises:
        CallerError: INVALID_FIELD for anything that is no stored envelope, an empty column's None
            above all.
    """
    if not isinstance(item.envelope, str | bytes | bytearray | memoryview):
        raise _of_wrong_type(item.field, "give the envelope as it was stored, bytes or emn1.… text")
    return len(item.envelope)


def encrypt_request(organization: str, items: Sequence[ToEncrypt]) -> crypto_pb2.EncryptRequest:
    """An Encrypt batch."""
    request = crypto_pb2.EncryptRequest(organization=organization)
    add = request.items.add
    for item in items:
        entry = add()  # without arguments, which cost more than setting what is there
        entry.field, entry.subject = item.field, item.subject
        if item.record:
            entry.record = item.record
        if isinstance(item.value, str):
            _set_text(entry.value, item.value)
        else:
            entry.value.data = item.value
        if item.start is not None:
            entry.start_time.CopyFrom(_timestamp(item.start))
    return request


def read_sealed(response: crypto_pb2.EncryptResponse) -> list[Sealed | EmanetError]:
    """One envelope or one error an item, in order."""
    return [
        error_from_status(result.status)
        if result.HasField("status") and result.status.code
        else Sealed(result.envelope, tuple(result.tokens))
        for result in response.results
    ]


def decrypt_request(
    organization: str, items: Sequence[ToOpen], *, reading: Reading, action: str
) -> crypto_pb2.DecryptRequest:
    """A Decrypt batch under one statement."""
    request = crypto_pb2.DecryptRequest(
        organization=organization, context=reading.to_context(), action=action_of(action)
    )
    add = request.items.add
    for item in items:
        entry = add()  # without arguments, which cost more than setting what is there
        entry.field = item.field
        entry.envelope = _envelope_bytes(item.envelope)
        if item.record:
            entry.record = item.record
        if item.subject:
            entry.subject = item.subject
    return request


def read_opened(response: crypto_pb2.DecryptResponse) -> list[Plain | EmanetError]:
    """One value or one error an item, in order."""
    opened: list[Plain | EmanetError] = []
    for result in response.results:
        value = result.value
        if result.HasField("status") and result.status.code:
            opened.append(error_from_status(result.status))
        elif value.HasField("data"):
            opened.append(value.data)
        else:
            opened.append(value.text)
    return opened


def to_open_of_rows(
    rows: Sequence[_T],
    columns: Mapping[str, str],
    *,
    subject: Callable[[_T], str] | None,
    record: Callable[[_T], str] | None,
) -> list[tuple[int, ToOpen]]:
    """The envelopes of a table with their row's position; columns without a value are left out."""
    found = []
    for position, row in enumerate(rows):
        owner = subject(row) if subject else ""
        place = record(row) if record else ""
        for name, column in columns.items():
            envelope = _cell(row, column)
            if envelope is not None:
                item = ToOpen(field=name, envelope=envelope, subject=owner, record=place)
                found.append((position, item))
    return found


def opened_rows(
    count: int,
    columns: Mapping[str, str],
    *,
    items: Sequence[tuple[int, ToOpen]],
    results: Sequence[Plain | EmanetError],
) -> list[OpenedRow]:
    """Puts opened values back into the rows that they came from."""
    values: list[dict[str, Plain | None]] = [dict.fromkeys(columns) for _ in range(count)]
    errors: list[dict[str, EmanetError]] = [{} for _ in range(count)]
    for (position, item), result in zip(items, results, strict=True):
        if isinstance(result, EmanetError):
            errors[position][item.field] = result
        else:
            values[position][item.field] = result
    return [OpenedRow(row, failed) for row, failed in zip(values, errors, strict=True)]


def check_request(
    organization: str,
    *,
    fields: Sequence[str],
    subjects: Sequence[str],
    action: str,
    count: int,
    reading: Reading,
    clock: Clock,
) -> access_audit_pb2.CheckAccessRequest:
    """A CheckAccess under a fresh attempt id."""
    return access_audit_pb2.CheckAccessRequest(
        organization=organization,
        attempt_id=str(new_uuid7(clock)),
        context=reading.to_context(),
        action=action_of(action),
        items=_items(fields, subjects, count=count),
    )


def read_check(response: access_audit_pb2.CheckAccessResponse) -> str:
    """The record's name of an allowed access.

    Raises:
        DeniedError: with the reason, `record` and what the reason's text needs.
    """
    if response.verdict == resources_pb2.VERDICT_ALLOW:
        return response.record
    try:
        reason = Reason(response.reason)
    except ValueError:
        reason = Reason.EVALUATION_FAILED  # a newer server's reason is still a denial
    metadata = {**dict(response.metadata), "record": response.record}
    raise DeniedError(reason, metadata)


def record_request(
    organization: str, accesses: Sequence[AccessToRecord], *, reading: Reading, clock: Clock
) -> access_audit_pb2.RecordAccessRequest:
    """A RecordAccess batch under one statement."""
    request = access_audit_pb2.RecordAccessRequest(organization=organization)
    for access in accesses:
        request.items.add(
            id=access.id or str(new_uuid7(clock)),
            event_time=_timestamp(access.time),
            context=reading.to_context(),
            action=action_of(access.action),
            items=_items(access.fields, access.subjects, count=access.count),
        )
    return request


def put_cases_request(
    organization: str, cases: Sequence[CaseState], *, clock: Clock
) -> access_audit_pb2.PutCasesRequest:
    """A PutCases batch under a fresh request id."""
    request = access_audit_pb2.PutCasesRequest(
        organization=organization, request_id=str(new_uuid7(clock))
    )
    for case in cases:
        entry = request.cases.add(
            ref=resources_pb2.CaseRef(kind=case.kind, ref=case.ref),
            subjects=case.subjects,
            assignees=case.assignees,
            teams=case.teams,
            opened_by=case.opened_by,
            opener=case.opener,
            open_time=_timestamp(case.opened),
        )
        if case.closed is not None:
            entry.close_time.CopyFrom(_timestamp(case.closed))
    return request


def put_retention_events_request(
    organization: str, events: Sequence[tuple[str, str, dt.datetime]], *, clock: Clock
) -> access_audit_pb2.PutRetentionEventsRequest:
    """A PutRetentionEvents batch of (subject, event, time) under a fresh request id."""
    request = access_audit_pb2.PutRetentionEventsRequest(
        organization=organization, request_id=str(new_uuid7(clock))
    )
    for subject, event, time in events:
        request.events.add(subject=subject, event=event, event_time=_timestamp(time))
    return request


def _items(
    fields: Sequence[str], subjects: Sequence[str], *, count: int
) -> list[resources_pb2.AccessItem]:
    return [
        resources_pb2.AccessItem(field=name, subject=subject, count=count)
        for subject in (subjects or ("",))
        for name in fields
    ]


def _set_text(value: crypto_pb2.Value, text: str) -> None:
    # Looked for beforehand: protobuf's own error would carry the text.
    if not text.isascii() and _LONE_SURROGATE.search(text):
        problem = "a text with a lone surrogate is not Unicode"
        raise error(Reason.INVALID_FIELD, violations=(("value", problem),))
    value.text = text


def _of_wrong_type(field: str, wanted: str) -> EmanetError:
    return error(Reason.INVALID_FIELD, violations=((field, wanted),))


def _cell(row: object, column: str) -> bytes | str | None:
    """By key from mappings and from rows that have keys (sqlite3), by attribute from objects."""
    if isinstance(row, Mapping) or callable(getattr(type(row), "keys", None)):
        return cast("Mapping[str, bytes | str | None]", row)[column]
    return cast("bytes | str | None", getattr(row, column))


def _envelope_bytes(envelope: bytes | str) -> bytes:
    if isinstance(envelope, str):
        return envelope.encode("ascii", "replace")
    return bytes(envelope)  # drivers of PostgreSQL give a memoryview


def _timestamp(moment: dt.datetime) -> Timestamp:
    if moment.tzinfo is None:
        raise error(Reason.INVALID_FIELD, violations=(("time", "give a time with its time zone"),))
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
