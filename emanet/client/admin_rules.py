"""Administration of the need-to-know rules."""

from __future__ import annotations

from collections.abc import Iterator

from emanet.api.access_audit.v1 import resources_pb2, rules_pb2, rules_pb2_grpc
from emanet.client.admin_session import AdminSession
from emanet.client.channel import ServiceName
from emanet.core.names import Collection, format_name

__all__ = ["RulesAdmin"]

_SERVICE = ServiceName.ACCESS_AUDIT
_PAGE_SIZE = 1000


class RulesAdmin:
    """Calls of `RulesService`; every method raises EmanetError as the service answers."""

    def __init__(self, session: AdminSession) -> None:
        self._session = session
        self._connection = session.connect(_SERVICE, rules_pb2_grpc.RulesServiceStub)

    def apply(self, source: str, *, validate_only: bool = False) -> resources_pb2.RuleSet:
        """Stores a need_to_know.yaml after lint and its own examples passed.

        Args:
            source: the file's text.
            validate_only: True to check without storing.

        Raises:
            EmanetError: MANIFEST_INVALID with the line, RULES_FINDINGS, REGISTER_MISSING.
        """
        request = rules_pb2.ApplyRuleSetRequest(
            parent=self._session.parent,
            source=source,
            request_id=self._session.new_request_id(),
            validate_only=validate_only,
        )
        stub = self._connection.stub()
        return self._session.send(stub.ApplyRuleSet, request, service=_SERVICE).rule_set

    def activate(self, number: int, *, digest_read: bytes) -> rules_pb2.ActivateRuleSetResponse:
        """Activates an applied rule set, by the digest of the file that the approver read."""
        request = rules_pb2.ActivateRuleSetRequest(
            name=self._name(number),
            digest=digest_read,
            request_id=self._session.new_request_id(),
        )
        stub = self._connection.stub()
        return self._session.send(stub.ActivateRuleSet, request, service=_SERVICE)

    def get(self, number: int) -> resources_pb2.RuleSet:
        """Reads one rule set with its source."""
        request = rules_pb2.GetRuleSetRequest(name=self._name(number))
        stub = self._connection.stub()
        return self._session.send(stub.GetRuleSet, request, service=_SERVICE).rule_set

    def list_all(self) -> Iterator[resources_pb2.RuleSet]:
        """Every rule set, newest first, without sources."""
        request = rules_pb2.ListRuleSetsRequest(parent=self._session.parent, page_size=_PAGE_SIZE)
        while True:
            stub = self._connection.stub()
            page = self._session.send(stub.ListRuleSets, request, service=_SERVICE)
            yield from page.rule_sets
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def _name(self, number: int) -> str:
        return format_name(self._session.organization, Collection.RULE_SETS.value, str(number))
