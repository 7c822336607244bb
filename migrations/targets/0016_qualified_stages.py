"""qualified stages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    with op.batch_alter_table("stage", schema=None) as batch_op:
        batch_op.add_column(sa.Column("qualified", sa.Text(), server_default=sa.text("'[]'"), nullable=False))


def downgrade() -> None:
    """Lead the database back to the one before."""
    with op.batch_alter_table("stage", schema=None) as batch_op:
        batch_op.drop_column("qualified")
