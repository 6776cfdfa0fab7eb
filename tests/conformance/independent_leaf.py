"""Reads log leaves with nothing but docs/formats/leaf.md; see `independent_decoder`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.conformance.independent_decoder import (
    need,
    open_checkpoint,
    read_json,
    sha256,
    tree_root,
    unb64url,
)

_SLUG = r"[a-z][a-z0-9._-]{0,62}"
_TOKEN = r"[A-Za-z0-9_-]{32}"
_CODE = r"[A-Z][A-Z0-9_]{0,62}"
_RULE = r"[A-Za-z][A-Za-z0-9._-]{0,62}"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
Form = Callable[[Any], object]


def _text(form: str) -> Form:
    return lambda value: isinstance(value, str) and re.fullmatch(form, value)


def _number(least: int) -> Form:
    return lambda value: type(value) is int and value >= least


def _list(form: Form, least: int, most: int, *, repeats: bool = False) -> Form:
    return lambda value: (
        isinstance(value, list)
        and least <= len(value) <= most
        and all(map(form, value))
        and (repeats or len(set(value)) == len(value))
    )


def _bytes(size: int) -> Form:
    return lambda value: isinstance(value, str) and len(unb64url(value, size)) == size


def _object(required: Mapping[str, Form], optional: Mapping[str, Form] | None = None) -> Form:
    known = {**required, **(optional or {})}
    return lambda value: (
        isinstance(value, dict)
        and required.keys() <= value.keys() <= known.keys()
        and all(known[key](each) for key, each in value.items())
    )


_COUNTED = {"n": _number(0), "d": _bytes(32)}
_KEY_IDS = _list(_bytes(16), 1, 512)
_EPOCHS = _list(_text("[1-9][0-9]{0,14}"), 1, 512)
_WHO = {"kind": _text("human|app|data_subject"), "auth": _text("token|mtls|asserted")}
_TARGET = {"sys": _text(_SLUG), "fields": _list(_text(_SLUG), 0, 64), "n": _number(0)}
_ACTS = "list|search|read_masked|read|export|decrypt|update|delete|disclose"
_DECISION = {
    "v": _text("allow|deny"),
    "mode": _text("enforce|alert|observe"),
    "why": _text(_CODE),
    "rules": _list(_text(_RULE), 0, 64),
    "reg": _number(0),
    "set": _number(0),
}
_ACCESS = {
    "who": _object({"id": _text(f"{_TOKEN}|{_SLUG}"), **_WHO}),
    **dict.fromkeys(("app", "purpose"), _text(_SLUG)),
    "act": _text(_ACTS),
    "tgt": _object(_TARGET),
    "dec": _object(_DECISION),
    **_COUNTED,
}
_ACCESS_OPTIONAL = {
    "role": _text(_SLUG),
    "reasons": _list(_text(_CODE), 1, 64),
    "bg": _text(_UUID),
}
_TYPES: dict[str, tuple[Mapping[str, Form], Mapping[str, Form]]] = {
    "access": (_ACCESS, _ACCESS_OPTIONAL),
    "outcome": ({"ref": _text(_UUID), "item": _number(0), "why": _text(_CODE)}, {}),
    "register": ({"number": _number(1), "digest": _bytes(32), "approval": _bytes(32)}, {}),
    "rules": ({"number": _number(1), "digest": _bytes(32), "by": _list(_text(_TOKEN), 2, 2)}, {}),
    "cases": ({"app": _text(_SLUG), **_COUNTED}, {}),
    "retention": ({"app": _text(_SLUG), **_COUNTED}, {}),
    "key": (
        {
            "op": _text("destroy_intent|destroyed|epoch"),
            "ids": lambda value: _KEY_IDS(value) if len(value[0]) == 22 else _EPOCHS(value),
            "by": _text(f"{_TOKEN}|{_SLUG}"),
        },
        {"class": _text(rf"{_SLUG}(\+{_SLUG})*")},
    ),
}


def read_leaf(data: bytes) -> dict[str, Any]:
    """A leaf's members."""
    need(len(data) <= 16_384 and data.isascii(), "not a leaf")
    leaf: dict[str, Any] = read_json(data)
    required, optional = _TYPES[leaf["t"]]
    head = {
        "v": lambda value: type(value) is int and value == 1,
        "t": _text("[a-z]+"),
        "id": _text(_UUID),
        "o": _text(_SLUG),
        "at": _list(_number(0), 2, 2, repeats=True),
    }
    need(_object({**head, **required}, optional)(leaf), f"not a leaf of type {leaf['t']}")
    if "n" in leaf:
        is_empty = unb64url(leaf["d"]) == sha256(b"")
        need(leaf["n"] <= 8_192 and (leaf["n"] == 0) == is_empty, "entries")
    if leaf["t"] == "key":
        is_epoch = leaf["op"] == "epoch"
        need(is_epoch != ("class" in leaf), "class")
        need(is_epoch == bool(_EPOCHS(leaf["ids"])), "ids")
        numbers = list(map(int, leaf["ids"])) if is_epoch else []
        need(numbers == sorted(numbers), "epochs ascend")
    if leaf["t"] == "access":
        actor, decision, reasons = leaf["who"], leaf["dec"], leaf.get("reasons")
        need(re.fullmatch(_SLUG if actor["kind"] == "app" else _TOKEN, actor["id"]), "who.id")
        is_denied = decision["v"] == "deny"
        need(reasons or not is_denied, "a denial has reasons")
        need(not reasons or is_denied or decision["mode"] != "enforce", "reasons beside allow")
        need(not reasons or reasons[0] == decision["why"], "the first reason")
    return leaf


_PROOF = {"checkpoint": _text("(?s).+"), "index": _number(0), "leaf_hash": _bytes(32)}
_DESTRUCTION = {
    "v": lambda value: type(value) is int and value == 1,
    "organization": _text(_SLUG),
    "destruction": _text(rf"organizations/{_SLUG}/destructions/{_UUID}"),
    "ground": _text("subject_request|retention_ended"),
    "classes": _list(_text(rf"{_SLUG}(\+{_SLUG})*"), 1, 1000),
    "key_ids": _list(_bytes(16), 1, 1000, repeats=True),
    **dict.fromkeys(("destroyed", "epoch_destroyed"), _number(0)),
    "epoch": _number(1),
    "epoch_log": _object(_PROOF),
    "evidence": _text("verified|declared"),
    "term": _text("anahtar imhası"),
    "log": _list(_object(_PROOF), 1, 1000, repeats=True),
}


def read_destruction(data: bytes, leaves: list[bytes], vkey: str) -> dict[str, Any]:
    """A destruction receipt's members, once the log's leaves prove them (docs/formats/keys.md)."""
    receipt: dict[str, Any] = read_json(data)
    need(_object(_DESTRUCTION, {"unreadable_from": _number(0)})(receipt), "members")
    classes, key_ids, organization = receipt["classes"], receipt["key_ids"], vkey.split("/")[2]
    need(len(classes) == len(key_ids) == len(receipt["log"]), "one of each")
    need(receipt["organization"] == organization, "organization")
    need(receipt["destruction"].split("/")[1] == organization, "destruction")
    found = []
    for proof in (receipt["epoch_log"], *receipt["log"]):
        size, root = open_checkpoint(proof["checkpoint"], vkey)
        hashes = [sha256(b"\x00" + leaf) for leaf in leaves[:size]]
        need(proof["index"] < len(hashes) == size and tree_root(hashes) == root, "tree")
        need(hashes[proof["index"]] == unb64url(proof["leaf_hash"]), "leaf hash")
        found.append(read_leaf(leaves[proof["index"]]))
    epoch, *ends = found
    need(epoch["t"] == "key" and epoch["op"] == "epoch", "epoch")
    need(str(receipt["epoch"]) in epoch["ids"], "epoch number")
    need(all(receipt["epoch_log"]["index"] < proof["index"] for proof in receipt["log"]), "order")
    for leaf, name, key_id in zip(ends, classes, key_ids, strict=True):
        need(leaf["t"] == "key" and leaf["op"] == "destroyed", "destroyed")
        need(leaf["class"] == name and key_id in leaf["ids"], "class and key")
    return receipt
