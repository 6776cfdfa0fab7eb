"""The life of rule sets."""

from __future__ import annotations

from dataclasses import dataclass

from emanet.api.access_audit.v1 import rules_pb2
from emanet.core.encoding import lp, u64
from emanet.core.errors import Reason, error
from emanet.core.names import Collection, parse_name
from services.access_audit import storage
from services.access_audit.committer import Committer
from services.access_audit.domain.claim import invalid
from services.access_audit.jobs.rules import ActivateRulesJob, ApplyRulesJob
from services.access_audit.messages import to_receipt, to_rule_set
from services.access_audit.requestkeys import RequestKeys, page_size
from services.access_audit.shelf import Shelf
from services.access_audit.storage.rules import RuleSetRow
from services.runtime.database import Database
from services.runtime.request import Request, require_staff

__all__ = ["RuleSets"]

_MAX_SOURCE_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class RuleSets:
    """Applies, activates and shows rule sets."""

    database: Database
    committer: Committer
    keys: RequestKeys
    shelf: Shelf

    async def apply(
        self, request: Request, message: rules_pb2.ApplyRuleSetRequest
    ) -> rules_pb2.ApplyRuleSetResponse:
        """Stores a rule set that passed lint and its examples.

        Raises:
            EmanetError: VALUE_TOO_LARGE; see `ApplyRulesJob.run`.
        """
        if len(message.source.encode("utf-8", "surrogatepass")) > _MAX_SOURCE_BYTES:
            raise error(Reason.VALUE_TOO_LARGE, limit=str(_MAX_SOURCE_BYTES))
        person = require_staff().person_id
        committed = await self.committer.submit(
            ApplyRulesJob(
                organization=request.organization,
                source=message.source,
                person=person,
                request=self.keys.request(
                    message,
                    request_id=message.request_id,
                    organization=request.organization,
                    caller=request.caller.spiffe_id,
                    person=person,
                ),
                keep=not message.validate_only,
                shelf=self.shelf,
            )
        )
        active = await self._active(request.organization)
        return rules_pb2.ApplyRuleSetResponse(
            rule_set=to_rule_set(request.organization, committed.result, active=active)
        )

    async def activate(
        self, request: Request, message: rules_pb2.ActivateRuleSetRequest
    ) -> rules_pb2.ActivateRuleSetResponse:
        """Activates exactly what the approver read.

        Raises:
            EmanetError: see `ActivateRulesJob.run`.
        """
        person = require_staff().person_id
        number = _number(message.name)
        committed = await self.committer.submit(
            ActivateRulesJob(
                organization=request.organization,
                number=number,
                digest=message.digest,
                person=person,
                request=self.keys.request(
                    message,
                    request_id=message.request_id,
                    organization=request.organization,
                    caller=request.caller.spiffe_id,
                    person=person,
                ),
                shelf=self.shelf,
            )
        )
        row, active = await self._read(request.organization, number)
        return rules_pb2.ActivateRuleSetResponse(
            rule_set=to_rule_set(request.organization, row, active=active),
            receipt=to_receipt(committed.result.appended, committed.head),
        )

    async def get(
        self, request: Request, message: rules_pb2.GetRuleSetRequest
    ) -> rules_pb2.GetRuleSetResponse:
        """Reads one rule set with its source.

        Raises:
            StateError: RESOURCE_NOT_FOUND.
        """
        row, active = await self._read(request.organization, _number(message.name))
        return rules_pb2.GetRuleSetResponse(
            rule_set=to_rule_set(request.organization, row, active=active)
        )

    async def list(
        self, request: Request, message: rules_pb2.ListRuleSetsRequest
    ) -> rules_pb2.ListRuleSetsResponse:
        """One page, newest first, without sources.

        Raises:
            CallerError: INVALID_FIELD, INVALID_PAGE_TOKEN.
        """
        organization = request.organization
        size = page_size(message.page_size)
        bound_to = lp(b"ListRuleSets", organization.encode(), request.caller.spiffe_id.encode())
        position = self.keys.read_page(message.page_token, bound_to=bound_to)
        rows = await self.database.read(
            lambda connection: storage.rules.list_rule_sets(
                connection,
                organization,
                below=int.from_bytes(position, "big") if position else None,
                limit=size + 1,
            )
        )
        active = await self._active(organization)
        shown, more = rows[:size], len(rows) > size
        return rules_pb2.ListRuleSetsResponse(
            rule_sets=[to_rule_set(organization, row, active=active) for row in shown],
            next_page_token=self.keys.write_page(u64(shown[-1].number), bound_to=bound_to)
            if more
            else "",
        )

    async def _active(self, organization: str) -> int:
        control = await self.database.read(
            lambda connection: storage.log.load_control(connection, organization)
        )
        return 0 if control is None else control.rule_set

    async def _read(self, organization: str, number: int) -> tuple[RuleSetRow, int]:
        row = await self.database.read(
            lambda connection: storage.rules.read_rule_set(connection, organization, number)
        )
        if row is None:
            raise error(
                Reason.RESOURCE_NOT_FOUND,
                resource=f"organizations/{organization}/ruleSets/{number}",
            )
        return row, await self._active(organization)


def _number(name: str) -> int:
    parsed = parse_name(name)
    if parsed.collection is not Collection.RULE_SETS:
        raise invalid("name", "not the name of a rule set")
    return int(parsed.id)
