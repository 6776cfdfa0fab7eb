"""A second implementation of docs/formats, written from those pages: it imports nothing of Emanet.

`build()` gives the content of every file in docs/formats/vectors. Run this file to write them again
(`python tests/conformance/second_implementation.py`); the diff is reviewed, because bytes that
exist somewhere can never change.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VECTORS = Path(__file__).resolve().parents[2] / "docs" / "formats" / "vectors"

ORGANIZATION = "cinaralti"
ORIGIN = "emanet/demo/cinaralti/1"
STAFF_SALT = hashlib.sha256(b"vector staff salt").digest()


def seed(label: str, size: int = 32) -> bytes:
    """Fixed bytes for a vector: the first bytes of SHA-512 of a label that the file states."""
    return hashlib.sha512(label.encode()).digest()[:size]


def lp(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def hmac256(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(ikm: bytes, info: bytes, size: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=bytes(32), info=info).derive(ikm)


def tree_root(leaves: list[bytes], node: bytes) -> bytes:
    """RFC 6962 section 2.1, as the text defines it."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(node + tree_root(leaves[:split], node) + tree_root(leaves[split:], node))


def tree_path(index: int, leaves: list[bytes], node: bytes) -> list[bytes]:
    """RFC 6962 section 2.1.1, as the text defines it."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*tree_path(index, leaves[:split], node), tree_root(leaves[split:], node)]
    return [*tree_path(index - split, leaves[split:], node), tree_root(leaves[:split], node)]


def subproof(old: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2, SUBPROOF(m, D[n], b), as the text defines it."""
    node = b"\x01"
    if old == len(leaves):
        return [] if whole else [tree_root(leaves, node)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        return [*subproof(old, leaves[:split], whole), tree_root(leaves[split:], node)]
    return [*subproof(old - split, leaves[split:], False), tree_root(leaves[:split], node)]


def encodings() -> dict[str, object]:
    return {
        "lp": [
            {"parts_hex": [], "hex": ""},
            {"parts_hex": [""], "hex": lp(b"").hex()},
            {"parts_hex": ["6162", "", "63"], "hex": lp(b"ab", b"", b"c").hex()},
        ],
        "u64": [
            {"number": 1, "hex": u64(1).hex()},
            {"number": 1_790_000_000_000_000, "hex": u64(1_790_000_000_000_000).hex()},
        ],
        "times": [
            {"rfc3339": "1970-01-01T00:00:00Z", "micros": 0},
            {"rfc3339": "2026-11-21T10:59:12.000001Z", "micros": 1_795_258_752_000_001},
        ],
        "base64url": [
            {"hex": h, "text": b64(bytes.fromhex(h))} for h in ("", "00", "ffef", "fbff00")
        ],
        "base64url_refused": [
            "AA==",
            "A",
            "AB",
            "AAB",
            "A+8A",
            "A/8A",
            "AA\n",
            " AA",
            "AAA=",
            "ÀA",
        ],
        "canonical": [
            {"value": value, "hex": canonical(value).hex()}
            for value in (
                {},
                [],
                "",
                True,
                9007199254740991,
                {"b": 1, "a": [False, -1, "ğüşiöç"], "A": {"z": '"\\\b\f\n\r\t\u0001\u007f/'}},
            )
        ],
        "canonical_refused": [
            '{"a":1,"a":1}',
            '{"b":1,"a":1}',
            '{"a": 1}',
            "1.0",
            "1e2",
            "-0",
            "null",
            "01",
            "9007199254740992",
            "-9007199254740992",
            '"\\u011f"',
            '"\\/"',
            '"\\u000A"',
            '"\\ud800"',
            '{"ğ":1}',
            '{"":1}',
            "[1,]",
            "1 ",
            " 1",
            "NaN",
            "Infinity",
            '"a\u0308"',
            "",
            "{",
            "[" * 17 + "]" * 17,
        ],
        "canonical_refused_hex": ["efbbbf31", "22ff22", "22eda08022", "31" + "0a"],
        "names": [
            "organizations/cinaralti/fields/customer.email",
            "organizations/cinaralti/purposes/support",
            "organizations/cinaralti/registerVersions/12",
            "organizations/cinaralti/ruleSets/3",
            "organizations/cinaralti/accessRecords/01a0c450-6c00-7830-af61-61280fd900b5",
            "organizations/cinaralti/cases/ticket/T-118",
            "organizations/cinaralti/cases/order/2026/695",
            "organizations/cinaralti/reviews/01a0c450-6c00-7830-af61-61280fd900b5",
            "organizations/cinaralti/keys/AAAAAAAAAAAAAAAAAAAAAA",
            "organizations/cinaralti/destructions/01a0c450-6c00-7830-af61-61280fd900b5",
        ],
        "names_refused": [
            "",
            "organizations/",
            "organizations/cinaralti",
            "organizations/Cinaralti/fields/a",
            "organizations/çınaraltı/fields/a",
            "organizations/cinaralti/fields/",
            "organizations/cinaralti/fields/a/b",
            "organizations/cinaralti/fields/Customer",
            "organizations/cinaralti/registerVersions/0",
            "organizations/cinaralti/registerVersions/01",
            "organizations/cinaralti/accessRecords/01A0C450-6c00-7830-af61-61280fd900b5",
            "organizations/cinaralti/accessRecords/01a0c450-6c00-4830-af61-61280fd900b5",
            "organizations/cinaralti/cases/ticket",
            "organizations/cinaralti/cases/ticket/",
            "organizations/cinaralti/cases/ticket/T 118",
            "organizations/cinaralti/keys/AAAA",
            "organizations/cinaralti/subjects/customers",
            "organization/cinaralti/fields/a",
            "/organizations/cinaralti/fields/a",
            "organizations/cinaralti/fields/a\n",
            "organizations/cinaralti/fields/" + "a" * 64,
        ],
        "subjects": [
            "customers/7",
            "customers/a/b",
            "staff/s-044",
            "customers/müşteri-7",
            "c/" + "x" * 126,
        ],
        "subjects_refused": [
            "",
            "customers",
            "customers/",
            "/7",
            "Customers/7",
            "customers/ 7",
            "customers/7\n",
            "customers/10000000146",
            "customers/tc-10000000146",
            "customers/a\u0308",
            "c/" + "x" * 127,
        ],
        "subjects_with_identity_number": ["customers/10000000146"],
    }


def envelope_case(
    *,
    name: str,
    subject_key: bytes,
    bucket_key: bytes,
    field: str,
    record: str,
    value_type: str,
    plaintext: bytes,
) -> dict[str, object]:
    sid, bid, nonce = (
        seed(f"{name} {part}", size) for part, size in (("sid", 16), ("bid", 16), ("nonce", 12))
    )
    info = lp(b"emanet/pair/v1", ORGANIZATION.encode()) + sid + bid
    pair = hkdf(subject_key + bucket_key, info, 64)
    header = b"\x01\x01" + sid + bid + nonce
    aad = lp(
        b"emanet/aad/v1",
        header,
        ORGANIZATION.encode(),
        field.encode(),
        record.encode(),
        value_type.encode(),
    )
    sealed = AESGCMSIV(pair[:32]).encrypt(nonce, plaintext, aad)
    data = header + pair[32:] + sealed
    return {
        "name": name,
        "organization": ORGANIZATION,
        "field": field,
        "record": record,
        "value_type": value_type,
        "S": subject_key.hex(),
        "B": bucket_key.hex(),
        "sid": sid.hex(),
        "bid": bid.hex(),
        "pair_info": info.hex(),
        "K": pair[:32].hex(),
        "C": pair[32:].hex(),
        "nonce": nonce.hex(),
        "aad": aad.hex(),
        "plaintext": plaintext.hex(),
        "envelope": data.hex(),
        "text": "emn1." + b64(data),
    }


def envelope() -> dict[str, object]:
    s, b = seed("vector S"), seed("vector B")
    first = envelope_case(
        name="text",
        subject_key=s,
        bucket_key=b,
        field="customer.email",
        record="customers/7",
        value_type="text",
        plaintext="ayşe@example.com".encode(),
    )
    empty = envelope_case(
        name="empty",
        subject_key=s,
        bucket_key=b,
        field="customer.note",
        record="",
        value_type="bytes",
        plaintext=b"",
    )
    data = bytes.fromhex(str(first["envelope"]))
    refused = {
        "cut by one byte": data[:93],
        "empty": b"",
        "version 0": b"\x00" + data[1:],
        "version 2": b"\x02" + data[1:],
        "suite 0x02 is reserved": data[:1] + b"\x02" + data[2:],
        "suite 0x10 is reserved": data[:1] + b"\x10" + data[2:],
        "longer than 65,630 bytes": data[:78] + bytes(65_537 + 16),
    }
    return {
        "cases": [first, empty],
        "refused_hex": [
            {"why": why, "prefix": value[:94].hex(), "length": len(value)}
            for why, value in refused.items()
        ],
        "refused_text": [
            "",
            "emn1",
            "emn2." + b64(data),
            "emn1." + b64(data) + "=",
            "EMN1." + b64(data),
            b64(data),
            "emn1." + b64(data) + "\n",
        ],
    }


def key_row(
    *,
    name: str,
    kind: str,
    retention_class: str,
    bucket: str,
    namespace: str,
    ref: str,
    lookup_key: bytes,
    epoch_key: bytes,
) -> dict[str, object]:
    row_id, key, nonce = seed(f"{name} id", 16), seed(f"{name} key"), seed(f"{name} nonce", 12)
    message = lp(
        b"emanet/lookup/v1",
        ORGANIZATION.encode(),
        kind.encode(),
        retention_class.encode(),
        namespace.encode(),
        ref.encode(),
    )
    lookup = hmac256(lookup_key, message)
    created = 1_790_000_000_000_000
    aad = lp(
        b"emanet/row/v1",
        row_id,
        ORGANIZATION.encode(),
        kind.encode(),
        retention_class.encode(),
        bucket.encode(),
        b"active",
        lookup,
        u64(1),
        u64(1),
        u64(created),
        b"",
    )
    plaintext = key + lp(namespace.encode(), ref.encode())
    return {
        "name": name,
        "id": row_id.hex(),
        "organization": ORGANIZATION,
        "kind": kind,
        "class": retention_class,
        "bucket": bucket,
        "state": "active",
        "epoch": 1,
        "row_version": 1,
        "created": created,
        "namespace": namespace,
        "ref": ref,
        "key": key.hex(),
        "lookup_message": message.hex(),
        "lookup": lookup.hex(),
        "aad": aad.hex(),
        "plaintext": plaintext.hex(),
        "nonce": nonce.hex(),
        "wrapped": (nonce + AESGCMSIV(epoch_key).encrypt(nonce, plaintext, aad)).hex(),
    }


def keys() -> dict[str, object]:
    passphrase, salt, epoch_key, nonce = (
        b"correct horse battery staple",
        seed("vector kdf salt", 16),
        seed("vector epoch key"),
        seed("vector epoch nonce", 12),
    )
    kdf = {"name": "argon2id", "salt": b64(salt), "iterations": 2, "lanes": 1, "memory_kib": 1024}
    kek = Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=1024).derive(passphrase)
    aad = lp(b"emanet/epoch/v1", b"crypto", ORGANIZATION.encode(), b"2")
    wrapped = nonce + AESGCMSIV(kek).encrypt(nonce, epoch_key, aad)
    body = {
        "v": 1,
        "organization": ORGANIZATION,
        "service": "crypto",
        "kdf": kdf,
        "epochs": [
            {
                "id": 1,
                "state": "destroyed",
                "created": 1_780_000_000_000_000,
                "destroyed": 1_790_000_000_000_001,
            },
            {"id": 2, "state": "active", "created": 1_790_000_000_000_000, "wrapped": b64(wrapped)},
        ],
    }
    check = hmac256(kek, canonical(body))
    lookup_key = seed("vector lookup key")
    common = {"lookup_key": lookup_key, "epoch_key": epoch_key}
    contract = "contract-10y+marketing-2y"
    return {
        "lookup_key": lookup_key.hex(),
        "epoch_key": epoch_key.hex(),
        "rows": [
            key_row(
                name="subject",
                kind="subject",
                retention_class=contract,
                bucket="",
                namespace="customers",
                ref="7",
                **common,
            ),
            key_row(
                name="no subject",
                kind="subject",
                retention_class=contract,
                bucket="",
                namespace="",
                ref="",
                **common,
            ),
            key_row(
                name="bucket",
                kind="bucket",
                retention_class=contract,
                bucket="2026-09",
                namespace="",
                ref="2026-09",
                **common,
            ),
            key_row(
                name="open bucket",
                kind="bucket",
                retention_class=contract,
                bucket="open",
                namespace="",
                ref="open",
                **common,
            ),
        ],
        "epoch_file": {
            "passphrase": passphrase.decode(),
            "kek": kek.hex(),
            "epoch": 2,
            "aad": aad.hex(),
            "nonce": nonce.hex(),
            "epoch_key": epoch_key.hex(),
            "wrapped": wrapped.hex(),
            "file": canonical({**body, "check": b64(check)}).decode(),
        },
    }


def pseudonym(
    namespace: str, ref: str, salt: bytes, lookup_key: bytes, epoch_key: bytes
) -> dict[str, object]:
    org, ns, raw = ORGANIZATION.encode(), namespace.encode(), ref.encode()
    token = b64(sha256(lp(b"emanet/token/v1") + salt + lp(org, ns, raw))[:24])
    message = lp(b"emanet/token-lookup/v1", org, ns, raw)
    lookup = hmac256(lookup_key, message)
    aad = lp(b"emanet/token-row/v1", org, ns, lookup, token.encode(), u64(4))
    plaintext, nonce = salt + lp(raw), seed(f"{namespace}/{ref} nonce", 12)
    return {
        "organization": ORGANIZATION,
        "namespace": namespace,
        "ref": ref,
        "salt": salt.hex(),
        "token": token,
        "lookup_message": message.hex(),
        "lookup": lookup.hex(),
        "epoch": 4,
        "aad": aad.hex(),
        "plaintext": plaintext.hex(),
        "nonce": nonce.hex(),
        "wrapped": (nonce + AESGCMSIV(epoch_key).encrypt(nonce, plaintext, aad)).hex(),
    }


def entry(key: str, value: str) -> dict[str, str]:
    salt, data = seed(f"{key} {value} salt", 16), canonical([key, value])
    return {
        "salt": salt.hex(),
        "key": key,
        "value": value,
        "json": data.decode(),
        "hash": sha256(b"\x02" + salt + data).hex(),
    }


def leaf() -> dict[str, object]:
    lookup_key, epoch_key = seed("vector pseudonym key"), seed("vector audit epoch key")
    staff = pseudonym("staff", "s-044", STAFF_SALT, lookup_key, epoch_key)
    second = pseudonym("staff", "s-017", seed("second staff salt"), lookup_key, epoch_key)
    customer = pseudonym("customers", "7", seed("customer salt"), lookup_key, epoch_key)
    shown = [
        entry("subject", str(customer["token"])),
        entry("case", "ticket/T-118"),
        entry("connection", "198.51.100.7"),
        entry("text", "müşteri aradı, adresini doğruladı"),
        entry("session", "panel-7f3a"),
    ]
    said_case = {
        "kind": "ticket",
        "ref": "T-118",
        "opened_by": "customer",
        "open": 1_789_000_000_000_000,
        "subjects": [customer["token"]],
        "assignees": [staff["token"]],
    }
    said_event = {
        "event": "contract_ended",
        "subject": customer["token"],
        "time": 1_789_000_000_000_000,
    }
    pushed_case = entry("case", canonical(said_case).decode())
    pushed_event = entry("text", canonical(said_event).decode())
    hashes_ = [bytes.fromhex(each["hash"]) for each in shown]
    root = tree_root(hashes_, b"\x03")
    disclosed: list[object] = [[b64(bytes.fromhex(e["salt"])), e["key"], e["value"]] for e in shown]
    disclosed[2] = b64(hashes_[2])
    nothing = b64(sha256(b""))
    who = {"id": staff["token"], "kind": "human", "auth": "token"}
    dec = {"v": "allow", "mode": "enforce", "why": "CASE", "rules": ["A11"], "reg": 3, "set": 2}
    tgt = {"sys": "crm", "fields": ["customer.email", "customer.name"], "n": 2}

    def head(kind: str, number: int) -> dict[str, object]:
        at = 1_790_000_000_000_000 + number * 1_000_000
        ident = (at // 1000 << 80) | 0x7 << 76 | 0b10 << 62 | number
        text = f"{ident:032x}"
        dashed = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
        return {"v": 1, "t": kind, "id": dashed, "o": ORGANIZATION, "at": [at - 1500, at]}

    first = head("access", 1)
    digest, approval = b64(seed("digest")), b64(seed("approval"))
    key_ids = [b64(seed("subject id", 16)), b64(seed("bucket id", 16))]
    leaves: list[dict[str, object]] = [
        {**head("register", 0), "number": 3, "digest": digest, "approval": approval},
        {
            **first,
            "who": who,
            "app": "panel",
            "purpose": "support",
            "act": "decrypt",
            "tgt": tgt,
            "dec": dec,
            "role": "support",
            "n": len(shown),
            "d": b64(root),
        },
        {
            **head("access", 2),
            "who": who,
            "app": "panel",
            "purpose": "billing",
            "act": "export",
            "tgt": tgt,
            "dec": {
                "v": "deny",
                "mode": "enforce",
                "why": "ROLE_NOT_ALLOWED",
                "rules": [],
                "reg": 3,
                "set": 2,
            },
            "reasons": ["ROLE_NOT_ALLOWED", "CASE_REQUIRED"],
            "n": 0,
            "d": nothing,
        },
        {
            **head("access", 3),
            "who": {"id": "newsletter", "kind": "app", "auth": "mtls"},
            "app": "newsletter",
            "purpose": "campaign",
            "act": "read",
            "tgt": {"sys": "crm", "fields": [], "n": 0},
            "dec": dec,
            "n": 0,
            "d": nothing,
        },
        {
            **head("access", 4),
            "who": {"id": customer["token"], "kind": "data_subject", "auth": "asserted"},
            "app": "shop",
            "purpose": "service",
            "act": "read_masked",
            "tgt": tgt,
            "dec": dec,
            "role": "data_subject",
            "bg": first["id"],
            "n": 0,
            "d": nothing,
        },
        {**head("outcome", 5), "ref": first["id"], "item": 1, "why": "KEY_DESTROYED"},
        {
            **head("rules", 6),
            "number": 2,
            "digest": digest,
            "by": [staff["token"], second["token"]],
        },
        {
            **head("cases", 7),
            "app": "helpdesk",
            "n": 1,
            "d": b64(bytes.fromhex(pushed_case["hash"])),
        },
        {
            **head("retention", 8),
            "app": "erp",
            "n": 1,
            "d": b64(bytes.fromhex(pushed_event["hash"])),
        },
        {
            **head("key", 9),
            "op": "destroy_intent",
            "class": "contract-10y+marketing-2y",
            "ids": key_ids,
            "by": staff["token"],
        },
        {**head("key", 10), "op": "epoch", "ids": ["1"], "by": "crypto"},
        {
            **head("key", 11),
            "op": "destroyed",
            "class": "marketing-2y",
            "ids": key_ids[:1],
            "by": "crypto",
        },
    ]
    written = [canonical(each) for each in leaves]
    base, denial = leaves[1:3]
    refused = {
        "unknown member": {**base, "x": 1},
        "missing member": {k: v for k, v in base.items() if k != "n"},
        "version 2": {**base, "v": 2},
        "reserved type": {**base, "t": "fork"},
        "empty role is written by leaving it out": {**base, "role": ""},
        "reasons beside an allow": {**base, "reasons": ["CASE"]},
        "a denial without reasons": {k: v for k, v in denial.items() if k != "reasons"},
        "another reason first": {**denial, "reasons": ["CASE_REQUIRED", "ROLE_NOT_ALLOWED"]},
        "a reason twice": {**denial, "reasons": ["ROLE_NOT_ALLOWED"] * 2},
        "field twice": {**base, "tgt": {**tgt, "fields": ["a", "a"]}},
        "65 fields": {**base, "tgt": {**tgt, "fields": [f"f{i}" for i in range(65)]}},
        "8,193 entries": {**base, "n": 8193},
        "no entries with another root": {**base, "n": 0},
        "one person twice": {**leaves[6], "by": [staff["token"]] * 2},
        "entries root of another length": {**base, "d": "AAAA"},
        "boolean for a number": {**base, "n": True},
        "negative time": {**base, "at": [-1, 5]},
        "one time": {**base, "at": [5]},
        "upper-case UUID": {**base, "id": str(base["id"]).upper()},
        "class on an epoch": {**leaves[10], "class": "marketing-2y"},
        "epochs that fall": {**leaves[10], "ids": ["10", "9"]},
        "an epoch with a leading zero": {**leaves[10], "ids": ["01"]},
        "key ids for epochs": {**leaves[10], "ids": key_ids},
        "no key ids": {**leaves[11], "ids": []},
        "unknown member inside": {**base, "who": {**who, "name": "x"}},
        "app id of a human": {**base, "who": {**who, "id": "panel"}},
    }
    return {
        "pseudonym_key": lookup_key.hex(),
        "epoch_key": epoch_key.hex(),
        "pseudonyms": [staff, second, customer],
        "entries": shown,
        "entries_root": root.hex(),
        "pushed_case": pushed_case,
        "pushed_event": pushed_event,
        "entry_proofs": [
            [h.hex() for h in tree_path(i, hashes_, b"\x03")] for i in range(len(hashes_))
        ],
        "disclosed": canonical(disclosed).decode(),
        "leaves": [
            {"t": each["t"], "json": data.decode(), "leaf_hash": sha256(b"\x00" + data).hex()}
            for each, data in zip(leaves, written, strict=True)
        ],
        "refused": [
            {"why": why, "json": canonical(value).decode()} for why, value in refused.items()
        ],
    }


def destruction_receipt(note: str, leaves: list[bytes], hashes_: list[bytes]) -> str:
    proofs = {
        leaf["op"]: {"checkpoint": note, "index": index, "leaf_hash": b64(hashes_[index])}
        for index, leaf in enumerate(map(json.loads, leaves))
        if leaf["t"] == "key"
    }
    destroyed = json.loads(leaves[-1])
    return canonical(
        {
            "v": 1,
            "organization": ORGANIZATION,
            "destruction": f"organizations/{ORGANIZATION}/destructions/{destroyed['id']}",
            "ground": "subject_request",
            "classes": [destroyed["class"]],
            "key_ids": destroyed["ids"],
            "destroyed": destroyed["at"][0] - 2_000_000,
            "epoch": 1,
            "epoch_destroyed": destroyed["at"][0] - 1_000_000,
            "epoch_log": proofs["epoch"],
            "unreadable_from": destroyed["at"][0] + 14 * 86_400_000_000,
            "evidence": "declared",
            "term": "anahtar imhası",
            "log": [proofs["destroyed"]],
        }
    ).decode()


def log() -> dict[str, object]:
    leaves = [each["json"].encode() for each in leaf()["leaves"]]  # type: ignore[index,attr-defined]  # built above
    hashes_ = [sha256(b"\x00" + each) for each in leaves]
    log_seed = seed("vector log seed")
    signing_seed = hkdf(log_seed, lp(b"emanet/log-key/v1", ORIGIN.encode()), 32)
    private = Ed25519PrivateKey.from_private_bytes(signing_seed)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = sha256(ORIGIN.encode() + b"\n\x01" + public)[:4]

    def note(size: int) -> str:
        root = base64.b64encode(tree_root(hashes_[:size], b"\x01")).decode()
        text = f"{ORIGIN}\n{size}\n{root}\n"
        return f"{text}\n— {ORIGIN} {base64.b64encode(key_id + private.sign(text.encode())).decode()}\n"

    size = len(leaves)
    stored = "".join(base64.b64encode(h).decode() + "\n" for h in tree_path(1, hashes_, b"\x01"))
    return {
        "origin": ORIGIN,
        "log_seed": log_seed.hex(),
        "signing_seed": signing_seed.hex(),
        "public_key": public.hex(),
        "key_id": key_id.hex(),
        "vkey": f"{ORIGIN}+{key_id.hex()}+{base64.b64encode(bytes([1]) + public).decode()}",
        "checkpoints": {str(n): note(n) for n in (0, 1, 7, size)},
        "inclusion": [[h.hex() for h in tree_path(i, hashes_, b"\x01")] for i in range(size)],
        "consistency": {
            str(old): [h.hex() for h in subproof(old, hashes_, True)] for old in range(1, size + 1)
        },
        "compact_range": (
            u64(size) + tree_root(hashes_[:8], b"\x01") + tree_root(hashes_[8:], b"\x01")
        ).hex(),
        "receipt": canonical(
            {"checkpoint": note(size), "index": 1, "leaf_hash": b64(hashes_[1])}
        ).decode(),
        "destruction_receipt": destruction_receipt(note(size), leaves, hashes_),
        "tlog_proof": f"c2sp.org/tlog-proof@v1\nindex 1\n{stored}\n{note(size)}",
        "export": {
            "checkpoint": note(size),
            f"tile/0/000.p/{size}": b"".join(hashes_).hex(),
            f"tile/entries/000.p/{size}": b"".join(
                len(x).to_bytes(2, "big") + x for x in leaves
            ).hex(),
        },
    }


def build() -> dict[str, dict[str, object]]:
    return {
        "encodings": encodings(),
        "envelope": envelope(),
        "keys": keys(),
        "leaf": leaf(),
        "log": log(),
    }


def written(content: dict[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    VECTORS.mkdir(parents=True, exist_ok=True)
    for name, content in build().items():
        (VECTORS / f"{name}.json").write_text(written(content), encoding="utf-8")


if __name__ == "__main__":
    main()
