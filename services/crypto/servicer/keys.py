"""The gRPC edge of KeyService: reads messages, calls one operation, writes messages."""

from __future__ import annotations

from collections.abc import Mapping

import grpc

from emanet.api.crypto.v1 import keys_pb2, keys_pb2_grpc, resources_pb2
from emanet.core.encoding import micros
from emanet.core.errors import Reason, error
from emanet.core.names import Collection, format_name, organization_of, parse_name
from services.crypto.domain.destruction import Ground, Outcome, PlanItem
from services.crypto.domain.receipt import decode_plan
from services.crypto.operations.destroy import (
    BucketOrder,
    DestroyOperation,
    Order,
    SubjectOrder,
)
from services.crypto.paging import PageTokens, page_size
from services.crypto.storage.destruction import DestructionRow, State
from services.runtime import request as running

__all__ = ["KeyServicer"]

_GROUNDS: Mapping[int, Ground] = {
    keys_pb2.DESTRUCTION_GROUND_SUBJECT_REQUEST: Ground.SUBJECT_REQUEST,
    keys_pb2.DESTRUCTION_GROUND_RETENTION_ENDED: Ground.RETENTION_ENDED,
}
_OUTCOMES: Mapping[Outcome, resources_pb2.DestructionOutcome.ValueType] = {
    Outcome.DESTROYED: resources_pb2.DESTRUCTION_OUTCOME_DESTROYED,
    Outcome.KEPT: resources_pb2.DESTRUCTION_OUTCOME_KEPT,
    Outcome.REFUSED: resources_pb2.DESTRUCTION_OUTCOME_REFUSED,
}
_STATES: Mapping[State, resources_pb2.DestructionState.ValueType] = {
    State.PLANNED: resources_pb2.DESTRUCTION_STATE_UNSPECIFIED,
    State.INTENDED: resources_pb2.DESTRUCTION_STATE_INTENDED,
    State.KEYS_DESTROYED: resources_pb2.DESTRUCTION_STATE_KEYS_DESTROYED,
    State.EPOCH_DESTROYED: resources_pb2.DESTRUCTION_STATE_EPOCH_DESTROYED,
    State.RECEIPTED: resources_pb2.DESTRUCTION_STATE_RECEIPTED,
    State.NOTHING_DESTROYED: resources_pb2.DESTRUCTION_STATE_NOTHING_DESTROYED,
}


class KeyServicer(keys_pb2_grpc.KeyServiceServicer):
    """Serves `emanet.api.crypto.v1.KeyService`."""

    def __init__(self, *, destroying: DestroyOperation, tokens: PageTokens) -> None:
        self._destroying = destroying
        self._tokens = tokens

    async def DestroySubject(
        self,
        request: keys_pb2.DestroySubjectRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 (gRPC's signature)
    ) -> keys_pb2.DestroySubjectResponse:
        """Destroys the keys of one subject by retention class."""
        ground = _GROUNDS.get(request.ground)
        if ground is None:
            raise error(Reason.INVALID_FIELD, violations=(("ground", "not a known ground"),))
        act = SubjectOrder(request.subject, tuple(request.retention_classes), ground)
        row = await self._destroying.run(_order(request, act))
        return keys_pb2.DestroySubjectResponse(destruction=_destruction(row))

    async def DestroyBucket(
        self,
        request: keys_pb2.DestroyBucketRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 (gRPC's signature)
    ) -> keys_pb2.DestroyBucketResponse:
        """Destroys the key of one class and month whose period has lapsed."""
        act = BucketOrder(request.retention_class, request.bucket)
        row = await self._destroying.run(_order(request, act))
        return keys_pb2.DestroyBucketResponse(destruction=_destruction(row))

    async def GetDestruction(
        self,
        request: keys_pb2.GetDestructionRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 (gRPC's signature)
    ) -> keys_pb2.GetDestructionResponse:
        """Reads a destruction and, when it is done, its receipt."""
        name = parse_name(request.name)
        if name.collection is not Collection.DESTRUCTIONS:
            raise error(Reason.INVALID_NAME)
        row = await self._destroying.read(name.organization, name.id)
        return keys_pb2.GetDestructionResponse(destruction=_destruction(row))

    async def ListDestructions(
        self,
        request: keys_pb2.ListDestructionsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 (gRPC's signature)
    ) -> keys_pb2.ListDestructionsResponse:
        """Lists destructions, newest first."""
        caller = running.caller().spiffe_id
        size = page_size(request.page_size)
        before = self._tokens.read(request.page_token, parent=request.parent, caller=caller)
        rows = await self._destroying.list(
            organization_of(request.parent), before=before, limit=size + 1
        )
        token = ""
        if len(rows) > size:
            token = self._tokens.write(rows[size - 1].id, parent=request.parent, caller=caller)
        return keys_pb2.ListDestructionsResponse(
            destructions=map(_destruction, rows[:size]), next_page_token=token
        )


def _order(
    request: keys_pb2.DestroySubjectRequest | keys_pb2.DestroyBucketRequest,
    act: SubjectOrder | BucketOrder,
) -> Order:
    call = running.current()
    return Order(
        organization=request.organization,
        act=act,
        request_id=request.request_id,
        caller=call.caller.spiffe_id,
        staff_token=call.staff_token,
        is_preview=request.validate_only,
    )


def _destruction(row: DestructionRow) -> resources_pb2.Destruction:
    plan = decode_plan(row.plan)
    message = resources_pb2.Destruction(
        name=(
            format_name(row.organization, Collection.DESTRUCTIONS.value, row.id) if row.id else ""
        ),
        state=_STATES[row.state],
        items=map(_item, plan.items),
        evidence=row.evidence,
        receipt=row.receipt or b"",
        key_count=row.key_count,
    )
    message.request_time.FromMicroseconds(row.requested)
    if row.destroyed is not None:
        message.destroy_time.FromMicroseconds(row.destroyed)
    if row.unreadable_from is not None:
        message.unreadable_from.FromMicroseconds(row.unreadable_from)
    return message


def _item(item: PlanItem) -> resources_pb2.DestructionItem:
    message = resources_pb2.DestructionItem(
        retention_class=item.retention_class,
        outcome=_OUTCOMES[item.outcome],
        article=item.article,
        row=item.row,
        fields=item.fields,
    )
    if item.until is not None:
        message.until_time.FromMicroseconds(micros(item.until))
    return message
