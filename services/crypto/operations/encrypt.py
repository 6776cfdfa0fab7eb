"""Encrypt: a batch of values of one organization, each under its own pair key.

Needs the database, the epoch key and the last verified register; neither access_audit nor
inventory. A batch costs one transaction when its keys are known, two when some have to be made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from emanet.core.clock import Clock
from emanet.core.encoding import micros, require_nfc
from emanet.core.envelope import MAX_PLAINTEXT_BYTES, NONCE_BYTES, ValueType
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
_MAX_PLACES = 20_000


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


class _Place(NamedTuple):
    """Where values of one field and subject belong, when their retention starts this month."""

    pair: PairName
    rule: FieldRule

    def __repr__(self) -> str:
        return "_Place(...)"


_Places = dict[tuple[str, str], _Place | EmanetError]
"""Field and subject → their place, or why the subject or the field does not do."""

_Need = tuple[PairName, str]
"""What one item that may be encrypted needs: its pair key and the record in its AAD."""


class EncryptOperation:
    """Encrypts batches; safe to run concurrently in one event loop."""

    def __init__(self, *, tenants: Tenants, finder: KeyFinder, clock: Clock) -> None:
        self._tenants = tenants
        self._finder = finder
        self._clock = clock
        self._places: dict[str, tuple[RegisterView, str, _Places]] = {}

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
        month = bucket_month(now)
        places = self._places_under(organization, view, month)
        planner = _Planner(view, month=month, latest=now + _MAX_AHEAD, places=places)
        needs = [planner.need(item) for item in items]
        names = {need[0] for need in needs if not isinstance(need, EmanetError)}
        pairs = await self._finder.find_by_names(tenant, names, now_us=micros(now))
        return _seal_all(organization, items, needs, pairs)

    def _places_under(self, organization: str, view: RegisterView, month: str) -> _Places:
        """Places found in this month under this register version; forgotten when too many."""
        known = self._places.get(organization)
        if (
            known is None
            or known[0] is not view
            or known[1] != month
            or len(known[2]) > _MAX_PLACES
        ):
            known = self._places[organization] = (view, month, {})
        return known[2]


class _Planner:
    """Derives class, bucket and binding of items from one register version."""

    def __init__(
        self, view: RegisterView, *, month: str, latest: datetime, places: _Places
    ) -> None:
        self._view = view
        self._month = month
        self._latest = latest
        self._places = places

    def need(self, item: PlainItem) -> _Need | EmanetError:
        """What the item needs, or why it is refused."""
        place = self._places.get((item.field, item.subject))
        try:
            if place is None:
                place = self._find_place(item.field, item.subject)
            # Refusals that are remembered are shared by every batch: returned, never raised,
            # because a raised exception keeps the frames that it passed.
            return place if isinstance(place, EmanetError) else self._planned(place, item)
        except EmanetError as refusal:
            return refusal.with_traceback(None)

    def _planned(self, place: _Place, item: PlainItem) -> _Need:
        value = item.value
        if len(value) > MAX_PLAINTEXT_BYTES:
            raise error(Reason.VALUE_TOO_LARGE, limit=str(MAX_PLAINTEXT_BYTES))
        if item.value_type is ValueType.TEXT and not value.isascii():
            require_nfc(value.decode())
        name, rule = place
        if item.start is not None:
            name = name._replace(bucket=rule.bucket(self._month_of(item.start)))
        return name, "" if rule.binds_subject else _record(item)

    def _find_place(self, field: str, subject: str) -> _Place | EmanetError:
        rule = self._view.rule(field)
        problem = rule.refusal or self._subject_problem(rule, subject)
        name = PairName(rule.retention_class, subject, rule.bucket(self._month))
        place = self._places[field, subject] = problem or _Place(name, rule)
        return place

    def _subject_problem(self, rule: FieldRule, subject: str) -> EmanetError | None:
        try:
            verify_subject(self._view.register, rule, subject)
        except EmanetError as problem:
            return problem.with_traceback(None)
        return None

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
    items: Sequence[PlainItem],
    needs: Sequence[_Need | EmanetError],
    pairs: Mapping[PairName, Pair | EmanetError],
) -> list[bytes | EmanetError]:
    random = random_bytes(NONCE_BYTES * len(needs))
    nonces = [random[at : at + NONCE_BYTES] for at in range(0, len(random), NONCE_BYTES)]
    binder = Binder(organization)
    results: list[bytes | EmanetError] = []
    for item, need, nonce in zip(items, needs, nonces, strict=True):
        if isinstance(need, EmanetError):
            results.append(need)
            continue
        name, record = need
        pair = pairs[name]
        if isinstance(pair, EmanetError):
            results.append(pair)
        else:
            results.append(_sealed(binder, item, record, pair=pair, nonce=nonce))
    return results


def _sealed(
    binder: Binder, item: PlainItem, record: str, *, pair: Pair, nonce: bytes
) -> bytes | EmanetError:
    if pair.uses >= MAX_PAIR_USES:
        return error(Reason.OVERLOADED)
    pair.uses += 1
    head = pair.head + nonce
    bound = binder.bind(head, field=item.field, record=record, value_type=item.value_type)
    return head + pair.commitment + pair.cipher.seal(nonce, item.value, bound)
