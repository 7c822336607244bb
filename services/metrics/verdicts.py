"""Judging what was decided on reviews when its weeks are over: nobody need remember to ask."""

from __future__ import annotations

from datetime import date
from functools import partial

import sqlalchemy as sa
import structlog

from services.metrics.api.review_verification import judge
from services.metrics.domain.reviews import Review
from services.metrics.views.shown import today_of
from shared.http.runtime import Runtime
from shared.instant import now
from shared.lease import by_one_of_all
from shared.store import Context, Job, Snapshot, Store, Tx

log = structlog.get_logger(__name__)
LOOK_SECONDS = 300
"""How often it is looked for verdicts that are due."""
_review = Review.__table__.c  # type: ignore[attr-defined]
_DUE = sa.select(_review.id).where(_review.due_on <= sa.bindparam("day", type_=sa.Date())).order_by(_review.id)


async def judge_effects(runtime: Runtime) -> None:
    """Record verdicts when they are due, for ever; of several replicas one does."""

    async def look() -> None:
        await judge_due(runtime.store, await runtime.store.read(today_of))

    await by_one_of_all(runtime.store, "verdicts", LOOK_SECONDS, look)


async def judge_due(store: Store, today: date) -> int:
    """Record the verdicts that are due on a day; how many these are."""
    due = await store.read(partial(_due, today=today))
    for review in due:
        await store.write(Job(partial(_judge, review, today), Context(now())))
        log.info("effect_judged", review=review)
    return len(due)


async def _due(snapshot: Snapshot, today: date) -> list[str]:
    return [str(key) for (key,) in await snapshot.rows(_DUE, day=today)]


async def _judge(review: str, today: date, tx: Tx) -> None:
    # Somebody may have asked for it meanwhile, or another replica.
    found = await tx.load(Review, review)
    if found.due_by(today):
        await judge(tx, found, today)
