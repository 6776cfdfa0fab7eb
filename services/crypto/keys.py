"""Finds the pair keys of a batch: cache and database under one reading of the key counter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
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
        self, tenant: Tenant, wanted: Collection[PairName], *, now_us: int
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
        self, tenant: Tenant, wanted: Collection[PairName], now_us: int
    ) -> dict[PairName, Pair | EmanetError] | None:
        cache = self._caches.of(tenant.organization)
        expected = cache.counter
        known = {name: pair for name in wanted if (pair := cache.find_named(name)) is not None}
        missing = self._lookups(tenant.organization, wanted - known.keys())
        read = await self._database.read(
            lambda connection: _read_lookups(connection, tenant.organization, tuple(missing))
        )
        self._accept(tenant, cache, read.head)
        if read.head.counter != expected and known:
            return None
        rows = {row.lookup: row for row in read.rows}
        absent = {lookup: name for lookup, name in missing.items() if lookup not in rows}
        if absent:
            made = await self._make(tenant, absent.values(), read.head, now_us)
            if made is None:
                return None
            rows |= {row.lookup: row for row in made}
        return self._paired(tenant, wanted, known, rows, read.head.counter)

    def _paired(
        self,
        tenant: Tenant,
        wanted: Iterable[PairName],
        known: Mapping[PairName, Pair],
        rows: Mapping[bytes | None, StoredKey],
        counter: int,
    ) -> dict[PairName, Pair | EmanetError] | None:
        organization = tenant.organization
        cache = self._caches.of(organization)
        by_lookup: dict[bytes | None, OpenedKey | EmanetError] = {}
        for row, key in zip(rows.values(), self._keystore.open_all(rows.values()), strict=True):
            if _is_stale(row, key):
                return None
            by_lookup[row.lookup] = key
            if isinstance(key, EmanetError):
                _tell(row, key)
        pairs: dict[PairName, Pair | EmanetError] = dict(known)
        for name in wanted:
            if name in known:
                continue
            subject = by_lookup[self._keystore.lookup(organization, _subject_name(name))]
            bucket = by_lookup[self._keystore.lookup(organization, _bucket_name(name))]
            if isinstance(subject, EmanetError) or isinstance(bucket, EmanetError):
                pairs[name] = _worst(subject, bucket)
                continue
            opened = self._keystore.verify_pair(subject=subject, bucket=bucket)
            pair = self._keystore.derive(organization, opened)
            cache.store(pair, counter=counter)
            pairs[name] = pair
        return pairs

    def _lookups(self, organization: str, names: Iterable[PairName]) -> dict[bytes, KeyName]:
        keys = {key for name in names for key in (_subject_name(name), _bucket_name(name))}
        return {self._keystore.lookup(organization, key): key for key in keys}

    async def _make(
        self, tenant: Tenant, names: Iterable[KeyName], head: Head, now_us: int
    ) -> list[StoredKey] | None:
        """Makes keys, or finds those that another writer made first; None when keys changed."""
        organization = tenant.organization
        try:
            fresh = [
                self._keystore.create(organization, name, epoch=head.epoch, now_us=now_us)
                for name in names
            ]
        except DestroyedError:
            # The epoch that was read has just been destroyed; the next reading names its heir.
            return None
        lookups = [row.lookup for row in fresh if row.lookup is not None]

        def work(connection: Connection) -> list[StoredKey] | None:
            current = storage.keys.share_head(connection, organization)
            if current is None or current[:2] != head[:2]:
                return None
            storage.keys.insert_keys(connection, fresh)
            return storage.keys.read_keys_by_lookup(connection, organization, lookups)

        made = await self._database.write(work)
        return made if made is not None and len(made) == len(fresh) else None

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


def _subject_name(name: PairName) -> KeyName:
    return key_name_of_subject(name.retention_class, name.subject)


def _bucket_name(name: PairName) -> KeyName:
    return key_name_of_bucket(name.retention_class, name.bucket)
