"""The bare anchor of every call: a grpc.aio server over mTLS that answers bytes and does nothing.

Run as `python -m bench.echo CERTS_DIR PORT`, it is a process of its own, as the services are.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from grpc import aio

from bench.installation import Installation
from emanet.cli.supervisor import find_checkout, stop_process
from emanet.client.channel import Credentials, open_aio_channel

__all__ = ["EchoClient", "echoing"]

_METHOD = "/bench.Echo/Echo"
_CERTIFICATE = "access_audit"
_MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_LENGTH_BYTES = 4
_TIMEOUT_S = 30.0


class EchoClient:
    """Calls the echo server; the first four bytes of a request say how much it answers."""

    def __init__(self, target: str, credentials: Credentials) -> None:
        """Connects at the first call."""
        self._channel = open_aio_channel(target, credentials)
        self._call: aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(_METHOD)

    async def call(self, request_bytes: int, response_bytes: int) -> None:
        """Sends a message of one size and receives one of another."""
        head = response_bytes.to_bytes(_LENGTH_BYTES, "big")
        await self._call(head + bytes(request_bytes - _LENGTH_BYTES), timeout=_TIMEOUT_S)

    async def close(self) -> None:
        """Closes the channel."""
        await self._channel.close()


@contextmanager
def echoing(installation: Installation) -> Iterator[str]:
    """Runs the server with the certificates of an installation; yields its target."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.echo", str(installation.workspace.certs), str(port)],
        cwd=find_checkout(),
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_until_open(port)
        yield f"127.0.0.1:{port}"
    finally:
        stop_process(process)


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("the echo server did not start")


class _Handler(grpc.GenericRpcHandler):
    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        if handler_call_details.method != _METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(_answer)


async def _answer(request: bytes, _context: object) -> bytes:
    return bytes(int.from_bytes(request[:_LENGTH_BYTES], "big"))


async def _serve(certs: Path, port: int) -> None:
    server = aio.server(
        options=(
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        )
    )
    server.add_generic_rpc_handlers((_Handler(),))
    pair = (
        (certs / f"{_CERTIFICATE}.key").read_bytes(),
        (certs / f"{_CERTIFICATE}.pem").read_bytes(),
    )
    credentials = grpc.ssl_server_credentials(
        [pair], root_certificates=(certs / "ca.pem").read_bytes(), require_client_auth=True
    )
    server.add_secure_port(f"127.0.0.1:{port}", credentials)
    await server.start()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
