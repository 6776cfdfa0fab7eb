"""Stubs that connect when they are first used, and again in a process that was forked.

Once a minute they look whether the certificate was renewed; a new one means a new channel, while
calls under way end on the old one.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import grpc
from grpc import aio

from emanet.client.channel import (
    Credentials,
    Endpoints,
    ServiceName,
    open_aio_channel,
    open_channel,
)

__all__ = ["AsyncConnection", "Connection"]

LOOK_EVERY_S = 60.0
"""Time between two looks at the certificate's files."""

S = TypeVar("S")


class _Certificate:
    """The credentials of one connection, looked at again every so often."""

    def __init__(self, credentials: Credentials, *, look_every_s: float) -> None:
        self.current = credentials
        self._every_s = look_every_s
        self._next = time.monotonic() + look_every_s

    def is_due(self) -> bool:
        """Whether it is time to look."""
        return time.monotonic() >= self._next

    def look(self) -> bool:
        """Takes renewed credentials, if there are any; whether there were."""
        self._next = time.monotonic() + self._every_s
        fresh = self.current.renewed()
        self.current = fresh or self.current
        return fresh is not None


class Connection(Generic[S]):
    """A synchronous stub; each process opens its own channel (gunicorn, uWSGI, Celery fork)."""

    def __init__(
        self,
        service: ServiceName,
        *,
        endpoints: Endpoints,
        credentials: Credentials,
        make: Callable[[grpc.Channel], S],
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._target = endpoints.target(service)
        self._certificate = _Certificate(credentials, look_every_s=look_every_s)
        self._make = make
        self._lock = threading.Lock()
        self._open: tuple[int, grpc.Channel, S] | None = None

    def stub(self) -> S:
        """The stub of this process."""
        is_open = self._open
        if is_open is not None and is_open[0] == os.getpid() and not self._certificate.is_due():
            return is_open[2]
        with self._lock:
            is_renewed = self._certificate.is_due() and self._certificate.look()
            if self._open is None or self._open[0] != os.getpid() or is_renewed:
                # An old channel is not closed: that would cancel other threads' calls.
                channel = open_channel(self._target, self._certificate.current)
                self._open = (os.getpid(), channel, self._make(channel))
            return self._open[2]

    def close(self) -> None:
        """Closes this process's channel; a later call opens a new one."""
        with self._lock:
            if self._open is not None and self._open[0] == os.getpid():
                self._open[1].close()
            self._open = None


class AsyncConnection(Generic[S]):
    """An asynchronous stub; each event loop, and so each forked process, opens its own channel."""

    def __init__(
        self,
        service: ServiceName,
        *,
        endpoints: Endpoints,
        credentials: Credentials,
        make: Callable[[aio.Channel], S],
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._target = endpoints.target(service)
        self._certificate = _Certificate(credentials, look_every_s=look_every_s)
        self._make = make
        self._open: tuple[asyncio.AbstractEventLoop, aio.Channel, S] | None = None
        # The channel before a renewal; collected too early it would cancel its calls.
        self._replaced: aio.Channel | None = None

    def stub(self) -> S:
        """The stub of the running event loop."""
        loop = asyncio.get_running_loop()
        is_renewed = self._certificate.is_due() and self._certificate.look()
        if self._open is None or self._open[0] is not loop or is_renewed:
            self._replaced = self._open[1] if self._open else None
            channel = open_aio_channel(self._target, self._certificate.current)
            self._open = (loop, channel, self._make(channel))
        return self._open[2]

    async def close(self) -> None:
        """Closes the channel of the running event loop; a later call opens a new one."""
        if self._open is not None and self._open[0] is asyncio.get_running_loop():
            await self._open[1].close()
        self._open = None
