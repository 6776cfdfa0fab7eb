"""Between the contract's messages and the inventory's values; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from google.protobuf.timestamp_pb2 import Timestamp

from emanet.api.inventory.v1 import resources_pb2
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.names import Collection, format_name
from emanet.register.edits import Edit, parse_edit
from emanet.register.values import Kind
from services.inventory.domain.drafts import Draft
from services.inventory.domain.versions import Life, Version, life_of

__all__ = ["from_timestamp", "timestamp", "to_draft", "to_edits", "to_version"]

MAX_EDITS = 1000

_LIVES: Mapping[Life, resources_pb2.VersionState.ValueType] = MappingProxyType(
    {
        Life.SUBMITTED: resources_pb2.VERSION_STATE_SUBMITTED,
        Life.WITHDRAWN: resources_pb2.VERSION_STATE_WITHDRAWN,
        Life.APPROVED: resources_pb2.VERSION_STATE_APPROVED,
        Life.EFFECTIVE: resources_pb2.VERSION_STATE_EFFECTIVE,
        Life.SUPERSEDED: resources_pb2.VERSION_STATE_SUPERSEDED,
    }
)
_KINDS: Mapping[int, Kind] = MappingProxyType(
    {resources_pb2.EntityKind.Value(f"ENTITY_KIND_{kind.name}"): kind for kind in Kind}
)


def to_draft(draft: Draft) -> resources_pb2.Draft:
    """A draft as the contract shows it."""
    return resources_pb2.Draft(
        parent=f"organizations/{draft.organization}",
        etag=draft.etag,
        register=draft.register,
        update_time=timestamp(draft.updated),
    )


def to_version(version: Version, *, in_effect: Version | None) -> resources_pb2.RegisterVersion:
    """A version as the contract shows it while `in_effect` holds."""
    message = resources_pb2.RegisterVersion(
        name=format_name(
            version.organization, Collection.REGISTER_VERSIONS.value, str(version.number)
        ),
        number=version.number,
        digest=version.digest,
        state=_LIVES[life_of(version, in_effect=in_effect)],
        submit_time=timestamp(version.submitted),
        author=version.author,
    )
    if version.approval is not None:
        message.approve_time.CopyFrom(timestamp(version.approval.approved))
        message.effective_time.CopyFrom(timestamp(version.approval.effective))
        message.approver = version.approval.approver
    return message


def to_edits(messages: Sequence[resources_pb2.RegisterEdit]) -> tuple[Edit, ...]:
    """Reads edits from the wire.

    Raises:
        CallerError: BATCH_TOO_LARGE above 1000; INVALID_FIELD for an unknown kind or no act;
            EDIT_INVALID for a value that is no canonical JSON object.
    """
    if len(messages) > MAX_EDITS:
        raise error(Reason.BATCH_TOO_LARGE, limit=str(MAX_EDITS))
    return tuple(_edit(message, index) for index, message in enumerate(messages))


def timestamp(moment: datetime) -> Timestamp:
    """A time as the contract carries it."""
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def from_timestamp(message: Timestamp) -> datetime:
    """The time of a message as an aware UTC datetime; parts of a microsecond are cut off.

    Raises:
        CallerError: INVALID_FIELD, it is no time of the years 1 to 9999.
    """
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise error(Reason.INVALID_FIELD, violations=(("time", "not a time"),)) from None


def _edit(message: resources_pb2.RegisterEdit, index: int) -> Edit:
    kind = _KINDS.get(message.kind)
    act = message.WhichOneof("act")
    if kind is None:
        raise _invalid(f"edits[{index}].kind", "unknown kind")
    if act is None or (act == "remove" and not message.remove):
        raise _invalid(f"edits[{index}]", "neither put nor remove")
    try:
        return parse_edit(kind, message.slug, put=message.put if act == "put" else None)
    except EmanetError as broken:
        metadata = dict(broken.metadata) | {"index": str(index)}
        raise type(broken)(broken.reason, metadata) from broken


def _invalid(field: str, problem: str) -> EmanetError:
    return error(Reason.INVALID_FIELD, violations=((field, problem),))
