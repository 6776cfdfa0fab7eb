"""Staff tokens of the fake: opaque texts that stand for a person and their groups."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from emanet.core.errors import Reason, error

__all__ = ["FakeStaff", "StaffTokens"]

_PREFIX = "emanet-fake-token."


@dataclass(frozen=True, slots=True)
class FakeStaff:
    """The person behind a token.

    Attributes:
        person_id: as the cases name them.
        groups: of the groups claim, without the prefix `group:`.
        client: the application that the token was given to; no other may present it.
    """

    person_id: str = field(repr=False)
    groups: frozenset[str]
    client: str


class StaffTokens:
    """Gives out tokens and reads them back."""

    def __init__(self) -> None:
        """Starts without any."""
        self._staff: dict[str, FakeStaff] = {}

    def issue(self, person_id: str, groups: Iterable[str], *, client: str) -> str:
        """A new token of a person for one application."""
        token = f"{_PREFIX}{uuid.uuid4().hex}"
        self._staff[token] = FakeStaff(person_id, frozenset(groups), client)
        return token

    def verify(self, token: str, *, presenter: str) -> FakeStaff:
        """The person of a token.

        Raises:
            DeniedError: TOKEN_INVALID, it was not given out here, or to another application.
        """
        person = self._staff.get(token)
        if person is None:
            raise error(Reason.TOKEN_INVALID, problem="signature")
        if person.client != presenter:
            raise error(Reason.TOKEN_INVALID, problem="azp")
        return person
