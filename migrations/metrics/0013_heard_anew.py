"""heard anew"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


HEARD = (
    "absence_fact",
    "action_fact",
    "applied",
    "batch_progress",
    "budget_fact",
    "check_in_fact",
    "course",
    "customer_fact",
    "deal_fact",
    "department_fact",
    "duty_fact",
    "equipment_fact",
    "erased",
    "expense_fact",
    "feedback_fact",
    "group_fact",
    "held_event",
    "invoice_fact",
    "item_fact",
    "leavers_fact",
    "meeting_fact",
    "member_fact",
    "onboarding_fact",
    "opening_fact",
    "organisation_fact",
    "outcome_fact",
    "override_fact",
    "person_fact",
    "position",
    "product_fact",
    "pulse_fact",
    "rate_fact",
    "receipt_fact",
    "recognition_fact",
    "reputation_fact",
    "request_fact",
    "setback_fact",
    "source_progress",
    "stage_fact",
    "tally",
    "target_fact",
    "team_fact",
    "training_fact",
)
"""What is known of others. They tell more than was kept so far: it is emptied, and read anew from the log."""


def upgrade() -> None:
    """Lead the database to this revision."""
    for table in HEARD:
        op.execute(sa.text(f'DELETE FROM "{table}"'))
    # Names of what is owned here stay; those of what was heard of come with it again.
    op.execute(sa.text("DELETE FROM external WHERE kind NOT IN ('option_set', 'pack', 'review', 'rule_set')"))


def downgrade() -> None:
    """Lead the database back: what was heard is read anew by whoever serves."""
