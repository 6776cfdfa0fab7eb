"""The associated data of a batch: `emanet.core.envelope.aad`, its constant parts made once."""

from __future__ import annotations

from emanet.core.encoding import lp
from emanet.core.envelope import HEADER_BYTES, ValueType, aad

__all__ = ["Binder"]

_NO_HEADER = bytes(HEADER_BYTES)


class Binder:
    """Binds values of one organization; the bytes are those of `aad`, for any arguments."""

    __slots__ = ("_fields", "_organization", "_prefix", "_tails")

    def __init__(self, organization: str) -> None:
        self._organization = organization.encode()
        self._fields: dict[str, bytes] = {}
        self._tails = {kind: lp(kind.encode()) for kind in ValueType}
        whole = aad(
            _NO_HEADER, organization=organization, field="", record="", value_type=ValueType.TEXT
        )
        rest = lp(self._organization, b"", b"", ValueType.TEXT.encode())
        self._prefix = whole[: -len(_NO_HEADER + rest)]

    def bind(self, header: bytes, *, field: str, record: str, value_type: ValueType) -> bytes:
        """The associated data of one value; arguments as those of `aad`."""
        middle = self._fields.get(field)
        if middle is None:
            middle = self._fields[field] = lp(self._organization, field.encode())
        place = record.encode()
        return b"".join(
            (
                self._prefix,
                header,
                middle,
                len(place).to_bytes(4, "big"),
                place,
                self._tails[value_type],
            )
        )
