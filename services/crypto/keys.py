"""Finds the pair keys of a batch: cache and database under one reading of the key counter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from emanet.core.encoding import b64url_encode
from emanet.core.envelope import KEY_ID_BYTES
from emanet.core.errors import DestroyedError, EmanetError, Reason, error
from emanet.core.keyrow import KeyState
from emanet.core.names import Collection as NameCollection
from emanet.core.names import format_name
from services.crypto import storage
from services.crypto.cache import PairCache, PairCaches
from services.crypto.domain.keys import (
    KeyName,
    OpenedKey,
    OpenedPair,
    Pair,
    PairIds,
    PairName,
    StoredKey,
    key_name_of_bucket,
    key_name_of_subject,
)
from services.crypto.keystore import Keystore
from services.crypto.storage.keys import Head
from services.crypto.tenants import Tenant
from services.runtime.database import Database

__all__ = ["FoundPairs", "KeyFinder", "LostPair", "unknown_pair"]

_log = structlog.get_logger(__name__)
_ATTEMPTS = 5


class LostPair(NamedTuple):
    """Two key ids of which at least one gives no key.

    Attributes:
        problem: KEY_DESTROYED with the destruction's name, KEY_ROW_CORRUPT, or ENVELOPE_INVALID
            for ids that are unknown or do not fit.
        name: its subject is whose value it was, where S still tells; the rest is empty.
    """

    problem: EmanetError
    name: PairName


class FoundPairs(NamedTuple):
    """The keys of a batch of envelopes, found under one key counter.

    Attributes:
        counter: the key counter.
        by_ids: for each pair of ids its pair key from memory, the two keys from which it can be
            derived, or why there are none.
    """

    counter: int
    by_ids: Mapping[PairIds, Pair | OpenedPair | LostPair]


_NO_NAME = PairName("", "", "")


class _Read(NamedTuple):
    """What one transaction found."""

    head: Head
    rows: list[StoredKey]
    destructions: Mapping[bytes, str]


class _Lookups(NamedTuple):
    """Under which lookups keys are found.

    Attributes:
        keys: each lookup and whose it is.
        pairs: the lookups of S and of B of each pair.
    """

    keys: dict[bytes, KeyName]
    pairs: dict[PairName, tuple[bytes, bytes]]


class KeyFinder:
    """Reads, opens and makes keys; safe to use concurrently in one event loop."""

    def __init__(self, *, database: Database, keystore: Keystore, caches: PairCaches) -> None:
        self._database = database
        self._keystore = keystore
        self._caches = caches

    async def find_by_ids(self, tenant: Tenant, wanted: Set[PairIds]) -> FoundPairs:
        """The keys of envelopes, for Decrypt.

        Raises:
            StateError: ORGANIZATION_MISSING, KEYS_BEHIND, SECRET_UNUSABLE.
            IntegrityError: LOG_FORK, decryption is stopped for the organization.
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        found, is_stale = await self._find_by_ids(tenant, wanted)
        for _ in range(_ATTEMPTS):
            if not is_stale:
                break
            # The rows were read just before their epoch ended; they lie under the next one now.
            found, is_stale = await self._find_by_ids(tenant, wanted)
        return found

    def derive_all(self, organization: str, found: FoundPairs) -> dict[PairIds, Pair | LostPair]:
        """The pair keys of what was found; new ones are kept in memory."""
        cache = self._caches.of(organization)
        pairs: dict[PairIds, Pair | LostPair] = {}
        for ids, each in found.by_ids.items():
            if isinstance(each, OpenedPair):
                pairs[ids] = pair = self._keystore.derive(organization, each)
                cache.store(pair, counter=found.counter)
            else:
                pairs[ids] = each
        return pairs

    async def _find_by_ids(self, tenant: Tenant, wanted: Set[PairIds]) -> tuple[FoundPairs, bool]:
        cache = self._caches.of(tenant.organization)
        expected = cache.counter
        known = {ids: pair for ids in wanted if (pair := cache.find(ids)) is not None}
        missing = _distinct(wanted - known.keys())
        read = await self._database.read(
            lambda connection: _read_ids(connection, tenant.organization, expected, missing, wanted)
        )
        self._accept(tenant, cache, read.head)
        if read.head.fault or tenant.log.fault:
            raise error(Reason.LOG_FORK)
        if read.head.counter != expected:
            known = {}
        opened = self._opened(read)
        found: dict[PairIds, Pair | OpenedPair | LostPair] = dict(known)
        for ids in wanted - known.keys():
            found[ids] = self._found(ids, opened)
        is_stale = any(_is_stale(row, opened[row.id]) for row in read.rows)
        return FoundPairs(read.head.counter, found), is_stale

    async def find_by_names(
        self, tenant: Tenant, wanted: Set[PairName], *, now_us: int
    ) -> dict[PairName, Pair | EmanetError]:
        """The pair keys that new values use, for Encrypt; keys that do not exist are made.

        Returns:
            for each name its pair key, or KEY_ROW_CORRUPT.

        Raises:
            StateError: ORGANIZATION_MISSING, KEYS_BEHIND, SECRET_UNUSABLE.
            UnavailableError: DATABASE_UNAVAILABLE; NOT_READY when keys changed during every try.
        """
        for _ in range(_ATTEMPTS):
            pairs = await self._find_by_names(tenant, wanted, now_us)
            if pairs is not None:
                return pairs
        raise error(Reason.NOT_READY)

    async def _find_by_names(
        self, tenant: Tenant, wanted: Set[PairName], now_us: int
    ) -> dict[PairName, Pair | EmanetError] | None:
        cache = self._caches.of(tenant.organization)
        expected = cache.counter
        known = {name: pair for name in wanted if (pair := cache.find_named(name)) is not None}
        lookups = self._lookups(tenant.organization, wanted - known.keys())
        read = await self._database.read(
            lambda connection: _read_lookups(connection, tenant.organization, tuple(lookups.keys))
        )
        self._accept(tenant, cache, read.head)
        if read.head.counter != expected and known:
            return None
        keys = self._opened_living(read.rows)
        if keys is None:
            return None
        absent = {lookup: key for lookup, key in lookups.keys.items() if lookup not in keys}
        if absent:
            made = await self._make(tenant, absent, read.head, now_us)
            if made is None:
                return None
            keys |= made
        return known | self._paired(tenant.organization, lookups, keys, read.head.counter)

    def _paired(
        self,
        organization: str,
        lookups: _Lookups,
        keys: Mapping[bytes, OpenedKey | EmanetError],
        counter: int,
    ) -> dict[PairName, Pair | EmanetError]:
        cache = self._caches.of(organization)
        pairs: dict[PairName, Pair | EmanetError] = {}
        for name, (of_subject, of_bucket) in lookups.pairs.items():
            subject, bucket = keys[of_subject], keys[of_bucket]
            if isinstance(subject, EmanetError) or isinstance(bucket, EmanetError):
                pairs[name] = _worst(subject, bucket)
                continue
            opened = self._keystore.verify_pair(subject=subject, bucket=bucket)
            pairs[name] = pair = self._keystore.derive(organization, opened)
            cache.store(pair, counter=counter)
        return pairs

    def _lookups(self, organization: str, names: Iterable[PairName]) -> _Lookups:
        lookups = _Lookups({}, {})
        buckets: dict[KeyName, bytes] = {}
        for name in names:
            subject = key_name_of_subject(name.retention_class, name.subject)
            bucket = key_name_of_bucket(name.retention_class, name.bucket)
            of_subject = self._keystore.lookup(organization, subject)
            of_bucket = buckets.get(bucket)
            if of_bucket is None:
                of_bucket = buckets[bucket] = self._keystore.lookup(organization, bucket)
            lookups.keys[of_subject], lookups.keys[of_bucket] = subject, bucket
            lookups.pairs[name] = of_subject, of_bucket
        return lookups

    async def _make(
        self, tenant: Tenant, names: Mapping[bytes, KeyName], head: Head, now_us: int
    ) -> dict[bytes, OpenedKey | EmanetError] | None:
        """Makes keys, or finds those that another writer made first; None when keys changed."""
        organization = tenant.organization
        try:
            fresh = self._keystore.create_all(organization, names, epoch=head.epoch, now_us=now_us)
        except DestroyedError:
            # The epoch that was read has just been destroyed; the next reading names its heir.
            return None
        rows = [key.stored for key in fresh]

        def work(connection: Connection) -> list[StoredKey] | None:
            """None when keys changed; no rows when all were made; else those that there are."""
            current = storage.keys.share_head(connection, organization)
            if current is None or current[:2] != head[:2]:
                return None
            if storage.keys.insert_keys(connection, rows) == len(rows):
                return []
            return storage.keys.read_keys_by_lookup(connection, organization, tuple(names))

        found = await self._database.write(work)
        if found == []:
            return dict(zip(names, (key.opened for key in fresh), strict=True))
        return None if found is None or len(found) < len(rows) else self._opened_living(found)

    def _opened_living(
        self, rows: Sequence[StoredKey]
    ) -> dict[bytes, OpenedKey | EmanetError] | None:
        """Living rows by lookup; None when their epoch ended after they were read."""
        opened: dict[bytes, OpenedKey | EmanetError] = {}
        for row, key in zip(rows, self._keystore.open_all(rows), strict=True):
            if _is_stale(row, key):
                return None
            if isinstance(key, EmanetError):
                _tell(row, key)
            opened[row.lookup or b""] = key
        return opened

    def _accept(self, tenant: Tenant, cache: PairCache, head: Head) -> None:
        tenant.verify_counter(head.counter)
        if head.counter >= cache.counter:
            cache.use(head.counter)

    def _opened(self, read: _Read) -> dict[bytes, OpenedKey | EmanetError]:
        opened: dict[bytes, OpenedKey | EmanetError] = {}
        living = []
        for row in read.rows:
            if row.state is KeyState.DESTROYED:
                opened[row.id] = _destroyed(row, read.destructions)
            else:
                living.append(row)
        for row, key in zip(living, self._keystore.open_all(living), strict=True):
            opened[row.id] = key
            if isinstance(key, EmanetError):
                _tell(row, key)
        return opened

    def _found(
        self, ids: PairIds, opened: Mapping[bytes, OpenedKey | EmanetError]
    ) -> OpenedPair | LostPair:
        subject, bucket = opened.get(ids[:KEY_ID_BYTES]), opened.get(ids[KEY_ID_BYTES:])
        if subject is None or bucket is None:
            return unknown_pair()
        if isinstance(subject, EmanetError) or isinstance(bucket, EmanetError):
            whose = subject.subject if isinstance(subject, OpenedKey) else ""
            return LostPair(_worst(subject, bucket), PairName("", whose, ""))
        try:
            return self._keystore.verify_pair(subject=subject, bucket=bucket)
        except EmanetError as problem:
            return LostPair(problem.with_traceback(None), _NO_NAME)


def unknown_pair() -> LostPair:
    """Of ids that no key has, and of bytes that are no envelope."""
    return LostPair(error(Reason.ENVELOPE_INVALID), _NO_NAME)


def _worst(subject: OpenedKey | EmanetError, bucket: OpenedKey | EmanetError) -> EmanetError:
    problems = [each for each in (subject, bucket) if isinstance(each, EmanetError)]
    destroyed = [each for each in problems if each.reason is Reason.KEY_DESTROYED]
    return destroyed[0] if destroyed else problems[0]


def _is_stale(row: StoredKey, key: OpenedKey | EmanetError) -> bool:
    """Whether a living row lies under an epoch that has just been destroyed."""
    return (
        row.state is not KeyState.DESTROYED
        and isinstance(key, EmanetError)
        and key.reason is Reason.KEY_DESTROYED
    )


def _tell(row: StoredKey, problem: EmanetError) -> None:
    """The security log names the key; the caller's answer does not."""
    _log.error(
        "key.unusable",
        organization=row.organization,
        key=b64url_encode(row.id),
        reason=problem.reason.value,
    )


def _read_ids(
    connection: Connection,
    organization: str,
    expected: int,
    missing: Sequence[bytes],
    wanted: Iterable[PairIds],
) -> _Read:
    head = _require_head(connection, organization)
    ids = missing if head.counter == expected else _distinct(wanted)
    rows = storage.keys.read_keys_by_id(connection, organization, ids) if ids else []
    dead = [row.id for row in rows if row.state is KeyState.DESTROYED]
    destructions = (
        storage.destruction.destructions_of(connection, organization, dead) if dead else {}
    )
    return _Read(head, rows, destructions)


def _read_lookups(connection: Connection, organization: str, lookups: Sequence[bytes]) -> _Read:
    head = _require_head(connection, organization)
    rows = storage.keys.read_keys_by_lookup(connection, organization, lookups) if lookups else []
    return _Read(head, rows, {})


def _require_head(connection: Connection, organization: str) -> Head:
    head = storage.keys.read_head(connection, organization)
    if head is None:
        raise error(Reason.ORGANIZATION_MISSING, organization=organization)
    return head


def _distinct(wanted: Iterable[PairIds]) -> tuple[bytes, ...]:
    return tuple({key for ids in wanted for key in (ids[:KEY_ID_BYTES], ids[KEY_ID_BYTES:])})


def _destroyed(row: StoredKey, destructions: Mapping[bytes, str]) -> EmanetError:
    destruction = destructions.get(row.id)
    if destruction is None:
        return error(Reason.KEY_DESTROYED)
    name = format_name(row.organization, NameCollection.DESTRUCTIONS.value, destruction)
    return error(Reason.KEY_DESTROYED, destruction=name)
