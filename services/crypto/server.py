"""Composes the crypto service: sealed → unseal → known answers and canaries → serve."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from emanet.api.crypto.v1 import crypto_pb2, crypto_pb2_grpc, keys_pb2, keys_pb2_grpc
from emanet.core.checkpoint import Vkey, parse_vkey
from emanet.core.errors import EmanetError, Reason, error
from services.crypto.audit import AuditGateway
from services.crypto.authorisation import ROWS
from services.crypto.background import Background
from services.crypto.cache import PairCaches
from services.crypto.channels import ServiceChannel
from services.crypto.config import CryptoSettings
from services.crypto.destruction_steps import DestructionSteps
from services.crypto.destruction_worker import DestructionWorker
from services.crypto.keys import KeyFinder
from services.crypto.keystore import Keystore
from services.crypto.logs import LogKeeper
from services.crypto.operations.decrypt import DecryptOperation
from services.crypto.operations.destroy import DestroyOperation
from services.crypto.operations.encrypt import EncryptOperation
from services.crypto.paging import PageTokens
from services.crypto.registers import Registers
from services.crypto.selftest import verify_primitives
from services.crypto.servicer.keys import KeyServicer
from services.crypto.servicer.values import CryptoServicer
from services.crypto.setup import add_organization, verify_canary
from services.crypto.tables import metadata
from services.crypto.tenants import Tenants
from services.runtime.command import PASSPHRASE, Host, ServiceDefinition
from services.runtime.health import Latch
from services.runtime.serve import Registration, Service

__all__ = ["LOOKUP_KEY", "definition"]

LOOKUP_KEY = "lookup_key"
"""File name of the key under which key rows are found."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_log = structlog.get_logger(__name__)


def definition(*, vkey_files: Sequence[Path] = ()) -> ServiceDefinition[CryptoSettings]:
    """What the command line needs to know about crypto.

    Args:
        vkey_files: for add-organization: the verifier keys that access_audit wrote, one file and
            line each; a key's name says whose log it is of.
    """

    async def add(host: Host[CryptoSettings], organization: str) -> None:
        await add_organization(
            organization,
            vkey=_vkey_of(organization, vkey_files),
            keystore=_open_keystore(host),
            database=host.database,
            now=host.clock.now(),
        )

    return ServiceDefinition(
        settings=CryptoSettings,
        metadata=metadata,
        migrations=_MIGRATIONS,
        build=_build,
        add_organization=add,
        root_secrets=(PASSPHRASE, LOOKUP_KEY),
    )


def _build(host: Host[CryptoSettings]) -> Service:
    settings, database, clock = host.settings, host.database, host.clock
    audit_reached = Latch("access_audit")
    audit_channel = ServiceChannel(settings.access_audit_target, settings.runtime)
    inventory_channel = ServiceChannel(settings.inventory_target, settings.runtime)
    audit = AuditGateway(audit_channel.current)
    keystore = _open_keystore(host)
    registers = Registers(database)
    tenants = Tenants(
        database=database,
        registers=registers,
        state_dir=settings.state_dir,
        verify=partial(verify_canary, keystore=keystore, database=database),
    )
    caches = PairCaches(settings.cache_pairs)
    finder = KeyFinder(database=database, keystore=keystore, caches=caches)
    steps = DestructionSteps(
        database=database,
        keystore=keystore,
        tenants=tenants,
        caches=caches,
        audit=audit,
        clock=clock,
        longest_rpc=timedelta(seconds=settings.runtime.max_deadline_seconds),
    )
    worker = DestructionWorker(database=database, tenants=tenants, steps=steps, clock=clock)
    key_servicer = KeyServicer(
        destroying=DestroyOperation(
            database=database,
            keystore=keystore,
            tenants=tenants,
            steps=steps,
            audit=audit,
            clock=clock,
        ),
        tokens=PageTokens(keystore.page_key()),
    )
    background = Background(
        tenants=tenants,
        registers=registers,
        database=database,
        keeper=LogKeeper(database=database, audit=audit),
        inventory=inventory_channel,
        clock=clock,
        audit=audit_channel,
        reached=audit_reached,
        proof_interval_s=settings.consistency_interval_seconds,
    )
    servicer = CryptoServicer(
        settings=settings.runtime,
        tenants=tenants,
        encrypting=EncryptOperation(tenants=tenants, finder=finder, clock=clock),
        decrypting=DecryptOperation(
            tenants=tenants,
            finder=finder,
            audit=audit,
            clock=clock,
            audit_timeout_s=settings.audit_timeout_seconds,
        ),
        clock=clock,
    )

    async def start() -> None:
        verify_primitives()
        await tenants.load()
        background.start()
        background.run_every(settings.destruction_interval_seconds, worker.run_once)
        _log.info("crypto.unsealed", organizations=len(tenants.all()))

    async def stop() -> None:
        await background.stop()
        await audit_channel.close()
        await inventory_channel.close()

    return Service(
        registrations=(
            Registration(
                descriptor=crypto_pb2.DESCRIPTOR.services_by_name["CryptoService"],
                add=lambda server: crypto_pb2_grpc.add_CryptoServiceServicer_to_server(
                    servicer, server
                ),
            ),
            Registration(
                descriptor=keys_pb2.DESCRIPTOR.services_by_name["KeyService"],
                add=lambda server: keys_pb2_grpc.add_KeyServiceServicer_to_server(
                    key_servicer, server
                ),
            ),
        ),
        authorisation=ROWS,
        health_checks=(audit_reached.check(),),
        start=start,
        stop=stop,
    )


def _open_keystore(host: Host[CryptoSettings]) -> Keystore:
    return Keystore(provider=host.open_keyring(), lookup_key=host.read_key(LOOKUP_KEY))


def _vkey_of(organization: str, paths: Sequence[Path]) -> Vkey:
    for path in paths:
        try:
            vkey = parse_vkey(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            raise _vkey_problem(f"the file {path.name} cannot be read") from None
        if vkey.name.split("/")[2:3] == [organization]:
            return vkey
    raise _vkey_problem("add-organization needs --vkey-file, the verifier key of its log")


def _vkey_problem(problem: str) -> EmanetError:
    return error(Reason.CONFIG_INVALID, problem=problem)
