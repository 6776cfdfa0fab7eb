"""Tables of the inventory, the same on SQLite and PostgreSQL.

Times are integer microseconds UTC, ids and digests raw bytes, persons are person ids. What a table
may not become is written down twice: here as checks and unique indexes, and in migration 0001 as
triggers (an approved version never changes, nobody approves what they edited).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

__all__ = ["draft_editors", "drafts", "metadata", "requests", "version_editors", "versions"]

metadata = MetaData()

drafts = Table(
    "drafts",
    metadata,
    Column("organization", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("etag", Text, nullable=False),
    Column("register", LargeBinary, nullable=False),
    Column("update_time", BigInteger, nullable=False),
    CheckConstraint("revision >= 0", name="drafts_revision"),
)
"""One row per organization: its draft, and the lock that orders everything done to it.

`register` is canonical JSON; `etag` follows from it and from `revision`, so a changed byte shows.
"""

draft_editors = Table(
    "draft_editors",
    metadata,
    Column("organization", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization", "person", name="draft_editors_pk"),
    ForeignKeyConstraint(
        ["organization"], ["drafts.organization"], name="draft_editors_organization"
    ),
)
"""Who edited the draft since the last approved version, and the last revision each of them made."""

versions = Table(
    "versions",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("organization", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("snapshot", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("submit_time", BigInteger, nullable=False),
    Column("approver", Text),
    Column("approve_time", BigInteger),
    Column("effective_time", BigInteger),
    Column("approval", LargeBinary),
    ForeignKeyConstraint(["organization"], ["drafts.organization"], name="versions_organization"),
    CheckConstraint("number > 0", name="versions_number"),
    CheckConstraint("length(id) = 16 AND length(digest) = 32", name="versions_lengths"),
    CheckConstraint("state IN ('submitted', 'withdrawn', 'approved')", name="versions_state"),
    CheckConstraint("approver <> author", name="versions_two_persons"),
    CheckConstraint(
        "(state = 'approved') = (approver IS NOT NULL)"
        " AND (approver IS NULL) = (approve_time IS NULL)"
        " AND (approver IS NULL) = (effective_time IS NULL)"
        " AND (approver IS NULL) = (approval IS NULL)",
        name="versions_approval",
    ),
    CheckConstraint("effective_time >= approve_time", name="versions_effective"),
)
"""Every submission, by a UUIDv7; its number is final only once it is approved.

`revision` is the draft's at submission: edits up to it are part of the version.
"""

Index(
    "versions_approved",
    versions.c.organization,
    versions.c.number,
    unique=True,
    sqlite_where=versions.c.state == "approved",
    postgresql_where=versions.c.state == "approved",
)
Index(
    "versions_submitted",
    versions.c.organization,
    unique=True,
    sqlite_where=versions.c.state == "submitted",
    postgresql_where=versions.c.state == "submitted",
)
Index("versions_page", versions.c.organization, versions.c.number, versions.c.id)

version_editors = Table(
    "version_editors",
    metadata,
    Column("version", LargeBinary, nullable=False),
    Column("person", Text, nullable=False),
    PrimaryKeyConstraint("version", "person", name="version_editors_pk"),
    ForeignKeyConstraint(["version"], ["versions.id"], name="version_editors_version"),
)
"""Who edited what a version holds; fixed when it is submitted."""

requests = Table(
    "requests",
    metadata,
    Column("organization", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("request_id", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("create_time", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization", "caller", "request_id", name="requests_pk"),
)
"""First answers by request id (zlib of the message), so that a repeated request changes nothing."""

Index("requests_age", requests.c.organization, requests.c.create_time)
