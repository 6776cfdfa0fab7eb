"""How long 1,000 fields take here, measured at the end of a run; the median of three."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from emanet.client import Case, ToEncrypt
from examples.demo.attacks import Scene

__all__ = ["ROUNDS", "Speed", "measure"]

FIELDS = 1_000
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds for 1,000 fields, from the client's side, record durable."""

    fields: int
    encrypt_ms: float
    decrypt_ms: float


def measure(scene: Scene, cases: Sequence[Case]) -> Speed:
    """Encrypts and opens 1,000 invoice addresses; each round is a case of its own."""
    house = scene.house("hosting")
    store, client = scene.stores[house.folder], scene.installation.client(house)
    rows = range(1, FIELDS + 1)
    token = scene.installation.token(house.people["muhasebe"][0], client=house.panel)
    plain = [
        ToEncrypt("invoice.address", store.text_of("invoice.address", row), subject=item.subject)
        for row, item in zip(rows, store.to_open(("invoice.address",), rows), strict=True)
    ]
    items = store.to_open(("invoice.address",), rows)
    encrypt, decrypt = [], []
    for case in cases:
        started = time.perf_counter()
        client.encrypt_many(plain)
        encrypt.append(time.perf_counter() - started)
        statement = client.reading(purpose="invoicing", staff_token=token, case=case)
        started = time.perf_counter()
        with statement:
            client.decrypt_many(items, action="export")
        decrypt.append(time.perf_counter() - started)
    client.close()
    return Speed(
        fields=FIELDS,
        encrypt_ms=statistics.median(encrypt) * 1000,
        decrypt_ms=statistics.median(decrypt) * 1000,
    )
