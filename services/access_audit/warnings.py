"""Warnings since the start, by documented code: what `GetServiceInfo` shows to people."""

from __future__ import annotations

import threading
from collections import Counter
from enum import StrEnum

import structlog

__all__ = ["WarningCode", "Warnings"]

_log = structlog.get_logger(__name__)


class WarningCode(StrEnum):
    """What a person should look at; a code is stable once released.

    RULE_EVALUATION_FAILED: a decision could not be evaluated and was refused; the rules or the
        facts behind them are broken. Read the newest records with this reason.
    REGISTER_DEGRADED: the inventory was not heard for five minutes; after sixty, decisions stop.
        Bring the inventory back.
    REGISTER_REFUSED: the inventory offered a version that was forged, changed or out of order. The
        last good one stays in force. Compare digests on both sides.
    REGISTER_CORRUPT, RULES_CORRUPT: the stored version is not what the log binds; nothing is
        decided on it. Restore the database.
    LOG_REFUSED: the log is not what was signed; nothing is decided or signed for this
        organization. Keep everything as it is and call the security team.
    PSEUDONYM_REFUSED: a pseudonym row does not open; whoever it stands for is not shown.
    SECRET_REFUSED: the epoch file is missing or does not open; nothing is decided for this
        organization. Put the file back; it is tried again by itself.
    PRINCIPALS_REFUSED: principals.yaml was changed and cannot be read; the last good content is
        in force, so a revocation that stands in it is not. Mend the file.
    """

    RULE_EVALUATION_FAILED = "RULE_EVALUATION_FAILED"
    REGISTER_DEGRADED = "REGISTER_DEGRADED"
    REGISTER_REFUSED = "REGISTER_REFUSED"
    REGISTER_CORRUPT = "REGISTER_CORRUPT"
    RULES_CORRUPT = "RULES_CORRUPT"
    LOG_REFUSED = "LOG_REFUSED"
    PSEUDONYM_REFUSED = "PSEUDONYM_REFUSED"
    SECRET_REFUSED = "SECRET_REFUSED"  # noqa: S105 (a code)
    PRINCIPALS_REFUSED = "PRINCIPALS_REFUSED"


class Warnings:
    """Counts by organization and code; safe for use from several threads."""

    def __init__(self) -> None:
        """Starts with none."""
        self._counts: dict[str, Counter[WarningCode]] = {}
        self._mutex = threading.Lock()

    def add(self, organization: str, code: WarningCode) -> None:
        """Counts one and logs it."""
        with self._mutex:
            self._counts.setdefault(organization, Counter())[code] += 1
        _log.warning("warning.raised", organization=organization, code=code.value)

    def of(self, organization: str) -> tuple[tuple[WarningCode, int], ...]:
        """The counts of an organization, by code."""
        with self._mutex:
            counts = self._counts.get(organization, Counter())
            return tuple(sorted(counts.items()))
