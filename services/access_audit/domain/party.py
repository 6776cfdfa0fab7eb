"""People as the organization's own systems call them, before they get a pseudonym."""

from __future__ import annotations

from typing import NamedTuple

from emanet.core.errors import EmanetError, Reason
from emanet.core.names import parse_subject
from emanet.core.pseudonym import STAFF_NAMESPACE

__all__ = ["Party", "parse_party", "staff_party"]


class Party(NamedTuple):
    """A subject, or a member of staff under the namespace `staff`; `repr` shows nothing."""

    namespace: str
    ref: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.ref}"

    def __repr__(self) -> str:
        return "Party(...)"


def staff_party(person_id: str) -> Party:
    """A member of staff."""
    return Party(STAFF_NAMESPACE, person_id)


def parse_party(text: str) -> tuple[Party, bool]:
    """Reads a subject, and tells whether its reference looks like a T.C. number.

    Whether its namespace may hold such numbers is the register's to say.

    Raises:
        CallerError: INVALID_SUBJECT, TEXT_NOT_NFC.
    """
    try:
        subject, is_identity = parse_subject(text), False
    except EmanetError as refused:
        if refused.reason is not Reason.INVALID_SUBJECT:
            raise
        subject, is_identity = parse_subject(text, allow_identity_number=True), True
    return Party(subject.namespace, subject.ref), is_identity
