"""Page tokens tell a position to one caller and give no right."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emanet.core.encoding import b64url_decode, b64url_encode
from emanet.core.errors import CallerError, Reason
from services.inventory.paging import PageTokens, Position, page_size

TOKENS = PageTokens(bytes(range(32)))
BOUND = {"rpc": "List", "organization": "cinar", "caller": "spiffe://x/app/cli"}
positions = st.builds(
    Position,
    number=st.integers(1, 2**53),
    id=st.binary(min_size=16, max_size=16).map(lambda data: UUID(bytes=data)),
)


@given(positions)
def test_a_token_reads_back(position: Position) -> None:
    """Reading gives the position that was written; the empty token asks for the first page."""
    assert TOKENS.read(TOKENS.write(position, **BOUND), **BOUND) == position
    assert TOKENS.read("", **BOUND) is None


@given(positions, st.integers(0, 39), st.integers(1, 255))
def test_any_changed_byte_is_refused(position: Position, index: int, change: int) -> None:
    """Nobody makes a token but the server."""
    data = bytearray(b64url_decode(TOKENS.write(position, **BOUND)))
    data[index] ^= change
    with pytest.raises(CallerError) as refused:
        TOKENS.read(b64url_encode(bytes(data)), **BOUND)
    assert refused.value.reason is Reason.INVALID_PAGE_TOKEN


@pytest.mark.parametrize("part", sorted(BOUND))
def test_a_token_is_bound_to_request_organization_and_caller(part: str) -> None:
    """Used for anything else it is not valid."""
    token = TOKENS.write(Position(number=3, id=UUID(int=3)), **BOUND)
    with pytest.raises(CallerError):
        TOKENS.read(token, **(BOUND | {part: "other"}))


def test_page_sizes_are_coerced_or_refused() -> None:
    """None is 50, more than 1000 is 1000, negative is wrong."""
    assert [page_size(wanted) for wanted in (0, 1, 1000, 5000)] == [50, 1, 1000, 1000]
    with pytest.raises(CallerError):
        page_size(-1)
