"""Requests and answers: splitting, rows of every kind, and what is refused before sending."""

from __future__ import annotations

import datetime as dt
import sqlite3
import traceback
from collections import namedtuple
from types import SimpleNamespace

import pytest
from google.rpc import status_pb2
from hypothesis import given
from hypothesis import strategies as st

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.api.crypto.v1 import crypto_pb2
from emanet.client import requests
from emanet.client.reading import make_reading
from emanet.client.values import AccessToRecord, CaseState, ToEncrypt, ToOpen
from emanet.core.clock import FixedClock
from emanet.core.errors import CallerError, DeniedError, IntegrityError, Reason

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
JOB = make_reading(purpose="invoicing", as_app=True)
CLOCK = FixedClock(NOW)
NAIVE = NOW.replace(tzinfo=None)


@given(st.lists(st.integers(0, 70_000), max_size=400))
def test_splitting_keeps_every_item_in_order_and_within_bounds(sizes):
    """Batches hold all items once, at most 1000 and, unless one is alone, about 3 MiB."""
    batches = list(requests.split(sizes, size_of=lambda size: size))
    assert [size for batch in batches for size in batch] == sizes
    for batch in batches:
        assert 1 <= len(batch) <= requests.MAX_BATCH_ITEMS
        assert len(batch) == 1 or sum(batch) <= requests.MAX_BATCH_BYTES


def test_splitting_cuts_after_a_thousand_and_takes_any_iterable():
    """Small items are cut by count; a generator is read once."""
    batches = list(requests.split(iter(range(2_001)), size_of=lambda _: 1))
    assert [len(batch) for batch in batches] == [1_000, 1_000, 1]


def _rows():
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    (stored,) = database.execute("SELECT x'00' AS mail_enc, 'customers/7' AS ref")
    database.close()
    return {
        "mapping": {"mail_enc": b"\x00", "ref": "customers/7"},
        "object": SimpleNamespace(mail_enc=b"\x00", ref="customers/7"),
        "tuple": namedtuple("Row", "mail_enc ref")(b"\x00", "customers/7"),
        "sqlite": stored,
    }


@pytest.mark.parametrize("kind", ["mapping", "object", "tuple", "sqlite"])
def test_rows_of_every_kind_are_read(kind):
    """Dictionaries, model objects, named tuples and sqlite3 rows: what applications have."""
    items = requests.to_open_of_rows(
        [_rows()[kind]], {"customer.email": "mail_enc"}, subject=None, record=lambda _: "orders/1"
    )
    assert items == [(0, ToOpen("customer.email", b"\x00", subject="", record="orders/1"))]


@pytest.mark.parametrize("stored", [b"\x00\x01", memoryview(b"\x00\x01"), bytearray(b"\x00\x01")])
def test_envelopes_are_sent_as_drivers_give_them(stored):
    """PostgreSQL drivers give a memoryview for BYTEA."""
    request = requests.decrypt_request(
        "menekse", [ToOpen("customer.email", stored)], reading=JOB, action="decrypt"
    )
    assert request.items[0].envelope == b"\x00\x01"


@pytest.mark.parametrize(
    ("size_of", "item"),
    [
        (requests.size_to_open, ToOpen("customer.email", None)),
        (requests.size_to_encrypt, ToEncrypt("customer.email", None)),
        (requests.size_to_encrypt, ToEncrypt("customer.email", 5)),
    ],
)
def test_an_empty_column_is_refused_with_its_field(size_of, item):
    """A NULL where a value was expected is the commonest slip; a TypeError would name nothing."""
    with pytest.raises(CallerError, match=r"INVALID_FIELD.*\(customer\.email: give"):
        size_of(item)


def test_text_that_is_not_unicode_is_refused_without_showing_it():
    """P7: neither the error nor its traceback holds the value."""
    name = "Ayşe"
    with pytest.raises(CallerError, match="INVALID_FIELD") as refused:
        requests.encrypt_request("menekse", [ToEncrypt("customer.name", name + "\ud800")])
    assert name not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    "build",
    [
        lambda: requests.encrypt_request("o", [ToEncrypt("f", "v", start=NAIVE)]),
        lambda: requests.put_retention_events_request(
            "o", [("customers/1", "contract_ended", NAIVE)], clock=CLOCK
        ),
        lambda: requests.put_cases_request(
            "o", [CaseState("ticket", "T", "customer", NAIVE)], clock=CLOCK
        ),
        lambda: requests.record_request(
            "o",
            [AccessToRecord(("f",), (), NAIVE)],
            reading=JOB,
            clock=CLOCK,
        ),
    ],
)
def test_a_time_without_its_zone_is_refused(build):
    """A naive time could mean two moments."""
    with pytest.raises(CallerError, match="INVALID_FIELD"):
        build()


def test_a_check_names_every_field_of_every_subject():
    """Each pair is an item of its own; without subjects the fields stand alone."""
    request = requests.check_request(
        "menekse",
        fields=["customer.name", "customer.fax"],
        subjects=["customers/1", "customers/2"],
        action="list",
        count=3,
        reading=JOB,
        clock=CLOCK,
    )
    assert [(item.field, item.subject, item.count) for item in request.items] == [
        ("customer.name", "customers/1", 3),
        ("customer.fax", "customers/1", 3),
        ("customer.name", "customers/2", 3),
        ("customer.fax", "customers/2", 3),
    ]
    assert request.action == resources_pb2.ACTION_LIST


def test_every_attempt_has_its_own_id():
    """Two checks with one id would be one record."""
    ids = {
        requests.check_request(
            "o", fields=["f"], subjects=[], action="read", count=1, reading=JOB, clock=CLOCK
        ).attempt_id
        for _ in range(50)
    }
    assert len(ids) == 50


def test_a_denial_of_a_newer_server_is_still_a_denial():
    """An unknown reason never reads as allowed."""
    response = access_audit_pb2.CheckAccessResponse(
        verdict=resources_pb2.VERDICT_DENY, reason="FULL_MOON", record="organizations/o/x"
    )
    with pytest.raises(DeniedError) as denied:
        requests.read_check(response)
    assert denied.value.reason is Reason.EVALUATION_FAILED
    assert denied.value.record == "organizations/o/x"


@pytest.mark.parametrize("verdict", [resources_pb2.VERDICT_UNSPECIFIED, 77])
def test_a_verdict_that_is_not_allow_is_a_denial(verdict):
    """Fail closed: only ALLOW allows."""
    with pytest.raises(DeniedError):
        requests.read_check(access_audit_pb2.CheckAccessResponse(verdict=verdict))


def test_opened_rows_keep_values_and_errors_apart():
    """A failed field is None with its error; a column without a value is None without one."""
    items = [(0, ToOpen("a", b"")), (2, ToOpen("a", b"")), (2, ToOpen("b", b""))]
    failed = IntegrityError(Reason.ENVELOPE_INVALID)
    rows = requests.opened_rows(
        3, {"a": "x", "b": "y"}, items=items, results=["one", failed, b"two"]
    )
    assert [dict(row) for row in rows] == [
        {"a": "one", "b": None},
        {"a": None, "b": None},
        {"a": None, "b": b"two"},
    ]
    assert [dict(row.errors) for row in rows] == [{}, {}, {"a": failed}]


def test_item_answers_are_read_in_order():
    """Text, bytes and failures come back as what they are."""
    broken = status_pb2.Status(code=15)
    opened = requests.read_opened(
        crypto_pb2.DecryptResponse(
            results=[
                crypto_pb2.DecryptResult(value=crypto_pb2.Value(text="ç")),
                crypto_pb2.DecryptResult(value=crypto_pb2.Value(data=b"\xff")),
                crypto_pb2.DecryptResult(status=broken),
            ]
        )
    )
    assert opened[:2] == ["ç", b"\xff"]
    assert isinstance(opened[2], IntegrityError)


@given(st.sampled_from(["read", "list", "search", "export", "disclose", "update", "delete"]))
def test_actions_are_named_as_in_the_contract(name):
    """The words of the contract in small letters."""
    assert resources_pb2.Action.Name(requests.action_of(name)) == f"ACTION_{name.upper()}"


def test_values_print_without_their_content():
    """P7: neither plaintexts nor people appear in a representation."""
    secret = "gizli"
    shown = [
        ToEncrypt("f", secret, subject=f"customers/{secret}", record=secret),
        ToOpen("f", b"", subject=f"customers/{secret}", record=secret),
        AccessToRecord(("f",), (f"customers/{secret}",), NOW),
        CaseState("ticket", secret, "customer", NOW, (f"customers/{secret}",), (secret,)),
    ]
    assert secret not in repr(shown)
