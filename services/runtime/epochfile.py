"""The epoch file of the passphrase provider: values, canonical JSON and its check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from emanet.core import canonical
from emanet.core.encoding import b64url_decode, b64url_encode, micros
from emanet.core.errors import Reason, error
from services.runtime.primitives import hmac_sha256, is_equal

__all__ = ["SALT_BYTES", "EpochFile", "EpochRow", "KdfCost", "decode_file", "encode_file"]

SALT_BYTES = 16
_MAX_MEMORY_KIB = 4_194_304
_MAX_ITERATIONS = 16
_MAX_LANES = 16


@dataclass(frozen=True, slots=True)
class KdfCost:
    """Cost of Argon2id (RFC 9106): passes, lanes and memory in KiB."""

    iterations: int
    lanes: int
    memory_kib: int

    def __post_init__(self) -> None:
        if not (
            1 <= self.iterations <= _MAX_ITERATIONS
            and 1 <= self.lanes <= _MAX_LANES
            and 8 * self.lanes <= self.memory_kib <= _MAX_MEMORY_KIB
        ):
            raise error(Reason.CONFIG_INVALID, problem="Argon2id cost out of range")


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch: `wrapped` until it is destroyed, `destroyed` (microseconds UTC) afterwards."""

    epoch: int
    created: int
    wrapped: bytes | None
    destroyed: int | None

    @classmethod
    def new(cls, epoch: int, *, created: datetime, wrapped: bytes) -> EpochRow:
        """Builds an active epoch."""
        return cls(epoch=epoch, created=micros(created), wrapped=wrapped, destroyed=None)

    def as_destroyed(self, moment: datetime) -> EpochRow:
        """Returns the row without its key."""
        return replace(self, wrapped=None, destroyed=micros(moment))


@dataclass(frozen=True, slots=True)
class EpochFile:
    """The content of one organization's epoch file; epochs ascend and are never empty."""

    organization: str
    service: str
    salt: bytes
    cost: KdfCost
    epochs: tuple[EpochRow, ...]

    def with_epochs(self, epochs: tuple[EpochRow, ...]) -> EpochFile:
        """Returns the file with other epochs."""
        return replace(self, epochs=epochs)


def encode_file(content: EpochFile, kek: bytes) -> bytes:
    """Returns the file's bytes, its check computed under the KEK."""
    body = _body(content)
    body["check"] = b64url_encode(hmac_sha256(kek, canonical.encode(body)))
    return canonical.encode(body)


def decode_file(data: bytes) -> tuple[EpochFile, Callable[[bytes], None]]:
    """Reads a file's bytes.

    Returns:
        the content, and a function that verifies the check under the KEK: nothing of the content
        but salt and cost may be used before it has returned.

    Raises:
        EmanetError: not canonical JSON.
        ValueError: not an epoch file of version 1, or (from the function) another check.
    """
    value = canonical.decode_object(data)
    check = _bytes(value.pop("check", None))
    content = _content(value)
    signed = canonical.encode(value)
    if canonical.encode(_body(content)) != signed:
        raise ValueError("unknown members")

    def verify(kek: bytes) -> None:
        if not is_equal(hmac_sha256(kek, signed), check):
            raise ValueError("another check")

    return content, verify


def _body(content: EpochFile) -> dict[str, canonical.JsonValue]:
    return {
        "v": 1,
        "organization": content.organization,
        "service": content.service,
        "kdf": {
            "name": "argon2id",
            "salt": b64url_encode(content.salt),
            "iterations": content.cost.iterations,
            "lanes": content.cost.lanes,
            "memory_kib": content.cost.memory_kib,
        },
        "epochs": [_row_body(row) for row in content.epochs],
    }


def _row_body(row: EpochRow) -> dict[str, canonical.JsonValue]:
    body: dict[str, canonical.JsonValue] = {"id": row.epoch, "created": row.created}
    if row.wrapped is not None:
        body |= {"state": "active", "wrapped": b64url_encode(row.wrapped)}
    if row.destroyed is not None:
        body |= {"state": "destroyed", "destroyed": row.destroyed}
    return body


def _content(value: dict[str, canonical.JsonValue]) -> EpochFile:
    kdf = value.get("kdf")
    epochs = value.get("epochs")
    if not isinstance(kdf, dict) or not isinstance(epochs, list):
        raise ValueError("kdf or epochs missing")
    rows = tuple(_row(item) for item in epochs)
    numbers = [row.epoch for row in rows]
    if not rows or numbers[0] < 1 or numbers != sorted(set(numbers)):
        raise ValueError("epochs do not ascend from 1")
    cost = KdfCost(
        iterations=_number(kdf.get("iterations")),
        lanes=_number(kdf.get("lanes")),
        memory_kib=_number(kdf.get("memory_kib")),
    )
    salt = _bytes(kdf.get("salt"))
    if len(salt) != SALT_BYTES:
        raise ValueError("salt of another length")
    return EpochFile(
        organization=_text(value.get("organization")),
        service=_text(value.get("service")),
        salt=salt,
        cost=cost,
        epochs=rows,
    )


def _row(item: canonical.JsonValue) -> EpochRow:
    if not isinstance(item, dict):
        raise ValueError("an epoch is no object")
    destroyed = _number(item["destroyed"]) if "destroyed" in item else None
    wrapped = _bytes(item["wrapped"]) if "wrapped" in item else None
    if (wrapped is None) == (destroyed is None):
        raise ValueError("an epoch is either active or destroyed")
    return EpochRow(
        epoch=_number(item.get("id")),
        created=_number(item.get("created")),
        wrapped=wrapped,
        destroyed=destroyed,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("text expected")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("number expected")
    return value


def _bytes(value: object) -> bytes:
    return b64url_decode(_text(value))
