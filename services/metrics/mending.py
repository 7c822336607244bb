"""Rebuilding the views while they are read: asked for over HTTP, done in the background, told of in one row."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
import structlog
from sqlmodel import Field

from shared.bus import BusError
from shared.consumer import Subscriptions
from shared.errors import Conflict, OutcomeUnknown, Overloaded
from shared.http.runtime import Runtime
from shared.instant import now
from shared.lease import Lessee
from shared.rebuild import Rebuild, RebuildRefused
from shared.store import Context, Job, Row, Snapshot, Tx
from shared.store.tx import compiled
from shared.store.types import Json, Moment
from shared.tasks import ended

log = structlog.get_logger(__name__)
TOLD_EVERY = 1.0
LOST_AFTER = timedelta(seconds=15)
"""A rebuild that has said nothing for so long has ended with its process."""


class RebuildRun(Row, table=True):
    """The latest rebuild of the views: who asked for it, how far it has come, and what came of it."""

    __tablename__ = "rebuild_run"

    id: str = Field(default="views", primary_key=True)
    state: str = "running"
    """`running`, `adopted`, `failed`, or `lost` when its process ended."""
    by: str = ""
    started_at: datetime = Field(sa_type=Moment)
    told_at: datetime = Field(sa_type=Moment)
    done: int = Field(default=0, sa_type=sa.BigInteger)
    records: int = Field(default=0, sa_type=sa.BigInteger)
    differences: dict[str, int] | None = Field(default=None, sa_type=Json)
    reason: str | None = None


_UNDER_WAY = "The views are being rebuilt already."
_run = RebuildRun.__table__.c  # type: ignore[attr-defined]
_TELL = (
    sa.update(RebuildRun)
    .where(_run.id == "views", _run.state == "running")
    .values(
        told_at=sa.bindparam("moment", type_=_run.told_at.type),
        done=sa.bindparam("come", type_=_run.done.type),
        records=sa.bindparam("whole", type_=_run.records.type),
    )
)


class Mender:
    """Rebuilds the views of a process's store, one rebuild at a time among all processes."""

    def __init__(self, runtime: Runtime, subscriptions: Subscriptions) -> None:
        self.runtime = runtime
        self.subscriptions = subscriptions
        self._lease = Lessee(runtime.store, "rebuild")
        self._asked: asyncio.Queue[RebuildRun] = asyncio.Queue()
        self._busy = False

    async def begin(self, by: str) -> RebuildRun:
        """Begin a rebuild; raises Conflict while there is one."""
        if self._busy:
            raise Conflict(_UNDER_WAY)
        self._busy = True
        try:
            # The lease tells processes apart; for all requests of this one it is the same.
            if not await self._lease.holds():
                raise Conflict(_UNDER_WAY)
            run = RebuildRun.make(by=by, started_at=now(), told_at=now())
            await self._store(run)
        except BaseException:
            self._busy = False
            raise
        self._asked.put_nowait(run)
        return run

    async def latest(self) -> RebuildRun | None:
        """The rebuild that runs, or was the last; none if there has been none."""

        async def query(snapshot: Snapshot) -> RebuildRun | None:
            return await snapshot.find(RebuildRun, "views")

        run = await self.runtime.store.read(query)
        if run is not None and self._busy:
            # It may be adopted already; but what it leaves has still to be cleared away.
            run.state = "running"
        elif run is not None and run.state == "running" and run.told_at < now() - LOST_AFTER:
            run.state = "lost"
            run.reason = (
                "The process that rebuilt the views has ended; they are whole, be they the old or the new. Begin again."
            )
        return run

    async def work(self) -> None:
        """Rebuild whenever it is asked for, for ever."""
        while True:
            run = await self._asked.get()
            try:
                await self._rebuild(run)
            finally:
                await self._lease.release()
                self._busy = False

    async def _rebuild(self, run: RebuildRun) -> None:
        runtime = self.runtime
        rebuild = Rebuild(runtime.store, runtime.bus, self.subscriptions, runtime.consumer)
        telling = asyncio.create_task(self._tell(rebuild))
        reason: str | None = "The views could not be rebuilt, for a fault of Concert itself; its log says more."
        try:
            found = (await rebuild.run()).differences
            run.differences = None if found is None else dict(found)
            run.state, reason = "adopted", None
            log.info("views_rebuilt", records=rebuild.way.of, differences=run.differences)
        except (RebuildRefused, BusError, OutcomeUnknown, Overloaded, OSError) as failure:
            reason = str(failure)
        except Exception as fault:
            log.error("rebuild_failed", exc_info=fault)
        finally:
            await ended(telling)
        if reason is not None:
            run.state, run.reason = "failed", reason
        run.told_at, run.done, run.records = now(), rebuild.way.done, rebuild.way.of
        with suppress(OutcomeUnknown, Overloaded):
            await self._store(run)

    async def _tell(self, rebuild: Rebuild) -> None:
        """Say again and again how far it is, and that somebody is at it."""
        while True:
            with suppress(OutcomeUnknown, Overloaded, OSError):
                await self._lease.holds()
                await self.runtime.store.write(Job(partial(_note, rebuild), Context(now())))
            await asyncio.sleep(TOLD_EVERY)

    async def _store(self, run: RebuildRun) -> None:
        async def put(tx: Tx) -> None:
            tx.put(run)

        await self.runtime.store.write(Job(put, Context(now())))


async def _note(rebuild: Rebuild, tx: Tx) -> None:
    statement = compiled(_TELL, tx.session.dialect)
    way = {"moment": tx.now, "come": rebuild.way.done, "whole": rebuild.way.of}
    await tx.execute(statement, [statement.values(way)])


def mender_of(runtime: Runtime) -> Mender:
    """Who rebuilds the views of a running service."""
    mender: Mender = runtime.extras["mender"]
    return mender


async def mend_views(runtime: Runtime) -> None:
    """Rebuild the views whenever it is asked for."""
    await mender_of(runtime).work()
