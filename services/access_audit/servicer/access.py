"""AccessAuditService: read the message, call one operation, write the message."""

# ruff: noqa: ARG002 -- names and parameters of the methods are the generated base class's

from __future__ import annotations

from google.protobuf.message import Message
from grpc import aio

from emanet.api.access_audit.v1 import access_audit_pb2, access_audit_pb2_grpc
from services.access_audit.operations.access import Accesses
from services.access_audit.operations.due import DueSubjects
from services.access_audit.operations.facts import Facts
from services.access_audit.operations.info import ServiceInfo
from services.access_audit.operations.review import Reviews
from services.runtime.request import current

__all__ = ["AccessAuditServicer"]

_Context = aio.ServicerContext[Message, Message]


class AccessAuditServicer(access_audit_pb2_grpc.AccessAuditServiceServicer):
    """Serves emanet.api.access_audit.v1.AccessAuditService; the gate has let the caller in."""

    def __init__(
        self,
        *,
        info: ServiceInfo,
        accesses: Accesses,
        facts: Facts,
        due: DueSubjects,
        reviews: Reviews,
    ) -> None:
        """Keeps the operations."""
        self._info = info
        self._accesses = accesses
        self._facts = facts
        self._due = due
        self._reviews = reviews

    async def GetServiceInfo(
        self, request: access_audit_pb2.GetServiceInfoRequest, context: _Context
    ) -> access_audit_pb2.GetServiceInfoResponse:
        """Tells how the service and the organization's log stand."""
        return await self._info.read(current().organization)

    async def CheckAccess(
        self, request: access_audit_pb2.CheckAccessRequest, context: _Context
    ) -> access_audit_pb2.CheckAccessResponse:
        """Decides and records one access before it happens."""
        return await self._accesses.check(current(), request)

    async def RecordAccess(
        self, request: access_audit_pb2.RecordAccessRequest, context: _Context
    ) -> access_audit_pb2.RecordAccessResponse:
        """Records accesses that have happened."""
        return await self._accesses.record(current(), request)

    async def RecordOutcome(
        self, request: access_audit_pb2.RecordOutcomeRequest, context: _Context
    ) -> access_audit_pb2.RecordOutcomeResponse:
        """Records that an allowed access failed afterwards."""
        return await self._facts.record_outcome(current(), request)

    async def RecordKeyEvent(
        self, request: access_audit_pb2.RecordKeyEventRequest, context: _Context
    ) -> access_audit_pb2.RecordKeyEventResponse:
        """Records a step in the life of keys."""
        return await self._facts.record_key_event(current(), request)

    async def PutCases(
        self, request: access_audit_pb2.PutCasesRequest, context: _Context
    ) -> access_audit_pb2.PutCasesResponse:
        """Stores cases."""
        return await self._facts.put_cases(current(), request)

    async def PutRetentionEvents(
        self, request: access_audit_pb2.PutRetentionEventsRequest, context: _Context
    ) -> access_audit_pb2.PutRetentionEventsResponse:
        """Stores starts of retention periods."""
        return await self._facts.put_events(current(), request)

    async def ListDueSubjects(
        self, request: access_audit_pb2.ListDueSubjectsRequest, context: _Context
    ) -> access_audit_pb2.ListDueSubjectsResponse:
        """Lists subjects whose values of a class are to be destroyed."""
        return await self._due.list_due(current(), request)

    async def ListAccessRecords(
        self, request: access_audit_pb2.ListAccessRecordsRequest, context: _Context
    ) -> access_audit_pb2.ListAccessRecordsResponse:
        """Lists access records; the listing itself is recorded."""
        return await self._reviews.list_records(current(), request)
