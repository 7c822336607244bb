"""Whether the log holds nothing of a service's that its own database does not know.

It does when the database has been restored to an earlier state than the log has: the service would give versions that
are on the log already to other events, and whoever has applied those would never agree with it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress

import sqlalchemy as sa
import structlog

from shared.bus import Bus, BusError, LogEndsBefore, Message, Position
from shared.errors import OutcomeUnknown, Overloaded
from shared.events import Envelope
from shared.instant import now
from shared.postage import envelope_of
from shared.store import Context, Job, Snapshot, Store, Tx
from shared.store.sql import OneOf
from shared.store.tables import Journal, Verified

log = structlog.get_logger(__name__)
EVERY_SECONDS = 600.0
Places = dict[Position, int]
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_IDS = sa.select(_journal.id).where(OneOf(_journal.subject, "subjects"))


class DatabaseBehindLog(Exception):
    """The log holds events of this service that its database does not know; the message says which."""


class OwnLog:
    """The topics that a service writes, and how far they have been compared with its journal."""

    def __init__(self, store: Store, bus: Bus, service: str, topics: Sequence[str]) -> None:
        self.store = store
        self.bus = bus
        self.service = service
        self.topics = topics

    async def verify(self) -> None:
        """Compare what has come since the last time, to the end. Raises DatabaseBehindLog, BusError."""
        start, reached = await self.look()
        if reached != start:
            await self.store.write(Job(lambda tx: _note(tx, reached), Context(now())))

    async def look(self) -> tuple[Places, Places]:
        """Compare without noting how far; where that began, and ended. Raises DatabaseBehindLog, BusError."""
        places = await self.store.read(lambda snapshot: snapshot.all(Verified, sa.select(Verified)))
        start = {(each.topic, each.partition): each.next_offset for each in places}
        try:
            return start, await self._follow(start)
        except LogEndsBefore as fault:
            # Whoever reads this log will say that it is another one; here only what it holds matters.
            log.warning("log_is_shorter", reason=str(fault))
            return start, await self._follow({})

    async def keep(self) -> None:
        """Verify again and again, so that the next start has little to read."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            with suppress(BusError, OutcomeUnknown, Overloaded, OSError):
                await self.verify()

    async def _follow(self, start: Places) -> Places:
        reached = dict(start)
        async with aclosing(self.bus.messages(self.topics, start)) as batches:  # type: ignore[type-var]
            async for messages in batches:
                await self._compare(messages)
                reached |= {(each.record.topic, each.partition): each.offset + 1 for each in messages}
                if not messages:
                    break
        return reached

    async def _compare(self, messages: Sequence[Message]) -> None:
        """Raises DatabaseBehindLog if one of these is ours and not in the journal."""
        told = [(envelope_of(each.record), each) for each in messages]
        ours = [(envelope, each) for envelope, each in told if envelope.source == f"/{self.service}"]
        subjects = sorted({envelope.subject for envelope, _ in ours})

        async def ids(snapshot: Snapshot) -> set[str]:
            return {str(record[0]) for record in await snapshot.rows(_IDS, subjects=subjects)}

        known = await self.store.read(ids) if subjects else set()
        for envelope, message in ours:
            if envelope.id not in known:
                raise DatabaseBehindLog(_sentence(self.service, envelope, message))


async def _note(tx: Tx, reached: dict[tuple[str, int], int]) -> None:
    for (topic, partition), offset in sorted(reached.items()):
        tx.put(Verified.make(topic=topic, partition=partition, next_offset=offset))


def _sentence(service: str, envelope: Envelope, message: Message) -> str:
    place = f"record {message.offset} of partition {message.partition}"
    return (
        f"{message.record.topic} holds an event of {service} that its database does not know: {envelope.subject}"
        f" version {envelope.version} of {envelope.time}, {place}. The database has been restored to an earlier state"
        " than the log has, or another installation writes to this log. Bring back a database that is as new as the"
        " log: what this one would tell next would contradict what others have read already. Nothing has been changed."
    )
