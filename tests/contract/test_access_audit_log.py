"""The log from outside: proofs, export and checkpoints, verified by code of its own."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from emanet.api.access_audit.v1 import log_pb2
from emanet.core.errors import EmanetError, Reason
from emanet.core.leaf import AccessLeaf, Act, Mode
from emanet.core.merkle import verify_consistency
from services.access_audit.domain.tiling import close_tiles
from tests.fakes.access_audit_world import (
    ORGANIZATION,
    PARENT,
    SECURITY,
    AuditReplica,
    AuditWorld,
    item,
)


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AuditWorld:
    made = AuditWorld(database_url, tmp_path)
    await made.set_up()
    return made


@pytest.fixture
async def audit(world: AuditWorld) -> AsyncIterator[AuditReplica]:
    async with world.replica() as replica:
        await replica.prepare()
        await replica.put_case(subjects=[f"customers/{n}" for n in range(10)])
        yield replica


async def _grow(audit: AuditReplica, count: int) -> None:
    for start in range(0, count, 500):
        await audit.record(
            *(
                audit.record_item(item(subject=f"customers/{n % 10}"))
                for n in range(start, min(count, start + 500))
            )
        )


# -- a verifier that shares no code with Emanet (RFC 6962 section 2.1, C2SP signed-note) ----------


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _root(hashes: list[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return _node(_root(hashes[:split]), _root(hashes[split:]))


def _root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    if size == 1:
        assert not path
        return leaf
    split = 1
    while split * 2 < size:
        split *= 2
    *rest, last = path
    if index < split:
        return _node(_root_from_path(leaf, index, split, rest), last)
    return _node(last, _root_from_path(leaf, index - split, size - split, rest))


def _open(note: str, vkey: str) -> tuple[str, int, bytes]:
    name, key_hash, encoded = vkey.split("+", 2)
    key = base64.b64decode(encoded)
    assert key[0] == 1
    assert hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() == key_hash
    text, signatures = note.split("\n\n")
    (line,) = signatures.splitlines()
    dash, signer, signature = line.split(" ")
    raw = base64.b64decode(signature)
    assert (dash, signer, raw[:4].hex()) == ("—", name, key_hash)
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    assert origin == name
    return origin, int(size), base64.b64decode(root)


async def test_inclusion_of_every_leaf_is_provable(audit: AuditReplica) -> None:
    """From the leaf's own bytes to the signed root."""
    await _grow(audit, 40)
    vkey = (await audit.operations.reads.checkpoint(ORGANIZATION)).vkey
    for row in audit.rows():
        message = log_pb2.GetInclusionProofRequest(parent=PARENT, index=row.idx)
        proof = await audit.operations.reads.inclusion(ORGANIZATION, message)
        _, size, root = _open(proof.checkpoint, vkey)
        assert proof.leaf_hash == _leaf(row.data)
        assert _root_from_path(_leaf(row.data), row.idx, size, list(proof.hashes)) == root


async def test_proofs_cross_tiles(audit: AuditReplica) -> None:
    """Logs beyond 256 leaves prove through full tiles and the partial one at the edge."""
    await _grow(audit, 600)
    leaves = [_leaf(row.data) for row in audit.rows()]
    size = len(leaves)
    for index in (0, 1, 255, 256, 511, 512, size - 1):
        for tree in (size, index + 1, min(size, index + 300)):
            message = log_pb2.GetInclusionProofRequest(parent=PARENT, index=index, tree_size=tree)
            proof = await audit.operations.reads.inclusion(ORGANIZATION, message)
            assert proof.checkpoint == ""
            root = _root_from_path(leaves[index], index, tree, list(proof.hashes))
            assert root == _root(leaves[:tree])


async def test_an_earlier_tree_is_a_prefix_of_a_later_one(audit: AuditReplica) -> None:
    """The consistency proof rebuilds both roots (RFC 6962 section 2.1.2)."""
    await _grow(audit, 300)
    leaves = [_leaf(row.data) for row in audit.rows()]
    for old in (1, 2, 5, 255, 256, 257, len(leaves)):
        message = log_pb2.GetConsistencyProofRequest(parent=PARENT, from_size=old)
        proof = await audit.operations.reads.consistency(ORGANIZATION, message)
        verify_consistency(
            old_size=old,
            old_root=_root(leaves[:old]),
            new_size=len(leaves),
            new_root=_root(leaves),
            proof=tuple(proof.hashes),
        )


@pytest.mark.parametrize(("index", "size"), [(99, 0), (3, 3), (0, 10**6)])
async def test_what_is_not_in_the_log_has_no_proof(
    audit: AuditReplica, index: int, size: int
) -> None:
    """Indexes and sizes beyond the log are the caller's mistake."""
    message = log_pb2.GetInclusionProofRequest(parent=PARENT, index=index, tree_size=size)
    with pytest.raises(EmanetError) as refused:
        await audit.operations.reads.inclusion(ORGANIZATION, message)
    assert refused.value.reason is Reason.INVALID_FIELD


async def test_an_export_verifies_from_its_bytes_alone(audit: AuditReplica) -> None:
    """Entries tiles give the leaves, hash tiles their hashes, the checkpoint their root."""
    await _grow(audit, 300)
    parts = await audit.exported()
    assert parts[-1].path == "checkpoint"
    files: dict[str, bytes] = {}
    for part in parts[1:]:
        files[part.path] = files.get(part.path, b"") + part.chunk
    _, size, root = _open(files["checkpoint"].decode(), parts[0].vkey)
    assert size == parts[0].tree_size == len(audit.rows())
    rest = size - 256
    assert set(files) == {
        "checkpoint",
        "tile/entries/000",
        f"tile/entries/001.p/{rest}",
        "tile/0/000",
        f"tile/0/001.p/{rest}",
        "tile/1/000.p/1",
    }
    data = files["tile/entries/000"] + files[f"tile/entries/001.p/{rest}"]
    leaves, offset = [], 0
    while offset < len(data):
        length = int.from_bytes(data[offset : offset + 2], "big")
        leaves.append(data[offset + 2 : offset + 2 + length])
        offset += 2 + length
    hashes = [_leaf(leaf) for leaf in leaves]
    assert _root(hashes) == root
    assert files["tile/0/000"] + files[f"tile/0/001.p/{rest}"] == b"".join(hashes)
    assert files["tile/1/000.p/1"] == _root(hashes[:256])
    exported = json.loads(leaves[-1])
    assert (exported["t"], exported["act"]) == ("access", "export")


async def test_an_export_is_recorded_before_it_leaves(audit: AuditReplica) -> None:
    """Who, for what; under the checkpoint that is exported. A dry run records nothing."""
    before = len(audit.rows())
    (only,) = await audit.exported(validate_only=True)
    assert only.tree_size == before == len(audit.rows())
    await audit.exported()
    leaf = audit.leaves()[-1]
    assert isinstance(leaf, AccessLeaf)
    assert (leaf.act, leaf.purpose, leaf.target.fields) == (
        Act.EXPORT,
        "oversight",
        ("staff.access",),
    )


async def test_a_log_without_rules_can_be_exported(world: AuditWorld) -> None:
    """Evidence must not depend on what is broken: the record says that nothing was decided."""
    async with world.replica() as audit:
        assert len(await audit.exported()) > 2
        leaf = audit.leaves()[-1]
        assert isinstance(leaf, AccessLeaf)
        assert (leaf.decision.mode, leaf.decision.why) == (Mode.OBSERVE, "EVALUATION_FAILED")
        assert (leaf.decision.register, leaf.decision.rule_set) == (0, 0)
        assert leaf.actor.id != SECURITY.person_id


async def test_no_personal_data_leaves_with_an_export(audit: AuditReplica) -> None:
    """Entries stay here: no subject, person, case or address is in any exported byte."""
    await audit.check(connection="192.0.2.9", session="web-7", justification="gerekçe")
    data = b"".join(part.chunk for part in await audit.exported())
    for value in (b"customers/", b"s-044", b"s-001", b"192.0.2.9", b"web-7", b"T-1", "gerekçe"):
        assert (value if isinstance(value, bytes) else value.encode()) not in data


async def test_the_checkpoint_is_kept_outside_the_database(
    audit: AuditReplica, world: AuditWorld
) -> None:
    """Beside the verifier key that crypto pins; the newest note is there before the answer."""
    state = world.service_dir / "state"
    answer = await audit.check()
    vkey = (state / f"{ORGANIZATION}.vkey").read_text().strip()
    kept = [
        _open(path.read_text().rstrip("\0"), vkey)
        for path in state.glob(f"{ORGANIZATION}.checkpoint*")
    ]
    assert _open(answer.receipt.checkpoint, vkey) in kept


async def test_level_one_tiles_close_after_65536_leaves() -> None:
    """Tiles of every level are the same whether hashes came one by one or all at once."""
    hashes = [hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range(65_536 + 300)]
    whole = close_tiles(size=0, added=hashes, tail=lambda *_: ())
    assert [(t.level, t.n) for t in whole][-1] == (1, 0)
    assert len(whole) == 257 + 1
    stored: dict[int, list[bytes]] = {0: [], 1: []}
    parts = []
    for start in range(0, len(hashes), 700):
        added = hashes[start : start + 700]
        closed = close_tiles(
            size=start, added=added, tail=lambda level, first, n: stored[level][first : first + n]
        )
        stored[0].extend(added)
        stored[1].extend(tile.root for tile in closed if tile.level == 0)
        parts.extend(closed)
    assert sorted(parts, key=lambda t: (t.level, t.n)) == list(whole)
    assert whole[-1].root == _root(hashes[:65_536])
