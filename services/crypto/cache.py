"""Pair keys in memory, per organization, valid for one value of the key counter.

A batch first reads the key counter in the transaction that reads its keys; `use` then drops
everything that was derived under another value, and `store` ignores what was. So a key destroyed
by any replica is out of this process's memory with the organization's next batch, and no answer
rests on a cached key without that read. Used from the event loop's thread only.
"""

from __future__ import annotations

from collections import OrderedDict

from services.crypto.domain.keys import Pair, PairIds, PairName

__all__ = ["PairCache", "PairCaches"]


class PairCache:
    """The bounded pair keys of one organization, least recently used out first."""

    __slots__ = ("_by_ids", "_by_name", "_capacity", "counter")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._by_ids: OrderedDict[PairIds, Pair] = OrderedDict()
        self._by_name: dict[PairName, Pair] = {}
        self.counter = 0

    def __len__(self) -> int:
        return len(self._by_ids)

    def use(self, counter: int) -> bool:
        """Keeps the pairs when they are of this key counter, else drops them all.

        Returns:
            whether they were kept.
        """
        if counter == self.counter:
            return True
        self._by_ids.clear()
        self._by_name.clear()
        self.counter = counter
        return False

    def find(self, ids: PairIds) -> Pair | None:
        """The pair of two key ids."""
        pair = self._by_ids.get(ids)
        if pair is not None:
            self._by_ids.move_to_end(ids)
        return pair

    def find_named(self, name: PairName) -> Pair | None:
        """The pair of class, subject and bucket that new values use."""
        pair = self._by_name.get(name)
        if pair is not None:
            self._by_ids.move_to_end(pair.ids)
        return pair

    def store(self, pair: Pair, *, counter: int) -> None:
        """Keeps a pair that was derived under a key counter; ignored when that has moved on."""
        if counter != self.counter or not self._capacity:
            return
        self._by_ids[pair.ids] = pair
        self._by_name[pair.name] = pair
        if len(self._by_ids) > self._capacity:
            _, oldest = self._by_ids.popitem(last=False)
            if self._by_name.get(oldest.name) is oldest:
                del self._by_name[oldest.name]


class PairCaches:
    """One `PairCache` an organization."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._caches: dict[str, PairCache] = {}

    def of(self, organization: str) -> PairCache:
        """The organization's cache, empty at first."""
        cache = self._caches.get(organization)
        if cache is None:
            cache = self._caches[organization] = PairCache(self._capacity)
        return cache

    def drop(self, organization: str) -> None:
        """Forgets every pair key of an organization."""
        self._caches.pop(organization, None)
