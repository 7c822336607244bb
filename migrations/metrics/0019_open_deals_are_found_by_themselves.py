"""open deals are found by themselves"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    op.execute(sa.text("UPDATE course SET grain = 's' WHERE measure = 'open'"))


def downgrade() -> None:
    """Lead the database back."""
    op.execute(sa.text("UPDATE course SET grain = 'w' WHERE measure = 'open'"))
