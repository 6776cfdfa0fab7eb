"""Sets organizations up, and tests at start that every secret still opens what it must open."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from emanet.core.checkpoint import Vkey, format_vkey
from emanet.core.encoding import micros
from emanet.core.envelope import NONCE_BYTES, ValueType, aad, header, parse_envelope, seal_bytes
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.keyrow import OPEN_BUCKET
from emanet.core.merkle import EMPTY_ROOT
from services.crypto import storage
from services.crypto.domain.keys import NO_SUBJECT, key_name_of_bucket, key_name_of_subject
from services.crypto.keystore import Keystore
from services.crypto.storage.keys import OrganizationRow
from services.runtime.database import Database
from services.runtime.primitives import SealBrokenError, is_equal, random_bytes

__all__ = ["add_organization", "verify_canary"]

# No register class is empty, so the canary's keys belong to nobody's data and are never destroyed.
_CANARY_CLASS = ""
_CANARY_TEXT = b"emanet canary"
_CANARY_FIELD = "emanet.canary"
_SUBJECT = key_name_of_subject(_CANARY_CLASS, NO_SUBJECT)
_BUCKET = key_name_of_bucket(_CANARY_CLASS, OPEN_BUCKET)


async def add_organization(
    organization: str, *, vkey: Vkey, keystore: Keystore, database: Database, now: datetime
) -> None:
    """Makes an organization known: epoch file, key counter, pinned log key, canary.

    May be run again after it was interrupted: an epoch file without an organization in the
    database is taken over, because nothing can have been wrapped under it.

    Raises:
        StateError: ALREADY_INITIALISED, the organization is known.
        IntegrityError: LOG_CORRUPT, the key is of another organization's log.
    """
    _require_own_log(organization, vkey)
    known = await database.read(
        lambda connection: storage.keys.read_organization(connection, organization)
    )
    if known is not None:
        raise error(Reason.ALREADY_INITIALISED, resource=f"organizations/{organization}")
    if organization not in keystore.provider.organizations():
        keystore.provider.create_organization(organization)
    epoch = keystore.provider.active_epoch(organization).epoch
    now_us = micros(now)
    rows = [
        keystore.create(organization, name, epoch=epoch, now_us=now_us)
        for name in (_SUBJECT, _BUCKET)
    ]
    subject, bucket = (keystore.open(row) for row in rows)
    pair = keystore.derive(organization, keystore.verify_pair(subject=subject, bucket=bucket))
    nonce = random_bytes(NONCE_BYTES)
    head = header(sid=subject.id, bid=bucket.id, nonce=nonce)
    sealed = pair.cipher.seal(nonce, _CANARY_TEXT, _canary_aad(head, organization))
    canary = seal_bytes(header=head, commitment=pair.commitment, sealed=sealed)

    def work(connection: Connection) -> None:
        storage.keys.insert_organization(
            connection,
            OrganizationRow(organization, format_vkey(vkey), canary),
            epoch=epoch,
            root=EMPTY_ROOT,
            now_us=now_us,
        )
        storage.keys.insert_keys(connection, rows)

    await database.write(work)


async def verify_canary(row: OrganizationRow, *, keystore: Keystore, database: Database) -> None:
    """Opens the organization's canary: lookup key, epoch key, derivation and cipher at once.

    Raises:
        StateError: SECRET_UNUSABLE, the lookup key or the epoch file is another one's.
        IntegrityError: KEY_ROW_CORRUPT, ENVELOPE_INVALID, the rows or the canary were changed.
    """
    organization = row.organization
    lookups = [keystore.lookup(organization, name) for name in (_SUBJECT, _BUCKET)]
    found = await database.read(
        lambda connection: storage.keys.read_keys_by_lookup(connection, organization, lookups)
    )
    by_lookup = {stored.lookup: stored for stored in found}
    if set(by_lookup) != set(lookups):
        raise error(Reason.SECRET_UNUSABLE, secret="lookup_key")  # noqa: S106 (a file's name)
    subject, bucket = (keystore.open(by_lookup[lookup]) for lookup in lookups)
    pair = keystore.derive(organization, keystore.verify_pair(subject=subject, bucket=bucket))
    envelope = parse_envelope(row.canary)
    try:
        opened = pair.cipher.open(
            envelope.nonce, envelope.sealed, _canary_aad(envelope.header, organization)
        )
    except SealBrokenError:
        raise error(Reason.ENVELOPE_INVALID) from None
    if not is_equal(opened, _CANARY_TEXT) or not is_equal(pair.commitment, envelope.commitment):
        raise error(Reason.ENVELOPE_INVALID)


def _canary_aad(head: bytes, organization: str) -> bytes:
    return aad(
        head,
        organization=organization,
        field=_CANARY_FIELD,
        record="",
        value_type=ValueType.BYTES,
    )


def _require_own_log(organization: str, vkey: Vkey) -> None:
    parts = vkey.name.split("/")
    if len(parts) != 4 or parts[2] != organization:
        raise _foreign_log()


def _foreign_log() -> EmanetError:
    return error(Reason.LOG_CORRUPT, problem="the verifier key is of another organization's log")
