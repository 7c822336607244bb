"""heard anew"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


HEARD = (
    "applied",
    "batch_progress",
    "erased",
    "held_event",
    "known_department",
    "known_duty",
    "known_goal",
    "known_member",
    "known_organisation",
    "known_pack",
    "known_person",
    "known_team",
    "position",
    "source_progress",
)
"""What is known of others. They tell more than was kept so far: it is emptied, and read anew from the log."""


def upgrade() -> None:
    """Lead the database to this revision."""
    for table in HEARD:
        op.execute(sa.text(f'DELETE FROM "{table}"'))
    # Names of what is owned here stay; those of what was heard of come with it again.
    op.execute(sa.text("DELETE FROM external WHERE kind IN ('department', 'goal', 'member', 'team', 'group')"))


def downgrade() -> None:
    """Lead the database back: what was heard is read anew by whoever serves."""
