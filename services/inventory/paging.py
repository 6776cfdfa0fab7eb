"""Page tokens: where a page ended, authenticated for one request, organization and caller.

A token is 16 bytes of HMAC-SHA256 after the key of the last row (8 bytes of number, 16 of id), as
base64url. It tells a position and gives no right; another caller or request cannot use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from emanet.core.encoding import b64url_decode, b64url_encode, lp, u64
from emanet.core.errors import EmanetError, Reason, error
from services.runtime.primitives import hmac_sha256, is_equal

__all__ = ["DEFAULT_PAGE", "MAX_PAGE", "PageTokens", "Position", "page_size"]

DEFAULT_PAGE = 50
MAX_PAGE = 1000

_MAC_BYTES = 16
_NUMBER_BYTES = 8
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Position:
    """The key of the last row of a page; rows after it have a smaller one (newest first)."""

    number: int
    id: UUID


class PageTokens:
    """Writes and reads tokens under the server's key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        """Keeps the key."""
        self._key = key

    def write(self, position: Position, *, rpc: str, organization: str, caller: str) -> str:
        """Makes the token that continues after a row."""
        row = u64(position.number) + position.id.bytes
        return b64url_encode(self._mac(row, rpc, organization, caller) + row)

    def read(self, token: str, *, rpc: str, organization: str, caller: str) -> Position | None:
        """Reads a token back; None for the empty one, which asks for the first page.

        Raises:
            CallerError: INVALID_PAGE_TOKEN, it was not made for this request and caller.
        """
        if not token:
            return None
        try:
            data = b64url_decode(token)
        except EmanetError:
            raise error(Reason.INVALID_PAGE_TOKEN) from None
        mac, row = data[:_MAC_BYTES], data[_MAC_BYTES:]
        is_whole = len(row) == _NUMBER_BYTES + _ID_BYTES
        if not is_whole or not is_equal(mac, self._mac(row, rpc, organization, caller)):
            raise error(Reason.INVALID_PAGE_TOKEN)
        number = int.from_bytes(row[:_NUMBER_BYTES], "big")
        return Position(number=number, id=UUID(bytes=row[_NUMBER_BYTES:]))

    def _mac(self, row: bytes, rpc: str, organization: str, caller: str) -> bytes:
        named = lp(b"emanet/page/v1", rpc.encode(), organization.encode(), caller.encode(), row)
        return hmac_sha256(self._key, named)[:_MAC_BYTES]


def page_size(wanted: int) -> int:
    """The number of rows of a page: 50 when none is wanted, at most 1000 (AIP-158).

    Raises:
        CallerError: INVALID_FIELD for a negative number.
    """
    if wanted < 0:
        raise error(Reason.INVALID_FIELD, violations=(("page_size", "negative"),))
    return min(wanted or DEFAULT_PAGE, MAX_PAGE)
