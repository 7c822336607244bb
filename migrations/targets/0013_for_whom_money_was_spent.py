"""for whom money was spent"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    with op.batch_alter_table("expense", schema=None) as batch_op:
        for name in ("team", "member", "customer", "product"):
            batch_op.add_column(sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    """Lead the database back."""
    with op.batch_alter_table("expense", schema=None) as batch_op:
        for name in ("product", "customer", "member", "team"):
            batch_op.drop_column(name)
