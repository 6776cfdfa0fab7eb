"""Drafts, versions, who edited them, and answers to repeated requests.

Triggers hold what no check can: a version is born submitted, leaves that state once, and is never
changed or deleted afterwards; its approver is none of its editors; approved numbers have no gaps.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_FIXED = ("id", "organization", "number", "digest", "snapshot", "revision", "author", "submit_time")


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("organization", sa.Text, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("register", sa.LargeBinary, nullable=False),
        sa.Column("update_time", sa.BigInteger, nullable=False),
        sa.CheckConstraint("revision >= 0", name="drafts_revision"),
    )
    op.create_table(
        "draft_editors",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization", "person", name="draft_editors_pk"),
        sa.ForeignKeyConstraint(
            ["organization"], ["drafts.organization"], name="draft_editors_organization"
        ),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("snapshot", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("submit_time", sa.BigInteger, nullable=False),
        sa.Column("approver", sa.Text),
        sa.Column("approve_time", sa.BigInteger),
        sa.Column("effective_time", sa.BigInteger),
        sa.Column("approval", sa.LargeBinary),
        sa.ForeignKeyConstraint(
            ["organization"], ["drafts.organization"], name="versions_organization"
        ),
        sa.CheckConstraint("number > 0", name="versions_number"),
        sa.CheckConstraint("length(id) = 16 AND length(digest) = 32", name="versions_lengths"),
        sa.CheckConstraint(
            "state IN ('submitted', 'withdrawn', 'approved')", name="versions_state"
        ),
        sa.CheckConstraint("approver <> author", name="versions_two_persons"),
        sa.CheckConstraint(
            "(state = 'approved') = (approver IS NOT NULL)"
            " AND (approver IS NULL) = (approve_time IS NULL)"
            " AND (approver IS NULL) = (effective_time IS NULL)"
            " AND (approver IS NULL) = (approval IS NULL)",
            name="versions_approval",
        ),
        sa.CheckConstraint("effective_time >= approve_time", name="versions_effective"),
    )
    for name, columns, state in (
        ("versions_approved", ["organization", "number"], "approved"),
        ("versions_submitted", ["organization"], "submitted"),
    ):
        only = sa.text(f"state = '{state}'")
        op.create_index(
            name, "versions", columns, unique=True, sqlite_where=only, postgresql_where=only
        )
    op.create_index("versions_page", "versions", ["organization", "number", "id"])
    op.create_table(
        "version_editors",
        sa.Column("version", sa.LargeBinary, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("version", "person", name="version_editors_pk"),
        sa.ForeignKeyConstraint(["version"], ["versions.id"], name="version_editors_version"),
    )
    op.create_table(
        "requests",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("request_id", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization", "caller", "request_id", name="requests_pk"),
    )
    op.create_index("requests_age", "requests", ["organization", "create_time"])
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


_EDITED = "EXISTS (SELECT 1 FROM version_editors WHERE version = OLD.id AND person = NEW.approver)"
_NEXT = (
    "(SELECT coalesce(max(number), 0) + 1 FROM versions"
    " WHERE organization = OLD.organization AND state = 'approved')"
)


def _guard_sqlite() -> None:
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in _FIXED)
    for name, event, condition in (
        ("versions_born_submitted", "INSERT ON versions", "NEW.state <> 'submitted'"),
        ("versions_keep_content", "UPDATE ON versions", f"OLD.state <> 'submitted' OR {changed}"),
        ("versions_other_editor", "UPDATE ON versions", f"NEW.state = 'approved' AND {_EDITED}"),
        (
            "versions_no_gap",
            "UPDATE ON versions",
            f"NEW.state = 'approved' AND NEW.number <> {_NEXT}",
        ),
        ("versions_stay", "DELETE ON versions", "1"),
        ("version_editors_keep", "UPDATE ON version_editors", "1"),
        ("version_editors_stay", "DELETE ON version_editors", "1"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} WHEN {condition}"
            f" BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )


def _guard_postgresql() -> None:
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in _FIXED)
    op.execute(
        f"""
        CREATE FUNCTION guard_versions() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'submitted' THEN
                    RAISE EXCEPTION 'versions_born_submitted' USING ERRCODE = '23514';
                END IF;
                RETURN NEW;
            END IF;
            IF TG_OP = 'UPDATE' THEN
                IF OLD.state <> 'submitted' OR {changed} THEN
                    RAISE EXCEPTION 'versions_keep_content' USING ERRCODE = '23514';
                END IF;
                IF NEW.state = 'approved' AND {_EDITED} THEN
                    RAISE EXCEPTION 'versions_other_editor' USING ERRCODE = '23514';
                END IF;
                IF NEW.state = 'approved' AND NEW.number <> {_NEXT} THEN
                    RAISE EXCEPTION 'versions_no_gap' USING ERRCODE = '23514';
                END IF;
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'versions_stay' USING ERRCODE = '23514';
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION guard_version_editors() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'version_editors_stay' USING ERRCODE = '23514';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER guard_versions BEFORE INSERT OR UPDATE OR DELETE ON versions"
        " FOR EACH ROW EXECUTE FUNCTION guard_versions()"
    )
    op.execute(
        "CREATE TRIGGER guard_version_editors BEFORE UPDATE OR DELETE ON version_editors"
        " FOR EACH ROW EXECUTE FUNCTION guard_version_editors()"
    )
    for table in ("versions", "version_editors"):
        op.execute(
            f"CREATE TRIGGER guard_{table}_truncate BEFORE TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION guard_{table}()"
        )
