"""Pseudonyms of subjects and staff: found by a keyed lookup, opened with the epoch key.

The token goes into the log; salt and reference stay wrapped in the row. Formats:
docs/formats/leaf.md, "Pseudonyms".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emanet.core import pseudonym
from emanet.core.errors import EmanetError, Reason, error
from services.access_audit.domain.party import Party
from services.runtime.keyring import EpochKey, KeyProvider
from services.runtime.primitives import NONCE_BYTES, SealBrokenError, hmac_sha256, random_bytes

__all__ = ["PseudonymRow", "Vault"]


@dataclass(frozen=True, slots=True)
class PseudonymRow:
    """One row as it is stored.

    Attributes:
        lookup: keyed hash of the reference, 32 bytes.
        namespace: in clear.
        token: 32 base64url characters.
        epoch: number of the epoch key that wraps.
        wrapped: nonce(12) ‖ sealed salt and reference.
    """

    lookup: bytes
    namespace: str
    token: str
    epoch: int
    wrapped: bytes


class Vault:
    """Makes and opens pseudonym rows; safe for use from several threads."""

    def __init__(self, *, lookup_key: bytes, keyring: KeyProvider) -> None:
        """Keeps the lookup key (32 bytes) and the provider of epoch keys."""
        self._lookup_key = lookup_key
        self._keyring = keyring

    def __repr__(self) -> str:
        return "Vault(...)"

    def lookup(self, organization: str, party: Party) -> bytes:
        """The 32 bytes under which a party's row is found."""
        return hmac_sha256(
            self._lookup_key,
            pseudonym.lookup_message(organization, party.namespace, party.ref),
        )

    def create(self, organization: str, parties: Mapping[bytes, Party]) -> list[PseudonymRow]:
        """Makes a row for each party, by lookup, each with a fresh salt under the active epoch.

        Raises:
            StateError: SECRET_UNUSABLE, the organization's epoch file does not open.
        """
        epoch = self._keyring.active_epoch(organization)
        return [
            self._create(organization, party, lookup=lookup, epoch=epoch)
            for lookup, party in parties.items()
        ]

    def _create(
        self, organization: str, party: Party, *, lookup: bytes, epoch: EpochKey
    ) -> PseudonymRow:
        drawn = random_bytes(pseudonym.SALT_BYTES + NONCE_BYTES)
        salt, nonce = drawn[: pseudonym.SALT_BYTES], drawn[pseudonym.SALT_BYTES :]
        token = pseudonym.token(salt, organization, party.namespace, party.ref)
        wrapped = epoch.wrap(
            pseudonym.row_plaintext(salt=salt, ref=party.ref),
            _aad(organization, party.namespace, lookup, token, epoch.epoch),
            nonce=nonce,
        )
        return PseudonymRow(
            lookup=lookup,
            namespace=party.namespace,
            token=token,
            epoch=epoch.epoch,
            wrapped=wrapped,
        )

    def open(self, organization: str, row: PseudonymRow) -> Party:
        """Tells whom a row stands for, once everything about it fits.

        Raises:
            IntegrityError: PSEUDONYM_CORRUPT, the row was changed or swapped with another.
            StateError: KEY_DESTROYED or SECRET_UNUSABLE, its epoch is gone.
        """
        epoch = self._keyring.epoch(organization, row.epoch)
        aad = _aad(organization, row.namespace, row.lookup, row.token, row.epoch)
        try:
            salt, ref = pseudonym.parse_row_plaintext(epoch.unwrap(row.wrapped, aad))
        except SealBrokenError:
            raise _corrupt() from None
        pseudonym.verify_token(
            row.token, salt=salt, organization=organization, namespace=row.namespace, ref=ref
        )
        party = Party(row.namespace, ref)
        if self.lookup(organization, party) != row.lookup:
            raise _corrupt()
        return party


def _aad(organization: str, namespace: str, lookup: bytes, token: str, epoch: int) -> bytes:
    return pseudonym.row_aad(
        organization=organization, namespace=namespace, lookup=lookup, token=token, epoch=epoch
    )


def _corrupt() -> EmanetError:
    return error(Reason.PSEUDONYM_CORRUPT)
