"""Who acts in these tests, through which application, and what the log says about it afterwards."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.timestamp_pb2 import Timestamp

from emanet.api.access_audit.v1 import access_audit_pb2, resources_pb2
from emanet.api.crypto.v1 import crypto_pb2
from emanet.cli.devtokens import issue_token
from emanet.client import Case, CaseState, Emanet
from emanet.client.admin import Admin
from emanet.client.channel import ServiceName, open_channel
from emanet.client.status import error_from_rpc
from emanet.core.checkpoint import Checkpoint, open_checkpoint, parse_vkey
from emanet.core.clock import SystemClock
from emanet.core.errors import EmanetError, Reason
from emanet.core.ids import new_uuid7
from emanet.core.leaf import AccessLeaf, Leaf, decode_leaf
from emanet.core.merkle import CompactRange, leaf_hash
from emanet.core.tiles import ENTRIES, decode_entries, tiles_of
from emanet.register.edits import plan
from emanet.register.manifest import load_manifest
from emanet.register.values import Register
from tests.e2e.installation import CHECKOUT, INSTALLATION, NEIGHBOUR, ORGANIZATION, Local, until

_DATA = CHECKOUT / "tests" / "data" / "organization"
TIMEOUT_S = 10.0
TICKET = Case("ticket", "T-100")
RUN = Case("invoice_run", "F-100")

PERSONS = ("s-101", "s-102", "s-103", "s-104", "s-201", "s-202", "s-203", "s-204")
PRINCIPALS = f"""\
emanet: principals/v1
trust_domain: dev.emanet.invalid
issuers:
  - {{iss: "https://login.dev.emanet.invalid", jwks_file: jwks.json, groups_claim: groups, organizations: [{ORGANIZATION}, {NEIGHBOUR}]}}
applications:
  panel: {{organizations: [{ORGANIZATION}, {NEIGHBOUR}], systems: [panel], token_client: panel, may_assert: [data_subject]}}
  helpdesk: {{organizations: [{ORGANIZATION}, {NEIGHBOUR}], token_client: helpdesk, owns_cases: [ticket]}}
  erp: {{organizations: [{ORGANIZATION}], owns_cases: [invoice_run, campaign], owns_events: [contract_ended, consent_ended]}}
  register_desk: {{organizations: [{ORGANIZATION}], token_client: register_desk, owns_cases: [legal_order]}}
  invoice-run: {{organizations: [{ORGANIZATION}], may_assert: [app]}}
  outsider: {{organizations: [{NEIGHBOUR}], token_client: outsider, may_assert: [data_subject, app]}}
  cli: {{organizations: [{ORGANIZATION}, {NEIGHBOUR}], token_client: emanet-cli}}
persons:
  s-101: {{accounts: [{{iss: "https://login.dev.emanet.invalid", sub: "s-101"}}, {{iss: "https://login.dev.emanet.invalid", sub: "s-101-admin"}}]}}
{{PERSONS}}
duties:
  {ORGANIZATION}: {{dpo: ["group:kvkk"], security: ["group:guvenlik"], approver: ["group:yonetim"], auditor: ["group:denetim"], operator: ["group:bilgi-islem"]}}
  {NEIGHBOUR}: {{dpo: ["group:kvkk"], security: ["group:guvenlik"], approver: ["group:yonetim"], auditor: ["group:denetim"], operator: ["group:bilgi-islem"]}}
revoked: {{tokens: [REVOKED_TOKENS], certificates: [REVOKED_CERTIFICATES], persons: [REVOKED_PERSONS]}}
""".replace(
    "{PERSONS}",
    "\n".join(
        f'  {person}: {{accounts: [{{iss: "https://login.dev.emanet.invalid", sub: {person}}}]}}'
        for person in PERSONS[1:]
    ),
)


def principals(
    *, tokens: Sequence[str] = (), certificates: Sequence[str] = (), persons: Sequence[str] = ()
) -> str:
    """principals.yaml with revocations."""
    return (
        PRINCIPALS.replace("REVOKED_TOKENS", ", ".join(tokens))
        .replace("REVOKED_CERTIFICATES", ", ".join(certificates))
        .replace("REVOKED_PERSONS", ", ".join(persons))
    )


def register_text(organization: str = ORGANIZATION) -> str:
    """The register that two persons approve."""
    return (_DATA / "register.yaml").read_text(encoding="utf-8").replace("menekse", organization)


def rules_text(organization: str = ORGANIZATION) -> str:
    """The rules, without the limits that a test under load would meet."""
    text = (_DATA / "need_to_know.yaml").read_text(encoding="utf-8")
    return (
        text.replace("menekse", organization)
        .replace(", subjects: 3/day", "")
        .replace("records: 5000/case", "records: 1000000/case")
    )


# -- tokens and facades -----------------------------------------------------------------------------


def token(local: Local, account: str, *groups: str, client: str = "panel", **changes: Any) -> str:
    """A staff token of a log-in just now."""
    chosen: dict[str, Any] = {"installation": INSTALLATION, "now": dt.datetime.now(dt.UTC)}
    return issue_token(
        local.workspace, account=account, groups=groups, client=client, **{**chosen, **changes}
    )


def token_id(text: str) -> str:
    """The `jti` of a token."""
    payload = text.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims["jti"])


def support(local: Local, account: str = "s-201", **changes: Any) -> str:
    """The token of a member of the support team."""
    return token(local, account, "destek", **changes)


def app(
    local: Local,
    name: str = "panel",
    *,
    organization: str = ORGANIZATION,
    timeout_s: float = TIMEOUT_S,
) -> Emanet:
    """One organization as an application sees it; closed with the installation."""
    facade = Emanet(
        organization=organization,
        endpoints=local.endpoints,
        credentials=local.credentials(name),
        timeout_s=timeout_s,
        language="en",
    )
    local.closing.callback(facade.close)
    return facade


def admin(
    local: Local, account: str, *groups: str, organization: str = ORGANIZATION, **changes: Any
) -> Admin:
    """One organization as a person with duties sees it."""
    found = Admin(
        organization=organization,
        endpoints=local.endpoints,
        credentials=local.credentials("cli"),
        staff_token=token(local, account, *groups, client="emanet-cli", **changes),
        language="en",
    )
    local.closing.callback(found.close)
    return found


def stub(local: Local, service: ServiceName, make: Any, *, name: str = "panel") -> Any:
    """A raw stub under an application's or a service's certificate."""
    channel = open_channel(f"127.0.0.1:{local.ports[service.value]}", local.credentials(name))
    local.closing.callback(channel.close)
    return make(channel)


def bearer(text: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {text}"), ("accept-language", "en"))


def new_id() -> str:
    return str(new_uuid7(SystemClock()))


def stamp(moment: dt.datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(moment)
    return found


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


# -- setting an organization up ----------------------------------------------------------------------


def publish(local: Local, text: str | None = None, *, organization: str = ORGANIZATION) -> int:
    """Applies, submits and approves a register by two persons; returns the version's number."""
    register = load_manifest(text or register_text(organization), "register.yaml").register
    submit(local, register, organization=organization)
    inventory = admin(local, "s-102", "yonetim", organization=organization).inventory
    newest = next(inventory.versions())
    fetched = inventory.version(newest.number, digest_of=newest.digest)
    inventory.approve(newest.number, digest_read=fetched.digest)
    return int(newest.number)


def submit(local: Local, register: Register, *, organization: str = ORGANIZATION) -> None:
    """Puts a register into the draft and submits it."""
    dpo = admin(local, "s-101", "kvkk", organization=organization).inventory
    draft = dpo.draft()
    edits = plan(draft.register, register)
    etag = dpo.edit_draft(edits, etag=draft.etag).etag if edits else draft.etag
    dpo.submit(etag=etag)


def activate(local: Local, text: str | None = None, *, organization: str = ORGANIZATION) -> int:
    """Applies and activates rules by two persons; returns the rule set's number."""
    source = text or rules_text(organization)
    security = admin(local, "s-103", "guvenlik", organization=organization)
    rule_set = security.rules.apply(source)
    approver = admin(local, "s-102", "yonetim", organization=organization)
    approver.rules.activate(
        int(rule_set.number), digest_read=hashlib.sha256(source.encode()).digest()
    )
    return int(rule_set.number)


def wait_for_register(local: Local, number: int, *, organization: str = ORGANIZATION) -> None:
    """Waits until crypto and access_audit hold a version."""
    watcher = admin(local, "s-101", "kvkk", organization=organization)
    until(
        lambda: (
            watcher.keys.service_info().register_number == number
            and watcher.audit.service_info().register_number == number
        ),
        what=f"register {number} everywhere",
    )


def put_ticket(
    local: Local,
    ref: str = TICKET.ref,
    *,
    subjects: Sequence[str] = ("customers/1",),
    organization: str = ORGANIZATION,
    **changes: Any,
) -> Case:
    """A ticket that a customer opened an hour ago."""
    state: dict[str, Any] = {"opened_by": "customer", "opened": now() - dt.timedelta(hours=1)}
    case = CaseState(kind="ticket", ref=ref, subjects=tuple(subjects), **{**state, **changes})
    app(local, "helpdesk", organization=organization).put_cases([case])
    return Case("ticket", ref)


def put_case(local: Local, case: Case, *, by: str, **changes: Any) -> Case:
    """Any other case, opened by a system."""
    state: dict[str, Any] = {"opened_by": "system", "opened": now() - dt.timedelta(hours=1)}
    app(local, by).put_cases([CaseState(kind=case.kind, ref=case.ref, **{**state, **changes})])
    return case


def context(
    *,
    purpose: str = "support",
    case: Case | None = TICKET,
    actor: resources_pb2.ActorKind.ValueType = resources_pb2.ACTOR_KIND_STAFF,
    **parts: Any,
) -> resources_pb2.AccessContext:
    """A statement as a raw stub sends it."""
    found = resources_pb2.AccessContext(actor=actor, purpose=purpose, **parts)
    if case is not None:
        found.case.kind, found.case.ref = case
    return found


def check(
    *,
    attempt: str = "",
    field: str = "customer.email",
    subject: str = "customers/1",
    organization: str = ORGANIZATION,
    stated: resources_pb2.AccessContext | None = None,
    **parts: Any,
) -> access_audit_pb2.CheckAccessRequest:
    """A CheckAccess as a raw stub sends it."""
    return access_audit_pb2.CheckAccessRequest(
        organization=organization,
        attempt_id=attempt or new_id(),
        context=stated or context(),
        action=resources_pb2.ACTION_READ,
        items=[resources_pb2.AccessItem(field=field, subject=subject, bucket="open")],
        **parts,
    )


def refused(*reasons: Reason) -> Any:
    """Expects an error of one of these reasons."""
    return pytest.raises(EmanetError, check=lambda failure: failure.reason in reasons)


def refusal(
    call: Any, request: Any, *, staff: str = "", timeout_s: float = TIMEOUT_S
) -> EmanetError:
    """The error that a raw call must end with."""
    with pytest.raises(grpc.RpcError) as answered:
        call(request, metadata=bearer(staff) if staff else (), timeout=timeout_s)
    return error_from_rpc(answered.value)


def decrypting(
    envelopes: Sequence[bytes],
    *,
    stated: resources_pb2.AccessContext | None = None,
    field: str = "customer.email",
    organization: str = ORGANIZATION,
) -> crypto_pb2.DecryptRequest:
    """A Decrypt as a raw stub sends it."""
    return crypto_pb2.DecryptRequest(
        organization=organization,
        context=stated or context(),
        action=resources_pb2.ACTION_DECRYPT,
        items=[crypto_pb2.DecryptItem(field=field, envelope=each) for each in envelopes],
    )


# -- the log -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exported:
    """An exported log whose signature, root, order and ids were verified with the pinned key."""

    checkpoint: Checkpoint
    data: tuple[bytes, ...]
    leaves: tuple[Leaf, ...]
    files: dict[str, bytes]

    @property
    def accesses(self) -> dict[str, AccessLeaf]:
        """Access leaves by attempt id."""
        return {str(leaf.id): leaf for leaf in self.leaves if isinstance(leaf, AccessLeaf)}

    def write(self, folder: Path) -> None:
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)


def export(local: Local, *, organization: str = ORGANIZATION) -> Exported:
    """Exports the log as an auditor and verifies it."""
    auditor = admin(local, "s-104", "denetim", organization=organization)
    files: dict[str, bytes] = {}
    for part in auditor.audit.export_log(purpose="oversight"):
        if part.path:
            files[part.path] = files.get(part.path, b"") + part.chunk
    return verified(files, vkey=local.workspace.log_key(organization).read_text(encoding="utf-8"))


def verified(files: dict[str, bytes], *, vkey: str) -> Exported:
    """Verifies exported files without the services: contiguous, signed, in order, each id once."""
    checkpoint = open_checkpoint(files["checkpoint"].decode(), parse_vkey(vkey.strip()), _ed25519)
    data = tuple(
        leaf
        for tile in tiles_of(checkpoint.size)
        if tile.level == ENTRIES
        for leaf in decode_entries(files[tile.path], tile.width)
    )
    assert len(data) == checkpoint.size
    assert CompactRange().extend(map(leaf_hash, data)).root() == checkpoint.root
    leaves = tuple(map(decode_leaf, data))
    times = [leaf.receive_us for leaf in leaves]
    assert times == sorted(times)
    assert len({leaf.id for leaf in leaves}) == len(leaves)
    return Exported(checkpoint, data, leaves, files)


def record_id(name: str) -> str:
    """The id of `organizations/o/accessRecords/ID`."""
    return name.rpartition("/")[2]


def _ed25519(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except Exception:  # noqa: BLE001 (whatever is wrong with it, it does not verify)
        return False
    return True
