"""guests, and whose quotas packs add up"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    with op.batch_alter_table("known_pack", schema=None) as table:
        table.add_column(sa.Column("sums", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
    with op.batch_alter_table("series", schema=None) as table:
        table.add_column(sa.Column("guests", sa.Text(), server_default=sa.text("'[]'"), nullable=False))


def downgrade() -> None:
    """Lead the database back."""
    with op.batch_alter_table("series", schema=None) as table:
        table.drop_column("guests")
    with op.batch_alter_table("known_pack", schema=None) as table:
        table.drop_column("sums")
