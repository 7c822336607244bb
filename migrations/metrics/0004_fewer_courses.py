"""Fewer courses: customers have none, and members and products none of single days; these are read from the deals."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM course WHERE dim = 'customer' OR (dim IN ('member', 'product') AND grain = 'd')")
