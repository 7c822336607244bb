"""Half a year after a review was made it keeps only what is of the team: who its numbers were about is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
import structlog

from services.metrics.domain.reviews import Review
from services.metrics.review.seen import as_seen, may_open
from services.metrics.views.shown import today_of
from shared.http.runtime import Runtime
from shared.instant import now
from shared.lease import by_one_of_all
from shared.store import Context, Job, Snapshot, Store, Tx

log = structlog.get_logger(__name__)
KEPT: Final = timedelta(weeks=26)
LOOK_SECONDS: Final = 3600.0
_review = Review.__table__.c  # type: ignore[attr-defined]
_OLD = (
    sa.select(_review.id)
    .where(_review.thinned_on.is_(None), _review.made_on <= sa.bindparam("day", type_=sa.Date()))
    .order_by(_review.id)
)


async def forget_members(runtime: Runtime) -> None:
    """Forget whom old reviews were about, for ever; of several replicas one does."""

    async def look() -> None:
        await thin_old(runtime.store, await runtime.store.read(today_of))

    await by_one_of_all(runtime.store, "retention", LOOK_SECONDS, look)


async def thin_old(store: Store, today: date) -> int:
    """Thin the reviews that were made half a year before a day; how many these are."""

    async def due(snapshot: Snapshot) -> list[str]:
        return [str(key) for (key,) in await snapshot.rows(_OLD, day=today - KEPT)]

    found = await store.read(due)
    for key in found:
        await store.write(Job(partial(_thin, key, today), Context(now())))
        log.info("review_thinned", review=key)
    return len(found)


async def _thin(key: str, today: date, tx: Tx) -> None:
    review = await tx.load(Review, key)
    thin = as_seen(review.document, "outside", None)
    tx.save(review, review.thin(today, thin, of_the_team(review.evidence)))


def of_the_team(evidence: Mapping[str, list[str]]) -> dict[str, Any]:
    """What numbers of the team are made of."""
    return {path: sources for path, sources in evidence.items() if may_open(path, "outside", None)}
