"""Requests that may be sent twice: the first answer is kept and given again.

The key is (organization, certificate identity, request id). What was asked is kept as a digest
that also covers the person, so nobody gets the answer to somebody else's request.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.protobuf.message import Message
from sqlalchemy import Connection

from emanet.core.encoding import lp
from emanet.core.errors import Reason, error
from emanet.core.ids import parse_uuid7
from services.inventory import storage
from services.runtime.primitives import sha256

__all__ = ["RequestKey", "recall", "remember"]

KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Names one request.

    Attributes:
        organization: slug.
        caller: SPIFFE id of the certificate.
        request_id: 16 bytes of a UUIDv7.
        digest: SHA-256 over person, message type and content.
    """

    organization: str
    caller: str
    request_id: bytes
    digest: bytes

    @classmethod
    def of(
        cls, message: Message, *, request_id: str, organization: str, caller: str, person: str
    ) -> RequestKey:
        """Builds the key of a request.

        Raises:
            CallerError: INVALID_FIELD, the request id is no UUIDv7.
        """
        content = message.SerializeToString(deterministic=True)
        named = lp(person.encode(), message.DESCRIPTOR.full_name.encode(), content)
        return cls(
            organization=organization,
            caller=caller,
            request_id=parse_uuid7(request_id).bytes,
            digest=sha256(named),
        )


def recall(connection: Connection, key: RequestKey) -> bytes | None:
    """Returns the first answer to a request, None when it is new.

    Raises:
        CallerError: REQUEST_ID_REUSED, the id came before with other content.
    """
    found = storage.find_request(
        connection, organization=key.organization, caller=key.caller, request_id=key.request_id
    )
    if found is None:
        return None
    digest, answer = found
    if digest != key.digest:
        raise error(Reason.REQUEST_ID_REUSED)
    return zlib.decompress(answer)


def remember(connection: Connection, key: RequestKey, answer: Message, *, now: datetime) -> None:
    """Keeps an answer, and drops those of the organization that are older than a week."""
    storage.drop_requests(connection, organization=key.organization, before=now - KEPT_FOR)
    storage.add_request(
        connection,
        organization=key.organization,
        caller=key.caller,
        request_id=key.request_id,
        digest=key.digest,
        answer=zlib.compress(answer.SerializeToString()),
        created=now,
    )
