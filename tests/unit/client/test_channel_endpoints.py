"""Endpoints, credentials and the service config that every channel carries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from grpc import StatusCode, aio

from emanet.api.access_audit.v1 import access_audit_pb2, log_pb2, rules_pb2
from emanet.api.crypto.v1 import crypto_pb2, crypto_pb2_grpc, keys_pb2
from emanet.api.inventory.v1 import inventory_pb2
from emanet.client.channel import (
    Credentials,
    Endpoints,
    ServiceName,
    _is_loopback_address,
    service_config,
)
from emanet.client.connection import Connection
from emanet.core.errors import CallerError, Reason, StateError
from tests.fakes.certificates import CertificateAuthority

_FILES = (access_audit_pb2, log_pb2, rules_pb2, crypto_pb2, keys_pb2, inventory_pb2)
_NEVER_RETRIED = {"Decrypt", "CheckAccess", "RecordOutcome", "ListAccessRecords", "ExportLog"}
_NO_TIME_LIMIT = {"WatchRegister"}


def _endpoints(folder: Path, **changes: object) -> Path:
    content: dict[str, object] = {
        "mode": "dev",
        "installation": "demo",
        "services": {"inventory": "127.0.0.1:7001", "crypto": "127.0.0.1:7003"},
        "certs_dir": "var/dev/certs",
    }
    path = folder / "endpoints.json"
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return path


def test_endpoints_come_from_the_named_file(tmp_path: Path) -> None:
    """The variable names the file; targets are read by service."""
    read = Endpoints.from_env({"EMANET_ENDPOINTS": str(_endpoints(tmp_path))})
    assert read.target(ServiceName.INVENTORY) == "127.0.0.1:7001"
    assert (read.mode, read.installation, read.certs_dir) == ("dev", "demo", Path("var/dev/certs"))
    with pytest.raises(StateError, match="names no access_audit"):
        read.target(ServiceName.ACCESS_AUDIT)


@pytest.mark.parametrize("services", [{"billing": "x:1"}, [], None, 3])
def test_an_unusable_file_is_a_configuration_error(tmp_path: Path, services: object) -> None:
    """A wrong file is told as such, never as a TypeError."""
    with pytest.raises(StateError, match="endpoints file is not usable"):
        Endpoints.from_file(_endpoints(tmp_path, services=services))


def test_missing_variables_and_files_are_told(tmp_path: Path) -> None:
    """Nothing is guessed: no default file, no default folder."""
    with pytest.raises(StateError, match="EMANET_ENDPOINTS is not set"):
        Endpoints.from_env({})
    with pytest.raises(StateError, match="not usable"):
        Endpoints.from_file(tmp_path / "none.json")
    endpoints = Endpoints.from_file(_endpoints(tmp_path))
    with pytest.raises(StateError) as missing:
        Credentials.from_env(
            "panel", endpoints=endpoints, environ={"EMANET_CERTS_DIR": str(tmp_path)}
        )
    assert missing.value.reason is Reason.SECRET_UNUSABLE
    assert missing.value.metadata["secret"] == str(tmp_path / "ca.pem")


def test_an_application_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    """`../x` is no application."""
    endpoints = Endpoints.from_file(_endpoints(tmp_path))
    with pytest.raises(CallerError):
        Credentials.from_env("../panel", endpoints=endpoints, environ={})


def test_credentials_do_not_print_the_key(tmp_path: Path) -> None:
    """The private key is in no text of the object."""
    for name in ("ca.pem", "panel.pem", "panel.key"):
        (tmp_path / name).write_bytes(f"content of {name}".encode())
    endpoints = Endpoints.from_file(_endpoints(tmp_path, certs_dir=str(tmp_path)))
    credentials = Credentials.from_env("panel", endpoints=endpoints, environ={})
    assert credentials.key == b"content of panel.key"
    assert "panel.key" not in repr(credentials)


def test_a_renewed_certificate_is_taken_once_it_fits_its_key(tmp_path: Path) -> None:
    """A new channel follows a whole renewal; half of one, or none, keeps the channel there is."""
    authority = CertificateAuthority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    authority.issue().write(tmp_path, "panel")
    endpoints = Endpoints.from_file(_endpoints(tmp_path, certs_dir=str(tmp_path)))
    connection = Connection(
        ServiceName.CRYPTO,
        endpoints=endpoints,
        credentials=Credentials.from_env("panel", endpoints=endpoints, environ={}),
        make=lambda channel: (channel,),
        look_every_s=0.0,
    )
    first = connection.stub()
    assert connection.stub() is first
    renewed = authority.issue()
    (tmp_path / "panel.pem").write_bytes(renewed.cert_pem)
    assert connection.stub() is first
    (tmp_path / "panel.key").write_bytes(renewed.key_pem)
    second = connection.stub()
    assert second is not first
    assert connection.stub() is second
    (tmp_path / "panel.key").unlink()
    assert connection.stub() is second
    first[0].close()
    connection.close()


def test_service_config_covers_every_method_of_the_contract() -> None:
    """Each RPC has one time limit, but streams that stay open; nothing else is named."""
    declared = {
        (service.full_name, method.name)
        for module in _FILES
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert declared
    named = [
        (name["service"], name["method"])
        for entry in json.loads(service_config())["methodConfig"]
        for name in entry["name"]
    ]
    assert len(named) == len(set(named))
    assert set(named) == {pair for pair in declared if pair[1] not in _NO_TIME_LIMIT}


def test_only_unavailable_is_retried_and_never_a_read_that_is_recorded() -> None:
    """A second delivery of Decrypt or CheckAccess would be a second record."""
    for entry in json.loads(service_config())["methodConfig"]:
        methods = {name["method"] for name in entry["name"]}
        if policy := entry.get("retryPolicy"):
            assert policy["retryableStatusCodes"] == ["UNAVAILABLE"]
            assert not methods & _NEVER_RETRIED
        else:
            assert methods <= _NEVER_RETRIED


@pytest.mark.parametrize(
    ("target", "loopback"),
    [
        ("127.0.0.1:7001", True),
        ("[::1]:7001", True),
        ("ipv4:///127.0.0.1:7001", True),
        ("dns:///inventory.example:443", False),
        ("inventory:443", False),
        ("10.0.0.7:443", False),
    ],
)
def test_the_name_is_overridden_for_loopback_addresses_only(target: str, loopback: bool) -> None:
    """A server elsewhere must prove the name that was dialled."""
    assert _is_loopback_address(target) is loopback


class _Stumbling(crypto_pb2_grpc.CryptoServiceServicer):
    """Answers every other call with UNAVAILABLE."""

    def __init__(self) -> None:
        self.calls = 0

    async def _answer(self, context: aio.ServicerContext, answer: object) -> object:
        self.calls += 1
        if self.calls % 2:
            await context.abort(StatusCode.UNAVAILABLE, "stumbled")
        return answer

    async def Encrypt(self, request, context):  # noqa: N802 -- the generated name
        return await self._answer(context, crypto_pb2.EncryptResponse())

    async def Decrypt(self, request, context):  # noqa: N802 -- the generated name
        return await self._answer(context, crypto_pb2.DecryptResponse())


async def test_retries_happen_where_the_service_config_says_so() -> None:
    """gRPC understands the file: Encrypt is sent again, Decrypt is not."""
    server, servicer = aio.server(), _Stumbling()
    crypto_pb2_grpc.add_CryptoServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    options = (("grpc.service_config", service_config()),)
    async with aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        stub = crypto_pb2_grpc.CryptoServiceStub(channel)
        await stub.Encrypt(crypto_pb2.EncryptRequest(), timeout=10)
        assert servicer.calls == 2
        with pytest.raises(aio.AioRpcError):
            await stub.Decrypt(crypto_pb2.DecryptRequest(), timeout=10)
    await server.stop(None)
    assert servicer.calls == 3
