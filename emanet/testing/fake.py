"""The SDK's facades over services in memory: for an application's own tests.

Same names, same rules, same errors as `emanet.client`, from the same two files, without servers
and without cryptography. What is "encrypted" here stays in this process in clear
(`UnsafeMemoryVault`): never give a fake real data.
"""

from __future__ import annotations

from typing import TypeVar

from emanet.client.aio import AsyncEmanet
from emanet.client.channel import Credentials, Endpoints
from emanet.client.connection import AsyncConnection, Connection
from emanet.client.sync import Emanet
from emanet.testing.controls import DEFAULT_APP, FakeControls
from emanet.testing.services import MemoryServices

__all__ = ["AsyncFakeEmanet", "FakeEmanet"]

S = TypeVar("S")

_NOWHERE = Endpoints(mode="fake", installation="fake", targets={}, certs_dir=None)
_NOBODY = Credentials(ca=b"", certificate=b"", key=b"")


class FakeEmanet(FakeControls, Emanet):
    """`Emanet` in memory; code that takes an `Emanet` takes it too.

    Example::

        fake = FakeEmanet.from_files("register.yaml", "need_to_know.yaml")
        fake.put_case("ticket", "T-1", subject="customers/7", opened_by="customer")
        with fake.reading(person="s-044", role="support", purpose="support",
                          case=Case("ticket", "T-1")):
            fake.decrypt("customer.email", envelope, subject="customers/7")
    """

    def __init__(self, services: MemoryServices, *, app: str = DEFAULT_APP) -> None:
        """Takes its place over services; `from_files` and `from_project` make them too."""
        FakeControls.__init__(self, services, app=app)
        Emanet.__init__(
            self,
            organization=services.organization,
            endpoints=_NOWHERE,
            credentials=_NOBODY,
            clock=services.clock,
        )

    def aio(self) -> AsyncFakeEmanet:
        """The asynchronous twin over the same services."""
        return AsyncFakeEmanet(self._services, app=self.app)

    def _connect(self, endpoints: Endpoints, credentials: Credentials) -> None:  # noqa: ARG002 (there is nothing to connect to)
        self._crypto = _Ready(self._services.crypto_stub(self.app))
        self._audit = _Ready(self._services.audit_stub(self.app))


class AsyncFakeEmanet(FakeControls, AsyncEmanet):
    """`AsyncEmanet` in memory; made like `FakeEmanet`, or by its `aio()`."""

    def __init__(self, services: MemoryServices, *, app: str = DEFAULT_APP) -> None:
        """Takes its place over services."""
        FakeControls.__init__(self, services, app=app)
        AsyncEmanet.__init__(
            self,
            organization=services.organization,
            endpoints=_NOWHERE,
            credentials=_NOBODY,
            clock=services.clock,
        )

    def _connect(self, endpoints: Endpoints, credentials: Credentials) -> None:  # noqa: ARG002 (there is nothing to connect to)
        self._crypto = _AsyncReady(self._services.async_crypto_stub(self.app))
        self._audit = _AsyncReady(self._services.async_audit_stub(self.app))


class _Ready(Connection[S]):
    """A stub that is there already; nothing is opened or closed."""

    def __init__(self, stub: S) -> None:
        self._stub = stub

    def stub(self) -> S:
        return self._stub

    def close(self) -> None:
        return


class _AsyncReady(AsyncConnection[S]):
    """The same for an event loop."""

    def __init__(self, stub: S) -> None:
        self._stub = stub

    def stub(self) -> S:
        return self._stub

    async def close(self) -> None:
        return
