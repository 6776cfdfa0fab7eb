"""Tables of the access audit, the same on SQLite and PostgreSQL.

Times are integer microseconds UTC, ids and digests raw bytes. Every row belongs to one
organization; `generation` counts its logs from 1. `leaves`, `tiles` and
`entries` are append-only by trigger (migration 0001), not by politeness.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "access",
    "access_subjects",
    "cases",
    "control",
    "entries",
    "epochs",
    "leaves",
    "metadata",
    "pseudonyms",
    "register_contacts",
    "register_copies",
    "retention_events",
    "rule_sets",
    "tiles",
]

metadata = MetaData()

control = Table(
    "control",
    metadata,
    Column("organization", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("range", LargeBinary, nullable=False),
    Column("last_time", BigInteger, nullable=False),
    Column("rule_set", BigInteger, nullable=False),
    Column("registers", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    CheckConstraint("size >= 0", name="control_size"),
)
"""One row per organization: its lock, the log's head, the number of the active rule
set, and how many register versions were accepted."""

leaves = Table(
    "leaves",
    metadata,
    Column("organization", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("id", LargeBinary, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("request_caller", Text),
    Column("request_digest", LargeBinary),
    PrimaryKeyConstraint("organization", "generation", "idx", name="leaves_pk"),
    UniqueConstraint("organization", "id", name="leaves_id"),
)
"""The log. `request_caller` (SPIFFE id) and `request_digest` (keyed) make repeats answerable."""

tiles = Table(
    "tiles",
    metadata,
    Column("organization", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    PrimaryKeyConstraint("organization", "generation", "level", "n", name="tiles_pk"),
)
"""Full tiles of 256 hashes (C2SP tlog-tiles) and the root of each."""

entries = Table(
    "entries",
    metadata,
    Column("organization", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("organization", "generation", "idx", name="entries_pk"),
)
"""The entries of a leaf as FORMATS discloses them: a JSON list of `[salt, key, value]` or hash."""

epochs = Table(
    "epochs",
    metadata,
    Column("organization", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("idx", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization", "generation", "number", name="epochs_pk"),
)
"""Derived from `epoch` leaves: the highest number that each names."""

pseudonyms = Table(
    "pseudonyms",
    metadata,
    Column("organization", Text, nullable=False),
    Column("lookup", LargeBinary, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    PrimaryKeyConstraint("organization", "lookup", name="pseudonyms_pk"),
    UniqueConstraint("organization", "token", name="pseudonyms_token"),
)

access = Table(
    "access",
    metadata,
    Column("organization", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("receive_time", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("application", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("counted", Boolean, nullable=False),
    Column("waiting", Boolean, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("fields", Text, nullable=False),
    Column("case_key", Text),
    PrimaryKeyConstraint("organization", "generation", "idx", name="access_pk"),
)
"""Derived from access leaves for filters and limits. `counted`: its `n` values were released;
`fields`: slugs, each between two spaces."""

Index(
    "access_actor", access.c.organization, access.c.actor, access.c.purpose, access.c.receive_time
)
Index(
    "access_case",
    access.c.organization,
    access.c.case_key,
    sqlite_where=access.c.case_key.is_not(None),
    postgresql_where=access.c.case_key.is_not(None),
)
Index(
    "access_waiting",
    access.c.organization,
    access.c.idx,
    sqlite_where=access.c.waiting,
    postgresql_where=access.c.waiting,
)

access_subjects = Table(
    "access_subjects",
    metadata,
    Column("organization", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    PrimaryKeyConstraint("organization", "generation", "idx", "subject", name="access_subjects_pk"),
)
"""Derived: the subject tokens of an access."""

Index("access_subjects_subject", access_subjects.c.organization, access_subjects.c.subject)

cases = Table(
    "cases",
    metadata,
    Column("organization", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("application", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opener", Text),
    Column("open_time", BigInteger, nullable=False),
    Column("close_time", BigInteger),
    Column("receive_time", BigInteger, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("subjects", Text, nullable=False),
    Column("assignees", Text, nullable=False),
    Column("teams", Text, nullable=False),
    PrimaryKeyConstraint("organization", "kind", "ref", name="cases_pk"),
)
"""Cases as they stand. People are tokens, `subjects`, `assignees` and `teams` JSON lists;
`receive_time` is when the case was first heard of."""

retention_events = Table(
    "retention_events",
    metadata,
    Column("organization", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("event_time", BigInteger, nullable=False),
    Column("application", Text, nullable=False),
    Column("idx", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization", "event", "subject", name="retention_events_pk"),
)

Index("retention_events_time", retention_events.c.organization, retention_events.c.event_time)
Index("retention_events_subject", retention_events.c.organization, retention_events.c.subject)

rule_sets = Table(
    "rule_sets",
    metadata,
    Column("organization", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("source", Text, nullable=False),
    Column("applied_by", Text, nullable=False),
    Column("apply_time", BigInteger, nullable=False),
    Column("request_id", LargeBinary, nullable=False),
    Column("request_caller", Text, nullable=False),
    Column("request_digest", LargeBinary, nullable=False),
    Column("activated_by", Text),
    Column("activate_time", BigInteger),
    Column("idx", BigInteger),
    PrimaryKeyConstraint("organization", "number", name="rule_sets_pk"),
    UniqueConstraint("organization", "request_id", name="rule_sets_request"),
    CheckConstraint("activated_by <> applied_by", name="rule_sets_two_persons"),
    CheckConstraint(
        "(activated_by IS NULL) = (activate_time IS NULL) "
        "AND (idx IS NULL) = (activate_time IS NULL)",
        name="rule_sets_activation",
    ),
)
"""Rule sets verbatim; `applied_by` and `activated_by` are person ids and may not be the same."""

register_copies = Table(
    "register_copies",
    metadata,
    Column("organization", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("snapshot", LargeBinary, nullable=False),
    Column("approval", LargeBinary, nullable=False),
    Column("effective_time", BigInteger, nullable=False),
    Column("accept_time", BigInteger, nullable=False),
    Column("idx", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization", "number", name="register_copies_pk"),
)
"""Verified register versions as the inventory sent them, each bound by a register leaf."""

register_contacts = Table(
    "register_contacts",
    metadata,
    Column("organization", Text, primary_key=True),
    Column("contact_time", BigInteger, nullable=False),
)
"""When the inventory was last heard for an organization."""
