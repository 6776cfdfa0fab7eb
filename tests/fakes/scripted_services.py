"""A real gRPC server with mutual TLS whose answers a test writes; it notes what was asked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message

from emanet.api.access_audit.v1 import access_audit_pb2, access_audit_pb2_grpc, resources_pb2
from emanet.api.crypto.v1 import crypto_pb2, crypto_pb2_grpc
from emanet.client.channel import Credentials, Endpoints, ServiceName
from emanet.core.checkpoint import Checkpoint, Note, NoteSignature, format_checkpoint, format_note
from tests.fakes.certificates import CertificateAuthority

_ORIGIN = "emanet-dev/scripted/menekse/1"


@dataclass(frozen=True)
class Asked:
    """One call as it arrived."""

    rpc: str
    request: Message
    metadata: dict[str, str]
    seconds_left: float


@dataclass
class Script:
    """What the services do."""

    log_size: int = 1
    log_root: bytes = b"a"
    unavailable: int = 0
    asked: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    hangs: bool = False

    def answer(
        self,
        rpc: str,
        request: Message,
        context: grpc.ServicerContext,
        build: Callable[[], Message],
    ) -> Message:
        metadata = {key: str(value) for key, value in context.invocation_metadata()}
        self.asked.append(Asked(rpc, request, metadata, context.time_remaining()))
        if self.hangs:
            self.released.wait(20)
        if self.unavailable:
            self.unavailable -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "scripted")
        return build()

    def checkpoint(self) -> str:
        root = hashlib.sha256(self.log_root).digest()
        text = format_checkpoint(Checkpoint(_ORIGIN, self.log_size, root))
        signature = NoteSignature(_ORIGIN, bytes(4), bytes(64))
        return format_note(Note(text, (signature,)))

    def receipt(self) -> resources_pb2.Receipt:
        return resources_pb2.Receipt(checkpoint=self.checkpoint())


class _Crypto(crypto_pb2_grpc.CryptoServiceServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    def Encrypt(self, request, context):
        result = crypto_pb2.EncryptResult(envelope=b"envelope")
        return self._script.answer(
            "Encrypt",
            request,
            context,
            lambda: crypto_pb2.EncryptResponse(results=[result] * len(request.items)),
        )

    def Decrypt(self, request, context):
        value = crypto_pb2.DecryptResult(value=crypto_pb2.Value(text="opened"))
        return self._script.answer(
            "Decrypt",
            request,
            context,
            lambda: crypto_pb2.DecryptResponse(
                results=[value] * len(request.items), receipt=self._script.receipt()
            ),
        )


class _Audit(access_audit_pb2_grpc.AccessAuditServiceServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    def CheckAccess(self, request, context):
        return self._script.answer(
            "CheckAccess",
            request,
            context,
            lambda: access_audit_pb2.CheckAccessResponse(
                verdict=resources_pb2.VERDICT_ALLOW,
                record="organizations/menekse/accessRecords/1",
                receipt=self._script.receipt(),
            ),
        )

    def PutCases(self, request, context):
        return self._script.answer("PutCases", request, context, access_audit_pb2.PutCasesResponse)


@dataclass(frozen=True)
class Scripted:
    """A running server and what a client needs for it."""

    script: Script
    endpoints: Endpoints
    credentials: Credentials

    def target(self) -> dict[str, object]:
        return {
            "organization": "menekse",
            "endpoints": self.endpoints,
            "credentials": self.credentials,
        }


@contextmanager
def scripted_services() -> Iterator[Scripted]:
    """Crypto and access audit in one server on a free loopback port."""
    authority = CertificateAuthority()
    own = authority.issue(uris=["spiffe://dev.emanet.invalid/service/crypto"])
    app = authority.issue(uris=["spiffe://dev.emanet.invalid/app/panel"])
    script = Script()
    server = grpc.server(ThreadPoolExecutor(8))
    crypto_pb2_grpc.add_CryptoServiceServicer_to_server(_Crypto(script), server)
    access_audit_pb2_grpc.add_AccessAuditServiceServicer_to_server(_Audit(script), server)
    port = server.add_secure_port(
        "127.0.0.1:0",
        grpc.ssl_server_credentials(
            [(own.key_pem, own.cert_pem)],
            root_certificates=authority.pem,
            require_client_auth=True,
        ),
    )
    server.start()
    target = f"127.0.0.1:{port}"
    try:
        yield Scripted(
            script=script,
            endpoints=Endpoints(
                mode="dev",
                installation="scripted",
                targets={ServiceName.CRYPTO: target, ServiceName.ACCESS_AUDIT: target},
                certs_dir=None,
            ),
            credentials=Credentials(ca=authority.pem, certificate=app.cert_pem, key=app.key_pem),
        )
    finally:
        script.released.set()
        server.stop(None).wait()
