"""Opens what Emanet wrote with nothing but docs/formats: the standard library and `cryptography`.

It imports nothing of Emanet and was written from those pages; where it and the services disagree,
a page or the code is wrong. `second_implementation.py` writes, this reads. Everything raises
ValueError (or cryptography's own error) for bytes that are not of the format.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Row = Mapping[str, Any]


def need(holds: object, what: str) -> None:
    if not holds:
        raise ValueError(what)


# -- encodings.md --------------------------------------------------------------------------------


def lp(*parts: bytes | str) -> bytes:
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in raw)


def unlp(data: bytes) -> list[str]:
    parts = []
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        need(len(data) >= end, "a part is cut off")
        parts.append(data[4:end].decode())
        data = data[end:]
    return parts


def u64(number: int | None) -> bytes:
    return b"" if number is None else number.to_bytes(8, "big")


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def hmac256(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(ikm: bytes, info: bytes, size: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=bytes(32), info=info).derive(ikm)


def unb64url(text: str, size: int | None = None) -> bytes:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    need(base64.urlsafe_b64encode(data).decode().rstrip("=") == text, "not base64url")
    need(size in (None, len(data)), "bytes of another length")
    return data


def unb64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "not base64")
    return data


def write_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read_json(data: bytes) -> Any:
    def refuse(_: str) -> None:
        raise ValueError("not an integer")

    value = json.loads(data.decode(), parse_float=refuse, parse_constant=refuse)
    _check_json(value, 0)
    need(write_json(value) == data, "not canonical")  # a key twice is written once
    return value


def _check_json(value: object, depth: int) -> None:
    need(depth <= 16, "too deep")
    match value:
        case str():
            need(unicodedata.is_normalized("NFC", value), "not NFC")
        case bool():
            pass
        case int():
            need(abs(value) < 2**53, "not a safe integer")
        case list():
            for item in value:
                _check_json(item, depth + isinstance(item, list | dict))
        case dict():
            for key, item in value.items():
                need(key and key.isascii(), "not a key")
                _check_json(item, depth + isinstance(item, list | dict))
        case _:
            raise ValueError("null")


# -- keys.md and envelope.md ---------------------------------------------------------------------


def gcm_siv_open(key: bytes, wrapped: bytes, aad: bytes) -> bytes:
    return AESGCMSIV(key).decrypt(wrapped[:12], wrapped[12:], aad)


def read_epoch_file(data: bytes, passphrase: bytes) -> dict[int, bytes | None]:
    """Epoch keys by number; None for a destroyed one."""
    file = read_json(data)
    kdf, check = file["kdf"], file.pop("check")
    need(set(file) == {"v", "organization", "service", "kdf", "epochs"}, "members")
    need(file["v"] == 1 and kdf["name"] == "argon2id", "another version")
    kek = Argon2id(
        salt=unb64url(kdf["salt"], 16),
        length=32,
        iterations=kdf["iterations"],
        lanes=kdf["lanes"],
        memory_cost=kdf["memory_kib"],
    ).derive(passphrase)
    need(hmac.compare_digest(hmac256(kek, write_json(file)), unb64url(check)), "check")
    numbers = [epoch["id"] for epoch in file["epochs"]]
    need(numbers and numbers == sorted(set(numbers)), "epochs ascend")
    keys: dict[int, bytes | None] = {}
    for epoch in file["epochs"]:
        aad = lp("emanet/epoch/v1", file["service"], file["organization"], str(epoch["id"]))
        is_active = epoch["state"] == "active"
        need(set(epoch) == {"id", "state", "created", "wrapped" if is_active else "destroyed"}, "?")
        keys[epoch["id"]] = (
            gcm_siv_open(kek, unb64url(epoch["wrapped"], 60), aad) if is_active else None
        )
    return keys


class Key(NamedTuple):
    """An opened key row."""

    key: bytes
    namespace: str
    ref: str


def open_key_row(row: Row, *, epoch_key: bytes, lookup_key: bytes) -> Key:
    texts = ("organization", "kind", "class", "bucket", "state")
    numbers = ("epoch", "row_version", "created", "destroyed")
    columns = [row["id"], *(row[name] for name in texts), row["lookup"]]
    columns += [u64(row[name]) for name in numbers]
    plain = gcm_siv_open(epoch_key, row["wrapped"], lp("emanet/row/v1", *columns))
    size = 64 if row["kind"] == "pair" else 32
    found = Key(plain[:size], *unlp(plain[size:]))
    said = lp("emanet/lookup/v1", row["organization"], row["kind"], row["class"], *found[1:])
    need(hmac.compare_digest(hmac256(lookup_key, said), row["lookup"]), "lookup")
    return found


class Envelope(NamedTuple):
    """The parts of an envelope."""

    head: bytes
    sid: bytes
    bid: bytes
    nonce: bytes
    commitment: bytes
    sealed: bytes


def read_envelope(value: bytes | str) -> Envelope:
    if isinstance(value, str):
        need(value.startswith("emn1."), "not an envelope")
        value = unb64url(value[5:])
    need(94 <= len(value) <= 65_630 and value[:2] == b"\x01\x01", "not an envelope")
    ends = (0, 46), (2, 18), (18, 34), (34, 46), (46, 78), (78, None)
    return Envelope(*(value[start:end] for start, end in ends))


def open_envelope(envelope: Envelope, s: bytes, b: bytes, *claimed: str) -> bytes:
    """The value; claimed are organization, field, record and value type."""
    info = lp("emanet/pair/v1", claimed[0]) + envelope.sid + envelope.bid
    pair = hkdf(s + b, info, 64)
    need(hmac.compare_digest(pair[32:], envelope.commitment), "commitment")
    aad = lp("emanet/aad/v1", envelope.head, *claimed)
    return gcm_siv_open(pair[:32], envelope.nonce + envelope.sealed, aad)


# -- log.md --------------------------------------------------------------------------------------


def tree_root(items: list[bytes], node: bytes = b"\x01") -> bytes:
    """RFC 6962 section 2.1, level by level: a last odd hash is carried upwards."""
    while len(items) > 1:
        pairs = zip(items[::2], items[1::2], strict=False)
        odd = items[len(items) - len(items) % 2 :]
        items = [*(sha256(node + left + right) for left, right in pairs), *odd]
    return items[0] if items else sha256(b"")


def range_root(data: bytes) -> tuple[int, bytes]:
    """Size and root of a stored frontier."""
    size = int.from_bytes(data[:8], "big")
    parts = [data[at : at + 32] for at in range(8, len(data), 32)]
    need(len(parts) == size.bit_count() and len(data) % 32 == 8, "range")
    root = parts.pop() if parts else sha256(b"")
    while parts:
        root = sha256(b"\x01" + parts.pop() + root)
    return size, root


def vkey_of(seed: bytes, origin: str) -> str:
    private = Ed25519PrivateKey.from_private_bytes(hkdf(seed, lp("emanet/log-key/v1", origin), 32))
    key = b"\x01" + private.public_key().public_bytes_raw()
    key_id = sha256(origin.encode() + b"\n" + key)[:4]
    return f"{origin}+{key_id.hex()}+{base64.b64encode(key).decode()}"


def open_checkpoint(note: str, vkey: str) -> tuple[int, bytes]:
    """Size and root that the key signed."""
    name, key_id, encoded = vkey.removesuffix("\n").split("+", 2)
    key = unb64(encoded)
    need(sha256(name.encode() + b"\n" + key)[:4].hex() == key_id and key[0] == 1, "vkey")
    need(not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", note), "control characters")
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    lines = signatures.split("\n")
    need(lines.pop() == "" and 1 <= len(lines) <= 100, "signatures")
    own = 0
    for line in lines:
        dash, signer, signature = line.split(" ")
        need(dash == "—", "signature line")
        raw = unb64(signature)
        if (signer, raw[:4].hex()) == (name, key_id):
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], text.encode())
            own += 1
    need(own, "not signed by the key")
    match = re.fullmatch(r"(.+)\n(0|[1-9][0-9]*)\n(.+)\n", text)
    need(match is not None and match[1] == name, "not three lines, or another log")
    assert match is not None
    size, root = int(match[2]), unb64(match[3])
    need(len(root) == 32 and (size > 0 or root == sha256(b"")), "root")
    return size, root


def tile_path(level: int | str, index: int, width: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return f"tile/{level}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def read_export(folder: Path, vkey: str) -> list[bytes]:
    """The leaves; signature, every tile and the set of files hold."""
    size, root = open_checkpoint((folder / "checkpoint").read_text(encoding="utf-8"), vkey)
    leaves: list[bytes] = []
    known = {"checkpoint"}
    for index in range(-(-size // 256)):
        path = tile_path("entries", index, min(256, size - index * 256))
        known.add(path)
        leaves += _bundle((folder / path).read_bytes())
    need(len(leaves) == size, "another number of leaves")
    row = [sha256(b"\x00" + leaf) for leaf in leaves]
    need(tree_root(row) == root, "root")
    level = 0
    while row:
        parts = [row[at : at + 256] for at in range(0, len(row), 256)]
        for index, part in enumerate(parts):
            path = tile_path(level, index, len(part))
            known.add(path)
            need((folder / path).read_bytes() == b"".join(part), path)
        row = [tree_root(part) for part in parts if len(part) == 256]
        level += 1
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    need(found == known, "other files")
    return leaves


def _bundle(data: bytes) -> Iterator[bytes]:
    while data:
        end = 2 + int.from_bytes(data[:2], "big")
        need(len(data) >= end, "a leaf is cut off")
        yield data[2:end]
        data = data[end:]


# -- leaf.md: entries and pseudonyms; the leaves are in independent_leaf.py ---------------------


def read_disclosure(data: bytes, leaf: Row) -> list[tuple[str, str]]:
    """The entries that are shown; count and root are the leaf's."""
    hashes_, shown = [], []
    for item in read_json(data):
        if isinstance(item, str):
            hashes_.append(unb64url(item, 32))
            continue
        salt, key, value = item
        hashes_.append(sha256(b"\x02" + unb64url(salt, 16) + write_json([key, value])))
        shown.append((key, value))
    need(len(hashes_) == leaf["n"], "count")
    need(tree_root(hashes_, b"\x03") == unb64url(leaf["d"]), "root of the entries")
    return shown


def open_pseudonym(row: Row, *, epoch_key: bytes, pseudonym_key: bytes) -> str:
    """The reference behind a token."""
    where = (row["organization"], row["namespace"])
    columns = (*where, row["lookup"], row["token"], u64(row["epoch"]))
    plain = gcm_siv_open(epoch_key, row["wrapped"], lp("emanet/token-row/v1", *columns))
    (ref,) = unlp(plain[32:])
    committed = sha256(lp("emanet/token/v1") + plain[:32] + lp(*where, ref))
    need(unb64url(row["token"], 24) == committed[:24], "token")
    need(hmac256(pseudonym_key, lp("emanet/token-lookup/v1", *where, ref)) == row["lookup"], "?")
    return ref


# -- register.md ---------------------------------------------------------------------------------


def read_version(snapshot: bytes, approval: bytes, previous: bytes | None) -> dict[str, Any]:
    """The snapshot, once it, its approval and the digest before it fit."""
    said, approved = read_json(snapshot), read_json(approval)
    before = {} if previous is None else {"previous": previous}
    need(set(said) == {"v", "organization", "number", "register", *before}, "members")
    need(said["v"] == 1 and said["organization"] == said["register"]["organization"]["id"], "whose")
    need((said["number"] == 1) == (previous is None), "number")
    need(previous is None or unb64url(said["previous"]) == previous, "previous")
    need(approved["number"] == said["number"], "number")
    need(unb64url(approved["digest"]) == sha256(snapshot), "digest")
    need(approved["author"] != approved["approver"], "two persons")
    need(approved["effective"] >= approved["approved"], "effective")
    return dict(said)
