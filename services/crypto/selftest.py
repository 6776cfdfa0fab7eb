"""Known-answer tests: before it serves, crypto proves that its primitives still compute.

The vectors are published ones, so that a broken library, a wrong build or a changed format shows
at start and not in data: AES-256-GCM-SIV from RFC 8452 appendix C.2, HKDF-SHA256 from RFC 5869
appendix A.3 (empty salt), HMAC-SHA256 from RFC 4231 section 4.3, and one envelope of
docs/formats/envelope.md.
"""

from __future__ import annotations

from emanet.core.envelope import ValueType, aad, parse_envelope
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.keyrow import KEY_BYTES, PAIR_BYTES, pair_info
from services.runtime.primitives import (
    GcmSiv,
    SealBrokenError,
    hkdf_sha256,
    hmac_sha256,
    is_equal,
)

__all__ = ["verify_primitives"]

_GCM_SIV_KEY = bytes.fromhex("0100000000000000000000000000000000000000000000000000000000000000")
_GCM_SIV_NONCE = bytes.fromhex("030000000000000000000000")
_GCM_SIV_PLAINTEXT = bytes.fromhex("0200000000000000")
_GCM_SIV_AAD = bytes.fromhex("01")
_GCM_SIV_SEALED = bytes.fromhex("1de22967237a813291213f267e3b452f02d01ae33e4ec854")

_HKDF_IKM = bytes.fromhex("0b" * 22)
_HKDF_OKM = bytes.fromhex(
    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
)

_HMAC_KEY = b"Jefe"
_HMAC_MESSAGE = b"what do ya want for nothing?"
_HMAC_TAG = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")

_ORGANIZATION, _FIELD, _RECORD = "cinaralti", "customer.email", "customers/7"
_KEY_S = bytes.fromhex("fb93560b59c87ccc011a1916535edc8bf3bd93886933cae5982768fa93ca6fd7")
_KEY_B = bytes.fromhex("f542c42cad2d0b654b4c5a30ff9cafa4cde48cacdd588539546ceda6140c7030")
_ENVELOPE = bytes.fromhex(
    "01015068bfb48c18613da3e43b806e1b8b10db524dcdbb53c984d5bc8cc2f451f7cd3ca48640961d297a70f307e7"
    "b680cc66a17c05204ce92a06d26edfad2ac8799402ce406e6a5b6807beee49ef8cef78716f94f92cc1018fa8f466"
    "fba47fa9ca2ca56f5bae8e9d115aa946bed4af"
)
_PLAINTEXT = bytes.fromhex("6179c59f65406578616d706c652e636f6d")


def verify_primitives() -> None:
    """Raises unless every known answer comes out.

    Raises:
        StateError: CONFIG_INVALID, naming the primitive that does not compute what it must.
    """
    cipher = GcmSiv(_GCM_SIV_KEY)
    sealed = cipher.seal(_GCM_SIV_NONCE, _GCM_SIV_PLAINTEXT, _GCM_SIV_AAD)
    _require(sealed == _GCM_SIV_SEALED, "AES-256-GCM-SIV")
    _require(
        cipher.open(_GCM_SIV_NONCE, sealed, _GCM_SIV_AAD) == _GCM_SIV_PLAINTEXT, "AES-256-GCM-SIV"
    )
    _require(hkdf_sha256(_HKDF_IKM, info=b"", length=42) == _HKDF_OKM, "HKDF-SHA256")
    _require(hmac_sha256(_HMAC_KEY, _HMAC_MESSAGE) == _HMAC_TAG, "HMAC-SHA256")
    _require(_opened_vector() == _PLAINTEXT, "the envelope")


def _opened_vector() -> bytes:
    envelope = parse_envelope(_ENVELOPE)
    info = pair_info(organization=_ORGANIZATION, sid=envelope.sid, bid=envelope.bid)
    okm = hkdf_sha256(_KEY_S + _KEY_B, info=info, length=PAIR_BYTES)
    bound = aad(
        envelope.header,
        organization=_ORGANIZATION,
        field=_FIELD,
        record=_RECORD,
        value_type=ValueType.TEXT,
    )
    if not is_equal(okm[KEY_BYTES:], envelope.commitment):
        return b""
    try:
        return GcmSiv(okm[:KEY_BYTES]).open(envelope.nonce, envelope.sealed, bound)
    except SealBrokenError:
        return b""


def _require(holds: bool, primitive: str) -> None:
    if not holds:
        raise _broken(primitive)


def _broken(primitive: str) -> EmanetError:
    return error(Reason.CONFIG_INVALID, problem=f"the self-test of {primitive} failed")
