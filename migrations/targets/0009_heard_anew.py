"""heard anew"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


HEARD = (
    "applied",
    "batch_progress",
    "erased",
    "goal_action",
    "goal_duty",
    "held_event",
    "known_absence",
    "known_department",
    "known_group",
    "known_member",
    "known_organisation",
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
    op.execute(sa.text("DELETE FROM external WHERE kind IN ('department', 'member', 'team', 'group')"))


def downgrade() -> None:
    """Lead the database back: what was heard is read anew by whoever serves."""
