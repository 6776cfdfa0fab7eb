"""Channels to the services below, opened anew when this service's certificate is renewed."""

from __future__ import annotations

import asyncio

from grpc import aio

from emanet.client.channel import Credentials, open_aio_channel
from services.runtime.settings import RuntimeSettings

__all__ = ["ServiceChannel"]

_Stamp = tuple[int, int]
_GRACE_S = 60.0
"""Longer than any call of this service: an old channel's calls end by themselves."""


class ServiceChannel:
    """The channel to one service under the certificate that is on disk now."""

    def __init__(self, target: str, settings: RuntimeSettings) -> None:
        self._target = target
        self._settings = settings
        self._channel: aio.Channel | None = None
        self._stamp: _Stamp | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def current(self) -> aio.Channel:
        """The channel of the running loop; connects at its first call.

        Raises:
            StateError: SECRET_UNUSABLE, the certificate files cannot be read.
        """
        stamp = self._stamp_now()
        if self._channel is None or stamp != self._stamp:
            credentials = Credentials.from_files(
                ca=self._settings.ca_file,
                certificate=self._settings.cert_file,
                key=self._settings.key_file,
            )
            self._retire()
            self._channel = open_aio_channel(self._target, credentials)
            self._stamp = stamp
        return self._channel

    async def close(self) -> None:
        """Closes the channel and those that it replaced."""
        for task in self._closing:
            task.cancel()
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    def _stamp_now(self) -> _Stamp | None:
        try:
            status = self._settings.cert_file.stat()
        except OSError:
            # The files are replaced just now; the channel that is open goes on.
            return self._stamp
        return status.st_mtime_ns, status.st_ino

    def _retire(self) -> None:
        old = self._channel
        if old is not None:
            task = asyncio.ensure_future(old.close(grace=_GRACE_S))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
