"""Stubs that connect when they are first used, and again in a process that was forked."""

from __future__ import annotations

import asyncio
import os
import threading
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

S = TypeVar("S")


class Connection(Generic[S]):
    """A synchronous stub; each process opens its own channel (gunicorn, uWSGI, Celery fork)."""

    def __init__(
        self,
        service: ServiceName,
        *,
        endpoints: Endpoints,
        credentials: Credentials,
        make: Callable[[grpc.Channel], S],
    ) -> None:
        self._target = endpoints.target(service)
        self._credentials = credentials
        self._make = make
        self._lock = threading.Lock()
        self._open: tuple[int, grpc.Channel, S] | None = None

    def stub(self) -> S:
        """The stub of this process."""
        is_open = self._open
        if is_open is not None and is_open[0] == os.getpid():
            return is_open[2]
        with self._lock:
            if self._open is None or self._open[0] != os.getpid():
                channel = open_channel(self._target, self._credentials)
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
    ) -> None:
        self._target = endpoints.target(service)
        self._credentials = credentials
        self._make = make
        self._open: tuple[asyncio.AbstractEventLoop, aio.Channel, S] | None = None

    def stub(self) -> S:
        """The stub of the running event loop."""
        loop = asyncio.get_running_loop()
        if self._open is None or self._open[0] is not loop:
            channel = open_aio_channel(self._target, self._credentials)
            self._open = (loop, channel, self._make(channel))
        return self._open[2]

    async def close(self) -> None:
        """Closes the channel of the running event loop; a later call opens a new one."""
        if self._open is not None and self._open[0] is asyncio.get_running_loop():
            await self._open[1].close()
        self._open = None
