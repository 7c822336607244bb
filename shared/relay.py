"""The relay: takes the unsent events of a service's journal to the log, oldest first, and marks what arrived.

There is one relay per service. Events may arrive twice, they never go missing: what the log has not confirmed stays
unsent. Consumers drop what they have seen.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import sqlalchemy as sa
import structlog

from shared.bus import Bus, BusError
from shared.errors import OutcomeUnknown, Overloaded
from shared.failpoints import point
from shared.instant import now
from shared.lease import Lessee
from shared.postage import record_of
from shared.store import Context, Job, Store, Tx
from shared.store.sql import ListOf, OneOf, Statement
from shared.store.tables import Journal

log = structlog.get_logger(__name__)
WINDOW = 1000
POLL_SECONDS = 0.25
APART_SECONDS = 0.02
"""How far apart windows begin under load: each costs five changes of thread, however few events are in it. After a rest
the first event goes at once."""
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_UNSENT = sa.select(Journal).where(sa.not_(_journal.sent)).order_by(_journal.seq).limit(sa.bindparam("window"))
_DEPTH = sa.select(sa.func.count()).select_from(
    sa.select(_journal.seq).where(sa.not_(_journal.sent)).limit(sa.bindparam("most")).subquery()
)
_BACKLOG = sa.select(sa.func.count(), sa.func.min(_journal.time)).where(sa.not_(_journal.sent))


class Relay:
    """Carries one service's events from its journal to the log."""

    def __init__(self, store: Store, bus: Bus, service: str) -> None:
        self.store = store
        self.bus = bus
        self.source = f"/{service}"
        self.failure: str | None = None
        self._lease = Lessee(store, "relay")
        self._wake = asyncio.Event()
        self._paused = False
        self._stopping = False

    def wake(self) -> None:
        """There may be something to send; the poll is the net below this hint."""
        self._wake.set()

    def pause(self, paused: bool) -> None:
        """Hold the relay still, or let it go on; for drills."""
        self._paused = paused
        self.wake()

    def stop(self) -> None:
        """Let `run` end once what is being sent has been marked."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Relay until told to stop; trouble with the log or the store is waited out."""
        pause, begun = 0.05, 0.0
        while not self._stopping:
            self._wake.clear()
            await asyncio.sleep(max(0.0, begun + APART_SECONDS - time.monotonic()))
            begun = time.monotonic()
            try:
                sent = 0 if self._paused else await self.send_window()
                self.failure, pause = None, 0.05
            except (BusError, OutcomeUnknown, Overloaded, OSError) as failure:
                self.failure = f"events cannot be sent: {failure}"
                log.debug("relay_waits", service=self.source, reason=str(failure))
                await self._rest(pause)
                pause = min(pause * 2, 5)
                continue
            if sent < WINDOW:
                await self._rest(POLL_SECONDS)
        await self._lease.release()

    async def send_window(self) -> int:
        """Send the oldest unsent events, mark them, and say how many they were."""
        if not await self._lease.holds():
            return 0
        rows = await self.store.read(lambda snapshot: snapshot.all(Journal, _UNSENT, window=WINDOW))
        if not rows:
            return 0
        started = time.monotonic()
        await self.bus.publish([record_of(row, self.source) for row in rows])
        point("relay.sent")
        numbers = [row.seq for row in rows]
        await self.store.write(Job(lambda tx: _mark_sent(tx, numbers), Context(now())))
        log.debug("relayed", service=self.source, events=len(rows), seconds=time.monotonic() - started)
        return len(rows)

    async def backlog(self) -> tuple[int, str | None]:
        """How many events are unsent, and when the oldest of them was written."""
        ((count, oldest),) = await self.store.read(lambda snapshot: snapshot.rows(_BACKLOG))
        return count, oldest

    @property
    def moving(self) -> bool:
        """Whether events get through to the log at present."""
        return self.failure is None and not self._paused

    async def depth(self, most: int) -> int:
        """How many events are unsent, counted up to so many."""
        return int(await self.store.read(lambda snapshot: snapshot.scalar(_DEPTH, most=most)))

    async def _rest(self, seconds: float) -> None:
        # Not wait_for: on Python 3.11 it swallows a cancellation that comes together with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if self._stopping else seconds):
                await self._wake.wait()


_marking: dict[str, Statement] = {}


async def _mark_sent(tx: Tx, numbers: list[int | None]) -> None:
    dialect = tx.session.dialect
    statement = _marking.get(dialect.name)
    if statement is None:
        core = sa.update(Journal).where(OneOf(_journal.seq, "numbers", ListOf(sa.BigInteger()))).values(sent=sa.true())
        statement = _marking[dialect.name] = Statement(core, dialect)
    await tx.execute(statement, [statement.values({"numbers": numbers})])
