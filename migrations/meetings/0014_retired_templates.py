"""retired templates"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    with op.batch_alter_table("template", schema=None) as table:
        table.add_column(sa.Column("retired_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Lead the database back."""
    with op.batch_alter_table("template", schema=None) as table:
        table.drop_column("retired_on")
