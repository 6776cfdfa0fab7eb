"""Between the contract's messages and the service's values; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from google.protobuf.timestamp_pb2 import Timestamp

from emanet.api.access_audit.v1 import resources_pb2
from emanet.core.leaf import Verdict
from emanet.core.names import Collection, format_name
from services.access_audit.heads import Head
from services.access_audit.storage.rules import RuleSetRow
from services.access_audit.transaction import Appended

__all__ = ["to_receipt", "to_rule_set", "to_timestamp", "to_verdict"]

_VERDICTS: Mapping[Verdict, resources_pb2.Verdict.ValueType] = MappingProxyType(
    {
        Verdict.ALLOW: resources_pb2.VERDICT_ALLOW,
        Verdict.DENY: resources_pb2.VERDICT_DENY,
    }
)


def to_verdict(verdict: Verdict) -> resources_pb2.Verdict.ValueType:
    """A verdict as the contract names it."""
    return _VERDICTS[verdict]


def to_receipt(appended: Appended, head: Head) -> resources_pb2.Receipt:
    """The proof that a leaf is in the log under a signed checkpoint."""
    return resources_pb2.Receipt(
        checkpoint=head.note, index=appended.index, leaf_hash=appended.leaf_hash
    )


def to_timestamp(at_us: int) -> Timestamp:
    """A time in microseconds as the contract carries it."""
    seconds, micros = divmod(at_us, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1_000)


def to_rule_set(organization: str, row: RuleSetRow, *, active: int) -> resources_pb2.RuleSet:
    """A rule set as the contract shows it.

    Args:
        organization: slug.
        row: as stored; its source goes along.
        active: number of the active rule set.
    """
    if row.activate_us is None and row.number != active:
        state = resources_pb2.RULE_SET_STATE_APPLIED
    elif row.number == active:
        state = resources_pb2.RULE_SET_STATE_ACTIVE
    else:
        state = resources_pb2.RULE_SET_STATE_SUPERSEDED
    shown = resources_pb2.RuleSet(
        name=format_name(organization, Collection.RULE_SETS.value, str(row.number)),
        number=row.number,
        digest=row.digest,
        state=state,
        source=row.source,
        apply_time=to_timestamp(row.apply_us),
    )
    if row.activate_us is not None:
        shown.activate_time.CopyFrom(to_timestamp(row.activate_us))
    return shown
