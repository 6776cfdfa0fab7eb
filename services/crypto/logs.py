"""Memory of each organization's log: what was seen, what is proven, and what to do about a lie.

A larger checkpoint is believed at once and remembered in memory at once; the database follows
within a second (`flush`). Within a minute (`prove`) its history is proven from the last proven
tree, and the newest leaf that was believed is proven to be in it. A log that cannot prove either
stops decryption for its organization, in every replica.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from sqlalchemy import Connection

from emanet.core.checkpoint import Checkpoint, Vkey
from emanet.core.errors import EmanetError, IntegrityError, Reason, error
from emanet.core.leaf import Leaf, Receipt
from emanet.core.merkle import EMPTY_ROOT, verify_consistency, verify_inclusion
from services.crypto import storage
from services.crypto.audit import Audit
from services.crypto.domain.proof import KnownLog, verify_receipt
from services.crypto.storage.log import LogState
from services.runtime.database import Database
from services.runtime.primitives import ed25519_verify

__all__ = ["LogKeeper", "LogMemory"]

_log = structlog.get_logger(__name__)


class LogMemory:
    """One organization's log as this process knows it; used from the loop's thread."""

    def __init__(self, *, vkey: Vkey, state: LogState) -> None:
        self.vkey = vkey
        self.seen = state.seen
        self.proven = state.proven
        self.flushed = state.seen
        self.fault = state.fault
        self.newest: Receipt | None = None
        self.flushed_fault = state.fault

    def believe(self, receipt: Receipt, leaf: bytes, *, known: KnownLog) -> Leaf:
        """Verifies a receipt against what was known at sending, and remembers its tree.

        Two signed trees of one size convict the log: that is remembered as a fault.

        Raises:
            UnavailableError: LOG_BEHIND.
            IntegrityError: LOG_FORK, RECEIPT_INVALID.
        """
        try:
            checkpoint, value = verify_receipt(
                receipt, leaf, vkey=self.vkey, known=known, verify=ed25519_verify
            )
            self._remember(checkpoint)
            self.newest = receipt
        except IntegrityError as lie:
            if lie.reason is Reason.LOG_FORK:
                self.fault = Reason.LOG_FORK.value
            raise
        return value

    def believe_old(self, receipt: Receipt, leaf: bytes) -> Leaf:
        """Verifies a receipt that may have been given before: an answer to a repeated request.

        Its tree may be smaller than the largest one seen; a larger one is remembered.

        Raises:
            IntegrityError: LOG_FORK, RECEIPT_INVALID.
        """
        return self.believe(receipt, leaf, known=KnownLog(0, EMPTY_ROOT))

    def _remember(self, checkpoint: Checkpoint) -> None:
        if checkpoint.size > self.seen.size:
            self.seen = KnownLog(checkpoint.size, checkpoint.root)
        elif checkpoint.size == self.seen.size and checkpoint.root != self.seen.root:
            # Two answers in flight at once showed two trees of one size.
            raise error(Reason.LOG_FORK)


class LogKeeper:
    """Keeps the memories of all logs durable, and proven."""

    def __init__(self, *, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def flush(self, memories: Mapping[str, LogMemory]) -> None:
        """Writes every tree that grew and every fault found since the last flush."""
        for organization, memory in memories.items():
            if memory.fault != memory.flushed_fault:
                await self._stop(organization, memory, Reason.LOG_FORK)
        grown = [
            (organization, memory, memory.seen)
            for organization, memory in memories.items()
            if memory.seen.size > memory.flushed.size
        ]
        if not grown:
            return

        def work(connection: Connection) -> None:
            for organization, _, seen in grown:
                storage.log.put_seen(connection, organization, seen)

        await self._database.write(work)
        for _, memory, seen in grown:
            memory.flushed = seen

    async def prove(self, memories: Mapping[str, LogMemory], *, timeout_s: float) -> None:
        """Proves for every log that grew that its tree begins with the last proven one."""
        for organization, memory in memories.items():
            if memory.seen.size <= memory.proven.size or memory.fault:
                continue
            try:
                await self._prove_one(organization, memory, timeout_s)
            except IntegrityError as lie:
                await self._stop(organization, memory, lie.reason)
            except EmanetError as failure:
                _log.warning(
                    "log.not_proven", organization=organization, reason=failure.reason.value
                )

    async def _prove_one(self, organization: str, memory: LogMemory, timeout_s: float) -> None:
        state = await self._database.read(
            lambda connection: storage.log.read_log(connection, organization)
        )
        if state is None:
            raise error(Reason.ORGANIZATION_MISSING, organization=organization)
        # From what any replica has proven: two that were shown two histories find out here.
        seen, newest = memory.seen, memory.newest
        old, new = sorted((state.proven, seen), key=lambda known: known.size)
        proof: tuple[bytes, ...] = ()
        if 0 < old.size < new.size:
            proof = await self._audit.consistency_proof(
                organization, old_size=old.size, new_size=new.size, timeout_s=timeout_s
            )
        verify_consistency(
            old_size=old.size, old_root=old.root, new_size=new.size, new_root=new.root, proof=proof
        )
        if newest is not None and newest.index < new.size:
            path = await self._audit.inclusion_proof(
                organization, index=newest.index, size=new.size, timeout_s=timeout_s
            )
            verify_inclusion(
                leaf=newest.leaf_hash,
                index=newest.index,
                size=new.size,
                proof=path,
                root=new.root,
            )
        await self._database.write(
            lambda connection: storage.log.put_proven(connection, organization, new)
        )
        memory.proven = new

    async def _stop(self, organization: str, memory: LogMemory, reason: Reason) -> None:
        _log.error("log.stopped", organization=organization, reason=reason.value)
        memory.fault = Reason.LOG_FORK.value
        await self._database.write(
            lambda connection: storage.log.put_fault(
                connection, organization, Reason.LOG_FORK.value
            )
        )
        memory.flushed_fault = memory.fault
