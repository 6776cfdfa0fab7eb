"""One refusal for many callers, without one exception object for all of them."""

from __future__ import annotations

from emanet.core.errors import EmanetError

__all__ = ["renewed"]


def renewed(failure: EmanetError) -> EmanetError:
    """The same refusal as a new object.

    An exception that is raised again and again keeps every traceback that it passed; one that
    several tasks raise mixes theirs.
    """
    return type(failure)(failure.reason, failure.metadata, violations=failure.violations)
