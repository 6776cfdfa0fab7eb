"""P7, no personal data in logs, errors and file names: plants it in every call and looks everywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from emanet.api.access_audit.v1 import access_audit_pb2, log_pb2, rules_pb2
from emanet.api.crypto.v1 import crypto_pb2, keys_pb2
from emanet.api.inventory.v1 import inventory_pb2
from emanet.client import Case, ToEncrypt
from emanet.client.channel import open_channel
from emanet.core.errors import EmanetError, Reason
from tests.e2e.acting import (
    admin,
    app,
    export,
    now,
    put_ticket,
    refused,
    rules_text,
    support,
    token,
)
from tests.e2e.installation import ORGANIZATION, Local

TCKN = "10000000146"
PLANTED = {
    "tckn": TCKN,
    "phone": "905321112233",
    "email": "ayse.gizlioglu@ornek.example",
    "message": "Gizli sifrem sarimsak, sakin soyleme",
    "iban": "TR330006100519786457841326",
    "ip": "85.105.123.45",
}
TRACES = {
    "session": "oturum-gizlioglu-88",
    "host": "masa-gizlioglu-88",
    "connection": "hat-gizlioglu-88",
    "justification": "Gerekce gizlioglu-88 aradi",
}
FILES = (access_audit_pb2, log_pb2, rules_pb2, crypto_pb2, keys_pb2, inventory_pb2)
METHODS = [
    method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
TENANT = {"organization": ORGANIZATION, "parent": f"organizations/{ORGANIZATION}"}


def filled(descriptor: Descriptor, text: str, *, depth: int = 0) -> Message:
    """A message that carries the text in every field that can hold it."""
    message = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if depth > 4:
            break
        if field.full_name == "google.protobuf.Timestamp.nanos":
            continue
        value = _value(field, text, depth)
        if field.is_repeated:
            getattr(message, field.name).extend([value])
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(value)
        else:
            setattr(message, field.name, value)
    return message


def _value(field: FieldDescriptor, text: str, depth: int) -> Any:
    if field.message_type is not None:
        return filled(field.message_type, text, depth=depth + 1)
    if field.type == FieldDescriptor.TYPE_STRING:
        return text
    if field.type == FieldDescriptor.TYPE_BYTES:
        return text.encode()
    if field.type == FieldDescriptor.TYPE_ENUM:
        return 1
    return 1


def requests(method: MethodDescriptor, text: str) -> Iterator[Message]:
    """Planted everywhere; then with a good tenant, so that the call gets further."""
    yield filled(method.input_type, text)
    first = method.input_type.fields_by_number[1].name
    message = filled(method.input_type, text)
    setattr(message, first, TENANT.get(first, f"organizations/{ORGANIZATION}/ruleSets/{text}"))
    yield message


class Errors:
    """Everything that calls were answered with, as bytes a client could log."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, failure: grpc.RpcError) -> None:
        trailing = failure.trailing_metadata() or ()
        details = [value for _, value in trailing]
        self.texts.append(
            " ".join(
                [
                    str(failure),
                    *(
                        each.decode("latin-1") if isinstance(each, bytes) else each
                        for each in details
                    ),
                ]
            )
        )


def call_everything(local: Local, text: str, errors: Errors) -> int:
    """Calls every method of the contract as every kind of caller, with the text in every field."""
    count = 0
    callers: list[tuple[str, str]] = [
        ("panel", support(local)),
        ("panel", text),
        ("invoice-run", ""),
        ("outsider", ""),
        ("crypto", ""),
    ]
    callers += [
        ("cli", token(local, "s-101", group, client="emanet-cli"))
        for group in ("kvkk", "guvenlik", "yonetim", "denetim")
    ]
    for name, staff in callers:
        metadata = [("accept-language", "tr" if name == "cli" else text)]
        metadata += [("authorization", f"Bearer {staff}")] if staff else []
        for service in local.ports:
            target = f"127.0.0.1:{local.ports[service]}"
            with open_channel(target, local.credentials(name)) as channel:
                for method in METHODS:
                    if f".{service}." not in method.full_name:
                        continue
                    for request in requests(method, text):
                        count += 1
                        _call(channel, method, request, metadata, errors)
    return count


def _call(
    channel: grpc.Channel,
    method: MethodDescriptor,
    request: Message,
    metadata: list[tuple[str, str]],
    errors: Errors,
) -> None:
    path = f"/{method.containing_service.full_name}/{method.name}"
    answer = GetMessageClass(method.output_type)
    make = channel.unary_stream if method.server_streaming else channel.unary_unary
    rpc = make(path, lambda message: message.SerializeToString(), answer.FromString)
    try:
        result = rpc(
            request, timeout=1 if method.name.startswith("Watch") else 5, metadata=metadata
        )
        if method.server_streaming:
            next(iter(result), None)
            result.cancel()
    except grpc.RpcError as failure:
        errors.add(failure)


def forms(text: str) -> list[bytes]:
    """The text as it may lie in a file: plain, as JSON escapes it, in base64 at any offset."""
    raw = text.encode()
    found = [raw, json.dumps(text).strip('"').encode()]
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + raw)
        body = coded[4 if offset else 0 : len(coded) // 4 * 4 - 4]
        found += [body, body.replace(b"+", b"-").replace(b"/", b"_")]
    return [each for each in found if len(each) >= 10]


def files_with(folder: Path, texts: dict[str, str]) -> dict[str, set[str]]:
    """Which files, by content or by name, hold which of the texts."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        for name, text in texts.items():
            if text in path.name or any(form in data for form in forms(text)):
                found.setdefault(str(path.relative_to(folder)), set()).add(name)
    return found


@pytest.mark.slow
def test_planted_values_appear_in_no_log_no_error_and_no_file_name(
    sqlite_copy: Callable[..., Local],
) -> None:
    """Every method, every kind of caller, every field, the metadata too."""
    local = sqlite_copy(EMANET_RUNTIME_LOG_LEVEL="debug")
    local.start()
    errors = Errors()
    for text in PLANTED.values():
        assert call_everything(local, text, errors) > 2 * len(METHODS)
    assert len(errors.texts) > 500
    logs = local.logs()
    for name, text in PLANTED.items():
        assert not any(text in told for told in errors.texts), name
        assert text not in logs, name
    assert not [found for found in local.workspace.var.rglob("*") if _is_planted(found.name)]
    # what lies in databases was asserted by applications as cases and traces: access_audit's own
    leaking = files_with(local.workspace.var, PLANTED)
    assert set(leaking) <= {
        f"access_audit/db/access_audit.db{suffix}" for suffix in ("", "-wal")
    }, leaking


def _is_planted(name: str) -> bool:
    return any(text in name for text in PLANTED.values())


def test_encrypted_values_and_their_people_lie_nowhere(sqlite_copy: Callable[..., Local]) -> None:
    """After writes, reads, lists, denials and failures no file of the services holds value or subject."""
    local = sqlite_copy(EMANET_RUNTIME_LOG_LEVEL="debug")
    local.start()
    panel = app(local)
    subjects = {"who": "customers/gizlioglu-4711"}
    put_ticket(local, "T-4711", subjects=subjects.values())
    fields = ("customer.email", "customer.phone", "ticket.text", "customer.tckn")
    values = dict(
        zip(fields, (PLANTED["email"], PLANTED["phone"], PLANTED["message"], TCKN), strict=True)
    )
    sealed = panel.encrypt(subject=subjects["who"], values=values)
    case = Case("ticket", "T-4711")
    with panel.reading(purpose="support", staff_token=support(local), case=case):
        for field in fields[:3]:
            assert panel.decrypt(field, sealed[field].envelope) == values[field]
            if field.startswith("customer."):
                panel.decrypt(field, sealed[field].envelope, action="read_masked")
        for field, envelope in (
            ("customer.tckn", sealed["customer.tckn"].envelope),
            ("customer.email", bytes(120)),
        ):
            with pytest.raises(EmanetError) as refused_:
                panel.decrypt(field, envelope)
            assert not _is_planted(repr(refused_.value) + str(refused_.value.metadata))
    traced = panel.reading(purpose="support", staff_token=support(local), case=case, **TRACES)
    with traced:
        panel.record_read(fields=["customer.fax"], subjects=list(subjects.values()))
        panel.decrypt("customer.email", sealed["customer.email"].envelope)
    app(local, "erp").put_retention_events([(subjects["who"], "consent_ended", now())])
    refusals = panel.encrypt_many(
        [
            ToEncrypt(field="card.number", value=PLANTED["iban"], subject=subjects["who"]),
            ToEncrypt(field="customer.email", value=PLANTED["email"], subject=f"customers/{TCKN}"),
            ToEncrypt(field="customer.email", value=PLANTED["email"], subject=PLANTED["email"]),
        ]
    )
    assert all(isinstance(each, EmanetError) for each in refusals)
    assert not any(_is_planted(str(each)) for each in refusals)

    with local.database("crypto") as connection:  # and a fault that nobody foresaw
        connection.exec_driver_sql(
            "CREATE TRIGGER broken BEFORE INSERT ON key_rows BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
    with pytest.raises(EmanetError) as unforeseen:
        panel.encrypt(subject="customers/gizlioglu-4712", values=values)
    assert unforeseen.value.reason.value == "INTERNAL_ERROR"
    assert "gizlioglu" not in str(unforeseen.value) + local.logs()

    exported = export(local)
    exported.write(local.workspace.var / "exported")
    local.stop()
    assert files_with(local.workspace.var, {**PLANTED, "subject": "gizlioglu-471"}) == {}
    # Traces are entries beside the leaf: erasable, in one database, never exported.
    assert set(files_with(local.workspace.var, TRACES)) == {"access_audit/db/access_audit.db"}


def test_files_that_people_send_are_refused_without_quoting_them(shared: Local) -> None:
    """A manifest or rules file with a person's data where a key belongs: told by line, not by text."""
    security = admin(shared, "s-103", "guvenlik").rules
    known_by_form = {name: text for name, text in PLANTED.items() if name != "message"}
    for text in known_by_form.values():
        for source in (
            rules_text().replace("mode: enforce", f'mode: enforce\n"{text}": 1'),
            rules_text().replace("mode: enforce", f'mode: "{text}"'),
            rules_text().replace("for: support", f'for: "{text}"', 1),
            rules_text().replace('from: "group:destek"', f'from: "{text}"'),
            text,
        ):
            with refused(Reason.MANIFEST_INVALID, Reason.RULES_FINDINGS) as told:
                security.apply(source)
            assert text not in f"{told.value} {told.value.metadata} {told.value.violations}"
    assert not any(text in shared.logs() for text in known_by_form.values())
