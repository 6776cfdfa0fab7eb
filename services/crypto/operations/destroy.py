"""Destroying keys on request: plan, announce in the log, destroy, and tell how far it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError as ConflictError

from emanet.core import canonical
from emanet.core.clock import Clock
from emanet.core.encoding import micros
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.ids import new_uuid7, parse_uuid7
from emanet.core.keyrow import KeyKind
from emanet.core.names import Collection, format_name, parse_subject
from emanet.register.protection import RegisterView
from emanet.register.retention import is_open_class
from services.crypto import storage
from services.crypto.audit import Audit
from services.crypto.destruction_steps import DestructionSteps
from services.crypto.domain.destruction import (
    Ground,
    Outcome,
    PlanItem,
    plan_bucket,
    plan_ended,
    plan_request,
    view_of_class,
)
from services.crypto.domain.keys import KeyName, key_name_of_bucket, key_name_of_subject
from services.crypto.domain.receipt import Plan, PlannedKey, decode_plan, encode_plan
from services.crypto.keystore import Keystore
from services.crypto.storage import destruction as stored
from services.crypto.storage.destruction import DestructionRow, State
from services.crypto.tenants import Tenant, Tenants
from services.runtime.database import Database
from services.runtime.primitives import hmac_sha256

__all__ = ["BucketOrder", "DestroyOperation", "Order", "SubjectOrder"]

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])\Z")
_SLUG = r"[a-z][a-z0-9._-]{0,62}"
_CLASS = re.compile(rf"{_SLUG}(\+{_SLUG})*\Z")
_MAX_CLASSES = 100
_AUDIT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class SubjectOrder:
    """Destroy the keys of one subject, in the classes named or in all."""

    subject: str = field(repr=False)
    classes: tuple[str, ...]
    ground: Ground


@dataclass(frozen=True, slots=True)
class BucketOrder:
    """Destroy the key of one class and month."""

    retention_class: str
    bucket: str


@dataclass(frozen=True, slots=True)
class Order:
    """Who orders what.

    Attributes:
        organization: the slug.
        act: what to destroy.
        request_id: UUIDv7; the same id with the same content gives the same destruction.
        caller: SPIFFE id of the certificate; part of the content.
        staff_token: of the person who orders; forwarded with the intent.
        is_preview: answers the plan and destroys nothing.
    """

    organization: str
    act: SubjectOrder | BucketOrder
    request_id: str
    caller: str
    staff_token: str = field(repr=False)
    is_preview: bool


class DestroyOperation:
    """Plans and begins destructions; the worker finishes them."""

    def __init__(
        self,
        *,
        database: Database,
        keystore: Keystore,
        tenants: Tenants,
        steps: DestructionSteps,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keystore = keystore
        self._tenants = tenants
        self._steps = steps
        self._audit = audit
        self._clock = clock

    async def run(self, order: Order) -> DestructionRow:
        """Plans the destruction, records its intent, and destroys the keys.

        Epoch and receipt follow by the worker. Interrupted anywhere before the intent is in the
        log, nothing is destroyed, and the same request goes on with the plan that was stored;
        interrupted after it, the worker goes on.

        Returns:
            the destruction as far as it is; for a preview one without id.

        Raises:
            CallerError: INVALID_FIELD, INVALID_SUBJECT; REQUEST_ID_REUSED.
            StateError: ORGANIZATION_MISSING, REGISTER_MISSING; RETENTION_RUNNING and
                RESOURCE_NOT_FOUND for a bucket.
            UnavailableError: AUDIT_UNAVAILABLE; nothing is destroyed.
        """
        _require_form(order)
        tenant = await self._tenants.require(order.organization)
        digest = self._digest(order)
        if order.is_preview:
            return await self._planned(tenant, order, digest)
        row = await self._find(order, digest)
        if row is None:
            row = await self._stored(order, await self._planned(tenant, order, digest))
        if row.state is State.PLANNED:
            row = await self._announce(tenant, row, order.staff_token)
        if row.state is State.INTENDED:
            await self._steps.destroy_keys(tenant, row)
        return await self.read(order.organization, row.id)

    async def _find(self, order: Order, digest: bytes) -> DestructionRow | None:
        row = await self._database.read(
            lambda connection: stored.find_by_request(
                connection, order.organization, order.request_id
            )
        )
        if row is not None and row.request_digest != digest:
            raise error(Reason.REQUEST_ID_REUSED)
        return row

    async def _stored(self, order: Order, planned: DestructionRow) -> DestructionRow:
        """Keeps the plan, or gives the one that the same request stored a moment before."""
        try:
            await self._database.write(
                lambda connection: stored.insert_destruction(connection, planned)
            )
        except ConflictError:
            row = await self._find(order, planned.request_digest)
            if row is None:
                raise
            return row
        return planned

    async def read(self, organization: str, destruction: str) -> DestructionRow:
        """One destruction.

        Raises:
            StateError: RESOURCE_NOT_FOUND, there is none, or its intent is not recorded yet.
        """
        row = await self._database.read(
            lambda connection: stored.read_destruction(connection, organization, destruction)
        )
        if row is None or row.state is State.PLANNED:
            name = format_name(organization, Collection.DESTRUCTIONS.value, destruction)
            raise error(Reason.RESOURCE_NOT_FOUND, resource=name)
        return row

    async def list(self, organization: str, *, before: str, limit: int) -> list[DestructionRow]:
        """Destructions, newest first, older than `before` (an id; empty = from the newest)."""
        await self._tenants.require(organization)
        return await self._database.read(
            lambda connection: stored.list_page(
                connection, organization, before=before, limit=limit
            )
        )

    async def _planned(self, tenant: Tenant, order: Order, digest: bytes) -> DestructionRow:
        match order.act:
            case SubjectOrder():
                plan = await self._plan_subject(tenant, order.act)
                ground = order.act.ground
            case BucketOrder():
                plan = await self._plan_bucket(tenant, order.act)
                ground = Ground.RETENTION_ENDED
        return DestructionRow(
            organization=tenant.organization,
            id="" if order.is_preview else str(self._new_id()),
            request_id=order.request_id,
            request_digest=digest,
            ground=ground,
            state=State.PLANNED if plan.keys else State.NOTHING_DESTROYED,
            plan=encode_plan(plan),
            requested=micros(self._clock.now()),
            key_count=len(plan.keys),
        )

    async def _plan_subject(self, tenant: Tenant, act: SubjectOrder) -> Plan:
        classes = act.classes or await self._database.read(
            lambda connection: storage.keys.list_classes(
                connection, tenant.organization, KeyKind.SUBJECT
            )
        )
        keys = await self._living_keys(
            tenant, {name: key_name_of_subject(name, act.subject) for name in classes}
        )
        items = [await self._plan_class(tenant, act, name) for name in sorted(keys)]
        return self._plan(items, keys)

    async def _plan_class(
        self, tenant: Tenant, act: SubjectOrder, retention_class: str
    ) -> PlanItem:
        now = self._clock.now()
        view = view_of_class(
            self._tenants.register(tenant.organization).views(now), retention_class
        )
        latest = await self._database.read(
            lambda connection: storage.keys.latest_bucket(
                connection, tenant.organization, retention_class
            )
        )
        match act.ground:
            case Ground.SUBJECT_REQUEST:
                return plan_request(view, retention_class, latest_bucket=latest, at=now)
            case Ground.RETENTION_ENDED:
                is_due = await self._is_due(tenant, view, act.subject, retention_class)
                return plan_ended(
                    view, retention_class, latest_bucket=latest, is_due=is_due, at=now
                )

    async def _is_due(
        self, tenant: Tenant, view: RegisterView | None, subject: str, retention_class: str
    ) -> bool:
        """What access_audit says of a class that starts with events; others need no word."""
        if view is None or not is_open_class(view.register, retention_class):
            return False
        return await self._audit.is_due(
            tenant.organization,
            subject=subject,
            retention_class=retention_class,
            timeout_s=_AUDIT_TIMEOUT_S,
        )

    async def _plan_bucket(self, tenant: Tenant, act: BucketOrder) -> Plan:
        now = self._clock.now()
        view = view_of_class(
            self._tenants.register(tenant.organization).views(now), act.retention_class
        )
        item = plan_bucket(view, act.retention_class, bucket=act.bucket, at=now)
        keys = await self._living_keys(
            tenant,
            {act.retention_class: key_name_of_bucket(act.retention_class, act.bucket)},
        )
        if not keys:
            bucket = f"the key of {act.retention_class} for {act.bucket}"
            raise error(Reason.RESOURCE_NOT_FOUND, resource=bucket)
        return self._plan([item], keys)

    async def _living_keys(self, tenant: Tenant, names: dict[str, KeyName]) -> dict[str, bytes]:
        """The ids of the living keys of these names, by class."""
        lookups = {
            self._keystore.lookup(tenant.organization, name): retention_class
            for retention_class, name in names.items()
        }
        rows = await self._database.read(
            lambda connection: storage.keys.read_keys_by_lookup(
                connection, tenant.organization, tuple(lookups)
            )
        )
        return {lookups[row.lookup]: row.id for row in rows if row.lookup is not None}

    def _plan(self, items: Sequence[PlanItem], keys: dict[str, bytes]) -> Plan:
        return Plan(
            items=tuple(items),
            keys=tuple(
                PlannedKey(
                    retention_class=item.retention_class,
                    key_id=keys[item.retention_class],
                    intent=str(self._new_id()),
                    final=str(self._new_id()),
                )
                for item in items
                if item.outcome is Outcome.DESTROYED
            ),
        )

    async def _announce(
        self, tenant: Tenant, row: DestructionRow, staff_token: str
    ) -> DestructionRow:
        for key in decode_plan(row.plan).keys:
            await self._steps.record(tenant, key, is_final=False, staff_token=staff_token)

        def work(connection: Connection) -> None:
            stored.put_intended(connection, row)

        await self._database.write(work)
        return replace(row, state=State.INTENDED)

    def _digest(self, order: Order) -> bytes:
        """A keyed digest: the subject could be guessed from a plain one."""
        match order.act:
            case SubjectOrder():
                content: list[canonical.JsonValue] = [
                    "subject",
                    order.act.subject,
                    list(order.act.classes),
                    order.act.ground.value,
                ]
            case BucketOrder():
                content = ["bucket", order.act.retention_class, order.act.bucket]
        message = canonical.encode([order.organization, order.caller, content])
        return hmac_sha256(self._keystore.request_key(), message)

    def _new_id(self) -> UUID:
        return new_uuid7(self._clock)


def _require_form(order: Order) -> None:
    try:
        parse_uuid7(order.request_id)
    except EmanetError:
        raise _invalid("request_id", "not a lower-case UUIDv7") from None
    match order.act:
        case SubjectOrder():
            # The register decides which namespaces may hold T.C. numbers; a key that exists under
            # such a name must be found and destroyed whatever the register says today.
            parse_subject(order.act.subject, allow_identity_number=True)
            _require_classes(order.act.classes)
        case BucketOrder():
            _require_classes((order.act.retention_class,))
            if not _MONTH.match(order.act.bucket):
                raise _invalid("bucket", "not YYYY-MM")


def _require_classes(classes: tuple[str, ...]) -> None:
    if len(classes) > _MAX_CLASSES or not all(map(_CLASS.match, classes)):
        raise _invalid("retention_classes", "rule slugs joined by +, at most 100 classes")


def _invalid(field: str, problem: str) -> EmanetError:
    return error(Reason.INVALID_FIELD, violations=((field, problem),))
