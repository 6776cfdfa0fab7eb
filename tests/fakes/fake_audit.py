"""An access_audit in memory that obeys the contract: one real log, signed, with real leaves.

Decisions come from `policy`; everything else (attempt ids once only, durable before the answer,
receipts, proofs) is as the service does it. `lie` changes an answer on its way out, for tests of
what crypto refuses to believe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.core.checkpoint import Checkpoint, Vkey, format_origin, sign_checkpoint
from emanet.core.clock import Clock
from emanet.core.encoding import micros
from emanet.core.errors import Reason, error
from emanet.core.leaf import (
    AccessLeaf,
    Act,
    Actor,
    ActorAuth,
    ActorKind,
    Decision,
    KeyLeaf,
    KeyOperation,
    Leaf,
    Mode,
    OutcomeLeaf,
    Target,
    Verdict,
    encode_leaf,
)
from emanet.core.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
)
from services.crypto.audit import AccessQuestion, KeyEvent
from services.runtime.primitives import Ed25519Signer, random_bytes

STAFF = "A" * 32
_ACTS = {
    resources_pb2.ACTION_READ_MASKED: Act.READ_MASKED,
    resources_pb2.ACTION_DECRYPT: Act.DECRYPT,
    resources_pb2.ACTION_EXPORT: Act.EXPORT,
    resources_pb2.ACTION_DISCLOSE: Act.DISCLOSE,
}


@dataclass
class FakeLog:
    """One organization's log."""

    vkey: Vkey
    signer: Ed25519Signer
    leaves: list[bytes] = field(default_factory=list)
    values: list[Leaf] = field(default_factory=list)

    def append(self, leaf: Leaf) -> tuple[resources_pb2.Receipt, bytes]:
        data = encode_leaf(leaf)
        self.leaves.append(data)
        self.values.append(leaf)
        receipt = resources_pb2.Receipt(
            checkpoint=self.checkpoint(),
            index=len(self.leaves) - 1,
            leaf_hash=leaf_hash(data),
        )
        return receipt, data

    def checkpoint(self) -> str:
        root = CompactRange().extend(map(leaf_hash, self.leaves)).root()
        checkpoint = Checkpoint(self.vkey.name, len(self.leaves), root or EMPTY_ROOT)
        return sign_checkpoint(checkpoint, self.vkey, self.signer.sign)

    def subtree(self, level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(self.leaves[index])
        return node_hash(self.subtree(level - 1, 2 * index), self.subtree(level - 1, 2 * index + 1))


Policy = Callable[[AccessQuestion], str]
"""Returns the reason of a denial, or empty to allow."""


class FakeAudit:
    """See the module.

    Attributes:
        policy: decides; allows everything at first.
        is_down: every call answers AUDIT_UNAVAILABLE while it is true.
        delay_s: how long each decision takes.
        lie: changes an answer of CheckAccess on its way out.
        due: (subject, class) pairs whose pushed events have lapsed.
        questions: every question that was decided.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._attempts: set[UUID] = set()
        self._events: dict[str, access_audit_pb2.RecordKeyEventResponse] = {}
        self.logs: dict[str, FakeLog] = {}
        self.policy: Policy = lambda _: ""
        self.is_down = False
        self.outcomes_down = False
        self.delay_s = 0.0
        self.lie: Callable[[access_audit_pb2.CheckAccessResponse], None] = lambda _: None
        self.due: set[tuple[str, str]] = set()
        self.questions: list[AccessQuestion] = []
        self.tokens: list[str] = []

    def vkey(self, organization: str) -> Vkey:
        return self.log(organization).vkey

    def log(self, organization: str) -> FakeLog:
        if organization not in self.logs:
            origin = format_origin(
                installation="test", organization=organization, generation=1, dev=True
            )
            signer = Ed25519Signer(random_bytes(32))
            self.logs[organization] = FakeLog(Vkey(origin, signer.public_key), signer)
        return self.logs[organization]

    async def check_access(
        self, question: AccessQuestion, *, timeout_s: float
    ) -> access_audit_pb2.CheckAccessResponse:
        await self._available(timeout_s)
        if question.attempt in self._attempts:
            raise error(Reason.ATTEMPT_REUSED)
        self._attempts.add(question.attempt)
        self.questions.append(question)
        reason = self.policy(question)
        receipt, leaf = self.log(question.organization).append(self._access(question, reason))
        answer = access_audit_pb2.CheckAccessResponse(
            verdict=resources_pb2.VERDICT_DENY if reason else resources_pb2.VERDICT_ALLOW,
            reason=reason or "CASE",
            metadata={"field": question.items[0].field},
            record=f"organizations/{question.organization}/accessRecords/{question.attempt}",
            receipt=receipt,
            leaf=leaf,
        )
        self.lie(answer)
        return answer

    async def record_outcome(
        self,
        *,
        organization: str,
        access: UUID,
        outcome: UUID,
        item: int,
        why: str,
        timeout_s: float,
    ) -> resources_pb2.Receipt:
        await self._available(timeout_s)
        if self.outcomes_down:
            raise error(Reason.AUDIT_UNAVAILABLE)
        now = micros(self._clock.now())
        receipt, _ = self.log(organization).append(
            OutcomeLeaf(
                id=outcome,
                organization=organization,
                event_us=now,
                receive_us=now,
                access=access,
                item=item,
                why=why,
            )
        )
        return receipt

    async def record_key_event(
        self, event: KeyEvent, *, staff_token: str, timeout_s: float
    ) -> access_audit_pb2.RecordKeyEventResponse:
        await self._available(timeout_s)
        self.tokens.append(staff_token)
        if event.leaf_id not in self._events:
            self._require_order(event)
            now = micros(self._clock.now())
            receipt, leaf = self.log(event.organization).append(
                KeyLeaf(
                    id=UUID(event.leaf_id),
                    organization=event.organization,
                    event_us=now,
                    receive_us=now,
                    operation=event.operation,
                    ids=event.ids,
                    by="crypto" if event.operation is KeyOperation.EPOCH else STAFF,
                    retention_class=event.retention_class,
                )
            )
            self._events[event.leaf_id] = access_audit_pb2.RecordKeyEventResponse(
                receipt=receipt, leaf=leaf
            )
        return self._events[event.leaf_id]

    async def consistency_proof(
        self, organization: str, *, old_size: int, new_size: int, timeout_s: float
    ) -> tuple[bytes, ...]:
        await self._available(timeout_s)
        return consistency_proof(old_size, new_size, self.log(organization).subtree)

    async def inclusion_proof(
        self, organization: str, *, index: int, size: int, timeout_s: float
    ) -> tuple[bytes, ...]:
        await self._available(timeout_s)
        return inclusion_proof(index, size, self.log(organization).subtree)

    async def is_due(
        self, organization: str, *, subject: str, retention_class: str, timeout_s: float
    ) -> bool:
        await self._available(timeout_s)
        return (subject, retention_class) in self.due

    def _require_order(self, event: KeyEvent) -> None:
        known = [leaf for leaf in self.log(event.organization).values if isinstance(leaf, KeyLeaf)]
        if event.operation is KeyOperation.DESTROYED:
            (intent,) = (at for at, leaf in enumerate(known) if str(leaf.id) == event.intent)
            holds = any(leaf.operation is KeyOperation.EPOCH for leaf in known[intent:])
        else:
            ends = [leaf for leaf in known if leaf.operation is KeyOperation.EPOCH]
            holds = not (ends and event.epochs) or event.epochs[0] > int(ends[-1].ids[-1])
        if not holds:
            violations = (("id", "out of order"),)
            raise error(Reason.INVALID_FIELD, violations=violations)

    async def _available(self, timeout_s: float) -> None:
        if self.delay_s:
            await asyncio.sleep(min(self.delay_s, timeout_s))
        if self.is_down or self.delay_s > timeout_s:
            raise error(Reason.AUDIT_UNAVAILABLE)

    def _access(self, question: AccessQuestion, reason: str) -> AccessLeaf:
        now = micros(self._clock.now())
        return AccessLeaf(
            id=question.attempt,
            organization=question.organization,
            event_us=now,
            receive_us=now,
            actor=Actor(id=STAFF, kind=ActorKind.HUMAN, auth=ActorAuth.TOKEN),
            app=question.application,
            purpose=question.context.purpose,
            act=_ACTS[question.action],
            target=Target(
                system="panel",
                fields=tuple(dict.fromkeys(item.field for item in question.items)),
                values=sum(item.values for item in question.items),
            ),
            decision=Decision(
                verdict=Verdict.DENY if reason else Verdict.ALLOW,
                mode=Mode.ENFORCE,
                why=reason or "CASE",
                rules=("A1",),
                register=question.register,
                rule_set=1,
            ),
            entries=0,
            entries_root=EMPTY_ROOT,
            reasons=(reason,) if reason else (),
        )
