"""answers to series, and meetings found by their time"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    with op.batch_alter_table("series", schema=None) as table:
        table.add_column(sa.Column("answers", sa.Text(), server_default=sa.text("'{}'"), nullable=False))
    with op.batch_alter_table("meeting", schema=None) as table:
        table.create_index("meeting_starts", ["starts_at"], unique=False)


def downgrade() -> None:
    """Lead the database back."""
    with op.batch_alter_table("meeting", schema=None) as table:
        table.drop_index("meeting_starts")
    with op.batch_alter_table("series", schema=None) as table:
        table.drop_column("answers")
