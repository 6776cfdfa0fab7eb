"""One error tree and one catalogue of reasons for services, client and command line.

    EmanetError
    ├── CallerError        the caller must change the request     (INVALID_ARGUMENT)
    ├── DeniedError        the caller may not, or must bring more (PERMISSION_DENIED, ...)
    ├── StateError         the resource is not in that state      (FAILED_PRECONDITION, ...)
    │   └── DestroyedError the key is destroyed; nobody can read it
    ├── IntegrityError     bytes are not what they were           (DATA_LOSS)
    └── UnavailableError   try again; nothing was released        (UNAVAILABLE, ...)

Every reason has its gRPC code, a message and a next step in Turkish and English in
`emanet.core.reasons`. A message never holds personal data: its placeholders are filled from
`metadata`, whose values are names of resources, counts and codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from emanet.core.reasons import CASE_PROBLEMS, CATALOGUE, TOKEN_PROBLEMS, Code, Reason, ReasonText

__all__ = [
    "CallerError",
    "Code",
    "DeniedError",
    "DestroyedError",
    "EmanetError",
    "IntegrityError",
    "Reason",
    "ReasonText",
    "StateError",
    "UnavailableError",
    "error",
]


_PROBLEMS: Mapping[Reason, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {Reason.CASE_UNFIT: CASE_PROBLEMS, Reason.TOKEN_INVALID: TOKEN_PROBLEMS}
)


class EmanetError(Exception):
    """An error that says which rule refused, about which resource, and what to do next.

    Attributes:
        reason: the closed reason; its text is in the catalogue.
        metadata: values of the message's placeholders and further resource names; never personal
            data.
        violations: (field path, description) pairs for requests whose fields are wrong.
    """

    def __init__(
        self,
        reason: Reason,
        metadata: Mapping[str, str] | None = None,
        *,
        violations: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.reason = reason
        self.metadata: Mapping[str, str] = MappingProxyType(dict(metadata or {}))
        self.violations = violations
        super().__init__(f"{reason.value}: {self.message_en}{_listed(violations)}")

    @property
    def code(self) -> Code:
        """The gRPC status code that carries this reason."""
        return CATALOGUE[self.reason].code

    @property
    def message_en(self) -> str:
        """What was wrong, for developers."""
        return _filled(CATALOGUE[self.reason].en, self._words(0))

    @property
    def message_tr(self) -> str:
        """What was wrong, for the person at the screen; ready to print."""
        return _filled(CATALOGUE[self.reason].tr, self._words(1))

    @property
    def next_step_en(self) -> str:
        """What to do next, in English."""
        return _filled(CATALOGUE[self.reason].next_en, self.metadata)

    @property
    def next_step_tr(self) -> str:
        """What to do next, in Turkish."""
        return _filled(CATALOGUE[self.reason].next_tr, self.metadata)

    def _words(self, language: int) -> Mapping[str, str]:
        """The metadata with the code of its problem in words; 0 = English, 1 = Turkish."""
        words = _PROBLEMS.get(self.reason, {}).get(self.metadata.get("problem", ""))
        if words is None:
            return self.metadata
        return {**self.metadata, "problem": words[language]}


class CallerError(EmanetError):
    """The request itself is wrong; sending it again unchanged fails again."""


class DeniedError(EmanetError):
    """The caller is not who it must be, or the need-to-know rules refuse."""

    @property
    def missing_row(self) -> str:
        """The register row at fault (`activities/account/rows/2`), empty when none is."""
        return self.metadata.get("row", "")

    @property
    def record(self) -> str:
        """The access record of the refusal, empty when none was written."""
        return self.metadata.get("record", "")


class StateError(EmanetError):
    """The resource does not exist, or is in a state that does not allow the act."""


class DestroyedError(StateError):
    """The key of the value is destroyed; `receipt` names the destruction that proves it."""

    @property
    def receipt(self) -> str:
        """The destruction's resource name, empty when it is not known."""
        return self.metadata.get("destruction", "")


class IntegrityError(EmanetError):
    """Stored or received bytes are not what they must be. Details are in the security log."""


class UnavailableError(EmanetError):
    """Emanet cannot decide or record now. Nothing was released; the request may be sent again."""


_BRANCH: Mapping[Code, type[EmanetError]] = MappingProxyType(
    {
        Code.INVALID_ARGUMENT: CallerError,
        Code.OUT_OF_RANGE: CallerError,
        Code.UNAUTHENTICATED: DeniedError,
        Code.PERMISSION_DENIED: DeniedError,
        Code.NOT_FOUND: StateError,
        Code.ALREADY_EXISTS: StateError,
        Code.FAILED_PRECONDITION: StateError,
        Code.ABORTED: StateError,
        Code.DATA_LOSS: IntegrityError,
        Code.UNAVAILABLE: UnavailableError,
        Code.RESOURCE_EXHAUSTED: UnavailableError,
        Code.DEADLINE_EXCEEDED: UnavailableError,
        Code.INTERNAL: IntegrityError,
    }
)


def error(
    reason: Reason,
    *,
    violations: tuple[tuple[str, str], ...] = (),
    **metadata: str,
) -> EmanetError:
    """Builds the narrowest error class for a reason; used to raise and to rebuild from a status."""
    if reason is Reason.KEY_DESTROYED:
        return DestroyedError(reason, metadata, violations=violations)
    return _BRANCH[CATALOGUE[reason].code](reason, metadata, violations=violations)


def _listed(violations: tuple[tuple[str, str], ...]) -> str:
    """What a traceback shows of violations; as names and rules only, they hold no value."""
    told = "; ".join(": ".join(part for part in pair if part) for pair in violations)
    return f" ({told})" if told else ""


class _Missing(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def _filled(template: str, metadata: Mapping[str, str]) -> str:
    return template.format_map(_Missing(metadata)) if "{" in template else template
