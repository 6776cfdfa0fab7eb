"""Composition of the access audit: settings in, one hosted service out."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from grpc import aio

from emanet.api.access_audit.v1 import (
    access_audit_pb2,
    access_audit_pb2_grpc,
    log_pb2,
    log_pb2_grpc,
    rules_pb2,
    rules_pb2_grpc,
)
from emanet.client.channel import Credentials, open_aio_channel
from emanet.core.checkpoint import Checkpoint, format_origin
from emanet.core.encoding import micros
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.merkle import CompactRange
from services.access_audit import storage
from services.access_audit.authorisation import ROWS
from services.access_audit.background import Background
from services.access_audit.config import (
    LOG_SEED,
    PSEUDONYM_KEY,
    REQUEST_KEY,
    AccessAuditSettings,
)
from services.access_audit.parts import Operations, compose_core, compose_operations
from services.access_audit.servicer.access import AccessAuditServicer
from services.access_audit.servicer.log import LogServicer
from services.access_audit.servicer.rules import RulesServicer
from services.access_audit.signer import CheckpointFiles, LogKeys
from services.access_audit.storage.log import Control, LogKey
from services.access_audit.tables import metadata
from services.runtime.command import PASSPHRASE, Host, ServiceDefinition
from services.runtime.health import HealthCheck, Latch
from services.runtime.serve import Registration, Service
from services.runtime.settings import Mode

__all__ = ["DEFINITION", "build"]


def build(host: Host[AccessAuditSettings]) -> Service:
    """Composes the service from its explicit parts."""
    core = compose_core(host)
    inventory = Latch("inventory")
    background = Background(
        database=host.database,
        committer=core.committer,
        contacts=core.contacts,
        keyring=core.keyring,
        warnings=core.warnings,
        clock=host.clock,
        inventory=inventory,
        files=core.files,
        channel=lambda: _inventory_channel(host.settings),
    )
    return Service(
        registrations=_registrations(compose_operations(core)),
        authorisation=ROWS,
        health_checks=(
            inventory.check(),
            HealthCheck(name="committer", probe=core.committer.verify_alive),
        ),
        start=background.start,
        stop=background.stop,
    )


def _registrations(operations: Operations) -> tuple[Registration, ...]:
    access = AccessAuditServicer(
        info=operations.info,
        accesses=operations.accesses,
        facts=operations.facts,
        due=operations.due,
        reviews=operations.reviews,
    )
    rules = RulesServicer(operations.rule_sets)
    log = LogServicer(reads=operations.reads, exports=operations.exports)
    return (
        Registration(
            descriptor=access_audit_pb2.DESCRIPTOR.services_by_name["AccessAuditService"],
            add=lambda server: access_audit_pb2_grpc.add_AccessAuditServiceServicer_to_server(
                access, server
            ),
        ),
        Registration(
            descriptor=rules_pb2.DESCRIPTOR.services_by_name["RulesService"],
            add=lambda server: rules_pb2_grpc.add_RulesServiceServicer_to_server(rules, server),
        ),
        Registration(
            descriptor=log_pb2.DESCRIPTOR.services_by_name["LogService"],
            add=lambda server: log_pb2_grpc.add_LogServiceServicer_to_server(log, server),
        ),
    )


def _inventory_channel(settings: AccessAuditSettings) -> aio.Channel:
    runtime = settings.runtime
    credentials = Credentials.from_files(
        ca=runtime.ca_file, certificate=runtime.cert_file, key=runtime.key_file
    )
    return open_aio_channel(settings.inventory_target, credentials)


async def _add_organization(host: Host[AccessAuditSettings], organization: str) -> None:
    """Epoch file, verifier key and empty checkpoint first; the control row makes it known."""
    known = host.database.read_now(
        lambda connection: storage.log.load_control(connection, organization)
    )
    if known is not None:
        raise error(Reason.ALREADY_INITIALISED, resource=f"organizations/{organization}")
    runtime = host.settings.runtime
    origin = format_origin(
        installation=runtime.installation,
        organization=organization,
        generation=1,
        dev=runtime.mode is Mode.DEV,
    )
    log_keys = LogKeys(host.read_key(LOG_SEED))
    files = CheckpointFiles(host.settings.state_dir, log_keys)
    saved = files.read(organization, origin)
    if saved is not None and saved.size:
        # A log of this origin was acknowledged before; a second one would be a fork of it.
        raise error(Reason.LOG_BEHIND)
    keyring = host.open_keyring()
    with suppress(EmanetError):
        keyring.create_organization(organization)
    keyring.active_epoch(organization)
    files.write_vkey(organization, origin)
    empty = Checkpoint(origin=origin, size=0, root=CompactRange().root())
    files.write(organization, log_keys.sign(empty))
    files.close()
    control = Control(
        log=LogKey(organization=organization, generation=1),
        origin=origin,
        frontier=CompactRange(),
        last_us=0,
        rule_set=0,
        registers=0,
    )
    created_us = micros(host.clock.now())
    host.database.write_now(
        lambda connection: storage.log.add_control(connection, row=control, created_us=created_us)
    )


DEFINITION = ServiceDefinition(
    settings=AccessAuditSettings,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    build=build,
    add_organization=_add_organization,
    root_secrets=(LOG_SEED, PSEUDONYM_KEY, REQUEST_KEY, PASSPHRASE),
)
