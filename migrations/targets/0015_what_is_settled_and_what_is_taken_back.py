"""what is settled and what is taken back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ONCE = ("metric", "level", "ref", "starts_on", "ends_on")
CALLED = f"target_{'_'.join(ONCE)}_key"
"""What PostgreSQL calls the rule that nobody has two targets for the same days; SQLite has no name for it."""
OPEN = sa.text("closed_on IS NULL")


def upgrade() -> None:
    """Lead the database to this revision."""
    op.create_table(
        "creditchange",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("externals", sa.Text(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("total_currency", sa.Text(), nullable=False),
        sa.Column("deal", sa.Text(), nullable=False),
        sa.Column("credits", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("proposed_on", sa.Date(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=True),
        sa.Column("proposers", sa.Text(), nullable=False),
        sa.Column("approvers", sa.Text(), nullable=False),
        sa.Column("approvals", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("creditchange", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_creditchange_deal"), ["deal"], unique=False)

    with op.batch_alter_table("budget", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("on_month_overrun", sa.Text(), server_default=sa.text("'ignore'"), nullable=False)
        )

    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.add_column(sa.Column("settled", sa.Text(), server_default=sa.text("'[]'"), nullable=False))

    with op.batch_alter_table("progress", schema=None) as batch_op:
        batch_op.add_column(sa.Column("used", sa.Text(), nullable=True))

    with op.batch_alter_table("target", schema=None, naming_convention={"uq": CALLED}) as batch_op:
        batch_op.add_column(sa.Column("proposers", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
        batch_op.add_column(sa.Column("changes", sa.Text(), server_default=sa.text("'[]'"), nullable=False))
        batch_op.drop_constraint(CALLED, type_="unique")
        batch_op.create_index(
            "target_once", list(ONCE), unique=True, sqlite_where=OPEN, postgresql_where=OPEN
        )  # fmt: skip
    op.execute(sa.text("UPDATE target SET set_after_start = true WHERE approved_on > starts_on"))


def downgrade() -> None:
    """Lead the database back."""
    with op.batch_alter_table("target", schema=None) as batch_op:
        batch_op.drop_index("target_once", sqlite_where=OPEN, postgresql_where=OPEN)
        batch_op.create_unique_constraint(CALLED, list(ONCE))
        batch_op.drop_column("changes")
        batch_op.drop_column("proposers")

    with op.batch_alter_table("progress", schema=None) as batch_op:
        batch_op.drop_column("used")

    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.drop_column("settled")

    with op.batch_alter_table("budget", schema=None) as batch_op:
        batch_op.drop_column("on_month_overrun")

    with op.batch_alter_table("creditchange", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_creditchange_deal"))

    op.drop_table("creditchange")
