"""What a service throws away by itself: answers kept for retries, once nobody will retry any more."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import sqlalchemy as sa
import structlog

from shared.errors import OutcomeUnknown, Overloaded
from shared.instant import now
from shared.store import Context, Job, Store, Tx
from shared.store.tables import KeptAnswer
from shared.store.tx import compiled

log = structlog.get_logger(__name__)
KEPT_HOURS = 48
EVERY_SECONDS = 3600.0
_kept = KeptAnswer.__table__.c  # type: ignore[attr-defined]
_OLD = sa.delete(KeptAnswer).where(_kept.at < sa.bindparam("before", type_=_kept.at.type))


async def tidy(store: Store) -> None:
    """Forget the answers to requests that are older than two days."""

    async def forget(tx: Tx) -> None:
        statement = compiled(_OLD, tx.session.dialect)
        await tx.execute(statement, [statement.values({"before": tx.now - timedelta(hours=KEPT_HOURS)})])

    await store.write(Job(forget, Context(now())))


async def keep_house(store: Store) -> None:
    """Tidy up every hour, for ever."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await tidy(store)
        except (OutcomeUnknown, Overloaded) as failure:
            log.warning("not_tidied", reason=str(failure))
