"""whose webhooks"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    with op.batch_alter_table("webhook", schema=None) as table:
        table.add_column(sa.Column("member", sa.String(), nullable=True))
    # A member's token is named after the member.
    op.execute(sa.text("UPDATE webhook SET member = owner WHERE substr(owner, 1, 4) = 'mbr_'"))


def downgrade() -> None:
    """Lead the database back."""
    with op.batch_alter_table("webhook", schema=None) as table:
        table.drop_column("member")
