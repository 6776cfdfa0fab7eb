"""The leaf that records an epoch's end: its id, drawn when the rotation begins, and its receipt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from emanet.core.clock import SystemClock
from emanet.core.ids import new_uuid7

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "rotations", sa.Column("leaf", sa.Text, nullable=False, server_default=sa.text("''"))
    )
    op.add_column("rotations", sa.Column("receipt", sa.LargeBinary))
    _name_leaves()
    with op.batch_alter_table("rotations") as table:
        table.alter_column("leaf", server_default=None)


def _name_leaves() -> None:
    """Rotations from before get their leaf when the worker runs next."""
    rotations = sa.table(
        "rotations", sa.column("organization"), sa.column("old_epoch"), sa.column("leaf")
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(rotations)).all():
        connection.execute(
            sa.update(rotations)
            .where(rotations.c.organization == row.organization)
            .where(rotations.c.old_epoch == row.old_epoch)
            .values(leaf=str(new_uuid7(SystemClock())))
        )
