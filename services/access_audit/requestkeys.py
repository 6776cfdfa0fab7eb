"""Keyed digests: what makes a repeated request recognisable, and page tokens unforgeable."""

from __future__ import annotations

from google.protobuf.message import Message

from emanet.core.encoding import b64url_decode, b64url_encode, lp
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.ids import parse_uuid7
from services.access_audit.domain.claim import invalid
from services.access_audit.transaction import RequestKey
from services.runtime.primitives import hmac_sha256, is_equal

__all__ = ["DEFAULT_PAGE", "MAX_PAGE", "RequestKeys", "page_size"]

DEFAULT_PAGE = 50
MAX_PAGE = 1_000

_MAC_BYTES = 16


class RequestKeys:
    """Makes digests and page tokens under the server's key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        """Keeps the key."""
        self._key = key

    def __repr__(self) -> str:
        return "RequestKeys(...)"

    def request(
        self, content: Message, *, request_id: str, organization: str, caller: str, person: str
    ) -> RequestKey:
        """The key of a request; the digest covers content and person, never a token.

        Args:
            content: the message without its credentials.
            request_id: UUIDv7.
            organization: slug.
            caller: SPIFFE id.
            person: person id, empty without one.

        Raises:
            CallerError: INVALID_FIELD, the id is no UUIDv7.
        """
        named = lp(
            b"emanet/request/v1",
            organization.encode(),
            caller.encode(),
            person.encode(),
            content.DESCRIPTOR.full_name.encode(),
            content.SerializeToString(deterministic=True),
        )
        return RequestKey(
            id=parse_uuid7(request_id), caller=caller, digest=hmac_sha256(self._key, named)
        )

    def write_page(self, position: bytes, *, bound_to: bytes) -> str:
        """The token that continues after a position, for one request and caller."""
        return b64url_encode(self._mac(position, bound_to) + position)

    def read_page(self, token: str, *, bound_to: bytes) -> bytes:
        """The position of a token; empty for the empty one, which asks for the first page.

        Raises:
            CallerError: INVALID_PAGE_TOKEN, it was not made for this request and caller.
        """
        if not token:
            return b""
        try:
            data = b64url_decode(token)
        except EmanetError:
            raise error(Reason.INVALID_PAGE_TOKEN) from None
        mac, position = data[:_MAC_BYTES], data[_MAC_BYTES:]
        if not position or not is_equal(mac, self._mac(position, bound_to)):
            raise error(Reason.INVALID_PAGE_TOKEN)
        return position

    def _mac(self, position: bytes, bound_to: bytes) -> bytes:
        message = lp(b"emanet/page/v1", bound_to, position)
        return hmac_sha256(self._key, message)[:_MAC_BYTES]


def page_size(wanted: int) -> int:
    """The rows of a page: 50 when none is wanted, at most 1000 (AIP-158).

    Raises:
        CallerError: INVALID_FIELD for a negative number.
    """
    if wanted < 0:
        raise invalid("page_size", "negative")
    return min(wanted or DEFAULT_PAGE, MAX_PAGE)
