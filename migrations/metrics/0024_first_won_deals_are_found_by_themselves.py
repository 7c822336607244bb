"""first won deals are found by themselves"""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    with op.batch_alter_table("deal_fact", schema=None) as batch_op:
        batch_op.drop_index("deal_fact_customer")
        batch_op.create_index("deal_fact_customer", ["customer", "status", "closed_on", "id"], unique=False)


def downgrade() -> None:
    """Lead the database back."""
    with op.batch_alter_table("deal_fact", schema=None) as batch_op:
        batch_op.drop_index("deal_fact_customer")
        batch_op.create_index("deal_fact_customer", ["customer", "closed_on"], unique=False)
