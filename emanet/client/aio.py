"""The asynchronous facade: encrypt on write, open with a stated purpose, record other reads.

The same calls as `emanet.client.sync`, for one event loop.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import grpc
from grpc import aio

from emanet.api.access_audit.v1 import access_audit_pb2, access_audit_pb2_grpc
from emanet.api.crypto.v1 import crypto_pb2_grpc
from emanet.client import requests
from emanet.client.channel import Credentials, Endpoints, ServiceName
from emanet.client.connection import AsyncConnection
from emanet.client.facade import Facade
from emanet.client.reading import Reading, current_reading
from emanet.client.status import error_from_rpc
from emanet.client.values import (
    AccessToRecord,
    CaseState,
    OpenedRow,
    Plain,
    Sealed,
    ToEncrypt,
    ToOpen,
)
from emanet.core.errors import EmanetError

__all__ = ["AsyncEmanet"]

_Row = TypeVar("_Row")
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class AsyncEmanet(Facade):
    """One organization seen by one application, in asynchronous code.

    Every event loop opens channels of its own. A task takes the reading along with which it was
    made; a cancelled call may have been recorded already, and releases nothing.
    """

    def _connect(self, endpoints: Endpoints, credentials: Credentials) -> None:
        self._crypto: AsyncConnection[crypto_pb2_grpc.CryptoServiceAsyncStub] = AsyncConnection(
            ServiceName.CRYPTO,
            endpoints=endpoints,
            credentials=credentials,
            make=crypto_pb2_grpc.CryptoServiceStub,
        )
        self._audit: AsyncConnection[access_audit_pb2_grpc.AccessAuditServiceAsyncStub] = (
            AsyncConnection(
                ServiceName.ACCESS_AUDIT,
                endpoints=endpoints,
                credentials=credentials,
                make=access_audit_pb2_grpc.AccessAuditServiceStub,
            )
        )

    async def close(self) -> None:
        """Closes the channels; a later call opens new ones."""
        await self._crypto.close()
        await self._audit.close()

    async def encrypt(
        self,
        *,
        subject: str,
        values: Mapping[str, Plain],
        record: str = "",
        start: dt.datetime | None = None,
    ) -> dict[str, Sealed]:
        """Encrypts the fields of one subject in one round trip.

        Args:
            subject: `{namespace}/{ref}`.
            values: plaintext by field slug.
            record: the record that they lie in; empty = the subject.
            start: when their retention starts to count, aware; None = now.

        Returns:
            An envelope by field, in the order given.

        Raises:
            EmanetError: of the first value that was refused; nothing is returned then.
        """
        items = [
            ToEncrypt(field=name, value=value, subject=subject, record=record, start=start)
            for name, value in values.items()
        ]
        sealed = await self.encrypt_many(items)
        for result in sealed:
            if isinstance(result, EmanetError):
                raise result
        return {
            name: result
            for name, result in zip(values, sealed, strict=True)
            if isinstance(result, Sealed)
        }

    async def encrypt_many(self, items: Iterable[ToEncrypt]) -> list[Sealed | EmanetError]:
        """Encrypts many values, split into batches; one result an item, in order.

        Raises:
            EmanetError: when a whole batch fails.
        """
        results: list[Sealed | EmanetError] = []
        for batch in requests.split(items, size_of=requests.size_to_encrypt):
            request = requests.encrypt_request(self.organization, batch)
            response = await self._send(self._crypto.stub().Encrypt, request, ServiceName.CRYPTO)
            results += requests.read_sealed(response)
        return results

    async def decrypt(
        self,
        field: str,
        envelope: bytes | str,
        *,
        subject: str = "",
        record: str = "",
        action: str = "decrypt",
    ) -> Plain:
        """Opens one value: check, durable record, plaintext, in one call.

        Args:
            field: the field's slug.
            envelope: as it was stored.
            subject: compared with the key's subject when given.
            record: as at encryption.
            action: `decrypt`, `read_masked`, `export` or `disclose`.

        Raises:
            DeniedError: the rules refuse; `record` names the recorded refusal.
            DestroyedError: the key is destroyed.
            IntegrityError: ENVELOPE_INVALID, it cannot be opened here.
            UnavailableError: no record could be written; nothing was opened.
        """
        item = ToOpen(field=field, envelope=envelope, subject=subject, record=record)
        (result,) = await self.decrypt_many([item], action=action)
        if isinstance(result, EmanetError):
            raise result
        return result

    async def decrypt_many(
        self, items: Iterable[ToOpen], *, action: str = "decrypt"
    ) -> list[Plain | EmanetError]:
        """Opens many values, split into batches of one record each; one result an item.

        Raises:
            EmanetError: when a whole batch is refused or fails; `DeniedError` above all.
        """
        reading = current_reading()
        results: list[Plain | EmanetError] = []
        for batch in requests.split(items, size_of=requests.size_to_open):
            request = requests.decrypt_request(
                self.organization, batch, reading=reading, action=action
            )
            known = self._memory.known()
            response = await self._send(
                self._crypto.stub().Decrypt, request, ServiceName.CRYPTO, reading
            )
            self._memory.learn(response.receipt.checkpoint, at_sending=known)
            results += requests.read_opened(response)
        return results

    async def decrypt_table(
        self,
        rows: Iterable[_Row],
        columns: Mapping[str, str],
        *,
        subject: Callable[[_Row], str] | None = None,
        record: Callable[[_Row], str] | None = None,
        action: str = "decrypt",
    ) -> list[OpenedRow]:
        """Opens columns of several rows; a field that cannot be opened is None with its error.

        Args:
            rows: mappings or objects.
            columns: where each field's envelope is: field slug → key or attribute.
            subject: tells a row's subject.
            record: tells a row's record.
            action: `decrypt`, `read_masked`, `export` or `disclose`.

        Raises:
            DeniedError: the rules refuse the whole table.
        """
        table = list(rows)
        items = requests.to_open_of_rows(table, columns, subject=subject, record=record)
        if not items:
            return requests.opened_rows(len(table), columns, items=(), results=())
        results = await self.decrypt_many([item for _, item in items], action=action)
        return requests.opened_rows(len(table), columns, items=items, results=results)

    async def mask_table(
        self,
        rows: Iterable[_Row],
        columns: Mapping[str, str],
        *,
        subject: Callable[[_Row], str] | None = None,
        record: Callable[[_Row], str] | None = None,
    ) -> list[OpenedRow]:
        """Masks columns of several rows: the screen never receives what it may not show.

        One call and one record for up to 1000 values; arguments as for `decrypt_table`.
        """
        return await self.decrypt_table(
            rows, columns, subject=subject, record=record, action="read_masked"
        )

    async def decrypt_batches(
        self,
        rows: Iterable[_Row],
        columns: Mapping[str, str],
        *,
        size: int = 1000,
        subject: Callable[[_Row], str] | None = None,
        record: Callable[[_Row], str] | None = None,
        action: str = "decrypt",
    ) -> AsyncIterator[list[OpenedRow]]:
        """Opens a long table part by part, for jobs; each part holds at most `size` rows.

        Yields:
            The opened rows of one part, in order.
        """
        part: list[_Row] = []
        for row in rows:
            part.append(row)
            if len(part) == size:
                yield await self.decrypt_table(
                    part, columns, subject=subject, record=record, action=action
                )
                part = []
        if part:
            yield await self.decrypt_table(
                part, columns, subject=subject, record=record, action=action
            )

    async def record_read(
        self,
        *,
        fields: Sequence[str],
        subjects: Sequence[str],
        action: str = "read",
        count: int = 1,
    ) -> str:
        """Asks and records before a read that Emanet cannot see (a plain column, a paper file).

        Args:
            fields: slugs of what is read.
            subjects: whose.
            action: `read`, `list`, `search`, `update`, `delete`, `export` or `disclose`.
            count: how many values a field and subject.

        Returns:
            The record's name.

        Raises:
            DeniedError: then do not show it.
            UnavailableError: no record could be written; do not show it.
        """
        reading = current_reading()
        request = requests.check_request(
            self.organization,
            fields=fields,
            subjects=subjects,
            action=action,
            count=count,
            reading=reading,
            clock=self._clock,
        )
        known = self._memory.known()
        response = await self._send(
            self._audit.stub().CheckAccess, request, ServiceName.ACCESS_AUDIT, reading
        )
        self._memory.learn(response.receipt.checkpoint, at_sending=known)
        return requests.read_check(response)

    async def record_accesses(
        self, accesses: Iterable[AccessToRecord]
    ) -> list[access_audit_pb2.RecordResult]:
        """Records reads that have happened; verdicts are evaluated and stored, never refused.

        Returns:
            One result an access, in order: status, record, verdict and log index.
        """
        reading = current_reading()
        results: list[access_audit_pb2.RecordResult] = []
        for batch in requests.split(accesses, size_of=lambda access: 64 * len(access.subjects)):
            request = requests.record_request(
                self.organization, batch, reading=reading, clock=self._clock
            )
            known = self._memory.known()
            response = await self._send(
                self._audit.stub().RecordAccess, request, ServiceName.ACCESS_AUDIT, reading
            )
            if response.checkpoint:
                self._memory.learn(response.checkpoint, at_sending=known)
            results += response.results
        return results

    async def put_cases(self, cases: Iterable[CaseState]) -> None:
        """Pushes cases of kinds that this application owns, split into batches."""
        for batch in requests.split(cases, size_of=lambda case: 128 * (1 + len(case.subjects))):
            request = requests.put_cases_request(self.organization, batch, clock=self._clock)
            await self._send(self._audit.stub().PutCases, request, ServiceName.ACCESS_AUDIT)

    async def put_retention_events(self, events: Iterable[tuple[str, str, dt.datetime]]) -> None:
        """Pushes starts of retention periods: (subject, event slug, aware time)."""
        for batch in requests.split(events, size_of=lambda _: 128):
            request = requests.put_retention_events_request(
                self.organization, batch, clock=self._clock
            )
            await self._send(
                self._audit.stub().PutRetentionEvents, request, ServiceName.ACCESS_AUDIT
            )

    async def _send(
        self,
        rpc: aio.UnaryUnaryMultiCallable[_Request, _Response],
        request: _Request,
        service: ServiceName,
        reading: Reading | None = None,
    ) -> _Response:
        try:
            return await rpc(request, timeout=self._timeout_s, metadata=self._metadata(reading))
        except grpc.RpcError as failure:
            raise error_from_rpc(failure, service=service) from failure
