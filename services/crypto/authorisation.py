"""Who may call the crypto service."""

from __future__ import annotations

from services.runtime.authorisation import Duty, Row, Staffing

__all__ = ["ROWS"]

_CRYPTO = "emanet.api.crypto.v1.CryptoService"
_KEYS = "emanet.api.crypto.v1.KeyService"
_DPO = frozenset({Duty.DPO})

ROWS: tuple[Row, ...] = (
    Row(rpc=f"{_CRYPTO}/GetServiceInfo"),
    Row(rpc=f"{_CRYPTO}/Encrypt"),
    # access_audit decides about the person; the token is forwarded to it unchanged.
    Row(rpc=f"{_CRYPTO}/Decrypt", staffing=Staffing.OPTIONAL),
    Row(
        rpc=f"{_KEYS}/DestroySubject",
        staffing=Staffing.REQUIRED,
        duties=_DPO,
        fresh_login=True,
    ),
    Row(
        rpc=f"{_KEYS}/DestroyBucket",
        staffing=Staffing.REQUIRED,
        duties=_DPO,
        fresh_login=True,
    ),
    Row(
        rpc=f"{_KEYS}/GetDestruction",
        staffing=Staffing.REQUIRED,
        duties=_DPO | {Duty.AUDITOR},
    ),
    Row(
        rpc=f"{_KEYS}/ListDestructions",
        staffing=Staffing.REQUIRED,
        duties=_DPO | {Duty.AUDITOR},
    ),
)
