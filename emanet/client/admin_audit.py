"""Administration of the access audit: records, checkpoint, proofs, export of the log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from google.protobuf.timestamp_pb2 import Timestamp

from emanet.api.access_audit.v1 import (
    access_audit_pb2,
    access_audit_pb2_grpc,
    log_pb2,
    log_pb2_grpc,
    resources_pb2,
)
from emanet.client.admin_session import AdminSession
from emanet.client.channel import ServiceName
from emanet.client.reading import Reading

__all__ = ["AuditAdmin", "RecordFilter"]

_SERVICE = ServiceName.ACCESS_AUDIT
_MAX_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which access records are wanted; an empty member filters nothing.

    Attributes:
        start, end: received at or after, and before; aware.
        person: person id of who accessed.
        subject: whose data, `{namespace}/{ref}`.
        data_field: slug of a field.
        purpose: slug of the access purpose.
        verdict: allowed or denied.
        waiting_for_review: only allowances that wait for a review.
        application: through which application.
    """

    start: dt.datetime | None = None
    end: dt.datetime | None = None
    person: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    data_field: str = ""
    purpose: str = ""
    verdict: resources_pb2.Verdict.ValueType = resources_pb2.VERDICT_UNSPECIFIED
    waiting_for_review: bool = False
    application: str = ""


class AuditAdmin:
    """Calls of `AccessAuditService` and `LogService` for people; raises as the service answers."""

    def __init__(self, session: AdminSession) -> None:
        self._session = session
        self._access = session.connect(_SERVICE, access_audit_pb2_grpc.AccessAuditServiceStub)
        self._log = session.connect(_SERVICE, log_pb2_grpc.LogServiceStub)

    def service_info(self) -> access_audit_pb2.GetServiceInfoResponse:
        """Version, mode, register and rule set in effect, size of the log, warnings."""
        request = access_audit_pb2.GetServiceInfoRequest(organization=self._session.organization)
        stub = self._access.stub()
        return self._session.send(stub.GetServiceInfo, request, service=_SERVICE)

    def records(
        self, reading: Reading, *, wanted: RecordFilter, limit: int
    ) -> Iterator[resources_pb2.AccessRecord]:
        """Access records, newest first; each page read is itself recorded.

        Args:
            reading: for what the log is read; the rules decide on it.
            wanted: which records.
            limit: at most so many, from 1.
        """
        request = access_audit_pb2.ListAccessRecordsRequest(
            parent=self._session.parent,
            page_size=min(limit, _MAX_PAGE_SIZE),
            context=reading.to_context(),
            person=wanted.person,
            subject=wanted.subject,
            field=wanted.data_field,
            purpose=wanted.purpose,
            verdict=wanted.verdict,
            waiting_for_review=wanted.waiting_for_review,
            application=wanted.application,
        )
        if wanted.start is not None:
            request.start_time.CopyFrom(_timestamp(wanted.start))
        if wanted.end is not None:
            request.end_time.CopyFrom(_timestamp(wanted.end))
        left = limit
        while True:
            stub = self._access.stub()
            page = self._session.send(stub.ListAccessRecords, request, service=_SERVICE)
            yield from page.records[:left]
            left -= len(page.records)
            if left <= 0 or not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def due_subjects(
        self, *, as_of: dt.datetime | None, limit: int
    ) -> Iterator[resources_pb2.DueSubject]:
        """Subjects whose values of a class are to be destroyed, oldest lapse first."""
        request = access_audit_pb2.ListDueSubjectsRequest(
            parent=self._session.parent, page_size=min(limit, _MAX_PAGE_SIZE)
        )
        if as_of is not None:
            request.read_time.CopyFrom(_timestamp(as_of))
        left = limit
        while True:
            stub = self._access.stub()
            page = self._session.send(stub.ListDueSubjects, request, service=_SERVICE)
            yield from page.subjects[:left]
            left -= len(page.subjects)
            if left <= 0 or not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def checkpoint(self) -> log_pb2.GetCheckpointResponse:
        """The last signed checkpoint and the key that signs it."""
        request = log_pb2.GetCheckpointRequest(parent=self._session.parent)
        stub = self._log.stub()
        return self._session.send(stub.GetCheckpoint, request, service=_SERVICE)

    def inclusion_proof(
        self, index: int, *, tree_size: int = 0
    ) -> log_pb2.GetInclusionProofResponse:
        """Proves that a leaf is in the tree of a size; 0 = the last checkpoint's."""
        request = log_pb2.GetInclusionProofRequest(
            parent=self._session.parent, index=index, tree_size=tree_size
        )
        stub = self._log.stub()
        return self._session.send(stub.GetInclusionProof, request, service=_SERVICE)

    def export_log(
        self, *, purpose: str, validate_only: bool = False
    ) -> Iterator[log_pb2.ExportLogResponse]:
        """Streams the log's files, the checkpoint last; the export is recorded first.

        Args:
            purpose: slug of the access purpose that it is for.
            validate_only: True to record nothing and learn the size alone.
        """
        request = log_pb2.ExportLogRequest(
            parent=self._session.parent, purpose=purpose, validate_only=validate_only
        )
        stub = self._log.stub()
        return self._session.stream(stub.ExportLog, request, service=_SERVICE)


def _timestamp(moment: dt.datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
