"""goal depth stays: the version before reads and writes it while this one is migrated; the next release drops it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    with op.batch_alter_table("goal", schema=None) as batch_op:
        batch_op.add_column(sa.Column("depth", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.execute(
        sa.text(
            "WITH RECURSIVE line(id, depth) AS (SELECT id, 1 FROM goal WHERE parent IS NULL"
            " UNION ALL SELECT goal.id, line.depth + 1 FROM goal JOIN line ON goal.parent = line.id)"
            " UPDATE goal SET depth = (SELECT line.depth FROM line WHERE line.id = goal.id)"
            " WHERE parent IS NOT NULL"
        )
    )


def downgrade() -> None:
    """Lead the database back."""
    with op.batch_alter_table("goal", schema=None) as batch_op:
        batch_op.drop_column("depth")
