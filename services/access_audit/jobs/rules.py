"""Rule sets: applied by one person, activated by another, bound by a leaf."""

from __future__ import annotations

from dataclasses import dataclass, field

from emanet.core.errors import Reason, error
from emanet.core.leaf import RulesLeaf
from emanet.core.names import Collection, format_name
from emanet.register.findings import Severity
from emanet.register.values import Register
from emanet.rules.compile import compile_rules
from emanet.rules.examples import run_examples
from emanet.rules.lint import lint_rules
from emanet.rules.loader import load_rules
from emanet.rules.values import RuleSet
from services.access_audit import storage
from services.access_audit.domain.party import staff_party
from services.access_audit.ground import require_register
from services.access_audit.jobs.put import answer_repeat
from services.access_audit.shelf import Shelf
from services.access_audit.storage.rules import RuleSetRow
from services.access_audit.transaction import Appended, LogTransaction, RequestKey
from services.runtime.primitives import sha256

__all__ = ["ActivateRulesJob", "Activated", "ApplyRulesJob", "require_clean"]


@dataclass(frozen=True, slots=True)
class Activated:
    """The active rule set and its leaf."""

    row: RuleSetRow
    appended: Appended


@dataclass(frozen=True, slots=True)
class ApplyRulesJob:
    """Stores a rule set that passed lint and its own examples.

    Attributes:
        person: person id of who applies it.
        keep: False tries everything and stores nothing.
    """

    organization: str
    source: str
    person: str = field(repr=False)
    request: RequestKey
    keep: bool
    shelf: Shelf

    @property
    def weight(self) -> int:
        """No leaf, but a file to read and examples to run."""
        return 1

    def run(self, transaction: LogTransaction) -> RuleSetRow:
        """Lints, runs the examples and stores the file verbatim.

        Raises:
            EmanetError: MANIFEST_INVALID with the line, RULES_FINDINGS, REGISTER_MISSING,
                REQUEST_ID_REUSED.
        """
        known = storage.rules.find_by_request(
            transaction.connection, self.organization, self.request.id.bytes
        )
        if known is not None:
            if (known.request_caller, known.request_digest) != (
                self.request.caller,
                self.request.digest,
            ):
                raise error(Reason.REQUEST_ID_REUSED)
            return known
        register = require_register(transaction, self.shelf).register
        require_clean(load_rules(self.source, source="need_to_know.yaml"), register)
        row = RuleSetRow(
            number=storage.rules.next_number(transaction.connection, self.organization),
            digest=sha256(self.source.encode()),
            source=self.source,
            applied_by=self.person,
            apply_us=transaction.now_us,
            request_id=self.request.id.bytes,
            request_caller=self.request.caller,
            request_digest=self.request.digest,
        )
        if self.keep:
            with transaction.savepoint() as connection:
                storage.rules.insert_rule_set(connection, self.organization, row)
        return row


@dataclass(frozen=True, slots=True)
class ActivateRulesJob:
    """Activates a rule set by the digest that the approver read.

    Attributes:
        person: person id of who activates it; never who applied it.
    """

    organization: str
    number: int
    digest: bytes
    person: str = field(repr=False)
    request: RequestKey
    shelf: Shelf

    @property
    def weight(self) -> int:
        """One leaf."""
        return 1

    def run(self, transaction: LogTransaction) -> Activated:
        """Makes it the active one for every decision after this leaf.

        Raises:
            EmanetError: RESOURCE_NOT_FOUND, DIGEST_MISMATCH, SECOND_PERSON_REQUIRED,
                VERSION_STATE, RULES_FINDINGS, REGISTER_MISSING, RULES_CORRUPT, REQUEST_ID_REUSED.
        """
        name = format_name(self.organization, Collection.RULE_SETS.value, str(self.number))
        repeated = answer_repeat(transaction, self.request)
        row = storage.rules.read_rule_set(transaction.connection, self.organization, self.number)
        if row is None:
            raise error(Reason.RESOURCE_NOT_FOUND, resource=name)
        if repeated is not None:
            return Activated(row=row, appended=repeated)
        if sha256(row.source.encode()) != row.digest:
            raise error(Reason.RULES_CORRUPT)
        if row.digest != self.digest:
            raise error(Reason.DIGEST_MISMATCH, resource=name)
        if row.applied_by == self.person:
            raise error(Reason.SECOND_PERSON_REQUIRED)
        if row.activated_by is not None or row.number < transaction.rule_set:
            state = "active" if row.number == transaction.rule_set else "superseded"
            raise error(Reason.VERSION_STATE, resource=name, state=state)
        register = require_register(transaction, self.shelf).register
        require_clean(load_rules(row.source, source="need_to_know.yaml"), register)
        return Activated(row=row, appended=self._append(transaction, row))

    def _append(self, transaction: LogTransaction, row: RuleSetRow) -> Appended:
        people = (
            staff_party(row.applied_by),
            staff_party(self.person),
        )
        tokens = transaction.tokens(people)
        with transaction.savepoint() as connection:
            leaf = RulesLeaf(
                id=self.request.id,
                organization=self.organization,
                event_us=transaction.now_us,
                receive_us=transaction.now_us,
                number=self.number,
                digest=row.digest,
                by=(tokens[people[0]], tokens[people[1]]),
            )
            appended = transaction.append(leaf, request=self.request)
            storage.rules.activate_rule_set(
                connection,
                self.organization,
                self.number,
                person=self.person,
                at_us=transaction.now_us,
                idx=appended.index,
            )
        transaction.activate_rule_set(self.number)
        return appended


def require_clean(rules: RuleSet, register: Register) -> None:
    """Raises unless lint finds no error and every example comes out as it says.

    Raises:
        StateError: RULES_FINDINGS with the first finding's rule and line.
        CallerError: MANIFEST_INVALID for an example that fails.
    """
    errors = [
        finding for finding in lint_rules(rules, register) if finding.severity is Severity.ERROR
    ]
    if errors:
        raise error(
            Reason.RULES_FINDINGS,
            count=str(len(errors)),
            rules=", ".join(sorted({item.rule for item in errors})),
            violations=tuple((f"{item.rule}:{item.line or 0}", item.en) for item in errors),
        )
    run_examples(rules, compile_rules(rules, register))
