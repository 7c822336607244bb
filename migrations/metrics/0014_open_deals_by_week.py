"""open deals by week"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

DEALS = sa.table(
    "deal_fact",
    *(sa.column(name, sa.Text()) for name in ("team", "owner", "product", "estimate_currency")),
    sa.column("opened_on", sa.Date()),
    sa.column("closed_on", sa.Date()),
    sa.column("estimate", sa.BigInteger()),
)
NUMBERS = ("parts", "count", "amount", "estimated", "estimate", "realised")
COURSE = sa.table(
    "course",
    *(sa.column(name, sa.Text()) for name in ("dim", "key", "measure", "grain", "currency")),
    sa.column("start", sa.Date()),
    *(sa.column(name, sa.BigInteger()) for name in ("part", *NUMBERS)),
)


def upgrade() -> None:
    """Lead the database to this revision: what is open now is added up by the week it was opened in."""
    counts: Counter[tuple[str, str, date, str]] = Counter()
    estimates: Counter[tuple[str, str, date, str]] = Counter()
    deals = DEALS.c
    select = sa.select(
        deals.team, deals.owner, deals.product, deals.opened_on, deals.estimate, deals.estimate_currency
    ).where(deals.closed_on.is_(None), deals.opened_on.is_not(None))
    for team, owner, product, opened_on, estimate, currency in op.get_bind().execute(select):
        monday = opened_on - timedelta(days=opened_on.weekday())
        for dim, key in (("", ""), ("team", team), ("member", owner), ("product", product)):
            place = (dim, key or "", monday, currency if estimate else "")
            counts[place] += 1
            estimates[place] += estimate
    rows = [
        {
            "dim": dim, "key": key, "measure": "open", "grain": "w", "start": monday, "part": monday.toordinal(),
            "currency": currency, "parts": count, "count": count, "amount": 0, "estimated": count if currency else 0,
            "estimate": estimates[dim, key, monday, currency], "realised": 0,
        }
        for (dim, key, monday, currency), count in counts.items()
    ]  # fmt: skip
    if rows:
        op.bulk_insert(COURSE, rows)


def downgrade() -> None:
    """Lead the database back."""
    op.execute(sa.delete(COURSE).where(COURSE.c.measure == "open"))
