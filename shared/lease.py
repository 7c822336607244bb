"""A lease: the right to be the only one who does a job, for a few seconds at a time, by the database's clock."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

import structlog

from shared.errors import OutcomeUnknown, Overloaded
from shared.instant import now
from shared.store import Context, Job, Store, Tx
from shared.store.sql import SQLITE, Raw

log = structlog.get_logger(__name__)
SECONDS = 8.0
RENEW_AFTER = 2.0
# A SQLite file belongs to one process, which drops the leases of its predecessor when it opens the file; a long lease
# spares an idle machine the writes.
SECONDS_ON_ONE_MACHINE = 600.0


async def by_one_of_all(store: Store, job: str, every: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do something again and again, each so many seconds, for ever; of several replicas one does."""
    lease = Lessee(store, job)
    while True:
        with suppress(OutcomeUnknown, Overloaded, OSError):
            if await lease.holds():
                await work()
        await asyncio.sleep(every)


class Lessee:
    """One who wants to do a job that only one may do at a time."""

    def __init__(self, store: Store, job: str) -> None:
        self.store = store
        self.job = job
        # The machine's name, which in a container is its id, so that whoever looks finds who does the job.
        self.me = f"{socket.gethostname()} {uuid4().hex}"
        self.seconds = SECONDS_ON_ONE_MACHINE if store.dialect is SQLITE else SECONDS
        self._sure_until = 0.0
        self._renew_at = 0.0

    async def holds(self) -> bool:
        """Whether the job is ours for the next seconds; asks the database only when the answer is getting old."""
        moment = time.monotonic()
        if moment < min(self._renew_at, self._sure_until):
            return True
        if await self.store.write(Job(self._take, Context(now()))):
            # Counted from before the question, so that the answer's way cannot make us late.
            self._sure_until = moment + self.seconds - 1
            self._renew_at = moment + self.seconds * RENEW_AFTER / SECONDS
            return True
        self._sure_until = 0.0
        return False

    async def release(self) -> None:
        """Let the next one begin at once."""
        if self._sure_until:
            self._sure_until = 0.0
            try:
                await self.store.write(Job(self._give_back, Context(now())))
            except (OutcomeUnknown, Overloaded) as failure:
                log.debug("lease_not_given_back", job=self.job, reason=str(failure))

    async def _take(self, tx: Tx) -> bool:
        sqlite = tx.session.dialect is SQLITE
        clock = "(julianday('now') - 2440587.5) * 86400" if sqlite else "extract(epoch from clock_timestamp())"
        job, me, seconds = ("?", "?", "?") if sqlite else ("$1::TEXT", "$2::TEXT", "$3::DOUBLE PRECISION")
        text = (
            f"INSERT INTO lease (job, holder, until) VALUES ({job}, {me}, {clock} + {seconds})"
            f" ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, until = excluded.until"
            f" WHERE lease.holder = excluded.holder OR lease.until < {clock} RETURNING holder"
        )
        return bool(await tx.session.fetch(Raw(text), (self.job, self.me, self.seconds)))

    async def _give_back(self, tx: Tx) -> None:
        job, me = ("?", "?") if tx.session.dialect is SQLITE else ("$1::TEXT", "$2::TEXT")
        await tx.execute(Raw(f"DELETE FROM lease WHERE job = {job} AND holder = {me}"), [(self.job, self.me)])
