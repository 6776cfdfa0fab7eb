"""Tables of the crypto service; both databases have the same.

What is not here: the KEK, the epoch keys and the lookup key. They lie in files outside the database
and its backups, so that a stolen or restored database opens nothing.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

__all__ = [
    "destruction_keys",
    "destructions",
    "key_counters",
    "key_rows",
    "leases",
    "log_memory",
    "metadata",
    "organizations",
    "register_contacts",
    "register_versions",
    "rotations",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

organizations = Table(
    "organizations",
    metadata,
    Column("organization", Text, primary_key=True),
    Column("vkey", Text, nullable=False),  # verifier key of the log, pinned at set-up
    Column("created", BigInteger, nullable=False),
    Column("canary", LargeBinary, nullable=False),  # envelope of a known text
)

key_counters = Table(
    "key_counters",
    metadata,
    Column("organization", ForeignKey("organizations.organization"), primary_key=True),
    Column("counter", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),  # wraps new rows
    CheckConstraint("counter >= 1", name="counter"),
    CheckConstraint("epoch >= 1", name="epoch"),
)

key_rows = Table(
    "key_rows",
    metadata,
    Column("organization", ForeignKey("organizations.organization"), primary_key=True),
    Column("id", LargeBinary(16), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("retention_class", Text, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("lookup", LargeBinary(32), unique=True),
    Column("epoch", BigInteger),
    Column("row_version", BigInteger),
    Column("created", BigInteger, nullable=False),
    Column("destroyed", BigInteger),
    Column("wrapped", LargeBinary),
    CheckConstraint("kind IN ('subject', 'bucket', 'pair')", name="kind"),
    CheckConstraint("state IN ('active', 'held', 'destroyed')", name="state"),
    # A tombstone holds nothing that opens or finds anything; a living row holds all of it.
    CheckConstraint(
        "CASE WHEN state = 'destroyed'"
        " THEN lookup IS NULL AND wrapped IS NULL AND epoch IS NULL AND row_version IS NULL"
        " AND destroyed IS NOT NULL"
        " ELSE lookup IS NOT NULL AND wrapped IS NOT NULL AND epoch IS NOT NULL"
        " AND row_version IS NOT NULL AND destroyed IS NULL END",
        name="tombstone",
    ),
    Index(None, "organization", "epoch", "id"),
    Index(None, "organization", "kind", "retention_class", "bucket"),
)

log_memory = Table(
    "log_memory",
    metadata,
    Column("organization", ForeignKey("organizations.organization"), primary_key=True),
    Column("size", BigInteger, nullable=False),  # largest signed size seen
    Column("root", LargeBinary(32), nullable=False),
    Column("proven_size", BigInteger, nullable=False),  # up to here history is proven
    Column("proven_root", LargeBinary(32), nullable=False),
    Column("fault", Text, nullable=False),  # reason that stopped decryption; empty = none
)

register_versions = Table(
    "register_versions",
    metadata,
    Column("organization", ForeignKey("organizations.organization"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("effective", BigInteger, nullable=False),
    Column("snapshot", LargeBinary, nullable=False),
    Column("approval", LargeBinary, nullable=False),
)

register_contacts = Table(
    "register_contacts",
    metadata,
    Column("organization", ForeignKey("organizations.organization"), primary_key=True),
    Column("contact", BigInteger, nullable=False),  # inventory last heard
)

destructions = Table(
    "destructions",
    metadata,
    Column("organization", ForeignKey("organizations.organization"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("request_digest", LargeBinary(32), nullable=False),
    Column("ground", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("plan", LargeBinary, nullable=False),  # canonical JSON of items and leaf ids
    Column("requested", BigInteger, nullable=False),
    Column("destroyed", BigInteger),
    Column("rotation", BigInteger),  # old epoch whose end covers this destruction
    Column("key_count", Integer, nullable=False),
    Column("unreadable_from", BigInteger),
    Column("evidence", Text, nullable=False),
    Column("receipt", LargeBinary),
    CheckConstraint(
        "state IN ('planned', 'intended', 'keys_destroyed', 'epoch_destroyed', 'receipted',"
        " 'nothing_destroyed')",
        name="state",
    ),
    CheckConstraint("(state = 'receipted') = (receipt IS NOT NULL)", name="receipt"),
    Index(None, "organization", "request_id", unique=True),
    Index(None, "state"),
)

destruction_keys = Table(
    "destruction_keys",
    metadata,
    Column("organization", ForeignKey("organizations.organization"), primary_key=True),
    Column("key_id", LargeBinary(16), primary_key=True),
    Column("destruction", Text, nullable=False),
    Index(None, "organization", "destruction"),
)

rotations = Table(
    "rotations",
    metadata,
    Column("organization", ForeignKey("organizations.organization"), primary_key=True),
    Column("old_epoch", BigInteger, primary_key=True),
    Column("new_epoch", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("finished", BigInteger),
    Column("evidence", LargeBinary(32)),  # digest of the provider's state without the epoch
    Column("leaf", Text, nullable=False),  # id of the leaf that records the old epoch's end
    Column("receipt", LargeBinary),  # canonical JSON of that leaf's log receipt
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)
