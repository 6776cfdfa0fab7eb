"""The crypto service of the fake: the same refusals and the same order, without cryptography."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.api.crypto.v1 import crypto_pb2
from emanet.core.clock import Clock
from emanet.core.encoding import require_nfc
from emanet.core.envelope import MAX_PLAINTEXT_BYTES, ValueType
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.ids import new_uuid7
from emanet.core.leaf import MAX_FIELDS
from emanet.core.mask import HIDDEN, mask
from emanet.core.names import is_slug
from emanet.register.protection import FieldRule, RegisterView, bucket_month, verify_subject
from emanet.register.values import Level
from emanet.testing.access import MAX_ITEMS, Caller, invalid
from emanet.testing.audit import MemoryAudit
from emanet.testing.statuses import status_of
from emanet.testing.vault import KeyPair, UnsafeMemoryVault, Value

__all__ = ["MemoryCrypto"]

_MAX_AHEAD = timedelta(minutes=5)
_MAX_RECORD_BYTES = 128
_SERVICE = "crypto"
_ACTIONS = frozenset(
    {
        resources_pb2.ACTION_READ_MASKED,
        resources_pb2.ACTION_DECRYPT,
        resources_pb2.ACTION_EXPORT,
        resources_pb2.ACTION_DISCLOSE,
    }
)
_CLOSED: Mapping[Level | None, Reason] = MappingProxyType(
    {Level.SEALED: Reason.FIELD_SEALED, Level.FORBIDDEN: Reason.FIELD_FORBIDDEN}
)


class _Slot(NamedTuple):
    item: crypto_pb2.DecryptItem
    keys: KeyPair | EmanetError


class MemoryCrypto:
    """Encrypts and opens values of one organization; needs a lock around its calls."""

    def __init__(
        self, *, view: RegisterView, vault: UnsafeMemoryVault, audit: MemoryAudit, clock: Clock
    ) -> None:
        """Puts the parts together."""
        self._view = view
        self._vault = vault
        self._audit = audit
        self._clock = clock

    def encrypt(
        self,
        request: crypto_pb2.EncryptRequest,
        caller: Caller,  # noqa: ARG002 (every method has the form of an RPC)
    ) -> crypto_pb2.EncryptResponse:
        """Encrypts a batch; each item has its own answer.

        Raises:
            CallerError: BATCH_TOO_LARGE, INVALID_FIELD.
        """
        _require_batch(len(request.items))
        for index, item in enumerate(request.items):
            if item.value.WhichOneof("kind") is None:
                raise invalid(f"items[{index}].value", "a value is text or data")
        return crypto_pb2.EncryptResponse(results=[self._encrypt(item) for item in request.items])

    def decrypt(
        self, request: crypto_pb2.DecryptRequest, caller: Caller
    ) -> crypto_pb2.DecryptResponse:
        """Opens a batch after the audit has allowed and recorded it.

        Raises:
            CallerError: INVALID_FIELD, BATCH_TOO_LARGE; FIELD_SEALED, FIELD_FORBIDDEN (recorded).
            DeniedError: the denial's reason, with the record's name.
            UnavailableError: AUDIT_UNAVAILABLE; nothing is opened.
        """
        _require_batch(len(request.items))
        if request.action not in _ACTIONS:
            raise invalid("action", "Decrypt masks, decrypts, exports or discloses")
        fields = {item.field for item in request.items}
        if len(fields) > MAX_FIELDS:
            raise error(Reason.BATCH_TOO_LARGE, limit=str(MAX_FIELDS))
        if not all(map(is_slug, fields)):
            raise invalid("items.field", "a field is a slug")
        slots = [_Slot(item, self._vault.find(item.envelope)) for item in request.items]
        answer = self._audit.check(
            access_audit_pb2.CheckAccessRequest(
                organization=request.organization,
                attempt_id=str(new_uuid7(self._clock)),
                context=request.context,
                action=request.action,
                items=_access_items(slots),
            ),
            caller,
        )
        self._refuse(fields, answer)
        is_masked = request.action == resources_pb2.ACTION_READ_MASKED
        return crypto_pb2.DecryptResponse(
            results=[self._open(slot, is_masked=is_masked) for slot in slots],
            record=answer.record,
            receipt=answer.receipt,
            waiting_for_review=answer.waiting_for_review,
        )

    def _encrypt(self, item: crypto_pb2.EncryptItem) -> crypto_pb2.EncryptResult:
        try:
            return crypto_pb2.EncryptResult(envelope=self._seal(item))
        except EmanetError as refused:
            return crypto_pb2.EncryptResult(status=status_of(refused, service=_SERVICE))

    def _seal(self, item: crypto_pb2.EncryptItem) -> bytes:
        rule = self._view.rule(item.field)
        if rule.refusal is not None:
            raise rule.refusal
        verify_subject(self._view.register, rule, item.subject)
        value = _value(item.value)
        if len(value.data) > MAX_PLAINTEXT_BYTES:
            raise error(Reason.VALUE_TOO_LARGE, limit=str(MAX_PLAINTEXT_BYTES))
        if value.value_type is ValueType.TEXT:
            require_nfc(item.value.text)
        pair = KeyPair(rule.retention_class, item.subject, rule.bucket(self._month(item)))
        record = "" if rule.binds_subject else _record(item)
        return self._vault.seal(pair, field=item.field, record=record, value=value)

    def _month(self, item: crypto_pb2.EncryptItem) -> str:
        now = self._clock.now()
        if not item.HasField("start_time"):
            return bucket_month(now)
        start = _moment(item.start_time)
        if start > now + _MAX_AHEAD:
            raise error(Reason.START_IN_FUTURE)
        return bucket_month(start)

    def _refuse(self, fields: set[str], answer: access_audit_pb2.CheckAccessResponse) -> None:
        """Raises for a field that must not be opened here at all, and for a denial."""
        for field in sorted(fields):
            rule = self._view.fields.get(field)
            closed = None if rule is None else _CLOSED.get(rule.level)
            if closed is not None:
                raise error(closed, field=field, row=f"fields/{field}", record=answer.record)
        if answer.verdict != resources_pb2.VERDICT_ALLOW:
            metadata: dict[str, str] = {**answer.metadata, "record": answer.record}
            raise error(Reason(answer.reason), violations=(), **metadata)

    def _open(self, slot: _Slot, *, is_masked: bool) -> crypto_pb2.DecryptResult:
        item, keys = slot
        if isinstance(keys, EmanetError):
            return crypto_pb2.DecryptResult(status=status_of(keys, service=_SERVICE))
        rule = self._view.fields.get(item.field)
        value = None
        if not item.subject or item.subject == keys.subject:
            is_subject_bound = rule is not None and rule.binds_subject
            record = "" if is_subject_bound else item.record or keys.subject
            value = self._vault.open(item.envelope, field=item.field, record=record)
        if value is None:
            broken = error(Reason.ENVELOPE_INVALID)
            return crypto_pb2.DecryptResult(status=status_of(broken, service=_SERVICE))
        if is_masked:
            return crypto_pb2.DecryptResult(value=crypto_pb2.Value(text=_masked(value, rule)))
        if value.value_type is ValueType.TEXT:
            return crypto_pb2.DecryptResult(value=crypto_pb2.Value(text=value.data.decode()))
        return crypto_pb2.DecryptResult(value=crypto_pb2.Value(data=value.data))


def _access_items(slots: Sequence[_Slot]) -> list[resources_pb2.AccessItem]:
    """Fields, subjects and buckets with counts; what cannot be opened has no subject of its own.

    It is counted with the first value of its field that can be opened, else alone.
    """
    counts: dict[tuple[str, str, str], int] = {}
    first: dict[str, tuple[str, str, str]] = {}
    unopened: list[str] = []
    for item, keys in slots:
        if isinstance(keys, EmanetError):
            unopened.append(item.field)
            continue
        key = (item.field, keys.subject, keys.bucket)
        first.setdefault(item.field, key)
        counts[key] = counts.get(key, 0) + 1
    for field in unopened:
        key = first.get(field, (field, "", ""))
        counts[key] = counts.get(key, 0) + 1
    return [
        resources_pb2.AccessItem(field=field, subject=subject, bucket=bucket, count=count)
        for (field, subject, bucket), count in counts.items()
    ]


def _value(value: crypto_pb2.Value) -> Value:
    if value.WhichOneof("kind") == "text":
        return Value(ValueType.TEXT, value.text.encode())
    return Value(ValueType.BYTES, value.data)


def _record(item: crypto_pb2.EncryptItem) -> str:
    if not item.record:
        if not item.subject:
            raise invalid("record", "a value without a subject names its record")
        return item.subject
    if len(item.record.encode()) > _MAX_RECORD_BYTES:
        raise error(Reason.VALUE_TOO_LARGE, limit=str(_MAX_RECORD_BYTES))
    return require_nfc(item.record)


def _masked(value: Value, rule: FieldRule | None) -> str:
    if value.value_type is not ValueType.TEXT or rule is None:
        return HIDDEN
    return mask(rule.data_type, value.data.decode())


def _moment(stamp: Timestamp) -> datetime:
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise invalid("items.start_time", "out of range") from None


def _require_batch(count: int) -> None:
    if count > MAX_ITEMS:
        raise error(Reason.BATCH_TOO_LARGE, limit=str(MAX_ITEMS))
