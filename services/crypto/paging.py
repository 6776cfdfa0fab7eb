"""Page tokens that only this service can write, and only for the same request and caller."""

from __future__ import annotations

from emanet.core.encoding import b64url_decode, b64url_encode, lp
from emanet.core.errors import EmanetError, Reason, error
from services.runtime.primitives import hmac_sha256, is_equal

__all__ = ["DEFAULT_PAGE", "PageTokens", "page_size"]

DEFAULT_PAGE = 50
_MAX_PAGE = 1_000
_TAG_BYTES = 16


def page_size(asked: int) -> int:
    """The page size to use: 0 is the default, more than 1000 is 1000.

    Raises:
        CallerError: INVALID_FIELD for a negative one.
    """
    if asked < 0:
        raise error(Reason.INVALID_FIELD, violations=(("page_size", "negative"),))
    return min(asked, _MAX_PAGE) or DEFAULT_PAGE


class PageTokens:
    """base64url of tag(16) ‖ cursor; the tag binds cursor, parent and caller under a key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, cursor: str, *, parent: str, caller: str) -> str:
        """The token that goes on after `cursor`."""
        return b64url_encode(self._tag(cursor, parent, caller) + cursor.encode())

    def read(self, token: str, *, parent: str, caller: str) -> str:
        """The cursor of a token; empty for an empty token.

        Raises:
            CallerError: INVALID_PAGE_TOKEN, it is of another request, caller or service.
        """
        if not token:
            return ""
        try:
            data = b64url_decode(token)
            cursor = data[_TAG_BYTES:].decode("ascii")
        except (EmanetError, UnicodeDecodeError):
            raise error(Reason.INVALID_PAGE_TOKEN) from None
        if not is_equal(self._tag(cursor, parent, caller), data[:_TAG_BYTES]):
            raise error(Reason.INVALID_PAGE_TOKEN)
        return cursor

    def _tag(self, cursor: str, parent: str, caller: str) -> bytes:
        message = lp(b"destructions", cursor.encode(), parent.encode(), caller.encode())
        return hmac_sha256(self._key, message)[:_TAG_BYTES]
