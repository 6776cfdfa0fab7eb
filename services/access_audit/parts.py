"""The parts of the access audit, composed once from what the runtime gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.access_audit.committer import Committer
from services.access_audit.config import (
    LOG_SEED,
    PSEUDONYM_KEY,
    REQUEST_KEY,
    AccessAuditSettings,
)
from services.access_audit.ground import Contacts
from services.access_audit.heads import Heads
from services.access_audit.jobs.access import AccessDesk
from services.access_audit.operations.access import Accesses
from services.access_audit.operations.due import DueSubjects
from services.access_audit.operations.export import LogExports
from services.access_audit.operations.facts import Facts
from services.access_audit.operations.info import ServiceInfo
from services.access_audit.operations.log import LogReads
from services.access_audit.operations.review import Reviews
from services.access_audit.operations.rules import RuleSets
from services.access_audit.reading import ClaimReader
from services.access_audit.requestkeys import RequestKeys
from services.access_audit.shelf import Shelf
from services.access_audit.signer import CheckpointFiles, LogKeys
from services.access_audit.startcheck import LogCheck
from services.access_audit.vault import Vault
from services.access_audit.warnings import Warnings
from services.runtime.command import Host
from services.runtime.keyring import PassphraseKeyring

__all__ = ["Core", "Operations", "compose_core", "compose_operations"]


@dataclass(frozen=True, slots=True)
class Core:
    """What the operations stand on."""

    host: Host[AccessAuditSettings]
    log_keys: LogKeys
    request_keys: RequestKeys
    keyring: PassphraseKeyring
    vault: Vault
    warnings: Warnings
    files: CheckpointFiles
    heads: Heads
    committer: Committer
    contacts: Contacts
    shelf: Shelf

    @property
    def desk(self) -> AccessDesk:
        """What access jobs need."""
        return AccessDesk(shelf=self.shelf, contacts=self.contacts)


@dataclass(frozen=True, slots=True)
class Operations:
    """One object for each group of RPCs."""

    info: ServiceInfo
    accesses: Accesses
    facts: Facts
    due: DueSubjects
    reviews: Reviews
    rule_sets: RuleSets
    reads: LogReads
    exports: LogExports


def compose_core(host: Host[AccessAuditSettings]) -> Core:
    """Reads the root secrets and builds what the operations stand on; starts nothing.

    Raises:
        StateError: SECRET_UNUSABLE, a root secret cannot be read.
    """
    settings = host.settings
    keyring = host.open_keyring()
    log_keys = LogKeys(host.read_key(LOG_SEED))
    vault = Vault(lookup_key=host.read_key(PSEUDONYM_KEY), keyring=keyring)
    warnings = Warnings()
    check = LogCheck(
        vault=vault,
        warnings=warnings,
        leaves=settings.start_check_leaves,
        entries=settings.start_check_entries,
    )
    files = CheckpointFiles(settings.state_dir, log_keys)
    heads = Heads(keys=log_keys, files=files, check=check.run)
    return Core(
        host=host,
        log_keys=log_keys,
        request_keys=RequestKeys(host.read_key(REQUEST_KEY)),
        keyring=keyring,
        vault=vault,
        warnings=warnings,
        files=files,
        heads=heads,
        committer=Committer(
            database=host.database,
            heads=heads,
            vault=vault,
            clock=host.clock,
            queue_items=settings.queue_items,
            batch_items=settings.batch_items,
            clock_tolerance=timedelta(seconds=settings.clock_tolerance_seconds),
        ),
        contacts=Contacts(stale_after=timedelta(seconds=settings.register_stale_seconds)),
        shelf=Shelf(),
    )


def compose_operations(core: Core) -> Operations:
    """Builds the operations over the core."""
    host = core.host
    reader = ClaimReader(principals=host.principals, tokens=host.tokens)
    reads = LogReads(
        database=host.database,
        committer=core.committer,
        heads=core.heads,
        keys=core.log_keys,
    )
    return Operations(
        info=_info(core),
        accesses=Accesses(
            committer=core.committer,
            reader=reader,
            keys=core.request_keys,
            desk=core.desk,
            clock=host.clock,
            warnings=core.warnings,
        ),
        facts=Facts(
            committer=core.committer,
            keys=core.request_keys,
            shelf=core.shelf,
            clock=host.clock,
        ),
        due=DueSubjects(
            database=host.database,
            keys=core.request_keys,
            shelf=core.shelf,
            vault=core.vault,
            clock=host.clock,
        ),
        reviews=Reviews(
            database=host.database,
            committer=core.committer,
            reader=reader,
            keys=core.request_keys,
            vault=core.vault,
            desk=core.desk,
            clock=host.clock,
        ),
        rule_sets=RuleSets(
            database=host.database,
            committer=core.committer,
            keys=core.request_keys,
            shelf=core.shelf,
        ),
        reads=reads,
        exports=LogExports(
            database=host.database,
            committer=core.committer,
            reads=reads,
            keys=core.log_keys,
            reader=reader,
            desk=core.desk,
            clock=host.clock,
        ),
    )


def _info(core: Core) -> ServiceInfo:
    settings = core.host.settings
    return ServiceInfo(
        settings=settings.runtime,
        database=core.host.database,
        heads=core.heads,
        contacts=core.contacts,
        warnings=core.warnings,
        principals=core.host.principals,
        clock=core.host.clock,
        degraded_after=timedelta(seconds=settings.register_degraded_seconds),
    )
