"""Initial schema: logs, pseudonyms, derived indexes, cases, rules and register copies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = ("leaves", "tiles", "entries")


def upgrade() -> None:
    _create_log()
    _create_access()
    _create_facts()
    _create_versions()
    _refuse_changes()


def _create_log() -> None:
    op.create_table(
        "control",
        sa.Column("organization", sa.Text, primary_key=True),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("range", sa.LargeBinary, nullable=False),
        sa.Column("last_time", sa.BigInteger, nullable=False),
        sa.Column("rule_set", sa.BigInteger, nullable=False),
        sa.Column("registers", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.CheckConstraint("size >= 0", name="control_size"),
    )
    op.create_table(
        "leaves",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("id", sa.LargeBinary, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("request_caller", sa.Text),
        sa.Column("request_digest", sa.LargeBinary),
        sa.PrimaryKeyConstraint("organization", "generation", "idx", name="leaves_pk"),
        sa.UniqueConstraint("organization", "id", name="leaves_id"),
    )
    op.create_table(
        "tiles",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("organization", "generation", "level", "n", name="tiles_pk"),
    )
    op.create_table(
        "entries",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("organization", "generation", "idx", name="entries_pk"),
    )
    op.create_table(
        "pseudonyms",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("lookup", sa.LargeBinary, nullable=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("organization", "lookup", name="pseudonyms_pk"),
        sa.UniqueConstraint("organization", "token", name="pseudonyms_token"),
    )


def _create_access() -> None:
    op.create_table(
        "access",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("receive_time", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("application", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("counted", sa.Boolean, nullable=False),
        sa.Column("waiting", sa.Boolean, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("case_key", sa.Text),
        sa.PrimaryKeyConstraint("organization", "generation", "idx", name="access_pk"),
    )
    op.create_index("access_actor", "access", ["organization", "actor", "purpose", "receive_time"])
    op.create_index(
        "access_case",
        "access",
        ["organization", "case_key"],
        sqlite_where=sa.text("case_key IS NOT NULL"),
        postgresql_where=sa.text("case_key IS NOT NULL"),
    )
    op.create_index(
        "access_waiting",
        "access",
        ["organization", "idx"],
        sqlite_where=sa.text("waiting"),
        postgresql_where=sa.text("waiting"),
    )
    op.create_table(
        "access_subjects",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "organization", "generation", "idx", "subject", name="access_subjects_pk"
        ),
    )
    op.create_index("access_subjects_subject", "access_subjects", ["organization", "subject"])


def _create_facts() -> None:
    op.create_table(
        "cases",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("application", sa.Text, nullable=False),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("opener", sa.Text),
        sa.Column("open_time", sa.BigInteger, nullable=False),
        sa.Column("close_time", sa.BigInteger),
        sa.Column("receive_time", sa.BigInteger, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("subjects", sa.Text, nullable=False),
        sa.Column("assignees", sa.Text, nullable=False),
        sa.Column("teams", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("organization", "kind", "ref", name="cases_pk"),
    )
    op.create_table(
        "retention_events",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("event_time", sa.BigInteger, nullable=False),
        sa.Column("application", sa.Text, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization", "event", "subject", name="retention_events_pk"),
    )
    op.create_index("retention_events_time", "retention_events", ["organization", "event_time"])
    op.create_index("retention_events_subject", "retention_events", ["organization", "subject"])


def _create_versions() -> None:
    op.create_table(
        "rule_sets",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("applied_by", sa.Text, nullable=False),
        sa.Column("apply_time", sa.BigInteger, nullable=False),
        sa.Column("request_id", sa.LargeBinary, nullable=False),
        sa.Column("request_caller", sa.Text, nullable=False),
        sa.Column("request_digest", sa.LargeBinary, nullable=False),
        sa.Column("activated_by", sa.Text),
        sa.Column("activate_time", sa.BigInteger),
        sa.Column("idx", sa.BigInteger),
        sa.PrimaryKeyConstraint("organization", "number", name="rule_sets_pk"),
        sa.UniqueConstraint("organization", "request_id", name="rule_sets_request"),
        sa.CheckConstraint("activated_by <> applied_by", name="rule_sets_two_persons"),
        sa.CheckConstraint(
            "(activated_by IS NULL) = (activate_time IS NULL) "
            "AND (idx IS NULL) = (activate_time IS NULL)",
            name="rule_sets_activation",
        ),
    )
    op.create_table(
        "register_copies",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("snapshot", sa.LargeBinary, nullable=False),
        sa.Column("approval", sa.LargeBinary, nullable=False),
        sa.Column("effective_time", sa.BigInteger, nullable=False),
        sa.Column("accept_time", sa.BigInteger, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization", "number", name="register_copies_pk"),
    )
    op.create_table(
        "register_contacts",
        sa.Column("organization", sa.Text, primary_key=True),
        sa.Column("contact_time", sa.BigInteger, nullable=False),
    )


def _refuse_changes() -> None:
    """Append-only by trigger; four eyes on rule sets may not be rewritten either."""
    if op.get_bind().dialect.name == "postgresql":
        _refuse_on_postgresql()
    else:
        _refuse_on_sqlite()


def _refuse_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION emanet_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'append-only table'; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION emanet_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION emanet_refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER rule_sets_fixed BEFORE UPDATE ON rule_sets FOR EACH ROW "
        "WHEN (OLD.activated_by IS NOT NULL OR NEW.applied_by <> OLD.applied_by "
        "OR NEW.digest <> OLD.digest OR NEW.source <> OLD.source) "
        "EXECUTE FUNCTION emanet_refuse_change()"
    )


def _refuse_on_sqlite() -> None:
    for table in _APPEND_ONLY:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'append-only table'); END"
            )
    op.execute(
        "CREATE TRIGGER rule_sets_fixed BEFORE UPDATE ON rule_sets "
        "WHEN OLD.activated_by IS NOT NULL OR NEW.applied_by <> OLD.applied_by "
        "OR NEW.digest <> OLD.digest OR NEW.source <> OLD.source "
        "BEGIN SELECT RAISE(ABORT, 'append-only table'); END"
    )
