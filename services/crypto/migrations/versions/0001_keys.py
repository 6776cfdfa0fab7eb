"""Organizations, keys, register copies, memory of logs, destructions.

Triggers hold what no check can: a tombstone is final, key rows and register copies are never
deleted, a key counter never falls, a receipt never changes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATES = "'planned', 'intended', 'keys_destroyed', 'epoch_destroyed', 'receipted'"

_GUARDS = (
    ("key_rows", "UPDATE", "OLD.state = 'destroyed'", "a destroyed key is final"),
    ("key_rows", "DELETE", "TRUE", "key rows stay"),
    ("key_counters", "UPDATE", "NEW.counter < OLD.counter", "a key counter never falls"),
    ("key_counters", "DELETE", "TRUE", "key counters stay"),
    ("register_versions", "UPDATE", "TRUE", "register versions never change"),
    ("register_versions", "DELETE", "TRUE", "register versions stay"),
    ("destructions", "UPDATE", "OLD.state = 'receipted'", "a receipt never changes"),
    ("destructions", "DELETE", "OLD.state <> 'planned'", "destructions stay"),
    ("destruction_keys", "UPDATE", "TRUE", "what a destruction killed never changes"),
    ("destruction_keys", "DELETE", "TRUE", "what a destruction killed stays"),
)


def upgrade() -> None:
    _create_organizations()
    _create_keys()
    _create_registers()
    _create_destructions()
    for table, act, condition, problem in _GUARDS:
        _guard(table, act, condition, problem)


def _create_organizations() -> None:
    op.create_table(
        "organizations",
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("vkey", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("canary", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("organization", name="pk_organizations"),
    )
    op.create_table(
        "key_counters",
        _organization(),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization", name="pk_key_counters"),
        _of_organization("key_counters"),
        sa.CheckConstraint("counter >= 1", name="ck_key_counters_counter"),
        sa.CheckConstraint("epoch >= 1", name="ck_key_counters_epoch"),
    )
    op.create_table(
        "log_memory",
        _organization(),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("proven_size", sa.BigInteger, nullable=False),
        sa.Column("proven_root", sa.LargeBinary(32), nullable=False),
        sa.Column("fault", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("organization", name="pk_log_memory"),
        _of_organization("log_memory"),
    )


def _create_keys() -> None:
    op.create_table(
        "key_rows",
        _organization(),
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("retention_class", sa.Text, nullable=False),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("lookup", sa.LargeBinary(32)),
        sa.Column("epoch", sa.BigInteger),
        sa.Column("row_version", sa.BigInteger),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("destroyed", sa.BigInteger),
        sa.Column("wrapped", sa.LargeBinary),
        sa.PrimaryKeyConstraint("organization", "id", name="pk_key_rows"),
        _of_organization("key_rows"),
        sa.UniqueConstraint("lookup", name="uq_key_rows_lookup"),
        sa.CheckConstraint("kind IN ('subject', 'bucket', 'pair')", name="ck_key_rows_kind"),
        sa.CheckConstraint("state IN ('active', 'held', 'destroyed')", name="ck_key_rows_state"),
        sa.CheckConstraint(
            "CASE WHEN state = 'destroyed'"
            " THEN lookup IS NULL AND wrapped IS NULL AND epoch IS NULL AND row_version IS NULL"
            " AND destroyed IS NOT NULL"
            " ELSE lookup IS NOT NULL AND wrapped IS NOT NULL AND epoch IS NOT NULL"
            " AND row_version IS NOT NULL AND destroyed IS NULL END",
            name="ck_key_rows_tombstone",
        ),
    )
    op.create_index(
        "ix_key_rows_organization_epoch_id", "key_rows", ["organization", "epoch", "id"]
    )
    op.create_index(
        "ix_key_rows_organization_kind_retention_class_bucket",
        "key_rows",
        ["organization", "kind", "retention_class", "bucket"],
    )


def _create_registers() -> None:
    op.create_table(
        "register_versions",
        _organization(),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("effective", sa.BigInteger, nullable=False),
        sa.Column("snapshot", sa.LargeBinary, nullable=False),
        sa.Column("approval", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("organization", "number", name="pk_register_versions"),
        _of_organization("register_versions"),
    )
    op.create_table(
        "register_contacts",
        _organization(),
        sa.Column("contact", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization", name="pk_register_contacts"),
        _of_organization("register_contacts"),
    )


def _create_destructions() -> None:
    op.create_table(
        "destructions",
        _organization(),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("request_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("ground", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("plan", sa.LargeBinary, nullable=False),
        sa.Column("requested", sa.BigInteger, nullable=False),
        sa.Column("destroyed", sa.BigInteger),
        sa.Column("rotation", sa.BigInteger),
        sa.Column("key_count", sa.Integer, nullable=False),
        sa.Column("unreadable_from", sa.BigInteger),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("receipt", sa.LargeBinary),
        sa.PrimaryKeyConstraint("organization", "id", name="pk_destructions"),
        _of_organization("destructions"),
        sa.CheckConstraint(
            f"state IN ({_STATES}, 'nothing_destroyed')", name="ck_destructions_state"
        ),
        sa.CheckConstraint(
            "(state = 'receipted') = (receipt IS NOT NULL)", name="ck_destructions_receipt"
        ),
    )
    op.create_index(
        "ix_destructions_organization_request_id",
        "destructions",
        ["organization", "request_id"],
        unique=True,
    )
    op.create_index("ix_destructions_state", "destructions", ["state"])
    op.create_table(
        "destruction_keys",
        _organization(),
        sa.Column("key_id", sa.LargeBinary(16), nullable=False),
        sa.Column("destruction", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("organization", "key_id", name="pk_destruction_keys"),
        _of_organization("destruction_keys"),
    )
    op.create_index(
        "ix_destruction_keys_organization_destruction",
        "destruction_keys",
        ["organization", "destruction"],
    )
    op.create_table(
        "rotations",
        _organization(),
        sa.Column("old_epoch", sa.BigInteger, nullable=False),
        sa.Column("new_epoch", sa.BigInteger, nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("finished", sa.BigInteger),
        sa.Column("evidence", sa.LargeBinary(32)),
        sa.PrimaryKeyConstraint("organization", "old_epoch", name="pk_rotations"),
        _of_organization("rotations"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )


def _organization() -> sa.Column[str]:
    return sa.Column("organization", sa.Text, nullable=False)


def _of_organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization"], ["organizations.organization"], name=f"fk_{table}_organization"
    )


def _guard(table: str, act: str, condition: str, problem: str) -> None:
    name = f"guard_{table}_{act.lower()}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{problem}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{problem}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW WHEN ({condition}) "
        f"EXECUTE FUNCTION {name}()"
    )
