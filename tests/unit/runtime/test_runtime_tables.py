"""The authorisation table, REQUIRED fields and the wire form of errors."""

from __future__ import annotations

import random

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

from emanet.api.access_audit.v1 import access_audit_pb2
from emanet.api.crypto.v1 import crypto_pb2
from emanet.api.inventory.v1 import inventory_pb2, resources_pb2
from emanet.core.errors import Code, EmanetError, Reason, error
from emanet.testing import required as simple
from services.runtime.authorisation import AuthorisationTable, Duty, Row, Staffing, render
from services.runtime.errors import as_emanet_error, language_of, status_of
from services.runtime.required import find_missing, require_fields
from tests.fakes.small_service import PACKAGE, rows


def test_rpc_without_a_row_is_refused() -> None:
    with pytest.raises(EmanetError) as raised:
        AuthorisationTable(rows()).row("emanet.api.inventory.v1.InventoryService/Nothing")
    assert raised.value.reason is Reason.RPC_NOT_ALLOWED


def test_table_must_match_the_hosted_rpcs_exactly() -> None:
    table = AuthorisationTable(rows())
    names = [row.rpc for row in rows()]
    table.require_exactly(names)
    for wrong in (names[:-1], [*names, f"{PACKAGE}/New"]):
        with pytest.raises(EmanetError) as raised:
            table.require_exactly(wrong)
        assert raised.value.reason is Reason.CONFIG_INVALID


@pytest.mark.parametrize(
    "make",
    [
        lambda: Row("/x.Y/Z"),
        lambda: Row("Z"),
        lambda: Row("x.Y/Z", applications=False),
        lambda: Row("x.Y/Z", duties=frozenset({Duty.DPO})),
        lambda: Row("x.Y/Z", staffing=Staffing.OPTIONAL, fresh_login=True),
        lambda: AuthorisationTable((Row("x.Y/Z"), Row("x.Y/Z"))),
    ],
)
def test_contradictory_rows_cannot_exist(make) -> None:
    with pytest.raises(EmanetError):
        make()


def test_table_is_rendered_for_the_documentation() -> None:
    text = render(rows())
    assert text.splitlines()[4] == (
        "| `InventoryService/EditDraft` | yes | – | required | dpo | – |"
    )
    assert len(text.splitlines()) == 2 + len(rows())


def test_missing_fields_are_found_in_lists_and_nested_messages() -> None:
    message = inventory_pb2.EditDraftRequest(parent="organizations/cinar")
    assert set(find_missing(message)) == {"etag", "edits", "request_id"}
    message.edits.extend(
        [resources_pb2.RegisterEdit(kind=1, slug="a"), resources_pb2.RegisterEdit()]
    )
    assert {"edits[1].kind", "edits[1].slug"} <= set(find_missing(message))
    assert "edits" not in find_missing(message)


def test_number_of_told_paths_is_bounded() -> None:
    message = inventory_pb2.EditDraftRequest(
        edits=[resources_pb2.RegisterEdit() for _ in range(1000)]
    )
    assert len(find_missing(message)) == 20


def test_filled_message_misses_nothing() -> None:
    message = access_audit_pb2.GetServiceInfoRequest(organization="cinar")
    assert find_missing(message) == ()


BATCHES = (
    access_audit_pb2.CheckAccessRequest,
    access_audit_pb2.RecordAccessRequest,
    crypto_pb2.DecryptRequest,
    crypto_pb2.EncryptRequest,
    inventory_pb2.EditDraftRequest,
)


def fill(message: Message, chance: random.Random, depth: int = 0) -> None:
    """Fills most scalars and sub-messages, and every list with none to three messages."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None:
            if field.message_type.GetOptions().map_entry or depth > 3:
                continue
            for _ in range(chance.choice((0, 1, 1, 3)) if field.is_repeated else 0):
                fill(getattr(message, field.name).add(), chance, depth + 1)
            if not field.is_repeated and chance.random() < 0.9:
                getattr(message, field.name).SetInParent()
                fill(getattr(message, field.name), chance, depth + 1)
        elif not field.is_repeated and chance.random() < 0.95:
            values = {FieldDescriptor.TYPE_STRING: "x", FieldDescriptor.TYPE_BYTES: b"x"}
            setattr(message, field.name, values.get(field.type, 1))


def violations(require, message: Message) -> tuple[tuple[str, str], ...]:
    try:
        require(message)
    except EmanetError as failure:
        return failure.violations
    return ()


@given(cls=st.sampled_from(BATCHES), seed=st.integers(0, 2**32))
def test_message_passes_exactly_when_nothing_is_missing(cls: type[Message], seed: int) -> None:
    """The quick look over a batch, the search for paths and the fake's walk say the same."""
    message = cls()
    fill(message, random.Random(seed))
    told = violations(require_fields, message)
    assert [path for path, _ in told] == list(find_missing(message))
    assert bool(told) == bool(violations(simple.require_fields, message))


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("language", ["tr-TR", "en"])
def test_every_reason_has_one_status_with_each_detail_once(reason: Reason, language: str) -> None:
    failure = error(reason, violations=(("items[0].field", "required"),), field="customer.email")
    status = status_of(failure, service="crypto", language=language)
    kinds = [packed.type_url.rpartition(".")[2] for packed in status.details]
    assert len(kinds) == len(set(kinds))
    assert kinds[0] == "ErrorInfo"
    assert status.code == failure.code.value
    is_retryable = failure.code in {Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED}
    assert ("RetryInfo" in kinds) == is_retryable
    localized = error_details_pb2.LocalizedMessage()
    status.details[-1].Unpack(localized)
    assert localized.locale == language
    step = failure.next_step_en if language == "en" else failure.next_step_tr
    assert step in localized.message
    assert status.ByteSize() < 8_000


def test_many_violations_still_fit_into_the_metadata() -> None:
    violations = tuple((f"items[{index}].field.name", "required") for index in range(1000))
    failure = error(Reason.REQUIRED_FIELD_MISSING, violations=violations)
    assert status_of(failure, service="crypto").ByteSize() < 4_000


def test_cancelled_wait_is_a_deadline() -> None:
    assert as_emanet_error(TimeoutError()).reason is Reason.DEADLINE_EXCEEDED


@given(st.text(max_size=80))
def test_any_accept_language_gives_one_of_two_languages(text: str) -> None:
    assert language_of(text) in {"tr-TR", "en"}


@pytest.mark.parametrize(
    ("text", "language"),
    [("", "tr-TR"), ("en", "en"), ("TR", "tr-TR"), ("de,en-US;q=0.3", "en"), ("entr", "tr-TR")],
)
def test_first_known_language_wins(text: str, language: str) -> None:
    assert language_of(text) == language
