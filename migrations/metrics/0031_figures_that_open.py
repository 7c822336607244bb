"""figures that open"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead the database to this revision."""
    with op.batch_alter_table("target_fact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stretch", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("approved_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("plan_rates", sa.Text(), server_default=sa.text("'{}'"), nullable=False))
    with op.batch_alter_table("deal_fact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("assists", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
        batch_op.create_index(
            "deal_fact_staffed", ["closed_on"], unique=False,
            sqlite_where=sa.text("roles <> '[]'"), postgresql_where=sa.text("roles <> '[]'"),
        )  # fmt: skip
        batch_op.create_index(
            "deal_fact_handed_over", ["opened_on"], unique=False,
            sqlite_where=sa.text("owners <> '[]'"), postgresql_where=sa.text("owners <> '[]'"),
        )  # fmt: skip
    with op.batch_alter_table("stage_fact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("qualified", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
    with op.batch_alter_table("metric_fact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("date_field", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("basis", sa.Text(), nullable=True))


def downgrade() -> None:
    """Lead the database back to the one before."""
    with op.batch_alter_table("metric_fact", schema=None) as batch_op:
        batch_op.drop_column("basis")
        batch_op.drop_column("date_field")
    with op.batch_alter_table("stage_fact", schema=None) as batch_op:
        batch_op.drop_column("qualified")
    with op.batch_alter_table("deal_fact", schema=None) as batch_op:
        batch_op.drop_index("deal_fact_handed_over")
        batch_op.drop_index("deal_fact_staffed")
        batch_op.drop_column("assists")
    with op.batch_alter_table("target_fact", schema=None) as batch_op:
        batch_op.drop_column("plan_rates")
        batch_op.drop_column("approved_on")
        batch_op.drop_column("stretch")
