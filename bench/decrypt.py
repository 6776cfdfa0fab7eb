"""Bench of the main job: encrypt and decrypt batches of 1000 through the SDK, durably recorded.

Three services run as processes and four callers of one client keep them busy. *Warm* are 1000
values of 250 customers whose keys crypto holds in memory; *cold* are values of 1000 customers,
none of whose keys it holds; *first* is the same when nobody has ever read those customers, so that
the log makes their pseudonyms too; *new* are customers whose keys Encrypt has to make.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from bench.echo import EchoClient, echoing
from bench.installation import ORGANIZATION, STAFF, Installation, running
from bench.load import Call, rate, rate_of
from bench.measures import Anchor, Measure
from bench.primitive import open_rate, seal_rate
from bench.progress import Steps
from bench.scale import Scale
from emanet.api.crypto.v1 import crypto_pb2_grpc
from emanet.client import AsyncEmanet, Case, CaseState, requests
from emanet.client.channel import ServiceName, open_aio_channel
from emanet.client.reading import make_reading
from emanet.client.values import Sealed, ToEncrypt, ToOpen

__all__ = ["measure", "steps"]

_BATCH = 1000
_CALLERS = 4
_BATCHES = 6
"""Cold, first and new ones of a round each."""

_CACHE_PAIRS = 2 * _BATCH
"""Setting of crypto in this bench: a cold batch is forgotten before its turn comes again."""

_SERVICES = ("inventory", "access_audit", "crypto")
_PURPOSE = "invoicing"
_RUN = Case("invoice_run", "R-1")
_FIELDS = ("customer.name", "customer.email", "customer.phone", "customer.address")
_UNIT = "values/s"
_TIMEOUT_S = 30.0
_SIV_OPEN = "AES-256-GCM-SIV alone: one thread opens the same values"
_SIV_SEAL = "AES-256-GCM-SIV alone: one thread seals the same values"
_ECHO = "bare grpc.aio echo over mTLS: same sizes, same callers"
_STEPS_OF_ROUND = 9


class _Sizes(NamedTuple):
    """Bytes of request and answer of one batch."""

    encrypt: tuple[int, int]
    decrypt: tuple[int, int]


def steps(scale: Scale) -> int:
    """How many steps `measure` tells of."""
    return 2 + _STEPS_OF_ROUND * scale.rounds


async def measure(scale: Scale, step: Steps) -> tuple[tuple[Measure, ...], dict[str, str]]:
    """Starts three services, measures in rounds, and ends them."""
    step("starting three services")
    settings = {"EMANET_CRYPTO_CACHE_PAIRS": str(_CACHE_PAIRS)}
    with running(_SERVICES, settings=settings) as installation, echoing(installation) as target:
        step("preparing values")
        token = installation.token(STAFF[3], "muhasebe")
        echo = EchoClient(target, installation.credentials)
        client = installation.client()
        await client.put_cases([_invoice_run()])
        async with client.reading(purpose=_PURPOSE, staff_token=token, case=_RUN):
            rounds = _Rounds(client, echo, scale=scale, step=step)
            await rounds.prepare(installation, token)
            for _ in range(scale.rounds):
                await rounds.run()
        await client.close()
        await echo.close()
    return _measures(rounds.found), {}


class _Rounds:
    """Measures everything once a round and keeps the numbers by name."""

    def __init__(self, client: AsyncEmanet, echo: EchoClient, *, scale: Scale, step: Steps) -> None:
        self.found: dict[str, list[float]] = defaultdict(list)
        self._client = client
        self._echo = echo
        self._scale = scale
        self._step = step
        self._numbers = itertools.count(1)
        self._table = self._values(_FIELDS)
        self._warm: list[ToOpen] = []
        self._cold: list[list[ToOpen]] = []
        self._sizes = _Sizes((0, 0), (0, 0))

    async def prepare(self, installation: Installation, token: str) -> None:
        """Encrypts what every round reads, and reads it once."""
        self._warm = await self._encrypt(self._table)
        self._sizes = await _sizes(installation, token, self._table, self._warm)
        for _ in range(_BATCHES):
            self._cold.append(await self._encrypt(self._values(_FIELDS[:1])))
        for sealed in self._cold:
            await self._decrypt(sealed)

    async def run(self) -> None:
        """Measures one round.

        Between `encrypt.new` and `decrypt.first` the cold batches pass through crypto's memory.
        """
        fresh = [self._values(_FIELDS[:1]) for _ in range(_BATCHES)]
        sealed: dict[int, list[Sealed]] = {}

        async def encrypt_new(number: int) -> None:
            sealed[number] = await self._seal(fresh[number])

        await self._count("encrypt.new", encrypt_new)
        first = [_to_open(items, sealed[number]) for number, items in enumerate(fresh)]
        await self._time("decrypt.cold", lambda n: self._decrypt(self._cold[n % _BATCHES]))
        await self._count("decrypt.first", lambda n: self._decrypt(first[n]))
        await self._time("decrypt.echo", lambda _: self._echo.call(*self._sizes.decrypt))
        await self._decrypt(self._warm)
        await self._time("decrypt.warm", lambda _: self._decrypt(self._warm))
        self._step("decrypt.primitive")
        seconds = self._scale.seconds / 4
        self.found["decrypt.primitive"].append(open_rate(self._table, seconds=seconds))
        await self._time("encrypt.warm", lambda _: self._seal(self._table))
        await self._time("encrypt.echo", lambda _: self._echo.call(*self._sizes.encrypt))
        self._step("encrypt.primitive")
        self.found["encrypt.primitive"].append(seal_rate(self._table, seconds=seconds))

    async def _time(self, name: str, call: Call) -> None:
        self._step(name)
        calls = await rate(call, callers=_CALLERS, seconds=self._scale.seconds)
        self.found[name].append(calls * _BATCH)

    async def _count(self, name: str, call: Call) -> None:
        self._step(name)
        calls = await rate_of(call, callers=_CALLERS, count=_BATCHES)
        self.found[name].append(calls * _BATCH)

    def _values(self, fields: Sequence[str]) -> list[ToEncrypt]:
        """A batch of values of customers that nobody has heard of."""
        found = []
        for _ in range(_BATCH // len(fields)):
            number = next(self._numbers)
            found += [
                ToEncrypt(field=each, value=_text(each, number), subject=f"customers/{number}")
                for each in fields
            ]
        return found

    async def _encrypt(self, items: Sequence[ToEncrypt]) -> list[ToOpen]:
        return _to_open(items, await self._seal(items))

    async def _seal(self, items: Sequence[ToEncrypt]) -> list[Sealed]:
        return [_sealed(result) for result in await self._client.encrypt_many(items)]

    async def _decrypt(self, sealed: Sequence[ToOpen]) -> None:
        for result in await self._client.decrypt_many(sealed):
            if isinstance(result, Exception):
                raise result


def _measures(found: dict[str, list[float]]) -> tuple[Measure, ...]:
    def one(name: str, what: str, target: float | None, siv: str) -> Measure:
        side = name.partition(".")[0]
        return Measure(
            name=name,
            what=what,
            unit=_UNIT,
            rounds=tuple(found[name]),
            anchors=(
                Anchor(name=siv, unit=_UNIT, rounds=tuple(found[f"{side}.primitive"])),
                Anchor(name=_ECHO, unit=_UNIT, rounds=tuple(found[f"{side}.echo"])),
            ),
            target=target,
        )

    return (
        one(
            "decrypt.warm", "decrypt 1000 values of 250 customers, keys in memory", 150e3, _SIV_OPEN
        ),
        one(
            "decrypt.cold",
            "decrypt 1000 values of 1000 customers, no key in memory",
            80e3,
            _SIV_OPEN,
        ),
        one("decrypt.first", "the same, customers never read before", None, _SIV_OPEN),
        one(
            "encrypt.warm", "encrypt 1000 values of 250 customers, keys in memory", 250e3, _SIV_SEAL
        ),
        one("encrypt.new", "encrypt 1000 values of 1000 new customers", None, _SIV_SEAL),
    )


async def _sizes(
    installation: Installation, token: str, plain: Sequence[ToEncrypt], sealed: Sequence[ToOpen]
) -> _Sizes:
    """Asks once without the SDK, to see the messages themselves."""
    target = installation.endpoints.target(ServiceName.CRYPTO)
    async with open_aio_channel(target, installation.credentials) as channel:
        stub = crypto_pb2_grpc.CryptoServiceStub(channel)
        encrypt = requests.encrypt_request(ORGANIZATION, plain)
        encrypted = await stub.Encrypt(encrypt, timeout=_TIMEOUT_S)
        reading = make_reading(purpose=_PURPOSE, staff_token=token, case=_RUN)
        decrypt = requests.decrypt_request(ORGANIZATION, sealed, reading=reading, action="decrypt")
        bearer = (("authorization", f"Bearer {token}"),)
        decrypted = await stub.Decrypt(decrypt, timeout=_TIMEOUT_S, metadata=bearer)
        return _Sizes(
            encrypt=(encrypt.ByteSize(), encrypted.ByteSize()),
            decrypt=(decrypt.ByteSize(), decrypted.ByteSize()),
        )


def _text(field: str, number: int) -> str:
    match field:
        case "customer.name":
            return f"Müşteri Soyadı {number:06}"
        case "customer.email":
            return f"musteri.{number:06}@example.com"
        case "customer.phone":
            return f"+90555{number:07}"
        case _:
            return f"Örnek Mahallesi, Deneme Sokağı No: {number}, Çankaya, Ankara"


def _to_open(items: Sequence[ToEncrypt], sealed: Sequence[Sealed]) -> list[ToOpen]:
    return [
        ToOpen(field=item.field, envelope=result.envelope, subject=item.subject)
        for item, result in zip(items, sealed, strict=True)
    ]


def _sealed(result: Sealed | Exception) -> Sealed:
    if isinstance(result, Exception):
        raise result
    return result


def _invoice_run() -> CaseState:
    now = dt.datetime.now(dt.UTC)
    return CaseState(kind=_RUN.kind, ref=_RUN.ref, opened_by="system", opened=now)
