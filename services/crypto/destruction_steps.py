"""The steps of a destruction, each resumable: a crash between any two loses nothing.

    intended ─ destroy_keys ► keys_destroyed ─ rotate ► epoch_destroyed ─ receipt ► receipted

`rotate` serves every destruction whose keys are gone when it begins: survivors are wrapped under a
new epoch in batches, read back, and then the old epoch is destroyed. The log learns of its end
(`record_epochs`) before it learns of the ends that rest on it. Any replica may go on where
another stopped; a lease keeps two from working on one organization at once, and every step checks
the state that it starts from inside its own transaction.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from emanet.core.clock import Clock
from emanet.core.encoding import b64url_encode, from_micros, micros
from emanet.core.errors import EmanetError, IntegrityError, Reason, error
from emanet.core.ids import new_uuid7, parse_uuid7
from emanet.core.leaf import KeyOperation, Receipt
from emanet.core.names import Collection, format_name
from emanet.register.period import add_period
from services.crypto import storage
from services.crypto.audit import Audit, KeyEvent, core_receipt
from services.crypto.cache import PairCaches
from services.crypto.domain.keys import StoredKey
from services.crypto.domain.proof import verify_key_leaf
from services.crypto.domain.receipt import PlannedKey, decode_plan, encode_receipt
from services.crypto.keystore import Keystore
from services.crypto.storage import destruction as stored
from services.crypto.storage.destruction import DestructionRow, RotationRow, State
from services.crypto.tenants import Tenant, Tenants
from services.runtime.database import Database

__all__ = ["DestructionSteps"]

_BATCH = 500
_AUDIT_TIMEOUT_S = 10.0
_log = structlog.get_logger(__name__)


class DestructionSteps:
    """Carries destructions on; safe to run concurrently, also in several processes."""

    def __init__(
        self,
        *,
        database: Database,
        keystore: Keystore,
        tenants: Tenants,
        caches: PairCaches,
        audit: Audit,
        clock: Clock,
        longest_rpc: timedelta,
    ) -> None:
        """Takes the parts.

        Args:
            database: of the service.
            keystore: opens and wraps keys.
            tenants: organizations and their registers.
            caches: dropped here at once; other replicas drop theirs by the key counter.
            audit: keeps the leaves.
            clock: of the service.
            longest_rpc: after it, no call that began before a key's end still holds the key.
        """
        self._database = database
        self._keystore = keystore
        self._tenants = tenants
        self._caches = caches
        self._audit = audit
        self._clock = clock
        self._longest_rpc = longest_rpc

    async def record(
        self, tenant: Tenant, key: PlannedKey, *, is_final: bool, staff_token: str
    ) -> Receipt:
        """Records the intent to destroy a key, or its end; the same leaf however often.

        Raises:
            UnavailableError: AUDIT_UNAVAILABLE, LOG_BEHIND.
            IntegrityError: RECEIPT_INVALID, LOG_FORK.
        """
        event = KeyEvent(
            organization=tenant.organization,
            leaf_id=key.final if is_final else key.intent,
            operation=KeyOperation.DESTROYED if is_final else KeyOperation.DESTROY_INTENT,
            retention_class=key.retention_class,
            key_ids=(key.key_id,),
            intent=key.intent if is_final else "",
        )
        return await self._record(tenant, event, staff_token=staff_token)

    async def _record(self, tenant: Tenant, event: KeyEvent, *, staff_token: str) -> Receipt:
        answer = await self._audit.record_key_event(
            event, staff_token=staff_token, timeout_s=_AUDIT_TIMEOUT_S
        )
        receipt = core_receipt(answer.receipt)
        leaf = tenant.log.believe_old(receipt, answer.leaf)
        verify_key_leaf(
            leaf,
            leaf_id=parse_uuid7(event.leaf_id),
            organization=event.organization,
            operation=event.operation,
            retention_class=event.retention_class,
            ids=event.ids,
        )
        return receipt

    async def destroy_keys(self, tenant: Tenant, row: DestructionRow) -> None:
        """INTENDED → KEYS_DESTROYED in one transaction: tombstones, and a higher key counter."""
        ids = [key.key_id for key in decode_plan(row.plan).keys]
        now_us = micros(self._clock.now())

        def work(connection: Connection) -> int:
            head = storage.keys.lock_head(connection, tenant.organization)
            current = stored.read_destruction(connection, tenant.organization, row.id)
            if head is None or current is None or current.state is not State.INTENDED:
                return 0
            storage.keys.destroy_keys(connection, tenant.organization, ids, now_us=now_us)
            stored.put_destroyed(connection, row, ids, now_us=now_us)
            return head.counter + 1

        counter = await self._database.write(work)
        self._caches.drop(tenant.organization)
        if counter:
            tenant.counters.remember(counter=counter, log_size=0)
            await asyncio.to_thread(self._database.truncate_wal)
            _log.info(
                "keys.destroyed", organization=tenant.organization, destruction=row.id, n=len(ids)
            )

    async def start_rotation(self, tenant: Tenant) -> RotationRow | None:
        """Makes a new epoch wrap new rows; covers the destructions whose keys are gone by now.

        Returns:
            the open rotation; None when no destruction waits for one.
        """
        organization = tenant.organization
        pending, rotation, head = await self._database.read(
            lambda connection: (
                stored.list_by_state(connection, organization, State.KEYS_DESTROYED),
                stored.read_open_rotation(connection, organization),
                storage.keys.read_head(connection, organization),
            )
        )
        if rotation is not None:
            return rotation
        if head is None or not any(row.rotation is None for row in pending):
            return None
        provider = self._keystore.provider
        # An epoch made by a run that was interrupted here wraps nothing yet: it is used now.
        newest = await asyncio.to_thread(lambda: provider.active_epoch(organization).epoch)
        if newest == head.epoch:
            newest = await asyncio.to_thread(provider.create_epoch, organization)
        leaf_id = str(new_uuid7(self._clock))
        begun = RotationRow(old_epoch=head.epoch, new_epoch=newest, leaf=leaf_id)
        now_us = micros(self._clock.now())

        def work(connection: Connection) -> bool:
            current = storage.keys.lock_head(connection, organization)
            if current is None or current.epoch != begun.old_epoch:
                return False
            storage.keys.set_epoch(connection, organization, begun.new_epoch)
            stored.insert_rotation(connection, organization, begun, now_us=now_us)
            stored.assign_rotation(connection, organization, begun.old_epoch)
            return True

        return begun if await self._database.write(work) else None

    async def rewrap_batch(self, tenant: Tenant, rotation: RotationRow) -> int:
        """Wraps up to 500 survivors under the new epoch; returns how many there were.

        Raises:
            IntegrityError: KEY_ROW_CORRUPT, a survivor does not open; the old epoch stays until
                an operator has restored or given up the row.
        """

        def work(connection: Connection) -> int:
            rows = storage.keys.list_survivors(
                connection,
                tenant.organization,
                epoch=rotation.old_epoch,
                after=b"",
                limit=_BATCH,
            )
            for row in rows:
                try:
                    moved = self._keystore.rewrap(row, epoch=rotation.new_epoch)
                except IntegrityError:
                    _tell_blocked(row)
                    raise
                storage.keys.rewrap_key(connection, moved, old_version=row.row_version or 0)
            return len(rows)

        return await self._database.write(work)

    async def finish_rotation(self, tenant: Tenant, rotation: RotationRow) -> None:
        """Reads every survivor back, then destroys the old epoch.

        Raises:
            StateError: VERSION_STATE, rows of the old epoch are left.
            IntegrityError: KEY_ROW_CORRUPT, a survivor does not open under the new epoch.
        """
        await self._read_back(tenant, rotation)
        left = await self._database.read(
            lambda connection: storage.keys.list_survivors(
                connection, tenant.organization, epoch=rotation.old_epoch, after=b"", limit=1
            )
        )
        if left:
            raise error(
                Reason.VERSION_STATE, resource=f"epoch {rotation.old_epoch}", state="in use"
            )
        evidence = await asyncio.to_thread(
            self._keystore.provider.destroy_epoch, tenant.organization, rotation.old_epoch
        )
        await self._database.write(
            lambda connection: stored.finish_rotation(
                connection,
                tenant.organization,
                rotation,
                now_us=micros(evidence.destroyed),
                digest=evidence.digest,
            )
        )
        _log.info("epoch.destroyed", organization=tenant.organization, epoch=rotation.old_epoch)

    async def record_epochs(self, tenant: Tenant) -> None:
        """Records the end of each destroyed epoch, oldest first; the same leaf however often.

        Raises:
            UnavailableError: AUDIT_UNAVAILABLE, LOG_BEHIND.
            IntegrityError: RECEIPT_INVALID, LOG_FORK.
        """
        while (rotation := await self._unrecorded(tenant)) is not None:
            event = KeyEvent(
                organization=tenant.organization,
                leaf_id=rotation.leaf,
                operation=KeyOperation.EPOCH,
                epochs=(rotation.old_epoch,),
            )
            receipt = await self._record(tenant, event, staff_token="")
            await self._keep_epoch_receipt(tenant, rotation, receipt)

    async def receipt(self, tenant: Tenant, row: DestructionRow) -> bool:
        """EPOCH_DESTROYED → RECEIPTED, once the longest RPC deadline has passed.

        Returns:
            whether the receipt is written; false while it is too early, or the log does not have
            the epoch's end yet.
        """
        if row.destroyed is None or row.rotation is None:
            return False
        destroyed = from_micros(row.destroyed)
        if self._clock.now() < destroyed + self._longest_rpc:
            return False
        rotation = await self._rotation(tenant, row.rotation)
        if rotation.finished is None or rotation.receipt is None:
            return False
        rotation_end = from_micros(rotation.finished)
        plan = decode_plan(row.plan)
        log = [await self.record(tenant, key, is_final=True, staff_token="") for key in plan.keys]
        register = self._tenants.register(tenant.organization).in_effect(self._clock.now()).register
        horizon = register.destruction.backups_gone_after if register.destruction else None
        unreadable = None if horizon is None else add_period(rotation_end, horizon)
        receipt = encode_receipt(
            destruction=format_name(tenant.organization, Collection.DESTRUCTIONS.value, row.id),
            organization=tenant.organization,
            ground=row.ground,
            plan=plan,
            destroyed=destroyed,
            epoch_destroyed=rotation_end,
            unreadable_from=unreadable,
            epoch=rotation.old_epoch,
            epoch_log=Receipt.from_bytes(rotation.receipt),
            evidence=row.evidence,
            log=log,
        )
        await self._database.write(
            lambda connection: stored.put_receipt(
                connection,
                row,
                receipt=receipt,
                unreadable_from=None if unreadable is None else micros(unreadable),
            )
        )
        _log.info("destruction.receipted", organization=tenant.organization, destruction=row.id)
        return True

    async def _rotation(self, tenant: Tenant, old_epoch: int) -> RotationRow:
        rotation = await self._database.read(
            lambda connection: stored.read_rotation(connection, tenant.organization, old_epoch)
        )
        if rotation is None:
            raise error(Reason.VERSION_STATE, resource=f"epoch {old_epoch}", state="in use")
        return rotation

    async def _unrecorded(self, tenant: Tenant) -> RotationRow | None:
        return await self._database.read(
            lambda connection: stored.read_unrecorded_rotation(connection, tenant.organization)
        )

    async def _keep_epoch_receipt(
        self, tenant: Tenant, rotation: RotationRow, receipt: Receipt
    ) -> None:
        await self._database.write(
            lambda connection: stored.put_epoch_receipt(
                connection, tenant.organization, rotation, receipt=receipt.to_bytes()
            )
        )

    async def _survivors(self, tenant: Tenant, epoch: int, after: bytes) -> list[StoredKey]:
        return await self._database.read(
            lambda connection: storage.keys.list_survivors(
                connection, tenant.organization, epoch=epoch, after=after, limit=_BATCH
            )
        )

    async def _read_back(self, tenant: Tenant, rotation: RotationRow) -> None:
        after = b""
        while True:
            rows = await self._survivors(tenant, rotation.new_epoch, after)
            if not rows:
                return
            opened = await asyncio.to_thread(self._keystore.open_all, rows)
            for row, key in zip(rows, opened, strict=True):
                if isinstance(key, EmanetError):
                    _tell_blocked(row)
                    raise key
            after = rows[-1].id


def _tell_blocked(row: StoredKey) -> None:
    _log.error("rotation.blocked", organization=row.organization, key=b64url_encode(row.id))
