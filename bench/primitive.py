"""The bare primitive: AES-256-GCM-SIV over given values in this process, keys made beforehand."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from bench.installation import ORGANIZATION
from emanet.client.values import ToEncrypt
from emanet.core.envelope import KEY_ID_BYTES, NONCE_BYTES, ValueType, aad, header

__all__ = ["open_rate", "seal_rate"]

_KEY_BITS = 256
_Prepared = list[tuple[AESGCMSIV, bytes, bytes, bytes]]


def seal_rate(items: Sequence[ToEncrypt], *, seconds: float) -> float:
    """Values per second that one thread seals."""
    prepared = _prepared(items)
    end, started, count = time.perf_counter() + seconds, time.perf_counter(), 0
    while time.perf_counter() < end:
        for cipher, nonce, value, bound in prepared:
            cipher.encrypt(nonce, value, bound)
        count += len(prepared)
    return count / (time.perf_counter() - started)


def open_rate(items: Sequence[ToEncrypt], *, seconds: float) -> float:
    """Values per second that one thread opens."""
    prepared = [
        (cipher, nonce, cipher.encrypt(nonce, value, bound), bound)
        for cipher, nonce, value, bound in _prepared(items)
    ]
    end, started, count = time.perf_counter() + seconds, time.perf_counter(), 0
    while time.perf_counter() < end:
        for cipher, nonce, sealed, bound in prepared:
            cipher.decrypt(nonce, sealed, bound)
        count += len(prepared)
    return count / (time.perf_counter() - started)


def _prepared(items: Sequence[ToEncrypt]) -> _Prepared:
    """Each value with the cipher of its customer, a nonce and associated data as Emanet's."""
    ciphers = {item.subject: AESGCMSIV(AESGCMSIV.generate_key(_KEY_BITS)) for item in items}
    found: _Prepared = []
    for item in items:
        nonce = os.urandom(NONCE_BYTES)
        head = header(sid=bytes(KEY_ID_BYTES), bid=bytes(KEY_ID_BYTES), nonce=nonce)
        bound = aad(
            head,
            organization=ORGANIZATION,
            field=item.field,
            record=item.subject,
            value_type=ValueType.TEXT,
        )
        value = item.value.encode() if isinstance(item.value, str) else item.value
        found.append((ciphers[item.subject], nonce, value, bound))
    return found
