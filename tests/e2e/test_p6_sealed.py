"""P6, what was promised sealed: the services neither encrypt nor open it, for nobody."""

from __future__ import annotations

import pytest

from emanet.api.access_audit.v1 import access_audit_pb2, log_pb2, rules_pb2
from emanet.api.crypto.v1 import crypto_pb2, keys_pb2
from emanet.api.inventory.v1 import inventory_pb2
from emanet.client import Case
from emanet.core.errors import DeniedError, Reason
from emanet.core.leaf import Verdict
from tests.e2e.acting import (
    RUN,
    TICKET,
    app,
    export,
    record_id,
    refused,
    support,
    token,
)
from tests.e2e.installation import Local, Template

BODY = "message.body"


def test_encrypt_refuses_a_sealed_field_and_keeps_nothing(shared: Local) -> None:
    """There is no key for it: neither a value nor a key row is made."""
    before = shared.rows("crypto", "SELECT count(*) FROM key_rows")[0][0]
    for subject in ("customers/1", "customers/never-seen"):
        with refused(Reason.FIELD_SEALED):
            app(shared).encrypt(subject=subject, values={BODY: "gizli"})
    assert shared.rows("crypto", "SELECT count(*) FROM key_rows")[0][0] == before


def test_decrypt_refuses_a_sealed_field_to_everybody(
    shared: Local, sqlite_template: Template
) -> None:
    """Whoever asks, as whatever, with whichever bytes: refused, and the attempt is in the log."""
    panel, job = app(shared), app(shared, "invoice-run")
    actors = [
        panel.reading(purpose="support", staff_token=support(shared), case=TICKET),
        panel.reading(purpose="service", data_subject="customers/1"),
        panel.reading(
            purpose="authority",
            staff_token=token(shared, "s-203", "hukuk"),
            approver_token=token(shared, "s-204", "hukuk"),
            case=Case("legal_order", "2026/1"),
        ),
        panel.reading(
            purpose="oversight",
            staff_token=token(shared, "s-104", "denetim"),
            case=Case("review", "R-1"),
        ),
    ]
    records = []
    for envelope in (sqlite_template.sealed["customer.email"], bytes(200), b"emn1.AAAA"):
        for reading in actors:
            for action in ("decrypt", "read_masked", "export"):
                with reading, refused(Reason.FIELD_SEALED) as closed:
                    panel.decrypt(BODY, envelope, action=action)
                records.append(record_id(closed.value.metadata["record"]))
        with (
            job.reading(purpose="invoicing", as_app=True, case=RUN),
            refused(Reason.FIELD_SEALED),
        ):
            job.decrypt(BODY, envelope)
    accesses = export(shared).accesses
    assert all(BODY in accesses[record].target.fields for record in records)


def test_staff_are_refused_also_what_they_would_only_record(shared: Local) -> None:
    """`record_read` of a sealed field is a denial: the register gives it no staff purpose."""
    panel = app(shared)
    with (
        panel.reading(purpose="support", staff_token=support(shared), case=TICKET),
        pytest.raises(DeniedError) as denied,
    ):
        panel.record_read(fields=[BODY], subjects=["customers/1"])
    leaf = export(shared).accesses[record_id(denied.value.metadata["record"])]
    assert leaf.decision.verdict is Verdict.DENY


def test_one_rpc_answers_plaintext_and_no_other() -> None:
    """Over the whole contract only Decrypt's answer can carry a value."""
    files = (access_audit_pb2, log_pb2, rules_pb2, crypto_pb2, keys_pb2, inventory_pb2)
    carrying = [
        method.full_name
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if crypto_pb2.Value.DESCRIPTOR in _within(method.output_type)
    ]
    assert carrying == ["emanet.api.crypto.v1.CryptoService.Decrypt"]


def _within(message, seen=None):  # type: ignore[no-untyped-def]
    seen = set() if seen is None else seen
    if message not in seen:
        seen.add(message)
        for field in message.fields:
            if field.message_type is not None:
                _within(field.message_type, seen)
    return seen
