"""RulesService: read the message, call one operation, write the message."""

# ruff: noqa: ARG002 -- names and parameters of the methods are the generated base class's

from __future__ import annotations

from google.protobuf.message import Message
from grpc import aio

from emanet.api.access_audit.v1 import rules_pb2, rules_pb2_grpc
from services.access_audit.operations.rules import RuleSets
from services.runtime.request import current

__all__ = ["RulesServicer"]

_Context = aio.ServicerContext[Message, Message]


class RulesServicer(rules_pb2_grpc.RulesServiceServicer):
    """Serves emanet.api.access_audit.v1.RulesService; the gate has let the caller in."""

    def __init__(self, rule_sets: RuleSets) -> None:
        """Keeps the operations."""
        self._rule_sets = rule_sets

    async def ApplyRuleSet(
        self, request: rules_pb2.ApplyRuleSetRequest, context: _Context
    ) -> rules_pb2.ApplyRuleSetResponse:
        """Stores a rule set that passed lint and its examples."""
        return await self._rule_sets.apply(current(), request)

    async def ActivateRuleSet(
        self, request: rules_pb2.ActivateRuleSetRequest, context: _Context
    ) -> rules_pb2.ActivateRuleSetResponse:
        """Activates exactly what the approver read."""
        return await self._rule_sets.activate(current(), request)

    async def GetRuleSet(
        self, request: rules_pb2.GetRuleSetRequest, context: _Context
    ) -> rules_pb2.GetRuleSetResponse:
        """Reads one rule set with its source."""
        return await self._rule_sets.get(current(), request)

    async def ListRuleSets(
        self, request: rules_pb2.ListRuleSetsRequest, context: _Context
    ) -> rules_pb2.ListRuleSetsResponse:
        """Lists rule sets, newest first."""
        return await self._rule_sets.list(current(), request)
