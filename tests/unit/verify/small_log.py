"""Small real logs, built with the format's own functions and signed with a key of the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emanet.core.checkpoint import Checkpoint, Vkey, sign_checkpoint
from emanet.core.ids import uuid7
from emanet.core.leaf import (
    AccessLeaf,
    Act,
    Actor,
    ActorAuth,
    ActorKind,
    Decision,
    Leaf,
    Mode,
    Receipt,
    RegisterLeaf,
    RulesLeaf,
    Target,
    Verdict,
    encode_leaf,
)
from emanet.core.merkle import EMPTY_ROOT, CompactRange, leaf_hash
from emanet.core.tiles import ENTRIES, Tile, encode_entries, tiles_of

ORGANIZATION = "degirmen"
ORIGIN = f"emanet-dev/test/{ORGANIZATION}/1"
START_US = 1_790_000_000_000_000
TOKENS = ("A" * 32, "B" * 32)


@dataclass(frozen=True)
class SmallLog:
    """Leaves and the key that signs them."""

    leaves: tuple[bytes, ...]
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def vkey(self) -> Vkey:
        return Vkey(name=ORIGIN, public_key=self.key.public_key().public_bytes_raw())

    def note(self, size: int | None = None) -> str:
        """The signed checkpoint of the first leaves."""
        leaves = self.leaves[:size]
        root = CompactRange().extend(leaf_hash(leaf) for leaf in leaves).root()
        checkpoint = Checkpoint(origin=ORIGIN, size=len(leaves), root=root)
        return sign_checkpoint(checkpoint, self.vkey, self.key.sign)

    def receipt(self, index: int, *, size: int | None = None) -> Receipt:
        return Receipt(
            checkpoint=self.note(size), index=index, leaf_hash=leaf_hash(self.leaves[index])
        )

    def write(self, directory: Path, *, size: int | None = None) -> Path:
        """Writes the export directory of the first leaves."""
        leaves = self.leaves[:size]
        rows = {0: [leaf_hash(leaf) for leaf in leaves]}
        for tile in tiles_of(len(leaves)):
            start = tile.index * 256
            if tile.level == ENTRIES:
                data = encode_entries(leaves[start : start + tile.width])
            else:
                data = b"".join(_row(rows, tile.level)[start : start + tile.width])
            put(directory, tile.path, data)
        put(directory, "checkpoint", self.note(size).encode())
        return directory


def put(directory: Path, path: str, data: bytes) -> None:
    target = directory / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def entries_path(index: int, *, size: int) -> str:
    """The file that holds a record."""
    return Tile(level=ENTRIES, index=index // 256, width=min(256, size - index // 256 * 256)).path


def numbered_id(number: int) -> UUID:
    return uuid7(now_us=START_US, random=number.to_bytes(10, "big"))


def access(number: int, **changes: object) -> AccessLeaf:
    """An allowed read, `number` seconds after the start."""
    values: dict[str, object] = {
        "id": numbered_id(number),
        "organization": ORGANIZATION,
        "event_us": START_US + number * 1_000_000,
        "receive_us": START_US + number * 1_000_000,
        "actor": Actor(id=TOKENS[0], kind=ActorKind.HUMAN, auth=ActorAuth.TOKEN),
        "app": "panel",
        "purpose": "support",
        "act": Act.READ,
        "target": Target(system="panel", fields=("customer.email",), values=1),
        "decision": Decision(
            verdict=Verdict.ALLOW,
            mode=Mode.ENFORCE,
            why="CASE",
            rules=("A10",),
            register=1,
            rule_set=1,
        ),
        "entries": 0,
        "entries_root": EMPTY_ROOT,
        "role": "support",
    }
    return AccessLeaf(**{**values, **changes})  # type: ignore[arg-type]


def register(number: int, *, version: int = 1) -> RegisterLeaf:
    return RegisterLeaf(
        id=numbered_id(number),
        organization=ORGANIZATION,
        event_us=START_US + number * 1_000_000,
        receive_us=START_US + number * 1_000_000,
        number=version,
        digest=bytes(32),
        approval=bytes(32),
    )


def rules(number: int, *, version: int = 1) -> RulesLeaf:
    return RulesLeaf(
        id=numbered_id(number),
        organization=ORGANIZATION,
        event_us=START_US + number * 1_000_000,
        receive_us=START_US + number * 1_000_000,
        number=version,
        digest=bytes(32),
        by=TOKENS,
    )


def good_leaves(size: int) -> list[Leaf]:
    """A register, rules, then accesses: what every log begins with."""
    first: list[Leaf] = [register(0), rules(1)]
    return [*first, *(access(number) for number in range(2, size))][:size]


def make_log(leaves: Sequence[Leaf], encode: Callable[[Leaf], bytes] = encode_leaf) -> SmallLog:
    return SmallLog(leaves=tuple(encode(leaf) for leaf in leaves))


def _row(rows: dict[int, list[bytes]], level: int) -> list[bytes]:
    if level not in rows:
        below = _row(rows, level - 1)
        full = len(below) // 256
        rows[level] = [
            CompactRange().extend(below[i * 256 : (i + 1) * 256]).root() for i in range(full)
        ]
    return rows[level]
