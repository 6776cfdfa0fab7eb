from __future__ import annotations

import pytest

from emanet.core.errors import Reason, error
from emanet.core.reasons import CASE_PROBLEMS, TOKEN_PROBLEMS


@pytest.mark.parametrize(
    ("reason", "problem"),
    [(Reason.CASE_UNFIT, code) for code in CASE_PROBLEMS]
    + [(Reason.TOKEN_INVALID, code) for code in TOKEN_PROBLEMS],
)
def test_the_code_of_a_problem_is_told_in_the_readers_language(reason: Reason, problem: str):
    """Nobody reads `azp` on a screen; programs still find the code in the metadata."""
    told = error(reason, problem=problem)
    words = (CASE_PROBLEMS | TOKEN_PROBLEMS)[problem]
    assert words[0] in told.message_en
    assert words[1] in told.message_tr
    assert words[0] not in told.message_tr
    assert told.metadata["problem"] == problem


def test_an_unknown_problem_is_told_as_it_is():
    """A claim at fault is told by its name."""
    assert "(exp)" in error(Reason.TOKEN_INVALID, problem="exp").message_tr
