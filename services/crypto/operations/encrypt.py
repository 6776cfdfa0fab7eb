"""Encrypt: a batch of values of one organization, each under its own pair key.

Needs the database, the epoch key and the last verified register; neither access_audit nor
inventory. A batch costs one transaction when its keys are known, two when some have to be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from emanet.core.clock import Clock
from emanet.core.encoding import micros, require_nfc
from emanet.core.envelope import (
    MAX_PLAINTEXT_BYTES,
    NONCE_BYTES,
    ValueType,
    header,
    seal_bytes,
)
from emanet.core.errors import EmanetError, Reason, error
from emanet.register.protection import FieldRule, RegisterView, bucket_month, verify_subject
from services.crypto.domain.binding import Binder
from services.crypto.domain.keys import Pair, PairName
from services.crypto.keys import KeyFinder
from services.crypto.keystore import MAX_PAIR_USES
from services.crypto.tenants import Tenants
from services.runtime.primitives import random_bytes

__all__ = ["EncryptOperation", "PlainItem"]

_MAX_AHEAD = timedelta(minutes=5)
_MAX_RECORD_BYTES = 128
_MAX_VERIFIED = 20_000

_Verified = dict[tuple[str, str], EmanetError | None]
"""Field and subject → why the subject does not do for the field; None where it does."""


class PlainItem(NamedTuple):
    """One value to encrypt.

    Attributes:
        field: the field's slug.
        subject: `{namespace}/{ref}` or empty.
        record: the record's reference; empty = the subject.
        value: the bytes of the value (UTF-8 for text).
        value_type: text or bytes.
        start: when retention starts to count; None = now.
    """

    field: str
    subject: str
    record: str
    value: bytes
    value_type: ValueType
    start: datetime | None

    def __repr__(self) -> str:
        return f"PlainItem({self.field!r}, ...)"


class _Need(NamedTuple):
    """What one item that may be encrypted needs: its pair key and the record in its AAD."""

    pair: PairName
    record: str

    def __repr__(self) -> str:
        return "_Need(...)"


class EncryptOperation:
    """Encrypts batches; safe to run concurrently in one event loop."""

    def __init__(self, *, tenants: Tenants, finder: KeyFinder, clock: Clock) -> None:
        self._tenants = tenants
        self._finder = finder
        self._clock = clock
        self._verified: dict[str, tuple[RegisterView, _Verified]] = {}

    async def run(self, organization: str, items: Sequence[PlainItem]) -> list[bytes | EmanetError]:
        """Encrypts a batch.

        Returns:
            for each item its envelope, or why it was refused.

        Raises:
            StateError: ORGANIZATION_MISSING, REGISTER_MISSING, SECRET_UNUSABLE, KEYS_BEHIND.
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        tenant = await self._tenants.require(organization)
        now = self._clock.now()
        view = self._tenants.register(organization).in_effect(now)
        planner = _Planner(view, now, self._verified_under(organization, view))
        needs = [planner.need(item) for item in items]
        names = {need.pair for need in needs if isinstance(need, _Need)}
        pairs = await self._finder.find_by_names(tenant, names, now_us=micros(now))
        return _seal_all(organization, items, needs, pairs)

    def _verified_under(self, organization: str, view: RegisterView) -> _Verified:
        """Subjects that were looked at under this register version; forgotten when too many."""
        known = self._verified.get(organization)
        if known is None or known[0] is not view or len(known[1]) > _MAX_VERIFIED:
            known = self._verified[organization] = (view, {})
        return known[1]


class _Planner:
    """Derives class, bucket and binding of items from one register version."""

    def __init__(self, view: RegisterView, now: datetime, verified: _Verified) -> None:
        self._view = view
        self._latest = now + _MAX_AHEAD
        self._month = bucket_month(now)
        self._subjects = verified

    def need(self, item: PlainItem) -> _Need | EmanetError:
        """What the item needs, or why it is refused."""
        try:
            rule = self._view.rule(item.field)
            # Refusals of the register are shared by every batch: returned, never raised, because a
            # raised exception keeps the frames that it passed.
            problem = rule.refusal or self._subject_problem(rule, item.subject)
            return problem or self._planned(rule, item)
        except EmanetError as refusal:
            return refusal.with_traceback(None)

    def _planned(self, rule: FieldRule, item: PlainItem) -> _Need:
        if len(item.value) > MAX_PLAINTEXT_BYTES:
            raise error(Reason.VALUE_TOO_LARGE, limit=str(MAX_PLAINTEXT_BYTES))
        if item.value_type is ValueType.TEXT and not item.value.isascii():
            require_nfc(item.value.decode())
        month = self._month if item.start is None else self._month_of(item.start)
        name = PairName(rule.retention_class, item.subject, rule.bucket(month))
        return _Need(name, "" if rule.binds_subject else _record(item))

    def _subject_problem(self, rule: FieldRule, subject: str) -> EmanetError | None:
        key = (rule.field, subject)
        if key not in self._subjects:
            try:
                verify_subject(self._view.register, rule, subject)
                self._subjects[key] = None
            except EmanetError as problem:
                self._subjects[key] = problem.with_traceback(None)
        return self._subjects[key]

    def _month_of(self, start: datetime) -> str:
        if start > self._latest:
            raise error(Reason.START_IN_FUTURE)
        return bucket_month(start)


def _record(item: PlainItem) -> str:
    if not item.record:
        if not item.subject:
            problem = "a value without a subject names its record"
            raise error(Reason.INVALID_FIELD, violations=(("record", problem),))
        return item.subject
    if len(item.record.encode()) > _MAX_RECORD_BYTES:
        raise error(Reason.VALUE_TOO_LARGE, limit=str(_MAX_RECORD_BYTES))
    return require_nfc(item.record)


def _seal_all(
    organization: str,
    items: Iterable[PlainItem],
    needs: Sequence[_Need | EmanetError],
    pairs: dict[PairName, Pair | EmanetError],
) -> list[bytes | EmanetError]:
    nonces = random_bytes(NONCE_BYTES * len(needs))
    binder = Binder(organization)
    results: list[bytes | EmanetError] = []
    for index, (item, need) in enumerate(zip(items, needs, strict=True)):
        if isinstance(need, EmanetError):
            results.append(need)
            continue
        pair = pairs[need.pair]
        if isinstance(pair, EmanetError):
            results.append(pair)
            continue
        nonce = nonces[index * NONCE_BYTES : (index + 1) * NONCE_BYTES]
        results.append(_sealed(binder, item, need.record, pair=pair, nonce=nonce))
    return results


def _sealed(
    binder: Binder, item: PlainItem, record: str, *, pair: Pair, nonce: bytes
) -> bytes | EmanetError:
    if pair.uses >= MAX_PAIR_USES:
        return error(Reason.OVERLOADED)
    pair.uses += 1
    head = header(sid=pair.ids[:16], bid=pair.ids[16:], nonce=nonce)
    bound = binder.bind(head, field=item.field, record=record, value_type=item.value_type)
    sealed = pair.cipher.seal(nonce, item.value, bound)
    return seal_bytes(header=head, commitment=pair.commitment, sealed=sealed)
