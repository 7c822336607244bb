"""traces of packs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    with op.batch_alter_table("pack_due", schema=None) as batch_op:
        batch_op.add_column(sa.Column("trace", sa.Text(), nullable=True))


def downgrade() -> None:
    """Lead the database back to the one before."""
    with op.batch_alter_table("pack_due", schema=None) as batch_op:
        batch_op.drop_column("trace")
